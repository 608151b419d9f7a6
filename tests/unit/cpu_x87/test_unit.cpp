// What needs no host to compare with: decoding, images, stack faults, constants, decimals, exceptions, two-phase stores.
#include <doctest/doctest.h>

#include <cstring>

#include "base/state_visitor.hpp"
#include "cpu/x87/arithmetic_soft.hpp"
#include "cpu/x87/unit.hpp"

using namespace tuxarium;
using namespace tuxarium::cpu::x87;

using Soft = BasicUnit<SoftArithmetic>;

#define BOTH_UNITS(name) TEST_CASE_TEMPLATE(name, U, Unit, Soft)

namespace {

template <class U>
U ready() {
  U u;
  u.reset();
  u.fninit();
  return u;
}
std::uint64_t bits(double value) {
  std::uint64_t result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}
double number(std::uint64_t value) {
  double result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}
template <class U>
void push(U& u, double value) {
  U::load_handler(0xdd, 0)(u, bits(value));
}
template <class U>
void run(U& u, unsigned escape, unsigned modrm) {
  RegisterIo io;
  REQUIRE(u.execute_register(escape, modrm, io) == Outcome::ok);
}
template <class U>
double pop(U& u) {
  const StagedStore staged = U::store_handler(0xdd, 3)(u);
  u.commit_store(staged);
  return number(staged.bits);
}
template <class U>
std::uint64_t digest(U& u) {
  base::HashVisitor visitor;
  u.visit_state(visitor);
  return visitor.digest();
}

}  // namespace

BOTH_UNITS("reset and FNINIT") {
  U u;
  u.reset();
  CHECK(u.control_word() == 0x0040);
  CHECK(u.tag_word() == 0x5555);
  u.fninit();
  CHECK(u.control_word() == 0x037f);
  CHECK(u.status_word() == 0);
  CHECK(u.tag_word() == 0xffff);
}

BOTH_UNITS("which encodings exist") {
  unsigned valid = 0;
  for (unsigned escape = 0xd8; escape <= 0xdf; ++escape)
    for (unsigned modrm = 0xc0; modrm <= 0xff; ++modrm) valid += U::register_form(escape, modrm).valid ? 1 : 0;
  // D8 64; D9 8+8+1+8+4+7+16; DA 32+1; DB 32+5+16; DC 64; DD 48; DE 8+8+8+1+32; DF 32+1+16.
  CHECK(valid == 64 + 52 + 33 + 53 + 64 + 48 + 57 + 49);
  RegisterIo io;
  U u = ready<U>();
  for (const unsigned code : {0xd9d1u, 0xd9e2u, 0xd9efu, 0xdae8u, 0xdbe5u, 0xdbf8u, 0xddf0u, 0xded8u, 0xdfe1u, 0xdff8u})
    CHECK(u.execute_register(code >> 8, code & 0xff, io) == Outcome::invalid_opcode);
  CHECK(U::memory_form(0xd9, 1).kind == MemoryKind::invalid);
  CHECK(U::memory_form(0xdd, 1).bytes == 8);  // FISTTP
  CHECK(U::memory_form(0xdd, 6, false).bytes == 94);
  CHECK(U::memory_form(0xd9, 4, false).bytes == 14);
  CHECK(U::memory_form(0xdb, 5).bytes == 10);
}

BOTH_UNITS("handlers exist exactly for the forms they serve") {
  for (unsigned escape = 0xd8; escape <= 0xdf; ++escape) {
    for (unsigned reg = 0; reg < 8; ++reg) {
      const MemoryForm form = U::memory_form(escape, reg);
      const bool short_load = (form.kind == MemoryKind::load || form.kind == MemoryKind::load_control) && form.bytes <= 8;
      CHECK((U::load_handler(escape, reg) != nullptr) == short_load);
      CHECK((U::store_handler(escape, reg) != nullptr) == (form.kind == MemoryKind::store || form.kind == MemoryKind::store_control));
    }
  }
}

