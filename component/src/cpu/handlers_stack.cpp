// PUSH, POP and their relatives, ENTER and LEAVE.
//
// The fast forms are for a flat 32-bit stack; the others go through StackFrame, which checks and masks.

#include "cpu/handlers.hpp"
#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

/// The fast path alone: false, without an exception, where it does not apply.
template <class T>
TUXARIUM_HOT bool try_push(Core& c, T value) {
  const std::uint32_t at = c.s.gpr[kEsp] - static_cast<std::uint32_t>(sizeof(T));
  if (!try_store<T>(c, at, value)) [[unlikely]] return false;
  c.s.gpr[kEsp] = at;
  return true;
}

TUXARIUM_COLD bool push_checked(Core& c, std::uint32_t value, unsigned size) {
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  if (!frame.push(value, size)) return false;
  set_stack_pointer(c, frame.pointer());
  return true;
}

struct Popped {
  std::uint32_t value;
  bool ok;
};

TUXARIUM_COLD Popped peek_checked(Core& c, unsigned size) {
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  Popped top{};
  top.ok = frame.peek(0, top.value, size);
  return top;
}

template <class T>
void drop_top(Core& c) {
  set_stack_pointer(c, c.s.gpr[kEsp] + static_cast<std::uint32_t>(sizeof(T)));
}

template <class T, bool Flat>
const Op* push_r(Core& c, const Op* op) {
  const T value = get<T>(c, op->dst);
  if constexpr (Flat) {
    if (!try_push(c, value)) [[unlikely]] return go_slow<push_r<T, false>>(c, op);
  } else {
    if (!push_checked(c, value, sizeof(T))) [[unlikely]] return fault(c, op);
  }
  TUXARIUM_NEXT();
}

template <class T, bool Flat>
const Op* push_i(Core& c, const Op* op) {
  const T value = static_cast<T>(op->immediate);
  if constexpr (Flat) {
    if (!try_push(c, value)) [[unlikely]] return go_slow<push_i<T, false>>(c, op);
  } else {
    if (!push_checked(c, value, sizeof(T))) [[unlikely]] return fault(c, op);
  }
  TUXARIUM_NEXT();
}

template <class T, bool Flat>
const Op* push_m(Core& c, const Op* op) {
  std::uint32_t linear;
  T value;
  if constexpr (Flat) {
    linear = operand_offset(c, op);
    if (op->wide != 0 || !try_load(c, linear, value) || !try_push(c, value)) [[unlikely]] return go_slow<push_m<T, false>>(c, op);
  } else {
    if (!operand_address<true>(c, op, sizeof(T), Access::read, linear) || !load(c, linear, value) || !push_checked(c, value, sizeof(T)))
      [[unlikely]] return fault(c, op);
  }
  TUXARIUM_NEXT();
}

template <class T, bool Flat>
const Op* pop_r(Core& c, const Op* op) {
  T value;
  if constexpr (Flat) {
    if (!try_load(c, c.s.gpr[kEsp], value)) [[unlikely]] return go_slow<pop_r<T, false>>(c, op);
    c.s.gpr[kEsp] += static_cast<std::uint32_t>(sizeof(T));
  } else {
    const Popped top = peek_checked(c, sizeof(T));
    if (!top.ok) [[unlikely]] return fault(c, op);
    value = static_cast<T>(top.value);
    drop_top<T>(c);
  }
  put<T>(c, op->dst, value);
  TUXARIUM_NEXT();
}

/// An address that is built with ESP sees it after the pop.
template <class T>
const Op* pop_m(Core& c, const Op* op) {
  const Popped top = peek_checked(c, sizeof(T));
  if (!top.ok) [[unlikely]] return fault(c, op);
  const std::uint32_t esp = c.s.gpr[kEsp];
  drop_top<T>(c);
  std::uint32_t linear;
  if (!operand_address<true>(c, op, sizeof(T), Access::write, linear) || !store<T>(c, linear, static_cast<T>(top.value))) [[unlikely]] {
    c.s.gpr[kEsp] = esp;
    return fault(c, op);
  }
  TUXARIUM_NEXT();
}

template <bool Flat>
const Op* push_segment(Core& c, const Op* op) {
  if constexpr (Flat) {
    if (!try_push<std::uint32_t>(c, c.s.segment[op->immediate].selector)) [[unlikely]] return go_slow<push_segment<false>>(c, op);
    TUXARIUM_NEXT();
  }
  if (!push_checked(c, c.s.segment[op->immediate].selector, op->operand_size)) return fault(c, op);
  TUXARIUM_NEXT();
}

