// Two instructions in one step: what compilers write most, 32-bit operations on registers and simple moves, whose first leaves the second its flags or
// its result without a way through the register file.
//
// The pair stays two Ops; the first one's handler does the work of both, and flags are left as by the two. Where a memory access is not a simple
// one, the first instruction goes through its checked form here, and the second through its own handler.

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "cpu/alu_operations.hpp"
#include "cpu/handlers.hpp"

namespace tuxarium::cpu {

namespace {

using Word = std::uint32_t;

// The steps. `a`: the destination register before; `b`: the source register. `r` becomes the destination register. A step that reaches for
// memory gives false, with nothing changed, where the access is not a simple one or, Checked, where it faults.

enum class Sets : std::uint8_t { nothing, carries, all };

template <class Alu>
struct AluRegister {
  static constexpr Sets kSets = Sets::all;
  static constexpr bool kWrites = true, kReadsTarget = true, kReadsSource = true, kMemory = false;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core&, const Op*, FlagWords& f, Word a, Word b, Word& r) {
    r = Alu::run(f, a, b);
    return true;
  }
};

template <class Alu>
struct AluImmediate {
  static constexpr Sets kSets = Sets::all;
  static constexpr bool kWrites = true, kReadsTarget = true, kReadsSource = false, kMemory = false;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core&, const Op* op, FlagWords& f, Word a, Word, Word& r) {
    r = Alu::run(f, a, op->immediate);
    return true;
  }
};

/// By an immediate count that is not 0.
template <class Shift, Sets Flags>
struct ShiftImmediate {
  static constexpr Sets kSets = Flags;
  static constexpr bool kWrites = true, kReadsTarget = true, kReadsSource = false, kMemory = false;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core&, const Op* op, FlagWords& f, Word a, Word, Word& r) {
    r = Shift::run(f, a, op->immediate & 31);
    return true;
  }
};

template <class Unary, Sets Flags>
struct UnaryRegister {
  static constexpr Sets kSets = Flags;
  static constexpr bool kWrites = true, kReadsTarget = true, kReadsSource = false, kMemory = false;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core&, const Op*, FlagWords& f, Word a, Word, Word& r) {
    r = Unary::run(f, a);
    return true;
  }
};

struct MoveRegister {
  static constexpr Sets kSets = Sets::nothing;
  static constexpr bool kWrites = true, kReadsTarget = false, kReadsSource = true, kMemory = false;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core&, const Op*, FlagWords&, Word, Word b, Word& r) {
    r = b;
    return true;
  }
};

struct LoadAddress {
  static constexpr Sets kSets = Sets::nothing;
  static constexpr bool kWrites = true, kReadsTarget = false, kReadsSource = false, kMemory = false;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core& c, const Op* op, FlagWords&, Word, Word, Word& r) {
    r = operand_offset(c, op);
    return true;
  }
};

/// MOV from memory, and MOVZX.
template <class T, Address Kind>
struct Load {
  static constexpr Sets kSets = Sets::nothing;
  static constexpr bool kWrites = true, kReadsTarget = false, kReadsSource = false, kMemory = true;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core& c, const Op* op, FlagWords&, Word, Word, Word& r) {
    T value;
    const Word linear = flat_offset<Kind>(c, op);
    if (!(Checked ? load(c, linear, value) : try_load(c, linear, value))) [[unlikely]] return false;
    r = value;
    return true;
  }
};

template <Address Kind>
struct Store {
  static constexpr Sets kSets = Sets::nothing;
  static constexpr bool kWrites = false, kReadsTarget = false, kReadsSource = true, kMemory = true;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core& c, const Op* op, FlagWords&, Word, Word b, Word&) {
    const Word linear = flat_offset<Kind>(c, op);
    return Checked ? store<Word>(c, linear, b) : try_store<Word>(c, linear, b);
  }
};

/// PUSH and POP of a register other than ESP, on a flat stack.
struct Push {
  static constexpr Sets kSets = Sets::nothing;
  static constexpr bool kWrites = false, kReadsTarget = true, kReadsSource = false, kMemory = true;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core& c, const Op*, FlagWords&, Word a, Word, Word&) {
    const Word at = c.s.gpr[kEsp] - 4;
    if (!(Checked ? store<Word>(c, at, a) : try_store<Word>(c, at, a))) [[unlikely]] return false;
    c.s.gpr[kEsp] = at;
    return true;
  }
};

struct Pop {
  static constexpr Sets kSets = Sets::nothing;
  static constexpr bool kWrites = true, kReadsTarget = false, kReadsSource = false, kMemory = true;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core& c, const Op*, FlagWords&, Word, Word, Word& r) {
    Word value;
    const Word at = c.s.gpr[kEsp];
    if (!(Checked ? load(c, at, value) : try_load(c, at, value))) [[unlikely]] return false;
    c.s.gpr[kEsp] = at + 4;
    r = value;
    return true;
  }
};

