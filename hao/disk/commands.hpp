// What tuxarium-disk does. A DISK is a raw image file or a folder of pieces.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <tuxarium/disk.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium::disk_tool {

namespace fs = std::filesystem;

/// Opens a DISK.
Result<std::unique_ptr<BlockDevice>> open_disk(const fs::path& path, DiskAccess access = DiskAccess::read_only);

/// Opens a DISK with an overlay, which must be there, on top.
Result<std::unique_ptr<BlockDevice>> open_with_overlay(const fs::path& path, const fs::path& overlay, DiskAccess access);

/// True for a file that begins as an overlay does.
bool is_overlay(const fs::path& path);

// disk_commands.cpp

/// A DISK, with its overlay unless `overlay` is empty, as one raw image.
Result<void> merge(const fs::path& disk, const fs::path& overlay, const fs::path& output, bool force);
/// A DISK, with its overlay unless `overlay` is empty, as a folder of pieces.
Result<void> split(const fs::path& disk, const fs::path& overlay, const fs::path& output, std::uint32_t piece_bytes, bool zero_files);
/// Reads all of a DISK or an overlay; the sentence says what was checked.
Result<std::string> verify(const fs::path& path);
/// Lines `what: value` on a DISK or an overlay.
Result<std::string> info(const fs::path& path);

// ext2.cpp

/// An ext2 image with the content of a folder; `bytes` unset: as large as the content needs, and a quarter more.
Result<void> create(const fs::path& folder, const fs::path& output, std::optional<std::uint64_t> bytes, bool force);

// overlay_commands.cpp

/// Puts an overlay's content in its DISK and removes the overlay.
Result<void> commit(const fs::path& disk, const fs::path& overlay);
/// Removes an overlay; with `force` also one that is damaged.
Result<void> discard(const fs::path& overlay, bool force);

/// An error when `path` is there and `force` is not given.
Result<void> check_output(const fs::path& path, bool force);

}  // namespace tuxarium::disk_tool
