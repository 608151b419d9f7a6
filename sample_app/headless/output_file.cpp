#include "output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "sentences.hpp"

namespace tuxarium::app {
namespace {

Error cannot_write(const std::string& path) { return io_error("cannot write " + in_quotes(path) + ": " + errno_text()); }

bool write_all(int descriptor, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t count = ::write(descriptor, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool is_special(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

/// The file itself behind symbolic links, also when it does not exist yet.
std::string resolved(const std::string& path) {
  std::error_code error;
  const auto target = std::filesystem::weakly_canonical(path, error);
  return error ? path : target.string();
}

std::string temporary_beside(const std::string& path) { return path + ".tmp-" + std::to_string(::getpid()); }

}  // namespace

Result<OutputFile> OutputFile::open(std::string path) {
  OutputFile file;
  file.created_ = ::access(path.c_str(), F_OK) != 0;
  // Not blocking, for a named pipe that nobody reads yet; harmless for regular files.
  file.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
  if (file.descriptor_ < 0) return cannot_write(path);
  const int flags = ::fcntl(file.descriptor_, F_GETFL);
  (void)::fcntl(file.descriptor_, F_SETFL, flags & ~O_NONBLOCK);
  file.path_ = std::move(path);
  return file;
}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(created_, other.created_);
  return *this;
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (created_) ::unlink(path_.c_str());
}

void OutputFile::start() {
  created_ = false;
  (void)!::ftruncate(descriptor_, 0);  // fails for what is no regular file, where there is nothing to empty
}

Result<void> OutputFile::write(std::span<const std::byte> data) {
  if (!write_all(descriptor_, data)) return cannot_write(path_);
  return {};
}

Result<void> replace_file(const std::string& path, std::span<const std::byte> data) {
  const std::string target = resolved(path);
  const bool special = is_special(target);
  const std::string name = special ? target : temporary_beside(target);
  const int flags = special ? O_WRONLY | O_NOCTTY : O_WRONLY | O_CREAT | O_TRUNC;
  const int descriptor = ::open(name.c_str(), flags | O_CLOEXEC, 0666);
  if (descriptor < 0) return cannot_write(path);
  bool written = write_all(descriptor, data);
  int failure = errno;
  if (::close(descriptor) != 0 && written) {
    written = false;
    failure = errno;
  }
  if (written && (special || std::rename(name.c_str(), target.c_str()) == 0)) return {};
  if (written) failure = errno;
  if (!special) ::unlink(name.c_str());
  errno = failure;
  return cannot_write(path);
}

Result<void> check_replaceable(const std::string& path) {
  const std::string target = resolved(path);
  if (std::filesystem::is_directory(target)) {
    errno = EISDIR;
    return cannot_write(path);
  }
  if (is_special(target)) {
    if (::access(target.c_str(), W_OK) != 0) return cannot_write(path);
    return {};
  }
  const std::string name = temporary_beside(target);
  const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return cannot_write(path);
  ::close(descriptor);
  ::unlink(name.c_str());
  return {};
}

}  // namespace tuxarium::app
