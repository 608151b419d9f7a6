// The interface of anything that can be a disk of the guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tuxarium {

/// Bytes in a sector, on every BlockDevice.
inline constexpr std::size_t kSectorSize = 512;

/// How a request to a BlockDevice ended.
enum class BlockStatus : std::uint8_t {
  done,     ///< all of it happened
  pending,  ///< nothing happened yet: ask again with the same arguments
  error,    ///< it failed; `last_error()` says why; the data span has no defined content
};

/// A disk made of 512-byte sectors.
///
/// Threading: called only from the thread that is inside Machine::run(), and never blocks for the network:
/// a device whose data is not at hand answers `pending`.
class BlockDevice {
 public:
  BlockDevice() = default;
  BlockDevice(const BlockDevice&) = delete;
  BlockDevice& operator=(const BlockDevice&) = delete;
  virtual ~BlockDevice() = default;

  /// Size in sectors; does not change over the device's life.
  virtual std::uint64_t sector_count() const = 0;

  /// True when write() always fails.
  virtual bool read_only() const = 0;

  /// Reads `out.size() / 512` sectors from sector `first`. `out.size()` is a multiple of 512. A range that ends beyond
  /// sector_count() is an error.
  virtual BlockStatus read(std::uint64_t first, std::span<std::byte> out) = 0;

  /// Writes `data.size() / 512` sectors from sector `first`. Same rules as read().
  virtual BlockStatus write(std::uint64_t first, std::span<const std::byte> data) = 0;

  /// Makes all earlier writes durable, as far as the device keeps anything.
  virtual BlockStatus flush() = 0;

  /// A sentence on the latest request that ended in `error`; empty when none did.
  virtual std::string last_error() const = 0;

  /// A number that differs between disks of different content, for a disk that knows it without being read (from a manifest); otherwise 0.
  /// An overlay in a file remembers what it was made for by this number, or by reading the disk.
  virtual std::uint64_t content_id() const { return 0; }
};

}  // namespace tuxarium
