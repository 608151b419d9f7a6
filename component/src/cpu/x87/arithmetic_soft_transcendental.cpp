// The transcendental functions in software: Intel SDM vol. 1, sections 8.3.6 to 8.3.10.
//
// Working numbers have 128 significant bits. Arguments are reduced to a small interval, then a Taylor series is summed by Horner's rule;
// the error before the final rounding stays below 2^-118 of the result. Results that are not exact for an obvious reason always raise PE.
#include <utility>

#include "cpu/x87/arithmetic_soft.hpp"
#include "cpu/x87/basic.hpp"
#include "cpu/x87/special_operands.hpp"

namespace tuxarium::cpu::x87 {

namespace {

/// As Exact, with `value` zero for the number zero.
using Real = Exact;

constexpr int kBias = static_cast<int>(kExponentBias);
constexpr Real kRealOne{false, kBias, {kIntegerBit, 0}};
constexpr Real kLn2 = {false, 16382, {0xb17217f7d1cf79abu, 0xc9e3b39803f2f6afu}};
constexpr Real kLog2E = {false, 16383, {0xb8aa3b295c17f0bbu, 0xbe87fed0691d3e89u}};
constexpr Real kPi = {false, 16384, {0xc90fdaa22168c234u, 0xc4c6628b80dc1cd1u}};
constexpr Real kHalfPi = {false, 16383, {0xc90fdaa22168c234u, 0xc4c6628b80dc1cd1u}};
/// Arc tangents of 1/4, 1/2, 3/4 and 1.
constexpr Real kArctangents[] = {{false, 16380, {0xfadbafc96406eb15u, 0x6dc79ef5f7a217e6u}},
                                 {false, 16381, {0xed63382b0dda7b45u, 0x6fe445ecbc3a8d03u}},
                                 {false, 16382, {0xa4bc7d1934f70924u, 0x19a87f2a457dac9fu}},
                                 {false, 16382, {0xc90fdaa22168c234u, 0xc4c6628b80dc1cd1u}}};

Real normalized(bool negative, int exponent, const Wide& value) {
  if (value.is_zero()) return {negative, 0, {}};
  const unsigned zeros = leading_zeros(value);
  return {negative, exponent - static_cast<int>(zeros), value << zeros};
}
/// Precondition: finite.
Real real(const Float80& f) {
  if (is_zero(f)) return {f.sign(), 0, {}};
  const Normal n = normalize(f);
  return {n.negative, n.exponent, {n.significand, 0}};
}
Real real(std::int64_t integer) { return real(from_integer(integer)); }
Real negate(Real a) {
  a.negative = !a.negative;
  return a;
}
Real magnitude(Real a) {
  a.negative = false;
  return a;
}

bool magnitude_less(const Real& a, const Real& b) {
  if (b.value.is_zero()) return false;
  if (a.value.is_zero()) return true;
  return a.exponent != b.exponent ? a.exponent < b.exponent : a.value < b.value;
}

Real operator*(const Real& a, const Real& b) {
  return normalized(a.negative != b.negative, a.exponent + b.exponent - kBias + 1, multiply_high(a.value, b.value));
}

Real operator+(const Real& a, const Real& b) {
  if (a.value.is_zero()) return b;
  if (b.value.is_zero()) return a;
  const bool swap = magnitude_less(a, b);
  const Real& big = swap ? b : a;
  const Real& small = swap ? a : b;
  const Wide addend = shift_right_sticky(small.value, static_cast<unsigned>(big.exponent - small.exponent));
  if (a.negative != b.negative) return normalized(big.negative, big.exponent, big.value - addend);
  const Wide sum = big.value + addend;
  if (sum >= addend) return {big.negative, big.exponent, sum};
  Wide halved = shift_right_sticky(sum, 1);
  halved.high |= kIntegerBit;
  return {big.negative, big.exponent + 1, halved};
}
Real operator-(const Real& a, const Real& b) { return a + negate(b); }

/// Precondition: b is not zero.
Real operator/(const Real& a, const Real& b) {
  if (a.value.is_zero()) return {a.negative != b.negative, 0, {}};
  const bool below = a.value < b.value;
  Wide rest = below ? a.value : a.value - b.value, quotient{0, below ? 0u : 1u};
  for (unsigned bit = below ? 0 : 1; bit < 128; ++bit) {
    const bool carry = (rest.high & kIntegerBit) != 0;
    rest = rest << 1;
    quotient = quotient << 1;
    if (carry || rest >= b.value) {
      rest = rest - b.value;
      quotient.low |= 1;
    }
  }
  return {a.negative != b.negative, a.exponent - b.exponent + kBias - (below ? 1 : 0), quotient};
}

/// Precondition: 0 < divisor.
Real divide_small(const Real& a, std::uint32_t divisor) {
  const std::uint64_t digits[] = {a.value.high >> 32, a.value.high & 0xffffffffu, a.value.low >> 32, a.value.low & 0xffffffffu, 0};
  std::uint64_t quotient[5]{}, rest = 0;
  for (unsigned i = 0; i < 5; ++i) {
    rest = rest << 32 | digits[i];
    quotient[i] = rest / divisor;
    rest %= divisor;
  }
  Wide value{quotient[0] << 32 | quotient[1], quotient[2] << 32 | quotient[3]};
  if (value.is_zero()) return {a.negative, 0, {}};
  const unsigned zeros = leading_zeros(value);
  value = value << zeros;
  if (zeros != 0 && zeros < 32) value.low |= quotient[4] >> (32 - zeros);
  return {a.negative, a.exponent - static_cast<int>(zeros), value};
}

Result rounded(Real result, Environment env, unsigned flags) {
  if (result.value.is_zero()) return {make_zero(result.negative), static_cast<std::uint16_t>(flags)};
  result.value.low |= 1;
  Result final_result = round_to_register(result, env, 0);
  final_result.status = static_cast<std::uint16_t>(final_result.status | flags);
  return final_result;
}

// --- series -------------------------------------------------------------------------------------------------------------------------
/// exp(y) - 1 for |y| < 0.7.
Real exponential_minus_1(const Real& y) {
  Real sum = kRealOne;
  for (std::uint32_t n = 33; n >= 2; --n) sum = kRealOne + divide_small(y * sum, n);
  return y * sum;
}

/// 2 artanh(s) = ln((1 + s) / (1 - s)) for |s| < 0.18.
Real logarithm_of_ratio(const Real& s) {
  const Real square = s * s;
  Real sum = divide_small(kRealOne, 57);
  for (std::uint32_t n = 55; n >= 1; n -= 2) {
    sum = divide_small(kRealOne, n) + square * sum;
    if (n == 1) break;
  }
  Real result = s * sum;
  if (!result.value.is_zero()) ++result.exponent;
  return result;
}

/// |r| <= pi/4.
Real sine_series(const Real& r) {
  const Real square = r * r;
  Real sum = kRealOne;
  for (std::uint32_t n = 30; n >= 2; n -= 2) sum = kRealOne - divide_small(square * sum, n * (n + 1));
  return r * sum;
}
Real cosine_series(const Real& r) {
  const Real square = r * r;
  Real sum = kRealOne;
  for (std::uint32_t n = 31; n >= 1; n -= 2) {
    sum = kRealOne - divide_small(square * sum, n * (n + 1));
    if (n == 1) break;
  }
  return sum;
}

/// 0 <= t <= 1.
Real arctangent_of(const Real& t) {
  Real reduced = t;
  const Real* offset = nullptr;
  const int quarters = t.value.is_zero() || t.exponent < kBias - 3
                           ? 0
                           : static_cast<int>((t.value >> static_cast<unsigned>(kBias - t.exponent + 127 - 3)).low + 1) / 2;
  if (quarters > 0) {
    const Real c = real(static_cast<std::int64_t>(quarters));
    const Real quarter{false, c.exponent - 2, c.value};
    reduced = (t - quarter) / (kRealOne + t * quarter);
    offset = &kArctangents[quarters - 1];
  }
  const Real square = reduced * reduced;
  Real sum = divide_small(kRealOne, 45);
  for (std::uint32_t n = 43; n >= 1; n -= 2) {
    sum = divide_small(kRealOne, n) - square * sum;
    if (n == 1) break;
  }
  const Real result = reduced * sum;
  return offset == nullptr ? result : *offset + result;
}

/// log2 of a positive number.
Real logarithm_base_2(const Real& x) {
  // sqrt(2): a mantissa above it is halved, so that it stays near 1.
  const bool halve = x.value.high > 0xb504f333f9de6484u;
  const Real mantissa{false, kBias - (halve ? 1 : 0), x.value};
  const Real fraction = logarithm_of_ratio((mantissa - kRealOne) / (mantissa + kRealOne)) * kLog2E;
  return real(static_cast<std::int64_t>(x.exponent - kBias + (halve ? 1 : 0))) + fraction;
}

// --- trigonometry -------------------------------------------------------------------------------------------------------------------
struct Reduced {
  unsigned quadrant = 0;  // modulo 4
  Real rest{};
};

/// Removes the nearest multiple of pi/2, pi having 66 bits, exactly. Precondition: finite, not zero, below 2^63.
Reduced reduce(const Float80& f) {
  constexpr Wide kDivisor{0xc, 0x90fdaa22168c234cu};  // pi/2 * 2^67
  const Real x = real(f);
  if (x.exponent < kBias - 1) return {0, x};
  // Both in units of 2^-67 and below: |f| = significand * 2^(exponent - bias - 63).
  const int shift = x.exponent - kBias - 63 + 67;
  Wide rest{0, x.value.high};
  unsigned quotient = 0;
  if (shift <= 4) {
    rest = rest << static_cast<unsigned>(shift);
  } else {
    rest = rest << 4;
  }
  for (int step = shift <= 4 ? 0 : shift - 4;; --step) {
    for (unsigned n = 0; n < 2 && rest >= kDivisor; ++n) {
      rest = rest - kDivisor;
      ++quotient;
    }
    if (step == 0) break;
    rest = rest << 1;
    quotient <<= 1;
  }
  bool negative = x.negative;
  if ((rest << 1) > kDivisor) {
    rest = kDivisor - rest;
    ++quotient;
    negative = !negative;
  }
  if (x.negative) quotient = 0 - quotient;
  return {quotient & 3u, normalized(negative, kBias + 127 - 67, rest)};
}

Real sine_of(const Reduced& reduced, unsigned quadrants_ahead) {
  const unsigned quadrant = (reduced.quadrant + quadrants_ahead) & 3u;
  const Real result = (quadrant & 1) != 0 ? cosine_series(reduced.rest) : sine_series(reduced.rest);
  return (quadrant & 2) != 0 ? negate(result) : result;
}

bool out_of_range(const Float80& f) { return f.exponent() >= kExponentBias + 63; }

struct TrigonometricStart {
  bool finished = false;
  Result result;
  unsigned flags = 0;
};
TrigonometricStart start_trigonometric(const Float80& st0, Environment env) {
  if (const auto special = special_result(st0)) return {true, *special};
  if (is_infinity(st0)) return {true, invalid_operation()};
  if (out_of_range(st0)) return {true, {st0, status::kC2}};
  if (!is_denormal(st0)) return {};
  return {!masked(env, status::kDenormal), {{}, status::kDenormal}, status::kDenormal};
}

Result sine_or_cosine(const Float80& st0, Environment env, unsigned quadrants_ahead) {
  const TrigonometricStart start = start_trigonometric(st0, env);
  if (start.finished) return start.result;
  if (is_zero(st0)) return {quadrants_ahead == 0 ? st0 : kOne};
  return rounded(sine_of(reduce(st0), quadrants_ahead), env, start.flags);
}

}  // namespace

Result SoftArithmetic::sine(const Float80& st0, Environment env) { return sine_or_cosine(st0, env, 0); }
Result SoftArithmetic::cosine(const Float80& st0, Environment env) { return sine_or_cosine(st0, env, 1); }

PairResult SoftArithmetic::sine_cosine(const Float80& st0, Environment env) {
  const TrigonometricStart start = start_trigonometric(st0, env);
  if (start.finished) return {start.result.value, start.result.value, start.result.status};
  const Result sine_result = sine_or_cosine(st0, env, 0), cosine_result = sine_or_cosine(st0, env, 1);
  return {sine_result.value, cosine_result.value, static_cast<std::uint16_t>(sine_result.status | cosine_result.status)};
}

PairResult SoftArithmetic::tangent(const Float80& st0, Environment env) {
  const TrigonometricStart start = start_trigonometric(st0, env);
  if (start.finished) return {start.result.value, is_nan(start.result.value) ? start.result.value : kOne, start.result.status};
  if (is_zero(st0)) return {st0, kOne};
  const Reduced reduced = reduce(st0);
  const Result result = rounded(sine_of(reduced, 0) / sine_of(reduced, 1), env, start.flags);
  return {result.value, kOne, result.status};
}

Result SoftArithmetic::exp2_minus_1(const Float80& st0, Environment env) {
  if (const auto special = special_result(st0)) return *special;
  if (is_infinity(st0)) return {st0.sign() ? Float80{kOne.significand, 0xbfff} : st0};
  if (is_zero(st0)) return {st0};
  const unsigned flags = is_denormal(st0) ? status::kDenormal : 0;
  if (flags != 0 && !masked(env, status::kDenormal)) return {{}, status::kDenormal};
  const Real x = real(st0);
  if (x.exponent > kBias) return {st0};  // outside the domain; the manual leaves the result undefined
  if (x.exponent == kBias) {
    if (st0.significand != kIntegerBit) return {st0};
    return {x.negative ? compose(true, kBias - 1, kIntegerBit) : st0};
  }
  return rounded(exponential_minus_1(x * kLn2), env, flags);
}

namespace {

/// y * logarithm where the logarithm is zero or infinite, or y is.
Result product_with_limit(const Float80& y, const Float80& logarithm) {
  const bool infinite = is_infinity(y) || is_infinity(logarithm), zero = is_zero(y) || is_zero(logarithm);
  if (infinite && zero) return invalid_operation();
  const bool negative = y.sign() != logarithm.sign();
  return {infinite ? make_infinity(negative) : make_zero(negative)};
}

}  // namespace

Result SoftArithmetic::log2_times(const Float80& st0, const Float80& st1, Environment env) {
  if (const auto special = special_result(st0, st1)) return *special;
  if (st0.sign() && !is_zero(st0)) return invalid_operation();
  const unsigned flags = is_denormal(st0) || is_denormal(st1) ? status::kDenormal : 0;
  if (is_zero(st0) && !is_zero(st1) && !is_infinity(st1)) return {make_infinity(!st1.sign()), status::kZeroDivide};
  const bool one = st0.significand == kIntegerBit && st0.exponent() == kExponentBias;
  const bool below_one = st0.exponent() < kExponentBias;
  Result result;
  const bool limit = is_zero(st0) || is_infinity(st0) || one || is_zero(st1) || is_infinity(st1);
  if (limit) {
    const Float80 logarithm = is_zero(st0)       ? make_infinity(true)
                              : is_infinity(st0) ? st0
                              : one              ? make_zero(false)
                                                 : Float80{kIntegerBit, static_cast<std::uint16_t>(below_one ? 0xbfff : 0x3fff)};
    result = product_with_limit(st1, logarithm);
    if ((result.status & status::kInvalid) != 0) return result;
  }
  if (flags != 0 && !masked(env, status::kDenormal)) return {{}, status::kDenormal};
  if (!limit) return rounded(logarithm_base_2(real(st0)) * real(st1), env, flags);
  result.status = static_cast<std::uint16_t>(result.status | flags);
  return result;
}

Result SoftArithmetic::log2_plus_1_times(const Float80& st0, const Float80& st1, Environment env) {
  if (const auto special = special_result(st0, st1)) return *special;
  const unsigned flags = is_denormal(st0) || is_denormal(st1) ? status::kDenormal : 0;
  Result result;
  const bool limit = is_zero(st0) || is_infinity(st0) || is_zero(st1) || is_infinity(st1);
  if (is_infinity(st0) && st0.sign()) return invalid_operation();
  if (limit) {
    const Float80 logarithm =
        is_zero(st0) || is_infinity(st0) ? st0 : Float80{kIntegerBit, static_cast<std::uint16_t>(st0.sign() ? 0xbfff : 0x3fff)};
    result = product_with_limit(st1, logarithm);
    if ((result.status & status::kInvalid) != 0) return result;
  }
  if (flags != 0 && !masked(env, status::kDenormal)) return {{}, status::kDenormal};
  if (limit) {
    result.status = static_cast<std::uint16_t>(result.status | flags);
    return result;
  }
  const Real x = real(st0);
  if (x.exponent < kBias - 2) {
    const Real two{false, kBias + 1, {kIntegerBit, 0}};
    return rounded(logarithm_of_ratio(x / (two + x)) * kLog2E * real(st1), env, flags);
  }
  const Real sum = kRealOne + x;
  if (sum.negative || sum.value.is_zero()) return {st0};  // outside the domain; the manual leaves the result undefined
  return rounded(logarithm_base_2(sum) * real(st1), env, flags);
}

Result SoftArithmetic::arctangent(const Float80& st0, const Float80& st1, Environment env) {
  if (const auto special = special_result(st0, st1)) return *special;
  const unsigned flags = is_denormal(st0) || is_denormal(st1) ? status::kDenormal : 0;
  if (flags != 0 && !masked(env, status::kDenormal)) return {{}, status::kDenormal};
  // An infinity counts as 1 beside a finite operand, which then counts as 0.
  const bool infinite = is_infinity(st0) || is_infinity(st1);
  const auto part = [infinite](const Float80& f) {
    if (!infinite) return magnitude(real(f));
    return is_infinity(f) ? kRealOne : Real{false, 0, {}};
  };
  const Real x = part(st0), y = part(st1);
  if (y.value.is_zero() && !st0.sign()) return {make_zero(st1.sign()), static_cast<std::uint16_t>(flags)};
  Real angle = kHalfPi;
  if (!x.value.is_zero()) {
    angle = magnitude_less(x, y) ? kHalfPi - arctangent_of(x / y) : arctangent_of(y / x);
  }
  if (st0.sign()) angle = kPi - angle;
  angle.negative = st1.sign();
  return rounded(angle, env, flags);
}

}  // namespace tuxarium::cpu::x87
