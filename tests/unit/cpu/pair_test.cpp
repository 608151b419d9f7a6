// Instructions that run two in one step leave what they leave one at a time: registers, flags, memory, and the place of a fault.
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <vector>

#include "cpu_fixture.hpp"

namespace tuxarium::tests {
namespace {

using Code = std::vector<std::uint8_t>;

/// EBX and ESI point to data and keep their values.
unsigned target(std::mt19937_64& random) {
  constexpr unsigned kTargets[] = {kEax, kEcx, kEdx, kEdi, kEbp};
  return kTargets[random() % std::size(kTargets)];
}

void append_word(Code& code, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) code.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// [EBX or ESI + a small displacement], the register as base or as index.
void append_memory(Code& code, unsigned reg, std::mt19937_64& random) {
  if (random() % 3 == 0) {
    code.push_back(static_cast<std::uint8_t>(0x04 | reg << 3));
    code.push_back(static_cast<std::uint8_t>((random() % 2 == 0 ? kEbx : kEsi) << 3 | 5));
    return append_word(code, static_cast<std::uint32_t>(random() % 32));
  }
  code.push_back(static_cast<std::uint8_t>(0x40 | reg << 3 | (random() % 2 == 0 ? kEbx : kEsi)));
  code.push_back(static_cast<std::uint8_t>(random() % 32));
}

void append_instruction(Code& code, std::mt19937_64& random) {
  constexpr std::uint8_t kTwoRegisters[] = {0x89, 0x8b, 0x01, 0x03, 0x29, 0x2b, 0x31, 0x33, 0x21, 0x23, 0x09, 0x0b};
  constexpr unsigned kAluImmediates[] = {0, 4}, kShifts[] = {0, 1, 4, 5};
  const unsigned a = target(random), b = target(random);
  switch (random() % 10) {
    case 0:
    case 1:
    case 2:
      code.push_back(kTwoRegisters[random() % std::size(kTwoRegisters)]);
      code.push_back(static_cast<std::uint8_t>(0xc0 | a << 3 | b));
      break;
    case 3:
      code.push_back(random() % 2 == 0 ? 0x81 : 0x83);
      code.push_back(static_cast<std::uint8_t>(0xc0 | kAluImmediates[random() % 2] << 3 | a));
      if (code[code.size() - 2] == 0x81) append_word(code, static_cast<std::uint32_t>(random()));
      else code.push_back(static_cast<std::uint8_t>(random()));
      break;
    case 4:
      code.push_back(0xc1);
      code.push_back(static_cast<std::uint8_t>(0xc0 | kShifts[random() % 4] << 3 | a));
      code.push_back(static_cast<std::uint8_t>(random() % 40));
      break;
    case 5:
      code.push_back(random() % 2 == 0 ? 0x8b : 0x89);
      append_memory(code, a, random);
      break;
    case 6:
      code.push_back(0x0f);
      code.push_back(random() % 2 == 0 ? 0xb6 : 0xb7);
      append_memory(code, a, random);
      break;
    case 7: {  // INC, DEC, PUSH, POP of a register
      constexpr unsigned kOneByte[] = {0x40, 0x48, 0x50, 0x58};
      code.push_back(static_cast<std::uint8_t>(kOneByte[random() % 4] + a));
      break;
    }
    case 8:  // DEC of memory or of a register, and a jump over INC EDX
      if (random() % 2 == 0) {
        code.push_back(0xff);
        append_memory(code, 1, random);
      } else {
        code.push_back(static_cast<std::uint8_t>(0x48 + a));
      }
      for (const unsigned byte : {0x70u + static_cast<unsigned>(random() % 16), 1u, 0x42u}) code.push_back(static_cast<std::uint8_t>(byte));
      break;
    default:  // LEA a, [b + a * 4 + 8]
      for (const unsigned byte : {0x8du, 0x44u | a << 3, 0x80u | a << 3 | b, 8u}) code.push_back(static_cast<std::uint8_t>(byte));
      break;
  }
}

/// Where the processors differ, or -1: registers, EIP, EFLAGS, data, stack.
int difference(const Bench& a, const Bench& b) {
  for (unsigned n = 0; n < 8; ++n) {
    if (a.reg(n) != b.reg(n)) return static_cast<int>(n);
  }
  if (a.eip() != b.eip()) return 8;
  if (a.eflags() != b.eflags()) return 9;
  const auto same = [&](std::uint32_t from, std::uint32_t count) { return std::equal(a.ram.data() + from, a.ram.data() + from + count, b.ram.data() + from); };
  if (!same(kData, 0x2000)) return 10;
  return same(0x8000, 0x1000) ? -1 : 11;
}

/// Random programs of 24 instructions, whole and step by step. `data`: where EBX points.
void compare_runs(std::uint32_t data, bool second_page_absent) {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  Bench pairs, single;
  for (Bench* bench : {&pairs, &single}) {
    bench->flat();
    bench->enable_paging();
    if (second_page_absent) bench->map(kData + 0x1000, 0);
  }
  for (int round = 0; round < 3000; ++round) {
    Code code;
    for (int n = 0; n < 24; ++n) append_instruction(code, random);
    code.push_back(0xf4);
    std::uint32_t registers[8];
    for (std::uint32_t& value : registers) value = static_cast<std::uint32_t>(random());
    registers[kEsp] = 0x9000;
    registers[kEbx] = data;
    registers[kEsi] = kData + 0x100;
    const auto flags = static_cast<std::uint32_t>(random()) & kArithmeticFlags;
    for (Bench* bench : {&pairs, &single}) {
      bench->put(kCode, code);
      bench->go(kCode);
      bench->change([&](CpuState& s) { std::copy_n(registers, 8, s.gpr.begin()); });
      bench->set_flags(flags);
    }
    pairs.cpu.run(1000, false);
    for (int step = 0; step < 100 && single.state().halted == 0; ++step) single.step();
    CAPTURE(round);
    REQUIRE(pairs.state().halted == 1);
    REQUIRE(single.state().halted == 1);
    REQUIRE(difference(pairs, single) == -1);
  }
}

}  // namespace

TEST_CASE("two instructions in one step leave the same as one after the other") { compare_runs(kData, false); }

TEST_CASE("also where operands cross into another page") { compare_runs(kData + 0xff0, false); }

TEST_CASE("a fault of either instruction of a step leaves what the one before it left") { compare_runs(kData + 0xff0, true); }

}  // namespace tuxarium::tests
