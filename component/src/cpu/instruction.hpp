// A decoded instruction, and the rows of the instruction table it comes from. Neutral: the interpreter, the disassembler and tests read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tuxarium::cpu {

enum class Mnemonic : std::uint8_t {
  invalid,
  add, or_, adc, sbb, and_, sub, xor_, cmp, push_seg, pop_seg, daa, das, aaa, aas, inc, dec, push, pop, pusha, popa, bound, arpl, imul, ins,
  outs, jo, jno, jb, jae, je, jne, jbe, ja, js, jns, jp, jnp, jl, jge, jle, jg, cmovo, cmovno, cmovb, cmovae, cmove, cmovne, cmovbe, cmova,
  cmovs, cmovns, cmovp, cmovnp, cmovl, cmovge, cmovle, cmovg, seto, setno, setb, setae, sete, setne, setbe, seta, sets, setns, setp, setnp,
  setl, setge, setle, setg, test, xchg, mov, mov_from_seg, lea, mov_to_seg, cbw, cwd, call_far, fwait, pushf, popf, sahf, lahf, movs, cmps,
  stos, lods, scas, rol, ror, rcl, rcr, shl, shr, sar, ret, les, lds, enter, leave, retf, int3, int_, into, iret, aam, aad, salc, xlat, x87,
  loopne, loope, loop, jcxz, in, out, call, jmp, jmp_far, int1, hlt, cmc, not_, neg, mul, imul1, div, idiv, clc, stc, cli, sti, cld, std_,
  sldt, str, lldt, ltr, verr, verw, sgdt, sidt, lgdt, lidt, smsw, lmsw, invlpg, lar, lsl, clts, invd, wbinvd, ud2, nop, mov_from_cr,
  mov_from_dr, mov_to_cr, mov_to_dr, wrmsr, rdtsc, rdmsr, rdpmc, sysenter, sysexit, cpuid, bt, shld, bts, shrd, cmpxchg, lss, btr, lfs, lgs,
  movzx, ud1, btc, bsf, bsr, movsx, xadd, cmpxchg8b, bswap,
};

/// Operand kinds, named as in the opcode maps of Intel SDM volume 2, appendix A.
enum class Operand : std::uint8_t {
  none,
  Eb, Ew, Ev,        // ModRM register or memory
  Gb, Gw, Gv,        // ModRM.reg
  M, Ma, Mp,         // memory only
  Rd, Cd, Dd, Sw,    // general, control, debug, segment register
  Ib, Ib2, Iw, Iz, sIb,
  Jb, Jz, Ap, Ob, Ov,
  Xb, Xv, Yb, Yv,    // DS:eSI, ES:eDI
  Zb, Zv,            // register in the opcode's low three bits
  AL, eAX, CL, DX, one_, ES, CS, SS, DS, FS, GS,
  none_modrm,        // ModRM is there, but is no operand
};

enum class OpcodeMap : std::uint8_t { one, two };
enum class RmForm : std::uint8_t { any, mem, reg };

/// What a processor model has; a row needs one of them.
enum class Feature : std::uint8_t { base, i486, tsc, msr, cx8, cmov, sep, p6, fpu };
inline constexpr std::uint32_t feature_bit(Feature f) { return 1u << static_cast<unsigned>(f); }

struct InstructionRow {
  OpcodeMap map;
  std::uint8_t opcode;
  std::uint8_t opcode_count;  // 1, or 8 with a register in the low three bits
  std::int8_t ext;            // ModRM.reg, or -1
  RmForm form;
  Mnemonic mnemonic;
  Operand operand[3];
  Feature feature;
  bool lockable;
  const char* name;           // as in the table; a trailing _ is not part of the mnemonic
};

/// All rows, in table order. Row 0 is not an instruction.
std::span<const InstructionRow> instruction_table();

enum class Repeat : std::uint8_t { none, repne, rep };

inline constexpr unsigned kMaxInstructionLength = 15;

struct Instruction {
  const InstructionRow* row = nullptr;
  std::uint8_t length = 0;
  std::uint8_t opcode = 0;
  std::uint8_t operand_size = 4;  // 2 or 4
  std::uint8_t address_size = 4;  // 2 or 4
  Repeat repeat = Repeat::none;
  bool lock = false;
  bool segment_overridden = false;
  bool is_memory = false;   // ModRM names memory, or moffs
  std::uint8_t modrm = 0;
  std::uint8_t reg = 0;     // ModRM.reg
  std::uint8_t rm = 0;      // ModRM.rm when it names a register
  std::uint8_t base = 8;    // register numbers; 8 = none
  std::uint8_t index = 8;
  std::uint8_t scale = 0;   // shift, 0-3
  std::uint8_t segment = 3; // of the memory operand
  std::uint32_t displacement = 0;
  std::uint32_t immediate = 0;   // sign-extended where the encoding says so
  std::uint32_t immediate2 = 0;  // selector of Ap, level of ENTER

  Mnemonic mnemonic() const { return row->mnemonic; }
  bool mod3() const { return !is_memory; }
};

enum class DecodeStatus : std::uint8_t {
  ok,
  truncated,  // the bytes end before the instruction does
  invalid,    // #UD
  too_long,   // more than 15 bytes: #GP
};

/// Decodes one instruction from `bytes`. `code32`: default operand and address size. `features`: feature_bit()s of the model.
DecodeStatus decode(std::span<const std::uint8_t> bytes, bool code32, std::uint32_t features, Instruction& out);

}  // namespace tuxarium::cpu
