#include "devices/uart16550a.hpp"

#include <algorithm>

namespace tuxarium::devices {

namespace {
constexpr std::uint8_t kLsrDataReady = 0x01, kLsrOverrun = 0x02, kLsrFraming = 0x08, kLsrBreak = 0x10;
constexpr std::uint8_t kLsrThrEmpty = 0x20, kLsrTransmitterEmpty = 0x40, kLsrFifoError = 0x80;
constexpr std::uint8_t kIerReceive = 0x01, kIerTransmit = 0x02, kIerLine = 0x04, kIerModem = 0x08;
constexpr std::uint8_t kIirModem = 0x00, kIirNone = 0x01, kIirTransmit = 0x02, kIirReceive = 0x04, kIirLine = 0x06, kIirTimeout = 0x0c;
constexpr std::uint8_t kFcrEnable = 0x01, kFcrClearReceiver = 0x02, kFcrClearTransmitter = 0x04, kFcrLarge = 0x20;
constexpr std::uint8_t kLcrBreak = 0x40;
constexpr std::uint8_t kMcrDtr = 0x01, kMcrRts = 0x02, kMcrOut1 = 0x04, kMcrOut2 = 0x08;
constexpr std::uint8_t kMsrCts = 0x10, kMsrDsr = 0x20, kMsrRi = 0x40, kMsrDcd = 0x80;
constexpr std::uint8_t kDeltaCts = 0x01, kDeltaDsr = 0x02, kDeltaRiEnd = 0x04, kDeltaDcd = 0x08;
}  // namespace

std::uint32_t Uart16550a::io_read(std::uint16_t offset, unsigned) {
  switch (offset & 7) {
    case 0:
      return divisor_access() ? state_.divisor & 0xffu : read_rbr();
    case 1:
      return divisor_access() ? state_.divisor >> 8u : state_.ier;
    case 2:
      return read_iir();
    case 3:
      return state_.lcr;
    case 4:
      return state_.mcr;
    case 5:
      return read_lsr();
    case 6:
      return read_msr();
    default:
      return state_.scr;
  }
}

void Uart16550a::io_write(std::uint16_t offset, unsigned, std::uint32_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  switch (offset & 7) {
    case 0:
      if (!divisor_access()) return write_thr(byte);
      state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0xff00) | byte);
      return;
    case 1:
      if (!divisor_access()) return write_ier(byte);
      state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0x00ff) | byte << 8);
      return;
    case 2:
      return write_fcr(byte);
    case 3:
      return write_lcr(byte);
    case 4:
      return write_mcr(byte);
    case 7:
      state_.scr = byte;
      return;
    default:
      return;  // LSR and MSR: writes are for factory tests
  }
}

// --- receiver -----------------------------------------------------------------------------------------------------------------------

unsigned Uart16550a::trigger_level() const {
  constexpr std::array<unsigned, 4> kLevels{1, 4, 8, 14}, kLargeLevels{1, 16, 32, 56};
  return large_fifo() ? kLargeLevels[state_.fcr >> 6] : kLevels[state_.fcr >> 6];
}

std::uint8_t Uart16550a::read_rbr() {
  if (state_.receive_count == 0) return state_.last_received;
  state_.last_received = state_.receive_fifo[state_.receive_head];
  state_.receive_head = static_cast<std::uint8_t>(fifo_index(1));
  --state_.receive_count;
  if (state_.erroneous != 0) show_errors_of_top();
  refill_receiver();
  pulse_irq();
  return state_.last_received;
}

void Uart16550a::refill_receiver() {
  if (!receiving()) return;  // what is on the wire waits
  while (state_.receive_count < fifo_depth() && !receive_queue_.empty()) {
    receive(receive_queue_.pop(), 0);
    ++bytes_to_guest_;
  }
}

void Uart16550a::receive(std::uint8_t byte, std::uint8_t errors) {
  if (state_.receive_count >= fifo_depth()) {
    state_.line_errors |= kLsrOverrun;
    if (fifo_enabled()) return;  // the byte in the shift register is lost; without FIFO the older one is
    empty_receiver();
  }
  const std::size_t at = fifo_index(state_.receive_count);
  state_.receive_fifo[at] = byte;
  state_.receive_errors[at] = errors;
  if (errors != 0) ++state_.erroneous;
  if (++state_.receive_count == 1 && errors != 0) show_errors_of_top();
}

