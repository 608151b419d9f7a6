// The instructions as functions on the unit: stack checks, masked and unmasked responses, condition codes.
// Intel SDM vol. 1, sections 8.1.3, 8.3, 8.4, 8.5. The arithmetic itself is in the backend.
#pragma once

#include "cpu/x87/arithmetic.hpp"
#include "cpu/x87/basic.hpp"
#include "cpu/x87/conversions.hpp"
#include "cpu/x87/unit.hpp"

namespace tuxarium::cpu::x87 {

template <class Arithmetic>
struct Operations {
  using Unit = BasicUnit<Arithmetic>;

  // --- stack and flags --------------------------------------------------------------------------------------------------------
  static Environment environment(const Unit& u) {
    return {u.state_.control, static_cast<std::uint16_t>(u.state_.status & u.state_.control & status::kExceptions)};
  }

  /// Raises exceptions and replaces C1. True when the masked response may be stored.
  static bool report(Unit& u, unsigned raised) {
    constexpr unsigned kReported = status::kExceptions | status::kStackFault | status::kC1;
    u.state_.status = static_cast<std::uint16_t>((u.state_.status & ~status::kC1) | (raised & kReported));
    return (raised & ~unsigned{u.state_.control} & status::kPreComputation) == 0;
  }
  static void set_conditions(Unit& u, unsigned mask, unsigned bits) {
    u.state_.status = static_cast<std::uint16_t>((u.state_.status & ~mask) | (bits & mask));
  }
  static bool stack_underflow(Unit& u) { return report(u, status::kInvalid | status::kStackFault); }
  static bool stack_overflow(Unit& u) { return report(u, status::kInvalid | status::kStackFault | status::kC1); }

  static std::uint8_t bit(unsigned physical) { return static_cast<std::uint8_t>(1u << physical); }
  // Member by member, so that no wide move reads what two narrow stores have just written.
  static void assign(Float80& to, const Float80& from) {
    to.significand = from.significand;
    to.sign_exponent = from.sign_exponent;
  }
  static void set(Unit& u, unsigned i, const Float80& value) {
    const unsigned physical = u.index(i);
    u.state_.valid |= bit(physical);
    assign(u.state_.registers[physical], value);
  }
  static void push(Unit& u, const Float80& value) {
    u.state_.top = static_cast<std::uint8_t>((u.state_.top - 1u) & 7u);
    set(u, 0, value);
  }
  static void pop(Unit& u) {
    u.state_.valid = static_cast<std::uint8_t>(u.state_.valid & ~(1u << u.state_.top));
    u.state_.top = static_cast<std::uint8_t>((u.state_.top + 1u) & 7u);
  }
  static void pop(Unit& u, unsigned count) {
    for (unsigned n = 0; n < count; ++n) pop(u);
  }
  static bool either_empty(const Unit& u, unsigned i, unsigned j) {
    const unsigned both = 1u << u.index(i) | 1u << u.index(j);
    return (u.state_.valid & both) != both;
  }

  // --- loads ------------------------------------------------------------------------------------------------------------------
  /// Pushes what was loaded with the given exceptions.
  static void load(Unit& u, const Float80& value, unsigned raised) {
    if (!u.st_empty(7)) [[unlikely]] {
      if (stack_overflow(u)) push(u, kIndefinite);
      return;
    }
    // A denormal is loaded also when it raises an unmasked exception.
    if (report(u, raised) || (raised & status::kInvalid) == 0) push(u, value);
  }
  static void load_narrow(Unit& u, Float80 value, bool denormal) {
    unsigned raised = denormal ? status::kDenormal : 0;
    if (is_signaling(value)) [[unlikely]] {
      raised = status::kInvalid;
      value.significand |= kQuietBit;
    }
    load(u, value, raised);
  }
  static void fld_f32(Unit& u, std::uint64_t bits) {
    const auto narrow = static_cast<std::uint32_t>(bits);
    load_narrow(u, widen_f32(narrow), is_denormal_f32(narrow));
  }
  static void fld_f64(Unit& u, std::uint64_t bits) { load_narrow(u, widen_f64(bits), is_denormal_f64(bits)); }
  template <class Integer>
  static void fild(Unit& u, std::uint64_t bits) {
    load(u, from_integer(static_cast<Integer>(bits)), 0);
  }
  static void fld_register(Unit& u, unsigned i, RegisterIo&) {
    if (u.st_empty(i)) [[unlikely]] {
      if (stack_underflow(u)) push(u, kIndefinite);
      return;
    }
    const Float80 value = u.st(i);
    load(u, value, 0);
  }
  template <Constant which>
  static void fld_constant(Unit& u, unsigned, RegisterIo&) {
    load(u, constant(which, u.state_.control), 0);
  }
  static void fldcw(Unit& u, std::uint64_t bits) { u.set_control_word(static_cast<std::uint16_t>(bits)); }

