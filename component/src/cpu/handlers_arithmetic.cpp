// Multiplication, division, bit operations, XADD, CMPXCHG, decimal adjustment, conversions, flag instructions.

#include <bit>
#include <limits>

#include "cpu/alu_operations.hpp"
#include "cpu/handlers.hpp"

namespace tuxarium::cpu {

namespace {

/// Reads the E operand, register or memory. False after a fault.
template <class T>
TUXARIUM_HOT bool read_rm(Core& c, const Op* op, T& value) {
  if ((op->modrm & 0xc0) == 0xc0) {
    value = get<T>(c, op->src);
    return true;
  }
  std::uint32_t linear;
  const bool addressed = op->wide != 0 ? operand_address<true>(c, op, sizeof(T), Access::read, linear)
                                       : operand_address<false>(c, op, sizeof(T), Access::read, linear);
  return addressed && load(c, linear, value);
}

/// Changes the E operand in place, register or memory. False after a fault.
template <class T, class Change>
TUXARIUM_HOT bool modify_rm(Core& c, const Op* op, Change change) {
  if ((op->modrm & 0xc0) == 0xc0) {
    put<T>(c, op->src, change(get<T>(c, op->src)));
    return true;
  }
  std::uint32_t linear;
  const bool addressed = op->wide != 0 ? operand_address<true>(c, op, sizeof(T), Access::write, linear)
                                       : operand_address<false>(c, op, sizeof(T), Access::write, linear);
  return addressed && modify<T>(c, linear, change);
}

template <class T>
struct Double;
template <>
struct Double<std::uint8_t> {
  using type = std::uint16_t;
};
template <>
struct Double<std::uint16_t> {
  using type = std::uint32_t;
};
template <>
struct Double<std::uint32_t> {
  using type = std::uint64_t;
};
template <class T>
using double_t = typename Double<T>::type;

template <class T>
double_t<T> get_accumulator_pair(const Core& c) {
  if constexpr (sizeof(T) == 1) {
    return get<std::uint16_t>(c, 0);
  } else {
    return static_cast<double_t<T>>(double_t<T>{get<T>(c, kEdx * 4)} << kBits<T> | get<T>(c, 0));
  }
}

template <class T>
void put_accumulator_pair(Core& c, T low, T high) {
  if constexpr (sizeof(T) == 1) {
    put<std::uint16_t>(c, 0, static_cast<std::uint16_t>(low | high << 8));
  } else {
    put<T>(c, 0, low);
    put<T>(c, kEdx * 4, high);
  }
}

template <class T>
const Op* op_mul(Core& c, const Op* op) {
  T value;
  if (!read_rm(c, op, value)) [[unlikely]] return fault(c, op);
  const std::uint64_t product = std::uint64_t{get<T>(c, 0)} * value;
  const T low = static_cast<T>(product), high = static_cast<T>(product >> kBits<T>);
  put_accumulator_pair(c, low, high);
  set_cf_of(c.s, high != 0, high != 0);
  set_result(c.s, low);
  TUXARIUM_NEXT();
}

template <class T>
bool multiply_signed(CpuState& s, T a, T b, T& low, T& high) {
  const std::int64_t product = sign_extend(a) * sign_extend(b);
  low = static_cast<T>(product);
  high = static_cast<T>(product >> kBits<T>);
  const bool overflow = sign_extend(low) != product;
  set_cf_of(s, overflow, overflow);
  set_result(s, low);
  return overflow;
}

template <class T>
const Op* op_imul1(Core& c, const Op* op) {
  T value, low, high;
  if (!read_rm(c, op, value)) [[unlikely]] return fault(c, op);
  multiply_signed(c.s, get<T>(c, 0), value, low, high);
  put_accumulator_pair(c, low, high);
  TUXARIUM_NEXT();
}

template <class T, bool Immediate>
const Op* op_imul(Core& c, const Op* op) {
  T value, low, high;
  if (!read_rm(c, op, value)) [[unlikely]] return fault(c, op);
  multiply_signed(c.s, Immediate ? static_cast<T>(op->immediate) : get<T>(c, op->dst), value, low, high);
  put<T>(c, op->dst, low);
  TUXARIUM_NEXT();
}

template <class T>
const Op* op_div(Core& c, const Op* op) {
  T divisor;
  if (!read_rm(c, op, divisor)) [[unlikely]] return fault(c, op);
  const double_t<T> dividend = get_accumulator_pair<T>(c);
  if (divisor == 0 || dividend / divisor > std::numeric_limits<T>::max()) [[unlikely]] {
    raise(c, kDivideError);
    return fault(c, op);
  }
  put_accumulator_pair<T>(c, static_cast<T>(dividend / divisor), static_cast<T>(dividend % divisor));
  TUXARIUM_NEXT();
}

template <class T>
const Op* op_idiv(Core& c, const Op* op) {
  using Signed = std::make_signed_t<double_t<T>>;
  T raw;
  if (!read_rm(c, op, raw)) [[unlikely]] return fault(c, op);
  const auto divisor = static_cast<Signed>(sign_extend(raw));
  const auto dividend = static_cast<Signed>(get_accumulator_pair<T>(c));
  bool overflow = divisor == 0 || (divisor == -1 && dividend == std::numeric_limits<Signed>::min());
  if (!overflow) {
    const auto quotient = static_cast<std::int64_t>(dividend / divisor);
    overflow = quotient != sign_extend(static_cast<T>(quotient));
  }
  if (overflow) [[unlikely]] {
    raise(c, kDivideError);
    return fault(c, op);
  }
  put_accumulator_pair<T>(c, static_cast<T>(dividend / divisor), static_cast<T>(dividend % divisor));
  TUXARIUM_NEXT();
}

enum class BitOperation : std::uint8_t { test, set, reset, complement };

template <class T>
TUXARIUM_HOT T change_bit(T value, unsigned bit, BitOperation operation) {
  const T mask = static_cast<T>(T{1} << bit);
  switch (operation) {
    case BitOperation::set: return value | mask;
    case BitOperation::reset: return static_cast<T>(value & ~mask);
    case BitOperation::complement: return value ^ mask;
    default: return value;
  }
}

/// A register bit index reaches memory beyond the operand: the displacement of its word in bytes.
template <class T>
std::uint32_t bit_displacement(T index) {
  const std::int32_t word = static_cast<std::int32_t>(sign_extend(index)) >> (sizeof(T) == 4 ? 5 : 4);
  return static_cast<std::uint32_t>(word) * static_cast<std::uint32_t>(sizeof(T));
}

template <class T, BitOperation Operation, bool Immediate>
const Op* op_bit(Core& c, const Op* op) {
  const T index = Immediate ? static_cast<T>(op->immediate) : get<T>(c, op->dst);
  const unsigned bit = index & (kBits<T> - 1);
  if ((op->modrm & 0xc0) == 0xc0) {
    const T value = get<T>(c, op->src);
    set_cf(c.s, (value >> bit & 1) != 0);
    if constexpr (Operation != BitOperation::test) put<T>(c, op->src, change_bit(value, bit, Operation));
    TUXARIUM_NEXT();
  }
  const std::uint32_t offset = cut(operand_offset(c, op) + (Immediate ? 0 : bit_displacement(index)), op->address_size);
  constexpr Access access = Operation == BitOperation::test ? Access::read : Access::write;
  std::uint32_t linear = offset;
  if (op->wide != 0 && !segment_check(c, op->segment, offset, sizeof(T), access, linear)) return fault(c, op);
  if constexpr (Operation == BitOperation::test) {
    T value;
    if (!load(c, linear, value)) [[unlikely]] return fault(c, op);
    set_cf(c.s, (value >> bit & 1) != 0);
  } else {
    const bool ok = modify<T>(c, linear, [&c, bit](T value) {
      set_cf(c.s, (value >> bit & 1) != 0);
      return change_bit(value, bit, Operation);
    });
    if (!ok) [[unlikely]] return fault(c, op);
  }
  TUXARIUM_NEXT();
}

template <class T, bool Reverse>
const Op* op_bit_scan(Core& c, const Op* op) {
  T value;
  if (!read_rm(c, op, value)) [[unlikely]] return fault(c, op);
  if (value != 0) put<T>(c, op->dst, static_cast<T>(Reverse ? static_cast<int>(std::bit_width(value)) - 1 : std::countr_zero(value)));
  c.s.flag_carries = 0;
  set_result(c.s, value);
  TUXARIUM_NEXT();
}

template <class T>
const Op* op_popcnt(Core& c, const Op* op) {
  T value;
  if (!read_rm(c, op, value)) [[unlikely]] return fault(c, op);
  put<T>(c, op->dst, static_cast<T>(std::popcount(value)));
  load_arithmetic_flags(c.s, value == 0 ? kZf : 0);
  TUXARIUM_NEXT();
}

template <class T>
const Op* op_xadd(Core& c, const Op* op) {
  const T addend = get<T>(c, op->dst);
  T old = 0;
  const bool ok = modify_rm<T>(c, op, [&c, &old, addend](T value) {
    old = value;
    return Add::run(c.s, value, addend);
  });
  if (!ok) [[unlikely]] return fault(c, op);
  // XADD r, r with one register for both: the sum stays.
  if ((op->modrm & 0xc0) != 0xc0 || op->src != op->dst) put<T>(c, op->dst, old);
  TUXARIUM_NEXT();
}

template <class T>
const Op* op_cmpxchg(Core& c, const Op* op) {
  const T expected = get<T>(c, 0), replacement = get<T>(c, op->dst);
  T old = 0;
  const bool ok = modify_rm<T>(c, op, [&c, &old, expected, replacement](T value) {
    old = value;
    Cmp::run(c.s, expected, value);
    return value == expected ? replacement : value;
  });
  if (!ok) [[unlikely]] return fault(c, op);
  if (old != expected) put<T>(c, 0, old);
  TUXARIUM_NEXT();
}

const Op* op_cmpxchg8b(Core& c, const Op* op) {
  std::uint32_t linear;
  const bool addressed =
      op->wide != 0 ? operand_address<true>(c, op, 8, Access::write, linear) : operand_address<false>(c, op, 8, Access::write, linear);
  if (!addressed) return fault(c, op);
  const std::uint64_t expected = std::uint64_t{c.s.gpr[kEdx]} << 32 | c.s.gpr[kEax];
  const std::uint64_t replacement = std::uint64_t{c.s.gpr[kEcx]} << 32 | c.s.gpr[kEbx];
  std::uint64_t old = 0;
  const bool ok = modify<std::uint64_t>(c, linear, [&old, expected, replacement](std::uint64_t value) {
    old = value;
    return value == expected ? replacement : value;
  });
  if (!ok) return fault(c, op);
  set_zf(c.s, old == expected);
  if (old != expected) {
    c.s.gpr[kEax] = static_cast<std::uint32_t>(old);
    c.s.gpr[kEdx] = static_cast<std::uint32_t>(old >> 32);
  }
  TUXARIUM_NEXT();
}

template <class T>
const Op* op_xchg_rr(Core& c, const Op* op) {
  const T a = get<T>(c, op->dst);
  put<T>(c, op->dst, get<T>(c, op->src));
  put<T>(c, op->src, a);
  TUXARIUM_NEXT();
}

template <class T>
const Op* op_xchg_mr(Core& c, const Op* op) {
  T old = 0;
  const T value = get<T>(c, op->dst);
  const bool ok = modify_rm<T>(c, op, [&old, value](T memory) {
    old = memory;
    return value;
  });
  if (!ok) [[unlikely]] return fault(c, op);
  put<T>(c, op->dst, old);
  TUXARIUM_NEXT();
}

const Op* op_bswap(Core& c, const Op* op) {
  const std::uint32_t v = get<std::uint32_t>(c, op->dst);
  put<std::uint32_t>(c, op->dst, v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24);
  TUXARIUM_NEXT();
}

/// With a 16-bit operand the result is undefined; i686 processors give 0.
const Op* op_bswap16(Core& c, const Op* op) {
  put<std::uint16_t>(c, op->dst, 0);
  TUXARIUM_NEXT();
}

template <unsigned Size>
const Op* op_cbw(Core& c, const Op* op) {
  if constexpr (Size == 4) {
    c.s.gpr[kEax] = static_cast<std::uint32_t>(sign_extend(get<std::uint16_t>(c, 0)));
  } else {
    put<std::uint16_t>(c, 0, static_cast<std::uint16_t>(sign_extend(get<std::uint8_t>(c, 0))));
  }
  TUXARIUM_NEXT();
}

template <class T>
const Op* op_cwd(Core& c, const Op* op) {
  put<T>(c, kEdx * 4, static_cast<T>(sign_extend(get<T>(c, 0)) >> 63));
  TUXARIUM_NEXT();
}

// Decimal adjustment: flags by SDM volume 2; OF, undefined, follows i686.
template <bool Subtract>
const Op* op_daa_das(Core& c, const Op* op) {
  const auto old_al = get<std::uint8_t>(c, 0);
  const bool old_cf = flag_cf(c.s);
  auto al = old_al;
  bool cf = false;
  const bool af = (old_al & 15) > 9 || flag_af(c.s);
  if (af) {
    cf = old_cf || (Subtract ? old_al < 6 : old_al > 0xf9);
    al = static_cast<std::uint8_t>(Subtract ? al - 6 : al + 6);
  }
  if (old_al > 0x99 || old_cf) {
    al = static_cast<std::uint8_t>(Subtract ? al - 0x60 : al + 0x60);
    cf = true;
  }
  put<std::uint8_t>(c, 0, al);
  set_result(c.s, al);
  set_cf_of(c.s, cf, false);
  if (af) c.s.flag_carries |= 8;
  TUXARIUM_NEXT();
}

template <bool Subtract>
const Op* op_aaa_aas(Core& c, const Op* op) {
  auto ax = get<std::uint16_t>(c, 0);
  const bool adjust = (ax & 15) > 9 || flag_af(c.s);
  if (adjust) ax = static_cast<std::uint16_t>(Subtract ? ax - 0x106 : ax + 0x106);
  ax &= 0xff0f;
  put<std::uint16_t>(c, 0, ax);
  set_result(c.s, static_cast<std::uint8_t>(ax));
  set_cf_of(c.s, adjust, false);
  if (adjust) c.s.flag_carries |= 8;
  TUXARIUM_NEXT();
}

const Op* op_aam(Core& c, const Op* op) {
  const auto base = static_cast<std::uint8_t>(op->immediate);
  if (base == 0) {
    raise(c, kDivideError);
    return fault(c, op);
  }
  const auto al = get<std::uint8_t>(c, 0);
  put<std::uint16_t>(c, 0, static_cast<std::uint16_t>(al / base << 8 | al % base));
  c.s.flag_carries = 0;
  set_result(c.s, get<std::uint8_t>(c, 0));
  TUXARIUM_NEXT();
}

const Op* op_aad(Core& c, const Op* op) {
  const auto al = get<std::uint8_t>(c, 0), ah = get<std::uint8_t>(c, 1);
  const auto product = static_cast<std::uint8_t>(ah * op->immediate);
  put<std::uint16_t>(c, 0, Add::run(c.s, al, product));
  TUXARIUM_NEXT();
}

const Op* op_salc(Core& c, const Op* op) {
  put<std::uint8_t>(c, 0, flag_cf(c.s) ? 0xff : 0);
  TUXARIUM_NEXT();
}

const Op* op_clc(Core& c, const Op* op) {
  set_cf(c.s, false);
  TUXARIUM_NEXT();
}
const Op* op_stc(Core& c, const Op* op) {
  set_cf(c.s, true);
  TUXARIUM_NEXT();
}
const Op* op_cmc(Core& c, const Op* op) {
  set_cf(c.s, !flag_cf(c.s));
  TUXARIUM_NEXT();
}
const Op* op_cld(Core& c, const Op* op) {
  c.s.system_flags &= ~kDf;
  TUXARIUM_NEXT();
}
const Op* op_std(Core& c, const Op* op) {
  c.s.system_flags |= kDf;
  TUXARIUM_NEXT();
}
const Op* op_lahf(Core& c, const Op* op) {
  put<std::uint8_t>(c, 1, static_cast<std::uint8_t>(get_eflags(c.s)));
  TUXARIUM_NEXT();
}
const Op* op_sahf(Core& c, const Op* op) {
  const std::uint32_t of = flag_of(c.s) ? kOf : 0;
  load_arithmetic_flags(c.s, (get<std::uint8_t>(c, 1) & (kCf | kPf | kAf | kZf | kSf)) | of);
  TUXARIUM_NEXT();
}

template <class T, BitOperation Operation>
Handler pick_bit_form(bool immediate) {
  return immediate ? op_bit<T, Operation, true> : op_bit<T, Operation, false>;
}

template <class T>
Handler pick_any_size(const Instruction& i) {
  switch (i.mnemonic()) {
    case Mnemonic::mul: return op_mul<T>;
    case Mnemonic::imul1: return op_imul1<T>;
    case Mnemonic::div: return op_div<T>;
    case Mnemonic::idiv: return op_idiv<T>;
    case Mnemonic::xadd: return op_xadd<T>;
    case Mnemonic::cmpxchg: return op_cmpxchg<T>;
    case Mnemonic::xchg: return i.is_memory ? op_xchg_mr<T> : op_xchg_rr<T>;
    default: return nullptr;
  }
}

template <class T>
Handler pick_word_size(const Instruction& i) {
  const bool immediate_bit = i.row->operand[1] == Operand::Ib;
  switch (i.mnemonic()) {
    case Mnemonic::imul: return i.row->operand[2] == Operand::none ? op_imul<T, false> : op_imul<T, true>;
    case Mnemonic::bt: return pick_bit_form<T, BitOperation::test>(immediate_bit);
    case Mnemonic::bts: return pick_bit_form<T, BitOperation::set>(immediate_bit);
    case Mnemonic::btr: return pick_bit_form<T, BitOperation::reset>(immediate_bit);
    case Mnemonic::btc: return pick_bit_form<T, BitOperation::complement>(immediate_bit);
    case Mnemonic::bsf: return op_bit_scan<T, false>;
    case Mnemonic::bsr: return op_bit_scan<T, true>;
    case Mnemonic::popcnt: return op_popcnt<T>;
    case Mnemonic::cwd: return op_cwd<T>;
    default: return pick_any_size<T>(i);
  }
}

}  // namespace

Handler pick_arithmetic(const Instruction& i, bool wide, Op& op) {
  op.wide = wide ? 1 : 0;
  switch (i.mnemonic()) {
    case Mnemonic::cmpxchg8b: return op_cmpxchg8b;
    case Mnemonic::bswap: return i.operand_size == 2 ? op_bswap16 : op_bswap;
    case Mnemonic::cbw: return i.operand_size == 2 ? op_cbw<2> : op_cbw<4>;
    case Mnemonic::daa: return op_daa_das<false>;
    case Mnemonic::das: return op_daa_das<true>;
    case Mnemonic::aaa: return op_aaa_aas<false>;
    case Mnemonic::aas: return op_aaa_aas<true>;
    case Mnemonic::aam: return op_aam;
    case Mnemonic::aad: return op_aad;
    case Mnemonic::salc: return op_salc;
    case Mnemonic::clc: return op_clc;
    case Mnemonic::stc: return op_stc;
    case Mnemonic::cmc: return op_cmc;
    case Mnemonic::cld: return op_cld;
    case Mnemonic::std_: return op_std;
    case Mnemonic::lahf: return op_lahf;
    case Mnemonic::sahf: return op_sahf;
    default: break;
  }
  if (op.operand_size == 1) return pick_any_size<std::uint8_t>(i);
  return i.operand_size == 2 ? pick_word_size<std::uint16_t>(i) : pick_word_size<std::uint32_t>(i);
}

}  // namespace tuxarium::cpu
