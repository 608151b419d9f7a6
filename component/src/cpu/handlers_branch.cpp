// Near branches, calls, returns and loops; far transfers and software interrupts.

#include "cpu/debug.hpp"
#include "cpu/handlers.hpp"
#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

/// A near branch beyond the code segment's limit faults at the branch.
TUXARIUM_HOT bool target_allowed(Core& c, const Op* op, std::uint32_t target) {
  if (op->wide == 0) return true;
  if (target <= c.s.segment[kCs].limit) return true;
  return raise(c, kGeneralProtection, 0);
}

// For branches with a fixed target: immediate = target, dst = 1 when it is in the block's page, src = 1 when the next instruction is.

template <unsigned Condition>
const Op* jcc(Core& c, const Op* op) {
  if (condition<Condition>(c.s)) {
    if (!target_allowed(c, op, op->immediate)) [[unlikely]] return fault(c, op);
    TUXARIUM_BRANCH(1, op->immediate, op->dst != 0);
  }
  const std::uint32_t next = next_eip(c, op);
  TUXARIUM_BRANCH(0, next, op->src != 0);
}

const Op* jmp_direct(Core& c, const Op* op) {
  if (!target_allowed(c, op, op->immediate)) [[unlikely]] return fault(c, op);
  TUXARIUM_BRANCH(1, op->immediate, op->dst != 0);
}

TUXARIUM_HOT bool push_return(Core& c, std::uint32_t value, unsigned size) {
  if ((c.mode & kModeFlat) != 0 && size == 4) [[likely]] {
    const std::uint32_t at = c.s.gpr[kEsp] - 4;
    if (!store<std::uint32_t>(c, at, value)) [[unlikely]] return false;
    c.s.gpr[kEsp] = at;
    return true;
  }
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  if (!frame.push(value, size)) return false;
  set_stack_pointer(c, frame.pointer());
  return true;
}

const Op* call_any(Core& c, const Op* op) {
  if (!target_allowed(c, op, op->immediate) || !push_return(c, next_eip(c, op), op->operand_size)) [[unlikely]] return fault(c, op);
  TUXARIUM_BRANCH(1, op->immediate, op->dst != 0);
}

const Op* call_flat(Core& c, const Op* op) {
  const std::uint32_t at = c.s.gpr[kEsp] - 4;
  const std::uint32_t next = next_eip(c, op);
  if (op->wide != 0 || !try_store<std::uint32_t>(c, at, next)) [[unlikely]] return go_slow<call_any>(c, op);
  c.s.gpr[kEsp] = at;
  TUXARIUM_BRANCH(1, op->immediate, op->dst != 0);
}

template <bool Call>
const Op* branch_r(Core& c, const Op* op) {
  const std::uint32_t target = op->operand_size == 2 ? get<std::uint16_t>(c, op->src) : get<std::uint32_t>(c, op->src);
  if (!target_allowed(c, op, target)) [[unlikely]] return fault(c, op);
  if (Call && !push_return(c, next_eip(c, op), op->operand_size)) [[unlikely]] return fault(c, op);
  TUXARIUM_BRANCH(1, target, false);
}

template <class T, bool Call>
const Op* branch_m(Core& c, const Op* op) {
  std::uint32_t linear = cut(operand_offset(c, op), op->address_size);
  T target;
  // The memory operand is not flat when scale's bit 7 says so: `wide` is taken by the target check.
  if ((op->repeat != 0 && !segment_check(c, op->segment, linear, sizeof(T), Access::read, linear)) || !load(c, linear, target) ||
      !target_allowed(c, op, target)) [[unlikely]] {
    return fault(c, op);
  }
  if (Call && !push_return(c, next_eip(c, op), sizeof(T))) [[unlikely]] return fault(c, op);
  TUXARIUM_BRANCH(1, target, false);
}

const Op* ret_any(Core& c, const Op* op) {
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  std::uint32_t target = 0;
  if (!frame.pop(target, op->operand_size) || !target_allowed(c, op, target)) return fault(c, op);
  frame.skip(op->immediate);
  set_stack_pointer(c, frame.pointer());
  return leave(c, target);
}

const Op* ret_flat(Core& c, const Op* op) {
  std::uint32_t target;
  if (op->wide != 0 || !try_load(c, c.s.gpr[kEsp], target)) [[unlikely]] return go_slow<ret_any>(c, op);
  c.s.gpr[kEsp] += 4 + op->immediate;
  TUXARIUM_BRANCH(1, target, false);
}

