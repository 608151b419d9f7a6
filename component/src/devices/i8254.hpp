// Intel 8254 programmable interval timer, as wired in the PC/AT: channel 0 drives an interrupt line, channel 2 the speaker.
//
// Source: Intel 8254 data sheet (order 231164), sections "Programming the 8254", "Read operations" and "Mode definitions".
// Modelled: six modes, binary and BCD, all access formats, counter latch, read-back of count and status, null count, gates. Counters are
// functions of guest time, exact to one input clock; no drift.
// Not modelled: what the data sheet leaves open. Before its first count a counter keeps the value it had; the illegal count of 1 in modes
// 2 and 3 leaves OUT high.
#pragma once

#include <array>
#include <cstdint>

#include "bus/irq_line.hpp"
#include "bus/port_device.hpp"
#include "time/guest_clock.hpp"

namespace tuxarium::devices {

/// Number of an input clock since power-on.
using PitTick = std::int64_t;

/// One of the three counters. It knows ticks, not time: every function takes the tick at which it happens, never smaller than before.
class I8254Counter {
 public:
  static constexpr PitTick kNoTick = INT64_MAX;

  struct State {
    PitTick load_at = kNoTick;  // tick of a pending transfer from the count register to the counting element
    PitTick since = 0;          // tick from which `counted` grows while counting
    std::int64_t counted = 0;   // clocks counted since the load, up to `since`
    std::uint32_t reload = 0;   // count in the counting element's current cycle, 1 to 65536
    std::uint16_t count_register = 0;
    std::uint16_t idle_value = 0;  // counting element while nothing is loaded
    std::uint16_t latched_count = 0;
    std::uint8_t control = 0x30;  // access, mode and BCD bits of the control word
    std::uint8_t latched_status = 0;
    std::uint8_t count_latch_bytes = 0;  // bytes of the latched count still to be read
    bool status_latched = false;
    std::uint8_t first_byte = 0;  // low byte of a count whose high byte has not been written
    bool has_count = false;       // a count has been written since the control word
    bool load_low_half = false;   // mode 3: the pending transfer begins the low half
    bool read_msb_next = false;
    bool write_msb_next = false;
    bool loaded = false;     // the counting element holds a count of the current mode
    bool null_count = true;  // the count register holds something that is not loaded yet
    bool gate = true;
    bool halted = false;  // mode 0: the first byte of two has been written
  };

  void write_control(std::uint8_t control, PitTick now);
  void write_count(std::uint8_t byte, PitTick now);
  std::uint8_t read(PitTick now);
  void latch_count(PitTick now);
  void latch_status(PitTick now);
  void set_gate(bool level, PitTick now);

  /// Level of OUT.
  bool out(PitTick now);

  /// The first tick after `now` at which OUT rises, or falls, if nothing is written; kNoTick when never.
  PitTick next_rise(PitTick now);
  PitTick next_fall(PitTick now);

  unsigned mode() const;
  bool gate() const { return state_.gate; }

  const State& state() const { return state_; }
  State& state() { return state_; }
  void reset() { state_ = State{}; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.load_at);
    v(state_.since);
    v(state_.counted);
    v(state_.reload);
    v(state_.count_register);
    v(state_.idle_value);
    v(state_.latched_count);
    v(state_.control);
    v(state_.latched_status);
    v(state_.count_latch_bytes);
    v(state_.status_latched);
    v(state_.first_byte);
    v(state_.has_count);
    v(state_.load_low_half);
    v(state_.read_msb_next);
    v(state_.write_msb_next);
    v(state_.loaded);
    v(state_.null_count);
    v(state_.gate);
    v(state_.halted);
  }

 private:
  bool bcd() const { return (state_.control & 1) != 0; }
  unsigned access() const { return (state_.control >> 4) & 3u; }
  std::uint32_t modulus() const { return bcd() ? 10000 : 65536; }
  bool periodic() const { return mode() == 2 || mode() == 3; }
  bool gate_suspends() const { return mode() != 1 && mode() != 5; }
  bool counting() const { return state_.loaded && !state_.halted && (state_.gate || !gate_suspends()); }
  std::uint32_t programmed_count() const;
  std::int64_t high_clocks() const { return (std::int64_t{state_.reload} + 1) / 2; }  // mode 3
  std::int64_t counted(PitTick now) const;
  std::int64_t position(PitTick now) const { return counted(now) % state_.reload; }
  std::uint16_t element(PitTick now) const;
  void count_complete(std::uint16_t count, PitTick now);
  void load_at_end_of_cycle(PitTick now);
  void settle(PitTick now);
  bool settled_out(PitTick now) const;
  std::int64_t clocks_to_edge(PitTick now, bool rising) const;
  PitTick edge_before_load(PitTick now, bool rising) const;
  PitTick next_edge(PitTick now, bool rising);

  State state_;
};

/// The chip. Port offsets: 0-2 counters, 3 control word.
class I8254 final : public bus::PortDevice {
 public:
  /// `hz`: input clock. Channel 0's OUT drives `irq0`; its edges happen in on_event() through EventSlot::pit_channel0.
  I8254(bus::IrqLine irq0, time::GuestClock& clock, std::int64_t hz);

  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;

  /// The deadline of EventSlot::pit_channel0 has come: an edge of channel 0. One rising edge each period, however late it is called.
  void on_event();

  void set_gate(unsigned channel, bool level);
  bool gate(unsigned channel) const { return counters_[channel].gate(); }
  bool out(unsigned channel);

  /// Input clocks since power-on, and the first moment at which that many have passed.
  PitTick ticks_at(time::Nanoseconds time) const;
  time::Nanoseconds time_of(PitTick tick) const;

  void reset();

  struct State {
    PitTick edge_at = I8254Counter::kNoTick;  // channel 0's next edge that the line has not shown
    bool rising = false;                      // which edge
    bool irq = false;                         // level of the line
  };

  const State& state() const { return state_; }
  State& state() { return state_; }
  I8254Counter& counter(unsigned channel) { return counters_[channel]; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.edge_at);
    v(state_.rising);
    v(state_.irq);
    for (I8254Counter& counter : counters_) counter.visit_state(v);
  }

 private:
  void write_control_word(std::uint8_t value, PitTick now);
  void read_back(std::uint8_t value, PitTick now);
  void show_due_edge(PitTick now);
  void show_edge();
  void channel0_changed(PitTick now);
  void schedule_edge(PitTick from);
  void set_irq(bool level);

  bus::IrqLine irq0_;
  time::GuestClock* clock_;
  std::int64_t hz_;
  std::array<I8254Counter, 3> counters_;
  State state_;
};

/// System control port B of the PC/AT (port 0x61). Bits: 0 gate of channel 2, 1 speaker data, 2-3 parity and channel check enable (stored),
/// 4 refresh toggle, 5 OUT of channel 2, 6-7 errors (never).
class SystemControlPort final : public bus::PortDevice {
 public:
  SystemControlPort(I8254& pit, time::GuestClock& clock) : pit_{&pit}, clock_{&clock} { reset(); }

  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;

  /// Call after the timer's reset: closes channel 2's gate.
  void reset();

  struct State {
    std::uint8_t control = 0;  // bits 0-3
  };

  const State& state() const { return state_; }
  State& state() { return state_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.control);
  }

 private:
  I8254* pit_;
  time::GuestClock* clock_;
  State state_;
};

}  // namespace tuxarium::devices
