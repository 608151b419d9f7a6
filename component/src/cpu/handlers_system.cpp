// HLT, CLI, STI, descriptor tables, control, debug and model-specific registers, CPUID, RDTSC and the rest of the system instructions.

#include "cpu/debug.hpp"
#include "cpu/handlers.hpp"
#include "cpu/msr.hpp"
#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

bool require_cpl0(Core& c) { return c.s.cpl == 0 || raise(c, kGeneralProtection, 0); }

bool require_protected(Core& c) { return !c.real_or_vm86() || raise(c, kInvalidOpcode); }

const Op* done_or_fault(Core& c, const Op* op, bool ok) { return ok ? leave(c, next_eip(c, op)) : fault(c, op); }

bool read_word(Core& c, const Op* op, std::uint16_t& value) {
  if ((op->modrm & 0xc0) == 0xc0) {
    value = get<std::uint16_t>(c, op->src);
    return true;
  }
  std::uint32_t linear;
  return operand_address<true>(c, op, 2, Access::read, linear) && load(c, linear, value);
}

/// SLDT, STR, SMSW: a register gets the value in its operand size, memory 16 bits.
bool write_word(Core& c, const Op* op, std::uint32_t value) {
  if ((op->modrm & 0xc0) == 0xc0) {
    if (op->operand_size == 2) {
      put<std::uint16_t>(c, op->src, static_cast<std::uint16_t>(value));
    } else {
      put<std::uint32_t>(c, op->src, value);
    }
    return true;
  }
  std::uint32_t linear;
  return operand_address<true>(c, op, 2, Access::write, linear) && store<std::uint16_t>(c, linear, static_cast<std::uint16_t>(value));
}

const Op* op_hlt(Core& c, const Op* op) {
  if (!require_cpl0(c)) return fault(c, op);
  c.s.halted = 1;
  return leave(c, next_eip(c, op));
}

/// What CLI and STI change.
enum class InterruptFlag : std::uint8_t { real, virtual_one, none };
InterruptFlag interrupt_flag(const Core& c) {
  if (!c.protected_mode() || (c.vm86() ? 3u : unsigned{c.s.cpl}) <= c.iopl()) return InterruptFlag::real;
  const bool extended = c.vm86() ? (c.s.cr4 & kCr4Vme) != 0 : c.s.cpl == 3 && (c.s.cr4 & kCr4Pvi) != 0;
  return extended ? InterruptFlag::virtual_one : InterruptFlag::none;
}

const Op* op_cli(Core& c, const Op* op) {
  const InterruptFlag flag = interrupt_flag(c);
  if (flag == InterruptFlag::none) {
    raise(c, kGeneralProtection, 0);
    return fault(c, op);
  }
  c.s.system_flags &= ~(flag == InterruptFlag::real ? kIf : kVif);
  TUXARIUM_NEXT();
}

/// The instruction after it comes before any interrupt. With none waiting, it may as well follow at once.
TUXARIUM_OUTLINE const Op* op_sti(Core& c, const Op* op) {
  const InterruptFlag flag = interrupt_flag(c);
  if (flag == InterruptFlag::none || (flag == InterruptFlag::virtual_one && (c.s.system_flags & kVip) != 0)) {
    raise(c, kGeneralProtection, 0);
    return fault(c, op);
  }
  const bool shadow = flag == InterruptFlag::real && (c.s.system_flags & kIf) == 0;
  c.s.system_flags |= flag == InterruptFlag::real ? kIf : kVif;
  c.s.eip = next_eip(c, op);
  const Op* next = go_on(c, 0);
  if (next == nullptr && shadow) c.s.interrupt_shadow = kShadowSti;
  return next;
}

const Op* op_clts(Core& c, const Op* op) {
  if (!require_cpl0(c)) return fault(c, op);
  c.s.cr0 &= ~kCr0Ts;
  TUXARIUM_NEXT();
}

bool write_cr0(Core& c, std::uint32_t value) {
  if ((value & (kCr0Pg | kCr0Pe)) == kCr0Pg || (value & (kCr0Nw | kCr0Cd)) == kCr0Nw) return raise(c, kGeneralProtection, 0);
  constexpr std::uint32_t kDefined = 0xe005003fu;
  const std::uint32_t old = c.s.cr0;
  value = (value & kDefined) | kCr0Et;
  if (((old ^ value) & (kCr0Pg | kCr0Nw | kCr0Cd)) != 0 && !load_page_pointers(c, value, c.s.cr3, c.s.cr4)) return false;
  c.s.cr0 = value;
  if (((old ^ c.s.cr0) & (kCr0Pg | kCr0Pe | kCr0Wp)) != 0) flush_tlb(c);
  if (((old ^ c.s.cr0) & kCr0Pe) != 0) {
    if ((c.s.cr0 & kCr0Pe) == 0) c.s.system_flags &= ~kVm;
    set_cpl(c, (c.s.cr0 & kCr0Pe) == 0 ? 0 : c.s.cpl);
    update_mode(c);
  }
  return true;
}

