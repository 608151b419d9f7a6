// Against the Intel 8254 data sheet. One tick is one input clock.
#include <doctest/doctest.h>

#include <array>
#include <random>

#include "devices/i8254.hpp"
#include "unit/devices/pins.hpp"
#include "unit/time/fake_time.hpp"

using namespace tuxarium;
using devices::I8254;
using devices::PitTick;

namespace {

constexpr std::int64_t kHz = 1'193'182;

struct Pit {
  void write(std::uint16_t offset, unsigned value) { pit.io_write(offset, 1, value); }
  unsigned read(std::uint16_t offset) { return pit.io_read(offset, 1); }
  unsigned read16(unsigned number) {
    const auto channel = static_cast<std::uint16_t>(number);
    const unsigned low = read(channel);
    return low | read(channel) << 8;
  }
  unsigned latched(std::uint16_t channel) {
    write(3, unsigned{channel} << 6);
    return read16(channel);
  }
  unsigned status(std::uint16_t channel) {
    write(3, 0xe0u | 2u << channel);
    return read(channel);
  }
  /// Control word (both bytes unless told), then the count.
  void program(std::uint16_t channel, unsigned mode, unsigned count, unsigned bcd = 0) {
    write(3, unsigned{channel} << 6 | 0x30u | mode << 1 | bcd);
    write(channel, count & 0xff);
    write(channel, count >> 8);
  }
  PitTick tick() { return pit.ticks_at(t.base.value); }
  /// Moves to the beginning of a tick, with the events on the way.
  void to(PitTick wanted) {
    t.base.value = pit.time_of(wanted);
    while (t.clock.take_due()) pit.on_event();
  }
  void pass(PitTick ticks) { to(tick() + ticks); }

  test::FakeClock t;
  test::IrqProbe irq;
  I8254 pit{irq.line(), t.clock, kHz};
};

}  // namespace

TEST_CASE("8254: ticks and times agree exactly, also after a century") {
  Pit p;
  std::mt19937_64 random{5};
  for (int i = 0; i < 1000; ++i) {
    const auto tick = static_cast<PitTick>(random() % (std::uint64_t{kHz} * 86'400 * 36'525));
    const time::Nanoseconds at = p.pit.time_of(tick);
    REQUIRE(p.pit.ticks_at(at) == tick);
    REQUIRE(p.pit.ticks_at(at - (at > 0 ? 1 : 0)) == (tick > 0 ? tick - 1 : 0));
  }
}

