// The seam between the unit (stack, tags, faults) and the arithmetic on register images.
//
// A backend is a struct of static functions; NativeArithmetic and SoftArithmetic have the same ones:
//   binary<op>(destination, source, environment)             and binary_f32, binary_f64 with the source as bits
//   square_root, round_to_integer, exp2_minus_1, sine, cosine                               (st0, environment)
//   scale, remainder_truncating, remainder_nearest, log2_times, log2_plus_1_times, arctangent (st0, st1, environment)
//   tangent, sine_cosine, extract: two results                                              (st0, environment)
//   to_float<bytes>: a single (4) or double (8) as bits                                     (value, environment)
// What is common and needs no rare case is in basic.hpp, for every host.
//
// `status` of a result has the exception flags that the operation raised, C1, and for remainders and trigonometry the other condition
// bits, at their places in the status word. With an unmasked pre-computation exception (IE, DE, ZE) the value is meaningless and must not
// be stored; with unmasked overflow or underflow a register result is scaled by 2^-24576 or 2^24576.
#pragma once

#include <cstdint>

#include "cpu/x87/float80.hpp"

// A function that must not be called: handlers that use it keep nothing on the host's stack.
#if defined(__GNUC__)
#define TUXARIUM_X87_HOT inline __attribute__((always_inline))
#else
#define TUXARIUM_X87_HOT inline
#endif

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