bool write_cr3(Core& c, std::uint32_t value) {
  if (!load_page_pointers(c, c.s.cr0, value, c.s.cr4)) return false;
  c.s.cr3 = value;
  flush_tlb_local(c);
  return true;
}

/// The bits of CR4 that the model has; a processor without any has no CR4.
std::uint32_t cr4_bits(const Core& c) {
  struct Bit {
    Feature feature;
    std::uint32_t bits;
  };
  using enum Feature;
  constexpr Bit kBitsOf[] = {{vme, kCr4Vme | kCr4Pvi}, {tsc, kCr4Tsd}, {de, kCr4De}, {pse, kCr4Pse}, {pae, kCr4Pae}, {mce, kCr4Mce}, {pge, kCr4Pge},
                             {p6, kCr4Pce}, {fxsr, kCr4Osfxsr}, {sse, kCr4Osxmmexcpt}};
  std::uint32_t bits = c.model == Model::jslinux ? kCr4Pce : 0;
  for (const Bit& b : kBitsOf) {
    if (c.has(b.feature)) bits |= b.bits;
  }
  return bits;
}

bool write_cr4(Core& c, std::uint32_t value) {
  if ((value & ~cr4_bits(c)) != 0) return raise(c, kGeneralProtection, 0);
  constexpr std::uint32_t kPaging = kCr4Pse | kCr4Pae | kCr4Pge;
  if (((c.s.cr4 ^ value) & kPaging) != 0) {
    if (!load_page_pointers(c, c.s.cr0, c.s.cr3, value)) return false;
    flush_tlb(c);
  }
  const bool de_changes = ((c.s.cr4 ^ value) & kCr4De) != 0;
  c.s.cr4 = value;
  if (de_changes) update_breakpoints(c);
  return true;
}

/// #UD for a control register that does not exist, which comes before the #GP of user code.
bool control_register(Core& c, const Op* op, unsigned& number) {
  number = op->modrm >> 3 & 7;
  const bool exists = number == 0 || number == 2 || number == 3 || (number == 4 && cr4_bits(c) != 0);
  return exists ? require_cpl0(c) : raise(c, kInvalidOpcode);
}

const Op* mov_from_control(Core& c, const Op* op) {
  unsigned number = 0;
  if (!control_register(c, op, number)) return fault(c, op);
  std::uint32_t value = 0;
  switch (number) {
    case 0: value = c.s.cr0; break;
    case 2: value = c.s.cr2; break;
    case 3: value = c.s.cr3; break;
    default: value = c.s.cr4; break;
  }
  put<std::uint32_t>(c, op->src, value);
  TUXARIUM_NEXT();
}

const Op* mov_to_control(Core& c, const Op* op) {
  unsigned number = 0;
  if (!control_register(c, op, number)) return fault(c, op);
  const auto value = get<std::uint32_t>(c, op->src);
  bool ok = true;
  switch (number) {
    case 0: ok = write_cr0(c, value); break;
    case 2: c.s.cr2 = value; break;
    case 3: ok = write_cr3(c, value); break;
    default: ok = write_cr4(c, value); break;
  }
  return done_or_fault(c, op, ok);
}

/// DR4 and DR5 are other names of DR6 and DR7 unless CR4.DE is set.
bool debug_register(Core& c, const Op* op, unsigned& number) {
  number = op->modrm >> 3 & 7;
  if (number == 4 || number == 5) {
    if ((c.s.cr4 & kCr4De) != 0) return raise(c, kInvalidOpcode);
    number += 2;
  }
  if (!require_cpl0(c)) return false;
  return (c.s.dr[7] & kDr7Gd) == 0 || raise_debug(c, kDr6Bd);
}

const Op* mov_from_debug(Core& c, const Op* op) {
  unsigned number = 0;
  if (!debug_register(c, op, number)) return fault(c, op);
  put<std::uint32_t>(c, op->src, c.s.dr[number]);
  TUXARIUM_NEXT();
}