void Uart16550a::show_errors_of_top() {
  std::uint8_t& errors = state_.receive_errors[state_.receive_head];
  if (state_.receive_count == 0 || errors == 0) return;
  state_.line_errors |= errors;
  errors = 0;
  --state_.erroneous;
}

void Uart16550a::empty_receiver() {
  state_.receive_head = state_.receive_count = state_.erroneous = 0;
  state_.receive_errors.fill(0);
}

void Uart16550a::clear_receiver() {
  empty_receiver();
  state_.line_errors = 0;
  receive_queue_.clear();
}

std::uint8_t Uart16550a::read_lsr() {
  unsigned value = state_.line_errors;
  if (state_.receive_count != 0) value |= kLsrDataReady;
  if (transmitter_empty()) value |= kLsrThrEmpty | kLsrTransmitterEmpty;
  if (fifo_enabled() && ((state_.line_errors & ~kLsrOverrun) != 0 || state_.erroneous != 0)) value |= kLsrFifoError;
  state_.line_errors = 0;
  update_irq();
  return static_cast<std::uint8_t>(value);
}

// --- transmitter --------------------------------------------------------------------------------------------------------------------

void Uart16550a::write_thr(std::uint8_t value) {
  if (transmitter_empty() && !loopback() && transmit_queue_.push(value)) {
    ++bytes_from_guest_;
    state_.thre_pending = true;
    return pulse_irq();
  }
  state_.thre_pending = false;
  if (state_.transmit_count < fifo_depth()) {
    state_.transmit_fifo[state_.transmit_count++] = value;
  } else if (!fifo_enabled()) {
    state_.transmit_fifo[0] = value;  // the guest did not wait for THRE: the byte in THR is lost
  }
  drain_transmitter();
  pulse_irq();
}

void Uart16550a::drain_transmitter() {
  if (transmitter_empty()) return;
  unsigned sent = 0;
  for (; sent < state_.transmit_count; ++sent) {
    if (loopback()) {
      receive(state_.transmit_fifo[sent], 0);
    } else if (transmit_queue_.push(state_.transmit_fifo[sent])) {
      ++bytes_from_guest_;
    } else {
      break;
    }
  }
  std::copy(state_.transmit_fifo.begin() + sent, state_.transmit_fifo.begin() + state_.transmit_count, state_.transmit_fifo.begin());
  state_.transmit_count = static_cast<std::uint8_t>(state_.transmit_count - sent);
  if (transmitter_empty()) state_.thre_pending = true;
}

void Uart16550a::clear_transmitter() {
  if (transmitter_empty()) return;
  state_.transmit_count = 0;
  state_.thre_pending = true;
}

// --- interrupts and control -----------------------------------------------------------------------------------------------------------

std::uint8_t Uart16550a::interrupt_id() const {
  if ((state_.ier & kIerLine) != 0 && state_.line_errors != 0) return kIirLine;
  if ((state_.ier & kIerReceive) != 0 && state_.receive_count != 0) {
    return !fifo_enabled() || state_.receive_count >= trigger_level() ? kIirReceive : kIirTimeout;
  }
  if ((state_.ier & kIerTransmit) != 0 && state_.thre_pending) return kIirTransmit;
  const unsigned telling = auto_flow() ? state_.modem_deltas & ~kDeltaCts : state_.modem_deltas;  // CTS is then the chip's own business
  if ((state_.ier & kIerModem) != 0 && telling != 0) return kIirModem;
  return kIirNone;
}

std::uint8_t Uart16550a::read_iir() {
  const std::uint8_t id = interrupt_id();
  if (id == kIirTransmit) {
    state_.thre_pending = false;
    update_irq();
  }
  return static_cast<std::uint8_t>(id | (fifo_enabled() ? 0xc0 : 0) | (large_fifo() ? 0x20 : 0));
}

bool Uart16550a::interrupting() const {
  const bool gate_open = (state_.mcr & kMcrOut2) != 0 && !loopback();  // in loopback the OUT2 pin is inactive
  return gate_open && interrupt_id() != kIirNone;
}

void Uart16550a::update_irq() {
  const bool level = interrupting();
  if (level == irq_level_) return;
  irq_level_ = level;
  irq_.set(level);
}

