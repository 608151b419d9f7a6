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

  /// `data.size() / width` accesses to one port in order, for INS and OUTS.
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
