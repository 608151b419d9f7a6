// A decoded instruction, and the rows of the instruction table it comes from. Neutral: the interpreter, the disassembler and tests read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tuxarium::cpu {

enum class Mnemonic : std::uint16_t {
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
  // MMX, SSE, SSE2, SSE3, POPCNT
  movups, movupd, movss, movsd, movlps, movhlps, movlpd, movsldup, movddup, movhps, movlhps, movhpd, movshdup, movaps, movapd, cvtpi2ps,
  cvtpi2pd, cvtsi2ss, cvtsi2sd, movntps, movntpd, cvttps2pi, cvttpd2pi, cvttss2si, cvttsd2si, cvtps2pi, cvtpd2pi, cvtss2si, cvtsd2si,
  ucomiss, ucomisd, comiss, comisd, movmskps, movmskpd, rsqrtps, rsqrtss, rcpps, rcpss, cvtps2pd, cvtpd2ps, cvtss2sd, cvtsd2ss, cvtdq2ps,
  cvtps2dq, cvttps2dq, punpcklqdq, punpckhqdq, movd, movq, movdqa, movdqu, pshufw, pshufd, pshufhw, pshuflw, psrldq, pslldq, emms, haddpd,
  haddps, hsubpd, hsubps, fxsave, fxrstor, ldmxcsr, stmxcsr, lfence, mfence, clflush, sfence, popcnt, movnti, pinsrw, pextrw, addsubpd,
  addsubps, movq2dq, movdq2q, pmovmskb, cvttpd2dq, cvtdq2pd, cvtpd2dq, movntq, movntdq, lddqu, maskmovq, maskmovdqu, unpcklps, unpcklpd,
  unpckhps, unpckhpd, sqrtps, sqrtpd, sqrtss, sqrtsd, andps, andpd, andnps, andnpd, orps, orpd, xorps, xorpd, addps, addpd, addss, addsd,
  mulps, mulpd, mulss, mulsd, subps, subpd, subss, subsd, minps, minpd, minss, minsd, divps, divpd, divss, divsd, maxps, maxpd, maxss,
  maxsd, punpcklbw, punpcklwd, punpckldq, packsswb, pcmpgtb, pcmpgtw, pcmpgtd, packuswb, punpckhbw, punpckhwd, punpckhdq, packssdw,
  pcmpeqb, pcmpeqw, pcmpeqd, cmpps, cmppd, cmpss, cmpsd, shufps, shufpd, psrlw, psrld, psrlq, paddq, pmullw, psubusb, psubusw, pminub,
  pand, paddusb, paddusw, pmaxub, pandn, pavgb, psraw, psrad, pavgw, pmulhuw, pmulhw, psubsb, psubsw, pminsw, por, paddsb, paddsw, pmaxsw,
  pxor, psllw, pslld, psllq, pmuludq, pmaddwd, psadbw, psubb, psubw, psubd, psubq, paddb, paddw, paddd, prefetchnta, prefetcht0,
  prefetcht1, prefetcht2,
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
  Pq, Nq,            // MMX register: ModRM.reg, ModRM.rm
  Qq, Qd,            // MMX register or memory of 8 or 4 bytes
  Vdq, Udq,          // XMM register: ModRM.reg, ModRM.rm
  Wdq, Wq, Wd,       // XMM register or memory of 16, 8 or 4 bytes
  Mdq, Mq, Md, Mb,   // memory only, of 16, 8, 4 or 1 bytes
  Ed, Gd,            // 32 bits whatever the operand size
  RdMw,              // general register, or memory of 2 bytes
};

enum class OpcodeMap : std::uint8_t { one, two };
enum class RmForm : std::uint8_t { any, mem, reg };
/// Which of 66, F3 and F2 a row of map two is chosen by; any: they have their usual meaning.
enum class MandatoryPrefix : std::uint8_t { any, np, p66, pf3, pf2 };

/// What a processor model has; a row needs one of them. From vme on: what no instruction needs.
enum class Feature : std::uint8_t { base, i486, tsc, msr, cx8, cmov, sep, p6, fpu, mmx, fxsr, sse, sse2, sse3, popcnt, vme, de, pse, pae, pge, mce, mca,
                                    mtrr, pat };
inline constexpr std::uint32_t feature_bit(Feature f) { return 1u << static_cast<unsigned>(f); }

struct InstructionRow {
  OpcodeMap map;
  std::uint8_t opcode;
  std::uint8_t opcode_count;  // 1, or 8 with a register in the low three bits
  std::int8_t ext;            // ModRM.reg, or -1
  RmForm form;
  MandatoryPrefix prefix;
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
