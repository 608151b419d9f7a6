#include "devices/i8254.hpp"

#include <algorithm>

namespace tuxarium::devices {

namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

std::uint32_t from_bcd(std::uint16_t value) {
  std::uint32_t result = 0;
  for (int shift = 12; shift >= 0; shift -= 4) result = result * 10 + ((value >> shift) & 15u);
  return result;
}

std::uint16_t to_bcd(std::uint32_t value) {
  std::uint32_t result = 0;
  for (unsigned shift = 0; shift < 16; shift += 4, value /= 10) result |= (value % 10) << shift;
  return static_cast<std::uint16_t>(result);
}

}  // namespace

// --- one counter --------------------------------------------------------------------------------------------------------------------

unsigned I8254Counter::mode() const {
  const unsigned bits = (state_.control >> 1) & 7u;
  return bits < 6 ? bits : bits - 4;  // the highest bit is "don't care" in modes 2 and 3
}

std::uint32_t I8254Counter::programmed_count() const {
  const std::uint32_t count = bcd() ? from_bcd(state_.count_register) % modulus() : state_.count_register;
  return count == 0 ? modulus() : count;
}

std::int64_t I8254Counter::counted(PitTick now) const { return counting() ? state_.counted + (now - state_.since) : state_.counted; }

std::uint16_t I8254Counter::element(PitTick now) const {
  if (!state_.loaded) return state_.idle_value;
  const std::int64_t modulo = modulus();
  std::int64_t count = 0;
  if (mode() == 3) {
    const std::int64_t in_half = position(now) < high_clocks() ? position(now) : position(now) - high_clocks();
    count = (state_.reload & ~1u) - 2 * in_half;
  } else if (mode() == 2) {
    count = state_.reload - position(now);
  } else {
    count = (state_.reload - counted(now)) % modulo + modulo;
  }
  const auto value = static_cast<std::uint32_t>(count % modulo);
  return bcd() ? to_bcd(value) : static_cast<std::uint16_t>(value);
}

void I8254Counter::settle(PitTick now) {
  if (state_.load_at > now) return;
  state_.reload = programmed_count();
  state_.counted = state_.load_low_half ? high_clocks() : 0;
  state_.since = state_.load_at;
  state_.load_at = kNoTick;
  state_.load_low_half = false;
  state_.loaded = true;
  state_.null_count = false;
}

void I8254Counter::write_control(std::uint8_t control, PitTick now) {
  settle(now);
  const std::uint16_t idle_value = element(now);
  const bool gate = state_.gate;
  const std::uint16_t count_register = state_.count_register;
  state_ = State{};
  state_.idle_value = idle_value;
  state_.gate = gate;
  state_.count_register = count_register;
  state_.control = control & 0x3f;
}

void I8254Counter::write_count(std::uint8_t byte, PitTick now) {
  settle(now);
  if (access() == 1) return count_complete(byte, now);
  if (access() == 2) return count_complete(static_cast<std::uint16_t>(byte << 8), now);
  if (state_.write_msb_next) {
    state_.write_msb_next = false;
    return count_complete(static_cast<std::uint16_t>(byte << 8 | state_.first_byte), now);
  }
  state_.first_byte = byte;
  state_.write_msb_next = true;
  if (mode() == 0) {
    state_.counted = counted(now);
    state_.halted = true;
    state_.load_at = kNoTick;
  }
}

void I8254Counter::count_complete(std::uint16_t count, PitTick now) {
  state_.count_register = count;
  state_.has_count = true;
  state_.null_count = true;
  if (mode() == 1 || mode() == 5) return;  // loaded by a trigger
  if (periodic() && state_.loaded) {
    if (state_.gate) load_at_end_of_cycle(now);
    return;
  }
  if (state_.halted) {
    state_.halted = false;
    state_.since = now;
  }
  state_.load_at = now + 1;
}

void I8254Counter::load_at_end_of_cycle(PitTick now) {
  const bool high_half = mode() == 3 && state_.reload > 1 && position(now) < high_clocks();
  const std::int64_t end = high_half ? high_clocks() : state_.reload;
  state_.load_at = now + (end - position(now));
  state_.load_low_half = high_half;
}

void I8254Counter::latch_count(PitTick now) {
  settle(now);
  if (state_.count_latch_bytes != 0) return;
  state_.latched_count = element(now);
  state_.count_latch_bytes = access() == 3 ? 2 : 1;
}

