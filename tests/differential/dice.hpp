// A small random generator that starts as fast as it runs: each case has a seed of its own. The same on every host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace tuxarium::differential {

/// One step of SplitMix64: a bijection of 64 bits that scatters neighbours.
constexpr std::uint64_t scatter(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_{seed} {}
  std::uint64_t operator()() {
    const std::uint64_t value = scatter(state_);
    state_ += 0x9e3779b97f4a7c15u;
    return value;
  }
  std::uint32_t word() { return static_cast<std::uint32_t>((*this)() >> 32); }
  std::uint8_t byte() { return static_cast<std::uint8_t>((*this)() >> 56); }
  /// 0 to bound - 1.
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>((std::uint64_t{word()} * bound) >> 32); }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  template <class Array>
  auto pick(const Array& choices) {
    return choices[below(static_cast<std::uint32_t>(std::size(choices)))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace tuxarium::differential
