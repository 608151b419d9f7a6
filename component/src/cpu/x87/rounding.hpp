// Rounding of an exact result to a register or memory format: Intel SDM vol. 1, sections 4.8.4, 4.9.1, 8.1.5.
#pragma once

#include <cstdint>

#include "cpu/x87/arithmetic.hpp"
#include "cpu/x87/unit.hpp"
#include "cpu/x87/wide.hpp"

namespace tuxarium::cpu::x87 {

enum class Direction : unsigned { nearest, down, up, to_zero };

constexpr Direction direction_of(Environment env) { return static_cast<Direction>(env.control >> 10 & 3u); }
/// How many low bits of a 64-bit significand precision control takes away. The reserved setting counts as full precision.
constexpr unsigned dropped_by_precision(Environment env) {
  constexpr unsigned kDropped[] = {40, 0, 11, 0};
  return kDropped[env.control >> 8 & 3u];
}
constexpr bool masked(Environment env, unsigned exception) { return (env.control & exception) != 0; }

struct Rounded {
  std::uint64_t significand;
  bool carry, inexact, up;
};

/// Rounds `value.high`, with everything below it in `value.low`, to a multiple of 2^dropped.
TUXARIUM_X87_HOT constexpr Rounded round_significand(bool negative, const Wide& value, unsigned dropped, Direction direction) {
  std::uint64_t rest = value.low, kept = value.high;
  if (dropped != 0) {
    rest = value.high << (64 - dropped) | value.low >> dropped | (value.low << (64 - dropped) != 0 ? 1u : 0u);
    kept = value.high >> dropped;
  }
  if (rest == 0) return {kept << dropped, false, false, false};
  bool up = false;
  switch (direction) {
    case Direction::nearest:
      up = rest > kIntegerBit || (rest == kIntegerBit && (kept & 1) != 0);
      break;
    case Direction::down:
      up = negative;
      break;
    case Direction::up:
      up = !negative;
      break;
    case Direction::to_zero:
      break;
  }
  if (!up) return {kept << dropped, false, true, false};
  const std::uint64_t result = (kept + 1) << dropped;
  return {result, result == 0, true, true};
}

constexpr Float80 compose(bool negative, int exponent, std::uint64_t significand) {
  return {significand, static_cast<std::uint16_t>((negative ? 0x8000 : 0) | exponent)};
}

/// An exact value: (-1)^negative * value / 2^127 * 2^(exponent - bias), with bit 127 of `value` set and a sticky lowest bit.
struct Exact {
  bool negative;
  int exponent;
  Wide value;
};

inline constexpr int kBiasAdjust = 24576;

Result round_outside_range(const Exact& exact, Environment env, unsigned dropped, const Rounded& rounded, int exponent);

/// To a register. `dropped`: dropped_by_precision() or 0.
inline Result round_to_register(const Exact& exact, Environment env, unsigned dropped) {
  const Rounded rounded = round_significand(exact.negative, exact.value, dropped, direction_of(env));
  const int exponent = exact.exponent + (rounded.carry ? 1 : 0);
  const std::uint64_t significand = rounded.carry ? kIntegerBit : rounded.significand;
  if (exponent < 1 || exponent >= static_cast<int>(kMaxExponent)) [[unlikely]]
    return round_outside_range(exact, env, dropped, rounded, exponent);
  const unsigned flags = (rounded.inexact ? status::kPrecision : 0) | (rounded.up ? status::kC1 : 0);
  return {compose(exact.negative, exponent, significand), static_cast<std::uint16_t>(flags)};
}

}  // namespace tuxarium::cpu::x87