TUXARIUM_OUTLINE const Op* pop_segment(Core& c, const Op* op) {
  const std::uint16_t mode = c.mode;
  const std::uint32_t mask = stack_mask(c.s.segment[kSs]);
  std::uint16_t selector = 0;
  if ((mode & kModeFlat) == 0 || !try_load(c, c.s.gpr[kEsp], selector)) {
    const Popped top = peek_checked(c, 2);
    if (!top.ok) return fault(c, op);
    selector = static_cast<std::uint16_t>(top.value);
  }
  if (!load_segment(c, op->immediate, selector)) return fault(c, op);
  c.s.gpr[kEsp] = (c.s.gpr[kEsp] & ~mask) | ((c.s.gpr[kEsp] + op->operand_size) & mask);
  if (op->immediate == kSs) c.s.interrupt_shadow = kShadowStackLoad;
  if (op->immediate == kSs || mode != c.mode || c.debug_hits != 0) {
    c.remaining += c.block->count - op->before - 1;
    return leave(c, next_eip(c, op));
  }
  return op + 1;
}

TUXARIUM_OUTLINE const Op* op_pusha(Core& c, const Op* op) {
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  for (unsigned r = 0; r < 8; ++r) {
    if (!frame.push(c.s.gpr[r], op->operand_size)) return fault(c, op);
  }
  set_stack_pointer(c, frame.pointer());
  return op + 1;
}

TUXARIUM_OUTLINE const Op* op_popa(Core& c, const Op* op) {
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  std::uint32_t value[8] = {};
  for (unsigned r = 8; r-- > 0;) {
    if (!frame.pop(value[r], op->operand_size)) return fault(c, op);
  }
  for (unsigned r = 0; r < 8; ++r) {
    if (r == kEsp) continue;
    if (op->operand_size == 2) {
      put<std::uint16_t>(c, static_cast<std::uint8_t>(r * 4), static_cast<std::uint16_t>(value[r]));
    } else {
      c.s.gpr[r] = value[r];
    }
  }
  set_stack_pointer(c, frame.pointer());
  return op + 1;
}

/// PUSHF and POPF in virtual-8086 mode: for IOPL 3, or 16 bits with a virtual interrupt flag. False after raising #GP.
bool flags_allowed(Core& c, const Op* op) {
  if (!c.vm86() || c.iopl() == 3 || (c.virtual_if_in_vm86() && op->operand_size == 2)) return true;
  return raise(c, kGeneralProtection, 0);
}

const Op* op_pushf(Core& c, const Op* op) {
  if (!flags_allowed(c, op)) return fault(c, op);
  const std::uint32_t image = c.virtual_if_in_vm86() ? virtual_flags(c) : get_eflags(c.s) & ~(kVm | kRf);
  const bool simple = (c.mode & kModeFlat) != 0 && op->operand_size == 4 && try_push(c, image);
  if (!simple && !push_checked(c, image, op->operand_size)) return fault(c, op);
  TUXARIUM_NEXT();
}

/// The last of its block: IF or TF may have changed.
TUXARIUM_OUTLINE const Op* op_popf(Core& c, const Op* op) {
  if (!flags_allowed(c, op)) return fault(c, op);
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  std::uint32_t flags = 0;
  if (!frame.pop(flags, op->operand_size)) return fault(c, op);
  if (c.virtual_if_in_vm86()) {
    if (!write_virtual_flags(c, flags)) return fault(c, op);
  } else {
    // POPF clears RF and leaves VM alone.
    write_eflags(c, op->operand_size == 4 ? flags & ~kRf : flags, op->operand_size, c.s.cpl);
  }
  set_stack_pointer(c, frame.pointer());
  update_access(c);
  c.s.eip = next_eip(c, op);
  return go_on(c, 0);
}

TUXARIUM_OUTLINE const Op* op_leave(Core& c, const Op* op) {
  const std::uint32_t mask = stack_mask(c.s.segment[kSs]);
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEbp], false};
  std::uint32_t ebp = 0;
  if (!frame.pop(ebp, op->operand_size)) return fault(c, op);
  c.s.gpr[kEsp] = (c.s.gpr[kEsp] & ~mask) | frame.pointer();
  if (op->operand_size == 2) {
    put<std::uint16_t>(c, kEbp * 4, static_cast<std::uint16_t>(ebp));
  } else {
    c.s.gpr[kEbp] = ebp;
  }
  return op + 1;
}

