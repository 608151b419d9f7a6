// Which file of handlers knows which mnemonics. Each function returns the handler for a decoded instruction and may refine the Op; nullptr when
// the mnemonic is not its own. `wide`: memory operands go through the segment checks.
#pragma once

#include "cpu/interpreter.hpp"

namespace tuxarium::cpu {

Handler pick_alu(const Instruction& i, bool wide, Op& op);
Handler pick_shift(const Instruction& i, bool wide, Op& op);
Handler pick_arithmetic(const Instruction& i, bool wide, Op& op);
Handler pick_move(const Instruction& i, bool wide, Op& op);
Handler pick_stack(const Instruction& i, bool wide, bool stack32, Op& op);
Handler pick_branch(const Instruction& i, bool wide, bool stack_flat, Op& op);
Handler pick_string(const Instruction& i, Op& op);
Handler pick_system(const Instruction& i, Op& op);
Handler pick_x87(const Instruction& i, bool wide, Op& op);
Handler pick_simd(const Instruction& i, bool wide);

const Op* op_undefined(Core& c, const Op* op);
const Op* op_too_long(Core& c, const Op* op);
const Op* op_end_of_block(Core& c, const Op* op);

/// Which operand a two-operand instruction reads and writes: destination and source, register, memory or immediate.
enum class Form : std::uint8_t { rr, rm, mr, ri, mi };
Form two_operand_form(const Instruction& i);

/// The handler for a CMP or TEST that does the work of the conditional jump behind it as well; nullptr when the two are no such pair.
Handler pick_fused(const Instruction& compare, const Op& op, const Instruction& jump, const Op& jump_op);
/// Handlers for an instruction that do the work of the next one as well; nullptr for all but the commonest.
struct PairHandlers {
  Handler whole = nullptr;
  Handler without_flags = nullptr;  // for where the arithmetic flags behind the two are dead
};
PairHandlers pick_pair(const Instruction& first, const Op& op, const Instruction& second, const Op& second_op);

/// What becomes of the arithmetic flags that an instruction finds: it, or a fault or the end of the block at it, may look at some; or it leaves
/// them, replaces some; or replaces all.
enum class FlagUse : std::uint8_t { seen, kept, replaced };
FlagUse flag_use(const Instruction& i);

}  // namespace tuxarium::cpu
