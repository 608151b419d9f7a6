// The two backends against each other: every pair of corner operands, every rounding and precision.
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "cpu/x87/arithmetic_native.hpp"
#include "cpu/x87/arithmetic_soft.hpp"
#include "cpu/x87/basic.hpp"
#include "operands.hpp"

using namespace tuxarium::cpu::x87;
using namespace tuxarium::tests;

#ifdef TUXARIUM_TEST_HOST_X87

namespace {

struct Count {
  std::uint64_t compared = 0;
  unsigned different = 0;
};

std::vector<std::uint16_t> controls(unsigned masks) {
  std::vector<std::uint16_t> words;
  for (unsigned rounding = 0; rounding < 4; ++rounding)
    for (const unsigned precision : {0u, 2u, 3u})
      words.push_back(static_cast<std::uint16_t>(0x40 | masks | precision << 8 | rounding << 10));
  return words;
}

constexpr unsigned kReported = 0x23f;  // the six exceptions and C1

bool same(const Result& a, const Result& b, std::uint16_t control) {
  if (((a.status ^ b.status) & kReported) != 0) return false;
  const bool stored = (a.status & ~control & status::kPreComputation) == 0;
  return !stored || a.value == b.value;
}

void check(Count& count, const Result& native, const Result& soft, const Float80& a, const Float80& b, std::uint16_t control) {
  ++count.compared;
  if (same(native, soft, control)) return;
  if (++count.different > 8) return;
  char text[320];
  std::snprintf(text, sizeof text, "cw %04x: %04x:%016llx, %04x:%016llx -> native %04x:%016llx %03x, soft %04x:%016llx %03x",
                unsigned{control}, unsigned{a.sign_exponent}, static_cast<unsigned long long>(a.significand), unsigned{b.sign_exponent},
                static_cast<unsigned long long>(b.significand), unsigned{native.value.sign_exponent},
                static_cast<unsigned long long>(native.value.significand), unsigned{native.status}, unsigned{soft.value.sign_exponent},
                static_cast<unsigned long long>(soft.value.significand), unsigned{soft.status});
  MESSAGE(text);
}

template <BinaryOp op>
void all_pairs(const char* name, unsigned masks) {
  const std::vector<Float80> values = corner_values();
  Count count;
  for (const std::uint16_t control : controls(masks)) {
    for (const Float80& a : values) {
      for (const Float80& b : values) {
        const Environment env{control, 0};
        const Result native = NativeArithmetic::binary<op>(a, b, env);
        check(count, native, SoftArithmetic::binary<op>(a, b, env), a, b, control);
        Result common;
        if (binary_common<op>(a, b, env, common)) check(count, native, common, a, b, control);
      }
    }
  }
  MESSAGE(std::string(name), ": ", count.compared, " results compared");
  CHECK(count.different == 0);
}

template <class Operation>
void all_values(Operation operation) {
  Count count;
  for (const unsigned masks : {0x3fu, 0x0fu, 0x00u})
    for (const std::uint16_t control : controls(masks))
      for (const Float80& value : corner_values()) operation(count, value, Environment{control, 0});
  CHECK(count.different == 0);
}

}  // namespace

TEST_CASE("corner pairs: addition") { all_pairs<BinaryOp::add>("add", 0x3f); }
TEST_CASE("corner pairs: subtraction") { all_pairs<BinaryOp::sub>("sub", 0x3f); }
TEST_CASE("corner pairs: reversed subtraction") { all_pairs<BinaryOp::sub_reversed>("sub_reversed", 0x3f); }
TEST_CASE("corner pairs: multiplication") { all_pairs<BinaryOp::mul>("mul", 0x3f); }
TEST_CASE("corner pairs: division") { all_pairs<BinaryOp::div>("div", 0x3f); }
TEST_CASE("corner pairs: reversed division") { all_pairs<BinaryOp::div_reversed>("div_reversed", 0x3f); }

TEST_CASE("corner pairs: unmasked overflow and underflow are scaled by 24576") {
  all_pairs<BinaryOp::mul>("mul", 0x27);
  all_pairs<BinaryOp::add>("add", 0x27);
}

TEST_CASE("corner values: square root and rounding to integer") {
  all_values([](Count& count, const Float80& value, Environment env) {
    check(count, NativeArithmetic::square_root(value, env), SoftArithmetic::square_root(value, env), value, value, env.control);
    check(count, NativeArithmetic::round_to_integer(value, env), SoftArithmetic::round_to_integer(value, env), value, value, env.control);
  });
}

TEST_CASE("corner values: to single and double") {
  all_values([](Count& count, const Float80& value, Environment env) {
    const auto compare_stores = [&](const ValueResult& native, const ValueResult& soft) {
      const unsigned kept = native.status & ~unsigned{env.control} & 0x1f;  // an unmasked exception other than PE: nothing is stored
      check(count, {{kept != 0 ? 0 : native.bits, 0}, native.status}, {{kept != 0 ? 0 : soft.bits, 0}, soft.status}, value, value,
            env.control);
    };
    compare_stores(NativeArithmetic::to_float<4>(value, env), SoftArithmetic::to_float<4>(value, env));
    compare_stores(NativeArithmetic::to_float<8>(value, env), SoftArithmetic::to_float<8>(value, env));
  });
}

TEST_CASE("corner pairs: scale and remainders") {
  const std::vector<Float80> values = corner_values();
  Count count;
  for (const std::uint16_t control : {std::uint16_t{0x037f}, std::uint16_t{0x0b7f}, std::uint16_t{0x0f7f}}) {
    const Environment env{control, 0};
    for (const Float80& a : values) {
      for (const Float80& b : values) {
        check(count, NativeArithmetic::scale(a, b, env), SoftArithmetic::scale(a, b, env), a, b, env.control);
        check(count, NativeArithmetic::remainder_truncating(a, b, env), SoftArithmetic::remainder_truncating(a, b, env), a, b, env.control);
        check(count, NativeArithmetic::remainder_nearest(a, b, env), SoftArithmetic::remainder_nearest(a, b, env), a, b, env.control);
      }
    }
  }
  MESSAGE(count.compared, " results compared");
  CHECK(count.different == 0);
}

TEST_CASE("stale exception flags of the host do not show") {
  const Environment env{0x037f, 0};
  const Float80 third = NativeArithmetic::binary<BinaryOp::div>(kOne, from_integer(3), env).value;
  CHECK((NativeArithmetic::binary<BinaryOp::mul>(third, third, env).status & 0x3f) == status::kPrecision);
  CHECK((NativeArithmetic::binary<BinaryOp::add>(kOne, kOne, env).status & 0x3f) == 0);
}

TEST_CASE("the host's control word is as before") {
  std::uint16_t before = 0, after = 0;
  asm volatile("fnstcw %0" : "=m"(before));
  NativeArithmetic::binary<BinaryOp::div>(kOne, make_zero(false), {0x0c40, 0});
  NativeArithmetic::sine_cosine(kOne, {0x0e7f, 0});
  asm volatile("fnstcw %0" : "=m"(after));
  CHECK(before == after);
}

#else

TEST_CASE("native arithmetic") { std::puts("skipped: the host has no x87 that this test can run"); }

#endif
