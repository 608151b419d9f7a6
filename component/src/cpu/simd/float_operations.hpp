// The floating-point operations of SSE, SSE2 and SSE3, each by the host's instruction of the same name, under whatever MXCSR is loaded.
// Volatile assembly: the compiler must not move them across a change of MXCSR.
#pragma once

#include "cpu/simd/vector.hpp"

#ifdef TUXARIUM_HOST_SSE2

namespace tuxarium::cpu::simd {

/// The results whose denormals tell of an exact underflow.
enum class Tiny : std::uint8_t { never, ps, pd, ss, sd };

template <class Lane>
bool is_denormal(Lane bits) {
  constexpr Lane kExponent = sizeof(Lane) == 4 ? static_cast<Lane>(0x7f800000u) : static_cast<Lane>(0x7ff0000000000000u);
  constexpr Lane kFraction = static_cast<Lane>(sizeof(Lane) == 4 ? 0x007fffffu : 0x000fffffffffffffu);
  return (bits & kExponent) == 0 && (bits & kFraction) != 0;
}

/// True when one of the first `count` lanes is denormal.
template <class Lane>
bool any_denormal(Packed value, std::size_t count) {
  const LaneArray<Lane> lanes = split<Lane>(to_lanes(value));
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) any = any || is_denormal(lanes[i]);
  return any;
}

template <Tiny Kind>
struct FloatOperation {
  static constexpr bool kFloat = true;
  /// True when the result is denormal where the operation can make it so.
  static bool tiny(Packed result) {
    switch (Kind) {
      case Tiny::ps: return any_denormal<std::uint32_t>(result, 4);
      case Tiny::pd: return any_denormal<std::uint64_t>(result, 2);
      case Tiny::ss: return any_denormal<std::uint32_t>(result, 1);
      case Tiny::sd: return any_denormal<std::uint64_t>(result, 1);
      default: return false;
    }
  }
};

/// Operations that neither read nor write MXCSR.
struct UncheckedOperation {};

