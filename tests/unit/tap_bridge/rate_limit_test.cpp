#include <doctest/doctest.h>

#include "rate_limit.hpp"

using namespace tuxarium::bridge;
using namespace std::chrono_literals;

TEST_CASE("TokenBucket::take: a burst, then the rate") {
  const Clock::time_point start{};
  TokenBucket bucket{10, 20, start};
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += bucket.take(1, start);
  CHECK(taken == 20);
  for (int i = 0; i < 100; ++i) taken += bucket.take(1, start + 1s);
  CHECK(taken == 30);
  for (int i = 0; i < 100; ++i) taken += bucket.take(1, start + 1h);
  CHECK(taken == 50);
}

TEST_CASE("TokenBucket::charge: on credit, with the time until it is paid") {
  const Clock::time_point start{};
  TokenBucket bucket{10, 5, start};
  CHECK(bucket.charge(5, start) == 0s);
  CHECK(bucket.charge(20, start) == 2s);
  CHECK(bucket.charge(0, start + 1s) == 1s);
  CHECK(bucket.charge(1, start + 3s) == 0s);
}

TEST_CASE("a rate of 0 is no limit") {
  const Clock::time_point start{};
  TokenBucket bucket{0, 0, start};
  CHECK(bucket.take(1e12, start));
  CHECK(bucket.charge(1e12, start) == 0s);
}

TEST_CASE("TrafficLimit: the stricter of frames and bytes counts") {
  const Clock::time_point start{};
  TrafficLimit limit{{100, 1000}, start};
  CHECK(limit.charge(1, 250, start) == 0s);
  CHECK(limit.charge(1, 500, start) == 500ms);
  TrafficLimit frames{{4, 0}, start};
  CHECK(frames.charge(1, 1'000'000, start) == 0s);
  CHECK(frames.charge(4, 1, start) == 1s);
}
