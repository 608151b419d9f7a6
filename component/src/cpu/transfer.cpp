// Far jumps, calls and returns, IRET, SYSENTER and SYSEXIT. Intel SDM volume 2 (instruction pages), volume 3A chapter 5.

#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

void commit_cs(Core& c, const Segment& cs, std::uint32_t eip, unsigned cpl) {
  c.s.segment[kCs] = cs;
  c.s.eip = eip;
  set_cpl(c, cpl);
  update_mode(c);
}

bool real_transfer_target(Core& c, std::uint32_t offset) {
  if (offset > (c.vm86() ? 0xffffu : c.s.segment[kCs].limit)) return raise(c, kGeneralProtection, 0);
  return true;
}

/// A code segment reached without a gate: CPL does not change.
bool direct_code_segment(Core& c, std::uint16_t selector, Descriptor& d, std::uint32_t offset, Segment& cs) {
  const unsigned rpl = selector & 3u;
  const bool allowed = d.conforming() ? d.dpl() <= c.s.cpl : (rpl <= c.s.cpl && d.dpl() == c.s.cpl);
  if (!allowed) return raise_selector(c, kGeneralProtection, selector);
  if (!d.present()) return raise_selector(c, kSegmentNotPresent, selector);
  if (offset > d.limit()) return raise(c, kGeneralProtection, 0);
  if (!set_accessed(c, d)) return false;
  cs = make_segment(static_cast<std::uint16_t>((selector & ~3u) | c.s.cpl), d);
  return true;
}

/// The code segment behind a call gate, already checked for presence and the gate's own rights.
bool gate_code_segment(Core& c, const Descriptor& gate, bool call, std::uint32_t offset, Segment& cs, unsigned& cpl) {
  const std::uint16_t selector = gate.gate_selector();
  if (is_null(selector)) return raise(c, kGeneralProtection, 0);
  Descriptor d;
  if (!read_descriptor(c, selector, d)) return false;
  if (!d.is_code() || d.dpl() > c.s.cpl) return raise_selector(c, kGeneralProtection, selector);
  if (!call && !d.conforming() && d.dpl() != c.s.cpl) return raise_selector(c, kGeneralProtection, selector);
  if (!d.present()) return raise_selector(c, kSegmentNotPresent, selector);
  if (offset > d.limit()) return raise(c, kGeneralProtection, 0);
  if (!set_accessed(c, d)) return false;
  cpl = d.conforming() ? c.s.cpl : d.dpl();
  cs = make_segment(static_cast<std::uint16_t>((selector & ~3u) | cpl), d);
  return true;
}

bool check_gate_rights(Core& c, std::uint16_t selector, const Descriptor& gate) {
  if (gate.dpl() < c.s.cpl || gate.dpl() < (selector & 3u)) return raise_selector(c, kGeneralProtection, selector);
  if (!gate.present()) return raise_selector(c, kSegmentNotPresent, selector);
  return true;
}

bool task_gate(Core& c, const Descriptor& gate, TaskSwitch reason, std::uint32_t next_eip) {
  Descriptor tss;
  return read_tss(c, gate.gate_selector(), kGeneralProtection, tss) && switch_task(c, gate.gate_selector(), tss, reason, next_eip);
}