const Op* mov_to_debug(Core& c, const Op* op) {
  unsigned number = 0;
  if (!debug_register(c, op, number)) return fault(c, op);
  const auto value = get<std::uint32_t>(c, op->src);
  if (number == 6) {
    c.s.dr[6] = (value & 0xe00fu) | 0xffff0ff0u;
  } else if (number == 7) {
    c.s.dr[7] = (value & ~0xdc00u) | 0x400;
  } else {
    c.s.dr[number] = value;
  }
  if (number != 6) update_breakpoints(c);
  return leave(c, next_eip(c, op));
}

bool store_table(Core& c, const Op* op, const DescriptorTable& table) {
  std::uint32_t linear;
  return operand_address<true>(c, op, 6, Access::write, linear) && aligned(c, linear, 4) && probe_write(c, linear, 6) &&
         store_slow(c, linear, table.limit & 0xffff, 2, false) && store_slow(c, linear + 2, table.base, 4, false);
}

bool load_table(Core& c, const Op* op, DescriptorTable& table) {
  std::uint32_t linear, base;
  std::uint16_t limit;
  if (!require_cpl0(c) || !operand_address<true>(c, op, 6, Access::read, linear) || !load(c, linear, limit) || !load(c, linear + 2, base)) {
    return false;
  }
  table.limit = limit;
  table.base = op->operand_size == 2 ? base & 0x00ffffffu : base;
  return true;
}

const Op* op_sgdt(Core& c, const Op* op) { return done_or_fault(c, op, store_table(c, op, c.s.gdtr)); }
const Op* op_sidt(Core& c, const Op* op) { return done_or_fault(c, op, store_table(c, op, c.s.idtr)); }
const Op* op_lgdt(Core& c, const Op* op) { return done_or_fault(c, op, load_table(c, op, c.s.gdtr)); }
const Op* op_lidt(Core& c, const Op* op) { return done_or_fault(c, op, load_table(c, op, c.s.idtr)); }

const Op* op_sldt(Core& c, const Op* op) {
  return done_or_fault(c, op, require_protected(c) && write_word(c, op, c.s.ldtr.selector));
}
const Op* op_str(Core& c, const Op* op) { return done_or_fault(c, op, require_protected(c) && write_word(c, op, c.s.tr.selector)); }
const Op* op_smsw(Core& c, const Op* op) { return done_or_fault(c, op, write_word(c, op, c.s.cr0)); }

const Op* op_lmsw(Core& c, const Op* op) {
  std::uint16_t value;
  if (!require_cpl0(c) || !read_word(c, op, value)) return fault(c, op);
  // LMSW sets PE but cannot clear it.
  return done_or_fault(c, op, write_cr0(c, (c.s.cr0 & ~0xeu) | (value & 0xfu)));
}

bool load_ldtr(Core& c, const Op* op) {
  std::uint16_t selector;
  if (!require_protected(c) || !require_cpl0(c) || !read_word(c, op, selector)) return false;
  if (is_null(selector)) {
    c.s.ldtr = Segment{};
    c.s.ldtr.selector = selector;
    return true;
  }
  Descriptor d;
  if ((selector & 4) != 0) return raise_selector(c, kGeneralProtection, selector);
  if (!read_descriptor(c, selector, d)) return false;
  if (!d.is_system() || d.type() != kLdt) return raise_selector(c, kGeneralProtection, selector);
  if (!d.present()) return raise_selector(c, kSegmentNotPresent, selector);
  c.s.ldtr = make_segment(selector, d);
  return true;
}

bool load_tr(Core& c, const Op* op) {
  std::uint16_t selector;
  if (!require_protected(c) || !require_cpl0(c) || !read_word(c, op, selector)) return false;
  Descriptor d;
  if (is_null(selector)) return raise(c, kGeneralProtection, 0);
  if (!read_tss(c, selector, kGeneralProtection, d)) return false;
  d.high |= 0x200;
  if (!system_store(c, d.address + 4, d.high)) return false;
  c.s.tr = make_segment(selector, d);
  return true;
}

const Op* op_lldt(Core& c, const Op* op) { return done_or_fault(c, op, load_ldtr(c, op)); }
const Op* op_ltr(Core& c, const Op* op) { return done_or_fault(c, op, load_tr(c, op)); }

