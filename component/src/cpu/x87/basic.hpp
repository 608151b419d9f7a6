// Addition, multiplication and division of finite numbers, exact before rounding. Inline: the unit's common path on every host.
#pragma once

#include <utility>

#include "cpu/x87/rounding.hpp"

namespace tuxarium::cpu::x87 {

/// A finite, nonzero number with its leading bit at bit 63.
struct Normal {
  bool negative;
  int exponent;  // biased; below 1 for denormals
  std::uint64_t significand;
};

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

// --- the common case: normal operands, result in range ----------------------------------------------------------------------------

/// Nearest, full precision, is worth its own few instructions.
TUXARIUM_X87_HOT bool round_common(bool negative, int exponent, std::uint64_t high, std::uint64_t low, Environment env, Result& result) {
  std::uint64_t significand = high;
  bool up = false;
  if ((env.control & 0x0f00u) == 0x0300) [[likely]] {
    up = low > kIntegerBit || (low == kIntegerBit && (high & 1) != 0);
    significand += up ? 1 : 0;
    if (significand < high) [[unlikely]] {
      significand = kIntegerBit;
      ++exponent;
    }
    result.status = static_cast<std::uint16_t>((low != 0 ? status::kPrecision : 0) | (up ? status::kC1 : 0));
  } else {
    const Rounded rounded = round_significand(negative, {high, low}, dropped_by_precision(env), direction_of(env));
    significand = rounded.carry ? kIntegerBit : rounded.significand;
    exponent += rounded.carry ? 1 : 0;
    result.status = static_cast<std::uint16_t>((rounded.inexact ? status::kPrecision : 0) | (rounded.up ? status::kC1 : 0));
  }
  result.value = compose(negative, exponent, significand);
  return static_cast<unsigned>(exponent - 1) < kMaxExponent - 1;
}

TUXARIUM_X87_HOT bool multiply_common(const Float80& a, const Float80& b, Environment env, Result& result) {
  const Wide product = multiply(a.significand, b.significand);
  const unsigned shift = (product.high & kIntegerBit) == 0 ? 1 : 0;
  const int exponent = static_cast<int>(a.exponent() + b.exponent()) - static_cast<int>(kExponentBias) + 1 - static_cast<int>(shift);
  const std::uint64_t high = product.high << shift | (product.low >> 63 & shift);
  return round_common(a.sign() != b.sign(), exponent, high, product.low << shift, env, result);
}

/// `flip` negates b.
TUXARIUM_X87_HOT bool add_common(const Float80& a, const Float80& b, bool flip, Environment env, Result& result) {
  const bool sign_a = a.sign(), sign_b = b.sign() != flip;
  int exponent = static_cast<int>(a.exponent());
  const int distance = exponent - static_cast<int>(b.exponent());
  std::uint64_t big = a.significand, small = b.significand;
  bool negative = sign_a;
  unsigned shift = static_cast<unsigned>(distance);
  if (distance < 0 || (distance == 0 && small > big)) {
    std::swap(big, small);
    exponent = static_cast<int>(b.exponent());
    negative = sign_b;
    shift = static_cast<unsigned>(-distance);
  }
  if (shift >= 64) return false;
  std::uint64_t high = small >> shift, low = shift == 0 ? 0 : small << (64 - shift);
  if (sign_a == sign_b) {
    high += big;
    if (high < big) {
      low = high << 63 | low >> 1 | (low & 1);
      high = high >> 1 | kIntegerBit;
      ++exponent;
    }
    return round_common(negative, exponent, high, low, env, result);
  }
  high = big - high - (low != 0 ? 1 : 0);
  low = 0 - low;
  if (high == 0) return false;
  const auto zeros = static_cast<unsigned>(std::countl_zero(high));
  if (zeros != 0) {
    high = high << zeros | low >> (64 - zeros);
    low <<= zeros;
    exponent -= static_cast<int>(zeros);
  }
  return round_common(negative, exponent, high, low, env, result);
}

/// False, with `result` untouched in meaning, when the operands or the result are not common.
template <BinaryOp op>
TUXARIUM_X87_HOT bool binary_common(const Float80& a, const Float80& b, Environment env, Result& result) {
  if constexpr (op == BinaryOp::div || op == BinaryOp::div_reversed) return false;
  if (!is_normal(a) || !is_normal(b)) [[unlikely]]
    return false;
  if constexpr (op == BinaryOp::mul) return multiply_common(a, b, env, result);
  if constexpr (op == BinaryOp::sub_reversed) return add_common(b, a, true, env, result);
  return add_common(a, b, op == BinaryOp::sub, env, result);
}

/// To a single (23, 8) or double (52, 11), when the result is a normal number.
template <unsigned fraction_bits, unsigned exponent_bits>
TUXARIUM_X87_HOT bool narrow_common(const Float80& a, Environment env, ValueResult& result) {
  constexpr unsigned kDropped = 63 - fraction_bits, kMaximum = (1u << exponent_bits) - 1;
  constexpr unsigned kRebias = kExponentBias - (kMaximum >> 1);
  if (!is_normal(a)) [[unlikely]]
    return false;
  const Rounded rounded = round_significand(a.sign(), {a.significand, 0}, kDropped, direction_of(env));
  const unsigned exponent = a.exponent() - kRebias + (rounded.carry ? 1 : 0);
  if (exponent - 1 >= kMaximum - 1) [[unlikely]]
    return false;
  const std::uint64_t fraction = rounded.significand << 1 >> (kDropped + 1);
  result.bits = std::uint64_t{a.sign()} << (fraction_bits + exponent_bits) | std::uint64_t{exponent} << fraction_bits | fraction;
  result.status = static_cast<std::uint16_t>((rounded.inexact ? status::kPrecision : 0) | (rounded.up ? status::kC1 : 0));
  return true;
}

/// To a two's complement integer of `bits` bits; "integer indefinite" for what does not fit.
inline ValueResult to_integer_exact(const Float80& a, unsigned bits, Environment env) {
  const ValueResult invalid{std::uint64_t{1} << (bits - 1), status::kInvalid};
  if (is_unsupported(a) || a.exponent() >= kExponentBias + 64) return invalid;
  const unsigned exponent = a.exponent() == 0 ? 1 : a.exponent();
  const Wide value = shift_right_sticky({a.significand, 0}, kExponentBias + 63 - exponent);
  const Rounded rounded = round_significand(a.sign(), value, 0, direction_of(env));
  const std::uint64_t limit = (std::uint64_t{1} << (bits - 1)) - (a.sign() ? 0 : 1);
  if (rounded.carry || rounded.significand > limit) return invalid;
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - bits);
  const unsigned flags = (rounded.inexact ? status::kPrecision : 0) | (rounded.up ? status::kC1 : 0);
  return {(a.sign() ? 0 - rounded.significand : rounded.significand) & mask, static_cast<std::uint16_t>(flags)};
}

}  // namespace tuxarium::cpu::x87
