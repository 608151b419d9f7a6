// The diagnostic port (0x80) of the PC/AT: software writes a progress byte there, and uses it for short delays.
#pragma once

#include <cstdint>

#include "bus/port_device.hpp"

namespace tuxarium::devices {

/// Remembers the last byte, and gives it back when read.
class PostPort final : public bus::PortDevice {
 public:
  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;
  void reset() { state_ = State{}; }

  struct State {
    std::uint8_t code = 0;
  };

  const State& state() const { return state_; }
  State& state() { return state_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.code);
  }

 private:
  State state_;
};

}  // namespace tuxarium::devices