BOTH_UNITS("instructions that do not wait, and those that leave the pointers alone") {
  CHECK(!U::is_waiting(0xdb, 0xe2));  // FNCLEX
  CHECK(!U::is_waiting(0xdb, 0xe3));  // FNINIT
  CHECK(!U::is_waiting(0xdf, 0xe0));  // FNSTSW AX
  CHECK(!U::is_waiting(0xdd, 0x38));  // FNSTSW m16
  CHECK(!U::is_waiting(0xd9, 0x38));  // FNSTCW
  CHECK(!U::is_waiting(0xd9, 0x30));  // FNSTENV
  CHECK(!U::is_waiting(0xdd, 0x30));  // FNSAVE
  CHECK(U::is_waiting(0xd9, 0x28));   // FLDCW
  CHECK(U::is_waiting(0xd9, 0x20));   // FLDENV
  CHECK(U::is_waiting(0xd8, 0xc0));
  CHECK(U::is_waiting(0xd9, 0xf0));
  CHECK(U::is_waiting(0xdd, 0x18));
  CHECK(U::is_control(0xd9, 0x28));
  CHECK(!U::is_control(0xd9, 0x00));
  CHECK(U::register_form(0xda, 0xc0).reads_eflags);
  CHECK(U::register_form(0xdf, 0xf1).writes_eflags);
  CHECK(!U::register_form(0xdb, 0xe3).writes_eflags);
  CHECK(!U::register_form(0xd9, 0xc0).reads_eflags);
  CHECK(U::register_form(0xdf, 0xe0).writes_ax);
}

BOTH_UNITS("a small computation") {
  U u = ready<U>();
  push(u, 3.0);
  push(u, 4.0);
  run(u, 0xd8, 0xc8);  // FMUL ST, ST: 16
  run(u, 0xd9, 0xc9);  // FXCH
  run(u, 0xd8, 0xc8);  // 9
  run(u, 0xde, 0xc1);  // FADDP: 25
  run(u, 0xd9, 0xfa);  // FSQRT
  CHECK(pop(u) == 5.0);
  CHECK(u.tag_word() == 0xffff);
  CHECK((u.status_word() & 0x3f) == 0);
}

BOTH_UNITS("stack overflow and underflow") {
  U u = ready<U>();
  for (int i = 0; i < 8; ++i) push(u, i);
  CHECK((u.status_word() & 0xff) == 0);
  push(u, 8);
  CHECK((u.status_word() & 0x27f) == (0x241));  // IE, SF, C1
  CHECK(u.st(0) == kIndefinite);
  run(u, 0xdb, 0xe3);
  run(u, 0xd8, 0xc1);  // FADD on an empty stack
  CHECK((u.status_word() & 0x27f) == 0x041);
  CHECK(u.st(0) == kIndefinite);
}

BOTH_UNITS("unmasked exceptions wait for the next instruction and leave the operands") {
  U u = ready<U>();
  push(u, 1.0);
  push(u, 0.0);
  u.set_control_word(0x037b);  // ZE unmasked
  run(u, 0xde, 0xf9);          // FDIVP ST(1), ST
  CHECK(u.error_pending());
  CHECK((u.status_word() & 0x8084) == 0x8084);
  CHECK(u.st(0) == Float80{});
  CHECK(u.st(1) == kOne);
  run(u, 0xdb, 0xe2);  // FNCLEX
  CHECK(!u.error_pending());
  u.set_control_word(0x037f);
  run(u, 0xde, 0xf9);
  CHECK(u.st(0) == make_infinity(false));
  CHECK(!u.error_pending());
  u.set_control_word(0x037b);  // unmasking a set flag raises the summary
  CHECK(u.error_pending());
}