  // --- basic arithmetic -------------------------------------------------------------------------------------------------------
  static void store_result(Unit& u, unsigned target, unsigned pops, const Result& result) {
    if (!report(u, result.status)) [[unlikely]]
      return;
    assign(u.state_.registers[u.index(target)], result.value);
    pop(u, pops);
  }
  /// For results that raise at most PE, which never keeps a result from its register.
  static void store_common(Unit& u, unsigned target, unsigned pops, const Result& result) {
    u.state_.status = static_cast<std::uint16_t>((u.state_.status & ~status::kC1) | result.status);
    assign(u.state_.registers[u.index(target)], result.value);
    pop(u, pops);
  }
  static void underflow_into(Unit& u, unsigned target, unsigned pops) {
    if (!stack_underflow(u)) return;
    set(u, target, kIndefinite);
    pop(u, pops);
  }
  /// ST(0) op ST(i) into ST(0) or, for the DC and DE forms, into ST(i).
  template <BinaryOp op, bool into_i, unsigned pops>
  static void binary(Unit& u, unsigned i, RegisterIo&) {
    const unsigned target = into_i ? i : 0;
    if (either_empty(u, 0, i)) [[unlikely]]
      return underflow_into(u, target, pops);
    Result common;
    if (binary_common<op>(u.st(0), u.st(i), environment(u), common)) [[likely]]
      return store_common(u, target, pops, common);
    store_result(u, target, pops, Arithmetic::template binary<op>(u.st(0), u.st(i), environment(u)));
  }
  template <BinaryOp op>
  static void binary_f32(Unit& u, std::uint64_t bits) {
    if (u.st_empty(0)) [[unlikely]]
      return underflow_into(u, 0, 0);
    Result common;
    if (binary_common<op>(u.st(0), widen_f32(static_cast<std::uint32_t>(bits)), environment(u), common) &&
        !is_denormal_f32(static_cast<std::uint32_t>(bits))) [[likely]]
      return store_common(u, 0, 0, common);
    store_result(u, 0, 0, Arithmetic::template binary_f32<op>(u.st(0), static_cast<std::uint32_t>(bits), environment(u)));
  }
  template <BinaryOp op>
  static void binary_f64(Unit& u, std::uint64_t bits) {
    if (u.st_empty(0)) [[unlikely]]
      return underflow_into(u, 0, 0);
    Result common;
    if (binary_common<op>(u.st(0), widen_f64(bits), environment(u), common) && !is_denormal_f64(bits)) [[likely]]
      return store_common(u, 0, 0, common);
    store_result(u, 0, 0, Arithmetic::template binary_f64<op>(u.st(0), bits, environment(u)));
  }
  template <BinaryOp op, class Integer>
  static void binary_integer(Unit& u, std::uint64_t bits) {
    if (u.st_empty(0)) [[unlikely]]
      return underflow_into(u, 0, 0);
    const Float80 operand = from_integer(static_cast<Integer>(bits));
    Result common;
    if (binary_common<op>(u.st(0), operand, environment(u), common)) [[likely]]
      return store_common(u, 0, 0, common);
    store_result(u, 0, 0, Arithmetic::template binary<op>(u.st(0), operand, environment(u)));
  }

