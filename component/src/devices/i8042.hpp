// Intel 8042 keyboard controller of the PC/AT, with no keyboard and no mouse plugged in.
//
// Source: IBM PC/AT Technical Reference, "Keyboard controller" (commands, status register, output port).
// Modelled: status, command byte and the other RAM bytes, self tests, input and output port, A20 and reset lines, output buffer with IRQ 1.
// A byte for the absent keyboard is answered at once by 0xFE with the time-out bit, as the controller does after its time-out, so that
// drivers give up quickly. The mouse port's test reports a fault and its loopback answers on the keyboard's side, so that drivers see
// that there is none.
#pragma once

#include <array>
#include <cstdint>

#include "bus/irq_line.hpp"
#include "bus/port_device.hpp"

namespace tuxarium::devices {

/// The line that restarts the machine.
class ResetPin {
 public:
  /// Asked from inside a port write; the machine acts on it later.
  virtual void request_reset() = 0;

 protected:
  ~ResetPin() = default;
};

/// Port offsets: 0 data, 4 status and command.
class I8042 final : public bus::PortDevice {
 public:
  /// `keyboard_irq` may be unconnected. `reset_pin` must outlive the controller.
  I8042(bus::IrqLine keyboard_irq, ResetPin& reset_pin) : irq_{keyboard_irq}, reset_pin_{&reset_pin} {}

  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;

  /// Level of the A20 gate: true passes the address line.
  bool a20() const { return (state_.output_port & 0x02) != 0; }

  void reset();

  struct State {
    std::array<std::uint8_t, 32> ram{0x10};  // byte 0 is the command byte
    std::uint8_t output = 0;                 // output buffer
    std::uint8_t status = 0x10;              // bits as read, except bit 2
    std::uint8_t output_port = 0xc3;
    std::uint8_t pending_command = 0;  // command that waits for its data byte, 0 = none
  };

  const State& state() const { return state_; }
  State& state() { return state_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.ram);
    v(state_.output);
    v(state_.status);
    v(state_.output_port);
    v(state_.pending_command);
  }

 private:
  std::uint8_t read_data();
  std::uint8_t read_status() const;
  void write_data(std::uint8_t value);
  void command(std::uint8_t value);
  void command_data(std::uint8_t command, std::uint8_t value);
  void write_output_port(std::uint8_t value);
  void answer(std::uint8_t value, std::uint8_t extra_status = 0);
  void update_irq();

  bus::IrqLine irq_;
  ResetPin* reset_pin_;
  State state_;
};

}  // namespace tuxarium::devices
