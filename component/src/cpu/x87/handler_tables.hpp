// Which encoding is which instruction: Intel SDM vol. 2, appendix A, tables, and the undocumented aliases of the P6.
#pragma once

#include <array>

#include "cpu/x87/operations.hpp"

namespace tuxarium::cpu::x87 {

template <class A>
struct HandlerTables {
  using Ops = Operations<A>;
  using Unit = BasicUnit<A>;
  using RegisterTable = std::array<typename Unit::RegisterHandler, 512>;
  using LoadTable = std::array<typename Unit::LoadHandler, 64>;
  using StoreTable = std::array<typename Unit::StoreHandler, 64>;

  static constexpr unsigned slot(unsigned escape, unsigned reg) { return (escape & 7u) * 8 + (reg & 7u); }

  /// Index: (escape & 7) * 64 + (modrm & 0x3f).
  static constexpr RegisterTable make_registers() {
    RegisterTable table{};
    // The same instruction for all eight ST(i), with the modrm byte of i = 0.
    const auto row = [&table](unsigned escape, unsigned modrm, typename Unit::RegisterHandler handler) {
      for (unsigned i = 0; i < 8; ++i) table[(escape & 7u) * 64 + (modrm & 0x3fu) + i] = handler;
    };
    const auto one = [&table](unsigned escape, unsigned modrm, typename Unit::RegisterHandler handler) {
      table[(escape & 7u) * 64 + (modrm & 0x3fu)] = handler;
    };
    using enum BinaryOp;

    row(0xd8, 0xc0, Ops::template binary<add, false, 0>);
    row(0xd8, 0xc8, Ops::template binary<mul, false, 0>);
    row(0xd8, 0xd0, Ops::template compare_register<false, 0>);
    row(0xd8, 0xd8, Ops::template compare_register<false, 1>);
    row(0xd8, 0xe0, Ops::template binary<sub, false, 0>);
    row(0xd8, 0xe8, Ops::template binary<sub_reversed, false, 0>);
    row(0xd8, 0xf0, Ops::template binary<div, false, 0>);
    row(0xd8, 0xf8, Ops::template binary<div_reversed, false, 0>);

    row(0xd9, 0xc0, Ops::fld_register);
    row(0xd9, 0xc8, Ops::fxch);
    one(0xd9, 0xd0, Ops::nothing);
    row(0xd9, 0xd8, Ops::fstp_unchecked);
    one(0xd9, 0xe0, Ops::template change_sign<0, 0x8000>);
    one(0xd9, 0xe1, Ops::template change_sign<0x8000, 0>);
    one(0xd9, 0xe4, Ops::ftst);
    one(0xd9, 0xe5, Ops::fxam);
    one(0xd9, 0xe8, Ops::template fld_constant<Constant::one>);
    one(0xd9, 0xe9, Ops::template fld_constant<Constant::log2_10>);
    one(0xd9, 0xea, Ops::template fld_constant<Constant::log2_e>);
    one(0xd9, 0xeb, Ops::template fld_constant<Constant::pi>);
    one(0xd9, 0xec, Ops::template fld_constant<Constant::log10_2>);
    one(0xd9, 0xed, Ops::template fld_constant<Constant::ln_2>);
    one(0xd9, 0xee, Ops::template fld_constant<Constant::zero>);
    one(0xd9, 0xf0, Ops::template unary<A::exp2_minus_1>);
    one(0xd9, 0xf1, Ops::template with_st1<A::log2_times, 1>);
    one(0xd9, 0xf2, Ops::template pair<A::tangent, true>);
    one(0xd9, 0xf3, Ops::template with_st1<A::arctangent, 1>);
    one(0xd9, 0xf4, Ops::template pair<A::extract, false>);
    one(0xd9, 0xf5, Ops::template remainder<A::remainder_nearest>);
    one(0xd9, 0xf6, Ops::template rotate<7>);
    one(0xd9, 0xf7, Ops::template rotate<1>);
    one(0xd9, 0xf8, Ops::template remainder<A::remainder_truncating>);
    one(0xd9, 0xf9, Ops::template with_st1<A::log2_plus_1_times, 1>);
    one(0xd9, 0xfa, Ops::template unary<A::square_root>);
    one(0xd9, 0xfb, Ops::template pair<A::sine_cosine, true>);
    one(0xd9, 0xfc, Ops::template unary<A::round_to_integer>);
    one(0xd9, 0xfd, Ops::template with_st1<A::scale, 0>);
    one(0xd9, 0xfe, Ops::template trigonometric<A::sine>);
    one(0xd9, 0xff, Ops::template trigonometric<A::cosine>);

    row(0xda, 0xc0, Ops::template fcmov<0, false>);
    row(0xda, 0xc8, Ops::template fcmov<1, false>);
    row(0xda, 0xd0, Ops::template fcmov<2, false>);
    row(0xda, 0xd8, Ops::template fcmov<3, false>);
    one(0xda, 0xe9, Ops::template compare_register<true, 2>);

    row(0xdb, 0xc0, Ops::template fcmov<0, true>);
    row(0xdb, 0xc8, Ops::template fcmov<1, true>);
    row(0xdb, 0xd0, Ops::template fcmov<2, true>);
    row(0xdb, 0xd8, Ops::template fcmov<3, true>);
    one(0xdb, 0xe0, Ops::nothing);  // FENI of the 8087
    one(0xdb, 0xe1, Ops::nothing);  // FDISI of the 8087
    one(0xdb, 0xe2, Ops::fnclex);
    one(0xdb, 0xe3, Ops::fninit);
    one(0xdb, 0xe4, Ops::nothing);  // FSETPM of the 80287
    row(0xdb, 0xe8, Ops::template compare_eflags<true, 0>);
    row(0xdb, 0xf0, Ops::template compare_eflags<false, 0>);

    row(0xdc, 0xc0, Ops::template binary<add, true, 0>);
    row(0xdc, 0xc8, Ops::template binary<mul, true, 0>);
    row(0xdc, 0xd0, Ops::template compare_register<false, 0>);  // alias of FCOM
    row(0xdc, 0xd8, Ops::template compare_register<false, 1>);  // alias of FCOMP
    row(0xdc, 0xe0, Ops::template binary<sub, true, 0>);
    row(0xdc, 0xe8, Ops::template binary<sub_reversed, true, 0>);
    row(0xdc, 0xf0, Ops::template binary<div, true, 0>);
    row(0xdc, 0xf8, Ops::template binary<div_reversed, true, 0>);

    row(0xdd, 0xc0, Ops::template ffree<0>);
    row(0xdd, 0xc8, Ops::fxch);  // alias
    row(0xdd, 0xd0, Ops::template fst_register<0>);
    row(0xdd, 0xd8, Ops::template fst_register<1>);
    row(0xdd, 0xe0, Ops::template compare_register<true, 0>);
    row(0xdd, 0xe8, Ops::template compare_register<true, 1>);

    row(0xde, 0xc0, Ops::template binary<add, true, 1>);
    row(0xde, 0xc8, Ops::template binary<mul, true, 1>);
    row(0xde, 0xd0, Ops::template compare_register<false, 1>);  // alias of FCOMP
    one(0xde, 0xd9, Ops::template compare_register<false, 2>);
    row(0xde, 0xe0, Ops::template binary<sub, true, 1>);
    row(0xde, 0xe8, Ops::template binary<sub_reversed, true, 1>);
    row(0xde, 0xf0, Ops::template binary<div, true, 1>);
    row(0xde, 0xf8, Ops::template binary<div_reversed, true, 1>);

    row(0xdf, 0xc0, Ops::template ffree<1>);         // FFREEP
    row(0xdf, 0xc8, Ops::fxch);                      // alias
    row(0xdf, 0xd0, Ops::template fst_register<1>);  // alias of FSTP
    row(0xdf, 0xd8, Ops::template fst_register<1>);  // alias of FSTP
    one(0xdf, 0xe0, Ops::fnstsw_ax);
    row(0xdf, 0xe8, Ops::template compare_eflags<true, 1>);
    row(0xdf, 0xf0, Ops::template compare_eflags<false, 1>);
    return table;
  }

