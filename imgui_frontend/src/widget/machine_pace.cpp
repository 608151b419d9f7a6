#include "machine_pace.hpp"

#include <algorithm>

namespace tuxarium::imgui {
namespace {

// Less is not worth a call.
constexpr double kFewestInstructions = 1000;
constexpr double kFewestNanoseconds = 200'000;
constexpr std::chrono::nanoseconds kLongWait = std::chrono::seconds{1};

}  // namespace

double Allowance::take_in(Clock::time_point now) {
  const double elapsed = latest_ == Clock::time_point{} ? 0 : std::chrono::duration<double>(now - latest_).count();
  latest_ = now;
  held_ = std::min(held_ + elapsed * rate_, std::chrono::duration<double>(kBurst).count() * rate_);
  return held_;
}

std::chrono::nanoseconds Allowance::time_until(double amount) const {
  return std::chrono::nanoseconds{static_cast<std::int64_t>(std::clamp((amount - held_) / rate_, 0.0, 1.0) * 1e9)};
}

void MachinePace::set_limit(SpeedLimit limit) {
  limit_ = {.mips = std::max(limit.mips, 0.0f), .processor_share = std::clamp(limit.processor_share, 0.0f, 1.0f)};
  instructions_.set_rate(static_cast<double>(limit_.mips) * 1e6);
  nanoseconds_.set_rate(static_cast<double>(limit_.processor_share) * 1e9);
}

std::optional<Budget> MachinePace::permit(const Budget& wanted, Clock::time_point now) {
  wait_ = kLongWait;
  if (off) return std::nullopt;
  Budget budget = wanted;
  const auto at_most_cycles = [&](std::uint64_t cycles) { budget.cycles = budget.cycles == 0 ? cycles : std::min(budget.cycles, cycles); };
  if (paused) {
    if (steps == 0) return std::nullopt;
    at_most_cycles(steps);
    return budget;
  }
  if (instructions_.limited()) {
    const double held = instructions_.take_in(now);
    wait_ = instructions_.time_until(kFewestInstructions);
    if (held < kFewestInstructions) return std::nullopt;
    at_most_cycles(static_cast<std::uint64_t>(held));
  }
  if (nanoseconds_.limited()) {
    const double held = nanoseconds_.take_in(now);
    wait_ = nanoseconds_.time_until(kFewestNanoseconds);
    if (held < kFewestNanoseconds) return std::nullopt;
    const std::chrono::nanoseconds most{static_cast<std::int64_t>(held)};
    budget.wall = budget.wall.count() == 0 ? most : std::min(budget.wall, most);
  }
  return budget;
}

void MachinePace::note(const RunResult& result, std::chrono::nanoseconds cost) {
  if (paused) steps -= std::min(steps, result.cycles);
  instructions_.use(static_cast<double>(result.cycles));
  nanoseconds_.use(static_cast<double>(cost.count()));
}

}  // namespace tuxarium::imgui
