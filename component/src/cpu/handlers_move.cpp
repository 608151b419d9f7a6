// MOV, MOVZX, MOVSX, LEA, XLAT, CMOVcc, SETcc, NOP and the loads of segment registers.

#include "cpu/handlers.hpp"
#include "cpu/system.hpp"

namespace tuxarium::cpu {

/// Ends the block after `op` although more instructions follow in it.
static const Op* leave_after(Core& c, const Op* op) {
  c.remaining += c.block->count - op->before - 1;
  c.s.eip = next_eip(c, op);
  return nullptr;
}

namespace {

template <class T>
const Op* mov_rr(Core& c, const Op* op) {
  put<T>(c, op->dst, get<T>(c, op->src));
  TUXARIUM_NEXT();
}

template <class T>
const Op* mov_ri(Core& c, const Op* op) {
  put<T>(c, op->dst, static_cast<T>(op->immediate));
  TUXARIUM_NEXT();
}

template <class T, Address Kind>
const Op* mov_rm(Core& c, const Op* op) {
  std::uint32_t linear;
  T value;
  if constexpr (Kind == Address::checked) {
    if (!operand_address<true>(c, op, sizeof(T), Access::read, linear) || !load(c, linear, value)) [[unlikely]] return fault(c, op);
  } else {
    linear = flat_offset<Kind>(c, op);
    if (!try_load(c, linear, value)) [[unlikely]] return go_slow<mov_rm<T, Address::checked>>(c, op);
  }
  put<T>(c, op->dst, value);
  TUXARIUM_NEXT();
}

template <class T, Address Kind>
const Op* mov_mr(Core& c, const Op* op) {
  std::uint32_t linear;
  const T value = get<T>(c, op->src);
  if constexpr (Kind == Address::checked) {
    if (!operand_address<true>(c, op, sizeof(T), Access::write, linear) || !store<T>(c, linear, value)) [[unlikely]] return fault(c, op);
  } else {
    linear = flat_offset<Kind>(c, op);
    if (!try_store<T>(c, linear, value)) [[unlikely]] return go_slow<mov_mr<T, Address::checked>>(c, op);
  }
  TUXARIUM_NEXT();
}

template <class T, Address Kind>
const Op* mov_mi(Core& c, const Op* op) {
  std::uint32_t linear;
  const T value = static_cast<T>(op->immediate);
  if constexpr (Kind == Address::checked) {
    if (!operand_address<true>(c, op, sizeof(T), Access::write, linear) || !store<T>(c, linear, value)) [[unlikely]] return fault(c, op);
  } else {
    linear = flat_offset<Kind>(c, op);
    if (!try_store<T>(c, linear, value)) [[unlikely]] return go_slow<mov_mi<T, Address::checked>>(c, op);
  }
  TUXARIUM_NEXT();
}

/// MOVZX and MOVSX.
template <class To, class From, bool Signed>
TUXARIUM_HOT To extend(From value) {
  if constexpr (Signed) return static_cast<To>(sign_extend(value));
  return value;
}

template <class To, class From, bool Signed>
const Op* extend_r(Core& c, const Op* op) {
  put<To>(c, op->dst, extend<To, From, Signed>(get<From>(c, op->src)));
  TUXARIUM_NEXT();
}

template <class To, class From, bool Signed, bool Wide>
const Op* extend_m(Core& c, const Op* op) {
  std::uint32_t linear;
  From value;
  if constexpr (Wide) {
    if (!operand_address<true>(c, op, sizeof(From), Access::read, linear) || !load(c, linear, value)) [[unlikely]] return fault(c, op);
  } else {
    linear = operand_offset(c, op);
    if (!try_load(c, linear, value)) [[unlikely]] return go_slow<extend_m<To, From, Signed, true>>(c, op);
  }
  put<To>(c, op->dst, extend<To, From, Signed>(value));
  TUXARIUM_NEXT();
}

const Op* lea32(Core& c, const Op* op) {
  put<std::uint32_t>(c, op->dst, operand_offset(c, op));
  TUXARIUM_NEXT();
}

const Op* lea_any(Core& c, const Op* op) {
  const std::uint32_t offset = cut(operand_offset(c, op), op->address_size);
  if (op->operand_size == 2) {
    put<std::uint16_t>(c, op->dst, static_cast<std::uint16_t>(offset));
  } else {
    put<std::uint32_t>(c, op->dst, offset);
  }
  TUXARIUM_NEXT();
}

const Op* op_xlat(Core& c, const Op* op) {
  const std::uint32_t offset = cut(c.s.gpr[kEbx] + get<std::uint8_t>(c, 0), op->address_size);
  std::uint32_t linear = offset;
  std::uint8_t value;
  if ((op->wide != 0 && !segment_check(c, op->segment, offset, 1, Access::read, linear)) || !load(c, linear, value)) return fault(c, op);
  put<std::uint8_t>(c, 0, value);
  TUXARIUM_NEXT();
}

template <unsigned Condition>
const Op* setcc_r(Core& c, const Op* op) {
  put<std::uint8_t>(c, op->dst, condition<Condition>(c.s) ? 1 : 0);
  TUXARIUM_NEXT();
}

template <unsigned Condition>
const Op* setcc_m(Core& c, const Op* op) {
  std::uint32_t linear;
  const bool addressed = op->wide != 0 ? operand_address<true>(c, op, 1, Access::write, linear)
                                       : operand_address<false>(c, op, 1, Access::write, linear);
  if (!addressed || !store<std::uint8_t>(c, linear, condition<Condition>(c.s) ? 1 : 0)) [[unlikely]] return fault(c, op);
  TUXARIUM_NEXT();
}

/// The source is read, and may fault, whether the condition holds or not.
template <unsigned Condition, class T>
const Op* cmovcc(Core& c, const Op* op) {
  T value;
  if ((op->modrm & 0xc0) == 0xc0) {
    value = get<T>(c, op->src);
  } else {
    std::uint32_t linear;
    const bool addressed = op->wide != 0 ? operand_address<true>(c, op, sizeof(T), Access::read, linear)
                                         : operand_address<false>(c, op, sizeof(T), Access::read, linear);
    if (!addressed || !load(c, linear, value)) [[unlikely]] return fault(c, op);
  }
  if (condition<Condition>(c.s)) put<T>(c, op->dst, value);
  TUXARIUM_NEXT();
}

const Op* op_nop([[maybe_unused]] Core& c, const Op* op) { TUXARIUM_NEXT(); }

const Op* mov_from_segment(Core& c, const Op* op) {
  const std::uint16_t selector = c.s.segment[op->modrm >> 3 & 7].selector;
  if ((op->modrm & 0xc0) == 0xc0) {
    if (op->operand_size == 2) {
      put<std::uint16_t>(c, op->dst, selector);
    } else {
      put<std::uint32_t>(c, op->dst, selector);
    }
    TUXARIUM_NEXT();
  }
  std::uint32_t linear;
  const bool addressed = op->wide != 0 ? operand_address<true>(c, op, 2, Access::write, linear)
                                       : operand_address<false>(c, op, 2, Access::write, linear);
  if (!addressed || !store<std::uint16_t>(c, linear, selector)) return fault(c, op);
  TUXARIUM_NEXT();
}

const Op* mov_to_segment(Core& c, const Op* op) {
  std::uint16_t selector;
  if ((op->modrm & 0xc0) == 0xc0) {
    selector = get<std::uint16_t>(c, op->src);
  } else {
    std::uint32_t linear;
    const bool addressed = op->wide != 0 ? operand_address<true>(c, op, 2, Access::read, linear)
                                         : operand_address<false>(c, op, 2, Access::read, linear);
    if (!addressed || !load(c, linear, selector)) return fault(c, op);
  }
  const unsigned segment = op->modrm >> 3 & 7;
  const std::uint16_t mode = c.mode;
  if (!load_segment(c, segment, selector)) return fault(c, op);
  if (segment == kSs) c.s.interrupt_shadow = kShadowStackLoad;
  if (segment == kSs || mode != c.mode || c.debug_hits != 0) return leave_after(c, op);
  TUXARIUM_NEXT();
}

/// LDS, LES, LFS, LGS, LSS; the segment is in op->immediate.
const Op* load_far_pointer(Core& c, const Op* op) {
  const unsigned size = op->operand_size;
  const std::uint32_t offset = cut(operand_offset(c, op), op->address_size);
  std::uint32_t linear;
  std::uint32_t pointer = 0;
  std::uint16_t selector = 0;
  if (!segment_check(c, op->segment, offset, size + 2, Access::read, linear)) return fault(c, op);
  if (size == 4 ? !load(c, linear, pointer) : false) return fault(c, op);
  if (size == 2) {
    std::uint16_t short_pointer;
    if (!load(c, linear, short_pointer)) return fault(c, op);
    pointer = short_pointer;
  }
  if (!load(c, linear + size, selector)) return fault(c, op);
  const std::uint16_t mode = c.mode;
  if (!load_segment(c, op->immediate, selector)) return fault(c, op);
  if (size == 2) {
    put<std::uint16_t>(c, op->dst, static_cast<std::uint16_t>(pointer));
  } else {
    put<std::uint32_t>(c, op->dst, pointer);
  }
  if (op->immediate == kSs || mode != c.mode || c.debug_hits != 0) return leave_after(c, op);
  TUXARIUM_NEXT();
}

template <class T, Address Kind>
Handler pick_mov_memory(bool immediate, bool to_memory) {
  if (immediate) return mov_mi<T, Kind>;
  return to_memory ? mov_mr<T, Kind> : mov_rm<T, Kind>;
}

template <class T>
Handler pick_mov(const Instruction& i, Address address) {
  const Operand second = i.row->operand[1];
  const bool immediate = second == Operand::Ib || second == Operand::Iz;
  if (!i.is_memory) return immediate ? mov_ri<T> : mov_rr<T>;
  const Operand first = i.row->operand[0];
  const bool to_memory = first == Operand::Eb || first == Operand::Ev || first == Operand::Ob || first == Operand::Ov;
  switch (address) {
    case Address::checked: return pick_mov_memory<T, Address::checked>(immediate, to_memory);
    case Address::plain: return pick_mov_memory<T, Address::plain>(immediate, to_memory);
    case Address::indexed: return pick_mov_memory<T, Address::indexed>(immediate, to_memory);
  }
  return nullptr;
}

template <class To, class From, bool Signed>
Handler pick_extend_form(bool memory, bool wide) {
  if (!memory) return extend_r<To, From, Signed>;
  return wide ? extend_m<To, From, Signed, true> : extend_m<To, From, Signed, false>;
}

template <bool Signed>
Handler pick_extend(const Instruction& i, bool wide) {
  const bool byte = i.row->operand[1] == Operand::Eb;
  if (i.operand_size == 2) {
    return byte ? pick_extend_form<std::uint16_t, std::uint8_t, Signed>(i.is_memory, wide)
                : pick_extend_form<std::uint16_t, std::uint16_t, Signed>(i.is_memory, wide);
  }
  return byte ? pick_extend_form<std::uint32_t, std::uint8_t, Signed>(i.is_memory, wide)
              : pick_extend_form<std::uint32_t, std::uint16_t, Signed>(i.is_memory, wide);
}

template <std::size_t... Condition>
Handler pick_condition(const Instruction& i, std::index_sequence<Condition...>) {
  static constexpr Handler kSetRegister[] = {setcc_r<Condition>...};
  static constexpr Handler kSetMemory[] = {setcc_m<Condition>...};
  static constexpr Handler kMove16[] = {cmovcc<Condition, std::uint16_t>...};
  static constexpr Handler kMove32[] = {cmovcc<Condition, std::uint32_t>...};
  const unsigned code = i.opcode & 15;
  if (i.mnemonic() >= Mnemonic::seto && i.mnemonic() <= Mnemonic::setg) return i.is_memory ? kSetMemory[code] : kSetRegister[code];
  return i.operand_size == 2 ? kMove16[code] : kMove32[code];
}

}  // namespace

Handler pick_move(const Instruction& i, bool wide, Op& op) {
  op.wide = wide ? 1 : 0;
  switch (i.mnemonic()) {
    case Mnemonic::mov: {
      const Address address = address_kind(op, wide);
      if (op.operand_size == 1) return pick_mov<std::uint8_t>(i, address);
      return i.operand_size == 2 ? pick_mov<std::uint16_t>(i, address) : pick_mov<std::uint32_t>(i, address);
    }
    case Mnemonic::movzx: return pick_extend<false>(i, wide);
    case Mnemonic::movsx: return pick_extend<true>(i, wide);
    case Mnemonic::lea: return i.operand_size == 4 && i.address_size == 4 ? lea32 : lea_any;
    case Mnemonic::xlat: return op_xlat;
    case Mnemonic::prefetchnta: case Mnemonic::prefetcht0: case Mnemonic::prefetcht1: case Mnemonic::prefetcht2:
    case Mnemonic::nop: return op_nop;
    case Mnemonic::mov_from_seg: return mov_from_segment;
    case Mnemonic::mov_to_seg: return mov_to_segment;
    case Mnemonic::les: op.immediate = kEs; return load_far_pointer;
    case Mnemonic::lds: op.immediate = kDs; return load_far_pointer;
    case Mnemonic::lss: op.immediate = kSs; return load_far_pointer;
    case Mnemonic::lfs: op.immediate = kFs; return load_far_pointer;
    case Mnemonic::lgs: op.immediate = kGs; return load_far_pointer;
    default: break;
  }
  if (i.mnemonic() >= Mnemonic::cmovo && i.mnemonic() <= Mnemonic::setg) return pick_condition(i, std::make_index_sequence<16>{});
  return nullptr;
}

}  // namespace tuxarium::cpu
