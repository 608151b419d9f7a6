// What a device shows to the I/O port bus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tuxarium::bus {

/// A device on the port bus. It sees offsets from the base it was mapped at, never port numbers. `width` is 1, 2 or 4 bytes and never
/// larger than the width it was mapped with: the bus splits wider accesses.
class PortDevice {
 public:
  virtual std::uint32_t io_read(std::uint16_t offset, unsigned width) = 0;
  virtual void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) = 0;

  /// How many accesses in a row to an offset, all reads or all writes, may be made as a block: no time passes in one, and the interrupt line is
  /// seen behind it. The default is none.
  virtual std::size_t io_block(std::uint16_t, unsigned) const { return 0; }

  /// The processor's repeated INS/OUTS on one offset: `data.size() / width` accesses in order, little endian. The default makes them one
  /// by one; a device with a data port moves the block.
  virtual void io_read_block(std::uint16_t offset, unsigned width, std::span<std::byte> data);
  virtual void io_write_block(std::uint16_t offset, unsigned width, std::span<const std::byte> data);

 protected:
  ~PortDevice() = default;
};

}  // namespace tuxarium::bus
