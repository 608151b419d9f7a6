// The two sources of guest time.
#pragma once

#include <chrono>
#include <cstdint>

#include "time/guest_clock.hpp"

namespace tuxarium::time {

inline constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

/// The host's steady clock, from 0 at construction.
class HostTimeBase final : public TimeBase {
 public:
  Nanoseconds elapsed() override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Tells how many instructions have been retired.
class CycleCounter {
 public:
  virtual std::uint64_t retired_cycles() const = 0;

 protected:
  ~CycleCounter() = default;
};

/// Retired instructions at a fixed rate. Exact: no rounding adds up.
class CycleTimeBase final : public TimeBase {
 public:
  /// `rate`: cycles a second, 1'000'000 to 10'000'000'000. `counter` must outlive the base.
  CycleTimeBase(const CycleCounter& counter, std::uint64_t rate) : counter_{&counter}, rate_{rate} {}

  Nanoseconds elapsed() override {
    const std::uint64_t cycles = counter_->retired_cycles();
    return static_cast<Nanoseconds>(cycles / rate_ * kSecond + cycles % rate_ * kSecond / rate_);
  }

  /// Cycles from now until elapsed() is at least `at`, exactly; 0 or less when it is.
  std::int64_t cycles_until(Nanoseconds at) const {
    if (at <= 0) return 0;
    const auto ns = static_cast<std::uint64_t>(at);
    const std::uint64_t target = ns / kSecond * rate_ + (ns % kSecond * rate_ + kSecond - 1) / kSecond;
    return static_cast<std::int64_t>(target - counter_->retired_cycles());
  }

 private:
  static constexpr std::uint64_t kSecond = kNanosecondsPerSecond;
  const CycleCounter* counter_;
  std::uint64_t rate_;
};

}  // namespace tuxarium::time
