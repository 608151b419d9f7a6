#include "deviations.hpp"

#include <cstring>

#include "cpu/cpu_state.hpp"

namespace tuxarium::differential {

using namespace cpu;
using enum Mnemonic;

namespace {

Mnemonic mnemonic(const Case& c) { return c.form->row->mnemonic; }

bool both_faulted(const Outcome& host, const Outcome& here) { return host.vector >= 0 && host.vector < 32 && here.vector >= 0 && here.vector < 32; }

bool stack_is_16bit(const Case& c) {
  const std::uint16_t ss = c.segment[kSs];
  return (ss & 4) != 0 && (ss >> 3) < kLocalEntries && !kLocalDescriptors[ss >> 3].big;
}

void take_fault(const Outcome& host, Outcome& here) {
  here.vector = host.vector;
  here.error = host.error;
  here.cr2 = host.cr2;
}

void take_memory(const Outcome& host, Outcome& here, std::uint32_t from, std::uint32_t count) {
  for (std::uint32_t n = 0; n < count; ++n) {
    const std::uint32_t offset = from + n - kDataBase;
    if (offset < kWritableSize) here.memory[offset] = host.memory[offset];
  }
}

void take_fx(const Outcome& host, Outcome& here, std::size_t from, std::size_t count) {
  std::memcpy(here.fx.data() + from, host.fx.data() + from, count);
}

/// ModRM.reg of an x87 form with escape `escape`, or -1.
int x87_memory(const Case& c, int escape) {
  if (c.form->x87 < 0 || !c.form->memory || c.form->x87 >> 6 != escape) return -1;
  return c.form->x87 >> 3 & 7;
}

void order_of_accesses(const Case& c, const Outcome& host, Outcome& here) {
  switch (mnemonic(c)) {
    case cmps: case movs: case retf: case iret: case call_far: case enter: case fxsave: case fxrstor: case maskmovq: case maskmovdqu: case x87:
    case les: case lds: case lss: case lfs: case lgs: case jmp_far: case bound: case pusha: case popa: break;
    default: return;
  }
  if (host.vector == kPageFault && here.vector == kPageFault) here.cr2 = host.cr2;
}

void order_of_faults(const Case& c, const Outcome& host, Outcome& here) {
  switch (mnemonic(c)) {
    case retf: case iret: case call: case call_far: case jmp_far: case cmps: case enter: case fxsave: case fxrstor: case les: case lds: case lss:
    case lfs: case lgs: case bound: break;
    case x87:
      if (c.form->memory) break;
      return;
    default: return;
  }
  if (both_faulted(host, here) && host.eip == here.eip) take_fault(host, here);
}

void misaligned_or_beyond(const Case& c, const Outcome& host, Outcome& here) {
  const bool sse = c.form->row->operand[0] == Operand::Wdq || c.form->row->operand[1] == Operand::Wdq || c.form->row->operand[0] == Operand::Mdq ||
                   c.form->row->operand[1] == Operand::Mdq || mnemonic(c) == fxsave || mnemonic(c) == fxrstor;
  if (sse && host.vector == kGeneralProtection && here.vector == kStackFault) take_fault(host, here);
}

void beyond_4_gib(const Case& c, const Outcome& host, Outcome& here) {
  constexpr std::uint32_t kLastBytes = 0xfffffe00u;
  const bool limit = host.vector == kGeneralProtection || host.vector == kStackFault;
  // CMPXCHG8B's comparand may have become the address: EDX.
  const bool last = c.operand >= kLastBytes || (mnemonic(c) == cmpxchg8b && c.gpr[kEdx] >= kLastBytes);
  const bool instead = (here.vector == kPageFault && here.cr2 >= kLastBytes) || (here.vector == kAlignmentCheck && last);
  if (limit && host.error == 0 && instead) take_fault(host, here);
}

void alignment_of_unaligned_moves(const Case& c, const Outcome& host, Outcome& here) {
  const Mnemonic m = mnemonic(c);
  if (m != movups && m != movupd && m != movdqu && m != lddqu) return;
  if (host.vector == kAlignmentCheck || here.vector == kAlignmentCheck) here = host;
}

void popa_in_parts(const Case& c, const Outcome& host, Outcome& here) {
  if (mnemonic(c) != popa || host.vector < 0 || host.vector != here.vector) return;
  for (const unsigned r : {kEdi, kEsi, kEbp, kEbx, kEdx, kEcx, kEax}) here.gpr[r] = host.gpr[r];
}

void wide_selector_pop(const Case& c, const Outcome& host, Outcome& here) {
  if (mnemonic(c) != pop_seg || c.form->operand_size != 4) return;
  if (host.vector == kPageFault || host.vector == kStackFault || host.vector == kAlignmentCheck) here = host;
}

void ud1_without_operand(const Case& c, const Outcome& host, Outcome& here) {
  if (mnemonic(c) == ud1 && host.vector == kInvalidOpcode && (here.vector == kPageFault || here.vector == kGeneralProtection)) take_fault(host, here);
}

void enter_on_small_stack(const Case& c, const Outcome& host, Outcome& here) {
  if (mnemonic(c) != enter || c.form->operand_size != 4 || !stack_is_16bit(c)) return;
  here.gpr[kEbp] = (here.gpr[kEbp] & 0xffff) | (host.gpr[kEbp] & 0xffff0000u);
  // ENTER pushes it, too.
  for (std::uint32_t n = 1; n <= 4 * 33; ++n) take_memory(host, here, segment_base(c.segment[kSs]) + ((c.gpr[kEsp] - n) & 0xffff), 1);
}

void lar_limit_bits(const Case& c, const Outcome& host, Outcome& here) {
  constexpr std::uint32_t kUndefined = 0x000f0000;
  if (mnemonic(c) != lar) return;
  for (unsigned r = 0; r < 8; ++r) {
    if ((host.gpr[r] ^ here.gpr[r]) != 0 && ((host.gpr[r] ^ here.gpr[r]) & ~kUndefined) == 0) here.gpr[r] = host.gpr[r];
  }
}

void opcode_of_small_image(const Case& c, const Outcome& host, Outcome& here) {
  if (c.form->operand_size == 2 && (x87_memory(c, 1) == 4 || x87_memory(c, 5) == 4)) take_fx(host, here, 6, 2);
}

void mmx_state_before_store(const Case& c, const Outcome& host, Outcome& here) {
  if (mnemonic(c) == maskmovq && host.vector >= 0 && host.vector == here.vector) take_fx(host, here, 0, 160);
}

void masked_bytes(const Case& c, const Outcome& host, Outcome& here) {
  if ((mnemonic(c) == maskmovq || mnemonic(c) == maskmovdqu) && host.vector >= 0) here = host;
}

void rf_between_iterations(const Case& c, const Outcome& host, Outcome& here) {
  if (host.vector == kDebug && here.vector == kDebug && here.eip == c.eip()) here.eflags = (here.eflags & ~kRf) | (host.eflags & kRf);
}

void far_call_pushes_first(const Case& c, const Outcome& host, Outcome& here) {
  if (mnemonic(c) != call_far || !both_faulted(host, here)) return;
  take_memory(host, here, segment_base(c.segment[kSs]) + (stack_is_16bit(c) ? c.gpr[kEsp] & 0xffff : c.gpr[kEsp]) - 8, 8);
}

void fxsave_fields(const Case& c, const Outcome& host, Outcome& here) {
  if (mnemonic(c) != fxsave) return;
  take_memory(host, here, c.operand + 6, 18);
  take_memory(host, here, c.operand + 28, 4);
}

void fxrstor_pointers(const Case& c, const Outcome& host, Outcome& here) {
  if (mnemonic(c) == fxrstor) take_fx(host, here, 6, 18);
}

void misaligned_mode(const Case& c, const Outcome& host, Outcome& here) {
  constexpr std::uint8_t kMmInByte2 = 0x02;
  const bool loads = mnemonic(c) == ldmxcsr || mnemonic(c) == fxrstor;
  if (loads && (host.fx[26] & kMmInByte2) != 0 && here.vector == kGeneralProtection) here = host;
}

void comi_keeps_c1(const Case& c, const Outcome& host, Outcome& here) {
  if (c.form->x87 < 0 || c.form->memory) return;
  const int escape = c.form->x87 >> 6, reg = c.form->x87 >> 3 & 7;
  if ((escape != 3 && escape != 7) || (reg != 5 && reg != 6)) return;
  constexpr unsigned kC1High = 0x02;
  here.fx[3] = static_cast<std::uint8_t>((here.fx[3] & ~kC1High) | (host.fx[3] & kC1High));
}

void precision_beside_unmasked(const Case& c, const Outcome& host, Outcome& here) {
  constexpr std::uint8_t kPrecision = 0x20;
  if (!c.fpu || host.vector != kSimdError || here.vector != kSimdError) return;
  const unsigned masks = static_cast<unsigned>(host.fx[24] | host.fx[25] << 8) >> 7;
  constexpr unsigned kOverflowUnderflow = 0x18;
  if ((host.fx[24] & ~masks & kOverflowUnderflow) == 0) return;
  here.fx[24] = static_cast<std::uint8_t>((here.fx[24] & ~kPrecision) | (host.fx[24] & kPrecision));
}

constexpr Deviation kDeviations[] = {
    {"which of several accesses faults first", "the manual gives no order for the accesses of one instruction", order_of_accesses},
    {"which of several faults an instruction with several accesses raises", "SDM 3A, table 6-2: the order within a class is the processor's own; "
     "AMD reads all that an outer level would need, and pushes, before it checks the selector and the limit", order_of_faults},
    {"#GP for alignment or #SS for the limit", "both apply, and the manual gives no order", misaligned_or_beyond},
    {"an operand across 4 GiB faults by its segment's limit", "SDM 3A, 5.3: with a limit of FFFFFFFF it may or may not", beyond_4_gib},
    {"#AC of the moves that need no alignment", "SDM 2B, MOVUPS: it may or may not be raised; AMD raises it across a cache line",
     alignment_of_unaligned_moves},
    {"registers after a POPA that faults", "AMD loads register by register; restarted, it loads them again", popa_in_parts},
    {"POP segment reads four bytes on the host", "the manual leaves open whether the upper half is read", wide_selector_pop},
    {"UD1's operand is not fetched by the host", "AMD ends the instruction at the opcode", ud1_without_operand},
    {"EBP's upper half after ENTER on a 16-bit stack", "SDM 2A, ENTER: BP is written; AMD writes EBP from ESP", enter_on_small_stack},
    {"bits 16 to 19 of LAR's result", "SDM 2A, LAR: undefined", lar_limit_bits},
    {"last opcode after a 16-bit FLDENV or FRSTOR", "the image has no field for it; AMD clears it", opcode_of_small_image},
    {"MMX state after a MASKMOVQ that faults", "AMD enters MMX state before the store", mmx_state_before_store},
    {"faults of bytes that MASKMOVQ or MASKMOVDQU does not store", "SDM 2B, MASKMOVDQU: whether they are signaled is the processor's own choice", masked_bytes},
    {"RF in the frame of a single-step trap between two iterations", "SDM 3B, 17.3.1.1: set; AMD leaves it clear", rf_between_iterations},
    {"memory below ESP after a far call that faults", "AMD pushes before it checks the target", far_call_pushes_first},
    {"FXSAVE: last instruction, operand and opcode; MXCSR mask", "AMD leaves the pointers out unless an exception waits; newer MXCSRs have more bits",
     fxsave_fields},
    {"FXRSTOR: last instruction, operand and opcode", "AMD loads them only when an exception waits", fxrstor_pointers},
    {"bit 17 of MXCSR", "AMD's misaligned mode: reserved here and in the SDM", misaligned_mode},
    {"C1 after FCOMI and its like", "SDM 2A, FCOMI: C1 is set to 0; AMD leaves it", comi_keeps_c1},
    {"MXCSR's precision flag beside an unmasked overflow or underflow", "depends on the result with an unbounded exponent, which is not computed here",
     precision_beside_unmasked},
};

}  // namespace

std::span<const Deviation> deviations() { return kDeviations; }

}  // namespace tuxarium::differential
