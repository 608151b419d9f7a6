// Arithmetic in software, for hosts without an x87: exact results and flags for everything but the transcendental functions, which are
// evaluated with about 120 bits and then rounded (error below 0.51 units in the last place of the 64-bit significand; the argument of
// the trigonometric functions is reduced with the 66-bit pi of SDM vol. 1, section 8.3.8).
#pragma once

#include "cpu/x87/arithmetic.hpp"
#include "cpu/x87/conversions.hpp"

namespace tuxarium::cpu::x87 {

struct SoftArithmetic {
  template <BinaryOp op>
  static Result binary(const Float80& a, const Float80& b, Environment env) {
    return compute(op, a, b, is_denormal(b), env);
  }
  template <BinaryOp op>
  static Result binary_f32(const Float80& a, std::uint32_t b, Environment env) {
    return compute(op, a, widen_f32(b), is_denormal_f32(b), env);
  }
  template <BinaryOp op>
  static Result binary_f64(const Float80& a, std::uint64_t b, Environment env) {
    return compute(op, a, widen_f64(b), is_denormal_f64(b), env);
  }
  template <unsigned bytes>
  static ValueResult to_float(const Float80& a, Environment env) {
    return bytes == 4 ? narrow(a, 23, 8, env) : narrow(a, 52, 11, env);
  }
  static Result square_root(const Float80& st0, Environment env);
  static Result round_to_integer(const Float80& st0, Environment env);
  static Result exp2_minus_1(const Float80& st0, Environment env);
  static Result sine(const Float80& st0, Environment env);
  static Result cosine(const Float80& st0, Environment env);

  static Result scale(const Float80& st0, const Float80& st1, Environment env);
  static Result remainder_truncating(const Float80& st0, const Float80& st1, Environment env);
  static Result remainder_nearest(const Float80& st0, const Float80& st1, Environment env);
  static Result log2_times(const Float80& st0, const Float80& st1, Environment env);
  static Result log2_plus_1_times(const Float80& st0, const Float80& st1, Environment env);
  static Result arctangent(const Float80& st0, const Float80& st1, Environment env);

  static PairResult tangent(const Float80& st0, Environment env);
  static PairResult sine_cosine(const Float80& st0, Environment env);
  static PairResult extract(const Float80& st0, Environment env);

 private:
  static Result compute(BinaryOp op, const Float80& a, const Float80& b, bool b_denormal, Environment env);
  static ValueResult narrow(const Float80& a, unsigned fraction_bits, unsigned exponent_bits, Environment env);
};

}  // namespace tuxarium::cpu::x87