/// DEC of memory, for its jump.
struct DecrementMemory {
  static constexpr Sets kSets = Sets::all;
  static constexpr bool kWrites = false, kReadsTarget = false, kReadsSource = false;
  template <bool Checked>
  TUXARIUM_HOT static bool run(Core& c, const Op* op, FlagWords& f, Word, Word, Word&) {
    const Word linear = operand_offset(c, op);
    const auto change = [&f](Word a) TUXARIUM_LAMBDA_HOT { return Dec::run(f, a); };
    return Checked ? modify<Word>(c, linear, change) : try_modify<Word>(c, linear, change);
  }
};

/// What the second instruction takes from the first's result: nothing, its destination, its source.
enum class Chain : std::uint8_t { none, target, source };

template <Sets Flags>
TUXARIUM_HOT void set_flags(Core& c, const FlagWords& f) {
  if constexpr (Flags == Sets::all) c.s.flag_result = f.flag_result;
  if constexpr (Flags != Sets::nothing) c.s.flag_carries = f.flag_carries;
}

/// The first instruction when its memory access is not a simple one.
template <class Step>
const Op* alone(Core& c, const Op* op) {
  FlagWords f{c.s.flag_result, c.s.flag_carries};
  Word r = 0;
  if (!Step::template run<true>(c, op, f, get<Word>(c, op->dst), get<Word>(c, op->src), r)) return fault(c, op);
  if constexpr (Step::kWrites) put<Word>(c, op->dst, r);
  set_flags<Step::kSets>(c, f);
  TUXARIUM_NEXT();
}

/// Whether the flags of the two are left, or nobody can look at them before they are replaced.
enum class Flags : std::uint8_t { left, dead };

template <class First, class Second, Chain Link, Flags Outcome>
const Op* pair(Core& c, const Op* op) {
  const Op* second = op + 1;
  FlagWords f{c.s.flag_result, c.s.flag_carries};
  Word a = 0, b = 0, r = 0, result = 0;
  if constexpr (First::kReadsTarget) a = get<Word>(c, op->dst);
  if constexpr (First::kReadsSource) b = get<Word>(c, op->src);
  if (!First::template run<false>(c, op, f, a, b, r)) [[unlikely]] return go_slow<alone<First>>(c, op);
  if constexpr (First::kWrites && Link != Chain::target) put<Word>(c, op->dst, r);
  const FlagWords between = f;
  if constexpr (Link == Chain::target) a = r;
  if constexpr (Link != Chain::target && Second::kReadsTarget) a = get<Word>(c, second->dst);
  if constexpr (Link == Chain::source) b = r;
  if constexpr (Link != Chain::source && Second::kReadsSource) b = get<Word>(c, second->src);
  if (!Second::template run<false>(c, second, f, a, b, result)) [[unlikely]] {
    set_flags<First::kSets>(c, between);
    TUXARIUM_RUN(second);
  }
  if constexpr (Second::kWrites) put<Word>(c, second->dst, result);
  constexpr Sets kBoth = First::kSets > Second::kSets ? First::kSets : Second::kSets;
  if constexpr (Outcome == Flags::left) set_flags<kBoth>(c, f);
  TUXARIUM_RUN(op + 2);
}

/// An instruction of the arithmetic unit with the conditional jump behind it.
template <class Step, unsigned Condition>
const Op* step_and_jump(Core& c, const Op* op) {
  const Op* jump = op + 1;
  FlagWords f{c.s.flag_result, c.s.flag_carries};
  Word a = 0, b = 0, r = 0;
  if constexpr (Step::kReadsTarget) a = get<Word>(c, op->dst);
  if constexpr (Step::kReadsSource) b = get<Word>(c, op->src);
  if (!Step::template run<false>(c, op, f, a, b, r)) [[unlikely]] return go_slow<alone<Step>>(c, op);
  if constexpr (Step::kWrites) put<Word>(c, op->dst, r);
  set_flags<Step::kSets>(c, f);
  if (condition<Condition>(f)) TUXARIUM_BRANCH(1, jump->immediate, jump->dst != 0);
  const Word next = next_eip(c, jump);
  TUXARIUM_BRANCH(0, next, jump->src != 0);
}

template <class Step, std::size_t... Condition>
Handler pick_condition(unsigned code, std::index_sequence<Condition...>) {
  static constexpr Handler kHandlers[] = {step_and_jump<Step, Condition>...};
  return kHandlers[code];
}

// The steps by number.

template <class... All>
struct StepList {
  static constexpr std::size_t kCount = sizeof...(All);
};

