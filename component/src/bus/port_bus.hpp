// The 64 KiB I/O port space: which device answers at which port.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "bus/port_device.hpp"

namespace tuxarium::bus {

/// Where a device answers.
struct PortRange {
  std::uint16_t first = 0;      ///< first port
  std::uint16_t count = 1;      ///< ports in the range
  unsigned max_width = 1;       ///< widest access in bytes that reaches the device whole; wider ones arrive in pieces of 1 byte
  std::uint16_t offset = 0;     ///< offset that the device sees for `first`
};

/// Dispatches port accesses. An unclaimed port reads as all ones and ignores writes.
class PortBus {
 public:
  PortBus();

  /// Maps a device, which must outlive the bus. False when the range wraps or overlaps a mapped one, or too many are mapped.
  [[nodiscard]] bool map(PortRange range, PortDevice& device);

  std::uint32_t read(std::uint16_t port, unsigned width);
  void write(std::uint16_t port, unsigned width, std::uint32_t value);
  /// How many accesses in a row may be made as a block: PortDevice::io_block; 0 while the port is watched.
  std::size_t block(std::uint16_t port, unsigned width) const;
  void read_block(std::uint16_t port, unsigned width, std::span<std::byte> data);
  void write_block(std::uint16_t port, unsigned width, std::span<const std::byte> data);

  /// Called after each access that touches [first, last]: port, width in bytes, whether it was a write, value.
  using Watch = std::function<void(std::uint16_t port, unsigned width, bool write, std::uint32_t value)>;
  void set_watch(std::uint16_t first, std::uint16_t last, Watch watch);

 private:
  struct Mapping {
    PortRange range;
    PortDevice* device;
  };
  const Mapping* find(std::uint16_t port) const;
  bool watched(std::uint16_t port) const { return watch_ != nullptr && port >= watch_first_ && port <= watch_last_; }
  std::uint32_t read_unwatched(std::uint16_t port, unsigned width);
  void write_unwatched(std::uint16_t port, unsigned width, std::uint32_t value);

  std::vector<std::uint8_t> index_;  // port -> mapping number + 1, 0 = unclaimed
  std::vector<Mapping> mappings_;
  Watch watch_;
  std::uint16_t watch_first_ = 0, watch_last_ = 0;
};

}  // namespace tuxarium::bus
