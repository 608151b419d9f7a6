// The way from the processor to its bus: the host's own floating-point modes are back before anybody outside the interpreter computes.
#pragma once

#include "cpu/cpu_bus.hpp"
#include "cpu/simd/host_mxcsr.hpp"

namespace tuxarium::cpu {

/// The functions of CpuBus.
class BusGate {
 public:
  BusGate(CpuBus& bus, simd::HostMxcsr& mxcsr) : bus_{bus}, mxcsr_{mxcsr} {}

  std::uint32_t port_read(std::uint16_t port, unsigned width) { return open().port_read(port, width); }
  void port_write(std::uint16_t port, unsigned width, std::uint32_t value) { open().port_write(port, width, value); }
  std::size_t port_block(std::uint16_t port, unsigned width) { return open().port_block(port, width); }
  void port_read_block(std::uint16_t port, unsigned width, std::span<std::byte> data) { open().port_read_block(port, width, data); }
  void port_write_block(std::uint16_t port, unsigned width, std::span<const std::byte> data) { open().port_write_block(port, width, data); }
  std::uint8_t acknowledge_interrupt() { return open().acknowledge_interrupt(); }
  std::uint64_t time_stamp() { return open().time_stamp(); }
  std::uint32_t memory_read(std::uint32_t address, unsigned width) { return open().memory_read(address, width); }
  void memory_write(std::uint32_t address, unsigned width, std::uint32_t value) { open().memory_write(address, width, value); }
  void fpu_error(bool level) { open().fpu_error(level); }

 private:
  CpuBus& open() {
    mxcsr_.leave();
    return bus_;
  }

  CpuBus& bus_;
  simd::HostMxcsr& mxcsr_;
};

}  // namespace tuxarium::cpu
