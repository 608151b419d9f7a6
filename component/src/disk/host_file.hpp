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
  enum class Mode : std::uint8_t { read, read_write, create };  // create: for reading and writing, made empty when it is not there

  /// `what` names the file's role in an error sentence: "the disk image".
  static Result<HostFile> open(const std::filesystem::path& path, Mode mode, const std::string& what);

  /// The same file with the size that it has now.
  static Result<HostFile> measured(HostFile file);

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
  Result<void> sync_data();                  ///< the content and the size, not the times
  Result<void> resize(std::uint64_t bytes);  ///< `size()` stays what it was

  /// True while `path` still leads to this file.
  bool is_at(const std::filesystem::path& path) const;

 private:
  HostFile(int fd, std::uint64_t size, std::string name) : fd_{fd}, size_{size}, name_{std::move(name)} {}

  int fd_;
  std::uint64_t size_;
  std::string name_;  // role and path, to begin or end a sentence with
};

/// Makes a new or renamed entry of the folder that holds `path` durable, where the host can.
void sync_folder_of(const std::filesystem::path& path);

/// All bytes of a file of at most `max_bytes`.
Result<std::vector<std::byte>> read_whole_file(const std::filesystem::path& path, const std::string& what, std::uint64_t max_bytes);

}  // namespace tuxarium::disk