BOTH_UNITS("a store is invisible until it is committed, and suppressed by unmasked overflow") {
  U u = ready<U>();
  push(u, 1e300);
  const std::uint64_t before = digest(u);
  std::array<std::byte, 16> out{};
  StagedStore staged = u.prepare_store(0xd9, 3, out);  // FSTP m32
  CHECK(digest(u) == before);
  CHECK(staged.size == 4);
  CHECK(out[3] == std::byte{0x7f});
  CHECK(out[2] == std::byte{0x80});
  u.set_control_word(0x0377);  // OE unmasked
  staged = u.prepare_store(0xd9, 3, out);
  CHECK(staged.size == 0);
  u.commit_store(staged);
  CHECK(u.error_pending());
  CHECK(!u.st_empty(0));
}

BOTH_UNITS("constants follow rounding control") {
  struct Row {
    unsigned modrm;
    std::uint64_t nearest, down, up;
    std::uint16_t exponent;
  };
  constexpr Row kRows[] = {{0xe8, kIntegerBit, kIntegerBit, kIntegerBit, 0x3fff},
                           {0xe9, 0xd49a784bcd1b8afe, 0xd49a784bcd1b8afe, 0xd49a784bcd1b8aff, 0x4000},
                           {0xea, 0xb8aa3b295c17f0bc, 0xb8aa3b295c17f0bb, 0xb8aa3b295c17f0bc, 0x3fff},
                           {0xeb, 0xc90fdaa22168c235, 0xc90fdaa22168c234, 0xc90fdaa22168c235, 0x4000},
                           {0xec, 0x9a209a84fbcff799, 0x9a209a84fbcff798, 0x9a209a84fbcff799, 0x3ffd},
                           {0xed, 0xb17217f7d1cf79ac, 0xb17217f7d1cf79ab, 0xb17217f7d1cf79ac, 0x3ffe},
                           {0xee, 0, 0, 0, 0}};
  for (const Row& row : kRows) {
    for (unsigned rounding = 0; rounding < 4; ++rounding) {
      U u = ready<U>();
      u.set_control_word(static_cast<std::uint16_t>(0x037f | rounding << 10));
      run(u, 0xd9, row.modrm);
      CHECK(u.st(0) == Float80{rounding == 0 ? row.nearest : rounding == 2 ? row.up : row.down, row.exponent});
    }
  }
}

BOTH_UNITS("packed decimals") {
  U u = ready<U>();
  std::array<std::byte, 10> digits{std::byte{0x90}, std::byte{0x78}, std::byte{0x56}, std::byte{0x34}, std::byte{0x12},
                                   std::byte{0x90}, std::byte{0x78}, std::byte{0x56}, std::byte{0x34}, std::byte{0x80}};
  u.execute_load(0xdf, 4, digits);
  CHECK(u.st(0) == from_integer(-345678901234567890));
  std::array<std::byte, 10> out{};
  u.commit_store(u.prepare_store(0xdf, 6, out));
  CHECK(out == digits);
  push(u, 1e18);
  u.commit_store(u.prepare_store(0xdf, 6, out));
  CHECK(out[9] == std::byte{0xff});
  CHECK(out[7] == std::byte{0xc0});
  CHECK(out[6] == std::byte{0});
  CHECK((u.status_word() & 1) == 1);
  push(u, -0.25);
  u.commit_store(u.prepare_store(0xdf, 6, out));
  CHECK(out[9] == std::byte{0x80});
  CHECK(out[0] == std::byte{0});
}

BOTH_UNITS("FPREM in steps gives the exact remainder and the quotient's low bits") {
  U u = ready<U>();
  push(u, 7.0);
  push(u, 0x1p200);
  int steps = 0;
  do {
    run(u, 0xd9, 0xf8);
    REQUIRE(++steps < 20);
  } while ((u.status_word() & status::kC2) != 0);
  CHECK(steps > 1);
  CHECK(pop(u) == 4.0);  // 2^200 = 4 (mod 7), as 2^3 = 1 (mod 7)
  push(u, 29.0);         // 29 = 4 * 7 + 1
  run(u, 0xd9, 0xf8);
  CHECK((u.status_word() & (status::kC0 | status::kC1 | status::kC3)) == status::kC0);
  CHECK(pop(u) == 1.0);
  push(u, 27.0);  // nearest: 4 * 7 - 1
  run(u, 0xd9, 0xf5);
  CHECK(pop(u) == -1.0);
}

