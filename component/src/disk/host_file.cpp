#include "disk/host_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace tuxarium::disk {

namespace {

std::string reason(int error_number) { return std::generic_category().message(error_number); }

Error io_error(std::string what_failed, int error_number) {
  return {ErrorCode::io, std::move(what_failed) + ": " + reason(error_number) + "."};
}

constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

}  // namespace

std::string quoted(const std::filesystem::path& path) { return "\"" + path.string() + "\""; }

Result<HostFile> HostFile::open(const std::filesystem::path& path, Mode mode, const std::string& what) {
  const std::string name = what + " " + quoted(path);
  const int access = mode == Mode::read ? O_RDONLY : mode == Mode::create ? O_RDWR | O_CREAT : O_RDWR;
  const int fd = ::open(path.c_str(), access | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
  if (fd < 0) {
    const int error_number = errno;
    if (error_number == ENOENT && mode != Mode::create) return Error{ErrorCode::not_found, "Cannot open " + name + ": it does not exist."};
    return io_error("Cannot open " + name + (mode == Mode::read ? "" : " for writing"), error_number);
  }
  HostFile file{fd, 0, name};
  struct stat status {};
  if (::fstat(fd, &status) != 0) return io_error("Cannot examine " + name, errno);
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::invalid_argument, "Cannot use " + name + ": it is not a regular file."};
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

Result<HostFile> HostFile::measured(HostFile file) {
  struct stat status {};
  if (::fstat(file.fd_, &status) != 0) return io_error("Cannot examine " + file.name_, errno);
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

HostFile::HostFile(HostFile&& other) noexcept : fd_{std::exchange(other.fd_, -1)}, size_{other.size_}, name_{std::move(other.name_)} {}

HostFile& HostFile::operator=(HostFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(name_, other.name_);
  return *this;
}

HostFile::~HostFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> HostFile::lock() {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) return Error{ErrorCode::io, "Cannot use " + name_ + " for writing: another machine has it open for writing."};
  return io_error("Cannot lock " + name_, errno);
}

Result<void> HostFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t count = ::pread(fd_, out.data(), std::min(out.size(), kLargestTransfer), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("Cannot read " + name_, errno);
    if (count == 0) {
      return Error{ErrorCode::io,
                   "Cannot read " + name_ + ": it ends at byte " + std::to_string(offset) + ", earlier than when it was opened."};
    }
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<void> HostFile::write_at(std::uint64_t offset, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t count = ::pwrite(fd_, data.data(), std::min(data.size(), kLargestTransfer), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return io_error("Cannot write " + name_, count < 0 ? errno : EIO);
    data = data.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<void> HostFile::sync() {
  if (::fsync(fd_) == 0) return {};
  return io_error("Cannot make the writes to " + name_ + " durable", errno);
}

Result<void> HostFile::sync_data() {
  if (::fdatasync(fd_) == 0) return {};
  return io_error("Cannot make the writes to " + name_ + " durable", errno);
}

Result<void> HostFile::resize(std::uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) == 0) return {};
  return io_error("Cannot change the size of " + name_, errno);
}

bool HostFile::is_at(const std::filesystem::path& path) const {
  struct stat here {}, there {};
  return ::fstat(fd_, &here) == 0 && ::stat(path.c_str(), &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

void sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::fsync(fd);
  ::close(fd);
}

Result<std::vector<std::byte>> read_whole_file(const std::filesystem::path& path, const std::string& what, std::uint64_t max_bytes) {
  auto file = HostFile::open(path, HostFile::Mode::read, what);
  if (!file) return file.error();
  if (file->size() > max_bytes) {
    return Error{ErrorCode::bad_image, "Cannot use " + what + " " + quoted(path) + ": it has " + std::to_string(file->size()) +
                                           " bytes, more than the limit of " + std::to_string(max_bytes) + "."};
  }
  std::vector<std::byte> content(static_cast<std::size_t>(file->size()));
  if (const auto read = file->read_at(0, content); !read) return read.error();
  return content;
}

}  // namespace tuxarium::disk
