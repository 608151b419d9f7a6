// Addition, multiplication and division of finite numbers, exact before rounding. Inline: the unit's common path on every host.
#pragma once

#include "cpu/x87/rounding.hpp"

namespace tuxarium::cpu::x87 {

/// A finite, nonzero number with its leading bit at bit 63.
struct Normal {
  bool negative;
  int exponent;  // biased; below 1 for denormals
  std::uint64_t significand;
};

constexpr bool is_normal(const Float80& f) {
  return (f.significand & kIntegerBit) != 0 && static_cast<unsigned>(f.exponent() - 1) < kMaxExponent - 1;
}

/// Precondition: finite, not zero, not unsupported.
constexpr Normal normalize(const Float80& f) {
  if (f.exponent() != 0) return {f.sign(), static_cast<int>(f.exponent()), f.significand};
  const int shift = std::countl_zero(f.significand);
  return {f.sign(), 1 - shift, f.significand << shift};
}

inline Result add_exact(const Normal& a, const Normal& b, Environment env, unsigned dropped) {
  const bool swap = b.exponent > a.exponent || (b.exponent == a.exponent && b.significand > a.significand);
  const Normal& big = swap ? b : a;
  const Normal& small = swap ? a : b;
  const Wide addend = shift_right_sticky({small.significand, 0}, static_cast<unsigned>(big.exponent - small.exponent));
  if (a.negative == b.negative) {
    Wide sum{big.significand + addend.high, addend.low};
    if (sum.high >= addend.high) return round_to_register({big.negative, big.exponent, sum}, env, dropped);
    sum.low = sum.high << 63 | sum.low >> 1 | (sum.low & 1);
    sum.high = sum.high >> 1 | kIntegerBit;
    return round_to_register({big.negative, big.exponent + 1, sum}, env, dropped);
  }
  const Wide difference = Wide{big.significand, 0} - addend;
  if (difference.is_zero()) return {make_zero(direction_of(env) == Direction::down), 0};
  const unsigned shift = leading_zeros(difference);
  return round_to_register({big.negative, big.exponent - static_cast<int>(shift), difference << shift}, env, dropped);
}

inline Result multiply_exact(const Normal& a, const Normal& b, Environment env, unsigned dropped) {
  Wide product = multiply(a.significand, b.significand);
  int exponent = a.exponent + b.exponent - static_cast<int>(kExponentBias) + 1;
  if ((product.high & kIntegerBit) == 0) {
    product = product << 1;
    --exponent;
  }
  return round_to_register({a.negative != b.negative, exponent, product}, env, dropped);
}

inline Result divide_exact(const Normal& a, const Normal& b, Environment env, unsigned dropped) {
  const bool below = a.significand < b.significand;
  const Wide dividend = below ? Wide{a.significand, 0} : Wide{a.significand >> 1, a.significand << 63};
  const Division division = divide(dividend, b.significand);
  const bool half = division.remainder >= b.significand - division.remainder;
  const std::uint64_t rest = (half ? kIntegerBit : 0) | (division.remainder != 0 && division.remainder * 2 != b.significand ? 1u : 0u);
  const int exponent = a.exponent - b.exponent + static_cast<int>(kExponentBias) - (below ? 1 : 0);
  return round_to_register({a.negative != b.negative, exponent, {division.quotient, division.remainder == 0 ? 0 : rest}}, env, dropped);
}

}  // namespace tuxarium::cpu::x87
