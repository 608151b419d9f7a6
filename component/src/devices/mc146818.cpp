#include "devices/mc146818.hpp"

#include <algorithm>
#include <chrono>

namespace tuxarium::devices {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr time::Nanoseconds kUpdateWarning = 244'000;  // UIP rises this long before the update

constexpr std::uint8_t kSeconds = 0, kSecondsAlarm = 1, kMinutes = 2, kMinutesAlarm = 3, kHours = 4, kHoursAlarm = 5;
constexpr std::uint8_t kWeekday = 6, kDay = 7, kMonth = 8, kYear = 9, kCentury = 0x32;
constexpr std::uint8_t kA = 10, kB = 11, kC = 12, kD = 13;

constexpr std::uint8_t kUip = 0x80;                                                // register A
constexpr std::uint8_t kSet = 0x80, kUie = 0x10, kBinary = 0x04, k24Hours = 0x02;  // register B
constexpr std::uint8_t kIrqf = 0x80, kPf = 0x40, kAf = 0x20, kUf = 0x10;           // register C
constexpr std::uint8_t kVrt = 0x80;                                                // register D

/// floor(ns * hz / 1 s) without overflow, for ns >= 0.
std::int64_t clocks_in(time::Nanoseconds ns, std::int64_t hz) { return ns / kSecond * hz + ns % kSecond * hz / kSecond; }

}  // namespace

Mc146818::Mc146818(bus::IrqLine irq, time::GuestClock& clock, const Setup& setup) : irq_{irq}, clock_{&clock}, setup_{setup} { reset(); }

void Mc146818::reset() { reset(setup_.unix_time); }

void Mc146818::reset(std::int64_t unix_time) {
  constexpr std::int64_t kYear0 = -62'167'219'200, kEndOfYear9999 = 253'402'300'799;
  const std::int64_t clamped = std::clamp(unix_time, kYear0, kEndOfYear9999);
  state_ = State{};
  state_.origin = clock_->now() - setup_.phase;
  state_.bytes[kA] = 0x26;
  state_.bytes[kB] = k24Hours;
  state_.bytes[kD] = kVrt;
  fill_ram();
  const std::int64_t second_of_day = ((clamped % kSecondsPerDay) + kSecondsPerDay) % kSecondsPerDay;
  const std::int64_t days = (clamped - second_of_day) / kSecondsPerDay;
  set_calendar({.days = days, .second_of_day = second_of_day});
  state_.bytes[kWeekday] = static_cast<std::uint8_t>(((days + 4) % 7 + 7) % 7 + 1);  // 1 = Sunday; 1970-01-01 was a Thursday
  irq_.set(false);
  schedule();
}

void Mc146818::fill_ram() {
  const auto put = [&](std::uint8_t index, std::uint64_t value) {
    const auto word = static_cast<std::uint16_t>(std::min<std::uint64_t>(value, 0xffff));
    state_.bytes[index] = static_cast<std::uint8_t>(word & 0xff);
    state_.bytes[index + 1u] = static_cast<std::uint8_t>(word >> 8);
  };
  constexpr std::uint64_t kKiB = 1024, kMiB = 1024 * kKiB;
  const std::uint64_t ram = setup_.ram_bytes;
  state_.bytes[0x14] = setup_.equipment;
  put(0x15, std::min<std::uint64_t>(ram / kKiB, 640));  // base memory, KiB
  const std::uint64_t extended = ram > kMiB ? (ram - kMiB) / kKiB : 0;
  put(0x17, extended);                                               // above 1 MiB, KiB: as set up
  put(0x30, extended);                                               // and as found
  put(0x34, ram > 16 * kMiB ? (ram - 16 * kMiB) / (64 * kKiB) : 0);  // above 16 MiB, 64 KiB
  unsigned sum = 0;
  for (std::size_t i = 0x10; i <= 0x2d; ++i) sum += state_.bytes[i];
  state_.bytes[0x2e] = static_cast<std::uint8_t>(sum >> 8);
  state_.bytes[0x2f] = static_cast<std::uint8_t>(sum & 0xff);
}

std::uint32_t Mc146818::io_read(std::uint16_t offset, unsigned) { return offset == 1 ? read_register(state_.index) : 0xff; }

void Mc146818::io_write(std::uint16_t offset, unsigned, std::uint32_t value) {
  if (offset == 0) {
    state_.index = value & 0x7f;
  } else if (offset == 1) {
    write_register(state_.index, static_cast<std::uint8_t>(value));
  }
}

std::uint8_t Mc146818::read_register(std::uint8_t index) {
  if (index > kD && index != kCentury) return state_.bytes[index];
  settle(present());
  if (index == kA) return static_cast<std::uint8_t>(state_.bytes[kA] | (update_in_progress(clock_->now()) ? kUip : 0));
  if (index == kC) return take_flags();
  return state_.bytes[index];
}

