// The text of a decoded instruction: Intel syntax with the mnemonics of Intel SDM volume 2, in lower case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cpu/instruction.hpp"

namespace tuxarium::cpu {

inline constexpr std::string_view kBadInstruction = "(bad)";

/// Text of `i`, which decode() accepted, when it stands at `eip`: branch targets are absolute. Numbers are hexadecimal with 0x; memory
/// operands always say their size; a segment is written only where a prefix names it, and ES of string instructions. String instructions
/// have both the suffix and the operands (`rep movsd dword ptr es:[edi], dword ptr [esi]`), which show address size and segment.
/// kBadInstruction for what decodes but never executes: unassigned x87 encodings, segment and control registers that do not exist, MOV CS.
///
/// Not written: prefixes without effect, and the operand size of PUSH and RET and the address size of LOOP, which the text of the
/// operands does not show.
std::string disassemble(const Instruction& i, std::uint32_t eip);

}  // namespace tuxarium::cpu
