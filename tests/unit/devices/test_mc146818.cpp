// Against the Motorola MC146818A data sheet.
#include <doctest/doctest.h>

#include "devices/mc146818.hpp"
#include "unit/devices/pins.hpp"
#include "unit/time/fake_time.hpp"

using namespace tuxarium;
using devices::Mc146818;

namespace {

constexpr time::Nanoseconds kSecond = 1'000'000'000, kMillisecond = 1'000'000;
constexpr std::int64_t kStart = 1'593'604'800;  // Wednesday 2020-07-01 12:00:00 UTC

struct Rtc {
  explicit Rtc(std::int64_t unix_time = kStart, time::Nanoseconds phase = 0, std::uint64_t ram = 16u << 20)
      : rtc{irq.line(), t.clock, {.unix_time = unix_time, .phase = phase, .ram_bytes = ram}} {}
  unsigned read(unsigned index) {
    rtc.io_write(0, 1, index);
    return rtc.io_read(1, 1);
  }
  void write(unsigned index, unsigned value) {
    rtc.io_write(0, 1, index);
    rtc.io_write(1, 1, value);
  }
  /// Hours, minutes, seconds as the registers show them, in one number.
  unsigned clock() { return read(4) << 16 | read(2) << 8 | read(0); }
  unsigned date() { return read(0x32) << 24 | read(9) << 16 | read(8) << 8 | read(7); }
  int pass(time::Nanoseconds span) {
    int events = 0;
    for (t.base.value += span; t.clock.take_due(); ++events) rtc.on_event();
    return events;
  }

  test::FakeClock t;
  test::IrqProbe irq;
  Mc146818 rtc;
};

}  // namespace

TEST_CASE("MC146818: power-on shows the start time in BCD, 24 hours, and a valid RAM") {
  Rtc r;
  CHECK(r.clock() == 0x120000);
  CHECK(r.date() == 0x20200701);
  CHECK(r.read(6) == 4);  // Wednesday
  CHECK(r.read(0x0a) == 0x26);
  CHECK(r.read(0x0b) == 0x02);
  CHECK(r.read(0x0c) == 0x00);
  CHECK(r.read(0x0d) == 0x80);
  CHECK(r.rtc.io_read(0, 1) == 0xff);
  CHECK(r.t.clock.next_deadline() == time::kNever);
}

TEST_CASE("MC146818: the memory bytes follow the RAM size") {
  Rtc r{kStart, 0, 64u << 20};
  CHECK((r.read(0x15) | r.read(0x16) << 8) == 640);
  CHECK((r.read(0x17) | r.read(0x18) << 8) == 63 * 1024);
  CHECK((r.read(0x30) | r.read(0x31) << 8) == 63 * 1024);
  CHECK((r.read(0x34) | r.read(0x35) << 8) == 48 * 16);
  CHECK(r.read(0x14) == 0x02);
  Rtc large{kStart, 0, 3ull << 30};
  CHECK((large.read(0x17) | large.read(0x18) << 8) == 0xffff);
  CHECK((large.read(0x34) | large.read(0x35) << 8) == (3072 - 16) * 16);
  Rtc small{kStart, 0, 1u << 20};
  CHECK((small.read(0x17) | small.read(0x18) << 8) == 0);
  unsigned sum = 0;
  for (unsigned i = 0x10; i <= 0x2d; ++i) sum += r.read(i);
  CHECK((r.read(0x2e) << 8 | r.read(0x2f)) == sum);
}

TEST_CASE("MC146818: time passes with guest time, from its phase") {
  Rtc r{kStart, 400 * kMillisecond};
  r.pass(599 * kMillisecond);
  CHECK(r.read(0) == 0x00);
  r.pass(kMillisecond);
  CHECK(r.read(0) == 0x01);
  r.pass(59 * kSecond);
  CHECK(r.clock() == 0x120100);
  r.pass(12 * 3600 * kSecond);
  CHECK(r.clock() == 0x000100);
  CHECK(r.date() == 0x20200702);
  CHECK(r.read(6) == 5);
  CHECK(r.rtc.unix_time() == kStart + 60 + 12 * 3600);
}

