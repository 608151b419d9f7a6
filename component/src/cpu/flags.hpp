// Arithmetic flags, computed when they are asked for.
//
// Every flag-setting operation leaves two words:
//   flag_result  the result, sign-extended from its size to 64 bits:
//                ZF = low 32 bits are 0, SF = bit 63, PF = even parity of byte 0 xor byte 4 (byte 4 is 00 or FF after any operation, and
//                FF has even parity, so it changes nothing unless load_flags() put something else there);
//   flag_carries the carries out of each bit, with the top bit of the operation moved to bit 31:
//                CF = bit 31, OF = bit 31 xor bit 30, AF = bit 3.
// So no flag depends on which operation or size it was.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "cpu/cpu_state.hpp"

namespace tuxarium::cpu {

/// The two words alone: what the functions below also work on, in place of the whole state.
struct FlagWords {
  std::int64_t flag_result = 1;
  std::uint32_t flag_carries = 0;
};

template <class T>
inline constexpr unsigned kBits = 8 * sizeof(T);

template <class T>
inline std::int64_t sign_extend(T value) {
  return static_cast<std::int64_t>(static_cast<std::make_signed_t<T>>(value));
}

template <class S>
bool flag_cf(const S& s) { return (s.flag_carries >> 31) != 0; }
template <class S>
bool flag_zf(const S& s) { return static_cast<std::uint32_t>(s.flag_result) == 0; }
template <class S>
bool flag_sf(const S& s) { return s.flag_result < 0; }
template <class S>
bool flag_of(const S& s) { return ((s.flag_carries ^ (s.flag_carries << 1)) >> 31) != 0; }
template <class S>
bool flag_af(const S& s) { return (s.flag_carries & 8) != 0; }
template <class S>
bool flag_pf(const S& s) {
  const auto bits = static_cast<std::uint8_t>(static_cast<std::uint64_t>(s.flag_result) ^ (static_cast<std::uint64_t>(s.flag_result) >> 32));
  return (std::popcount(bits) & 1) == 0;
}

/// The six arithmetic flags in their EFLAGS places.
inline std::uint32_t arithmetic_flags(const CpuState& s) {
  return (flag_cf(s) ? kCf : 0) | (flag_pf(s) ? kPf : 0) | (flag_af(s) ? kAf : 0) | (flag_zf(s) ? kZf : 0) | (flag_sf(s) ? kSf : 0) |
         (flag_of(s) ? kOf : 0);
}

/// Makes the six arithmetic flags those of `eflags`.
inline void load_arithmetic_flags(CpuState& s, std::uint32_t eflags) {
  std::uint64_t result = (eflags & kZf) != 0 ? 0 : 0x100;
  if ((eflags & kSf) != 0) result |= std::uint64_t{1} << 63;
  if ((eflags & kPf) == 0) result |= std::uint64_t{1} << 32;
  s.flag_result = static_cast<std::int64_t>(result);
  const bool cf = (eflags & kCf) != 0, of = (eflags & kOf) != 0;
  s.flag_carries = (cf ? 1u << 31 : 0) | (cf != of ? 1u << 30 : 0) | ((eflags & kAf) != 0 ? 8u : 0);
}

inline std::uint32_t get_eflags(const CpuState& s) { return arithmetic_flags(s) | s.system_flags | 2; }

inline void set_eflags(CpuState& s, std::uint32_t eflags) {
  load_arithmetic_flags(s, eflags);
  s.system_flags = eflags & 0x003f7700u;
}

/// Puts a carry vector of an operation of T's size into its place.
template <class T>
inline std::uint32_t place_carries(std::uint32_t carries) {
  if constexpr (sizeof(T) == 4) {
    return carries;
  } else {
    return (carries << (32 - kBits<T>)) | (carries & 8);
  }
}

template <class S, class T>
void set_result(S& s, T result) {
  s.flag_result = sign_extend(result);
}

/// CF and OF as given, AF clear; for shifts, multiplications and the like.
template <class S>
void set_cf_of(S& s, bool cf, bool of) { s.flag_carries = (cf ? 1u << 31 : 0) | (cf != of ? 1u << 30 : 0); }

/// CF alone; OF, AF and the rest keep their values.
inline void set_cf(CpuState& s, bool cf) {
  const bool of = flag_of(s);
  s.flag_carries = (s.flag_carries & 8) | (cf ? 1u << 31 : 0) | (cf != of ? 1u << 30 : 0);
}

/// ZF alone.
inline void set_zf(CpuState& s, bool zf) {
  const std::uint32_t flags = arithmetic_flags(s);
  load_arithmetic_flags(s, zf ? flags | kZf : flags & ~kZf);
}

/// The 16 conditions of Jcc, SETcc and CMOVcc by their encoding.
template <unsigned Condition, class S>
bool condition(const S& s) {
  bool value = false;
  if constexpr (Condition >> 1 == 0) value = flag_of(s);
  if constexpr (Condition >> 1 == 1) value = flag_cf(s);
  if constexpr (Condition >> 1 == 2) value = flag_zf(s);
  if constexpr (Condition >> 1 == 3) value = flag_cf(s) || flag_zf(s);
  if constexpr (Condition >> 1 == 4) value = flag_sf(s);
  if constexpr (Condition >> 1 == 5) value = flag_pf(s);
  if constexpr (Condition >> 1 == 6) value = flag_sf(s) != flag_of(s);
  if constexpr (Condition >> 1 == 7) value = flag_zf(s) || flag_sf(s) != flag_of(s);
  return value != ((Condition & 1) != 0);
}

}  // namespace tuxarium::cpu
