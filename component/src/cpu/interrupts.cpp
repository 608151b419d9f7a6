// Delivery of exceptions and interrupts. Intel SDM volume 3A, chapter 6.

#include "cpu/debug.hpp"
#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

/// Takes the whole register state back when delivery fails half-way: nothing of it is visible to the nested exception.
struct Target {
  Segment cs;
  std::uint32_t eip = 0;
  unsigned cpl = 0;
};

bool deliver_real_mode(Core& c, const PendingEvent& event) {
  const std::uint32_t entry = event.vector * 4u;
  if (entry + 3 > c.s.idtr.limit) return raise(c, kGeneralProtection, 0);
  std::uint32_t pointer = 0;
  if (!system_load(c, c.s.idtr.base + entry, pointer)) return false;
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  const std::uint32_t return_eip = event.kind == PendingEvent::Kind::software ? event.return_eip : c.s.eip;
  if (!frame.push(get_eflags(c.s) & 0xffff, 2) || !frame.push(c.s.segment[kCs].selector, 2) || !frame.push(return_eip & 0xffff, 2)) return false;
  set_stack_pointer(c, frame.pointer());
  c.s.system_flags &= ~(kIf | kTf | kAc | kRf);
  c.s.segment[kCs] = real_mode_segment(c.s.segment[kCs], static_cast<std::uint16_t>(pointer >> 16), false);
  c.s.eip = pointer & 0xffff;
  update_mode(c);
  return true;
}

bool check_target(Core& c, std::uint16_t selector, std::uint32_t offset, Target& out) {
  if (is_null(selector)) return raise(c, kGeneralProtection, c.ext);
  Descriptor d;
  if (!read_descriptor(c, selector, d)) return false;
  if (!d.is_code() || d.dpl() > c.s.cpl) return raise_selector(c, kGeneralProtection, selector);
  if (!d.present()) return raise_selector(c, kSegmentNotPresent, selector);
  out.cpl = d.conforming() ? c.s.cpl : d.dpl();
  if (c.vm86() && out.cpl != 0) return raise_selector(c, kGeneralProtection, selector);
  if (offset > d.limit()) return raise(c, kGeneralProtection, c.ext);
  if (!set_accessed(c, d)) return false;
  out.cs = make_segment(static_cast<std::uint16_t>((selector & ~3u) | out.cpl), d);
  out.eip = offset;
  return true;
}

bool deliver_through_gate(Core& c, const PendingEvent& event, const Descriptor& gate) {
  const unsigned size = (gate.type() & 8) != 0 ? 4 : 2;
  Target target;
  if (!check_target(c, gate.gate_selector(), size == 4 ? gate.gate_offset32() : gate.gate_offset16(), target)) return false;

  const bool inner = target.cpl < c.s.cpl;
  const bool from_vm86 = c.vm86();
  Segment ss = c.s.segment[kSs];
  std::uint32_t esp = c.s.gpr[kEsp];
  if (inner) {
    std::uint16_t selector = 0;
    if (!read_inner_stack(c, target.cpl, selector, esp) || !check_stack_segment(c, selector, target.cpl, kInvalidTss, ss)) return false;
  }
  StackFrame frame{c, ss, esp, inner};
  std::uint32_t flags = get_eflags(c.s);
  // Faults are restarted: the image has RF set, so that an instruction breakpoint does not hit again.
  if (event.kind == PendingEvent::Kind::fault && !event.external && event.vector != kDebug) flags |= kRf;
  if (from_vm86) {
    for (unsigned segment : {kGs, kFs, kDs, kEs}) {
      if (!frame.push(c.s.segment[segment].selector, size)) return false;
    }
  }
  if (inner && (!frame.push(c.s.segment[kSs].selector, size) || !frame.push(c.s.gpr[kEsp], size))) return false;
  const std::uint32_t return_eip = event.kind == PendingEvent::Kind::software ? event.return_eip : c.s.eip;
  if (!frame.push(flags, size) || !frame.push(c.s.segment[kCs].selector, size) || !frame.push(return_eip, size)) return false;
  if (event.has_error && !frame.push(event.error, size)) return false;

  if (from_vm86) {
    for (unsigned segment : {kGs, kFs, kDs, kEs}) c.s.segment[segment] = Segment{};
  }
  c.s.segment[kSs] = ss;
  c.s.segment[kCs] = target.cs;
  set_stack_pointer(c, frame.pointer());
  if (inner && stack_mask(ss) == 0xffffu) c.s.gpr[kEsp] = (esp & 0xffff0000u) | (frame.pointer() & 0xffff);
  c.s.eip = target.eip;
  c.s.system_flags &= ~(kTf | kNt | kRf | kVm | ((gate.type() & 1) == 0 ? kIf : 0));
  set_cpl(c, target.cpl);
  update_mode(c);
  return true;
}

