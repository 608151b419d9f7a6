// ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NOT, NEG: register, memory and immediate forms.

#include "cpu/alu_operations.hpp"
#include "cpu/handlers.hpp"

namespace tuxarium::cpu {

namespace {

template <class Alu, class T>
const Op* alu_rr(Core& c, const Op* op) {
  const T r = Alu::run(c.s, get<T>(c, op->dst), get<T>(c, op->src));
  if constexpr (Alu::kWrites) put<T>(c, op->dst, r);
  TUXARIUM_NEXT();
}

template <class Alu, class T>
const Op* alu_ri(Core& c, const Op* op) {
  const T r = Alu::run(c.s, get<T>(c, op->dst), static_cast<T>(op->immediate));
  if constexpr (Alu::kWrites) put<T>(c, op->dst, r);
  TUXARIUM_NEXT();
}

template <class Alu, class T, bool Wide>
const Op* alu_rm(Core& c, const Op* op) {
  std::uint32_t linear;
  T value;
  if constexpr (Wide) {
    if (!operand_address<true>(c, op, sizeof(T), Access::read, linear) || !load(c, linear, value)) [[unlikely]] return fault(c, op);
  } else {
    linear = operand_offset(c, op);
    if (!try_load(c, linear, value)) [[unlikely]] return go_slow<alu_rm<Alu, T, true>>(c, op);
  }
  const T r = Alu::run(c.s, get<T>(c, op->dst), value);
  if constexpr (Alu::kWrites) put<T>(c, op->dst, r);
  TUXARIUM_NEXT();
}

/// Memory destination with a given second operand. Not wide: false, without an exception, also where the fast path does not apply.
template <class Alu, class T, bool Wide>
TUXARIUM_HOT bool alu_memory(Core& c, const Op* op, T b) {
  std::uint32_t linear;
  if (!operand_address<Wide>(c, op, sizeof(T), Alu::kWrites ? Access::write : Access::read, linear)) [[unlikely]] return false;
  if constexpr (Alu::kWrites) {
    const auto change = [&c, b](T a) TUXARIUM_LAMBDA_HOT { return Alu::run(c.s, a, b); };
    return Wide ? modify<T>(c, linear, change) : try_modify<T>(c, linear, change);
  } else {
    T a;
    if (!(Wide ? load(c, linear, a) : try_load(c, linear, a))) [[unlikely]] return false;
    Alu::run(c.s, a, b);
    return true;
  }
}

template <class Alu, class T, bool Wide>
const Op* alu_mr(Core& c, const Op* op) {
  if (!alu_memory<Alu, T, Wide>(c, op, get<T>(c, op->src))) [[unlikely]] {
    if constexpr (Wide) return fault(c, op);
    return go_slow<alu_mr<Alu, T, true>>(c, op);
  }
  TUXARIUM_NEXT();
}

template <class Alu, class T, bool Wide>
const Op* alu_mi(Core& c, const Op* op) {
  if (!alu_memory<Alu, T, Wide>(c, op, static_cast<T>(op->immediate))) [[unlikely]] {
    if constexpr (Wide) return fault(c, op);
    return go_slow<alu_mi<Alu, T, true>>(c, op);
  }
  TUXARIUM_NEXT();
}

/// XOR and SUB of a register with itself.
template <class T>
const Op* clear_register(Core& c, const Op* op) {
  put<T>(c, op->dst, 0);
  logic_result(c.s, T{0});
  TUXARIUM_NEXT();
}

template <class Unary, class T>
const Op* unary_r(Core& c, const Op* op) {
  put<T>(c, op->dst, Unary::run(c.s, get<T>(c, op->dst)));
  TUXARIUM_NEXT();
}

template <class Unary, class T, bool Wide>
const Op* unary_m(Core& c, const Op* op) {
  std::uint32_t linear;
  const auto change = [&c](T a) TUXARIUM_LAMBDA_HOT { return Unary::run(c.s, a); };
  if constexpr (Wide) {
    if (!operand_address<true>(c, op, sizeof(T), Access::write, linear) || !modify<T>(c, linear, change)) [[unlikely]] return fault(c, op);
  } else {
    linear = operand_offset(c, op);
    if (!try_modify<T>(c, linear, change)) [[unlikely]] return go_slow<unary_m<Unary, T, true>>(c, op);
  }
  TUXARIUM_NEXT();
}

template <class Alu, class T>
Handler pick_form(Form form, bool wide) {
  switch (form) {
    case Form::rr: return alu_rr<Alu, T>;
    case Form::ri: return alu_ri<Alu, T>;
    case Form::rm: return wide ? alu_rm<Alu, T, true> : alu_rm<Alu, T, false>;
    case Form::mr: return wide ? alu_mr<Alu, T, true> : alu_mr<Alu, T, false>;
    case Form::mi: return wide ? alu_mi<Alu, T, true> : alu_mi<Alu, T, false>;
  }
  return nullptr;
}

template <class T>
Handler pick_unary(Mnemonic mnemonic, bool memory, bool wide) {
  switch (mnemonic) {
    case Mnemonic::inc: return memory ? (wide ? unary_m<Inc, T, true> : unary_m<Inc, T, false>) : unary_r<Inc, T>;
    case Mnemonic::dec: return memory ? (wide ? unary_m<Dec, T, true> : unary_m<Dec, T, false>) : unary_r<Dec, T>;
    case Mnemonic::not_: return memory ? (wide ? unary_m<Not, T, true> : unary_m<Not, T, false>) : unary_r<Not, T>;
    case Mnemonic::neg: return memory ? (wide ? unary_m<Neg, T, true> : unary_m<Neg, T, false>) : unary_r<Neg, T>;
    default: return nullptr;
  }
}

template <class T>
Handler pick_binary(Mnemonic mnemonic, Form form, bool wide, const Op& op) {
  if (form == Form::rr && op.dst == op.src && (mnemonic == Mnemonic::xor_ || mnemonic == Mnemonic::sub)) return clear_register<T>;
  switch (mnemonic) {
    case Mnemonic::add: return pick_form<Add, T>(form, wide);
    case Mnemonic::or_: return pick_form<Or, T>(form, wide);
    case Mnemonic::adc: return pick_form<Adc, T>(form, wide);
    case Mnemonic::sbb: return pick_form<Sbb, T>(form, wide);
    case Mnemonic::and_: return pick_form<And, T>(form, wide);
    case Mnemonic::sub: return pick_form<Sub, T>(form, wide);
    case Mnemonic::xor_: return pick_form<Xor, T>(form, wide);
    case Mnemonic::cmp: return pick_form<Cmp, T>(form, wide);
    case Mnemonic::test: return pick_form<Test, T>(form, wide);
    default: return nullptr;
  }
}

}  // namespace

Form two_operand_form(const Instruction& i) {
  switch (i.row->operand[1]) {
    case Operand::Ib: case Operand::Iz: case Operand::sIb: return i.is_memory ? Form::mi : Form::ri;
    case Operand::Gb: case Operand::Gv: return i.is_memory ? Form::mr : Form::rr;
    default: return i.is_memory ? Form::rm : Form::rr;
  }
}

Handler pick_alu(const Instruction& i, bool wide, Op& op) {
  const Mnemonic mnemonic = i.mnemonic();
  const bool byte = op.operand_size == 1;
  if (mnemonic == Mnemonic::inc || mnemonic == Mnemonic::dec || mnemonic == Mnemonic::not_ || mnemonic == Mnemonic::neg) {
    if (byte) return pick_unary<std::uint8_t>(mnemonic, i.is_memory, wide);
    return i.operand_size == 2 ? pick_unary<std::uint16_t>(mnemonic, i.is_memory, wide) : pick_unary<std::uint32_t>(mnemonic, i.is_memory, wide);
  }
  const Form form = two_operand_form(i);
  if (byte) return pick_binary<std::uint8_t>(mnemonic, form, wide, op);
  return i.operand_size == 2 ? pick_binary<std::uint16_t>(mnemonic, form, wide, op) : pick_binary<std::uint32_t>(mnemonic, form, wide, op);
}

}  // namespace tuxarium::cpu