using Steps = StepList<MoveRegister, Load<Word, Address::plain>, Load<Word, Address::indexed>, Store<Address::plain>, Store<Address::indexed>, LoadAddress,
                       Load<std::uint8_t, Address::indexed>, Load<std::uint16_t, Address::indexed>,
                       AluRegister<Add>, AluRegister<Sub>, AluRegister<Xor>, AluRegister<And>, AluRegister<Or>,                      //
                       AluImmediate<Add>, AluImmediate<And>,                                                                         //
                       ShiftImmediate<Rol, Sets::carries>, ShiftImmediate<Ror, Sets::carries>, ShiftImmediate<Shl, Sets::all>,       //
                       ShiftImmediate<Shr, Sets::all>, UnaryRegister<Inc, Sets::all>, UnaryRegister<Dec, Sets::all>, Push, Pop>;
enum StepNumber : std::uint8_t {
  kMoveRegister, kLoad, kLoadIndexed, kStore, kStoreIndexed, kLoadAddress, kLoadByte, kLoadShort,
  kAddRegister, kSubRegister, kXorRegister, kAndRegister, kOrRegister,
  kAddImmediate, kAndImmediate,
  kRol, kRor, kShl, kShr, kInc, kDec, kPush, kPop,
  kNoStep,
};
static_assert(Steps::kCount == kNoStep);

/// The steps whose pairs come without flags as well: those of hashes and ciphers.
template <class Step>
inline constexpr bool kInHashes = false;
template <>
inline constexpr bool kInHashes<MoveRegister> = true;
template <class Alu>
inline constexpr bool kInHashes<AluRegister<Alu>> = true;
template <class Shift, Sets Flags>
inline constexpr bool kInHashes<ShiftImmediate<Shift, Flags>> = true;

template <class First, class Second, Chain Link>
constexpr PairHandlers pair_handlers() {
  constexpr bool kFirst = kInHashes<First> || std::is_same_v<First, Load<Word, Address::plain>>;
  constexpr bool kSetsFlags = First::kSets != Sets::nothing || Second::kSets != Sets::nothing;
  PairHandlers handlers{.whole = pair<First, Second, Link, Flags::left>, .without_flags = nullptr};
  if constexpr (kFirst && kInHashes<Second> && kSetsFlags) handlers.without_flags = pair<First, Second, Link, Flags::dead>;
  return handlers;
}

struct Links {
  PairHandlers by[3] = {};
};

template <class First, class Second>
constexpr Links links_of() {
  Links links;
  constexpr bool kTarget = First::kWrites && Second::kReadsTarget && Second::kWrites && !Second::kMemory;
  links.by[static_cast<unsigned>(Chain::none)] = pair_handlers<First, Second, Chain::none>();
  if constexpr (kTarget) links.by[static_cast<unsigned>(Chain::target)] = pair_handlers<First, Second, Chain::target>();
  if constexpr (First::kWrites && Second::kReadsSource) links.by[static_cast<unsigned>(Chain::source)] = pair_handlers<First, Second, Chain::source>();
  return links;
}

template <class First, class... Seconds>
constexpr std::array<Links, kNoStep> row_of(StepList<Seconds...>) {
  return {links_of<First, Seconds>()...};
}

template <class... Firsts>
constexpr std::array<std::array<Links, kNoStep>, kNoStep> table_of(StepList<Firsts...>) {
  return {row_of<Firsts>(Steps{})...};
}

StepNumber alu_step(const Instruction& i, StepNumber by_register, StepNumber by_immediate) {
  switch (two_operand_form(i)) {
    case Form::rr: return by_register;
    case Form::ri: return by_immediate;
    default: return kNoStep;
  }
}

StepNumber shift_step(const Instruction& i, const Op& op, StepNumber by_immediate) {
  return !i.is_memory && i.row->operand[1] != Operand::CL && (op.immediate & 31) != 0 ? by_immediate : kNoStep;
}

StepNumber move_step(const Instruction& i, const Op& op) {
  const bool indexed = address_kind(op, false) == Address::indexed;
  const Operand target = i.row->operand[0], source = i.row->operand[1];
  if (target == Operand::Ev && source == Operand::Gv) return !i.is_memory ? kMoveRegister : indexed ? kStoreIndexed : kStore;
  if (target == Operand::Gv && source == Operand::Ev) return !i.is_memory ? kMoveRegister : indexed ? kLoadIndexed : kLoad;
  return kNoStep;
}

