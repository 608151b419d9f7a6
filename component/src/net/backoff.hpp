// How long to wait before the next attempt.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace tuxarium::net {

/// Waits that double up to a longest one. Half of each is left to chance, so that clients which lost the same server do not all come back at once.
class Backoff {
 public:
  using Milliseconds = std::chrono::milliseconds;

  Backoff(Milliseconds first, Milliseconds longest, std::uint64_t seed)
      : first_{std::max(first, Milliseconds{1})}, longest_{std::max(longest, first_)}, next_{first_}, random_{seed} {}

  Milliseconds next() {
    const auto span = next_.count();
    next_ = std::min(2 * next_, longest_);
    return Milliseconds{std::uniform_int_distribution<Milliseconds::rep>{span - span / 2, span}(random_)};
  }

  /// The next wait is the first again.
  void reset() { next_ = first_; }

 private:
  Milliseconds first_, longest_, next_;
  std::mt19937_64 random_;
};

}  // namespace tuxarium::net