TEST_CASE("8254 mode 0: OUT falls with the control word and rises N + 1 clocks after the count") {
  Pit p;
  p.program(0, 0, 10);
  CHECK(p.status(0) == 0x70);  // OUT low, null count
  p.pass(1);
  CHECK(p.status(0) == 0x30);
  CHECK(p.latched(0) == 10);
  p.pass(9);
  CHECK_FALSE(p.pit.out(0));
  CHECK(p.latched(0) == 1);
  CHECK(p.irq.rises == 0);
  p.pass(1);
  CHECK(p.pit.out(0));
  CHECK(p.irq.rises == 1);
  p.pass(1);
  CHECK(p.latched(0) == 0xffff);  // it goes on counting
  p.pass(200'000);
  CHECK(p.irq.rises == 1);
}

TEST_CASE("8254 mode 0: the first byte of a new count stops the counter, the second loads") {
  Pit p;
  p.program(2, 0, 1000);
  p.pass(11);
  CHECK(p.latched(2) == 990);
  p.write(2, 0x20);
  p.pass(500);
  CHECK(p.latched(2) == 990);
  p.write(2, 0);
  p.pass(1);
  CHECK(p.latched(2) == 0x20);
  p.pass(0x20);
  CHECK(p.pit.out(2));
  p.write(3, 0x90);  // low byte only
  p.write(2, 5);
  CHECK_FALSE(p.pit.out(2));
  p.pass(6);
  CHECK(p.pit.out(2));
  p.write(2, 5);
  CHECK_FALSE(p.pit.out(2));
}

TEST_CASE("8254 mode 0: the gate suspends counting and leaves OUT alone") {
  Pit p;
  p.program(2, 0, 100);
  p.pass(11);
  p.pit.set_gate(2, false);
  p.pass(1000);
  CHECK(p.latched(2) == 90);
  p.pit.set_gate(2, true);
  p.pass(89);
  CHECK_FALSE(p.pit.out(2));
  p.pass(1);
  CHECK(p.pit.out(2));
}

TEST_CASE("8254 mode 1: a rising gate starts a low pulse of N clocks, again and again") {
  Pit p;
  p.pit.set_gate(2, false);
  p.program(2, 1, 4);
  p.pass(10);
  CHECK(p.pit.out(2));
  p.pit.set_gate(2, true);
  CHECK(p.pit.out(2));
  p.pass(1);
  CHECK_FALSE(p.pit.out(2));
  CHECK(p.latched(2) == 4);
  p.pass(3);
  CHECK_FALSE(p.pit.out(2));
  p.pit.set_gate(2, false);
  p.pit.set_gate(2, true);  // once more before the end
  p.pass(4);
  CHECK_FALSE(p.pit.out(2));
  p.pass(1);
  CHECK(p.pit.out(2));
}

TEST_CASE("8254 mode 2: OUT is low in the last clock of each period") {
  Pit p;
  p.program(0, 2, 3);
  CHECK(p.pit.out(0));
  const PitTick start = p.tick() + 1;
  for (PitTick k = 0; k < 12; ++k) {
    p.to(start + k);
    REQUIRE(p.latched(0) == static_cast<unsigned>(3 - k % 3));
    REQUIRE(p.pit.out(0) == (k % 3 != 2));
  }
}

TEST_CASE("8254 mode 2: a new count is loaded at the end of the period") {
  Pit p;
  p.program(2, 2, 10);
  p.pass(4);
  p.write(2, 20);
  CHECK(p.status(2) == 0xb4);
  p.write(2, 0);
  CHECK(p.status(2) == 0xf4);
  CHECK(p.latched(2) == 7);
  p.pass(6);
  CHECK_FALSE(p.pit.out(2));
  CHECK(p.latched(2) == 1);
  p.pass(1);
  CHECK(p.latched(2) == 20);
  CHECK(p.status(2) == 0xb4);
}

TEST_CASE("8254 mode 2: a low gate holds OUT high, a rising one begins the period anew") {
  Pit p;
  p.program(2, 2, 5);
  p.pass(5);
  CHECK_FALSE(p.pit.out(2));
  p.pit.set_gate(2, false);
  CHECK(p.pit.out(2));
  p.pass(100);
  CHECK(p.latched(2) == 1);
  p.pit.set_gate(2, true);
  CHECK(p.pit.out(2));
  p.pass(1);
  CHECK(p.latched(2) == 5);
  p.pass(4);
  CHECK_FALSE(p.pit.out(2));
}

TEST_CASE("8254 mode 3: even and odd counts, by twos") {
  Pit p;
  p.program(2, 3, 6);
  PitTick start = p.tick() + 1;
  const unsigned even[] = {6, 4, 2, 6, 4, 2};
  for (PitTick k = 0; k < 12; ++k) {
    p.to(start + k);
    REQUIRE(p.latched(2) == even[k % 6]);
    REQUIRE(p.pit.out(2) == (k % 6 < 3));
  }
  p.program(2, 3, 5);
  start = p.tick() + 1;
  const unsigned odd[] = {4, 2, 0, 4, 2};
  for (PitTick k = 0; k < 10; ++k) {
    p.to(start + k);
    REQUIRE(p.latched(2) == odd[k % 5]);
    REQUIRE(p.pit.out(2) == (k % 5 < 3));
  }
}

TEST_CASE("8254 mode 3: a new count is loaded at the end of the half period") {
  Pit p;
  p.program(2, 3, 10);
  p.pass(2);
  p.write(2, 4);
  p.write(2, 0);
  p.pass(3);
  CHECK(p.pit.out(2));
  p.pass(1);
  CHECK_FALSE(p.pit.out(2));
  CHECK(p.latched(2) == 4);
  p.pass(1);
  CHECK_FALSE(p.pit.out(2));
  p.pass(1);
  CHECK(p.pit.out(2));
}

TEST_CASE("8254 modes 4 and 5: one low clock N clocks after the load") {
  Pit p;
  p.program(2, 4, 3);
  for (int k = 1; k <= 6; ++k) {
    p.pass(1);
    REQUIRE(p.pit.out(2) == (k != 4));
  }
  p.pit.set_gate(2, false);
  p.program(2, 5, 3);
  p.pass(20);
  CHECK(p.pit.out(2));
  p.pit.set_gate(2, true);
  for (int k = 1; k <= 6; ++k) {
    p.pass(1);
    REQUIRE(p.pit.out(2) == (k != 4));
  }
}

TEST_CASE("8254: BCD counts from 9999, and 0 is the greatest count in both number systems") {
  Pit p;
  p.program(2, 0, 0x0100, 1);
  p.pass(2);
  CHECK(p.latched(2) == 0x0099);
  p.pass(100);
  CHECK(p.latched(2) == 0x9999);
  p.program(2, 2, 0, 1);
  p.pass(1);
  CHECK(p.latched(2) == 0);
  p.pass(1);
  CHECK(p.latched(2) == 0x9999);
  p.program(2, 2, 0);
  p.pass(2);
  CHECK(p.latched(2) == 0xffff);
  p.pass(65'535);
  CHECK(p.latched(2) == 0);
}

TEST_CASE("8254: access formats") {
  Pit p;
  p.write(3, 0x94);  // channel 2, low byte, mode 2
  p.write(2, 0x40);
  p.pass(1);
  CHECK(p.read(2) == 0x40);
  CHECK(p.read(2) == 0x40);
  p.write(3, 0xa4);  // high byte
  p.write(2, 0x12);
  p.pass(1);
  CHECK(p.read(2) == 0x12);
  p.pass(1);
  CHECK(p.read(2) == 0x11);
  CHECK(p.read(3) == 0xff);
}

TEST_CASE("8254: a latched count stays until it is read, and a second latch is ignored") {
  Pit p;
  p.program(2, 2, 1000);
  p.pass(11);
  p.write(3, 0x80);
  p.pass(50);
  p.write(3, 0x80);
  CHECK(p.read16(2) == 990);
  CHECK(p.read16(2) == 940);
}

TEST_CASE("8254: read-back latches status before count, for several counters at once") {
  Pit p;
  p.program(0, 2, 1000);
  p.program(2, 3, 500);
  p.pass(1);
  p.write(3, 0xca);  // status and count of 0 and 2
  p.pass(99);
  CHECK(p.read(0) == 0xb4);
  CHECK(p.read16(0) == 1000);
  CHECK(p.read(2) == 0xb6);
  CHECK(p.read16(2) == 500);
  CHECK(p.read16(0) == 901);
  p.program(0, 7, 100);  // the highest mode bit of modes 2 and 3 is read back as written
  p.pass(1);
  CHECK(p.status(0) == 0xbe);
}

TEST_CASE("8254 channel 0: exactly one edge a period and no drift over an hour at 100 Hz") {
  Pit p;
  p.program(0, 2, 11'932);
  const PitTick start = p.tick() + 1;
  const int rises = p.irq.rises;
  p.t.base.value = 3600ll * 1'000'000'000;
  PitTick edges = 0;
  while (p.t.clock.take_due()) {
    p.pit.on_event();
    ++edges;
  }
  CHECK(edges == (p.tick() - start) / 11'932);
  CHECK(p.irq.rises - rises == edges);
  CHECK(p.pit.ticks_at(p.t.clock.next_deadline()) == start + (edges + 1) * 11'932);
}

TEST_CASE("8254 channel 0: mode 3 has one rising edge a period") {
  Pit p;
  p.program(0, 3, 1000);
  const int rises = p.irq.rises;
  p.pass(1 + 25'000);
  CHECK(p.irq.rises - rises == 25);
  p.program(0, 0, 100);  // one shot ends the periodic interrupts
  p.pass(50'000);
  CHECK(p.irq.rises - rises == 26);
  CHECK(p.t.clock.next_deadline() == time::kNever);
}

TEST_CASE("8254 channel 0: an edge that is due when the guest reprograms is not lost") {
  Pit p;
  p.program(0, 2, 1000);
  const int rises = p.irq.rises;
  p.t.base.value = p.pit.time_of(p.tick() + 1001);
  p.write(3, 0x34);  // before the machine has taken the event
  CHECK(p.irq.rises - rises == 1);
}

TEST_CASE("8254: the illegal count of 1 makes no events") {
  Pit p;
  p.program(0, 2, 1);
  p.pass(1000);
  CHECK(p.pit.out(0));
  CHECK(p.t.clock.next_deadline() == time::kNever);
}

TEST_CASE("8254 counters: next edges agree with OUT sampled at each clock") {
  constexpr unsigned kSeed = 11;
  INFO("seed " << kSeed);
  std::mt19937 random{kSeed};
  for (int round = 0; round < 300; ++round) {
    devices::I8254Counter counter;
    PitTick now = 0;
    counter.write_control(static_cast<std::uint8_t>(0x10 | random() % 8 << 1), now);
    for (int step = 0; step < 30; ++step) {
      const unsigned what = random() % 4;
      if (what == 0) counter.write_count(static_cast<std::uint8_t>(2 + random() % 12), now);
      if (what == 1) counter.set_gate(random() % 2 == 0, now);
      const PitTick rise = counter.next_rise(now), fall = counter.next_fall(now);
      bool out = counter.out(now);
      for (PitTick end = now + 1 + static_cast<PitTick>(random() % 30); now < end;) {
        ++now;
        const bool next = counter.out(now);
        if (next != out) {
          REQUIRE((next ? rise : fall) <= now);
          if ((next ? rise : fall) < now) break;  // a later edge than the first of its kind
        } else {
          REQUIRE(rise != now);
          REQUIRE(fall != now);
        }
        out = next;
      }
    }
  }
}

TEST_CASE("port 0x61: gate and OUT of channel 2, stored bits, refresh toggle") {
  Pit p;
  devices::SystemControlPort port{p.pit, p.t.clock};
  CHECK_FALSE(p.pit.gate(2));
  port.io_write(0, 1, 0xff);
  CHECK((port.io_read(0, 1) & 0xcf) == 0x0f);
  CHECK(p.pit.gate(2));
  port.io_write(0, 1, 0x01);
  p.program(2, 0, 50);
  CHECK((port.io_read(0, 1) & 0x2f) == 0x01);
  p.pass(51);
  CHECK((port.io_read(0, 1) & 0x2f) == 0x21);
  int toggles = 0;
  unsigned last = port.io_read(0, 1) & 0x10;
  for (int i = 0; i < 1800; ++i) {
    p.pass(1);
    const unsigned refresh = port.io_read(0, 1) & 0x10;
    if (refresh != last) ++toggles;
    last = refresh;
  }
  CHECK(toggles == 100);
}

TEST_CASE("8254: reset lowers the line and forgets the event") {
  Pit p;
  p.program(0, 2, 1000);
  CHECK(p.irq.level);
  p.pit.reset();
  CHECK_FALSE(p.irq.level);
  CHECK(p.t.clock.next_deadline() == time::kNever);
}

namespace {

/// Time that passes while it is looked at, in steps of any size: the host may take the processor away at any moment.
struct RestlessTime final : time::TimeBase {
  time::Nanoseconds elapsed() override { return value += static_cast<time::Nanoseconds>(random() % step); }
  std::mt19937_64 random;
  std::uint64_t step = 1;
  time::Nanoseconds value = 0;
};

}  // namespace

TEST_CASE("8254: no edge is lost when time passes between the steps of a write") {
  constexpr std::array<std::uint64_t, 6> kSteps{50, 200, 839, 2'000, 20'000, 1'000'000};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    RestlessTime base;
    base.random.seed(seed);
    time::GuestClock clock{base};
    test::IrqProbe irq;
    I8254 pit{irq.line(), clock, kHz};
    pit.io_write(3, 1, 0x38);  // mode 4, as Linux has it for a single tick
    for (int i = 0; i < 1000; ++i) {
      base.step = kSteps[base.random() % kSteps.size()];
      const auto count = static_cast<unsigned>(15 + base.random() % 200);
      pit.io_write(0, 1, count & 0xff);
      pit.io_write(0, 1, count >> 8);
      const bool again_before_the_end = base.random() % 4 == 0;
      if (again_before_the_end) continue;
      for (const int before = irq.rises; irq.rises == before;) {
        REQUIRE(clock.next_deadline() != time::kNever);
        while (clock.take_due()) pit.on_event();
      }
    }
  }
}
