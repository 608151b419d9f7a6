// Makes a file system with the host's mke2fs, which fills it from a folder without a mount.
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "commands.hpp"
#include "disk/host_file.hpp"
#include "image_output.hpp"

extern char** environ;

namespace tuxarium::disk_tool {

namespace {

using disk::quoted;

/// Where mke2fs is: in PATH or where systems keep it for root.
std::optional<std::string> find_mke2fs() {
  const char* path = std::getenv("PATH");
  std::string places = std::string{path == nullptr ? "" : path} + ":/usr/sbin:/sbin:";
  for (std::size_t colon = places.find(':'); colon != std::string::npos; colon = places.find(':')) {
    const std::string program = places.substr(0, colon) + "/mke2fs";
    if (colon != 0 && ::access(program.c_str(), X_OK) == 0) return program;
    places.erase(0, colon + 1);
  }
  return std::nullopt;
}

/// Bytes that the content takes in blocks of 1 KiB, with an inode each.
Result<std::uint64_t> content_bytes(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry{folder, error}; !error && entry != fs::recursive_directory_iterator{}; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && !entry->is_symlink(ignored)) bytes += entry->file_size(ignored);
    bytes += 2048;
  }
  if (error) return Error{ErrorCode::io, "Cannot read the folder " + quoted(folder) + ": " + error.message() + "."};
  return bytes;
}

/// What is in a file from its start, on one line.
std::string text_of(int fd) {
  std::array<char, 300> buffer;
  const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), 0);
  std::string text{buffer.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text;
}

/// Runs a program to its end; its output is part of the error.
Result<void> run(std::vector<std::string> words) {
  const int output = ::memfd_create("output", MFD_CLOEXEC);
  if (output < 0) return Error{ErrorCode::io, "Cannot run " + words[0] + ": " + std::generic_category().message(errno) + "."};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  pid_t child = 0;
  const int problem = ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (problem == 0) {
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  const std::string said = problem != 0 ? std::generic_category().message(problem) : text_of(output);
  ::close(output);
  if (problem == 0 && status == 0) return {};
  return Error{ErrorCode::io, words[0] + " failed: " + said + "."};
}

}  // namespace

Result<void> create(const fs::path& folder, const fs::path& output, std::optional<std::uint64_t> bytes, bool force) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return Error{ErrorCode::not_found, quoted(folder) + " is not a folder."};
  if (auto free = check_output(output, force); !free) return free;
  const auto mke2fs = find_mke2fs();
  if (!mke2fs) return Error{ErrorCode::not_found, "There is no program mke2fs, which makes the file system: it is in the package e2fsprogs."};
  if (!bytes) {
    const auto needed = content_bytes(folder);
    if (!needed) return needed.error();
    bytes = *needed + *needed / 4 + (1u << 20);
  }
  const std::uint64_t kilobytes = (*bytes + 1023) / 1024;
  auto file = NewFile::create(output);
  if (!file) return file.error();
  if (auto sized = file->resize(kilobytes * 1024); !sized) return sized;
  // Plain ext2 with small inodes: what every Linux since 2.6 mounts. The owner of the files is whoever owns them here.
  auto made = run({*mke2fs, "-q", "-F", "-t", "ext2", "-b", "1024", "-I", "128", "-m", "0", "-O", "none,filetype,sparse_super,large_file", "-E",
                   "root_owner=0:0", "-d", fs::absolute(folder).string(), fs::absolute(file->temporary()).string(), std::to_string(kilobytes)});
  if (!made) return made;
  return file->publish();
}

}  // namespace tuxarium::disk_tool
