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

template <class Alu, class T, Address Kind>
const Op* alu_rm(Core& c, const Op* op) {
  std::uint32_t linear;
  T value;
  if constexpr (Kind == Address::checked) {
    if (!operand_address<true>(c, op, sizeof(T), Access::read, linear) || !load(c, linear, value)) [[unlikely]] return fault(c, op);
  } else {
    linear = flat_offset<Kind>(c, op);
    if (!try_load(c, linear, value)) [[unlikely]] return go_slow<alu_rm<Alu, T, Address::checked>>(c, op);
  }
  const T r = Alu::run(c.s, get<T>(c, op->dst), value);
  if constexpr (Alu::kWrites) put<T>(c, op->dst, r);
  TUXARIUM_NEXT();
}

/// Memory destination with a given second operand. Not checked: false, without an exception, also where the fast path does not apply.
template <class Alu, class T, Address Kind>
TUXARIUM_HOT bool alu_memory(Core& c, const Op* op, T b) {
  constexpr bool kChecked = Kind == Address::checked;
  std::uint32_t linear;
  if constexpr (kChecked) {
    if (!operand_address<true>(c, op, sizeof(T), Alu::kWrites ? Access::write : Access::read, linear)) [[unlikely]] return false;
  } else {
    linear = flat_offset<Kind>(c, op);
  }
  if constexpr (Alu::kWrites) {
    const auto change = [&c, b](T a) TUXARIUM_LAMBDA_HOT { return Alu::run(c.s, a, b); };
    return kChecked ? modify<T>(c, linear, change) : try_modify<T>(c, linear, change);
  } else {
    T a;
    if (!(kChecked ? load(c, linear, a) : try_load(c, linear, a))) [[unlikely]] return false;
    Alu::run(c.s, a, b);
    return true;
  }
}

template <class Alu, class T, Address Kind>
const Op* alu_mr(Core& c, const Op* op) {
  if (!alu_memory<Alu, T, Kind>(c, op, get<T>(c, op->src))) [[unlikely]] {
    if constexpr (Kind == Address::checked) return fault(c, op);
    return go_slow<alu_mr<Alu, T, Address::checked>>(c, op);
  }
  TUXARIUM_NEXT();
}

template <class Alu, class T, Address Kind>
const Op* alu_mi(Core& c, const Op* op) {
  if (!alu_memory<Alu, T, Kind>(c, op, static_cast<T>(op->immediate))) [[unlikely]] {
    if constexpr (Kind == Address::checked) return fault(c, op);
    return go_slow<alu_mi<Alu, T, Address::checked>>(c, op);
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

template <class Unary, class T, Address Kind>
const Op* unary_m(Core& c, const Op* op) {
  std::uint32_t linear;
  const auto change = [&c](T a) TUXARIUM_LAMBDA_HOT { return Unary::run(c.s, a); };
  if constexpr (Kind == Address::checked) {
    if (!operand_address<true>(c, op, sizeof(T), Access::write, linear) || !modify<T>(c, linear, change)) [[unlikely]] return fault(c, op);
  } else {
    linear = flat_offset<Kind>(c, op);
    if (!try_modify<T>(c, linear, change)) [[unlikely]] return go_slow<unary_m<Unary, T, Address::checked>>(c, op);
  }
  TUXARIUM_NEXT();
}

template <class Alu, class T, Address Kind>
Handler pick_memory_form(Form form) {
  switch (form) {
    case Form::rm: return alu_rm<Alu, T, Kind>;
    case Form::mr: return alu_mr<Alu, T, Kind>;
    case Form::mi: return alu_mi<Alu, T, Kind>;
    default: return nullptr;
  }
}

template <class Alu, class T>
Handler pick_form(Form form, Address address) {
  if (form == Form::rr) return alu_rr<Alu, T>;
  if (form == Form::ri) return alu_ri<Alu, T>;
  switch (address) {
    case Address::checked: return pick_memory_form<Alu, T, Address::checked>(form);
    case Address::plain: return pick_memory_form<Alu, T, Address::plain>(form);
    case Address::indexed: return pick_memory_form<Alu, T, Address::indexed>(form);
  }
  return nullptr;
}

template <class Unary, class T>
Handler pick_unary_form(bool memory, Address address) {
  if (!memory) return unary_r<Unary, T>;
  switch (address) {
    case Address::checked: return unary_m<Unary, T, Address::checked>;
    case Address::plain: return unary_m<Unary, T, Address::plain>;
    case Address::indexed: return unary_m<Unary, T, Address::indexed>;
  }
  return nullptr;
}

template <class T>
Handler pick_unary(Mnemonic mnemonic, bool memory, Address address) {
  switch (mnemonic) {
    case Mnemonic::inc: return pick_unary_form<Inc, T>(memory, address);
    case Mnemonic::dec: return pick_unary_form<Dec, T>(memory, address);
    case Mnemonic::not_: return pick_unary_form<Not, T>(memory, address);
    case Mnemonic::neg: return pick_unary_form<Neg, T>(memory, address);
    default: return nullptr;
  }
}

template <class T>
Handler pick_binary(Mnemonic mnemonic, Form form, Address address, const Op& op) {
  if (form == Form::rr && op.dst == op.src && (mnemonic == Mnemonic::xor_ || mnemonic == Mnemonic::sub)) return clear_register<T>;
  switch (mnemonic) {
    case Mnemonic::add: return pick_form<Add, T>(form, address);
    case Mnemonic::or_: return pick_form<Or, T>(form, address);
    case Mnemonic::adc: return pick_form<Adc, T>(form, address);
    case Mnemonic::sbb: return pick_form<Sbb, T>(form, address);
    case Mnemonic::and_: return pick_form<And, T>(form, address);
    case Mnemonic::sub: return pick_form<Sub, T>(form, address);
    case Mnemonic::xor_: return pick_form<Xor, T>(form, address);
    case Mnemonic::cmp: return pick_form<Cmp, T>(form, address);
    case Mnemonic::test: return pick_form<Test, T>(form, address);
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
  const Address address = address_kind(op, wide);
  if (mnemonic == Mnemonic::inc || mnemonic == Mnemonic::dec || mnemonic == Mnemonic::not_ || mnemonic == Mnemonic::neg) {
    if (byte) return pick_unary<std::uint8_t>(mnemonic, i.is_memory, address);
    return i.operand_size == 2 ? pick_unary<std::uint16_t>(mnemonic, i.is_memory, address) : pick_unary<std::uint32_t>(mnemonic, i.is_memory, address);
  }
  const Form form = two_operand_form(i);
  if (byte) return pick_binary<std::uint8_t>(mnemonic, form, address, op);
  return i.operand_size == 2 ? pick_binary<std::uint16_t>(mnemonic, form, address, op) : pick_binary<std::uint32_t>(mnemonic, form, address, op);
}

}  // namespace tuxarium::cpu
