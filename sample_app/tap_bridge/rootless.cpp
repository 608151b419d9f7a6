#include "rootless.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "child_process.hpp"
#include "headless/sentences.hpp"

namespace tuxarium::bridge {
namespace {

constexpr const char* kUplinkDevice = "uplink";
constexpr const char* kUplinkNetwork = "10.0.99.0/24";  // slirp4netns' own default is the guests' network
constexpr auto kUplinkTime = std::chrono::seconds{10};

Result<void> write_text(const char* path, const std::string& text) {
  const Descriptor file{::open(path, O_WRONLY | O_CLOEXEC)};
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return app::io_error("cannot write " + std::string{path} + ": " + app::errno_text());
  return {};
}

Result<void> unshare_network() {
  const std::string user = std::to_string(::geteuid()), group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return app::io_error("cannot make a user namespace and a network namespace: " + app::errno_text() +
                         (errno == EPERM ? " (is kernel.unprivileged_userns_clone 0, or does AppArmor forbid it?)" : ""));
  if (const auto denied = write_text("/proc/self/setgroups", "deny"); !denied) return denied;
  if (const auto mapped = write_text("/proc/self/uid_map", "0 " + user + " 1"); !mapped) return mapped;
  return write_text("/proc/self/gid_map", "0 " + group + " 1");
}

Command uplink_command(Rootless uplink, const std::string& process, const std::string& ready_descriptor) {
  if (uplink == Rootless::pasta) return {"pasta", "--foreground", "--quiet", "--config-net", "--ns-ifname", kUplinkDevice, "--no-map-gw", process};
  return {"slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback", std::string{"--cidr="} + kUplinkNetwork,
          "--ready-fd=" + ready_descriptor, process, kUplinkDevice};
}

/// A child that waits for a byte and then becomes the uplink: it must be outside of the new namespaces.
Result<pid_t> fork_uplink(Rootless uplink, Descriptor& start, Descriptor& ready) {
  int start_ends[2], ready_ends[2];
  if (::pipe2(start_ends, O_CLOEXEC) != 0) return app::io_error("cannot make a pipe: " + app::errno_text());
  start = Descriptor{start_ends[1]};
  Descriptor start_read{start_ends[0]};
  if (::pipe2(ready_ends, 0) != 0) return app::io_error("cannot make a pipe: " + app::errno_text());
  ready = Descriptor{ready_ends[0]};
  Descriptor ready_write{ready_ends[1]};
  (void)::fcntl(ready.get(), F_SETFD, FD_CLOEXEC);
  const Command command = uplink_command(uplink, std::to_string(::getpid()), std::to_string(ready_write.get()));
  const pid_t process = ::fork();
  if (process < 0) return app::io_error("cannot start a process: " + app::errno_text());
  if (process != 0) return process;
  start.reset();
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);  // pasta gives up when it finds it ignored
  char byte = 0;
  if (::read(start_read.get(), &byte, 1) != 1) ::_exit(0);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int quiet = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(quiet, STDIN_FILENO);
  ::dup2(quiet, STDOUT_FILENO);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

/// slirp4netns says "1" on the pipe. pasta says nothing; its device appears.
bool is_ready(Rootless uplink, const Descriptor& ready, pid_t process) {
  const auto until = std::chrono::steady_clock::now() + kUplinkTime;
  while (std::chrono::steady_clock::now() < until) {
    pollfd entry{uplink == Rootless::slirp4netns ? ready.get() : -1, POLLIN, 0};
    char byte = 0;
    if (::poll(&entry, 1, 50) > 0) return ::read(ready.get(), &byte, 1) == 1;
    if (!still_runs(process)) return false;
    if (uplink != Rootless::pasta) continue;
    auto netlink = Netlink::open();
    const auto links = netlink ? netlink->all() : Result<std::vector<Netlink::Link>>{netlink.error()};
    if (!links) continue;
    for (const auto& link : *links)
      if (link.name == kUplinkDevice) return true;
  }
  return false;
}

}  // namespace

Result<std::optional<pid_t>> enter_own_network(Rootless uplink) {
  if (uplink == Rootless::no_uplink) {
    if (const auto unshared = unshare_network(); !unshared) return unshared.error();
    return std::optional<pid_t>{};
  }
  Descriptor start, ready;
  const auto process = fork_uplink(uplink, start, ready);
  if (!process) return process.error();
  if (const auto unshared = unshare_network(); !unshared) {
    start.reset();
    return unshared.error();
  }
  const char* const name = uplink == Rootless::pasta ? "pasta" : "slirp4netns";
  if (::write(start.get(), "1", 1) != 1 || !is_ready(uplink, ready, *process))
    return app::io_error(std::string{"the uplink "} + name + " did not start; it says why above, unless it is not installed");
  return std::optional<pid_t>{*process};
}

}  // namespace tuxarium::bridge