BOTH_UNITS("trigonometric functions report an operand out of range") {
  U u = ready<U>();
  push(u, 0x1p63);
  run(u, 0xd9, 0xfe);
  CHECK((u.status_word() & status::kC2) != 0);
  CHECK(pop(u) == 0x1p63);
  push(u, 1.0);
  run(u, 0xd9, 0xf2);  // FPTAN
  CHECK((u.status_word() & status::kC2) == 0);
  CHECK(pop(u) == 1.0);
  CHECK(pop(u) == doctest::Approx(1.5574077246549023));
}

BOTH_UNITS("environment images in four layouts") {
  U u = ready<U>();
  u.record_instruction(0x1234, 0x00056789, 0xd9, 0x42);
  u.record_operand(0xabcd, 0x000f4321);
  std::array<std::byte, 28> out{};
  const auto word = [&](std::size_t at) { return std::to_integer<unsigned>(out[at]) | std::to_integer<unsigned>(out[at + 1]) << 8; };
  const auto image = [&](bool wide, bool protected_mode) {
    out.fill(std::byte{0xee});
    return u.prepare_store(0xd9, 6, out, {wide, protected_mode}).size;
  };
  CHECK(image(true, true) == 28);
  CHECK(word(0) == 0x037f);
  CHECK(word(2) == 0xffff);
  CHECK(word(8) == 0xffff);
  CHECK(word(12) == 0x6789);
  CHECK(word(14) == 0x0005);
  CHECK(word(16) == 0x1234);
  CHECK(word(18) == 0x0142);
  CHECK(word(20) == 0x4321);
  CHECK(word(24) == 0xabcd);
  CHECK(image(false, true) == 14);
  CHECK(word(6) == 0x6789);
  CHECK(word(8) == 0x1234);
  CHECK(word(10) == 0x4321);
  CHECK(word(12) == 0xabcd);
  CHECK(out[14] == std::byte{0xee});
  CHECK(image(true, false) == 28);  // linear 0x12340 + 0x56789 = 0x68ac9
  CHECK(word(12) == 0x8ac9);
  CHECK(word(16) == (0x6142));
  CHECK(word(18) == 0x0000);
  CHECK(word(20) == 0xfff1);  // 0xabcd0 + 0xf4321 = 0x19fff1
  CHECK(word(24) == 0x9000);
  CHECK(word(26) == 0x0001);
  CHECK(image(false, false) == 14);
  CHECK(word(6) == 0x8ac9);
  CHECK(word(8) == 0x6142);
  CHECK(word(10) == 0xfff1);
  CHECK(word(12) == 0x9000);
}

BOTH_UNITS("FNSAVE then FRSTOR in every layout") {
  for (const bool wide : {false, true}) {
    for (const bool protected_mode : {false, true}) {
      U u = ready<U>();
      push(u, 1.5);
      push(u, -2.5);
      push(u, 0.0);
      u.set_control_word(0x0e7f);
      u.record_instruction(0, 0x4321, 0xdd, 0x45);
      u.record_operand(0, 0x8765);
      const std::uint64_t before = digest(u);
      std::array<std::byte, 108> out{};
      const EnvLayout layout{wide, protected_mode};
      const StagedStore staged = u.prepare_store(0xdd, 6, out, layout);
      CHECK(staged.size == (wide ? 108 : 94));
      u.commit_store(staged);
      CHECK(u.control_word() == 0x037f);
      CHECK(u.tag_word() == 0xffff);
      u.execute_load(0xdd, 4, std::span(out).first(staged.size), layout);
      // The narrow protected image has no opcode.
      if (!wide && protected_mode) u.state().last_opcode = 0x545;
      CHECK(digest(u) == before);
    }
  }
}

