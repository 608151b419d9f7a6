// Mnemonics of the x87 encodings, for the disassembler. Intel SDM volume 2, appendix A, tables; encodings that those leave out
// but the P6 executes have the name of what they do (FFREEP, FSTPNCE, and the 8087's and 80287's FNENI, FNDISI, FNSETPM).
#pragma once

#include <array>
#include <cstdint>

namespace tuxarium::cpu {

struct X87MemoryName {
  const char* name = nullptr;  // nullptr: not an instruction
  const char* size = "";       // of the operand; empty for environment and state, whose size the operand-size prefix decides
};

enum class X87Operands : std::uint8_t { none, sti, st0_sti, sti_st0, ax };

struct X87RegisterName {
  const char* name = nullptr;
  X87Operands operands = X87Operands::none;
};

/// Memory forms: [opcode - D8][ModRM.reg].
inline constexpr std::array<std::array<X87MemoryName, 8>, 8> kX87MemoryNames{{
    {{{"fadd", "dword"}, {"fmul", "dword"}, {"fcom", "dword"}, {"fcomp", "dword"},
      {"fsub", "dword"}, {"fsubr", "dword"}, {"fdiv", "dword"}, {"fdivr", "dword"}}},
    {{{"fld", "dword"}, {}, {"fst", "dword"}, {"fstp", "dword"}, {"fldenv", ""}, {"fldcw", "word"}, {"fnstenv", ""}, {"fnstcw", "word"}}},
    {{{"fiadd", "dword"}, {"fimul", "dword"}, {"ficom", "dword"}, {"ficomp", "dword"},
      {"fisub", "dword"}, {"fisubr", "dword"}, {"fidiv", "dword"}, {"fidivr", "dword"}}},
    {{{"fild", "dword"}, {"fisttp", "dword"}, {"fist", "dword"}, {"fistp", "dword"}, {}, {"fld", "tbyte"}, {}, {"fstp", "tbyte"}}},
    {{{"fadd", "qword"}, {"fmul", "qword"}, {"fcom", "qword"}, {"fcomp", "qword"},
      {"fsub", "qword"}, {"fsubr", "qword"}, {"fdiv", "qword"}, {"fdivr", "qword"}}},
    {{{"fld", "qword"}, {"fisttp", "qword"}, {"fst", "qword"}, {"fstp", "qword"}, {"frstor", ""}, {}, {"fnsave", ""}, {"fnstsw", "word"}}},
    {{{"fiadd", "word"}, {"fimul", "word"}, {"ficom", "word"}, {"ficomp", "word"},
      {"fisub", "word"}, {"fisubr", "word"}, {"fidiv", "word"}, {"fidivr", "word"}}},
    {{{"fild", "word"}, {"fisttp", "word"}, {"fist", "word"}, {"fistp", "word"},
      {"fbld", "tbyte"}, {"fild", "qword"}, {"fbstp", "tbyte"}, {"fistp", "qword"}}},
}};

namespace x87_names_detail {

using Groups = std::array<std::array<X87RegisterName, 8>, 8>;

/// Register forms that name any ST(i): [opcode - D8][ModRM.reg].
constexpr Groups make_groups() {
  using enum X87Operands;
  return {{
      {{{"fadd", st0_sti}, {"fmul", st0_sti}, {"fcom", sti}, {"fcomp", sti},
        {"fsub", st0_sti}, {"fsubr", st0_sti}, {"fdiv", st0_sti}, {"fdivr", st0_sti}}},
      {{{"fld", sti}, {"fxch", sti}, {}, {"fstpnce", sti}, {}, {}, {}, {}}},
      {{{"fcmovb", st0_sti}, {"fcmove", st0_sti}, {"fcmovbe", st0_sti}, {"fcmovu", st0_sti}, {}, {}, {}, {}}},
      {{{"fcmovnb", st0_sti}, {"fcmovne", st0_sti}, {"fcmovnbe", st0_sti}, {"fcmovnu", st0_sti},
        {}, {"fucomi", st0_sti}, {"fcomi", st0_sti}, {}}},
      {{{"fadd", sti_st0}, {"fmul", sti_st0}, {"fcom", sti}, {"fcomp", sti},
        {"fsubr", sti_st0}, {"fsub", sti_st0}, {"fdivr", sti_st0}, {"fdiv", sti_st0}}},
      {{{"ffree", sti}, {"fxch", sti}, {"fst", sti}, {"fstp", sti}, {"fucom", sti}, {"fucomp", sti}, {}, {}}},
      {{{"faddp", sti_st0}, {"fmulp", sti_st0}, {"fcomp", sti}, {},
        {"fsubrp", sti_st0}, {"fsubp", sti_st0}, {"fdivrp", sti_st0}, {"fdivp", sti_st0}}},
      {{{"ffreep", sti}, {"fxch", sti}, {"fstp", sti}, {"fstp", sti}, {}, {"fucomip", st0_sti}, {"fcomip", st0_sti}, {}}},
  }};
}

struct Single {
  std::uint8_t opcode;
  std::uint8_t modrm;
  X87RegisterName form;
};

/// Register forms of one ModRM byte.
inline constexpr Single kSingles[] = {
    {0xd9, 0xd0, {"fnop"}},    {0xd9, 0xe0, {"fchs"}},    {0xd9, 0xe1, {"fabs"}},    {0xd9, 0xe4, {"ftst"}},    {0xd9, 0xe5, {"fxam"}},
    {0xd9, 0xe8, {"fld1"}},    {0xd9, 0xe9, {"fldl2t"}},  {0xd9, 0xea, {"fldl2e"}},  {0xd9, 0xeb, {"fldpi"}},   {0xd9, 0xec, {"fldlg2"}},
    {0xd9, 0xed, {"fldln2"}},  {0xd9, 0xee, {"fldz"}},    {0xd9, 0xf0, {"f2xm1"}},   {0xd9, 0xf1, {"fyl2x"}},   {0xd9, 0xf2, {"fptan"}},
    {0xd9, 0xf3, {"fpatan"}},  {0xd9, 0xf4, {"fxtract"}}, {0xd9, 0xf5, {"fprem1"}},  {0xd9, 0xf6, {"fdecstp"}}, {0xd9, 0xf7, {"fincstp"}},
    {0xd9, 0xf8, {"fprem"}},   {0xd9, 0xf9, {"fyl2xp1"}}, {0xd9, 0xfa, {"fsqrt"}},   {0xd9, 0xfb, {"fsincos"}}, {0xd9, 0xfc, {"frndint"}},
    {0xd9, 0xfd, {"fscale"}},  {0xd9, 0xfe, {"fsin"}},    {0xd9, 0xff, {"fcos"}},    {0xda, 0xe9, {"fucompp"}}, {0xdb, 0xe0, {"fneni"}},
    {0xdb, 0xe1, {"fndisi"}},  {0xdb, 0xe2, {"fnclex"}},  {0xdb, 0xe3, {"fninit"}},  {0xdb, 0xe4, {"fnsetpm"}}, {0xde, 0xd9, {"fcompp"}},
    {0xdf, 0xe0, {"fnstsw", X87Operands::ax}},
};

/// All register forms: [(opcode & 7) * 64 + (ModRM & 3F)].
constexpr std::array<X87RegisterName, 512> make_register_names() {
  std::array<X87RegisterName, 512> names{};
  const Groups groups = make_groups();
  for (unsigned n = 0; n < names.size(); ++n) names[n] = groups[n / 64][n / 8 % 8];
  for (const Single& single : kSingles) names[(single.opcode & 7u) * 64 + (single.modrm & 0x3fu)] = single.form;
  return names;
}

inline constexpr std::array<X87RegisterName, 512> kRegisterNames = make_register_names();

}  // namespace x87_names_detail

constexpr X87MemoryName x87_memory_name(unsigned opcode, unsigned reg) { return kX87MemoryNames[opcode & 7u][reg & 7u]; }

constexpr X87RegisterName x87_register_name(unsigned opcode, unsigned modrm) {
  return x87_names_detail::kRegisterNames[(opcode & 7u) * 64 + (modrm & 0x3fu)];
}

}  // namespace tuxarium::cpu