  // --- other arithmetic -------------------------------------------------------------------------------------------------------
  template <Result (*operation)(const Float80&, Environment)>
  static void unary(Unit& u, unsigned, RegisterIo&) {
    if (u.st_empty(0)) return underflow_into(u, 0, 0);
    store_result(u, 0, 0, operation(u.st(0), environment(u)));
  }
  /// FSIN, FCOS: C2 tells that the operand was out of range.
  template <Result (*operation)(const Float80&, Environment)>
  static void trigonometric(Unit& u, unsigned, RegisterIo&) {
    set_conditions(u, status::kC2, 0);
    if (u.st_empty(0)) return underflow_into(u, 0, 0);
    const Result result = operation(u.st(0), environment(u));
    set_conditions(u, status::kC2, result.status);
    store_result(u, 0, 0, result);
  }
  template <Result (*operation)(const Float80&, const Float80&, Environment), unsigned pops>
  static void with_st1(Unit& u, unsigned, RegisterIo&) {
    if (either_empty(u, 0, 1)) return underflow_into(u, pops, pops);
    store_result(u, pops, pops, operation(u.st(0), u.st(1), environment(u)));
  }
  template <Result (*operation)(const Float80&, const Float80&, Environment)>
  static void remainder(Unit& u, unsigned, RegisterIo&) {
    set_conditions(u, status::kC2, 0);
    if (either_empty(u, 0, 1)) return underflow_into(u, 0, 0);
    const Result result = operation(u.st(0), u.st(1), environment(u));
    if (!report(u, result.status)) return;
    const unsigned quotient = is_nan(result.value) ? 0 : status::kC0 | status::kC3;  // a NaN leaves the quotient bits alone
    set_conditions(u, status::kC2 | quotient, result.status);
    assign(u.state_.registers[u.state_.top], result.value);
  }
  /// FXTRACT, FPTAN, FSINCOS. C2 tells that a trigonometric operand was out of range: then nothing is pushed.
  template <PairResult (*operation)(const Float80&, Environment), bool trigonometric_form>
  static void pair(Unit& u, unsigned, RegisterIo&) {
    if constexpr (trigonometric_form) set_conditions(u, status::kC2, 0);
    const bool missing = u.st_empty(0);
    if (missing || !u.st_empty(7)) {
      if (!(missing ? stack_underflow(u) : stack_overflow(u))) return;
      set(u, 0, kIndefinite);
      return push(u, kIndefinite);
    }
    const PairResult result = operation(u.st(0), environment(u));
    if (!report(u, result.status)) return;
    if constexpr (trigonometric_form) {
      set_conditions(u, status::kC2, result.status);
      if ((result.status & status::kC2) != 0) return;
    }
    assign(u.state_.registers[u.state_.top], result.deeper);
    push(u, result.top);
  }

  // --- comparison -------------------------------------------------------------------------------------------------------------
  static void set_order(Unit& u, Order order) {
    constexpr unsigned kCodes[] = {status::kC0, status::kC3, 0, status::kC0 | status::kC2 | status::kC3};
    set_conditions(u, status::kC0 | status::kC2 | status::kC3, kCodes[static_cast<unsigned>(order)]);
  }
  /// The result is there also with an unmasked exception, which only keeps the operands on the stack.
  static bool finish_comparison(Unit& u, const Comparison& comparison, unsigned pops) {
    const bool masked = report(u, comparison.status);
    set_order(u, comparison.order);
    if (masked) pop(u, pops);
    return masked;
  }
  static void unordered_underflow(Unit& u, unsigned pops) {
    finish_comparison(u, {Order::unordered, status::kInvalid | status::kStackFault}, pops);
  }
  template <bool quiet, unsigned pops>
  static void compare_register(Unit& u, unsigned i, RegisterIo&) {
    if (either_empty(u, 0, i)) return unordered_underflow(u, pops);
    finish_comparison(u, compare(u.st(0), u.st(i), quiet), pops);
  }
  template <bool quiet, unsigned pops>
  static void compare_eflags(Unit& u, unsigned i, RegisterIo& io) {
    constexpr std::uint32_t kCarry = 0x01, kParity = 0x04, kZero = 0x40, kCleared = 0x890;
    constexpr std::uint32_t kFlags[] = {kCarry, kZero, 0, kCarry | kParity | kZero};
    const bool missing = either_empty(u, 0, i);
    const Comparison comparison =
        missing ? Comparison{Order::unordered, status::kInvalid | status::kStackFault} : compare(u.st(0), u.st(i), quiet);
    io.eflags = (io.eflags & ~(kCleared | kCarry | kParity | kZero)) | kFlags[static_cast<unsigned>(comparison.order)];
    if (report(u, comparison.status)) pop(u, pops);
  }
  static void compare_loaded(Unit& u, Float80 value, bool denormal, unsigned pops) {
    if (u.st_empty(0)) return unordered_underflow(u, pops);
    Comparison comparison = compare(u.st(0), value, false);
    if (denormal && comparison.order != Order::unordered) comparison.status |= status::kDenormal;
    finish_comparison(u, comparison, pops);
  }
  template <unsigned pops>
  static void compare_f32(Unit& u, std::uint64_t bits) {
    const auto narrow = static_cast<std::uint32_t>(bits);
    compare_loaded(u, widen_f32(narrow), is_denormal_f32(narrow), pops);
  }
  template <unsigned pops>
  static void compare_f64(Unit& u, std::uint64_t bits) {
    compare_loaded(u, widen_f64(bits), is_denormal_f64(bits), pops);
  }
  template <class Integer, unsigned pops>
  static void compare_integer(Unit& u, std::uint64_t bits) {
    compare_loaded(u, from_integer(static_cast<Integer>(bits)), false, pops);
  }
  static void ftst(Unit& u, unsigned, RegisterIo&) { compare_loaded(u, Float80{}, false, 0); }
  static void fxam(Unit& u, unsigned, RegisterIo&) {
    const Float80& f = u.st(0);
    unsigned code = status::kC2;
    if (u.st_empty(0)) {
      code = status::kC3 | status::kC0;
    } else if (is_unsupported(f)) {
      code = 0;
    } else if (is_nan(f)) {
      code = status::kC0;
    } else if (is_infinity(f)) {
      code = status::kC2 | status::kC0;
    } else if (is_zero(f)) {
      code = status::kC3;
    } else if (is_denormal(f)) {
      code = status::kC3 | status::kC2;
    }
    if (f.sign()) code |= status::kC1;
    set_conditions(u, status::kC0 | status::kC1 | status::kC2 | status::kC3, code);
  }