bool call_through_gate(Core& c, const Descriptor& gate, std::uint32_t next_eip) {
  const unsigned size = gate.type() == kCallGate32 ? 4 : 2;
  const std::uint32_t offset = size == 4 ? gate.gate_offset32() : gate.gate_offset16();
  Segment cs;
  unsigned cpl = 0;
  if (!gate_code_segment(c, gate, true, offset, cs, cpl)) return false;
  const std::uint16_t old_cs = c.s.segment[kCs].selector;
  if (cpl == c.s.cpl) {
    StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
    if (!frame.push(old_cs, size) || !frame.push(next_eip, size)) return false;
    set_stack_pointer(c, frame.pointer());
    commit_cs(c, cs, offset, cpl);
    return true;
  }
  std::uint16_t ss_selector = 0;
  std::uint32_t esp = 0;
  Segment ss;
  if (!read_inner_stack(c, cpl, ss_selector, esp) || !check_stack_segment(c, ss_selector, cpl, kInvalidTss, ss)) return false;
  StackFrame frame{c, ss, esp, true};
  StackFrame old{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  if (!frame.push(c.s.segment[kSs].selector, size) || !frame.push(c.s.gpr[kEsp], size)) return false;
  for (unsigned count = gate.high & 31; count-- > 0;) {
    std::uint32_t parameter = 0;
    if (!old.peek(count * size, parameter, size) || !frame.push(parameter, size)) return false;
  }
  if (!frame.push(old_cs, size) || !frame.push(next_eip, size)) return false;
  c.s.segment[kSs] = ss;
  c.s.gpr[kEsp] = (esp & ~stack_mask(ss)) | frame.pointer();
  commit_cs(c, cs, offset, cpl);
  return true;
}

/// Data segments that the outer level may not use become null.
void drop_inner_segments(Core& c, unsigned cpl) {
  for (unsigned segment : {kEs, kDs, kFs, kGs}) {
    Segment& s = c.s.segment[segment];
    const bool conforming_code = (s.access & (kAccessCode | kAccessExpandDown)) == (kAccessCode | kAccessExpandDown);
    if (s.valid != 0 && !conforming_code && s.dpl() < cpl) s = Segment{};
  }
}

/// CS of RETF and IRET.
bool return_code_segment(Core& c, std::uint16_t selector, std::uint32_t offset, Segment& cs) {
  if (is_null(selector)) return raise(c, kGeneralProtection, 0);
  Descriptor d;
  if (!read_descriptor(c, selector, d)) return false;
  const unsigned rpl = selector & 3u;
  if (!d.is_code() || rpl < c.s.cpl || (d.conforming() ? d.dpl() > rpl : d.dpl() != rpl)) return raise_selector(c, kGeneralProtection, selector);
  if (!d.present()) return raise_selector(c, kSegmentNotPresent, selector);
  if (offset > d.limit()) return raise(c, kGeneralProtection, 0);
  if (!set_accessed(c, d)) return false;
  cs = make_segment(selector, d);
  return true;
}

/// Pops SS:ESP for a return to an outer level and checks them.
bool pop_outer_stack(Core& c, StackFrame& frame, unsigned size, unsigned rpl, Segment& ss, std::uint32_t& esp) {
  std::uint32_t selector = 0;
  return frame.pop(esp, size) && frame.pop(selector, size) &&
         check_stack_segment(c, static_cast<std::uint16_t>(selector), rpl, kGeneralProtection, ss);
}

void commit_outer_return(Core& c, const Segment& cs, std::uint32_t eip, const Segment& ss, std::uint32_t esp) {
  c.s.segment[kSs] = ss;
  const std::uint32_t mask = stack_mask(ss);
  c.s.gpr[kEsp] = (c.s.gpr[kEsp] & ~mask) | (esp & mask);
  const unsigned cpl = cs.selector & 3u;
  drop_inner_segments(c, cpl);
  commit_cs(c, cs, eip, cpl);
}

/// EFLAGS of IRET in protected mode: at level 0 also the virtual interrupt flags.
void return_eflags(Core& c, std::uint32_t flags, unsigned size) {
  const std::uint32_t virtual_bits = size == 4 && c.s.cpl == 0 && c.has(Feature::vme) ? kVif | kVip : 0;
  write_eflags(c, flags, size, c.s.cpl);
  c.s.system_flags = (c.s.system_flags & ~virtual_bits) | (flags & virtual_bits);
}

bool return_to_vm86(Core& c, StackFrame& frame, std::uint32_t eip, std::uint32_t cs, std::uint32_t flags) {
  std::uint32_t esp = 0, ss = 0, selector[4] = {};
  if (!frame.pop(esp, 4) || !frame.pop(ss, 4)) return false;
  for (std::uint32_t& s : selector) {
    if (!frame.pop(s, 4)) return false;
  }
  set_eflags(c.s, flags);
  const unsigned order[4] = {kEs, kDs, kFs, kGs};
  for (unsigned i = 0; i < 4; ++i) {
    c.s.segment[order[i]] = real_mode_segment({}, static_cast<std::uint16_t>(selector[i]), true);
  }
  c.s.segment[kSs] = real_mode_segment({}, static_cast<std::uint16_t>(ss), true);
  c.s.gpr[kEsp] = esp;
  commit_cs(c, real_mode_segment({}, static_cast<std::uint16_t>(cs), true), eip & 0xffff, 3);
  return true;
}

bool iret_real_or_vm86(Core& c, unsigned size) {
  const bool virtual_if = c.virtual_if_in_vm86();
  if (c.vm86() && c.iopl() != 3 && !(virtual_if && size == 2)) return raise(c, kGeneralProtection, 0);
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  std::uint32_t eip = 0, cs = 0, flags = 0;
  if (!frame.pop(eip, size) || !frame.pop(cs, size) || !frame.pop(flags, size) || !real_transfer_target(c, eip)) return false;
  if (!virtual_if) {
    write_eflags(c, flags, size, c.vm86() ? 3 : 0);
  } else if (!write_virtual_flags(c, flags)) {
    return false;
  }
  set_stack_pointer(c, frame.pointer());
  commit_cs(c, real_mode_segment(c.s.segment[kCs], static_cast<std::uint16_t>(cs), c.vm86()), eip, c.s.cpl);
  return true;
}

bool nested_task_return(Core& c, std::uint32_t next_eip) {
  std::uint16_t link = 0;
  if (!system_load(c, c.s.tr.base, link)) return false;
  Descriptor d;
  if ((link & 4) != 0 || is_null(link)) return raise_selector(c, kInvalidTss, link);
  if (!read_descriptor(c, link, d, kInvalidTss)) return false;
  if (!d.is_system() || (d.type() != kTss32Busy && d.type() != kTss16Busy)) return raise_selector(c, kInvalidTss, link);
  if (!d.present()) return raise_selector(c, kSegmentNotPresent, link);
  return switch_task(c, link, d, TaskSwitch::iret, next_eip);
}

}  // namespace