void I8254Counter::latch_status(PitTick now) {
  settle(now);
  if (state_.status_latched) return;
  state_.status_latched = true;
  state_.latched_status =
      static_cast<std::uint8_t>((settled_out(now) ? 0x80 : 0) | (state_.null_count ? 0x40 : 0) | (state_.control & 0x3f));
}

std::uint8_t I8254Counter::read(PitTick now) {
  settle(now);
  if (state_.status_latched) {
    state_.status_latched = false;
    return state_.latched_status;
  }
  std::uint16_t value = element(now);
  if (state_.count_latch_bytes != 0) {
    value = state_.latched_count;
    --state_.count_latch_bytes;
  }
  bool high_byte = access() == 2;
  if (access() == 3) {
    high_byte = state_.read_msb_next;
    state_.read_msb_next = !state_.read_msb_next;
  }
  return static_cast<std::uint8_t>(high_byte ? value >> 8 : value & 0xff);
}

void I8254Counter::set_gate(bool level, PitTick now) {
  settle(now);
  if (level == state_.gate) return;
  if (!level) {
    state_.counted = counted(now);
    state_.since = now;
    state_.gate = false;
    if (periodic() && state_.loaded) state_.load_at = kNoTick;  // a waiting count is loaded by the next trigger
    return;
  }
  state_.gate = true;
  if (gate_suspends()) state_.since = now;
  const bool trigger = mode() != 0 && mode() != 4;
  if (!trigger || !state_.has_count) return;
  if (periodic()) {  // OUT stays high up to the load
    state_.idle_value = element(now);
    state_.loaded = false;
  }
  state_.load_at = now + 1;
  state_.load_low_half = false;
}

bool I8254Counter::settled_out(PitTick now) const {
  switch (mode()) {
    case 0:
      return state_.loaded && !state_.halted && state_.load_at == kNoTick && counted(now) >= state_.reload;
    case 1:
      return !state_.loaded || counted(now) >= state_.reload;
    case 2:
      return !state_.loaded || !state_.gate || state_.reload == 1 || position(now) != state_.reload - 1;
    case 3:
      return !state_.loaded || !state_.gate || position(now) < high_clocks();
    default:
      return !state_.loaded || counted(now) != state_.reload;
  }
}

bool I8254Counter::out(PitTick now) {
  settle(now);
  return settled_out(now);
}

/// Clocks from `now` to the next edge of the current cycle; 0 = never.
std::int64_t I8254Counter::clocks_to_edge(PitTick now, bool rising) const {
  if (!counting()) return 0;
  const std::int64_t reload = state_.reload;
  const auto until = [&](std::int64_t count) { return std::max<std::int64_t>(count - counted(now), 0); };
  const auto until_position = [&](std::int64_t wanted) {
    const std::int64_t clocks = wanted - position(now);
    return clocks > 0 ? clocks : clocks + reload;
  };
  switch (mode()) {
    case 0:
      return rising && state_.load_at == kNoTick ? until(reload) : 0;
    case 1:
      return rising ? until(reload) : 0;
    case 2:
      return reload == 1 ? 0 : until_position(rising ? 0 : reload - 1);
    case 3:
      return reload == 1 ? 0 : until_position(rising ? 0 : high_clocks());
    default:
      return until(rising ? reload + 1 : reload);
  }
}

PitTick I8254Counter::edge_before_load(PitTick now, bool rising) const {
  const std::int64_t clocks = clocks_to_edge(now, rising);
  return clocks == 0 ? kNoTick : now + clocks;
}

PitTick I8254Counter::next_edge(PitTick now, bool rising) {
  settle(now);
  const PitTick load_at = state_.load_at;
  const PitTick edge = edge_before_load(now, rising);
  if (load_at == kNoTick || edge < load_at) return edge;
  const bool before = settled_out(load_at - 1);
  I8254Counter loaded = *this;
  loaded.settle(load_at);
  const bool after = loaded.settled_out(load_at);
  if (before != after && after == rising) return load_at;
  return loaded.edge_before_load(load_at, rising);
}

PitTick I8254Counter::next_rise(PitTick now) { return next_edge(now, true); }

PitTick I8254Counter::next_fall(PitTick now) { return next_edge(now, false); }

// --- the chip -----------------------------------------------------------------------------------------------------------------------

I8254::I8254(bus::IrqLine irq0, time::GuestClock& clock, std::int64_t hz) : irq0_{irq0}, clock_{&clock}, hz_{hz} {}

PitTick I8254::ticks_at(time::Nanoseconds time) const {
  const std::int64_t seconds = time / kNanosecondsPerSecond;
  const std::int64_t rest = time % kNanosecondsPerSecond;
  return seconds * hz_ + rest * hz_ / kNanosecondsPerSecond;
}