  // --- moves and control ------------------------------------------------------------------------------------------------------
  static void fxch(Unit& u, unsigned i, RegisterIo&) {
    if (either_empty(u, 0, i)) [[unlikely]] {
      if (!stack_underflow(u)) return;
      if (u.st_empty(0)) set(u, 0, kIndefinite);
      if (u.st_empty(i)) set(u, i, kIndefinite);
    } else {
      report(u, 0);
    }
    Float80& a = u.state_.registers[u.index(0)];
    Float80& b = u.state_.registers[u.index(i)];
    const std::uint64_t significand = a.significand;
    const std::uint16_t sign_exponent = a.sign_exponent;
    assign(a, b);
    b.significand = significand;
    b.sign_exponent = sign_exponent;
  }
  template <unsigned pops>
  static void fst_register(Unit& u, unsigned i, RegisterIo&) {
    if (u.st_empty(0)) [[unlikely]]
      return underflow_into(u, i, pops);
    report(u, 0);
    set(u, i, u.st(0));
    pop(u, pops);
  }
  /// D9 D8+i: as FSTP, but an empty ST(0) is just popped.
  static void fstp_unchecked(Unit& u, unsigned i, RegisterIo& io) {
    if (!u.st_empty(0)) return fst_register<1>(u, i, io);
    report(u, 0);
    pop(u);
  }
  template <unsigned condition, bool negate>
  static void fcmov(Unit& u, unsigned i, RegisterIo& io) {
    constexpr std::uint32_t kFlags[] = {0x01, 0x40, 0x41, 0x04};  // CF, ZF, CF or ZF, PF
    if (either_empty(u, 0, i)) return underflow_into(u, 0, 0);
    if (((io.eflags & kFlags[condition]) != 0) != negate) assign(u.state_.registers[u.state_.top], u.st(i));
  }
  template <unsigned clear, unsigned flip>
  static void change_sign(Unit& u, unsigned, RegisterIo&) {
    if (u.st_empty(0)) return underflow_into(u, 0, 0);
    report(u, 0);
    std::uint16_t& word = u.state_.registers[u.state_.top].sign_exponent;
    word = static_cast<std::uint16_t>((word & ~clear) ^ flip);
  }
  template <unsigned pops>
  static void ffree(Unit& u, unsigned i, RegisterIo&) {
    u.state_.valid = static_cast<std::uint8_t>(u.state_.valid & ~(1u << u.index(i)));
    report(u, 0);
    pop(u, pops);
  }
  template <unsigned step>
  static void rotate(Unit& u, unsigned, RegisterIo&) {
    report(u, 0);
    u.state_.top = static_cast<std::uint8_t>((u.state_.top + step) & 7u);
  }
  static void nothing(Unit&, unsigned, RegisterIo&) {}
  static void fnclex(Unit& u, unsigned, RegisterIo&) { set_conditions(u, status::kExceptions | status::kStackFault, 0); }
  static void fninit(Unit& u, unsigned, RegisterIo&) { u.fninit(); }
  static void fnstsw_ax(Unit& u, unsigned, RegisterIo& io) { io.ax = u.status_word(); }

