// CMP or TEST with the conditional jump behind it, in one step: the commonest pair of instructions.
//
// The pair stays two Ops; the first one's handler does the work of both. Flags are left as by the two. Where the memory access is not a simple
// one, the plain handlers run one after the other.

#include <utility>

#include "cpu/alu_operations.hpp"
#include "cpu/handlers.hpp"

namespace tuxarium::cpu {

namespace {

/// Second operand and, for memory forms, the first.
template <class T, Form Kind>
TUXARIUM_HOT bool operands(Core& c, const Op* op, T& a, T& b) {
  if constexpr (Kind == Form::rr || Kind == Form::ri || Kind == Form::rm) a = get<T>(c, op->dst);
  if constexpr (Kind == Form::rr || Kind == Form::mr) b = get<T>(c, op->src);
  if constexpr (Kind == Form::ri || Kind == Form::mi) b = static_cast<T>(op->immediate);
  if constexpr (Kind == Form::rm) return try_load(c, operand_offset(c, op), b);
  if constexpr (Kind == Form::mr || Kind == Form::mi) return try_load(c, operand_offset(c, op), a);
  return true;
}

template <class Compare, class T, Form Kind>
const Op* compare_alone(Core& c, const Op* op) {
  std::uint32_t linear;
  T a{}, b{}, memory;
  operands<T, Kind == Form::rm ? Form::rr : Kind == Form::mr ? Form::rr : Kind == Form::mi ? Form::ri : Kind>(c, op, a, b);
  if (!operand_address<true>(c, op, sizeof(T), Access::read, linear) || !load(c, linear, memory)) return fault(c, op);
  if constexpr (Kind == Form::rm) {
    Compare::run(c.s, a, memory);
  } else {
    Compare::run(c.s, memory, b);
  }
  TUXARIUM_NEXT();
}

template <class Compare, class T, Form Kind, unsigned Condition>
const Op* compare_and_jump(Core& c, const Op* op) {
  T a, b;
  if (!operands<T, Kind>(c, op, a, b)) [[unlikely]] return go_slow<compare_alone<Compare, T, Kind>>(c, op);
  FlagWords flags;
  Compare::run(flags, a, b);
  c.s.flag_result = flags.flag_result;
  c.s.flag_carries = flags.flag_carries;
  const Op* jump = op + 1;
  if (condition<Condition>(flags)) TUXARIUM_BRANCH(1, jump->immediate, jump->dst != 0);
  const std::uint32_t next = next_eip(c, jump);
  TUXARIUM_BRANCH(0, next, jump->src != 0);
}

template <class Compare, class T, Form Kind, std::size_t... Condition>
Handler pick_condition(unsigned code, std::index_sequence<Condition...>) {
  static constexpr Handler kHandlers[] = {compare_and_jump<Compare, T, Kind, Condition>...};
  return kHandlers[code];
}

template <class Compare, class T>
Handler pick_form(Form form, unsigned code) {
  constexpr auto kConditions = std::make_index_sequence<16>{};
  switch (form) {
    case Form::rr: return pick_condition<Compare, T, Form::rr>(code, kConditions);
    case Form::ri: return pick_condition<Compare, T, Form::ri>(code, kConditions);
    case Form::rm: return pick_condition<Compare, T, Form::rm>(code, kConditions);
    case Form::mr: return pick_condition<Compare, T, Form::mr>(code, kConditions);
    case Form::mi: return pick_condition<Compare, T, Form::mi>(code, kConditions);
  }
  return nullptr;
}

}  // namespace

Handler pick_fused(const Instruction& compare, const Op& op, const Instruction& jump, const Op& jump_op) {
  const Mnemonic m = compare.mnemonic();
  const bool conditional = jump.mnemonic() >= Mnemonic::jo && jump.mnemonic() <= Mnemonic::jg;
  if ((m != Mnemonic::cmp && m != Mnemonic::test) || !conditional || jump_op.wide != 0) return nullptr;
  if ((compare.is_memory && op.wide != 0) || op.operand_size == 2) return nullptr;
  const Form form = two_operand_form(compare);
  const unsigned code = jump.opcode & 15u;
  if (op.operand_size == 1) return m == Mnemonic::cmp ? pick_form<Cmp, std::uint8_t>(form, code) : pick_form<Test, std::uint8_t>(form, code);
  return m == Mnemonic::cmp ? pick_form<Cmp, std::uint32_t>(form, code) : pick_form<Test, std::uint32_t>(form, code);
}

}  // namespace tuxarium::cpu
