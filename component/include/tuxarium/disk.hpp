// The disks that come with the library: memory, raw image file, directory of pieces, and copy-on-write overlays in memory
// and in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include <tuxarium/block_device.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium {

/// Whether a disk image may be changed.
enum class DiskAccess : std::uint8_t { read_only, read_write };

/// A disk whose content is `image`. The size must be a multiple of 512 and not 0.
Result<std::unique_ptr<BlockDevice>> make_memory_disk(std::vector<std::byte> image);

/// A raw image file. Its size must be a multiple of 512 and not 0. With read_write the guest's writes go to the file;
/// a flush is an fsync.
Result<std::unique_ptr<BlockDevice>> open_file_disk(const std::filesystem::path& image, DiskAccess access);

/// A read-only disk in pieces of equal size: files `hda%09d.bin` from 0 without a gap in `directory` (the format of
/// jslinux-tap: 64 KiB each). A piece is read from its file when it is first used and a bounded number is kept in memory.
/// Every piece is checked for its presence and size when the disk is opened.
Result<std::unique_ptr<BlockDevice>> open_chunked_disk(const std::filesystem::path& directory);

/// `base` with the guest's writes kept in memory, sector by sector; `base` is never written. Memory grows with the sectors
/// written, at most to the size of the disk.
std::unique_ptr<BlockDevice> make_memory_overlay(std::unique_ptr<BlockDevice> base);

/// `base` with the guest's writes kept in the file `overlay`, which is made when it is not there; `base` is never written. When
/// the program is killed, every write() that has returned is kept; when the host crashes, every write before the last flush() that has
/// returned, and of later ones all up to some moment, in order. A flush is an fdatasync. The board's drives flush before they tell the guest
/// that a write is done, unless it has switched their write cache on: so what the guest has synced survives both. The file is locked until the disk is destroyed, and an error when another one has it, when it was made for a disk of other
/// content, or when flushed data in it is damaged. A host without space gives the guest an error and leaves the file valid.
/// The file grows to at most 64 MiB and four times the size of the disk, is compacted then and at open (by way of `overlay`.compacting),
/// and memory grows by 8 bytes a sector written. A base that has no content_id() is known by reading all of a small one and samples of a large
/// one, so it must not answer `pending` then.
Result<std::unique_ptr<BlockDevice>> open_file_overlay(std::unique_ptr<BlockDevice> base, const std::filesystem::path& overlay);

}  // namespace tuxarium