  // --- stores -----------------------------------------------------------------------------------------------------------------
  static constexpr unsigned kSuppressing = status::kPreComputation | status::kOverflow | status::kUnderflow;

  static StagedStore staged(const Unit& u, ValueResult value, unsigned size, unsigned pops, std::uint16_t high_bits = 0) {
    StagedStore store;
    store.raised = value.status;
    if ((value.status & ~unsigned{u.state_.control} & kSuppressing) != 0) [[unlikely]]
      return store;
    store.bits = value.bits;
    store.high_bits = high_bits;
    store.size = static_cast<std::uint8_t>(size);
    store.pops = static_cast<std::uint8_t>(pops);
    return store;
  }
  static constexpr std::uint16_t kUnderflowRaised = status::kInvalid | status::kStackFault;

  template <unsigned bytes, unsigned pops>
  static StagedStore fst(const Unit& u) {
    constexpr std::uint64_t kIndefiniteBits = bytes == 4 ? 0xffc00000u : 0xfff8000000000000u;
    if (u.st_empty(0)) [[unlikely]]
      return staged(u, {kIndefiniteBits, kUnderflowRaised}, bytes, pops);
    ValueResult common;
    if (narrow_common < bytes == 4 ? 23 : 52, bytes == 4 ? 8 : 11 > (u.st(0), environment(u), common)) [[likely]]
      return staged(u, common, bytes, pops);
    return staged(u, Arithmetic::template to_float<bytes>(u.st(0), environment(u)), bytes, pops);
  }
  template <unsigned bytes, unsigned pops>
  static StagedStore fist(const Unit& u) {
    constexpr std::uint64_t kIndefiniteBits = std::uint64_t{1} << (bytes * 8 - 1);
    if (u.st_empty(0)) [[unlikely]]
      return staged(u, {kIndefiniteBits, kUnderflowRaised}, bytes, pops);
    return staged(u, to_integer_exact(u.st(0), bytes * 8, environment(u)), bytes, pops);
  }
  /// FISTTP: towards zero whatever the control word says.
  template <unsigned bytes>
  static StagedStore fisttp(const Unit& u) {
    constexpr std::uint16_t kTruncate = 0x0c00;
    if (u.st_empty(0)) return fist<bytes, 1>(u);
    Environment env = environment(u);
    env.control |= kTruncate;
    return staged(u, to_integer_exact(u.st(0), bytes * 8, env), bytes, 1);
  }
  static StagedStore fstp_f80(const Unit& u) {
    const bool empty = u.st_empty(0);
    const Float80 value = empty ? kIndefinite : u.st(0);
    return staged(u, {value.significand, empty ? kUnderflowRaised : std::uint16_t{0}}, 10, 1, value.sign_exponent);
  }
  static StagedStore fbstp(const Unit& u) {
    if (u.st_empty(0)) return staged(u, {kDecimalIndefinite.low_digits, kUnderflowRaised}, 10, 1, kDecimalIndefinite.high);
    ValueResult integer = to_integer_exact(u.st(0), 64, environment(u));
    const auto value = static_cast<std::int64_t>(integer.bits);
    const std::uint64_t magnitude = value < 0 ? 0 - integer.bits : integer.bits;
    if (magnitude >= kDecimalLimit) return staged(u, {kDecimalIndefinite.low_digits, status::kInvalid}, 10, 1, kDecimalIndefinite.high);
    const Decimal digits = to_decimal(magnitude, u.st(0).sign());
    return staged(u, {digits.low_digits, integer.status}, 10, 1, digits.high);
  }
  static StagedStore control_value(std::uint16_t value) {
    StagedStore store;
    store.bits = value;
    store.size = 2;
    store.effect = StagedStore::Effect::none;
    return store;
  }
  static StagedStore fnstcw(const Unit& u) { return control_value(u.control_word()); }
  static StagedStore fnstsw(const Unit& u) { return control_value(u.status_word()); }
};

}  // namespace tuxarium::cpu::x87
