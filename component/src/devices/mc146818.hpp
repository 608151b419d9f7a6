// Motorola MC146818 real-time clock with 128 bytes of CMOS RAM, as in the PC/AT.
//
// Source: Motorola MC146818A data sheet, sections "Time, calendar and alarm locations", "Interrupts", "Registers A-D"; the use of the RAM
// bytes follows the IBM PC/AT Technical Reference, "CMOS RAM".
// Modelled: time and calendar in BCD or binary, 12 or 24 hours, century byte, update-in-progress, SET, divider reset, alarm with
// don't-care codes, periodic, alarm and update-ended interrupts. The clock runs in guest time.
// Not modelled: daylight saving (DSE is stored), square wave output, NMI mask (bit 7 of the index port is ignored).
#pragma once

#include <array>
#include <cstdint>

#include "bus/irq_line.hpp"
#include "bus/port_device.hpp"
#include "time/guest_clock.hpp"

namespace tuxarium::devices {

/// Port offsets: 0 index (write only), 1 data.
class Mc146818 final : public bus::PortDevice {
 public:
  struct Setup {
    std::int64_t unix_time = 0;     ///< UTC seconds since 1970 at guest time 0; shown as years 0 to 9999
    time::Nanoseconds phase = 0;    ///< how far into that second guest time 0 is, 0 to 999'999'999
    std::uint64_t ram_bytes = 0;    ///< told in the memory size bytes
    std::uint8_t equipment = 0x02;  ///< byte 0x14
  };

  Mc146818(bus::IrqLine irq, time::GuestClock& clock, const Setup& setup);

  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;

  /// The deadline of EventSlot::rtc has come.
  void on_event();

  /// Everything as at power-on, with the time of the setup at the clock's present moment.
  void reset();

  /// The same with another time: what a battery-backed clock shows when guest time starts again.
  void reset(std::int64_t unix_time);

  /// The calendar's time now, read as UTC.
  std::int64_t unix_time();

  struct State {
    std::array<std::uint8_t, 128> bytes{};      // as the guest sees them; bytes 0-9 and 0x32 as of second `second`
    time::Nanoseconds origin = 0;               // a moment at which a second begins
    std::int64_t second = 0;                    // seconds since `origin` that the calendar has seen
    std::int64_t period = 0;                    // periods of the periodic rate since `origin` that have been seen
    time::Nanoseconds event_at = time::kNever;  // what EventSlot::rtc is set to
    std::uint8_t index = 0;
  };

  const State& state() const { return state_; }
  State& state() { return state_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.bytes);
    v(state_.origin);
    v(state_.second);
    v(state_.period);
    v(state_.event_at);
    v(state_.index);
  }

 private:
  struct DateTime {
    std::int64_t days = 0;  // since 1970-01-01
    std::int64_t second_of_day = 0;
  };

  std::uint8_t read_register(std::uint8_t index);
  void write_register(std::uint8_t index, std::uint8_t value);
  void write_a(std::uint8_t value);
  void write_b(std::uint8_t value);
  std::uint8_t take_flags();
  std::uint8_t raised() const;  // enabled flags of register C

  time::Nanoseconds present();
  bool running() const;       // the divider chain counts
  bool updating() const;      // running and not SET
  std::int64_t rate() const;  // Hz of the periodic interrupt, 0 = none
  std::int64_t seconds_at(time::Nanoseconds now) const;
  std::int64_t periods_at(time::Nanoseconds now) const;
  time::Nanoseconds time_of_period(std::int64_t period) const;
  bool update_in_progress(time::Nanoseconds now) const;
  void settle(time::Nanoseconds now);  // brings calendar, flags and interrupt line to `now`
  void pass_seconds(std::int64_t seconds);
  std::int64_t seconds_to_alarm() const;  // from the calendar's time, at least 1; 0 = never
  void schedule();

  unsigned decode(std::uint8_t value) const;
  std::uint8_t encode(unsigned value) const;
  unsigned decode_hour(std::uint8_t value) const;
  std::uint8_t encode_hour(unsigned hour) const;
  DateTime calendar() const;
  void set_calendar(const DateTime& value);
  void fill_ram();

  bus::IrqLine irq_;
  time::GuestClock* clock_;
  Setup setup_;
  State state_;
};

}  // namespace tuxarium::devices