std::uint8_t Mc146818::take_flags() {
  const std::uint8_t flags = state_.bytes[kC];
  const bool request = raised() != 0;
  state_.bytes[kC] = 0;
  irq_.set(false);
  schedule();
  return static_cast<std::uint8_t>(flags | (request ? kIrqf : 0));
}

void Mc146818::write_register(std::uint8_t index, std::uint8_t value) {
  if (index > kD && index != kCentury) {
    state_.bytes[index] = value;
    return;
  }
  settle(present());
  if (index == kA) {
    write_a(value);
  } else if (index == kB) {
    write_b(value);
  } else if (index == kSeconds) {
    state_.bytes[index] = value & 0x7f;  // bit 7 is read only
  } else if (index != kC && index != kD) {
    state_.bytes[index] = value;
  }
  irq_.set(raised() != 0);
  schedule();
}

void Mc146818::write_a(std::uint8_t value) {
  const bool was_running = running();
  state_.bytes[kA] = static_cast<std::uint8_t>(value & ~kUip);
  const time::Nanoseconds now = clock_->now();
  if (!was_running && running()) {
    state_.origin = now - kSecond / 2;  // the first update comes half a second after the divider is released
    state_.second = 0;
  }
  state_.period = periods_at(now);
}

void Mc146818::write_b(std::uint8_t value) {
  if ((value & kSet) != 0) value = static_cast<std::uint8_t>(value & ~kUie);
  state_.bytes[kB] = value;
}

std::uint8_t Mc146818::raised() const { return state_.bytes[kC] & state_.bytes[kB] & (kPf | kAf | kUf); }

/// The moment of a guest's access. Time stands at an event until it is taken: before that, it has not happened.
time::Nanoseconds Mc146818::present() { return std::min(clock_->now(), state_.event_at - 1); }

bool Mc146818::running() const { return (state_.bytes[kA] & 0x70) == 0x20; }

bool Mc146818::updating() const { return running() && (state_.bytes[kB] & kSet) == 0; }

std::int64_t Mc146818::rate() const {
  const unsigned select = state_.bytes[kA] & 15u;
  if (select == 0) return 0;
  return 32'768 >> ((select <= 2 ? select + 7 : select) - 1);
}

std::int64_t Mc146818::seconds_at(time::Nanoseconds now) const { return (now - state_.origin) / kSecond; }

std::int64_t Mc146818::periods_at(time::Nanoseconds now) const { return clocks_in(now - state_.origin, rate()); }

time::Nanoseconds Mc146818::time_of_period(std::int64_t period) const {
  const std::int64_t hz = rate();
  return state_.origin + period / hz * kSecond + (period % hz * kSecond + hz - 1) / hz;
}

bool Mc146818::update_in_progress(time::Nanoseconds now) const {
  return updating() && (now - state_.origin) % kSecond >= kSecond - kUpdateWarning;
}

void Mc146818::settle(time::Nanoseconds now) {
  if (!running()) return;
  const std::uint8_t flags_before = state_.bytes[kC];
  const std::int64_t second = seconds_at(now);
  if (second > state_.second) {
    const std::int64_t passed = second - state_.second;
    state_.second = second;
    if (updating()) pass_seconds(passed);
  }
  const std::int64_t period = periods_at(now);
  if (period > state_.period) {
    state_.period = period;
    state_.bytes[kC] |= kPf;
  }
  if (state_.bytes[kC] != flags_before) irq_.set(raised() != 0);
}

void Mc146818::pass_seconds(std::int64_t seconds) {
  const std::int64_t alarm = seconds_to_alarm();
  if (alarm != 0 && alarm <= seconds) state_.bytes[kC] |= kAf;
  state_.bytes[kC] |= kUf;

  DateTime value = calendar();
  value.second_of_day += seconds;
  const std::int64_t days = value.second_of_day / kSecondsPerDay;
  value.days += days;
  value.second_of_day %= kSecondsPerDay;
  set_calendar(value);
  if (days != 0) state_.bytes[kWeekday] = static_cast<std::uint8_t>((state_.bytes[kWeekday] + 6 + days) % 7 + 1);
}

std::int64_t Mc146818::seconds_to_alarm() const {
  const auto matches = [&](std::uint8_t alarm, unsigned decoded, std::int64_t value) {
    return (state_.bytes[alarm] & 0xc0) == 0xc0 || decoded == value;
  };
  const unsigned hour_alarm = decode_hour(state_.bytes[kHoursAlarm]);
  const unsigned minute_alarm = decode(state_.bytes[kMinutesAlarm]);
  const unsigned second_alarm = decode(state_.bytes[kSecondsAlarm]);
  const std::int64_t now = calendar().second_of_day;
  const std::int64_t first = now + 1;
  const std::int64_t first_hour = first / 3600, first_minute = first / 60;
  for (std::int64_t hour = first_hour; hour <= first_hour + 24; ++hour) {
    if (!matches(kHoursAlarm, hour_alarm, hour % 24)) continue;
    for (std::int64_t minute = std::max(hour * 60, first_minute); minute < (hour + 1) * 60; ++minute) {
      if (!matches(kMinutesAlarm, minute_alarm, minute % 60)) continue;
      for (std::int64_t second = std::max(minute * 60, first); second < (minute + 1) * 60; ++second) {
        if (matches(kSecondsAlarm, second_alarm, second % 60)) return second - now;
      }
    }
  }
  return 0;
}

