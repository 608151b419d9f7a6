#include "child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "headless/sentences.hpp"

extern char** environ;

namespace tuxarium::bridge {
namespace {

/// An ordinary user's PATH has no sbin.
std::string path_of(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* const path = std::getenv("PATH");
  std::string folders = std::string{path == nullptr ? "" : path} + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
  while (!folders.empty()) {
    const std::string folder = folders.substr(0, folders.find(':'));
    folders.erase(0, folder.size() + 1);
    const std::string file = folder + "/" + program;
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

/// A file in memory with `content`, at its start.
Descriptor memory_file(const std::string& content) {
  Descriptor file{::memfd_create("tuxarium-bridge", MFD_CLOEXEC)};
  if (file && ::pwrite(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) file.reset();
  return file;
}

Result<pid_t> spawn(const Command& command, int input, int output) {
  const std::string file = path_of(command.front());
  if (file.empty()) return app::io_error("cannot start " + command.front() + ": there is no such program (it is a package of its own)");
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (input >= 0) ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  else ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output >= 0) {
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own: Ctrl-C at the terminal ends the bridge, which then ends its children.
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t process = -1;
  const int code = ::posix_spawn(&process, file.c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (code != 0) return app::io_error("cannot start " + file + ": " + app::errno_text(code));
  return process;
}

}  // namespace

Result<pid_t> start_program(const Command& command) { return spawn(command, -1, -1); }

Result<void> run_program(const Command& command, const std::string& input) {
  const Descriptor in = memory_file(input), out = memory_file({});
  if (!in || !out) return app::io_error("cannot start " + command.front() + ": " + app::errno_text());
  const auto process = spawn(command, in.get(), out.get());
  if (!process) return process.error();
  int status = 0;
  while (::waitpid(*process, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  std::array<char, 500> said{};
  const ssize_t count = ::pread(out.get(), said.data(), said.size(), 0);
  std::string text{said.data(), static_cast<std::size_t>(count > 0 ? count : 0)};
  for (char& c : text)
    if (c == '\n') c = ' ';
  return app::io_error(command.front() + " failed: " + text);
}

bool still_runs(pid_t process) {
  int status = 0;
  return ::waitpid(process, &status, WNOHANG) == 0;
}

}  // namespace tuxarium::bridge
