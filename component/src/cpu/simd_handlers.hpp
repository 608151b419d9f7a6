// What the handlers of MMX and SSE instructions are written with: who may execute them, where operands come from and results go, and the
// handlers themselves as templates over the element operation. Intel SDM volume 1 chapters 9 to 12, volume 3A chapters 12 and 13.
//
// An operation `O` has apply(destination, source, immediate) on Packed values. A memory operand that the fast path cannot reach goes through the
// scratch entry of the XMM file.
#pragma once

#include "cpu/handlers.hpp"
#include "cpu/simd/integer_operations.hpp"
#include "cpu/x87_pending.hpp"

namespace tuxarium::cpu {

using simd::Packed;

/// Where an operand is: a register file, EFLAGS, the instruction, or memory of a size in bytes; `m16u` need not be aligned.
enum class Place : std::uint8_t { xmm, mmx, gpr, flags, imm, m1, m2, m4, m8, m16, m16u };

constexpr bool is_memory(Place place) { return place >= Place::m1; }
constexpr unsigned size_of(Place place) {
  switch (place) {
    case Place::m1: return 1;
    case Place::m2: return 2;
    case Place::m4: return 4;
    case Place::m8: return 8;
    default: return 16;
  }
}

// ---- availability -----------------------------------------------------------------------------------------------------------------

/// CR0.EM, CR0.TS, CR4.OSFXSR, and an x87 error that waits.
template <bool Mmx, bool Xmm>
TUXARIUM_HOT bool simd_ready(const Core& c) {
  std::uint32_t obstacles = 0;
  if constexpr (Mmx || Xmm) obstacles = c.s.cr0 & (kCr0Em | kCr0Ts);
  if constexpr (Xmm) obstacles |= ~c.s.cr4 & kCr4Osfxsr;
  if constexpr (Mmx) return obstacles == 0 && !c.fpu.error_pending();
  return obstacles == 0;
}

/// Raises what simd_ready() found.
template <bool Mmx, bool Xmm>
TUXARIUM_COLD const Op* simd_refused(Core& c, const Op* op) {
  if ((c.s.cr0 & kCr0Em) != 0 || (Xmm && (c.s.cr4 & kCr4Osfxsr) == 0)) {
    raise(c, kInvalidOpcode);
  } else if ((c.s.cr0 & kCr0Ts) != 0) {
    raise(c, kDeviceNotAvailable);
  } else if (Mmx && !no_error_pending(c)) {
    return not_now(c, op);
  }
  return fault(c, op);
}

// ---- registers --------------------------------------------------------------------------------------------------------------------

static_assert(sizeof(x87::Float80) == 16);

TUXARIUM_HOT Packed get_xmm(const Core& c, std::uint8_t offset) {
  Packed value;
  std::memcpy(&value.v, reinterpret_cast<const char*>(c.s.xmm.data()) + offset, sizeof value.v);
  return value;
}
TUXARIUM_HOT void put_xmm(Core& c, std::uint8_t offset, Packed value) {
  std::memcpy(reinterpret_cast<char*>(c.s.xmm.data()) + offset, &value.v, sizeof value.v);
}
TUXARIUM_HOT Packed get_mmx(const Core& c, std::uint8_t offset) { return simd::from_low(c.fpu.state().registers[offset / 16].significand); }
TUXARIUM_HOT void put_mmx(Core& c, std::uint8_t offset, Packed value) {
  x87::Float80& f = c.fpu.state().registers[offset / 16];
  f.significand = simd::low_of(value);
  f.sign_exponent = 0xffff;
}
/// Every MMX instruction but EMMS: TOP = 0, all registers valid.
TUXARIUM_HOT void enter_mmx(Core& c) {
  c.fpu.state().top = 0;
  c.fpu.state().valid = 0xff;
}

template <Place From>
TUXARIUM_HOT Packed get_operand(const Core& c, const Op* op, std::uint8_t offset) {
  if constexpr (From == Place::imm) return simd::from_low(op->immediate);
  if constexpr (From == Place::mmx) return get_mmx(c, offset);
  if constexpr (From == Place::gpr) return simd::from_low(get<std::uint32_t>(c, offset));
  return get_xmm(c, offset);
}

template <Place To>
TUXARIUM_HOT void put_result(Core& c, std::uint8_t offset, Packed value) {
  if constexpr (To == Place::mmx) put_mmx(c, offset, value);
  if constexpr (To == Place::gpr) put<std::uint32_t>(c, offset, static_cast<std::uint32_t>(simd::low_of(value)));
  if constexpr (To == Place::flags) load_arithmetic_flags(c.s, static_cast<std::uint32_t>(simd::low_of(value)));
  if constexpr (To == Place::xmm) put_xmm(c, offset, value);
}

// ---- memory -----------------------------------------------------------------------------------------------------------------------

template <Place From>
TUXARIUM_HOT bool try_load_vector(Core& c, std::uint32_t linear, Packed& out) {
  if constexpr (size_of(From) == 16) {
    if (From == Place::m16 && (linear & 15) != 0) [[unlikely]] return false;
    return try_load(c, linear, out);
  } else {
    std::conditional_t<size_of(From) == 8, std::uint64_t, std::conditional_t<size_of(From) == 4, std::uint32_t, std::uint16_t>> value;
    if (!try_load(c, linear, value)) [[unlikely]] return false;
    out = simd::from_low(value);
    return true;
  }
}

template <Place To>
TUXARIUM_HOT bool try_store_vector(Core& c, std::uint32_t linear, Packed value) {
  if constexpr (size_of(To) == 16) {
    if (To == Place::m16 && (linear & 15) != 0) [[unlikely]] return false;
    return try_store(c, linear, value);
  } else if constexpr (size_of(To) == 8) {
    return try_store(c, linear, simd::low_of(value));
  } else {
    return try_store(c, linear, static_cast<std::uint32_t>(simd::low_of(value)));
  }
}

/// The memory operand, zero-extended, into the scratch entry of the XMM file. False after raising an exception.
TUXARIUM_COLD bool fetch_vector(Core& c, const Op* op, unsigned size, bool aligned);
/// The low `size` bytes of the scratch entry to the memory operand.
TUXARIUM_COLD bool deliver_vector(Core& c, const Op* op, unsigned size, bool aligned);

inline constexpr std::uint8_t kXmmScratchOffset = 16 * kXmmScratch;

// ---- handlers ---------------------------------------------------------------------------------------------------------------------

/// Operations whose result or flags depend on MXCSR say so by a member kFloat.
template <class O>
inline constexpr bool kIsFloat = requires { O::kFloat; };

/// Takes the flags of an operation that ran after HostMxcsr::begin(). False after raising #XM, or #UD where CR4 says so.
TUXARIUM_COLD bool accept_float_flags(Core& c, std::uint32_t raised, bool tiny);
/// The modes for HostMxcsr::begin().
TUXARIUM_COLD std::uint32_t checked_control(const Core& c);

/// With every check, for any memory operand and any MXCSR.
template <class O, Place To, Place From>
TUXARIUM_COLD const Op* simd_whole(Core& c, const Op* op) {
  constexpr bool kMmx = To == Place::mmx || From == Place::mmx, kXmm = To == Place::xmm || From == Place::xmm || kIsFloat<O>;
  if (!simd_ready<kMmx, kXmm>(c)) return simd_refused<kMmx, kXmm>(c, op);
  Packed source;
  if constexpr (is_memory(From)) {
    if (!fetch_vector(c, op, size_of(From), From == Place::m16)) return fault(c, op);
    source = get_xmm(c, kXmmScratchOffset);
  } else {
    source = get_operand<From>(c, op, op->src);
  }
  const Packed destination = get_operand<To>(c, op, op->dst);
  if constexpr (kMmx) enter_mmx(c);  // also when the operation raises #XM
  if constexpr (kIsFloat<O>) {
    c.mxcsr.leave();
    c.mxcsr.begin(checked_control(c));
    const Packed result = O::apply(destination, source, op->immediate);
    if (!accept_float_flags(c, c.mxcsr.end(), O::tiny(result))) return fault(c, op);
    put_result<To>(c, op->dst, result);
    if ((c.s.mxcsr & simd::kMxcsrMasks) == simd::kMxcsrMasks) c.mxcsr.enter();
  } else {
    put_result<To>(c, op->dst, O::apply(destination, source, op->immediate));
  }
  TUXARIUM_NEXT();
}

/// destination = O(destination, source).
template <class O, Place To, Place From>
const Op* simd_op(Core& c, const Op* op) {
  constexpr bool kMmx = To == Place::mmx || From == Place::mmx, kXmm = To == Place::xmm || From == Place::xmm || kIsFloat<O>;
  if (!simd_ready<kMmx, kXmm>(c)) [[unlikely]] return simd_whole<O, To, From>(c, op);
  if constexpr (kIsFloat<O>) {
    if (!c.mxcsr.live()) [[unlikely]] return simd_whole<O, To, From>(c, op);
  }
  Packed source;
  if constexpr (is_memory(From)) {
    if (!try_load_vector<From>(c, operand_offset(c, op), source)) [[unlikely]] return simd_whole<O, To, From>(c, op);
  } else {
    source = get_operand<From>(c, op, op->src);
  }
  put_result<To>(c, op->dst, O::apply(get_operand<To>(c, op, op->dst), source, op->immediate));
  if constexpr (kMmx) enter_mmx(c);
  TUXARIUM_NEXT();
}

template <class O, Place To, Place From>
TUXARIUM_COLD const Op* simd_store_whole(Core& c, const Op* op) {
  constexpr bool kMmx = From == Place::mmx, kXmm = From == Place::xmm;
  if (!simd_ready<kMmx, kXmm>(c)) return simd_refused<kMmx, kXmm>(c, op);
  const Packed source = get_operand<From>(c, op, op->src);
  put_xmm(c, kXmmScratchOffset, O::apply(source, source, op->immediate));
  if (!deliver_vector(c, op, size_of(To), To == Place::m16)) return fault(c, op);
  if constexpr (kMmx) enter_mmx(c);
  TUXARIUM_NEXT();
}

/// memory = O(source).
template <class O, Place To, Place From>
const Op* simd_store(Core& c, const Op* op) {
  constexpr bool kMmx = From == Place::mmx, kXmm = From == Place::xmm;
  if (!simd_ready<kMmx, kXmm>(c)) [[unlikely]] return simd_store_whole<O, To, From>(c, op);
  const Packed source = get_operand<From>(c, op, op->src);
  if (!try_store_vector<To>(c, operand_offset(c, op), O::apply(source, source, op->immediate))) [[unlikely]] {
    return simd_store_whole<O, To, From>(c, op);
  }
  if constexpr (kMmx) enter_mmx(c);
  TUXARIUM_NEXT();
}

// ---- choice -----------------------------------------------------------------------------------------------------------------------

/// The handler of `O` for a register or a memory source.
template <class O, Place To, Place Register, Place Memory>
Handler pick_simd_op(const Instruction& i, bool wide) {
  if (!i.is_memory) return simd_op<O, To, Register>;
  return wide ? simd_whole<O, To, Memory> : simd_op<O, To, Memory>;
}
template <class O, Place To, Place From>
Handler pick_simd_store(bool wide) {
  return wide ? simd_store_whole<O, To, From> : simd_store<O, To, From>;
}

// Which file knows which instructions; nullptr when not its own.
Handler pick_simd_integer(const Instruction& i, bool wide);
Handler pick_simd_move(const Instruction& i, bool wide);
Handler pick_simd_float(const Instruction& i, bool wide);
Handler pick_simd_state(const Instruction& i);

}  // namespace tuxarium::cpu
