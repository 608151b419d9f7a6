// A 128-bit value in lanes of 8 to 64 bits: on x86-64 in a register of the host, elsewhere as two integers.
//
// The portable side of every operation works on Lanes and is there on each host, so that tests can hold it against the host's own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#if defined(__x86_64__) && defined(__GNUC__)
#define TUXARIUM_HOST_SSE2 1
#include <emmintrin.h>
#endif

namespace tuxarium::cpu::simd {

/// The host has an SSE2 unit that inline assembly can reach: without it there are no floating-point operations, see handlers_sse_float.cpp.
inline constexpr bool kHostHasSse2 =
#ifdef TUXARIUM_HOST_SSE2
    true;
#else
    false;
#endif

/// Bits 0-63 and 64-127.
using Lanes = std::array<std::uint64_t, 2>;

struct Packed {
#ifdef TUXARIUM_HOST_SSE2
  __m128i v;
#else
  Lanes v;
#endif
};

inline Packed from_lanes(const Lanes& lanes) {
  Packed result;
  std::memcpy(&result.v, lanes.data(), sizeof result.v);
  return result;
}
inline Lanes to_lanes(Packed vector) {
  Lanes result;
  std::memcpy(result.data(), &vector.v, sizeof vector.v);
  return result;
}

/// `low` with zeros above.
inline Packed from_low(std::uint64_t low) {
#ifdef TUXARIUM_HOST_SSE2
  return {_mm_cvtsi64_si128(static_cast<long long>(low))};
#else
  return {Lanes{low, 0}};
#endif
}
inline std::uint64_t low_of(Packed vector) {
#ifdef TUXARIUM_HOST_SSE2
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(vector.v));
#else
  return vector.v[0];
#endif
}
inline std::uint64_t high_of(Packed vector) {
#ifdef TUXARIUM_HOST_SSE2
  return low_of({_mm_unpackhi_epi64(vector.v, vector.v)});
#else
  return vector.v[1];
#endif
}
/// The low halves of both: `low` below `high`.
inline Packed join_low(Packed low, Packed high) {
#ifdef TUXARIUM_HOST_SSE2
  return {_mm_unpacklo_epi64(low.v, high.v)};
#else
  return {Lanes{low.v[0], high.v[0]}};
#endif
}

// Portable lanes.

template <class Lane>
inline constexpr std::size_t kLaneCount = sizeof(Lanes) / sizeof(Lane);

template <class Lane>
using LaneArray = std::array<Lane, kLaneCount<Lane>>;

template <class Lane>
LaneArray<Lane> split(const Lanes& lanes) {
  LaneArray<Lane> result;
  std::memcpy(result.data(), lanes.data(), sizeof result);
  return result;
}
template <class Lane>
Lanes merge(const LaneArray<Lane>& values) {
  Lanes result;
  std::memcpy(result.data(), values.data(), sizeof result);
  return result;
}

/// operation(x, y) for each pair of lanes.
template <class Lane, class Operation>
Lanes each_lane(const Lanes& a, const Lanes& b, Operation operation) {
  LaneArray<Lane> x = split<Lane>(a);
  const LaneArray<Lane> y = split<Lane>(b);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<Lane>(operation(x[i], y[i]));
  return merge<Lane>(x);
}

template <class Lane>
Lane saturate(std::int32_t value) {
  constexpr std::int32_t kLow = std::numeric_limits<Lane>::min(), kHigh = std::numeric_limits<Lane>::max();
  return static_cast<Lane>(value < kLow ? kLow : value > kHigh ? kHigh : value);
}

}  // namespace tuxarium::cpu::simd
