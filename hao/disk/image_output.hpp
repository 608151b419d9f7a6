// Disk images as files and folders of pieces that appear under their name only when they are whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include <tuxarium/block_device.hpp>
#include <tuxarium/result.hpp>

#include "disk/manifest.hpp"

namespace tuxarium::disk_tool {

namespace fs = std::filesystem;
using disk::piece_name;

/// A new file beside `path`, removed again unless publish() puts it there.
class NewFile {
 public:
  static Result<NewFile> create(const fs::path& path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  const fs::path& temporary() const { return temporary_; }

  /// Writes at an offset; zeros beyond the end are left out (resize() makes them).
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> resize(std::uint64_t bytes);

  /// Makes the content durable and gives the file its name, in place of one that is there.
  Result<void> publish();

 private:
  NewFile(int fd, fs::path path, fs::path temporary) : fd_{fd}, path_{std::move(path)}, temporary_{std::move(temporary)} {}
  Error error(const std::string& problem) const;

  int fd_;
  fs::path path_, temporary_;
};

/// A new folder beside `path`, removed again with all that is in it unless publish() or exchange() puts it there.
class NewFolder {
 public:
  static Result<NewFolder> create(const fs::path& path);
  NewFolder(NewFolder&& other) noexcept;
  NewFolder& operator=(NewFolder&&) = delete;
  ~NewFolder();

  const fs::path& temporary() const { return temporary_; }

  /// Gives the folder its name, which must be free or an empty folder's.
  Result<void> publish();

  /// Swaps the folder with the one of its name in one step, and removes that one.
  Result<void> exchange();

 private:
  NewFolder(fs::path path, fs::path temporary) : path_{std::move(path)}, temporary_{std::move(temporary)} {}

  fs::path path_, temporary_;
};

/// Writes all of a disk as a raw image.
Result<void> write_raw(BlockDevice& disk, NewFile& out);

/// Writes all of a disk as pieces and a manifest. Pieces of zeros get no file unless `zero_files`, which old readers need.
Result<void> write_pieces(BlockDevice& disk, std::uint32_t piece_bytes, bool zero_files, const fs::path& folder);

}  // namespace tuxarium::disk_tool