enum class Loop : std::uint8_t { plain, equal, not_equal, counter_zero };

template <Loop Kind>
const Op* op_loop(Core& c, const Op* op) {
  std::uint32_t count = cut(c.s.gpr[kEcx] - (Kind == Loop::counter_zero ? 0 : 1), op->address_size);
  bool taken = Kind == Loop::counter_zero ? count == 0 : count != 0;
  if constexpr (Kind == Loop::equal) taken = taken && flag_zf(c.s);
  if constexpr (Kind == Loop::not_equal) taken = taken && !flag_zf(c.s);
  if (taken && !target_allowed(c, op, op->immediate)) [[unlikely]] return fault(c, op);
  if constexpr (Kind != Loop::counter_zero) {
    if (op->address_size == 2) {
      put<std::uint16_t>(c, kEcx * 4, static_cast<std::uint16_t>(count));
    } else {
      c.s.gpr[kEcx] = count;
    }
  }
  if (taken) TUXARIUM_BRANCH(1, op->immediate, op->dst != 0);
  const std::uint32_t next = next_eip(c, op);
  TUXARIUM_BRANCH(0, next, op->src != 0);
}

// Far transfers: the last of their block; EIP is set by them.

const Op* finish_far(Core& c, const Op* op, bool ok) { return ok ? go_on(c, 1) : fault(c, op); }

TUXARIUM_OUTLINE const Op* jmp_far_direct(Core& c, const Op* op) {
  return finish_far(c, op, far_jump(c, static_cast<std::uint16_t>(op->displacement), op->immediate, op->operand_size, next_eip(c, op)));
}

TUXARIUM_OUTLINE const Op* call_far_direct(Core& c, const Op* op) {
  return finish_far(c, op, far_call(c, static_cast<std::uint16_t>(op->displacement), op->immediate, op->operand_size, next_eip(c, op)));
}

template <bool Call>
TUXARIUM_OUTLINE const Op* far_m(Core& c, const Op* op) {
  const std::uint32_t offset = cut(operand_offset(c, op), op->address_size);
  std::uint32_t linear;
  if (!segment_check(c, op->segment, offset, op->operand_size + 2u, Access::read, linear)) return fault(c, op);
  std::uint32_t target = 0;
  std::uint16_t selector = 0, short_target = 0;
  if (op->operand_size == 4 ? !load(c, linear, target) : !load(c, linear, short_target)) return fault(c, op);
  if (op->operand_size == 2) target = short_target;
  if (!load(c, linear + op->operand_size, selector)) return fault(c, op);
  return finish_far(c, op, Call ? far_call(c, selector, target, op->operand_size, next_eip(c, op))
                                : far_jump(c, selector, target, op->operand_size, next_eip(c, op)));
}

TUXARIUM_OUTLINE const Op* op_retf(Core& c, const Op* op) { return finish_far(c, op, far_return(c, op->operand_size, op->immediate, next_eip(c, op))); }

TUXARIUM_OUTLINE const Op* op_iret(Core& c, const Op* op) {
  const bool ok = interrupt_return(c, op->operand_size, next_eip(c, op));
  if (ok) c.s.nmi_blocked = 0;
  return finish_far(c, op, ok);
}

const Op* software_interrupt(Core& c, const Op* op, std::uint8_t vector) {
  c.event = {.kind = PendingEvent::Kind::software, .vector = vector, .has_error = false, .external = false, .error = 0,
             .return_eip = next_eip(c, op)};
  // The instruction retires with the delivery.
  c.s.eip = this_eip(c, op);
  return nullptr;
}

TUXARIUM_OUTLINE const Op* op_int(Core& c, const Op* op) {
  if (c.vm86() && (c.s.cr4 & kCr4Vme) != 0) {
    bool redirected = false;
    if (!redirect_interrupt(c, static_cast<std::uint8_t>(op->immediate), next_eip(c, op), redirected)) return fault(c, op);
    if (redirected) return nullptr;
  }
  if (c.vm86() && c.iopl() != 3) {
    raise(c, kGeneralProtection, 0);
    return fault(c, op);
  }
  return software_interrupt(c, op, static_cast<std::uint8_t>(op->immediate));
}

const Op* op_int3(Core& c, const Op* op) { return software_interrupt(c, op, kBreakpoint); }

