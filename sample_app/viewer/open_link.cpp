#include "open_link.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>
#include <system_error>
#include <thread>

extern char** environ;

namespace tuxarium::viewer {

Result<void> open_link(const std::string& address) {
  bool known = false;
  for (const std::string_view scheme : {"http://", "https://", "ftp://", "mailto:"}) known |= address.starts_with(scheme);
  if (!known) return Error{ErrorCode::invalid_argument, "'" + address + "' is not an address that a browser or a mail program opens."};
  std::string program = "xdg-open", argument = address;
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ);
  if (failed != 0) {
    return Error{ErrorCode::io, "The link was not opened: xdg-open cannot be started (" + std::error_code{failed, std::generic_category()}.message() + ")."};
  }
  std::thread{[child] { ::waitpid(child, nullptr, 0); }}.detach();
  return {};
}

}  // namespace tuxarium::viewer