/// A descriptor that LAR, LSL, VERR and VERW may look at from the current privilege level.
bool visible(const Core& c, std::uint16_t selector, const Descriptor& d) {
  const bool conforming = d.is_code() && d.conforming();
  return conforming || (d.dpl() >= c.s.cpl && d.dpl() >= (selector & 3u));
}

template <bool Limit>
bool valid_system_type(unsigned type) {
  switch (type) {
    case kTss16Available: case kLdt: case kTss16Busy: case kTss32Available: case kTss32Busy: return true;
    case kCallGate16: case kTaskGate: case kCallGate32: return !Limit;
    default: return false;
  }
}

template <bool Limit>
const Op* op_lar_lsl(Core& c, const Op* op) {
  std::uint16_t selector;
  if (!require_protected(c) || !read_word(c, op, selector)) return fault(c, op);
  Descriptor d;
  const bool found = peek_descriptor(c, selector, d);
  if (!found && c.event.kind != PendingEvent::Kind::none) return fault(c, op);
  const bool ok = found && visible(c, selector, d) && (!d.is_system() || valid_system_type<Limit>(d.type()));
  if (ok) {
    const std::uint32_t value = Limit ? d.limit() : d.high & 0x00f0ff00u;
    if (op->operand_size == 2) {
      put<std::uint16_t>(c, op->dst, static_cast<std::uint16_t>(value));
    } else {
      put<std::uint32_t>(c, op->dst, value);
    }
  }
  set_zf(c.s, ok);
  return leave(c, next_eip(c, op));
}

template <bool Write>
const Op* op_verify(Core& c, const Op* op) {
  std::uint16_t selector;
  if (!require_protected(c) || !read_word(c, op, selector)) return fault(c, op);
  Descriptor d;
  const bool found = peek_descriptor(c, selector, d);
  if (!found && c.event.kind != PendingEvent::Kind::none) return fault(c, op);
  const bool right = Write ? !d.is_code() && d.readable_or_writable() : !d.is_code() || d.readable_or_writable();
  set_zf(c.s, found && !d.is_system() && right && visible(c, selector, d));
  return leave(c, next_eip(c, op));
}

const Op* op_arpl(Core& c, const Op* op) {
  std::uint16_t destination;
  const auto source = get<std::uint16_t>(c, op->dst);
  if (!require_protected(c) || !read_word(c, op, destination)) return fault(c, op);
  const bool raise_rpl = (destination & 3) < (source & 3);
  if (raise_rpl) {
    const auto value = static_cast<std::uint16_t>((destination & ~3u) | (source & 3u));
    std::uint32_t linear;
    if ((op->modrm & 0xc0) == 0xc0) {
      put<std::uint16_t>(c, op->src, value);
    } else if (!operand_address<true>(c, op, 2, Access::write, linear) || !store<std::uint16_t>(c, linear, value)) {
      return fault(c, op);
    }
  }
  set_zf(c.s, raise_rpl);
  TUXARIUM_NEXT();
}

const Op* op_invlpg(Core& c, const Op* op) {
  if (!require_cpl0(c)) return fault(c, op);
  const std::uint32_t offset = cut(operand_offset(c, op), op->address_size);
  flush_tlb_page(c, c.s.segment[op->segment].base + offset);
  return leave(c, next_eip(c, op));
}

const Op* op_cache_control(Core& c, const Op* op) { return done_or_fault(c, op, require_cpl0(c)); }

const Op* op_rdtsc(Core& c, const Op* op) {
  if ((c.s.cr4 & kCr4Tsd) != 0 && c.s.cpl != 0) {
    raise(c, kGeneralProtection, 0);
    return fault(c, op);
  }
  std::uint64_t value = 0;
  {
    const BusAccess access{c, op};
    value = c.bus.time_stamp() + c.s.tsc_offset;
  }
  c.s.gpr[kEax] = static_cast<std::uint32_t>(value);
  c.s.gpr[kEdx] = static_cast<std::uint32_t>(value >> 32);
  TUXARIUM_NEXT();
}

const Op* op_rdpmc(Core& c, const Op* op) {
  if (c.s.cpl != 0 && (c.s.cr4 & kCr4Pce) == 0) {
    raise(c, kGeneralProtection, 0);
    return fault(c, op);
  }
  const std::uint32_t number = c.s.gpr[kEcx];
  if (number >= c.s.msr.event_counter.size()) {
    raise(c, kGeneralProtection, 0);
    return fault(c, op);
  }
  c.s.gpr[kEax] = static_cast<std::uint32_t>(c.s.msr.event_counter[number]);
  c.s.gpr[kEdx] = static_cast<std::uint32_t>(c.s.msr.event_counter[number] >> 32);
  TUXARIUM_NEXT();
}