StepNumber step_of(const Instruction& i, const Op& op) {
  if (op.operand_size != 4 || i.lock || (i.is_memory && (op.wide != 0 || i.address_size != 4))) return kNoStep;
  const auto stack_step = [&](StepNumber step) { return i.row->operand[0] == Operand::Zv && op.wide == 0 && op.dst != kEsp * 4 ? step : kNoStep; };
  switch (i.mnemonic()) {
    case Mnemonic::mov: return move_step(i, op);
    case Mnemonic::lea: return kLoadAddress;
    case Mnemonic::movzx:
      if (!i.is_memory) return kNoStep;
      return i.row->operand[1] == Operand::Eb ? kLoadByte : kLoadShort;
    case Mnemonic::add: return alu_step(i, kAddRegister, kAddImmediate);
    case Mnemonic::sub: return alu_step(i, kSubRegister, kNoStep);
    case Mnemonic::xor_: return alu_step(i, kXorRegister, kNoStep);
    case Mnemonic::and_: return alu_step(i, kAndRegister, kAndImmediate);
    case Mnemonic::or_: return alu_step(i, kOrRegister, kNoStep);
    case Mnemonic::rol: return shift_step(i, op, kRol);
    case Mnemonic::ror: return shift_step(i, op, kRor);
    case Mnemonic::shl: return shift_step(i, op, kShl);
    case Mnemonic::shr: return shift_step(i, op, kShr);
    case Mnemonic::inc: return i.is_memory ? kNoStep : kInc;
    case Mnemonic::dec: return i.is_memory ? kNoStep : kDec;
    case Mnemonic::push: return stack_step(kPush);
    case Mnemonic::pop: return stack_step(kPop);
    default: return kNoStep;
  }
}

/// The step before a conditional jump with the condition `code`.
Handler pick_jump(const Instruction& i, const Op& op, unsigned code) {
  constexpr auto kConditions = std::make_index_sequence<16>{};
  const bool simple = op.operand_size == 4 && !i.lock && op.wide == 0 && i.address_size == 4;
  if (i.mnemonic() == Mnemonic::dec && i.is_memory && simple) return pick_condition<DecrementMemory>(code, kConditions);
  switch (step_of(i, op)) {
    case kInc: return pick_condition<UnaryRegister<Inc, Sets::all>>(code, kConditions);
    case kDec: return pick_condition<UnaryRegister<Dec, Sets::all>>(code, kConditions);
    case kAddRegister: return pick_condition<AluRegister<Add>>(code, kConditions);
    case kAddImmediate: return pick_condition<AluImmediate<Add>>(code, kConditions);
    case kSubRegister: return pick_condition<AluRegister<Sub>>(code, kConditions);
    case kAndRegister: return pick_condition<AluRegister<And>>(code, kConditions);
    case kAndImmediate: return pick_condition<AluImmediate<And>>(code, kConditions);
    default: return nullptr;
  }
}

}  // namespace

FlagUse flag_use(const Instruction& i) {
  if (i.is_memory) return FlagUse::seen;
  const bool by_immediate = i.row->operand[1] != Operand::CL && (i.immediate & 31) != 0;
  switch (i.mnemonic()) {
    case Mnemonic::add: case Mnemonic::or_: case Mnemonic::and_: case Mnemonic::sub: case Mnemonic::xor_: case Mnemonic::cmp: case Mnemonic::test:
      return FlagUse::replaced;
    case Mnemonic::shl: case Mnemonic::shr: return by_immediate ? FlagUse::replaced : FlagUse::seen;
    case Mnemonic::mov: case Mnemonic::not_: return FlagUse::kept;
    // They replace CF and OF and keep the others.
    case Mnemonic::rol: case Mnemonic::ror: return FlagUse::kept;
    default: return FlagUse::seen;
  }
}

PairHandlers pick_pair(const Instruction& first, const Op& op, const Instruction& second, const Op& second_op) {
  static constexpr auto kHandlers = table_of(Steps{});
  if (second.mnemonic() >= Mnemonic::jo && second.mnemonic() <= Mnemonic::jg) {
    return {.whole = second_op.wide == 0 ? pick_jump(first, op, second.opcode & 15u) : nullptr, .without_flags = nullptr};
  }
  const StepNumber a = step_of(first, op), b = step_of(second, second_op);
  if (a == kNoStep || b == kNoStep) return {};
  const Links& links = kHandlers[a][b];
  const PairHandlers by_target = links.by[static_cast<unsigned>(Chain::target)], by_source = links.by[static_cast<unsigned>(Chain::source)];
  const bool same_target = op.dst == second_op.dst, feeds = op.dst == second_op.src;
  // With the result handed over, the first instruction's register is not written: the second must not read it in any other way.
  if (by_target.whole != nullptr && same_target && (by_source.whole == nullptr || !feeds)) return by_target;
  if (by_source.whole != nullptr && feeds && (by_target.whole == nullptr || !same_target)) return by_source;
  return links.by[static_cast<unsigned>(Chain::none)];
}

}  // namespace tuxarium::cpu