const Op* op_into(Core& c, const Op* op) {
  if (flag_of(c.s)) return software_interrupt(c, op, kOverflow);
  return leave(c, next_eip(c, op));
}

/// INT1 (ICEBP): a trap without the privilege check.
const Op* op_int1(Core& c, const Op* op) {
  c.s.eip = next_eip(c, op);
  raise_debug(c, 0);
  return nullptr;
}

TUXARIUM_OUTLINE const Op* op_sysenter(Core& c, const Op* op) { return finish_far(c, op, system_enter(c)); }
TUXARIUM_OUTLINE const Op* op_sysexit(Core& c, const Op* op) { return finish_far(c, op, system_exit(c)); }

const Op* op_bound(Core& c, const Op* op) {
  const unsigned size = op->operand_size;
  const std::uint32_t offset = cut(operand_offset(c, op), op->address_size);
  std::uint32_t linear;
  if (!segment_check(c, op->segment, offset, size * 2, Access::read, linear)) return fault(c, op);
  std::int64_t low = 0, high = 0, index = 0;
  if (size == 4) {
    std::uint32_t l, h;
    if (!load(c, linear, l) || !load(c, linear + 4, h)) return fault(c, op);
    low = sign_extend(l), high = sign_extend(h), index = sign_extend(get<std::uint32_t>(c, op->dst));
  } else {
    std::uint16_t l, h;
    if (!load(c, linear, l) || !load(c, linear + 2, h)) return fault(c, op);
    low = sign_extend(l), high = sign_extend(h), index = sign_extend(get<std::uint16_t>(c, op->dst));
  }
  if (index < low || index > high) {
    raise(c, kBoundRange);
    return fault(c, op);
  }
  TUXARIUM_NEXT();
}

template <std::size_t... Condition>
Handler pick_jcc(unsigned code, std::index_sequence<Condition...>) {
  static constexpr Handler kJump[] = {jcc<Condition>...};
  return kJump[code];
}

}  // namespace

Handler pick_branch(const Instruction& i, bool wide, bool stack_flat, Op& op) {
  switch (i.mnemonic()) {
    case Mnemonic::jmp:
    case Mnemonic::call: {
      const bool call = i.mnemonic() == Mnemonic::call;
      if (i.row->operand[0] != Operand::Ev) {
        if (!call) return jmp_direct;
        return stack_flat && i.operand_size == 4 ? call_flat : call_any;
      }
      op.repeat = wide || i.address_size == 2 ? 1 : 0;
      if (!i.is_memory) return call ? branch_r<true> : branch_r<false>;
      if (i.operand_size == 2) return call ? branch_m<std::uint16_t, true> : branch_m<std::uint16_t, false>;
      return call ? branch_m<std::uint32_t, true> : branch_m<std::uint32_t, false>;
    }
    case Mnemonic::ret: return stack_flat && i.operand_size == 4 ? ret_flat : ret_any;
    case Mnemonic::loop: return op_loop<Loop::plain>;
    case Mnemonic::loope: return op_loop<Loop::equal>;
    case Mnemonic::loopne: return op_loop<Loop::not_equal>;
    case Mnemonic::jcxz: return op_loop<Loop::counter_zero>;
    case Mnemonic::jmp_far:
      if (i.is_memory) return step_out<far_m<false>>;
      op.displacement = i.immediate2;
      return step_out<jmp_far_direct>;
    case Mnemonic::call_far:
      if (i.is_memory) return step_out<far_m<true>>;
      op.displacement = i.immediate2;
      return step_out<call_far_direct>;
    case Mnemonic::retf: return step_out<op_retf>;
    case Mnemonic::iret: return step_out<op_iret>;
    case Mnemonic::int_: return op_int;
    case Mnemonic::int3: return op_int3;
    case Mnemonic::into: return op_into;
    case Mnemonic::int1: return op_int1;
    case Mnemonic::sysenter: return step_out<op_sysenter>;
    case Mnemonic::sysexit: return step_out<op_sysexit>;
    case Mnemonic::bound: return op_bound;
    default: break;
  }
  if (i.mnemonic() >= Mnemonic::jo && i.mnemonic() <= Mnemonic::jg) return pick_jcc(i.opcode & 15, std::make_index_sequence<16>{});
  return nullptr;
}

}  // namespace tuxarium::cpu