time::Nanoseconds I8254::time_of(PitTick tick) const {
  const std::int64_t seconds = tick / hz_;
  const std::int64_t rest = tick % hz_;
  return seconds * kNanosecondsPerSecond + (rest * kNanosecondsPerSecond + hz_ - 1) / hz_;
}

std::uint32_t I8254::io_read(std::uint16_t offset, unsigned) {
  if (offset >= 3) return 0xff;
  return counters_[offset].read(ticks_at(clock_->now()));
}

void I8254::io_write(std::uint16_t offset, unsigned, std::uint32_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  // One time for all of a write: an edge between two looks at the clock would belong to neither.
  const PitTick now = ticks_at(clock_->now());
  show_due_edge(now);
  if (offset >= 3) {
    write_control_word(byte, now);
  } else {
    counters_[offset].write_count(byte, now);
    if (offset == 0) channel0_changed(now);
  }
}

void I8254::write_control_word(std::uint8_t value, PitTick now) {
  const unsigned channel = value >> 6;
  if (channel == 3) return read_back(value, now);
  if ((value & 0x30) == 0) return counters_[channel].latch_count(now);
  counters_[channel].write_control(value, now);
  if (channel == 0) channel0_changed(now);
}

void I8254::read_back(std::uint8_t value, PitTick now) {
  for (unsigned channel = 0; channel < counters_.size(); ++channel) {
    if ((value & (2u << channel)) == 0) continue;
    if ((value & 0x20) == 0) counters_[channel].latch_count(now);
    if ((value & 0x10) == 0) counters_[channel].latch_status(now);
  }
}

void I8254::set_gate(unsigned channel, bool level) {
  const PitTick now = ticks_at(clock_->now());
  show_due_edge(now);
  counters_[channel].set_gate(level, now);
  if (channel == 0) channel0_changed(now);
}

bool I8254::out(unsigned channel) { return counters_[channel].out(ticks_at(clock_->now())); }

// The clock is not asked for the time before the next edge is scheduled: while the guest catches up, it would run ahead of that edge.
void I8254::on_event() {
  if (state_.edge_at != I8254Counter::kNoTick) show_edge();
}

void I8254::show_due_edge(PitTick now) {
  if (state_.edge_at <= now) show_edge();
}

void I8254::show_edge() {
  const PitTick edge = state_.edge_at;
  if (state_.rising) set_irq(false);  // a strobe of one clock is shown together with its end
  set_irq(state_.rising);
  schedule_edge(std::max(edge, counters_[0].state().since));
}

void I8254::channel0_changed(PitTick now) {
  set_irq(counters_[0].out(now));
  schedule_edge(now);
}

void I8254::schedule_edge(PitTick from) {
  const unsigned mode = counters_[0].mode();
  const bool strobe = mode == 2 || mode == 4 || mode == 5;
  const PitTick rise = counters_[0].next_rise(from);
  const PitTick fall = strobe ? I8254Counter::kNoTick : counters_[0].next_fall(from);
  state_.rising = rise <= fall;
  state_.edge_at = std::min(rise, fall);
  const bool never = state_.edge_at == I8254Counter::kNoTick;
  clock_->schedule(time::EventSlot::pit_channel0, never ? time::kNever : time_of(state_.edge_at));
}

void I8254::set_irq(bool level) {
  state_.irq = level;
  irq0_.set(level);
}

void I8254::reset() {
  for (I8254Counter& counter : counters_) counter.reset();
  state_ = State{};
  irq0_.set(false);
  clock_->cancel(time::EventSlot::pit_channel0);
}

// --- port B -------------------------------------------------------------------------------------------------------------------------

std::uint32_t SystemControlPort::io_read(std::uint16_t, unsigned) {
  constexpr PitTick kRefreshClocks = 18;  // channel 1 of the PC/AT asks for a refresh every 15 microseconds
  const bool refresh = (pit_->ticks_at(clock_->now()) / kRefreshClocks) % 2 != 0;
  return state_.control | (refresh ? 0x10u : 0u) | (pit_->out(2) ? 0x20u : 0u);
}

void SystemControlPort::io_write(std::uint16_t, unsigned, std::uint32_t value) {
  state_.control = value & 0x0f;
  pit_->set_gate(2, (value & 1) != 0);
}

void SystemControlPort::reset() {
  state_ = State{};
  pit_->set_gate(2, false);
}

}  // namespace tuxarium::devices
