#include "devices/i8259a.hpp"

namespace tuxarium::devices {

namespace {
constexpr unsigned kNone = 8;
constexpr std::uint8_t bit(unsigned level) { return static_cast<std::uint8_t>(1u << level); }
}  // namespace

void I8259a::set_ir(unsigned input, bool level) {
  const std::uint8_t mask = bit(input);
  const bool was = (state_.lines & mask) != 0;
  if (level == was) return;
  state_.lines ^= mask;
  // In both trigger modes a request holds only as long as its input is high.
  if (level) {
    state_.irr |= mask;
  } else {
    state_.irr &= static_cast<std::uint8_t>(~mask);
  }
}

unsigned I8259a::highest(std::uint8_t bits) const {
  for (unsigned i = 1; i <= 8; ++i) {
    const unsigned level = (state_.lowest + i) & 7u;
    if ((bits & bit(level)) != 0) return level;
  }
  return kNone;
}

unsigned I8259a::requested() const {
  if (!state_.initialized) return kNone;
  const unsigned best = highest(static_cast<std::uint8_t>(state_.irr & ~state_.imr));
  if (best == kNone) return kNone;
  const auto blocking = static_cast<std::uint8_t>(state_.special_mask ? state_.isr & ~state_.imr : state_.isr);
  const unsigned in_service = highest(blocking);
  if (in_service == kNone || rank(best) < rank(in_service)) return best;
  const bool slave_again = best == in_service && special_fully_nested() && role_ == Role::master && (state_.icw3 & bit(best)) != 0;
  return slave_again ? best : kNone;
}

bool I8259a::int_out() const { return requested() != kNone; }

std::uint8_t I8259a::vector_for(unsigned level) const {
  if (x86_mode()) return static_cast<std::uint8_t>((state_.icw2 & 0xf8u) | level);
  // MCS-80: an x86 processor takes the second of three bytes, the low half of the call address.
  const bool interval4 = (state_.icw1 & 0x04) != 0;
  return static_cast<std::uint8_t>(interval4 ? (state_.icw1 & 0xe0u) | (level << 2) : (state_.icw1 & 0xc0u) | (level << 3));
}

void I8259a::take(unsigned level) {
  if (!level_triggered()) state_.irr &= static_cast<std::uint8_t>(~bit(level));
  if (!auto_eoi()) {
    state_.isr |= bit(level);
  } else if (state_.rotate_on_aeoi) {
    state_.lowest = static_cast<std::uint8_t>(level);
  }
}

I8259a::Acknowledge I8259a::acknowledge() {
  const unsigned level = requested();
  if (level == kNone) return {.level = 7, .vector = vector_for(7), .cascaded = false};
  take(level);
  const bool cascaded = role_ == Role::master && !single() && (state_.icw3 & bit(level)) != 0;
  return {.level = static_cast<std::uint8_t>(level), .vector = vector_for(level), .cascaded = cascaded};
}

std::uint8_t I8259a::read(bool a0) {
  if (state_.poll) {
    state_.poll = false;
    const unsigned level = requested();
    if (level == kNone) return 0;
    take(level);
    return static_cast<std::uint8_t>(0x80u | level);
  }
  if (a0) return state_.imr;
  return state_.read_isr ? state_.isr : state_.irr;
}

void I8259a::write(bool a0, std::uint8_t value) {
  if (a0) {
    if (state_.next_icw != 0) {
      write_next_icw(value);
    } else {
      state_.imr = value;
    }
  } else if ((value & 0x10) != 0) {
    write_icw1(value);
  } else if ((value & 0x08) != 0) {
    write_ocw3(value);
  } else {
    write_ocw2(value);
  }
}

void I8259a::write_icw1(std::uint8_t value) {
  const std::uint8_t lines = state_.lines;
  state_ = State{};
  state_.lines = lines;
  state_.icw1 = value;
  state_.icw3 = 7;  // "the slave mode address is set to 7"
  state_.next_icw = 2;
  if (level_triggered()) state_.irr = lines;  // edges have to come anew
}

void I8259a::write_next_icw(std::uint8_t value) {
  const bool needs_icw4 = (state_.icw1 & 0x01) != 0;
  const std::uint8_t number = state_.next_icw;
  if (number == 2) {
    state_.icw2 = value;
  } else if (number == 3) {
    state_.icw3 = value;
  } else {
    state_.icw4 = value;
  }
  if (number == 2 && !single()) {
    state_.next_icw = 3;
  } else if (number != 4 && needs_icw4) {
    state_.next_icw = 4;
  } else {
    state_.next_icw = 0;
    state_.initialized = true;
  }
}

void I8259a::write_ocw2(std::uint8_t value) {
  const bool rotate = (value & 0x80) != 0;
  const bool specific = (value & 0x40) != 0;
  const bool eoi = (value & 0x20) != 0;
  if (!eoi && !specific) {
    state_.rotate_on_aeoi = rotate;
    return;
  }
  unsigned level = value & 7u;
  if (eoi && !specific) {
    // A masked level in service is passed over in special mask mode.
    level = highest(static_cast<std::uint8_t>(state_.special_mask ? state_.isr & ~state_.imr : state_.isr));
    if (level == kNone) return;
  }
  if (eoi) state_.isr &= static_cast<std::uint8_t>(~bit(level));
  if (rotate) state_.lowest = static_cast<std::uint8_t>(level);
}

void I8259a::write_ocw3(std::uint8_t value) {
  if ((value & 0x40) != 0) state_.special_mask = (value & 0x20) != 0;
  if ((value & 0x04) != 0) {
    state_.poll = true;
  } else if ((value & 0x02) != 0) {
    state_.read_isr = (value & 0x01) != 0;
  }
}

std::uint32_t I8259aPair::io_read(std::uint16_t offset, unsigned) {
  I8259a& chip = offset < 2 ? master_ : slave_;
  const std::uint8_t value = chip.read((offset & 1) != 0);
  update();  // a poll is an acknowledge
  return value;
}

void I8259aPair::io_write(std::uint16_t offset, unsigned, std::uint32_t value) {
  I8259a& chip = offset < 2 ? master_ : slave_;
  chip.write((offset & 1) != 0, static_cast<std::uint8_t>(value));
  update();
}

void I8259aPair::set_irq(unsigned input, bool level) {
  if (input >= 16 || input == kCascadeInput) return;
  if (input < 8) {
    master_.set_ir(input, level);
  } else {
    slave_.set_ir(input - 8, level);
  }
  update();
}

void I8259aPair::pulse_irq(unsigned input) {
  if (irq_pending(input)) return;  // low takes the request back, high makes it again
  set_irq(input, false);
  set_irq(input, true);
}

std::uint8_t I8259aPair::acknowledge() {
  const I8259a::Acknowledge answer = master_.acknowledge();
  std::uint8_t vector = answer.vector;
  if (answer.cascaded) {
    vector = 0xff;  // no chip drives the bus
    if (answer.level == kCascadeInput && slave_.slave_id() == kCascadeInput) {
      vector = slave_.acknowledge().vector;
      master_.set_ir(kCascadeInput, false);  // INT drops during INTA, so that a further request is an edge
    }
  }
  update();
  return vector;
}

bool I8259aPair::irq_pending(unsigned input) const {
  if (input >= 16) return false;
  const I8259a::State& state = input < 8 ? master_.state() : slave_.state();
  return (state.irr & bit(input & 7u)) != 0;
}

bool I8259aPair::irq_waiting(unsigned input) const {
  if (!irq_pending(input)) return false;
  const std::uint8_t master_mask = master_.state().imr;
  if (input < 8) return (master_mask & bit(input)) == 0;
  return (master_mask & bit(kCascadeInput)) == 0 && (slave_.state().imr & bit(input & 7u)) == 0;
}

void I8259aPair::update() {
  master_.set_ir(kCascadeInput, slave_.int_out());
  const bool level = master_.int_out();
  if (level == intr_) return;
  intr_ = level;
  if (pin_ != nullptr) pin_->set_intr(level);
}

void I8259aPair::reset() {
  master_.reset();
  slave_.reset();
  update();
}

}  // namespace tuxarium::devices
