#include "caretaker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "headless/sentences.hpp"

namespace tuxarium::bridge {
namespace {

constexpr auto kEndTime = std::chrono::seconds{3};

/// A handle that stays right when the number is used again.
Descriptor handle_of(pid_t process) { return Descriptor{static_cast<int>(::syscall(SYS_pidfd_open, process, 0))}; }

void signal_to(const Descriptor& handle, int number) { ::syscall(SYS_pidfd_send_signal, handle.get(), number, nullptr, 0); }

bool ends_within(const Descriptor& handle, std::chrono::milliseconds time) {
  pollfd entry{handle.get(), POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(time.count())) > 0;
}

void end_programs(const std::vector<Descriptor>& programs) {
  for (const Descriptor& program : programs)
    if (program) signal_to(program, SIGTERM);
  for (const Descriptor& program : programs)
    if (program && !ends_within(program, kEndTime)) signal_to(program, SIGKILL);
}

/// Sockets that listen must not live on here.
void close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned next = STDERR_FILENO + 1;
  for (const int number : kept) {
    if (number < static_cast<int>(next)) continue;
    if (static_cast<unsigned>(number) > next) ::close_range(next, static_cast<unsigned>(number) - 1, 0);
    next = static_cast<unsigned>(number) + 1;
  }
  ::close_range(next, ~0u, 0);
}

[[noreturn]] void take_care(int pipe_end, const std::vector<Descriptor>& programs, const std::function<void()>& clean) {
  ::setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(number, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  ::prctl(PR_SET_NAME, "bridge-cleaner");
  char unused;
  while (::read(pipe_end, &unused, 1) < 0 && errno == EINTR) {}
  end_programs(programs);
  clean();
  ::_exit(0);
}

}  // namespace

Result<Caretaker> Caretaker::start(const std::vector<pid_t>& programs, int keep, const std::function<void()>& clean) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return app::io_error("cannot make a pipe: " + app::errno_text());
  Descriptor read_end{ends[0]}, write_end{ends[1]};
  std::vector<Descriptor> handles;
  for (const pid_t program : programs) handles.push_back(handle_of(program));
  const pid_t process = ::fork();
  if (process < 0) return app::io_error("cannot start a process: " + app::errno_text());
  if (process == 0) {
    std::vector<int> kept{read_end.get(), keep};
    for (const Descriptor& handle : handles) kept.push_back(handle.get());
    close_all_but(kept);
    take_care(read_end.get(), handles, clean);
  }
  return Caretaker{std::move(write_end), process};
}

Caretaker::~Caretaker() {
  if (!pipe_) return;
  pipe_.reset();
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {}
}

}  // namespace tuxarium::bridge
