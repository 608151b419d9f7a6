#include "devices/i8042.hpp"

namespace tuxarium::devices {

namespace {
constexpr std::uint8_t kOutputFull = 0x01, kCommandWritten = 0x08, kAuxOutput = 0x20, kTimeout = 0x40;  // status
constexpr std::uint8_t kSystemFlag = 0x04;                                                              // status and command byte
constexpr std::uint8_t kIrqEnable = 0x01, kKeyboardDisable = 0x10, kAuxDisable = 0x20;                  // command byte
constexpr std::uint8_t kResend = 0xfe;
constexpr std::uint8_t kNotReset = 0x01;  // output port
}  // namespace

std::uint32_t I8042::io_read(std::uint16_t offset, unsigned) { return offset == 0 ? read_data() : read_status(); }

void I8042::io_write(std::uint16_t offset, unsigned, std::uint32_t value) {
  if (offset == 0) {
    write_data(static_cast<std::uint8_t>(value));
  } else {
    command(static_cast<std::uint8_t>(value));
  }
}

std::uint8_t I8042::read_status() const { return static_cast<std::uint8_t>(state_.status | (state_.ram[0] & kSystemFlag)); }

std::uint8_t I8042::read_data() {
  state_.status &= static_cast<std::uint8_t>(~(kOutputFull | kAuxOutput | kTimeout));
  update_irq();
  return state_.output;
}

void I8042::answer(std::uint8_t value, std::uint8_t extra_status) {
  state_.output = value;
  state_.status &= static_cast<std::uint8_t>(~(kAuxOutput | kTimeout));
  state_.status |= static_cast<std::uint8_t>(kOutputFull | extra_status);
  update_irq();
}

void I8042::update_irq() {
  const bool keyboard_byte = (state_.status & (kOutputFull | kAuxOutput)) == kOutputFull;
  irq_.set(keyboard_byte && (state_.ram[0] & kIrqEnable) != 0);
}

void I8042::write_data(std::uint8_t value) {
  state_.status &= static_cast<std::uint8_t>(~kCommandWritten);
  const std::uint8_t waiting = state_.pending_command;
  if (waiting != 0) {
    state_.pending_command = 0;
    command_data(waiting, value);
    return;
  }
  state_.ram[0] &= static_cast<std::uint8_t>(~kKeyboardDisable);  // sending to the keyboard enables it
  answer(kResend, kTimeout);
}

void I8042::command(std::uint8_t value) {
  state_.status |= kCommandWritten;
  state_.pending_command = 0;
  if (value >= 0xf0) {  // pulse the output port's low bits
    if ((value & kNotReset) == 0) reset_pin_->request_reset();
    return;
  }
  if (value >= 0x20 && value <= 0x3f) return answer(state_.ram[value & 31u]);
  if (value >= 0x60 && value <= 0x7f) {
    state_.pending_command = value;
    return;
  }
  switch (value) {
    case 0xa4:
      return answer(0xf1);  // no password
    case 0xa7:
      state_.ram[0] |= kAuxDisable;
      return;
    case 0xa8:
      state_.ram[0] &= static_cast<std::uint8_t>(~kAuxDisable);
      return;
    case 0xa9:
      return answer(0x01);  // mouse port: clock line stuck low
    case 0xaa:
      state_.ram[0] |= kSystemFlag;
      return answer(0x55);
    case 0xab:
      return answer(0x00);
    case 0xad:
      state_.ram[0] |= kKeyboardDisable;
      return;
    case 0xae:
      state_.ram[0] &= static_cast<std::uint8_t>(~kKeyboardDisable);
      return;
    case 0xc0:
      return answer(0x80);  // input port: keyboard not locked
    case 0xd0:
      return answer(static_cast<std::uint8_t>((state_.output_port & 0xcf) | (state_.status & kOutputFull) << 4));
    case 0xd1:
    case 0xd2:
    case 0xd3:
    case 0xd4:
      state_.pending_command = value;
      return;
    case 0xe0:
      return answer(0x00);  // test inputs: both lines low
    default:
      return;
  }
}

void I8042::command_data(std::uint8_t command, std::uint8_t value) {
  switch (command) {
    case 0xd1:
      return write_output_port(value);
    case 0xd2:
    case 0xd3:
      return answer(value);
    case 0xd4:
      return answer(kResend, kTimeout | kAuxOutput);
    default:
      state_.ram[command & 31u] = value;
      update_irq();
  }
}

void I8042::write_output_port(std::uint8_t value) {
  state_.output_port = value;
  if ((value & kNotReset) == 0) reset_pin_->request_reset();
}

void I8042::reset() {
  state_ = State{};
  update_irq();
}

}  // namespace tuxarium::devices
