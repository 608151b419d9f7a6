// The commonest instructions in their commonest case: operands that are normal numbers (or, for loads and moves, zero), rounding to nearest with
// full precision, no stack fault. Every function returns false with nothing changed when the case is another; the whole instruction is in
// operations.hpp. All is inlined, so that a handler that uses these calls nothing.
#pragma once

#include "cpu/x87/basic.hpp"
#include "cpu/x87/conversions.hpp"
#include "cpu/x87/unit.hpp"

namespace tuxarium::cpu::x87 {

template <class Unit>
struct Common {
  using State = typename Unit::State;

  /// What the functions of basic.hpp look at of the control word.
  static constexpr Environment kNearest{};
  TUXARIUM_X87_HOT static bool rounds_to_nearest(const State& s) { return (s.control & 0x0f00u) == 0x0300; }

  TUXARIUM_X87_HOT static unsigned physical(const State& s, unsigned i) { return (s.top + i) & 7u; }
  TUXARIUM_X87_HOT static bool full(const State& s, unsigned n) { return (s.valid >> n & 1u) != 0; }
  TUXARIUM_X87_HOT static void assign(Float80& to, std::uint64_t significand, std::uint16_t sign_exponent) {
    to.significand = significand;
    to.sign_exponent = sign_exponent;
  }
  TUXARIUM_X87_HOT static void report(State& s, unsigned raised) {
    s.status = static_cast<std::uint16_t>((s.status & ~status::kC1) | raised);
  }
  TUXARIUM_X87_HOT static void pop(State& s) {
    s.valid = static_cast<std::uint8_t>(s.valid & ~(1u << s.top));
    s.top = static_cast<std::uint8_t>((s.top + 1u) & 7u);
  }
  TUXARIUM_X87_HOT static bool push(State& s, std::uint64_t significand, std::uint16_t sign_exponent) {
    const unsigned top = (s.top - 1u) & 7u;
    if (full(s, top)) return false;
    report(s, 0);
    s.top = static_cast<std::uint8_t>(top);
    s.valid = static_cast<std::uint8_t>(s.valid | 1u << top);
    assign(s.registers[top], significand, sign_exponent);
    return true;
  }

  /// A single or double that is a normal number or, with `zero_too`, zero.
  template <class T>
  TUXARIUM_X87_HOT static bool widen_common(T bits, bool zero_too, Float80& out) {
    constexpr unsigned kFraction = sizeof(T) == 4 ? 23 : 52, kMax = sizeof(T) == 4 ? 0xff : 0x7ff;
    const auto exponent = static_cast<unsigned>(bits >> kFraction) & kMax;
    if (exponent == kMax) return false;
    const auto sign = static_cast<unsigned>(bits >> (8 * sizeof(T) - 1)) << 15;
    if (exponent == 0) {
      out = {0, static_cast<std::uint16_t>(sign)};
      return zero_too && static_cast<T>(bits << 1) == 0;
    }
    out = {kIntegerBit | std::uint64_t{bits} << (63 - kFraction), static_cast<std::uint16_t>(sign | (exponent + kExponentBias - (kMax >> 1)))};
    return true;
  }

  // --- register forms; `i` is modrm & 7 ----------------------------------------------------------------------------------------------

  template <BinaryOp op, bool into_i, unsigned pops>
  TUXARIUM_X87_HOT static bool binary(Unit& u, unsigned i) {
    State& s = u.state();
    const unsigned a = s.top, b = physical(s, i);
    Result result;
    if (!full(s, a) || !full(s, b) || !rounds_to_nearest(s) || !binary_common<op>(s.registers[a], s.registers[b], kNearest, result)) return false;
    report(s, result.status);
    assign(s.registers[into_i ? b : a], result.value.significand, result.value.sign_exponent);
    if constexpr (pops != 0) pop(s);
    return true;
  }
  TUXARIUM_X87_HOT static bool fld(Unit& u, unsigned i) {
    State& s = u.state();
    const unsigned from = physical(s, i);
    return full(s, from) && push(s, s.registers[from].significand, s.registers[from].sign_exponent);
  }
  TUXARIUM_X87_HOT static bool fxch(Unit& u, unsigned i) {
    State& s = u.state();
    const unsigned other = physical(s, i);
    if (!full(s, s.top) || !full(s, other)) return false;
    report(s, 0);
    Float80 &a = s.registers[s.top], &b = s.registers[other];
    const std::uint64_t significand = a.significand;
    const std::uint16_t sign_exponent = a.sign_exponent;
    assign(a, b.significand, b.sign_exponent);
    assign(b, significand, sign_exponent);
    return true;
  }
  template <unsigned pops>
  TUXARIUM_X87_HOT static bool fst(Unit& u, unsigned i) {
    State& s = u.state();
    if (!full(s, s.top)) return false;
    const unsigned to = physical(s, i);
    report(s, 0);
    s.valid = static_cast<std::uint8_t>(s.valid | 1u << to);
    assign(s.registers[to], s.registers[s.top].significand, s.registers[s.top].sign_exponent);
    if constexpr (pops != 0) pop(s);
    return true;
  }
  template <unsigned clear, unsigned flip>
  TUXARIUM_X87_HOT static bool change_sign(Unit& u, unsigned) {
    State& s = u.state();
    if (!full(s, s.top)) return false;
    report(s, 0);
    std::uint16_t& word = s.registers[s.top].sign_exponent;
    word = static_cast<std::uint16_t>((word & ~clear) ^ flip);
    return true;
  }

  // --- memory forms; T: the operand's bits -------------------------------------------------------------------------------------------

  template <class T>
  TUXARIUM_X87_HOT static bool load(Unit& u, T bits) {
    Float80 value;
    return widen_common(bits, true, value) && push(u.state(), value.significand, value.sign_exponent);
  }
  template <class T>
  TUXARIUM_X87_HOT static bool load_integer(Unit& u, T bits) {
    const Float80 value = from_integer(static_cast<std::make_signed_t<T>>(bits));
    return push(u.state(), value.significand, value.sign_exponent);
  }
  template <BinaryOp op, class T>
  TUXARIUM_X87_HOT static bool binary_with(Unit& u, T bits) {
    State& s = u.state();
    Float80 operand;
    Result result;
    if (!full(s, s.top) || !rounds_to_nearest(s) || !widen_common(bits, false, operand) ||
        !binary_common<op>(s.registers[s.top], operand, kNearest, result)) {
      return false;
    }
    report(s, result.status);
    assign(s.registers[s.top], result.value.significand, result.value.sign_exponent);
    return true;
  }
  /// ST(0) as a single or double in `out`. The store is not done: commit_store() after it.
  template <class T>
  TUXARIUM_X87_HOT static bool stage(const Unit& u, ValueResult& out) {
    const State& s = u.state();
    return full(s, s.top) && rounds_to_nearest(s) && narrow_common<sizeof(T) == 4 ? 23 : 52, sizeof(T) == 4 ? 8 : 11>(s.registers[s.top], kNearest, out);
  }
  template <unsigned pops>
  TUXARIUM_X87_HOT static void commit_store(Unit& u, unsigned raised) {
    report(u.state(), raised);
    if constexpr (pops != 0) pop(u.state());
  }
};

}  // namespace tuxarium::cpu::x87
