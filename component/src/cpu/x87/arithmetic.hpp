// The seam between the unit (stack, tags, faults) and the arithmetic on register images.
//
// A backend is a struct of static functions; NativeArithmetic and SoftArithmetic have the same ones:
//   template <BinaryOp> Result binary(Float80 destination, Float80 source, Environment)
//   template <BinaryOp> Result binary_f32(Float80 destination, uint32_t source, Environment), binary_f64(..., uint64_t, ...)
//   Result square_root, round_to_integer, exp2_minus_1, sine, cosine (Float80 st0, Environment)
//   Result scale, remainder_truncating, remainder_nearest, log2_times, log2_plus_1_times, arctangent (Float80 st0, Float80 st1,
//   Environment) PairResult tangent, sine_cosine, extract (Float80 st0, Environment) template <unsigned bytes> ValueResult
//   to_float(Float80, Environment)    4 or 8 template <unsigned bytes> ValueResult to_integer(Float80, Environment)  2, 4 or 8
// `status` of a result has the exception flags that the operation raised, C1, and for remainders and trigonometry the other condition
// bits, at their places in the status word. With an unmasked pre-computation exception (IE, DE, ZE) the value is meaningless and must not
// be stored; with unmasked overflow or underflow a register result is scaled by 2^-24576 or 2^24576.
#pragma once

#include <cstdint>

#include "cpu/x87/float80.hpp"

namespace tuxarium::cpu::x87 {

enum class BinaryOp : std::uint8_t { add, mul, sub, sub_reversed, div, div_reversed };

struct Environment {
  std::uint16_t control = 0x037f;  ///< the control word: masks, precision, rounding
  /// Exceptions that are masked and already flagged: a backend may report them without having looked closely.
  std::uint16_t quiet = 0;
};

struct Result {
  Float80 value;
  std::uint16_t status = 0;
};

/// Two register results: `deeper` replaces ST(0), then `top` is pushed.
struct PairResult {
  Float80 deeper, top;
  std::uint16_t status = 0;
};

/// An integer or a single or double, as its bits.
struct ValueResult {
  std::uint64_t bits = 0;
  std::uint16_t status = 0;
};

}  // namespace tuxarium::cpu::x87
