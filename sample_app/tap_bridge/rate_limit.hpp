// Token buckets.
#pragma once

#include <algorithm>
#include <chrono>

#include "asio.hpp"

namespace tuxarium::bridge {

/// So many units a second, with a reserve of `burst` units. A rate of 0 means no limit.
class TokenBucket {
 public:
  TokenBucket() = default;
  TokenBucket(double rate, double burst, Clock::time_point now) : rate_{rate}, burst_{burst}, level_{burst}, filled_at_{now} {}

  /// Takes `count` units if they are there.
  bool take(double count, Clock::time_point now) {
    if (rate_ <= 0) return true;
    fill(now);
    if (level_ < count) return false;
    level_ -= count;
    return true;
  }

  /// Takes `count` units in any case, on credit if need be; returns how long it is until the debt is paid.
  Clock::duration charge(double count, Clock::time_point now) {
    if (rate_ <= 0) return {};
    fill(now);
    level_ -= count;
    if (level_ >= 0) return {};
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>{-level_ / rate_});
  }

 private:
  void fill(Clock::time_point now) {
    const std::chrono::duration<double> passed = now - filled_at_;
    if (passed.count() <= 0) return;
    level_ = std::min(burst_, level_ + passed.count() * rate_);
    filled_at_ = now;
  }

  double rate_ = 0, burst_ = 0, level_ = 0;
  Clock::time_point filled_at_{};
};

/// Frames and bytes a second together, with a reserve of a quarter of a second.
class TrafficLimit {
 public:
  static constexpr double kBurstSeconds = 0.25;
  struct Rates {
    double frames = 0;  ///< a second; 0: no limit
    double bytes = 0;   ///< a second; 0: no limit
  };

  TrafficLimit() = default;
  TrafficLimit(Rates rates, Clock::time_point now)
      : frames_{rates.frames, std::max(1.0, rates.frames * kBurstSeconds), now}, bytes_{rates.bytes, std::max(1.0, rates.bytes * kBurstSeconds), now} {}

  /// As TokenBucket::charge.
  Clock::duration charge(std::size_t frames, std::size_t bytes, Clock::time_point now) {
    return std::max(frames_.charge(static_cast<double>(frames), now), bytes_.charge(static_cast<double>(bytes), now));
  }

 private:
  TokenBucket frames_, bytes_;
};

}  // namespace tuxarium::bridge
