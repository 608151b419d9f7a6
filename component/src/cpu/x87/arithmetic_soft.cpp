// Basic operations, square root, rounding, scaling and remainders in software; see arithmetic_soft.hpp.
#include "cpu/x87/arithmetic_soft.hpp"

#include <utility>

#include "cpu/x87/basic.hpp"
#include "cpu/x87/special_operands.hpp"

namespace tuxarium::cpu::x87 {

namespace {

Result with(Result result, unsigned flags) {
  result.status = static_cast<std::uint16_t>(result.status | flags);
  return result;
}
/// A denormal operand: with the exception unmasked nothing is computed.
bool stops(bool denormal, Environment env) { return denormal && !masked(env, status::kDenormal); }

Result denormal_only() { return {{}, status::kDenormal}; }

Result overflowed(const Exact& exact, Environment env, unsigned dropped) {
  const Direction direction = direction_of(env);
  const bool to_infinity = direction == Direction::nearest || direction == (exact.negative ? Direction::down : Direction::up);
  constexpr unsigned kFlags = status::kOverflow | status::kPrecision;
  if (to_infinity) return {make_infinity(exact.negative), static_cast<std::uint16_t>(kFlags | status::kC1)};
  return {compose(exact.negative, kMaxExponent - 1, ~std::uint64_t{0} << dropped), static_cast<std::uint16_t>(kFlags)};
}

Result denormalized(const Exact& exact, Environment env, unsigned dropped) {
  const Wide shifted = shift_right_sticky(exact.value, static_cast<unsigned>(1 - exact.exponent));
  const Rounded rounded = round_significand(exact.negative, shifted, dropped, direction_of(env));
  const unsigned flags = (rounded.inexact ? status::kUnderflow | status::kPrecision : 0) | (rounded.up ? status::kC1 : 0);
  const int exponent = (rounded.significand & kIntegerBit) != 0 ? 1 : 0;
  return {compose(exact.negative, exponent, rounded.significand), static_cast<std::uint16_t>(flags)};
}

}  // namespace

Result round_outside_range(const Exact& exact, Environment env, unsigned dropped, const Rounded& rounded, int exponent) {
  const bool over = exponent >= 1;
  if (masked(env, over ? status::kOverflow : status::kUnderflow)) {
    return over ? overflowed(exact, env, dropped) : denormalized(exact, env, dropped);
  }
  const int adjusted = exponent + (over ? -kBiasAdjust : kBiasAdjust);
  const unsigned flags =
      (over ? status::kOverflow : status::kUnderflow) | (rounded.inexact ? status::kPrecision : 0) | (rounded.up ? status::kC1 : 0);
  // FSCALE can go beyond what the adjustment brings back.
  if (adjusted >= static_cast<int>(kMaxExponent)) {
    return {make_infinity(exact.negative), static_cast<std::uint16_t>(status::kOverflow | status::kPrecision | status::kC1)};
  }
  if (adjusted < 1) return {make_zero(exact.negative), static_cast<std::uint16_t>(flags | status::kPrecision)};
  return {compose(exact.negative, adjusted, rounded.carry ? kIntegerBit : rounded.significand), static_cast<std::uint16_t>(flags)};
}

namespace {

Result add_special(const Float80& a, const Float80& b, Environment env) {
  if (is_infinity(a) && is_infinity(b)) return a.sign() == b.sign() ? Result{a} : invalid_operation();
  if (is_infinity(a)) return {a};
  if (is_infinity(b)) return {b};
  const unsigned dropped = dropped_by_precision(env);
  if (is_zero(a) && is_zero(b)) return {a.sign() == b.sign() ? a : make_zero(direction_of(env) == Direction::down)};
  const Normal only = normalize(is_zero(a) ? b : a);
  return round_to_register({only.negative, only.exponent, {only.significand, 0}}, env, dropped);
}

Result multiply_special(const Float80& a, const Float80& b) {
  const bool negative = a.sign() != b.sign();
  const bool infinite = is_infinity(a) || is_infinity(b), zero = is_zero(a) || is_zero(b);
  if (infinite && zero) return invalid_operation();
  return {infinite ? make_infinity(negative) : make_zero(negative)};
}

Result divide_special(const Float80& a, const Float80& b) {
  const bool negative = a.sign() != b.sign();
  if ((is_infinity(a) && is_infinity(b)) || (is_zero(a) && is_zero(b))) return invalid_operation();
  if (is_infinity(a)) return {make_infinity(negative)};
  if (is_zero(b)) return {make_infinity(negative), status::kZeroDivide};
  return {make_zero(negative)};
}

Result finite(BinaryOp op, const Normal& a, Normal b, Environment env) {
  const unsigned dropped = dropped_by_precision(env);
  if (op == BinaryOp::mul) return multiply_exact(a, b, env, dropped);
  if (op == BinaryOp::div) return divide_exact(a, b, env, dropped);
  return add_exact(a, b, env, dropped);
}

}  // namespace

Result SoftArithmetic::compute(BinaryOp op, const Float80& a, const Float80& b, bool b_denormal, Environment env) {
  if (const auto special = special_result(a, b)) return *special;
  Float80 x = a, y = b;
  if (op == BinaryOp::sub_reversed || op == BinaryOp::div_reversed) std::swap(x, y);
  if (op == BinaryOp::sub || op == BinaryOp::sub_reversed) y.sign_exponent ^= 0x8000u;
  if (op == BinaryOp::sub || op == BinaryOp::sub_reversed) op = BinaryOp::add;
  if (op == BinaryOp::div_reversed) op = BinaryOp::div;
  const bool denormal = is_denormal(a) || b_denormal;
  const bool plain = !is_infinity(x) && !is_infinity(y) && !is_zero(x) && !is_zero(y);
  Result result;
  if (!plain) {
    result = op == BinaryOp::add ? add_special(x, y, env) : op == BinaryOp::mul ? multiply_special(x, y) : divide_special(x, y);
    if ((result.status & status::kPreComputation) != 0) return result;
  }
  if (stops(denormal, env)) return denormal_only();
  if (plain) result = finite(op, normalize(x), normalize(y), env);
  return with(result, denormal ? status::kDenormal : 0);
}

Result SoftArithmetic::square_root(const Float80& st0, Environment env) {
  if (const auto special = special_result(st0)) return *special;
  if (is_zero(st0)) return {st0};
  if (st0.sign()) return invalid_operation();
  if (is_infinity(st0)) return {st0};
  const bool denormal = is_denormal(st0);
  if (stops(denormal, env)) return denormal_only();
  const Normal n = normalize(st0);
  const int unbiased = n.exponent - static_cast<int>(kExponentBias);
  const bool odd = (unbiased & 1) != 0;
  // The radicand is in [1/4, 1), so that the root of 64 bits has its top bit set.
  const Wide radicand = odd ? Wide{n.significand, 0} : Wide{n.significand >> 1, n.significand << 63};
  std::uint64_t root = 0;
  for (std::uint64_t bit = kIntegerBit; bit != 0; bit >>= 1) {
    const std::uint64_t trial = root | bit;
    if (multiply(trial, trial) <= radicand) root = trial;
  }
  const Wide rest = radicand - multiply(root, root);
  // The next bit of the root is set when rest > root: (root + 1/2)^2 = root^2 + root + 1/4.
  const std::uint64_t low = rest.is_zero() ? 0 : (rest > Wide{0, root} ? kIntegerBit | 1 : 1);
  const int exponent = (unbiased >> 1) + static_cast<int>(kExponentBias);
  return with(round_to_register({false, exponent, {root, low}}, env, dropped_by_precision(env)), denormal ? status::kDenormal : 0);
}

Result SoftArithmetic::round_to_integer(const Float80& st0, Environment env) {
  if (const auto special = special_result(st0)) return *special;
  if (is_zero(st0) || st0.exponent() >= kExponentBias + 63) return {st0};
  const bool denormal = is_denormal(st0);
  if (stops(denormal, env)) return denormal_only();
  const unsigned shift = kExponentBias + 63 - (denormal ? 1 : st0.exponent());
  const Wide value = shift_right_sticky({st0.significand, 0}, shift);
  const Rounded rounded = round_significand(st0.sign(), value, 0, direction_of(env));
  const unsigned flags = (rounded.inexact ? status::kPrecision : 0) | (rounded.up ? status::kC1 : 0) | (denormal ? status::kDenormal : 0);
  Float80 result = make_zero(st0.sign());
  if (rounded.significand != 0) {
    const int zeros = std::countl_zero(rounded.significand);
    result = compose(st0.sign(), static_cast<int>(kExponentBias) + 63 - zeros, rounded.significand << zeros);
  }
  return {result, static_cast<std::uint16_t>(flags)};
}

ValueResult SoftArithmetic::narrow(const Float80& a, unsigned fraction_bits, unsigned exponent_bits, Environment env) {
  const unsigned dropped = 63 - fraction_bits;
  const int maximum = (1 << exponent_bits) - 1;
  const std::uint64_t sign = std::uint64_t{a.sign()} << (fraction_bits + exponent_bits);
  const auto infinity = static_cast<std::uint64_t>(maximum) << fraction_bits;
  const std::uint64_t fraction_mask = (std::uint64_t{1} << fraction_bits) - 1;
  const auto reported = [](const Rounded& r, unsigned more) {
    return static_cast<std::uint16_t>((r.inexact ? status::kPrecision : 0) | (r.up ? status::kC1 : 0) | more);
  };
  if (is_unsupported(a)) {
    const std::uint64_t negative = std::uint64_t{1} << (fraction_bits + exponent_bits);
    return {negative | infinity | std::uint64_t{1} << (fraction_bits - 1), status::kInvalid};
  }
  if (is_nan(a)) {
    const std::uint64_t payload = quiet(a).significand >> dropped & fraction_mask;
    return {sign | infinity | payload, static_cast<std::uint16_t>(is_signaling(a) ? status::kInvalid : 0)};
  }
  if (is_infinity(a)) return {sign | infinity};
  if (is_zero(a)) return {sign};

  const Normal n = normalize(a);
  const int rebias = static_cast<int>(kExponentBias) - (maximum >> 1);
  const Rounded rounded = round_significand(n.negative, {n.significand, 0}, dropped, direction_of(env));
  const int exponent = n.exponent - rebias + (rounded.carry ? 1 : 0);
  if (exponent >= maximum) {
    if (!masked(env, status::kOverflow)) return {0, status::kOverflow};
    const Result over = overflowed({n.negative, n.exponent, {n.significand, 0}}, env, 0);
    return {sign | (is_infinity(over.value) ? infinity : infinity - 1), over.status};
  }
  if (exponent >= 1) {
    return {sign | static_cast<std::uint64_t>(exponent) << fraction_bits | (rounded.significand >> dropped & fraction_mask),
            reported(rounded, 0)};
  }
  if (!masked(env, status::kUnderflow)) return {0, status::kUnderflow};
  const Wide shifted = shift_right_sticky({n.significand, 0}, static_cast<unsigned>(1 - (n.exponent - rebias)));
  const Rounded tiny = round_significand(n.negative, shifted, dropped, direction_of(env));
  // A carry into the integer bit is the exponent field 1.
  return {sign | tiny.significand >> dropped, reported(tiny, tiny.inexact ? status::kUnderflow : 0)};
}

Result SoftArithmetic::scale(const Float80& st0, const Float80& st1, Environment env) {
  if (const auto special = special_result(st0, st1)) return *special;
  if (is_infinity(st1)) {
    if (st1.sign() ? is_infinity(st0) : is_zero(st0)) return invalid_operation();
  }
  const bool denormal = is_denormal(st0) || is_denormal(st1);
  if (stops(denormal, env)) return denormal_only();
  const unsigned flags = denormal ? status::kDenormal : 0;
  if (is_infinity(st1)) return {st1.sign() ? make_zero(st0.sign()) : make_infinity(st0.sign()), static_cast<std::uint16_t>(flags)};
  if (is_zero(st0) || is_infinity(st0)) return {st0, static_cast<std::uint16_t>(flags)};
  constexpr int kFar = 0x10000;
  int amount = 0;
  if (st1.exponent() >= kExponentBias + 16) {
    amount = kFar;
  } else if (st1.exponent() >= kExponentBias) {
    amount = static_cast<int>(st1.significand >> (kExponentBias + 63 - st1.exponent()));
  }
  const Normal n = normalize(st0);
  return with(round_to_register({n.negative, n.exponent + (st1.sign() ? -amount : amount), {n.significand, 0}}, env, 0), flags);
}

PairResult SoftArithmetic::extract(const Float80& st0, Environment env) {
  if (const auto special = special_result(st0)) return {special->value, special->value, special->status};
  if (is_infinity(st0)) return {make_infinity(false), st0};
  if (is_zero(st0)) return {make_infinity(true), st0, status::kZeroDivide};
  if (stops(is_denormal(st0), env)) return {{}, {}, status::kDenormal};
  const Normal n = normalize(st0);
  return {from_integer(n.exponent - static_cast<int>(kExponentBias)), compose(n.negative, kExponentBias, n.significand),
          static_cast<std::uint16_t>(is_denormal(st0) ? status::kDenormal : 0)};
}

namespace {

/// Quotient modulo 2^64 and remainder of significands, the dividend shifted left by `shift`.
struct LongDivision {
  std::uint64_t quotient = 0;
  Wide remainder;  // below 2^64
};
LongDivision divide_long(std::uint64_t dividend, std::uint64_t divisor, unsigned shift) {
  LongDivision result;
  result.remainder = {0, dividend};
  const Wide by{0, divisor};
  for (unsigned step = 0;; ++step) {
    result.quotient <<= 1;
    if (result.remainder >= by) {
      result.remainder = result.remainder - by;
      result.quotient |= 1;
    }
    if (step == shift) return result;
    result.remainder = result.remainder << 1;
  }
}

Result remainder(const Float80& st0, const Float80& st1, Environment env, bool nearest) {
  if (const auto special = special_result(st0, st1)) return *special;
  if (is_infinity(st0) || is_zero(st1)) return invalid_operation();
  const bool denormal = is_denormal(st0) || is_denormal(st1);
  if (stops(denormal, env)) return denormal_only();
  unsigned flags = denormal ? status::kDenormal : 0;
  if (is_zero(st0)) return {st0, static_cast<std::uint16_t>(flags)};
  const Normal a = normalize(st0);
  if (is_infinity(st1)) return with(round_to_register({a.negative, a.exponent, {a.significand, 0}}, env, 0), flags);
  const Normal b = normalize(st1);
  const int distance = a.exponent - b.exponent;
  const auto finish = [&](bool negative, int exponent, const Wide& rest) -> Result {
    if (rest.is_zero()) return {make_zero(a.negative), static_cast<std::uint16_t>(flags)};
    const unsigned zeros = leading_zeros(rest);
    return with(round_to_register({negative, exponent - static_cast<int>(zeros) + 64, rest << zeros}, env, 0), flags);
  };
  if (distance < (nearest ? -1 : 0)) return finish(a.negative, a.exponent, {0, a.significand});
  if (distance >= 64) {
    // Part of the quotient only: 32 to 63 bits of it, so that the exponent falls by at least 32.
    const unsigned step = (static_cast<unsigned>(distance) & 31u) | 32u;
    const LongDivision part = divide_long(a.significand, b.significand, step);
    flags |= status::kC2;
    return finish(a.negative, a.exponent - static_cast<int>(step), part.remainder);
  }
  LongDivision whole;
  if (distance >= 0) {
    whole = divide_long(a.significand, b.significand, static_cast<unsigned>(distance));
  } else {
    whole.remainder = {0, a.significand};
  }
  // The remainder counts in units of the divisor's last place, or of half of it when the dividend is below the divisor.
  const int exponent = distance >= 0 ? b.exponent : a.exponent;
  bool negative = a.negative;
  if (nearest) {
    const Wide divisor = distance >= 0 ? Wide{0, b.significand} : Wide{0, b.significand} << 1;
    const Wide twice = whole.remainder << 1;
    if (twice > divisor || (twice == divisor && (whole.quotient & 1) != 0)) {
      whole.remainder = divisor - whole.remainder;
      ++whole.quotient;
      negative = !negative;
    }
  }
  if ((whole.quotient & 1) != 0) flags |= status::kC1;
  if ((whole.quotient & 2) != 0) flags |= status::kC3;
  if ((whole.quotient & 4) != 0) flags |= status::kC0;
  Result result = finish(negative, exponent, whole.remainder);
  // C1 is the quotient's lowest bit, whatever the (exact) result did.
  result.status = static_cast<std::uint16_t>((result.status & ~status::kC1) | (flags & status::kC1));
  return result;
}

}  // namespace

Result SoftArithmetic::remainder_truncating(const Float80& st0, const Float80& st1, Environment env) {
  return remainder(st0, st1, env, false);
}
Result SoftArithmetic::remainder_nearest(const Float80& st0, const Float80& st1, Environment env) { return remainder(st0, st1, env, true); }

}  // namespace tuxarium::cpu::x87
