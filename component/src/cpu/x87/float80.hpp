// The double extended-precision format of the x87: Intel SDM vol. 1, sections 4.2.2 and 8.2.
#pragma once

#include <cstdint>

namespace tuxarium::cpu::x87 {

/// A register image: explicit integer bit in bit 63 of `significand`, sign in bit 15 and biased exponent in bits 14-0 of `sign_exponent`.
struct Float80 {
  std::uint64_t significand = 0;
  std::uint16_t sign_exponent = 0;

  constexpr bool sign() const { return (sign_exponent & 0x8000u) != 0; }
  constexpr unsigned exponent() const { return sign_exponent & 0x7fffu; }

  friend constexpr bool operator==(const Float80&, const Float80&) = default;

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(significand);
    v(sign_exponent);
  }
  template <class Visitor>
  void visit_state(Visitor& v) const {
    v(significand);
    v(sign_exponent);
  }
};

inline constexpr std::uint64_t kIntegerBit = std::uint64_t{1} << 63;
inline constexpr std::uint64_t kQuietBit = std::uint64_t{1} << 62;
inline constexpr unsigned kExponentBias = 0x3fff;
inline constexpr unsigned kMaxExponent = 0x7fff;

/// The quiet NaN that masked invalid operations produce ("real indefinite").
inline constexpr Float80 kIndefinite{0xc000000000000000u, 0xffff};

constexpr Float80 make_zero(bool negative) { return {0, static_cast<std::uint16_t>(negative ? 0x8000u : 0u)}; }
constexpr Float80 make_infinity(bool negative) { return {kIntegerBit, static_cast<std::uint16_t>(negative ? 0xffffu : 0x7fffu)}; }
inline constexpr Float80 kOne{kIntegerBit, 0x3fff};

constexpr bool is_zero(const Float80& f) { return f.exponent() == 0 && f.significand == 0; }
constexpr bool is_infinity(const Float80& f) { return f.exponent() == kMaxExponent && f.significand == kIntegerBit; }
/// Exponent 0 and a significand that is not: denormals and pseudo-denormals.
constexpr bool is_denormal(const Float80& f) { return f.exponent() == 0 && f.significand != 0; }
/// Unnormals, pseudo-infinities and pseudo-NaNs: every arithmetic use is an invalid operation.
constexpr bool is_unsupported(const Float80& f) { return f.exponent() != 0 && (f.significand & kIntegerBit) == 0; }
constexpr bool is_nan(const Float80& f) { return f.exponent() == kMaxExponent && f.significand > kIntegerBit; }
constexpr bool is_signaling(const Float80& f) { return is_nan(f) && (f.significand & kQuietBit) == 0; }

/// Neither zero, denormal, infinite, NaN nor unsupported.
constexpr bool is_normal(const Float80& f) {
  return (f.significand & kIntegerBit) != 0 && static_cast<unsigned>(f.exponent() - 1) < kMaxExponent - 1;
}

}  // namespace tuxarium::cpu::x87