TEST_CASE("MC146818: ends of months, leap days and centuries") {
  const auto next_day = [](std::int64_t unix_time) {
    Rtc r{unix_time};
    r.pass(86'400 * kSecond);
    return r.date();
  };
  CHECK(next_day(1'582'848'000) == 0x20200229);
  CHECK(next_day(1'582'934'400) == 0x20200301);
  CHECK(next_day(1'614'470'400) == 0x20210301);
  CHECK(next_day(946'598'400) == 0x20000101);
  CHECK(next_day(-86'400) == 0x19700101);
}

TEST_CASE("MC146818: binary and 12-hour formats") {
  Rtc r;
  r.write(0x0b, 0x86);  // SET, binary, 24 hours
  r.write(4, 23);
  r.write(2, 59);
  r.write(0, 58);
  r.write(7, 31);
  r.write(8, 12);
  r.write(9, 29);
  r.write(0x32, 20);
  r.write(0x0b, 0x06);
  r.pass(kSecond);
  CHECK(r.clock() == (23u << 16 | 59u << 8 | 59u));
  r.pass(kSecond);
  CHECK(r.clock() == 0);
  CHECK(r.date() == (20u << 24 | 30u << 16 | 1u << 8 | 1u));
  r.write(0x0b, 0x80);  // BCD, 12 hours
  r.write(4, 0x11);
  r.write(2, 0x59);
  r.write(0, 0x59);
  r.write(0x0b, 0x00);
  r.pass(kSecond);
  CHECK(r.clock() == 0x920000);
  r.pass(3600 * kSecond);
  CHECK(r.clock() == 0x810000);
  r.pass(11 * 3600 * kSecond);
  CHECK(r.clock() == 0x120000);
}

TEST_CASE("MC146818: SET stops the updates and keeps the seconds' phase") {
  Rtc r;
  r.pass(700 * kMillisecond);
  r.write(0x0b, 0x82);
  r.pass(10 * kSecond);
  CHECK(r.clock() == 0x120000);
  r.write(0, 0x30);
  r.write(0x0b, 0x02);
  CHECK(r.read(0) == 0x30);
  r.pass(299 * kMillisecond);
  CHECK(r.read(0) == 0x30);
  r.pass(kMillisecond);
  CHECK(r.read(0) == 0x31);
}

TEST_CASE("MC146818: update in progress for the last 244 microseconds, not while SET") {
  Rtc r;
  r.pass(kSecond - 244'001);
  CHECK(r.read(0x0a) == 0x26);
  r.pass(1);
  CHECK(r.read(0x0a) == 0xa6);
  CHECK(r.read(0) == 0x00);
  r.write(0x0b, 0x82);
  CHECK(r.read(0x0a) == 0x26);
  r.write(0x0b, 0x02);
  r.pass(244'000);
  CHECK(r.read(0x0a) == 0x26);
  r.write(0x0a, 0xa6);  // UIP is read only
  CHECK(r.read(0x0a) == 0x26);
}

TEST_CASE("MC146818: divider reset stops the clock, the first update comes half a second after its release") {
  Rtc r;
  r.write(0x0a, 0x76);
  r.pass(100 * kSecond);
  CHECK(r.clock() == 0x120000);
  r.write(0x0a, 0x26);
  r.pass(499 * kMillisecond);
  CHECK(r.read(0) == 0x00);
  r.pass(kMillisecond);
  CHECK(r.read(0) == 0x01);
}

TEST_CASE("MC146818: the periodic interrupt has the rate of register A and waits for register C") {
  Rtc r;
  r.write(0x0b, 0x42);  // 1024 Hz
  CHECK(r.pass(kSecond) == 1024);
  CHECK(r.irq.level);
  CHECK(r.irq.rises == 1);
  CHECK(r.read(0x0c) == (0xc0 | 0x10));
  CHECK_FALSE(r.irq.level);
  CHECK(r.read(0x0c) == 0);
  struct Rate {
    unsigned select;
    int hz;
  };
  for (const Rate rate : {Rate{1, 256}, Rate{2, 128}, Rate{3, 8192}, Rate{6, 1024}, Rate{15, 2}}) {
    CAPTURE(rate.select);
    r.write(0x0a, 0x20 | rate.select);
    r.read(0x0c);
    int interrupts = 0;
    r.t.base.value += kSecond;
    while (r.t.clock.take_due()) {
      r.rtc.on_event();
      CHECK(r.irq.level);
      if ((r.rtc.state().bytes[0x0c] & 0x40) != 0) ++interrupts;
      r.rtc.io_write(0, 1, 0x0c);
      r.rtc.io_read(1, 1);  // happens before the next period, as time stands there
    }
    CHECK(interrupts == rate.hz);
  }
  r.write(0x0a, 0x20);
  r.read(0x0c);
  CHECK(r.pass(10 * kSecond) == 0);
}

TEST_CASE("MC146818: flags are set without being enabled, enabling a set flag interrupts at once") {
  Rtc r;
  r.pass(kSecond);
  CHECK_FALSE(r.irq.level);
  r.write(0x0b, 0x12);
  CHECK(r.irq.level);
  CHECK(r.read(0x0c) == 0xd0);
}

TEST_CASE("MC146818: update-ended interrupt once a second, SET turns it off") {
  Rtc r;
  r.write(0x0b, 0x12);
  for (int i = 1; i <= 3; ++i) {
    CHECK(r.pass(kSecond) == 1);
    CHECK(r.irq.rises == i);
    CHECK((r.read(0x0c) & 0x90) == 0x90);
  }
  r.write(0x0b, 0x92);
  CHECK(r.read(0x0b) == 0x82);
  CHECK(r.pass(5 * kSecond) == 0);
}

TEST_CASE("MC146818: the alarm comes at its time, don't-care codes more often, an impossible one never") {
  Rtc r;
  r.write(5, 0x12);
  r.write(3, 0x34);
  r.write(1, 0x56);
  r.write(0x0b, 0x22);
  CHECK(r.pass((34 * 60 + 55) * kSecond) == 0);
  CHECK(r.pass(kSecond) == 1);
  CHECK(r.clock() == 0x123456);
  CHECK((r.read(0x0c) & 0xa0) == 0xa0);
  CHECK(r.pass(86'399 * kSecond) == 0);
  CHECK(r.pass(kSecond) == 1);
  r.read(0x0c);
  for (unsigned index : {1u, 3u, 5u}) r.write(index, 0xff);
  for (int i = 0; i < 5; ++i) {
    CHECK(r.pass(kSecond) == 1);
    r.read(0x0c);
  }
  r.write(1, 0x7a);
  CHECK(r.pass(86'400 * kSecond) == 0);
  CHECK(r.t.clock.next_deadline() == time::kNever);
  r.write(0x0b, 0x20);  // 12 hours: 1 pm
  r.write(5, 0x81);
  r.write(3, 0x00);
  r.write(1, 0x00);
  r.read(0x0c);
  r.pass(86'400 * kSecond);
  CHECK((r.clock() >> 16) == r.read(4));
  CHECK((r.read(0x0c) & 0x20) == 0x20);
}

TEST_CASE("MC146818: the index has no NMI bit, and RAM keeps what is written") {
  Rtc r;
  for (unsigned i = 0x0e; i < 0x80; ++i) {
    if (i != 0x32) r.write(0x80 | i, i ^ 0x5a);
  }
  for (unsigned i = 0x0e; i < 0x80; ++i) {
    if (i != 0x32) REQUIRE(r.read(i) == (i ^ 0x5a));
  }
  r.write(0x0c, 0xff);
  r.write(0x0d, 0);
  CHECK(r.read(0x0c) == 0);
  CHECK(r.read(0x0d) == 0x80);
}

TEST_CASE("MC146818: any bytes in the calendar are survived") {
  for (unsigned mode : {0x00u, 0x02u, 0x04u, 0x06u}) {
    Rtc r;
    r.write(0x0b, 0x80 | mode);
    for (unsigned i = 0; i < 10; ++i) r.write(i, 0xff);
    r.write(0x32, 0xff);
    r.write(0x0b, 0x70 | mode);
    r.pass(kSecond);
    r.read(0x0c);
    CHECK(r.read(8) != 0);
  }
}

TEST_CASE("MC146818: reset can keep a battery-backed time") {
  Rtc r;
  r.write(0x0b, 0x72);
  r.pass(100 * kSecond);
  const std::int64_t shown = r.rtc.unix_time();
  r.t.clock.reset();
  r.rtc.reset(shown);
  CHECK(r.clock() == 0x120140);
  CHECK_FALSE(r.irq.level);
  r.rtc.reset();
  CHECK(r.clock() == 0x120000);
}
