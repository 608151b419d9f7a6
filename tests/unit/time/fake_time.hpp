// A time base that a test moves by hand.
#pragma once

#include "time/guest_clock.hpp"

namespace tuxarium::test {

class FakeTime final : public time::TimeBase {
 public:
  time::Nanoseconds elapsed() override { return value; }
  time::Nanoseconds value = 0;
};

/// A guest clock on such a base.
struct FakeClock {
  FakeTime base;
  time::GuestClock clock{base};
};

}  // namespace tuxarium::test