void Mc146818::schedule() {
  time::Nanoseconds at = time::kNever;
  const auto waits_for = [&](std::uint8_t flag) { return (state_.bytes[kB] & flag) != 0 && (state_.bytes[kC] & flag) == 0; };
  if (running()) {
    // Each period is an event, also while the flag is set: a guest that catches up then sees time stop at every one.
    if ((state_.bytes[kB] & kPf) != 0 && rate() != 0) at = std::min(at, time_of_period(state_.period + 1));
    if (updating() && waits_for(kUf)) at = std::min(at, state_.origin + (state_.second + 1) * kSecond);
    const std::int64_t alarm = updating() && waits_for(kAf) ? seconds_to_alarm() : 0;
    if (alarm != 0) at = std::min(at, state_.origin + (state_.second + alarm) * kSecond);
  }
  state_.event_at = at;
  clock_->schedule(time::EventSlot::rtc, at);
}

// The clock is not asked for the time before the next event is scheduled: while the guest catches up, it would run ahead of that event.
void Mc146818::on_event() {
  if (state_.event_at != time::kNever) settle(state_.event_at);
  schedule();
}

std::int64_t Mc146818::unix_time() {
  settle(present());
  const DateTime value = calendar();
  return value.days * kSecondsPerDay + value.second_of_day;
}

unsigned Mc146818::decode(std::uint8_t value) const {
  return (state_.bytes[kB] & kBinary) != 0 ? value : (value >> 4) * 10u + (value & 15u);
}

std::uint8_t Mc146818::encode(unsigned value) const {
  return static_cast<std::uint8_t>((state_.bytes[kB] & kBinary) != 0 ? value : (value / 10 % 10) << 4 | value % 10);
}

unsigned Mc146818::decode_hour(std::uint8_t value) const {
  if ((state_.bytes[kB] & k24Hours) != 0) return decode(value);
  return decode(value & 0x7f) % 12 + ((value & 0x80) != 0 ? 12u : 0u);
}

std::uint8_t Mc146818::encode_hour(unsigned hour) const {
  if ((state_.bytes[kB] & k24Hours) != 0) return encode(hour);
  const unsigned twelve = hour % 12 == 0 ? 12 : hour % 12;
  return static_cast<std::uint8_t>(encode(twelve) | (hour >= 12 ? 0x80 : 0));
}

/// The registers as a date. Values out of their range carry over into the next field.
Mc146818::DateTime Mc146818::calendar() const {
  const auto& bytes = state_.bytes;
  const unsigned century = decode(bytes[kCentury]);
  const unsigned months = std::max(decode(bytes[kMonth]), 1u) - 1;
  const auto year = static_cast<int>((century < 100 ? century : 20) * 100 + decode(bytes[kYear]) + months / 12);
  const std::chrono::sys_days first_of_month{std::chrono::year{year} / static_cast<int>(months % 12 + 1) / 1};
  DateTime result;
  result.days = first_of_month.time_since_epoch().count() + std::int64_t{decode(bytes[kDay])} - 1;
  result.second_of_day = std::int64_t{decode_hour(bytes[kHours])} * 3600 + decode(bytes[kMinutes]) * 60 + decode(bytes[kSeconds]);
  result.days += result.second_of_day / kSecondsPerDay;
  result.second_of_day %= kSecondsPerDay;
  return result;
}

/// Sets all but the day of the week.
void Mc146818::set_calendar(const DateTime& value) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{value.days}}};
  const int year = ((static_cast<int>(date.year()) % 10'000) + 10'000) % 10'000;
  const auto second = static_cast<unsigned>(value.second_of_day);
  state_.bytes[kSeconds] = encode(second % 60);
  state_.bytes[kMinutes] = encode(second / 60 % 60);
  state_.bytes[kHours] = encode_hour(second / 3600);
  state_.bytes[kDay] = encode(static_cast<unsigned>(date.day()));
  state_.bytes[kMonth] = encode(static_cast<unsigned>(date.month()));
  state_.bytes[kYear] = encode(static_cast<unsigned>(year % 100));
  state_.bytes[kCentury] = encode(static_cast<unsigned>(year / 100));
}

}  // namespace tuxarium::devices
