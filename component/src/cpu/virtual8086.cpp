// The extensions of virtual-8086 mode: a virtual interrupt flag, and software interrupts that the 8086 program handles itself. Intel SDM volume 3B,
// section 20.3.
//
// Not modelled: the #GP of an EFLAGS image with VIF and VIP both set, before the next instruction.

#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

/// The bit of the redirection map in front of the I/O permission map; set: the interrupt is the monitor's.
bool read_redirection_bit(Core& c, std::uint8_t vector, bool& bit) {
  constexpr std::uint32_t kMapBytes = 32, kMapBase = 102;
  std::uint16_t io_map = 0;
  std::uint8_t bits = 0;
  if (c.s.tr.valid == 0 || (c.s.tr.type() & 8) == 0 || c.s.tr.limit <= kMapBase) return raise(c, kGeneralProtection, 0);
  if (!system_load(c, c.s.tr.base + kMapBase, io_map)) return false;
  const std::uint32_t at = io_map - kMapBytes + (vector >> 3);
  if (at > c.s.tr.limit) return raise(c, kGeneralProtection, 0);
  if (!system_load(c, c.s.tr.base + at, bits)) return false;
  bit = (bits >> (vector & 7) & 1) != 0;
  return true;
}

}  // namespace

std::uint16_t virtual_flags(const Core& c) {
  const std::uint32_t flags = get_eflags(c.s) | kIopl;
  return static_cast<std::uint16_t>((c.s.system_flags & kVif) != 0 ? flags | kIf : flags & ~kIf);
}

bool write_virtual_flags(Core& c, std::uint32_t value) {
  if ((value & kTf) != 0 || ((value & kIf) != 0 && (c.s.system_flags & kVip) != 0)) return raise(c, kGeneralProtection, 0);
  constexpr std::uint32_t kChangeable = kArithmeticFlags | kDf | kNt;
  const std::uint32_t kept = get_eflags(c.s) & ~(kChangeable | kTf | kVif);
  set_eflags(c.s, kept | (value & kChangeable) | ((value & kIf) != 0 ? kVif : 0));
  return true;
}

bool redirect_interrupt(Core& c, std::uint8_t vector, std::uint32_t next_eip, bool& redirected) {
  bool monitor = false;
  redirected = false;
  if (!read_redirection_bit(c, vector, monitor)) return false;
  if (monitor) return true;
  std::uint32_t pointer = 0;
  if (!system_load(c, vector * 4u, pointer)) return false;
  const bool virtual_if = c.virtual_if_in_vm86();
  const std::uint32_t flags = virtual_if ? virtual_flags(c) : get_eflags(c.s) & 0xffffu;
  StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
  if (!frame.push(flags, 2) || !frame.push(c.s.segment[kCs].selector, 2) || !frame.push(next_eip & 0xffff, 2)) return false;
  set_stack_pointer(c, frame.pointer());
  c.s.system_flags &= ~(kTf | (virtual_if ? kVif : kIf));
  c.s.segment[kCs] = real_mode_segment(c.s.segment[kCs], static_cast<std::uint16_t>(pointer >> 16), true);
  c.s.eip = pointer & 0xffff;
  update_mode(c);
  redirected = true;
  return true;
}

}  // namespace tuxarium::cpu