void write_eflags(Core& c, std::uint32_t value, unsigned size, unsigned cpl_before) {
  std::uint32_t changeable = kArithmeticFlags | kTf | kDf | kNt;
  if (size == 4) changeable |= kRf | kAc | (c.has(Feature::i486) ? kId : 0);
  if (!c.protected_mode() || cpl_before == 0) changeable |= kIopl;
  if (!c.protected_mode() || cpl_before <= c.iopl()) changeable |= kIf;
  set_eflags(c.s, (get_eflags(c.s) & ~changeable) | (value & changeable));
}

bool far_jump(Core& c, std::uint16_t selector, std::uint32_t offset, unsigned size, std::uint32_t next_eip) {
  if (size == 2) offset &= 0xffff;
  if (c.real_or_vm86()) {
    if (!real_transfer_target(c, offset)) return false;
    commit_cs(c, real_mode_segment(c.s.segment[kCs], selector, c.vm86()), offset, c.s.cpl);
    return true;
  }
  if (is_null(selector)) return raise(c, kGeneralProtection, 0);
  Descriptor d;
  if (!read_descriptor(c, selector, d)) return false;
  Segment cs;
  if (d.is_code()) {
    if (!direct_code_segment(c, selector, d, offset, cs)) return false;
    commit_cs(c, cs, offset, c.s.cpl);
    return true;
  }
  switch (d.is_system() ? d.type() : 0u) {
    case kCallGate16:
    case kCallGate32: {
      if (!check_gate_rights(c, selector, d)) return false;
      const std::uint32_t target = d.type() == kCallGate32 ? d.gate_offset32() : d.gate_offset16();
      unsigned cpl = 0;
      if (!gate_code_segment(c, d, false, target, cs, cpl)) return false;
      commit_cs(c, cs, target, cpl);
      return true;
    }
    case kTaskGate: return check_gate_rights(c, selector, d) && task_gate(c, d, TaskSwitch::jump, next_eip);
    case kTss16Available:
    case kTss32Available: return check_gate_rights(c, selector, d) && switch_task(c, selector, d, TaskSwitch::jump, next_eip);
    default: return raise_selector(c, kGeneralProtection, selector);
  }
}

bool far_call(Core& c, std::uint16_t selector, std::uint32_t offset, unsigned size, std::uint32_t next_eip) {
  if (size == 2) offset &= 0xffff;
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  const std::uint16_t old_cs = c.s.segment[kCs].selector;
  if (c.real_or_vm86()) {
    if (!real_transfer_target(c, offset) || !frame.push(old_cs, size) || !frame.push(next_eip, size)) return false;
    set_stack_pointer(c, frame.pointer());
    commit_cs(c, real_mode_segment(c.s.segment[kCs], selector, c.vm86()), offset, c.s.cpl);
    return true;
  }
  if (is_null(selector)) return raise(c, kGeneralProtection, 0);
  Descriptor d;
  if (!read_descriptor(c, selector, d)) return false;
  if (d.is_code()) {
    Segment cs;
    if (!direct_code_segment(c, selector, d, offset, cs) || !frame.push(old_cs, size) || !frame.push(next_eip, size)) return false;
    set_stack_pointer(c, frame.pointer());
    commit_cs(c, cs, offset, c.s.cpl);
    return true;
  }
  switch (d.is_system() ? d.type() : 0u) {
    case kCallGate16:
    case kCallGate32: return check_gate_rights(c, selector, d) && call_through_gate(c, d, next_eip);
    case kTaskGate: return check_gate_rights(c, selector, d) && task_gate(c, d, TaskSwitch::call, next_eip);
    case kTss16Available:
    case kTss32Available: return check_gate_rights(c, selector, d) && switch_task(c, selector, d, TaskSwitch::call, next_eip);
    default: return raise_selector(c, kGeneralProtection, selector);
  }
}

