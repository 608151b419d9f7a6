// Exact integer work on register images that needs no rounding: loads, comparison, classification, constants, packed decimal.
// Intel SDM vol. 1, sections 4.2, 8.1.7, 8.3.5.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cpu/x87/arithmetic.hpp"

namespace tuxarium::cpu::x87 {

/// Widens an IEEE format with `fraction_bits` fraction and `exponent_bits` exponent bits; a signaling NaN stays one. Never rounds.
template <unsigned fraction_bits, unsigned exponent_bits>
constexpr Float80 widen(std::uint64_t bits) {
  constexpr unsigned kMax = (1u << exponent_bits) - 1;
  constexpr unsigned kRebias = kExponentBias - (kMax >> 1);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << fraction_bits) - 1);
  const auto exponent = static_cast<unsigned>(bits >> fraction_bits) & kMax;
  const auto sign = static_cast<unsigned>(bits >> (fraction_bits + exponent_bits) & 1) << 15;
  const auto image = [sign](std::uint64_t significand, unsigned biased) {
    return Float80{significand, static_cast<std::uint16_t>(sign | biased)};
  };
  const std::uint64_t significand = kIntegerBit | fraction << (63 - fraction_bits);
  if (exponent != 0 && exponent != kMax) [[likely]]
    return image(significand, exponent + kRebias);
  if (exponent == kMax) return image(significand, kMaxExponent);
  if (fraction == 0) return image(0, 0);
  const auto shift = static_cast<unsigned>(std::countl_zero(fraction));
  return image(fraction << shift, kRebias + 1 + (63 - fraction_bits) - shift);
}

constexpr Float80 widen_f32(std::uint32_t bits) { return widen<23, 8>(bits); }
constexpr Float80 widen_f64(std::uint64_t bits) { return widen<52, 11>(bits); }

/// Whether the bits of a single or double are a denormal.
constexpr bool is_denormal_f32(std::uint32_t bits) { return (bits & 0x7f800000u) == 0 && (bits & 0x007fffffu) != 0; }
constexpr bool is_denormal_f64(std::uint64_t bits) { return (bits & 0x7ff0000000000000u) == 0 && (bits & 0x000fffffffffffffu) != 0; }

constexpr Float80 from_integer(std::int64_t value) {
  if (value == 0) return {};
  const std::uint64_t magnitude = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const auto shift = static_cast<unsigned>(std::countl_zero(magnitude));
  return {magnitude << shift, static_cast<std::uint16_t>((value < 0 ? 0x8000u : 0u) | (kExponentBias + 63 - shift))};
}

enum class Order : std::uint8_t { less, equal, greater, unordered };

struct Comparison {
  Order order = Order::unordered;
  std::uint16_t status = 0;  ///< IE or DE
};

/// -1, 0, 1 for values that are neither NaN nor unsupported, by magnitude.
constexpr int compare_magnitude(const Float80& a, const Float80& b) {
  const unsigned ea = a.exponent() == 0 ? 1 : a.exponent(), eb = b.exponent() == 0 ? 1 : b.exponent();
  const bool a_small = ea < eb || (ea == eb && a.significand < b.significand);
  const bool b_small = eb < ea || (ea == eb && b.significand < a.significand);
  return a_small ? -1 : b_small ? 1 : 0;
}

/// FCOM (`quiet` false) and FUCOM (`quiet` true): the latter take quiet NaNs without complaint.
constexpr Comparison compare(const Float80& a, const Float80& b, bool quiet) {
  constexpr std::uint16_t kInvalid = 0x01, kDenormal = 0x02;
  if (is_normal(a) && is_normal(b)) [[likely]] {
    if (a == b) return {Order::equal, 0};
    if (a.sign() != b.sign()) return {a.sign() ? Order::less : Order::greater, 0};
    const bool smaller = a.exponent() != b.exponent() ? a.exponent() < b.exponent() : a.significand < b.significand;
    return {smaller != a.sign() ? Order::less : Order::greater, 0};
  }
  if (is_unsupported(a) || is_unsupported(b)) return {Order::unordered, kInvalid};
  if (is_nan(a) || is_nan(b)) {
    const bool invalid = !quiet || is_signaling(a) || is_signaling(b);
    return {Order::unordered, invalid ? kInvalid : std::uint16_t{0}};
  }
  const std::uint16_t flags = is_denormal(a) || is_denormal(b) ? kDenormal : std::uint16_t{0};
  if (a.significand == 0 && b.significand == 0) return {Order::equal, flags};
  if (a.sign() != b.sign()) return {a.sign() ? Order::less : Order::greater, flags};
  const int magnitude = compare_magnitude(a, b);
  if (magnitude == 0) return {Order::equal, flags};
  return {(magnitude < 0) != a.sign() ? Order::less : Order::greater, flags};
}

enum class Constant : std::uint8_t { one, log2_10, log2_e, pi, log10_2, ln_2, zero };

/// FLD1, FLDL2T, ...: the 66-bit internal constants, rounded under rounding control (bits 11-10 of the control word).
constexpr Float80 constant(Constant which, std::uint16_t control) {
  struct Entry {
    Float80 below;  // rounded towards zero; all constants are positive
    bool nearest_is_above;
  };
  constexpr Entry kInexact[] = {{{0xd49a784bcd1b8afe, 0x4000}, false},
                                {{0xb8aa3b295c17f0bb, 0x3fff}, true},
                                {{0xc90fdaa22168c234, 0x4000}, true},
                                {{0x9a209a84fbcff798, 0x3ffd}, true},
                                {{0xb17217f7d1cf79ab, 0x3ffe}, true}};
  if (which == Constant::one) return kOne;
  if (which == Constant::zero) return {};
  const Entry& entry = kInexact[static_cast<unsigned>(which) - 1];
  const unsigned rounding = control >> 10 & 3u;
  const bool above = rounding == 2 || (rounding == 0 && entry.nearest_is_above);
  return {entry.below.significand + (above ? 1 : 0), entry.below.sign_exponent};
}

/// FBLD: 18 digits, two a byte, and a sign byte. A nibble above 9 counts with its value.
constexpr Float80 from_decimal(std::uint64_t low_digits, std::uint16_t high) {
  std::uint64_t magnitude = 0;
  const auto append = [&magnitude](std::uint64_t digit) { magnitude = magnitude * 10 + digit; };
  append(high >> 4 & 0xfu);
  append(high & 0xfu);
  for (int shift = 60; shift >= 0; shift -= 4) append(low_digits >> shift & 0xfu);
  Float80 result = from_integer(static_cast<std::int64_t>(magnitude));
  if ((high & 0x8000u) != 0) result.sign_exponent |= 0x8000u;
  return result;
}

struct Decimal {
  std::uint64_t low_digits = 0;
  std::uint16_t high = 0;
};
inline constexpr std::uint64_t kDecimalLimit = 1'000'000'000'000'000'000u;
inline constexpr Decimal kDecimalIndefinite{0xc000000000000000u, 0xffff};

/// Precondition: magnitude < kDecimalLimit.
constexpr Decimal to_decimal(std::uint64_t magnitude, bool negative) {
  Decimal result;
  for (unsigned shift = 0; shift < 64; shift += 4) {
    result.low_digits |= magnitude % 10 << shift;
    magnitude /= 10;
  }
  result.high = static_cast<std::uint16_t>(magnitude % 10 | magnitude / 10 << 4 | (negative ? 0x8000u : 0u));
  return result;
}

}  // namespace tuxarium::cpu::x87
