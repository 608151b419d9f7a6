// 128-bit unsigned integers, as far as the software arithmetic needs them, without compiler extensions in the interface.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>

namespace tuxarium::cpu::x87 {

struct Wide {
  std::uint64_t high = 0, low = 0;

  friend constexpr bool operator==(const Wide&, const Wide&) = default;
  friend constexpr auto operator<=>(const Wide&, const Wide&) = default;
  constexpr bool is_zero() const { return (high | low) == 0; }
};

constexpr Wide operator+(const Wide& a, const Wide& b) {
  const std::uint64_t low = a.low + b.low;
  return {a.high + b.high + (low < a.low ? 1 : 0), low};
}
constexpr Wide operator-(const Wide& a, const Wide& b) { return {a.high - b.high - (a.low < b.low ? 1 : 0), a.low - b.low}; }

/// Precondition: count < 128.
constexpr Wide operator<<(const Wide& a, unsigned count) {
  if (count == 0) return a;
  if (count >= 64) return {a.low << (count - 64), 0};
  return {a.high << count | a.low >> (64 - count), a.low << count};
}
constexpr Wide operator>>(const Wide& a, unsigned count) {
  if (count == 0) return a;
  if (count >= 64) return {0, a.high >> (count - 64)};
  return {a.high >> count, a.low >> count | a.high << (64 - count)};
}
/// Shifts right; bits that fall out are remembered in the lowest bit. Any count.
constexpr Wide shift_right_sticky(const Wide& a, unsigned count) {
  if (count == 0) return a;
  if (count >= 128) return {0, a.is_zero() ? 0u : 1u};
  Wide result = a >> count;
  if (!(a << (128 - count)).is_zero()) result.low |= 1;
  return result;
}
constexpr unsigned leading_zeros(const Wide& a) {
  return static_cast<unsigned>(a.high != 0 ? std::countl_zero(a.high) : 64 + std::countl_zero(a.low));
}

constexpr Wide multiply(std::uint64_t a, std::uint64_t b) {
#ifdef __SIZEOF_INT128__
  __extension__ using Native = unsigned __int128;
  const Native product = static_cast<Native>(a) * b;
  return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
#else
  constexpr std::uint64_t kHalf = 0xffffffffu;
  const std::uint64_t ll = (a & kHalf) * (b & kHalf), lh = (a & kHalf) * (b >> 32), hl = (a >> 32) * (b & kHalf),
                      hh = (a >> 32) * (b >> 32);
  const std::uint64_t middle = (ll >> 32) + (lh & kHalf) + (hl & kHalf);
  return {hh + (lh >> 32) + (hl >> 32) + (middle >> 32), middle << 32 | (ll & kHalf)};
#endif
}

/// The upper 128 bits of the 256-bit product, up to two units in the last place too low.
constexpr Wide multiply_high(const Wide& a, const Wide& b) {
  const Wide cross_1 = multiply(a.high, b.low), cross_2 = multiply(a.low, b.high);
  const Wide middle = Wide{0, cross_1.low} + Wide{0, cross_2.low} + Wide{0, multiply(a.low, b.low).high};
  return multiply(a.high, b.high) + Wide{0, cross_1.high} + Wide{0, cross_2.high} + Wide{0, middle.high};
}

struct Division {
  std::uint64_t quotient, remainder;
};
/// Precondition: divisor has its top bit set and dividend.high < divisor. Two digits of 32 bits, schoolbook.
constexpr Division divide(const Wide& dividend, std::uint64_t divisor) {
  constexpr std::uint64_t kHalf = 0xffffffffu;
  const std::uint64_t top = divisor >> 32, bottom = divisor & kHalf;
  const auto digit = [&](std::uint64_t high, std::uint64_t next, std::uint64_t& remainder) {
    std::uint64_t q = high / top, rest = high % top;
    while (q > kHalf || q * bottom > (rest << 32 | next)) {
      --q;
      rest += top;
      if (rest > kHalf) break;
    }
    remainder = (high << 32 | next) - q * divisor;
    return q;
  };
  std::uint64_t middle = 0, remainder = 0;
  const std::uint64_t first = digit(dividend.high, dividend.low >> 32, middle);
  const std::uint64_t second = digit(middle, dividend.low & kHalf, remainder);
  return {first << 32 | second, remainder};
}

}  // namespace tuxarium::cpu::x87
