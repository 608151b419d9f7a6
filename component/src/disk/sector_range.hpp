// The check that every disk makes of a request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <tuxarium/block_device.hpp>

namespace tuxarium::disk {

/// Empty when `bytes` bytes from sector `first` lie on a disk of `sector_count` sectors; otherwise a sentence that says why not.
inline std::string range_error(std::uint64_t sector_count, std::uint64_t first, std::size_t bytes) {
  if (bytes % kSectorSize != 0) return "A disk request of " + std::to_string(bytes) + " bytes is not a whole number of sectors.";
  const std::uint64_t count = bytes / kSectorSize;
  if (first <= sector_count && count <= sector_count - first) return {};
  return "A disk request for " + std::to_string(count) + " sectors from sector " + std::to_string(first) + " ends beyond the disk's " +
         std::to_string(sector_count) + " sectors.";
}

}  // namespace tuxarium::disk
