// The element operations of MMX and SSE2 on integers: Intel SDM volume 2. A structure for each, named after its instruction.
//
//   portable(a, b)        destination and source operand to the new destination
//   apply(a, b, imm)      the same on Packed values, by the host's own instruction where there is one
//   kNarrow               how the MMX instruction of the same name follows from the 128-bit one
#pragma once

#include "cpu/simd/vector.hpp"

namespace tuxarium::cpu::simd {

enum class Narrow : std::uint8_t {
  low,         // the low half of the result on zero-extended operands
  spread,      // the low half of the result on operands whose upper 32 bits stand in the high half
  joined,      // the low half of the result on (source : destination) and itself
};

#ifdef TUXARIUM_HOST_SSE2
#define TUXARIUM_SIMD_APPLY(intrinsic) \
  static Packed apply(Packed a, Packed b, std::uint32_t) { return {intrinsic(a.v, b.v)}; }
#else
#define TUXARIUM_SIMD_APPLY(intrinsic) \
  static Packed apply(Packed a, Packed b, std::uint32_t) { return {portable(a.v, b.v)}; }
#endif

// Lane by lane: `lane` is the type of x and y.
#define TUXARIUM_SIMD_LANES(name, lane, expression, intrinsic)                                  \
  struct name {                                                                                 \
    static constexpr Narrow kNarrow = Narrow::low;                                              \
    static Lanes portable(const Lanes& a, const Lanes& b) {                                     \
      return each_lane<lane>(a, b, []([[maybe_unused]] lane x, lane y) { return expression; }); \
    }                                                                                           \
    TUXARIUM_SIMD_APPLY(intrinsic)                                                              \
  };
TUXARIUM_SIMD_LANES(paddb, std::uint8_t, x + y, _mm_add_epi8)
TUXARIUM_SIMD_LANES(paddw, std::uint16_t, x + y, _mm_add_epi16)
TUXARIUM_SIMD_LANES(paddd, std::uint32_t, x + y, _mm_add_epi32)
TUXARIUM_SIMD_LANES(paddq, std::uint64_t, x + y, _mm_add_epi64)
TUXARIUM_SIMD_LANES(paddsb, std::int8_t, saturate<std::int8_t>(x + y), _mm_adds_epi8)
TUXARIUM_SIMD_LANES(paddsw, std::int16_t, saturate<std::int16_t>(x + y), _mm_adds_epi16)
TUXARIUM_SIMD_LANES(paddusb, std::uint8_t, saturate<std::uint8_t>(x + y), _mm_adds_epu8)
TUXARIUM_SIMD_LANES(paddusw, std::uint16_t, saturate<std::uint16_t>(x + y), _mm_adds_epu16)
TUXARIUM_SIMD_LANES(psubb, std::uint8_t, x - y, _mm_sub_epi8)
TUXARIUM_SIMD_LANES(psubw, std::uint16_t, x - y, _mm_sub_epi16)
TUXARIUM_SIMD_LANES(psubd, std::uint32_t, x - y, _mm_sub_epi32)
TUXARIUM_SIMD_LANES(psubq, std::uint64_t, x - y, _mm_sub_epi64)
TUXARIUM_SIMD_LANES(psubsb, std::int8_t, saturate<std::int8_t>(x - y), _mm_subs_epi8)
TUXARIUM_SIMD_LANES(psubsw, std::int16_t, saturate<std::int16_t>(x - y), _mm_subs_epi16)
TUXARIUM_SIMD_LANES(psubusb, std::uint8_t, saturate<std::uint8_t>(x - y), _mm_subs_epu8)
TUXARIUM_SIMD_LANES(psubusw, std::uint16_t, saturate<std::uint16_t>(x - y), _mm_subs_epu16)
TUXARIUM_SIMD_LANES(pmullw, std::int16_t, x * y, _mm_mullo_epi16)
TUXARIUM_SIMD_LANES(pmulhw, std::int16_t, (x * y) >> 16, _mm_mulhi_epi16)
TUXARIUM_SIMD_LANES(pmulhuw, std::uint16_t, (std::uint32_t{x} * y) >> 16, _mm_mulhi_epu16)
TUXARIUM_SIMD_LANES(pminub, std::uint8_t, y < x ? y : x, _mm_min_epu8)
TUXARIUM_SIMD_LANES(pmaxub, std::uint8_t, y > x ? y : x, _mm_max_epu8)
TUXARIUM_SIMD_LANES(pminsw, std::int16_t, y < x ? y : x, _mm_min_epi16)
TUXARIUM_SIMD_LANES(pmaxsw, std::int16_t, y > x ? y : x, _mm_max_epi16)
TUXARIUM_SIMD_LANES(pavgb, std::uint8_t, (x + y + 1) >> 1, _mm_avg_epu8)
TUXARIUM_SIMD_LANES(pavgw, std::uint16_t, (x + y + 1) >> 1, _mm_avg_epu16)
TUXARIUM_SIMD_LANES(pcmpeqb, std::uint8_t, x == y ? 0xff : 0, _mm_cmpeq_epi8)
TUXARIUM_SIMD_LANES(pcmpeqw, std::uint16_t, x == y ? 0xffff : 0, _mm_cmpeq_epi16)
TUXARIUM_SIMD_LANES(pcmpeqd, std::uint32_t, x == y ? 0xffffffffu : 0, _mm_cmpeq_epi32)
TUXARIUM_SIMD_LANES(pcmpgtb, std::int8_t, x > y ? -1 : 0, _mm_cmpgt_epi8)
TUXARIUM_SIMD_LANES(pcmpgtw, std::int16_t, x > y ? -1 : 0, _mm_cmpgt_epi16)
TUXARIUM_SIMD_LANES(pcmpgtd, std::int32_t, x > y ? -1 : 0, _mm_cmpgt_epi32)
TUXARIUM_SIMD_LANES(pand, std::uint64_t, x & y, _mm_and_si128)
TUXARIUM_SIMD_LANES(pandn, std::uint64_t, ~x & y, _mm_andnot_si128)
TUXARIUM_SIMD_LANES(por, std::uint64_t, x | y, _mm_or_si128)
TUXARIUM_SIMD_LANES(pxor, std::uint64_t, x ^ y, _mm_xor_si128)
#undef TUXARIUM_SIMD_LANES

// Across lanes.

template <class From, class To>
Lanes pack_lanes(const Lanes& a, const Lanes& b) {
  const LaneArray<From> x = split<From>(a), y = split<From>(b);
  LaneArray<To> result{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    result[i] = saturate<To>(x[i]);
    result[i + x.size()] = saturate<To>(y[i]);
  }
  return merge<To>(result);
}

/// The lanes of `a` and `b` in turn.
template <class Lane>
Lanes interleave(std::uint64_t a, std::uint64_t b) {
  const LaneArray<Lane> x = split<Lane>({a, 0}), y = split<Lane>({b, 0});
  LaneArray<Lane> result{};
  for (std::size_t i = 0; i < result.size() / 2; ++i) {
    result[2 * i] = x[i];
    result[2 * i + 1] = y[i];
  }
  return merge<Lane>(result);
}

inline Lanes multiply_even(const Lanes& a, const Lanes& b) { return {(a[0] & 0xffffffffu) * (b[0] & 0xffffffffu), (a[1] & 0xffffffffu) * (b[1] & 0xffffffffu)}; }

inline Lanes multiply_and_add_pairs(const Lanes& a, const Lanes& b) {
  const LaneArray<std::int16_t> x = split<std::int16_t>(a), y = split<std::int16_t>(b);
  LaneArray<std::uint32_t> result{};
  for (std::size_t i = 0; i < x.size(); ++i) result[i / 2] += static_cast<std::uint32_t>(x[i] * y[i]);
  return merge<std::uint32_t>(result);
}

inline Lanes sum_differences(const Lanes& a, const Lanes& b) {
  const LaneArray<std::uint8_t> x = split<std::uint8_t>(a), y = split<std::uint8_t>(b);
  Lanes result{};
  for (std::size_t i = 0; i < x.size(); ++i) result[i / 8] += static_cast<std::uint64_t>(x[i] < y[i] ? y[i] - x[i] : x[i] - y[i]);
  return result;
}

#define TUXARIUM_SIMD_ACROSS(name, narrow, intrinsic, ...)                                  \
  struct name {                                                                             \
    static constexpr Narrow kNarrow = Narrow::narrow;                                       \
    static Lanes portable(const Lanes& a, const Lanes& b) { return __VA_ARGS__; }           \
    TUXARIUM_SIMD_APPLY(intrinsic)                                                          \
  };
TUXARIUM_SIMD_ACROSS(packsswb, joined, _mm_packs_epi16, pack_lanes<std::int16_t, std::int8_t>(a, b))
TUXARIUM_SIMD_ACROSS(packuswb, joined, _mm_packus_epi16, pack_lanes<std::int16_t, std::uint8_t>(a, b))
TUXARIUM_SIMD_ACROSS(packssdw, joined, _mm_packs_epi32, pack_lanes<std::int32_t, std::int16_t>(a, b))
TUXARIUM_SIMD_ACROSS(punpcklbw, low, _mm_unpacklo_epi8, interleave<std::uint8_t>(a[0], b[0]))
TUXARIUM_SIMD_ACROSS(punpcklwd, low, _mm_unpacklo_epi16, interleave<std::uint16_t>(a[0], b[0]))
TUXARIUM_SIMD_ACROSS(punpckldq, low, _mm_unpacklo_epi32, interleave<std::uint32_t>(a[0], b[0]))
TUXARIUM_SIMD_ACROSS(punpcklqdq, low, _mm_unpacklo_epi64, {a[0], b[0]})
TUXARIUM_SIMD_ACROSS(punpckhbw, spread, _mm_unpackhi_epi8, interleave<std::uint8_t>(a[1], b[1]))
TUXARIUM_SIMD_ACROSS(punpckhwd, spread, _mm_unpackhi_epi16, interleave<std::uint16_t>(a[1], b[1]))
TUXARIUM_SIMD_ACROSS(punpckhdq, spread, _mm_unpackhi_epi32, interleave<std::uint32_t>(a[1], b[1]))
TUXARIUM_SIMD_ACROSS(punpckhqdq, spread, _mm_unpackhi_epi64, {a[1], b[1]})
TUXARIUM_SIMD_ACROSS(pmuludq, low, _mm_mul_epu32, multiply_even(a, b))
TUXARIUM_SIMD_ACROSS(pmaddwd, low, _mm_madd_epi16, multiply_and_add_pairs(a, b))
TUXARIUM_SIMD_ACROSS(psadbw, low, _mm_sad_epu8, sum_differences(a, b))
#undef TUXARIUM_SIMD_ACROSS

// Shifts of every lane by the low 64 bits of the source. A count beyond the lane gives zeros, or signs.
#define TUXARIUM_SIMD_SHIFT(name, lane, most, expression, intrinsic)           \
  struct name {                                                                \
    static constexpr Narrow kNarrow = Narrow::low;                             \
    static Lanes portable(const Lanes& a, const Lanes& b) {                    \
      constexpr std::uint64_t kBits = 8 * sizeof(lane);                        \
      const auto n = static_cast<unsigned>(b[0] < kBits ? b[0] : (most));      \
      return each_lane<lane>(a, a, [n](lane x, lane) { return expression; });  \
    }                                                                          \
    TUXARIUM_SIMD_APPLY(intrinsic)                                             \
  };
TUXARIUM_SIMD_SHIFT(psllw, std::uint16_t, kBits, n < 16 ? x << n : 0, _mm_sll_epi16)
TUXARIUM_SIMD_SHIFT(pslld, std::uint32_t, kBits, n < 32 ? x << n : 0, _mm_sll_epi32)
TUXARIUM_SIMD_SHIFT(psllq, std::uint64_t, kBits, n < 64 ? x << n : 0, _mm_sll_epi64)
TUXARIUM_SIMD_SHIFT(psrlw, std::uint16_t, kBits, n < 16 ? x >> n : 0, _mm_srl_epi16)
TUXARIUM_SIMD_SHIFT(psrld, std::uint32_t, kBits, n < 32 ? x >> n : 0, _mm_srl_epi32)
TUXARIUM_SIMD_SHIFT(psrlq, std::uint64_t, kBits, n < 64 ? x >> n : 0, _mm_srl_epi64)
TUXARIUM_SIMD_SHIFT(psraw, std::int16_t, kBits - 1, x >> n, _mm_sra_epi16)
TUXARIUM_SIMD_SHIFT(psrad, std::int32_t, kBits - 1, x >> n, _mm_sra_epi32)
#undef TUXARIUM_SIMD_SHIFT
#undef TUXARIUM_SIMD_APPLY

// ---- operations with an immediate, and moves; no instruction of the host helps, or it wants the immediate at compile time --------------

/// Four lanes chosen by two bits of the immediate each, from `first` for the lower two and from `second` for the others.
template <class Lane, std::size_t From>
void choose_four(std::uint32_t imm, const LaneArray<Lane>& first, const LaneArray<Lane>& second, LaneArray<Lane>& out) {
  for (std::size_t i = 0; i < 4; ++i) out[From + i] = (i < 2 ? first : second)[From + (imm >> (2 * i) & 3)];
}

template <class Lane, std::size_t From>
struct Shuffle {
  static constexpr Narrow kNarrow = Narrow::low;
  static Packed apply(Packed, Packed b, std::uint32_t imm) {
    const LaneArray<Lane> from = split<Lane>(to_lanes(b));
    LaneArray<Lane> to = from;
    choose_four<Lane, From>(imm, from, from, to);
    return from_lanes(merge<Lane>(to));
  }
};
using pshufd = Shuffle<std::uint32_t, 0>;
using pshuflw = Shuffle<std::uint16_t, 0>;  // and the MMX instruction PSHUFW
using pshufhw = Shuffle<std::uint16_t, 4>;

struct shufps {
  static Packed apply(Packed a, Packed b, std::uint32_t imm) {
    LaneArray<std::uint32_t> result;
    choose_four<std::uint32_t, 0>(imm, split<std::uint32_t>(to_lanes(a)), split<std::uint32_t>(to_lanes(b)), result);
    return from_lanes(merge<std::uint32_t>(result));
  }
};

struct shufpd {
  static Packed apply(Packed a, Packed b, std::uint32_t imm) {
    return join_low(from_low((imm & 1) != 0 ? high_of(a) : low_of(a)), from_low((imm & 2) != 0 ? high_of(b) : low_of(b)));
  }
};

/// PSLLDQ and PSRLDQ: by whole bytes, of the low byte of the source.
template <bool Left>
struct ByteShift {
  static Packed apply(Packed a, Packed b, std::uint32_t) {
    const std::uint64_t count = low_of(b);
    const LaneArray<std::uint8_t> from = split<std::uint8_t>(to_lanes(a));
    LaneArray<std::uint8_t> to{};
    for (std::size_t i = 0; i + count < from.size(); ++i) to[Left ? i + count : i] = from[Left ? i : i + count];
    return from_lanes(merge<std::uint8_t>(to));
  }
};

/// PINSRW and PEXTRW; `Words` of them in the register.
template <unsigned Words>
struct InsertWord {
  static constexpr Narrow kNarrow = Narrow::low;
  static Packed apply(Packed a, Packed b, std::uint32_t imm) {
    LaneArray<std::uint16_t> words = split<std::uint16_t>(to_lanes(a));
    words[imm % Words] = static_cast<std::uint16_t>(low_of(b));
    return from_lanes(merge<std::uint16_t>(words));
  }
};
template <unsigned Words>
struct ExtractWord {
  static Packed apply(Packed, Packed b, std::uint32_t imm) { return from_low(split<std::uint16_t>(to_lanes(b))[imm % Words]); }
};

/// PMOVMSKB, MOVMSKPS, MOVMSKPD: the sign bits of the lanes.
template <class Lane>
struct SignMask {
  static Packed apply(Packed, Packed b, std::uint32_t) {
#ifdef TUXARIUM_HOST_SSE2
    if constexpr (sizeof(Lane) == 1) return from_low(static_cast<std::uint32_t>(_mm_movemask_epi8(b.v)));
#endif
    std::uint64_t mask = 0;
    const LaneArray<Lane> lanes = split<Lane>(to_lanes(b));
    for (std::size_t i = 0; i < lanes.size(); ++i) mask |= static_cast<std::uint64_t>(lanes[i] >> (8 * sizeof(Lane) - 1)) << i;
    return from_low(mask);
  }
};

/// The source as it is.
struct Take {
  static constexpr Narrow kNarrow = Narrow::low;
  static Packed apply(Packed, Packed b, std::uint32_t) { return b; }
};
/// The low half of the source, zero above.
struct TakeLow {
  static constexpr Narrow kNarrow = Narrow::low;
  static Packed apply(Packed, Packed b, std::uint32_t) { return from_low(low_of(b)); }
};
/// The high half of the source, zero above.
struct TakeHigh {
  static Packed apply(Packed, Packed b, std::uint32_t) { return from_low(high_of(b)); }
};
/// MOVSS between registers: 32 bits; the rest of the destination stays.
struct MergeLow32 {
  static Packed apply(Packed a, Packed b, std::uint32_t) {
    const std::uint64_t low = (low_of(a) & ~std::uint64_t{0xffffffffu}) | (low_of(b) & 0xffffffffu);
    return join_low(from_low(low), from_low(high_of(a)));
  }
};
/// MOVSD between registers, MOVLPS from memory.
struct MergeLow64 {
  static Packed apply(Packed a, Packed b, std::uint32_t) { return join_low(b, from_low(high_of(a))); }
};
/// MOVLHPS, MOVHPS from memory.
struct MergeHigh64 {
  static Packed apply(Packed a, Packed b, std::uint32_t) { return join_low(a, b); }
};
/// MOVHLPS.
struct MergeHighToLow {
  static Packed apply(Packed a, Packed b, std::uint32_t) { return join_low(from_low(high_of(b)), from_low(high_of(a))); }
};
/// MOVDDUP.
struct DuplicateLow {
  static Packed apply(Packed, Packed b, std::uint32_t) { return join_low(b, b); }
};
/// MOVSLDUP (0) and MOVSHDUP (1).
template <unsigned Odd>
struct DuplicateSingles {
  static Packed apply(Packed, Packed b, std::uint32_t) { return pshufd::apply(b, b, Odd == 0 ? 0xa0 : 0xf5); }
};

}  // namespace tuxarium::cpu::simd
