#include <doctest/doctest.h>

#include "base/state_visitor.hpp"
#include "unit/time/fake_time.hpp"

using namespace tuxarium::time;
using tuxarium::test::FakeClock;

TEST_CASE("guest time follows the base and never runs backwards") {
  FakeClock t;
  CHECK(t.clock.now() == 0);
  t.base.value = 1000;
  CHECK(t.clock.now() == 1000);
  t.base.value = 400;
  CHECK(t.clock.now() == 1000);
  t.base.value = 1001;
  CHECK(t.clock.now() == 1001);
}

TEST_CASE("time stands at a deadline until the event has been taken") {
  FakeClock t;
  t.clock.schedule(EventSlot::rtc, 500);
  t.base.value = 499;
  CHECK_FALSE(t.clock.take_due());
  t.base.value = 10'000;
  CHECK(t.clock.now() == 500);
  CHECK(t.clock.lag() == 9500);
  CHECK(t.clock.take_due() == EventSlot::rtc);
  CHECK(t.clock.deadline(EventSlot::rtc) == kNever);
  CHECK(t.clock.now() == 10'000);
  CHECK(t.clock.lag() == 0);
}

TEST_CASE("a periodic event that schedules itself from its own deadline happens every time while the guest catches up") {
  FakeClock t;
  t.base.value = 1'000'000;
  int ticks = 0;
  Nanoseconds deadline = 100;
  t.clock.schedule(EventSlot::pit_channel0, deadline);
  while (t.clock.take_due() == EventSlot::pit_channel0) {
    ++ticks;
    deadline += 100;
    t.clock.schedule(EventSlot::pit_channel0, deadline);
    CHECK(t.clock.now() <= deadline);
  }
  CHECK(ticks == 10'000);
}

TEST_CASE("events come in order of time, and of equal times the lower slot is first") {
  FakeClock t;
  t.clock.schedule(EventSlot::disk, 300);
  t.clock.schedule(EventSlot::serial1, 200);
  t.clock.schedule(EventSlot::pit_channel0, 300);
  t.clock.schedule(EventSlot::rtc, 250);
  t.clock.cancel(EventSlot::rtc);
  CHECK(t.clock.next_deadline() == 200);
  t.base.value = 1000;
  CHECK(t.clock.take_due() == EventSlot::serial1);
  CHECK(t.clock.take_due() == EventSlot::pit_channel0);
  CHECK(t.clock.take_due() == EventSlot::disk);
  CHECK_FALSE(t.clock.take_due());
  CHECK(t.clock.next_deadline() == kNever);
}

TEST_CASE("a deadline in the past is due at once and does not turn time back") {
  FakeClock t;
  t.base.value = 1000;
  CHECK(t.clock.now() == 1000);
  t.clock.schedule(EventSlot::disk, 10);
  CHECK(t.clock.now() == 1000);
  CHECK(t.clock.take_due() == EventSlot::disk);
}

TEST_CASE("skip moves on at most to the next deadline") {
  FakeClock t;
  t.clock.schedule(EventSlot::rtc, 700);
  t.clock.skip(300);
  CHECK(t.clock.now() == 300);
  t.clock.skip(10'000);
  CHECK(t.clock.now() == 700);
  CHECK(t.clock.lag() == 0);
  CHECK(t.clock.take_due() == EventSlot::rtc);
  t.clock.skip(50);
  CHECK(t.clock.now() == 750);
}

TEST_CASE("reset starts at zero with no event") {
  FakeClock t;
  t.base.value = 5000;
  t.clock.schedule(EventSlot::rtc, 700);
  t.clock.reset();
  CHECK(t.clock.now() == 0);
  CHECK(t.clock.next_deadline() == kNever);
  t.base.value = 5010;
  CHECK(t.clock.now() == 10);
}

TEST_CASE("visit_state covers the time and each deadline") {
  const auto hash = [](FakeClock& t) {
    tuxarium::base::HashVisitor v;
    t.clock.visit_state(v);
    return v.digest();
  };
  FakeClock a;
  const std::uint64_t start = hash(a);
  a.base.value = 5;
  a.clock.now();
  CHECK(hash(a) != start);
  for (std::size_t i = 0; i < static_cast<std::size_t>(EventSlot::count); ++i) {
    FakeClock b;
    b.clock.schedule(static_cast<EventSlot>(i), 99);
    CHECK(hash(b) != start);
  }
}
