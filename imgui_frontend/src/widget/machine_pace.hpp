// How fast a machine may run: not at all, some steps, or within a speed limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/machine_panel.hpp>

namespace tuxarium::imgui {

/// What is used flows in at `rate` a second, and at most what flows in during kBurst is kept.
class Allowance {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kBurst{50};

  /// A rate of 0 is no limit.
  void set_rate(double rate) { rate_ = rate; }
  bool limited() const { return rate_ > 0; }
  double take_in(Clock::time_point now);
  void use(double amount) { held_ -= amount; }
  /// Until `amount` is there.
  std::chrono::nanoseconds time_until(double amount) const;

 private:
  double rate_ = 0;
  double held_ = 0;
  Clock::time_point latest_{};
};

class MachinePace {
 public:
  using Clock = Allowance::Clock;

  /// What the machine may do now, or nothing; then wait() says for how long.
  std::optional<Budget> permit(const Budget& wanted, Clock::time_point now);
  std::chrono::nanoseconds wait() const { return wait_; }
  /// After a run with a permitted budget.
  void note(const RunResult& result, std::chrono::nanoseconds cost);

  bool paused = false;
  bool off = false;
  std::uint64_t steps = 0;  ///< instructions to run while paused

  const SpeedLimit& limit() const { return limit_; }
  void set_limit(SpeedLimit limit);

 private:
  SpeedLimit limit_;
  Allowance instructions_, nanoseconds_;
  std::chrono::nanoseconds wait_{0};
};

}  // namespace tuxarium::imgui