const Op* op_leave_flat(Core& c, const Op* op) {
  std::uint32_t value;
  const std::uint32_t ebp = c.s.gpr[kEbp];
  if (!try_load(c, ebp, value)) [[unlikely]] return go_slow<step_out<op_leave>>(c, op);
  c.s.gpr[kEsp] = ebp + 4;
  c.s.gpr[kEbp] = value;
  TUXARIUM_NEXT();
}

/// ENTER: immediate = frame size, displacement = nesting level.
TUXARIUM_OUTLINE const Op* op_enter(Core& c, const Op* op) {
  const unsigned size = op->operand_size, level = op->displacement & 31;
  const std::uint32_t mask = stack_mask(c.s.segment[kSs]);
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  if (!frame.push(c.s.gpr[kEbp], size)) return fault(c, op);
  const std::uint32_t frame_pointer = frame.pointer();
  StackFrame old{c, c.s.segment[kSs], c.s.gpr[kEbp], false};
  for (unsigned i = 1; i < level; ++i) {
    std::uint32_t display = 0;
    old.skip(0u - size);
    if (!old.peek(0, display, size) || !frame.push(display, size)) return fault(c, op);
  }
  if (level > 0 && !frame.push(frame_pointer, size)) return fault(c, op);
  // The new top of the stack must be writable.
  StackFrame top{c, c.s.segment[kSs], (frame.pointer() - op->immediate) & mask, false};
  std::uint32_t linear = 0;
  const std::uint32_t new_esp = top.pointer();
  if (!segment_check(c, kSs, new_esp, size, Access::write, linear) || !aligned(c, linear, size) || !probe_write(c, linear, size)) return fault(c, op);
  if (size == 2) {
    put<std::uint16_t>(c, kEbp * 4, static_cast<std::uint16_t>(frame_pointer));
  } else {
    c.s.gpr[kEbp] = mask == 0xffff ? (c.s.gpr[kEbp] & 0xffff0000u) | frame_pointer : frame_pointer;
  }
  set_stack_pointer(c, new_esp);
  return op + 1;
}

template <class T, bool Flat>
Handler pick_sized(const Instruction& i) {
  const Operand operand = i.row->operand[0];
  if (i.mnemonic() == Mnemonic::push) {
    if (operand == Operand::Iz || operand == Operand::sIb) return push_i<T, Flat>;
    return i.is_memory ? push_m<T, Flat> : push_r<T, Flat>;
  }
  return i.is_memory ? pop_m<T> : pop_r<T, Flat>;
}

unsigned segment_of(Operand operand) {
  switch (operand) {
    case Operand::ES: return kEs;
    case Operand::CS: return kCs;
    case Operand::SS: return kSs;
    case Operand::DS: return kDs;
    case Operand::FS: return kFs;
    default: return kGs;
  }
}

}  // namespace

Handler pick_stack(const Instruction& i, bool wide, bool stack_flat, Op& op) {
  op.wide = wide ? 1 : 0;
  switch (i.mnemonic()) {
    case Mnemonic::push:
    case Mnemonic::pop:
      if (stack_flat) return i.operand_size == 2 ? pick_sized<std::uint16_t, true>(i) : pick_sized<std::uint32_t, true>(i);
      return i.operand_size == 2 ? pick_sized<std::uint16_t, false>(i) : pick_sized<std::uint32_t, false>(i);
    case Mnemonic::push_seg: op.immediate = segment_of(i.row->operand[0]); return stack_flat && i.operand_size == 4 ? push_segment<true> : push_segment<false>;
    case Mnemonic::pop_seg: op.immediate = segment_of(i.row->operand[0]); return step_out<pop_segment>;
    case Mnemonic::pusha: return step_out<op_pusha>;
    case Mnemonic::popa: return step_out<op_popa>;
    case Mnemonic::pushf: return op_pushf;
    case Mnemonic::popf: return step_out<op_popf>;
    case Mnemonic::leave: return stack_flat && i.operand_size == 4 ? op_leave_flat : step_out<op_leave>;
    case Mnemonic::enter: op.displacement = i.immediate2; return step_out<op_enter>;
    default: return nullptr;
  }
}

}  // namespace tuxarium::cpu
