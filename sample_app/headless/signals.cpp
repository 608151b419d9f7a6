#include "signals.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "console.hpp"

namespace tuxarium::app {
namespace {

constexpr std::array kStopSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile sig_atomic_t received_signal = 0;
int wake_pipe[2] = {-1, -1};

void on_stop(int number) {
  const int saved = errno;
  if (received_signal != 0) {
    restore_terminal_now();
    (void)::signal(number, SIG_DFL);
    (void)::raise(number);
  }
  received_signal = number;
  (void)!::write(wake_pipe[1], "", 1);
  errno = saved;
}

}  // namespace

StopSignals::StopSignals() {
  received_signal = 0;
  if (::pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) wake_pipe[0] = wake_pipe[1] = -1;
  (void)::signal(SIGPIPE, SIG_IGN);
  for (const int number : kStopSignals) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = on_stop;
    action.sa_flags = SA_RESTART;
    (void)::sigaction(number, &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (const int number : kStopSignals) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == on_stop) (void)::signal(number, SIG_DFL);
  }
  for (int& end : wake_pipe) {
    if (end >= 0) ::close(end);
    end = -1;
  }
}

int StopSignals::received() const { return received_signal; }

int StopSignals::descriptor() const { return wake_pipe[0]; }

void end_by_signal(int number) {
  (void)::signal(number, SIG_DFL);
  (void)::raise(number);
  ::_exit(128 + number);
}

}  // namespace tuxarium::app
