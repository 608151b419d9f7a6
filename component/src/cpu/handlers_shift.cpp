// Rotates and shifts, double shifts.

#include "cpu/alu_operations.hpp"
#include "cpu/handlers.hpp"

namespace tuxarium::cpu {

namespace {

template <class T, bool ByCl>
TUXARIUM_HOT unsigned shift_count(const Core& c, const Op* op) {
  return (ByCl ? get<std::uint8_t>(c, register_offset<std::uint8_t>(kEcx)) : op->immediate) & 31;
}

template <class Shift, class T, bool ByCl>
const Op* shift_r(Core& c, const Op* op) {
  const unsigned n = shift_count<T, ByCl>(c, op);
  if (n != 0) put<T>(c, op->dst, Shift::run(c.s, get<T>(c, op->dst), n));
  TUXARIUM_NEXT();
}

template <class Shift, class T, bool ByCl>
const Op* shift_m(Core& c, const Op* op) {
  const unsigned n = shift_count<T, ByCl>(c, op);
  std::uint32_t linear;
  const bool addressed = op->wide != 0 ? operand_address<true>(c, op, sizeof(T), Access::write, linear)
                                       : operand_address<false>(c, op, sizeof(T), Access::write, linear);
  if (!addressed) [[unlikely]] return fault(c, op);
  // A count of 0 changes nothing, but the operand is still written.
  if (!modify<T>(c, linear, [&c, n](T a) { return n == 0 ? a : Shift::run(c.s, a, n); })) [[unlikely]] return fault(c, op);
  TUXARIUM_NEXT();
}

/// SHLD and SHRD; `n` is 1 to 31. For 16-bit operands and counts above 16 the operand follows itself around, as on i686.
template <class T, bool Left>
T double_shift(CpuState& s, T a, T b, unsigned n) {
  std::uint64_t wide = 0;
  T r = 0;
  bool cf = false;
  if constexpr (sizeof(T) == 4) {
    if constexpr (Left) {
      wide = std::uint64_t{a} << 32 | b;
      r = static_cast<T>((wide << n) >> 32);
      cf = (a >> (32 - n) & 1) != 0;
    } else {
      wide = std::uint64_t{b} << 32 | a;
      r = static_cast<T>(wide >> n);
      cf = (a >> (n - 1) & 1) != 0;
    }
  } else {
    if constexpr (Left) {
      wide = std::uint64_t{a} << 32 | std::uint64_t{b} << 16 | a;
      r = static_cast<T>((wide << n) >> 32);
      cf = ((wide << (n - 1)) >> 47 & 1) != 0;
    } else {
      wide = std::uint64_t{a} << 32 | std::uint64_t{b} << 16 | a;
      r = static_cast<T>(wide >> n);
      cf = (wide >> (n - 1) & 1) != 0;
    }
  }
  set_cf_of(s, cf, msb(r) != msb(a));
  set_result(s, r);
  return r;
}

template <class T, bool Left, bool ByCl>
const Op* double_shift_any(Core& c, const Op* op) {
  const unsigned n = shift_count<T, ByCl>(c, op);
  const T b = get<T>(c, op->src);
  if ((op->modrm & 0xc0) == 0xc0) {
    if (n != 0) put<T>(c, op->dst, double_shift<T, Left>(c.s, get<T>(c, op->dst), b, n));
    TUXARIUM_NEXT();
  }
  std::uint32_t linear;
  const bool addressed = op->wide != 0 ? operand_address<true>(c, op, sizeof(T), Access::write, linear)
                                       : operand_address<false>(c, op, sizeof(T), Access::write, linear);
  if (!addressed) [[unlikely]] return fault(c, op);
  if (!modify<T>(c, linear, [&c, b, n](T a) { return n == 0 ? a : double_shift<T, Left>(c.s, a, b, n); })) [[unlikely]] return fault(c, op);
  TUXARIUM_NEXT();
}

template <class Shift, class T>
Handler pick_count(bool memory, bool by_cl) {
  if (memory) return by_cl ? shift_m<Shift, T, true> : shift_m<Shift, T, false>;
  return by_cl ? shift_r<Shift, T, true> : shift_r<Shift, T, false>;
}

template <class T>
Handler pick_sized(Mnemonic mnemonic, bool memory, bool by_cl) {
  switch (mnemonic) {
    case Mnemonic::rol: return pick_count<Rol, T>(memory, by_cl);
    case Mnemonic::ror: return pick_count<Ror, T>(memory, by_cl);
    case Mnemonic::rcl: return pick_count<Rcl, T>(memory, by_cl);
    case Mnemonic::rcr: return pick_count<Rcr, T>(memory, by_cl);
    case Mnemonic::shl: return pick_count<Shl, T>(memory, by_cl);
    case Mnemonic::shr: return pick_count<Shr, T>(memory, by_cl);
    case Mnemonic::sar: return pick_count<Sar, T>(memory, by_cl);
    default: return nullptr;
  }
}

template <class T>
Handler pick_double(bool left, bool by_cl) {
  if (left) return by_cl ? double_shift_any<T, true, true> : double_shift_any<T, true, false>;
  return by_cl ? double_shift_any<T, false, true> : double_shift_any<T, false, false>;
}

}  // namespace

Handler pick_shift(const Instruction& i, bool wide, Op& op) {
  op.wide = wide ? 1 : 0;
  const Mnemonic mnemonic = i.mnemonic();
  if (mnemonic == Mnemonic::shld || mnemonic == Mnemonic::shrd) {
    const bool by_cl = i.row->operand[2] == Operand::CL;
    const bool left = mnemonic == Mnemonic::shld;
    return i.operand_size == 2 ? pick_double<std::uint16_t>(left, by_cl) : pick_double<std::uint32_t>(left, by_cl);
  }
  if (i.row->operand[1] == Operand::one_) op.immediate = 1;
  const bool by_cl = i.row->operand[1] == Operand::CL;
  if (op.operand_size == 1) return pick_sized<std::uint8_t>(mnemonic, i.is_memory, by_cl);
  return i.operand_size == 2 ? pick_sized<std::uint16_t>(mnemonic, i.is_memory, by_cl) : pick_sized<std::uint32_t>(mnemonic, i.is_memory, by_cl);
}

}  // namespace tuxarium::cpu
