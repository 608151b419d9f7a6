// From a decoded Instruction to an Op: which handler, and where its operands are.

#include "cpu/handlers.hpp"

namespace tuxarium::cpu {

namespace {

bool is_byte_operand(Operand o) {
  switch (o) {
    case Operand::Eb: case Operand::Gb: case Operand::AL: case Operand::Zb: case Operand::Ob: case Operand::Xb: case Operand::Yb: return true;
    default: return false;
  }
}

bool byte_sized(const InstructionRow& row) {
  return is_byte_operand(row.operand[0]) ||
         ((row.mnemonic == Mnemonic::out || row.mnemonic == Mnemonic::outs) && is_byte_operand(row.operand[1]));
}

/// Register-file offset of a register operand; 0 for what is no register.
std::uint8_t offset_of(Operand operand, const Instruction& i) {
  switch (operand) {
    case Operand::Eb: return register_offset<std::uint8_t>(i.rm);
    case Operand::Ew: case Operand::Ev: case Operand::Rd: return register_offset<std::uint32_t>(i.rm);
    case Operand::Gb: return register_offset<std::uint8_t>(i.reg);
    case Operand::Gw: case Operand::Gv: return register_offset<std::uint32_t>(i.reg);
    case Operand::Zb: return register_offset<std::uint8_t>(i.opcode & 7u);
    case Operand::Zv: return register_offset<std::uint32_t>(i.opcode & 7u);
    case Operand::Ed: case Operand::RdMw: return register_offset<std::uint32_t>(i.rm);
    case Operand::Gd: return register_offset<std::uint32_t>(i.reg);
    case Operand::Pq: case Operand::Vdq: return static_cast<std::uint8_t>(i.reg * 16);
    case Operand::Nq: case Operand::Udq: case Operand::Qq: case Operand::Qd: case Operand::Wdq: case Operand::Wq: case Operand::Wd:
      return static_cast<std::uint8_t>(i.rm * 16);
    default: return 0;
  }
}

bool is_rm(Operand o) { return o == Operand::Eb || o == Operand::Ew || o == Operand::Ev || o == Operand::Rd; }

/// Operands in order: the first is written.
void place_destination_first(const Instruction& i, Op& op) {
  op.dst = offset_of(i.row->operand[0], i);
  op.src = offset_of(i.row->operand[1], i);
}

/// The ModRM.rm operand in src, the other one in dst.
void place_rm_in_source(const Instruction& i, Op& op) {
  const Operand first = i.row->operand[0], second = i.row->operand[1];
  if (is_rm(first)) {
    op.src = offset_of(first, i);
    op.dst = offset_of(second, i);
  } else {
    op.dst = offset_of(first, i);
    op.src = offset_of(second, i);
  }
}

bool in_flat_segment(const Core& c, const Instruction& i) {
  return (c.mode & kModeFlat) != 0 && (i.segment == kDs || i.segment == kEs || i.segment == kSs);
}

bool ends_block(const Instruction& i) {
  const Mnemonic m = i.mnemonic();
  if (m >= Mnemonic::jo && m <= Mnemonic::jg) return true;
  switch (m) {
    case Mnemonic::jmp: case Mnemonic::call: case Mnemonic::ret: case Mnemonic::loop: case Mnemonic::loope: case Mnemonic::loopne:
    case Mnemonic::jcxz: case Mnemonic::jmp_far: case Mnemonic::call_far: case Mnemonic::retf: case Mnemonic::iret: case Mnemonic::int_:
    case Mnemonic::int3: case Mnemonic::into: case Mnemonic::int1: case Mnemonic::sysenter: case Mnemonic::sysexit: case Mnemonic::hlt:
    case Mnemonic::sti: case Mnemonic::popf: case Mnemonic::in: case Mnemonic::out: case Mnemonic::ins: case Mnemonic::outs:
    case Mnemonic::mov_to_cr: case Mnemonic::mov_to_dr: case Mnemonic::wrmsr: case Mnemonic::sgdt: case Mnemonic::sidt: case Mnemonic::lgdt: case Mnemonic::lidt:
    case Mnemonic::sldt: case Mnemonic::str: case Mnemonic::smsw: case Mnemonic::lmsw: case Mnemonic::lldt: case Mnemonic::ltr:
    case Mnemonic::lar: case Mnemonic::lsl: case Mnemonic::verr: case Mnemonic::verw: case Mnemonic::invlpg: case Mnemonic::invd:
    case Mnemonic::wbinvd: case Mnemonic::ud1: case Mnemonic::ud2: return true;
    default: return false;
  }
}

bool is_direct_branch(const Instruction& i) {
  const Operand operand = i.row->operand[0];
  return operand == Operand::Jb || operand == Operand::Jz;
}

/// Target of a near branch, and whether it and the next instruction lie in the block's page.
void place_branch(const Core& c, const Instruction& i, std::uint32_t eip, std::uint32_t page_linear, Op& op) {
  const bool beyond_64k = (c.mode & kModeCs64K) != 0 && i.operand_size == 4;
  op.wide = (c.mode & kModeCsUnchecked) == 0 || beyond_64k ? 1 : 0;
  if (!is_direct_branch(i)) return;
  const std::uint32_t next = eip + i.length;
  op.immediate = next + i.immediate;
  if (i.operand_size == 2) op.immediate &= 0xffff;
  const std::uint32_t base = c.s.segment[kCs].base;
  const auto same_page = [&](std::uint32_t target) { return op.wide == 0 && ((base + target) ^ page_linear) < memory::kPageSize; };
  op.dst = same_page(op.immediate) ? 1 : 0;
  op.src = same_page(next) ? 1 : 0;
}

/// FISTTP came with SSE3, among encodings that the x87 had left free.
bool is_fisttp(const Instruction& i) { return i.is_memory && i.reg == 1 && (i.opcode == 0xdb || i.opcode == 0xdd || i.opcode == 0xdf); }

/// FCMOVcc, FCOMI and their relatives came with CMOV.
bool is_p6_x87(const Instruction& i) {
  if (i.is_memory) return false;
  switch (i.opcode) {
    case 0xda: return i.reg < 4;
    case 0xdb: return i.reg < 4 || i.reg == 5 || i.reg == 6;
    case 0xdf: return i.reg == 5 || i.reg == 6;
    default: return false;
  }
}

bool valid_segment_register(const Instruction& i) {
  if (i.mnemonic() == Mnemonic::mov_to_seg) return i.reg <= kGs && i.reg != kCs;
  return i.mnemonic() != Mnemonic::mov_from_seg || i.reg <= kGs;
}

Handler pick(const Core& c, const Instruction& i, std::uint32_t eip, std::uint32_t page_linear, Op& op) {
  const bool flat = in_flat_segment(c, i);
  const bool wide = !(flat && i.address_size == 4);
  const bool stack_flat = (c.mode & kModeFlat) != 0;
  op.wide = wide ? 1 : 0;
  if (!valid_segment_register(i)) return op_undefined;

  place_destination_first(i, op);
  if (i.row->prefix != MandatoryPrefix::any) {
    if (const Handler h = pick_simd(i, wide)) return h;
  }
  if (const Handler h = pick_alu(i, wide, op)) return h;
  if (i.mnemonic() >= Mnemonic::rol && i.mnemonic() <= Mnemonic::sar) return pick_shift(i, wide, op);
  if (i.mnemonic() == Mnemonic::shld || i.mnemonic() == Mnemonic::shrd) return pick_shift(i, wide, op);
  if (const Handler h = pick_move(i, wide, op)) return h;
  if (const Handler h = pick_stack(i, wide, stack_flat, op)) return h;
  op.wide = flat ? 0 : 1;
  if (const Handler h = pick_string(i, op)) return h;
  op.wide = wide ? 1 : 0;
  if (i.mnemonic() == Mnemonic::x87 || i.mnemonic() == Mnemonic::fwait) {
    if (c.has(Feature::fpu) && is_fisttp(i) && !c.has(Feature::sse3)) return op_undefined;
    if (c.has(Feature::fpu) && is_p6_x87(i) && !c.has(Feature::cmov)) return op_undefined;
    op.repeat = c.has(Feature::fpu) ? 0 : 1;
    return pick_x87(i, wide, op);
  }
  place_rm_in_source(i, op);
  if (const Handler h = pick_arithmetic(i, wide, op)) return h;
  if (const Handler h = pick_system(i, op)) return h;
  place_branch(c, i, eip, page_linear, op);
  return pick_branch(i, wide, stack_flat, op);
}

}  // namespace

bool predecode(const Core& c, const Instruction& i, std::uint32_t eip, std::uint32_t page_linear, Op& op) {
  op.immediate = i.immediate;
  op.displacement = i.displacement;
  op.base = static_cast<std::uint8_t>(i.base * 4);
  op.index = static_cast<std::uint8_t>(i.index * 4);
  op.scale = i.scale;
  op.segment = i.segment;
  op.length = i.length;
  op.address_size = i.address_size;
  op.operand_size = byte_sized(*i.row) ? 1 : i.operand_size;
  op.repeat = static_cast<std::uint8_t>(i.repeat);
  op.opcode = i.opcode;
  op.modrm = i.modrm;
  op.handler = pick(c, i, eip, page_linear, op);
  if (op.handler == nullptr || op.handler == op_undefined) {
    op.handler = op_undefined;
    return true;
  }
  return ends_block(i);
}

}  // namespace tuxarium::cpu