  static constexpr LoadTable make_loads() {
    LoadTable table{};
    using enum BinaryOp;
    using Int16 = std::int16_t;
    using Int32 = std::int32_t;
    table[slot(0xd8, 0)] = Ops::template binary_f32<add>;
    table[slot(0xd8, 1)] = Ops::template binary_f32<mul>;
    table[slot(0xd8, 2)] = Ops::template compare_f32<0>;
    table[slot(0xd8, 3)] = Ops::template compare_f32<1>;
    table[slot(0xd8, 4)] = Ops::template binary_f32<sub>;
    table[slot(0xd8, 5)] = Ops::template binary_f32<sub_reversed>;
    table[slot(0xd8, 6)] = Ops::template binary_f32<div>;
    table[slot(0xd8, 7)] = Ops::template binary_f32<div_reversed>;
    table[slot(0xd9, 0)] = Ops::fld_f32;
    table[slot(0xd9, 5)] = Ops::fldcw;
    table[slot(0xda, 0)] = Ops::template binary_integer<add, Int32>;
    table[slot(0xda, 1)] = Ops::template binary_integer<mul, Int32>;
    table[slot(0xda, 2)] = Ops::template compare_integer<Int32, 0>;
    table[slot(0xda, 3)] = Ops::template compare_integer<Int32, 1>;
    table[slot(0xda, 4)] = Ops::template binary_integer<sub, Int32>;
    table[slot(0xda, 5)] = Ops::template binary_integer<sub_reversed, Int32>;
    table[slot(0xda, 6)] = Ops::template binary_integer<div, Int32>;
    table[slot(0xda, 7)] = Ops::template binary_integer<div_reversed, Int32>;
    table[slot(0xdb, 0)] = Ops::template fild<Int32>;
    table[slot(0xdc, 0)] = Ops::template binary_f64<add>;
    table[slot(0xdc, 1)] = Ops::template binary_f64<mul>;
    table[slot(0xdc, 2)] = Ops::template compare_f64<0>;
    table[slot(0xdc, 3)] = Ops::template compare_f64<1>;
    table[slot(0xdc, 4)] = Ops::template binary_f64<sub>;
    table[slot(0xdc, 5)] = Ops::template binary_f64<sub_reversed>;
    table[slot(0xdc, 6)] = Ops::template binary_f64<div>;
    table[slot(0xdc, 7)] = Ops::template binary_f64<div_reversed>;
    table[slot(0xdd, 0)] = Ops::fld_f64;
    table[slot(0xde, 0)] = Ops::template binary_integer<add, Int16>;
    table[slot(0xde, 1)] = Ops::template binary_integer<mul, Int16>;
    table[slot(0xde, 2)] = Ops::template compare_integer<Int16, 0>;
    table[slot(0xde, 3)] = Ops::template compare_integer<Int16, 1>;
    table[slot(0xde, 4)] = Ops::template binary_integer<sub, Int16>;
    table[slot(0xde, 5)] = Ops::template binary_integer<sub_reversed, Int16>;
    table[slot(0xde, 6)] = Ops::template binary_integer<div, Int16>;
    table[slot(0xde, 7)] = Ops::template binary_integer<div_reversed, Int16>;
    table[slot(0xdf, 0)] = Ops::template fild<Int16>;
    table[slot(0xdf, 5)] = Ops::template fild<std::int64_t>;
    return table;
  }