bool far_return(Core& c, unsigned size, std::uint32_t release, std::uint32_t next_eip) {
  (void)next_eip;
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  std::uint32_t eip = 0, selector = 0;
  if (!frame.pop(eip, size) || !frame.pop(selector, size)) return false;
  const auto cs_selector = static_cast<std::uint16_t>(selector);
  if (c.real_or_vm86()) {
    if (!real_transfer_target(c, eip)) return false;
    frame.skip(release);
    set_stack_pointer(c, frame.pointer());
    commit_cs(c, real_mode_segment(c.s.segment[kCs], cs_selector, c.vm86()), eip, c.s.cpl);
    return true;
  }
  Segment cs;
  if (!return_code_segment(c, cs_selector, eip, cs)) return false;
  frame.skip(release);
  if ((selector & 3) == c.s.cpl) {
    set_stack_pointer(c, frame.pointer());
    commit_cs(c, cs, eip, c.s.cpl);
    return true;
  }
  Segment ss;
  std::uint32_t esp = 0;
  if (!pop_outer_stack(c, frame, size, selector & 3, ss, esp)) return false;
  commit_outer_return(c, cs, eip, ss, esp + release);
  return true;
}

bool interrupt_return(Core& c, unsigned size, std::uint32_t next_eip) {
  if (c.real_or_vm86()) return iret_real_or_vm86(c, size);
  if ((c.s.system_flags & kNt) != 0) return nested_task_return(c, next_eip);
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  std::uint32_t eip = 0, selector = 0, flags = 0;
  if (!frame.pop(eip, size) || !frame.pop(selector, size) || !frame.pop(flags, size)) return false;
  if (size == 4 && (flags & kVm) != 0 && c.s.cpl == 0) return return_to_vm86(c, frame, eip, selector, flags);
  Segment cs;
  if (!return_code_segment(c, static_cast<std::uint16_t>(selector), eip, cs)) return false;
  if ((selector & 3) == c.s.cpl) {
    set_stack_pointer(c, frame.pointer());
    return_eflags(c, flags, size);
    commit_cs(c, cs, eip, c.s.cpl);
    return true;
  }
  Segment ss;
  std::uint32_t esp = 0;
  if (!pop_outer_stack(c, frame, size, selector & 3, ss, esp)) return false;
  return_eflags(c, flags, size);
  commit_outer_return(c, cs, eip, ss, esp);
  return true;
}

namespace {

Segment flat_segment(std::uint32_t selector, bool code, unsigned dpl) {
  Segment s;
  s.selector = static_cast<std::uint16_t>(selector);
  s.limit = 0xffffffffu;
  s.access = kAccessG | kAccessDb | kAccessP | kAccessS | kAccessWritable | kAccessAccessed | (code ? kAccessCode : 0) | dpl << 13;
  s.valid = 1;
  return s;
}

}  // namespace

bool system_enter(Core& c) {
  if (!c.protected_mode() || is_null(static_cast<std::uint16_t>(c.s.sysenter_cs))) return raise(c, kGeneralProtection, 0);
  c.s.system_flags &= ~(kVm | kIf | kRf);
  c.s.segment[kSs] = flat_segment((c.s.sysenter_cs & 0xfffcu) + 8, false, 0);
  c.s.gpr[kEsp] = c.s.sysenter_esp;
  commit_cs(c, flat_segment(c.s.sysenter_cs & 0xfffcu, true, 0), c.s.sysenter_eip, 0);
  return true;
}

bool system_exit(Core& c) {
  if (!c.protected_mode() || c.s.cpl != 0 || is_null(static_cast<std::uint16_t>(c.s.sysenter_cs))) return raise(c, kGeneralProtection, 0);
  c.s.segment[kSs] = flat_segment(((c.s.sysenter_cs & 0xfffcu) + 24) | 3, false, 3);
  c.s.gpr[kEsp] = c.s.gpr[kEcx];
  commit_cs(c, flat_segment(((c.s.sysenter_cs & 0xfffcu) + 16) | 3, true, 3), c.s.gpr[kEdx], 3);
  return true;
}

}  // namespace tuxarium::cpu
