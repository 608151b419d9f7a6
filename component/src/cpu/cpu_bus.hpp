// The pins of the processor: everything it needs from the board.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tuxarium::cpu {

class CpuBus {
 public:
  /// Port accesses; `width` is 1, 2 or 4 bytes.
  virtual std::uint32_t port_read(std::uint16_t port, unsigned width) = 0;
  virtual void port_write(std::uint16_t port, unsigned width, std::uint32_t value) = 0;

  /// How many accesses of INS or OUTS to the port may be made as one block: the device sees no time in them, and nothing but the block's data
  /// comes of them. 0: one at a time.
  virtual std::size_t port_block(std::uint16_t port, unsigned width) = 0;
  /// `data.size() / width` accesses to one port in order, at most port_block().
  virtual void port_read_block(std::uint16_t port, unsigned width, std::span<std::byte> data) = 0;
  virtual void port_write_block(std::uint16_t port, unsigned width, std::span<const std::byte> data) = 0;

  /// INTA: the vector of the interrupt that set_intr() announced.
  virtual std::uint8_t acknowledge_interrupt() = 0;

  /// What RDTSC reads before the guest's own offset.
  virtual std::uint64_t time_stamp() = 0;

  /// Accesses to guest-physical addresses outside RAM and ROM; `width` is 1, 2 or 4 bytes.
  virtual std::uint32_t memory_read(std::uint32_t address, unsigned width) = 0;
  virtual void memory_write(std::uint32_t address, unsigned width, std::uint32_t value) = 0;

  /// FERR#: an unmasked floating-point error waits while CR0.NE is 0.
  virtual void fpu_error(bool level) = 0;

 protected:
  ~CpuBus() = default;
};

}  // namespace tuxarium::cpu