/// Each byte moved is an edge of its own: a driver that leaves its handler early behind an edge-triggered controller is called again.
void Uart16550a::pulse_irq() {
  if (irq_level_ && interrupting()) return irq_.pulse();
  update_irq();
}

void Uart16550a::write_ier(std::uint8_t value) {
  const bool transmit_enabled = (value & ~state_.ier & kIerTransmit) != 0;
  state_.ier = value & (model_ == UartModel::tl16c750 ? 0x3f : 0x0f);
  if (transmit_enabled && transmitter_empty()) state_.thre_pending = true;
  update_irq();
}

void Uart16550a::write_fcr(std::uint8_t value) {
  const bool enable = (value & kFcrEnable) != 0;
  const std::uint8_t fcr = enable ? static_cast<std::uint8_t>((value & 0xc9u) | large_fifo_bit(value)) : std::uint8_t{0};
  const bool mode_change = ((fcr ^ state_.fcr) & (kFcrEnable | kFcrLarge)) != 0;
  if (mode_change || (enable && (value & kFcrClearReceiver) != 0)) clear_receiver();
  if (mode_change || (enable && (value & kFcrClearTransmitter) != 0)) clear_transmitter();
  state_.fcr = fcr;
  update_irq();
}

/// FCR bit 5 is protected: it takes a new value only while the divisor latch is accessible.
std::uint8_t Uart16550a::large_fifo_bit(std::uint8_t value) const {
  if (model_ != UartModel::tl16c750) return 0;
  return (divisor_access() ? value : state_.fcr) & kFcrLarge;
}

void Uart16550a::write_lcr(std::uint8_t value) {
  const bool break_begins = (value & ~state_.lcr & kLcrBreak) != 0;
  state_.lcr = value;
  if (break_begins && loopback()) {
    receive(0, kLsrBreak | kLsrFraming);
    update_irq();
  }
}

void Uart16550a::write_mcr(std::uint8_t value) {
  state_.mcr = value & (model_ == UartModel::tl16c750 ? 0x3f : 0x1f);
  update_modem_inputs();
  drain_transmitter();
  refill_receiver();
  update_irq();
}

void Uart16550a::update_modem_inputs() {
  unsigned inputs = kMsrCts | kMsrDsr | kMsrDcd;
  if (loopback()) {
    const unsigned mcr = state_.mcr;
    inputs = ((mcr & kMcrRts) != 0 ? kMsrCts : 0u) | ((mcr & kMcrDtr) != 0 ? kMsrDsr : 0u) | ((mcr & kMcrOut1) != 0 ? kMsrRi : 0u) |
             ((mcr & kMcrOut2) != 0 ? kMsrDcd : 0u);
  }
  const unsigned changed = inputs ^ state_.modem_inputs;
  if ((changed & kMsrCts) != 0) state_.modem_deltas |= kDeltaCts;
  if ((changed & kMsrDsr) != 0) state_.modem_deltas |= kDeltaDsr;
  if ((changed & state_.modem_inputs & kMsrRi) != 0) state_.modem_deltas |= kDeltaRiEnd;
  if ((changed & kMsrDcd) != 0) state_.modem_deltas |= kDeltaDcd;
  state_.modem_inputs = static_cast<std::uint8_t>(inputs);
}

std::uint8_t Uart16550a::read_msr() {
  const auto value = static_cast<std::uint8_t>(state_.modem_inputs | state_.modem_deltas);
  state_.modem_deltas = 0;
  update_irq();
  return value;
}

void Uart16550a::reset() {
  state_ = State{};
  receive_queue_.clear();
  update_irq();
}

// --- the host's end -----------------------------------------------------------------------------------------------------------------

std::size_t Uart16550a::read(std::span<std::byte> out) {
  std::size_t count = transmit_queue_.pop(out);
  if (transmitter_empty()) return count;
  drain_transmitter();
  count += transmit_queue_.pop(out.subspan(count));
  update_irq();
  return count;
}

std::size_t Uart16550a::writable() const {
  const std::size_t waiting = receive_queue_.size() + state_.receive_count;
  return waiting < kQueueBytes ? kQueueBytes - waiting : 0;
}

std::size_t Uart16550a::write(std::span<const std::byte> data) {
  const std::size_t count = receive_queue_.push(data.first(std::min(data.size(), writable())));
  if (count == 0) return 0;
  refill_receiver();
  pulse_irq();
  return count;
}

}  // namespace tuxarium::devices
