#include "image_output.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "disk/host_file.hpp"

namespace tuxarium::disk_tool {

namespace {

using disk::quoted;

constexpr std::size_t kStep = std::size_t{1} << 20;

std::string reason() { return std::generic_category().message(errno); }

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

/// Without a separator at the end, so that it has a file name.
fs::path without_slash(const fs::path& path) { return path.has_filename() ? path : path.parent_path(); }

std::string temporary_pattern(const fs::path& path) { return (path.parent_path() / ("." + path.filename().string() + ".XXXXXX")).string(); }

mode_t permissions_for(mode_t all) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return all & ~mask;
}

Result<void> read_all(BlockDevice& disk, std::uint64_t first, std::span<std::byte> out) {
  if (disk.read(first, out) == BlockStatus::done) return {};
  return Error{ErrorCode::io, disk.last_error()};
}

}  // namespace

// --- File ---

Result<NewFile> NewFile::create(const fs::path& path) {
  std::string name = temporary_pattern(path);
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return Error{ErrorCode::io, "Cannot make a file beside " + quoted(path) + ": " + reason() + "."};
  struct stat old {};
  (void)::fchmod(fd, ::stat(path.c_str(), &old) == 0 ? old.st_mode & 07777 : permissions_for(0666));
  return NewFile{fd, path, name};
}

NewFile::NewFile(NewFile&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, path_{std::move(other.path_)}, temporary_{std::exchange(other.temporary_, {})} {}

NewFile::~NewFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Error NewFile::error(const std::string& problem) const {
  return {ErrorCode::io, "Cannot write " + quoted(path_) + ": " + problem + "."};
}

Result<void> NewFile::write_at(std::uint64_t offset, std::span<const std::byte> data) {
  if (all_zero(data)) return {};
  while (!data.empty()) {
    const ssize_t count = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return error(reason());
    offset += static_cast<std::uint64_t>(count);
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> NewFile::resize(std::uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) == 0) return {};
  return error(reason());
}

Result<void> NewFile::publish() {
  if (::fsync(fd_) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) return error(reason());
  temporary_.clear();
  disk::sync_folder_of(path_);
  return {};
}

// --- Folder ---

Result<NewFolder> NewFolder::create(const fs::path& given) {
  const fs::path path = without_slash(given);
  std::string name = temporary_pattern(path);
  if (::mkdtemp(name.data()) == nullptr) return Error{ErrorCode::io, "Cannot make a folder beside " + quoted(path) + ": " + reason() + "."};
  (void)::chmod(name.c_str(), permissions_for(0777));
  return NewFolder{path, name};
}

NewFolder::NewFolder(NewFolder&& other) noexcept : path_{std::move(other.path_)}, temporary_{std::exchange(other.temporary_, {})} {}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Result<void> NewFolder::publish() {
  disk::sync_folder_of(temporary_ / "x");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return Error{ErrorCode::io, "Cannot make " + quoted(path_) + ": " + reason() + "."};
  temporary_.clear();
  disk::sync_folder_of(path_);
  return {};
}

Result<void> NewFolder::exchange() {
  disk::sync_folder_of(temporary_ / "x");
  if (::syscall(SYS_renameat2, AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0) {
    return Error{ErrorCode::io, "Cannot replace " + quoted(path_) + ": " + reason() + "."};
  }
  disk::sync_folder_of(path_);
  return {};  // the destructor removes the old folder, which has the temporary name now
}

// --- Content ---

Result<void> write_raw(BlockDevice& disk, NewFile& out) {
  const std::uint64_t bytes = disk.sector_count() * kSectorSize;
  std::vector<std::byte> buffer;
  for (std::uint64_t at = 0; at < bytes; at += buffer.size()) {
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kStep, bytes - at)));
    if (auto read = read_all(disk, at / kSectorSize, buffer); !read) return read;
    if (auto written = out.write_at(at, buffer); !written) return written;
  }
  return out.resize(bytes);
}

namespace {

Result<void> write_piece(const fs::path& path, std::span<const std::byte> bytes) {
  auto file = NewFile::create(path);
  if (!file) return file.error();
  if (auto written = file->write_at(0, bytes); !written) return written;
  if (auto sized = file->resize(bytes.size()); !sized) return sized;
  return file->publish();
}

}  // namespace

Result<void> write_pieces(BlockDevice& disk, std::uint32_t piece_bytes, bool zero_files, const fs::path& folder) {
  const std::uint64_t piece_sectors = piece_bytes / kSectorSize, sectors = disk.sector_count();
  const std::uint64_t pieces = (sectors + piece_sectors - 1) / piece_sectors;
  if (pieces > disk::kMaxPieces) {
    return Error{ErrorCode::invalid_argument, "The disk would have " + std::to_string(pieces) + " pieces, more than the limit of " +
                                                  std::to_string(disk::kMaxPieces) + ": larger pieces are needed."};
  }
  disk::Manifest manifest{.piece_bytes = piece_bytes, .sectors = sectors, .pieces = {}};
  std::vector<std::byte> buffer(piece_bytes);
  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    const std::uint64_t first = piece * piece_sectors;
    std::ranges::fill(buffer, std::byte{0});  // what the last piece has beyond the disk
    const auto part = std::span{buffer}.first(static_cast<std::size_t>(std::min(piece_sectors, sectors - first)) * kSectorSize);
    if (auto read = read_all(disk, first, part); !read) return read;
    const bool zero = all_zero(buffer);
    manifest.pieces.push_back({.zero = zero, .digest = zero ? disk::Sha256Digest{} : disk::sha256(buffer)});
    if (zero && !zero_files) continue;
    if (auto written = write_piece(folder / piece_name(piece), buffer); !written) return written;
  }
  const std::string text = disk::format_manifest(manifest);
  return write_piece(folder / disk::kManifestName, std::as_bytes(std::span{text}));
}

}  // namespace tuxarium::disk_tool
