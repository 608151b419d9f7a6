// Regular files of the host, with errors as sentences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <tuxarium/result.hpp>

namespace tuxarium::disk {

/// `"path"`, for error sentences.
std::string quoted(const std::filesystem::path& path);

/// An open regular file; never a FIFO or a device, so that no call here blocks for another process.
class HostFile {
 public:
  enum class Mode : std::uint8_t { read, read_write };

  /// `what` names the file's role in an error sentence: "the disk image".
  static Result<HostFile> open(const std::filesystem::path& path, Mode mode, const std::string& what);

  HostFile(HostFile&& other) noexcept;
  HostFile& operator=(HostFile&& other) noexcept;
  ~HostFile();

  std::uint64_t size() const { return size_; }  ///< in bytes, when it was opened

  /// Takes the file for this writer alone, until it is closed; an error when another one has it.
  Result<void> lock();

  // Whole transfers or an error.
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const;
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> sync();

 private:
  HostFile(int fd, std::uint64_t size, std::string name) : fd_{fd}, size_{size}, name_{std::move(name)} {}

  int fd_;
  std::uint64_t size_;
  std::string name_;  // role and path, to begin or end a sentence with
};

/// All bytes of a file of at most `max_bytes`.
Result<std::vector<std::byte>> read_whole_file(const std::filesystem::path& path, const std::string& what, std::uint64_t max_bytes);

}  // namespace tuxarium::disk