  static constexpr StoreTable make_stores() {
    StoreTable table{};
    table[slot(0xd9, 2)] = Ops::template fst<4, 0>;
    table[slot(0xd9, 3)] = Ops::template fst<4, 1>;
    table[slot(0xd9, 7)] = Ops::fnstcw;
    table[slot(0xdb, 1)] = Ops::template fisttp<4>;
    table[slot(0xdb, 2)] = Ops::template fist<4, 0>;
    table[slot(0xdb, 3)] = Ops::template fist<4, 1>;
    table[slot(0xdb, 7)] = Ops::fstp_f80;
    table[slot(0xdd, 1)] = Ops::template fisttp<8>;
    table[slot(0xdd, 2)] = Ops::template fst<8, 0>;
    table[slot(0xdd, 3)] = Ops::template fst<8, 1>;
    table[slot(0xdd, 7)] = Ops::fnstsw;
    table[slot(0xdf, 1)] = Ops::template fisttp<2>;
    table[slot(0xdf, 2)] = Ops::template fist<2, 0>;
    table[slot(0xdf, 3)] = Ops::template fist<2, 1>;
    table[slot(0xdf, 6)] = Ops::fbstp;
    table[slot(0xdf, 7)] = Ops::template fist<8, 1>;
    return table;
  }

  static constexpr RegisterTable kRegisters = make_registers();
  static constexpr LoadTable kLoads = make_loads();
  static constexpr StoreTable kStores = make_stores();
};

}  // namespace tuxarium::cpu::x87