bool deliver_protected(Core& c, const PendingEvent& event) {
  const std::uint32_t entry = event.vector * 8u;
  const std::uint32_t error = entry + 2 + c.ext;
  if (entry + 7 > c.s.idtr.limit) return raise(c, kGeneralProtection, error);
  Descriptor gate;
  gate.address = c.s.idtr.base + entry;
  if (!system_load(c, gate.address, gate.low) || !system_load(c, gate.address + 4, gate.high)) return false;
  switch (gate.is_system() ? gate.type() : 0u) {
    case kTaskGate:
    case kInterruptGate16:
    case kTrapGate16:
    case kInterruptGate32:
    case kTrapGate32:
      break;
    default:
      return raise(c, kGeneralProtection, error);
  }
  if (event.kind == PendingEvent::Kind::software && gate.dpl() < c.s.cpl) return raise(c, kGeneralProtection, error);
  if (!gate.present()) return raise(c, kSegmentNotPresent, error);
  if (gate.type() == kTaskGate) {
    Descriptor tss;
    const std::uint32_t return_eip = event.kind == PendingEvent::Kind::software ? event.return_eip : c.s.eip;
    return read_tss(c, gate.gate_selector(), kGeneralProtection, tss) &&
           switch_task(c, gate.gate_selector(), tss, TaskSwitch::interrupt, return_eip, event.has_error, event.error);
  }
  return deliver_through_gate(c, event, gate);
}

bool deliver_once(Core& c, const PendingEvent& event) {
  c.event = {};
  c.ext = event.kind == PendingEvent::Kind::software ? 0 : 1;
  const bool ok = c.protected_mode() ? deliver_protected(c, event) : deliver_real_mode(c, event);
  c.ext = 0;
  // A task switch may have succeeded and left an exception of the new task.
  return ok && c.event.kind == PendingEvent::Kind::none;
}

bool contributory(std::uint8_t vector) { return vector == kDivideError || (vector >= kInvalidTss && vector <= kGeneralProtection); }

bool makes_double_fault(const PendingEvent& first, const PendingEvent& second) {
  if (first.kind == PendingEvent::Kind::software || first.external) return false;
  return (contributory(first.vector) && contributory(second.vector)) ||
         (first.vector == kPageFault && (second.vector == kPageFault || contributory(second.vector)));
}

/// More faults in a row than the architecture's rules allow, except for task switches that trap into each other for ever.
constexpr unsigned kMaxNestedFaults = 16;

void deliver(Core& c, PendingEvent event) {
  const NotingHits noting{c};
  for (unsigned nesting = 0; !deliver_once(c, event); ++nesting) {
    const PendingEvent nested = c.event;
    c.event = {};
    const bool double_fault = event.vector == kDoubleFault && event.kind == PendingEvent::Kind::fault && !event.external;
    if (double_fault || nesting == kMaxNestedFaults) {
      c.s.shut_down = 1;
      return;
    }
    if (makes_double_fault(event, nested)) {
      event = {.kind = PendingEvent::Kind::fault, .vector = kDoubleFault, .has_error = true, .external = false, .error = 0, .return_eip = 0};
    } else {
      event = nested;
    }
  }
}

}  // namespace

void deliver_pending(Core& c) {
  ++c.exceptions;
  c.s.halted = 0;  // a trap after HLT wakes it
  PendingEvent event = c.event;
  // In real mode no error code is pushed.
  if (!c.protected_mode()) event.has_error = false;
  deliver(c, event);
}

void deliver_external(Core& c, std::uint8_t vector) {
  ++c.interrupts;
  deliver(c, {.kind = PendingEvent::Kind::fault, .vector = vector, .has_error = false, .external = true, .error = 0, .return_eip = 0});
}

bool check_io_permission(Core& c, std::uint32_t port, unsigned width) {
  if (!c.protected_mode() || (!c.vm86() && c.s.cpl <= c.iopl())) return true;
  std::uint16_t bitmap = 0, bits = 0;
  if (c.s.tr.valid == 0 || (c.s.tr.type() & 8) == 0 || c.s.tr.limit < 103) return raise(c, kGeneralProtection, 0);
  if (!system_load(c, c.s.tr.base + 102, bitmap)) return false;
  const std::uint32_t at = bitmap + (port >> 3);
  if (at + 1 > c.s.tr.limit) return raise(c, kGeneralProtection, 0);
  if (!system_load(c, c.s.tr.base + at, bits)) return false;
  const unsigned mask = ((1u << width) - 1) << (port & 7);
  if ((bits & mask) != 0) return raise(c, kGeneralProtection, 0);
  return true;
}

}  // namespace tuxarium::cpu