/// destination = name(destination, source).
#define TUXARIUM_SIMD_FLOAT(name, base)                              \
  struct name : base {                                               \
    static Packed apply(Packed a, Packed b, std::uint32_t) {         \
      asm volatile(#name " %1, %0" : "+x"(a.v) : "x"(b.v));          \
      return a;                                                      \
    }                                                                \
  };
#define TUXARIUM_SIMD_FOUR(name, tiny_ps, tiny_pd, tiny_ss, tiny_sd)   \
  TUXARIUM_SIMD_FLOAT(name##ps, FloatOperation<Tiny::tiny_ps>)         \
  TUXARIUM_SIMD_FLOAT(name##pd, FloatOperation<Tiny::tiny_pd>)         \
  TUXARIUM_SIMD_FLOAT(name##ss, FloatOperation<Tiny::tiny_ss>)         \
  TUXARIUM_SIMD_FLOAT(name##sd, FloatOperation<Tiny::tiny_sd>)
TUXARIUM_SIMD_FOUR(add, ps, pd, ss, sd)
TUXARIUM_SIMD_FOUR(sub, ps, pd, ss, sd)
TUXARIUM_SIMD_FOUR(mul, ps, pd, ss, sd)
TUXARIUM_SIMD_FOUR(div, ps, pd, ss, sd)
TUXARIUM_SIMD_FOUR(min, never, never, never, never)
TUXARIUM_SIMD_FOUR(max, never, never, never, never)
TUXARIUM_SIMD_FOUR(sqrt, never, never, never, never)
TUXARIUM_SIMD_FLOAT(rcpps, UncheckedOperation)
TUXARIUM_SIMD_FLOAT(rcpss, UncheckedOperation)
TUXARIUM_SIMD_FLOAT(rsqrtps, UncheckedOperation)
TUXARIUM_SIMD_FLOAT(rsqrtss, UncheckedOperation)
TUXARIUM_SIMD_FLOAT(cvtps2pd, FloatOperation<Tiny::never>)
TUXARIUM_SIMD_FLOAT(cvtpd2ps, FloatOperation<Tiny::ps>)
TUXARIUM_SIMD_FLOAT(cvtss2sd, FloatOperation<Tiny::never>)
TUXARIUM_SIMD_FLOAT(cvtsd2ss, FloatOperation<Tiny::ss>)
TUXARIUM_SIMD_FLOAT(cvtdq2ps, FloatOperation<Tiny::never>)
TUXARIUM_SIMD_FLOAT(cvtps2dq, FloatOperation<Tiny::never>)
TUXARIUM_SIMD_FLOAT(cvttps2dq, FloatOperation<Tiny::never>)
TUXARIUM_SIMD_FLOAT(cvtdq2pd, UncheckedOperation)
TUXARIUM_SIMD_FLOAT(cvtpd2dq, FloatOperation<Tiny::never>)
TUXARIUM_SIMD_FLOAT(cvttpd2dq, FloatOperation<Tiny::never>)
#undef TUXARIUM_SIMD_FOUR
#undef TUXARIUM_SIMD_FLOAT

/// CMPccPS and the like; `Predicate` is bits 0-2 of the immediate.
#define TUXARIUM_SIMD_COMPARE(name)                                                       \
  template <unsigned Predicate>                                                           \
  struct name : FloatOperation<Tiny::never> {                                             \
    static Packed apply(Packed a, Packed b, std::uint32_t) {                              \
      asm volatile(#name " %2, %1, %0" : "+x"(a.v) : "x"(b.v), "i"(Predicate));           \
      return a;                                                                           \
    }                                                                                     \
  };
TUXARIUM_SIMD_COMPARE(cmpps)
TUXARIUM_SIMD_COMPARE(cmppd)
TUXARIUM_SIMD_COMPARE(cmpss)
TUXARIUM_SIMD_COMPARE(cmpsd)
#undef TUXARIUM_SIMD_COMPARE

/// COMISS and the like: the result is EFLAGS with ZF, PF and CF.
#define TUXARIUM_SIMD_EFLAGS(name)                                                                                             \
  struct name : FloatOperation<Tiny::never> {                                                                                  \
    static Packed apply(Packed a, Packed b, std::uint32_t) {                                                                   \
      bool zero, parity, carry;                                                                                                \
      asm volatile(#name " %4, %3" : "=@ccz"(zero), "=@ccp"(parity), "=@ccc"(carry) : "x"(a.v), "x"(b.v));                     \
      return from_low((zero ? std::uint64_t{1} << 6 : 0) | (parity ? std::uint64_t{1} << 2 : 0) | std::uint64_t{carry});       \
    }                                                                                                                          \
  };
TUXARIUM_SIMD_EFLAGS(comiss)
TUXARIUM_SIMD_EFLAGS(comisd)
TUXARIUM_SIMD_EFLAGS(ucomiss)
TUXARIUM_SIMD_EFLAGS(ucomisd)
#undef TUXARIUM_SIMD_EFLAGS

/// To a 32-bit integer.
#define TUXARIUM_SIMD_TO_INTEGER(name)                            \
  struct name : FloatOperation<Tiny::never> {                     \
    static Packed apply(Packed, Packed b, std::uint32_t) {        \
      std::uint32_t value;                                        \
      asm volatile(#name " %1, %0" : "=r"(value) : "x"(b.v));     \
      return from_low(value);                                     \
    }                                                             \
  };
TUXARIUM_SIMD_TO_INTEGER(cvtss2si)
TUXARIUM_SIMD_TO_INTEGER(cvttss2si)
TUXARIUM_SIMD_TO_INTEGER(cvtsd2si)
TUXARIUM_SIMD_TO_INTEGER(cvttsd2si)
#undef TUXARIUM_SIMD_TO_INTEGER

/// From a 32-bit integer into the low element.
#define TUXARIUM_SIMD_FROM_INTEGER(name, base)                                                       \
  struct name : base {                                                                               \
    static Packed apply(Packed a, Packed b, std::uint32_t) {                                         \
      asm volatile(#name "l %1, %0" : "+x"(a.v) : "r"(static_cast<std::uint32_t>(low_of(b))));       \
      return a;                                                                                      \
    }                                                                                                \
  };
TUXARIUM_SIMD_FROM_INTEGER(cvtsi2ss, FloatOperation<Tiny::never>)
TUXARIUM_SIMD_FROM_INTEGER(cvtsi2sd, UncheckedOperation)
#undef TUXARIUM_SIMD_FROM_INTEGER

/// Conversions that leave the upper half of the XMM destination alone, or that have an MMX register as destination: by their XMM form on
/// operands with zeros above.
struct cvtpi2ps : FloatOperation<Tiny::never> {
  static Packed apply(Packed a, Packed b, std::uint32_t imm) { return join_low(cvtdq2ps::apply(b, b, imm), from_low(high_of(a))); }
};
template <class OfXmm>
struct LowSingles : FloatOperation<Tiny::never> {
  static Packed apply(Packed, Packed b, std::uint32_t imm) {
    const Packed low = from_low(low_of(b));
    return OfXmm::apply(low, low, imm);
  }
};
using cvtps2pi = LowSingles<cvtps2dq>;
using cvttps2pi = LowSingles<cvttps2dq>;
using cvtpi2pd = cvtdq2pd;
using cvtpd2pi = cvtpd2dq;
using cvttpd2pi = cvttpd2dq;

// SSE3: sums across and with changed signs, made of the operations of SSE so that the host need not have it. The halves of a pair go
// through one packed operation, and the flags are those of all of them together.
template <class Sum>
struct HorizontalSingles : Sum {
  static Packed apply(Packed a, Packed b, std::uint32_t imm) {
    Packed even = a, odd = a;
    asm("shufps $0x88, %1, %0" : "+x"(even.v) : "x"(b.v));
    asm("shufps $0xdd, %1, %0" : "+x"(odd.v) : "x"(b.v));
    return Sum::apply(even, odd, imm);
  }
};
template <class Sum>
struct HorizontalDoubles : Sum {
  static Packed apply(Packed a, Packed b, std::uint32_t imm) {
    return Sum::apply(join_low(a, b), {_mm_unpackhi_epi64(a.v, b.v)}, imm);
  }
};
using haddps = HorizontalSingles<addps>;
using hsubps = HorizontalSingles<subps>;
using haddpd = HorizontalDoubles<addpd>;
using hsubpd = HorizontalDoubles<subpd>;

/// ADDSUBPS, ADDSUBPD: differences in the even elements, whose bits in each half are `even_low` and `even_high`, sums in the odd ones. Zeros
/// stand in for the elements that an operation is not asked for.
template <class Sum, class Difference, std::uint64_t EvenLow, std::uint64_t EvenHigh>
struct AddSubtract : Sum {
  static Packed apply(Packed a, Packed b, std::uint32_t imm) {
    const __m128i even = _mm_set_epi64x(static_cast<long long>(EvenHigh), static_cast<long long>(EvenLow));
    const Packed differences = Difference::apply({_mm_and_si128(even, a.v)}, {_mm_and_si128(even, b.v)}, imm);
    const Packed sums = Sum::apply({_mm_andnot_si128(even, a.v)}, {_mm_andnot_si128(even, b.v)}, imm);
    return {_mm_or_si128(_mm_and_si128(even, differences.v), _mm_andnot_si128(even, sums.v))};
  }
};
using addsubps = AddSubtract<addps, subps, 0xffffffffu, 0xffffffffu>;
using addsubpd = AddSubtract<addpd, subpd, ~std::uint64_t{0}, 0>;

}  // namespace tuxarium::cpu::simd

#endif