TUXARIUM_OUTLINE const Op* op_rdmsr(Core& c, const Op* op) {
  if (!require_cpl0(c)) return fault(c, op);
  std::uint64_t value = 0;
  bool there = false;
  {
    const BusAccess access{c, op};
    there = read_msr(c, c.s.gpr[kEcx], value);
  }
  if (!there) {
    raise(c, kGeneralProtection, 0);
    return fault(c, op);
  }
  c.s.gpr[kEax] = static_cast<std::uint32_t>(value);
  c.s.gpr[kEdx] = static_cast<std::uint32_t>(value >> 32);
  return op + 1;
}

TUXARIUM_OUTLINE const Op* op_wrmsr(Core& c, const Op* op) {
  if (!require_cpl0(c)) return fault(c, op);
  bool taken = false;
  {
    const BusAccess access{c, op};
    taken = write_msr(c, c.s.gpr[kEcx], std::uint64_t{c.s.gpr[kEdx]} << 32 | c.s.gpr[kEax]);
  }
  if (!taken) {
    raise(c, kGeneralProtection, 0);
    return fault(c, op);
  }
  return leave(c, next_eip(c, op));
}

const Op* op_cpuid(Core& c, const Op* op) {
  const CpuidResult result = cpuid_of(c.model, c.features, c.s.gpr[kEax]);
  c.s.gpr[kEax] = result.eax;
  c.s.gpr[kEbx] = result.ebx;
  c.s.gpr[kEcx] = result.ecx;
  c.s.gpr[kEdx] = result.edx;
  TUXARIUM_NEXT();
}

}  // namespace

const Op* op_undefined(Core& c, const Op* op) {
  raise(c, kInvalidOpcode);
  return fault(c, op);
}

const Op* op_too_long(Core& c, const Op* op) {
  raise(c, kGeneralProtection, 0);
  return fault(c, op);
}

/// Stands behind the last instruction of a block that did not end with a branch.
const Op* op_end_of_block(Core& c, const Op* op) {
  const std::uint32_t next = this_eip(c, op);
  TUXARIUM_BRANCH(0, next, op->src != 0);
}

const Op* op_stale(Core& c, const Op* op) { return leave_before(c, op); }

const Op* fault(Core& c, const Op* op) { return leave_before(c, op); }

Handler pick_system(const Instruction& i, Op&) {
  switch (i.mnemonic()) {
    case Mnemonic::hlt: return op_hlt;
    case Mnemonic::cli: return op_cli;
    case Mnemonic::sti: return step_out<op_sti>;
    case Mnemonic::clts: return op_clts;
    case Mnemonic::mov_from_cr: return mov_from_control;
    case Mnemonic::mov_to_cr: return mov_to_control;
    case Mnemonic::mov_from_dr: return mov_from_debug;
    case Mnemonic::mov_to_dr: return mov_to_debug;
    case Mnemonic::sgdt: return op_sgdt;
    case Mnemonic::sidt: return op_sidt;
    case Mnemonic::lgdt: return op_lgdt;
    case Mnemonic::lidt: return op_lidt;
    case Mnemonic::sldt: return op_sldt;
    case Mnemonic::str: return op_str;
    case Mnemonic::smsw: return op_smsw;
    case Mnemonic::lmsw: return op_lmsw;
    case Mnemonic::lldt: return op_lldt;
    case Mnemonic::ltr: return op_ltr;
    case Mnemonic::lar: return op_lar_lsl<false>;
    case Mnemonic::lsl: return op_lar_lsl<true>;
    case Mnemonic::verr: return op_verify<false>;
    case Mnemonic::verw: return op_verify<true>;
    case Mnemonic::arpl: return op_arpl;
    case Mnemonic::invlpg: return op_invlpg;
    case Mnemonic::invd:
    case Mnemonic::wbinvd: return op_cache_control;
    case Mnemonic::rdtsc: return op_rdtsc;
    case Mnemonic::rdpmc: return op_rdpmc;
    case Mnemonic::rdmsr: return step_out<op_rdmsr>;
    case Mnemonic::wrmsr: return step_out<op_wrmsr>;
    case Mnemonic::cpuid: return op_cpuid;
    case Mnemonic::ud1:
    case Mnemonic::ud2: return op_undefined;
    default: return nullptr;
  }
}

}  // namespace tuxarium::cpu
