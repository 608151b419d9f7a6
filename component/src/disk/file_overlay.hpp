// Copy on write into a file: what the disk tool needs beyond the public open_file_overlay(). The format is in overlay_log.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include <tuxarium/block_device.hpp>
#include <tuxarium/result.hpp>

#include "disk/overlay_log.hpp"

namespace tuxarium::disk {

/// Which offset of a log holds the latest content of each written sector. Takes 8 bytes a sector in steps of 64 sectors, at most
/// for the whole disk.
class OverlayIndex {
 public:
  /// The data of `count` sectors from `first` is at `offset`. May throw std::bad_alloc: with some sectors entered, unless reserve()
  /// came before.
  void enter(std::uint64_t first, std::uint64_t count, std::uint64_t offset);

  /// Makes sure that enter() for these sectors does not throw.
  void reserve(std::uint64_t first, std::uint64_t count);

  /// The offset of a sector's data, or 0 when it is in the base.
  std::uint64_t find(std::uint64_t sector) const;

  /// Number of sectors entered.
  std::uint64_t size() const { return size_; }

  /// Calls `visit(first, count, offset)` for runs of sectors, in order, whose data is contiguous too; stops at the first error.
  Result<void> for_each_run(const std::function<Result<void>(std::uint64_t first, std::uint64_t count, std::uint64_t offset)>& visit) const;

 private:
  static constexpr std::uint64_t kBlockSectors = 64;
  using Block = std::array<std::uint64_t, kBlockSectors>;

  Block& block(std::uint64_t sector);

  std::map<std::uint64_t, std::unique_ptr<Block>> blocks_;  // by sector / kBlockSectors
  std::uint64_t size_ = 0;
};

/// Size and digest of a disk. The digest covers the first 128 MiB, every 64th piece of 64 KiB after them, and the end. An error when a
/// sector cannot be read now.
Result<OverlayBase> identify_base(BlockDevice& base);

}  // namespace tuxarium::disk