BOTH_UNITS("FNSTENV masks all exceptions when it is committed") {
  U u = ready<U>();
  u.set_control_word(0x0340);
  std::array<std::byte, 28> out{};
  const StagedStore staged = u.prepare_store(0xd9, 6, out);
  CHECK(u.control_word() == 0x0340);
  u.commit_store(staged);
  CHECK(u.control_word() == 0x037f);
  CHECK(out[0] == std::byte{0x40});
}

BOTH_UNITS("operands of a wrong length change nothing") {
  U u = ready<U>();
  const std::uint64_t before = digest(u);
  const std::array<std::byte, 128> bytes{};
  for (unsigned escape = 0xd8; escape <= 0xdf; ++escape)
    for (unsigned reg = 0; reg < 8; ++reg)
      for (const std::size_t length : {0u, 1u, 3u, 9u, 27u, 107u, 128u}) u.execute_load(escape, reg, std::span(bytes).first(length));
  CHECK(digest(u) == before);
}

BOTH_UNITS("the tag word tells zero, special and empty") {
  U u = ready<U>();
  push(u, 0.0);                          // R7
  push(u, 1.0);                          // R6
  push(u, number(0x7ff0000000000000u));  // R5
  CHECK(u.tag_word() == (1u << 14 | 0u << 12 | 2u << 10 | 0x3ff));
}

BOTH_UNITS("FNSTSW AX and FCMOV, FCOMI with EFLAGS") {
  U u = ready<U>();
  push(u, 2.0);
  push(u, 1.0);
  RegisterIo io;
  io.eflags = 0x8d5 | 0x200;
  CHECK(u.execute_register(0xdb, 0xf1, io) == Outcome::ok);  // FCOMI: 1 < 2
  CHECK(io.eflags == 0x201);
  CHECK(u.execute_register(0xda, 0xc1, io) == Outcome::ok);  // FCMOVB
  CHECK(u.st(0) == u.st(1));
  CHECK(u.execute_register(0xdf, 0xe0, io) == Outcome::ok);
  CHECK(io.ax == u.status_word());
}

BOTH_UNITS("a denormal is loaded also when it raises an unmasked exception; a signaling NaN is not") {
  U u = ready<U>();
  constexpr std::uint64_t kUnmaskInvalidAndDenormal = 0x037c;
  U::load_handler(0xd9, 5)(u, kUnmaskInvalidAndDenormal);
  push(u, number(1));
  CHECK((u.status_word() & status::kDenormal) != 0);
  CHECK(u.error_pending());
  CHECK(u.state().top == 7);
  push(u, number(0x7ff0000000000001u));
  CHECK((u.status_word() & status::kInvalid) != 0);
  CHECK(u.state().top == 7);
}

BOTH_UNITS("a comparison with an unmasked exception has a result and pops nothing") {
  constexpr std::uint64_t kUnmaskInvalid = 0x037e;
  constexpr unsigned kConditions = status::kC0 | status::kC2 | status::kC3;
  U u = ready<U>();
  push(u, number(0x7ff8000000000001u));
  U::load_handler(0xd9, 5)(u, kUnmaskInvalid);
  run(u, 0xd8, 0xd8);  // FCOMP ST(0)
  CHECK((u.status_word() & kConditions) == kConditions);
  CHECK(u.state().top == 7);
  RegisterIo io;
  io.eflags = 0x8d5 & ~0x45u;
  REQUIRE(u.execute_register(0xdf, 0xf0, io) == Outcome::ok);  // FCOMIP ST(0), ST(0)
  CHECK(io.eflags == 0x45);
  CHECK(u.state().top == 7);
  U empty = ready<U>();
  U::load_handler(0xd9, 5)(empty, kUnmaskInvalid);
  run(empty, 0xd9, 0xe4);  // FTST
  CHECK((empty.status_word() & kConditions) == kConditions);
}
