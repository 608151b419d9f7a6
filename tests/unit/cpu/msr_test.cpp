// Model-specific registers: which are there, what they take. Intel SDM volume 4, chapter 2.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

/// WRMSR; true unless it faulted.
bool write(Bench& b, std::uint32_t number, std::uint64_t value) {
  b.flat();
  b.change([&](CpuState& s) {
    s.gpr[kEcx] = number;
    s.gpr[kEax] = static_cast<std::uint32_t>(value);
    s.gpr[kEdx] = static_cast<std::uint32_t>(value >> 32);
  });
  b.code({0x0f, 0x30});
  const Trap t = b.trap(20);
  if (t.vector >= 0) {
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0);
  }
  return t.vector < 0;
}

bool read(Bench& b, std::uint32_t number, std::uint64_t& value) {
  b.go(kCode);
  b.set(kEcx, number);
  b.code({0x0f, 0x32});
  const Trap t = b.trap(20);
  value = std::uint64_t{b.reg(kEdx)} << 32 | b.reg(kEax);
  return t.vector < 0;
}

/// Writes and reads back; WRMSR on a bench of its own would be lost with flat().
bool keeps(std::uint32_t number, std::uint64_t value, Model model = Model::full) {
  Bench b{model};
  std::uint64_t got = ~value;
  return write(b, number, value) && read(b, number, got) && got == value;
}
bool refuses(std::uint32_t number, std::uint64_t value, Model model = Model::full) {
  Bench b{model};
  return !write(b, number, value);
}
bool readable(std::uint32_t number, Model model = Model::full) {
  Bench b{model};
  b.flat();
  std::uint64_t value = 0;
  return read(b, number, value);
}
std::uint64_t value_of(std::uint32_t number) {
  Bench b;
  b.flat();
  std::uint64_t value = 0;
  CHECK(read(b, number, value));
  return value;
}

}  // namespace

TEST_CASE("PAT") {
  CHECK(value_of(0x277) == 0x0007040600070406u);
  CHECK(keeps(0x277, 0x0007010600070406u));
  for (const unsigned type : {2u, 3u, 8u, 0x16u, 0xffu}) {
    for (unsigned byte = 0; byte < 8; ++byte) CHECK(refuses(0x277, std::uint64_t{type} << (8 * byte)));
  }
}

TEST_CASE("MTRRs") {
  CHECK(value_of(0xfe) == 0x508);
  CHECK(refuses(0xfe, 0x508));
  CHECK(keeps(0x2ff, 0xc06));
  CHECK(refuses(0x2ff, 0xc02));
  CHECK(refuses(0x2ff, 0xd06));
  CHECK(refuses(0x2ff, std::uint64_t{1} << 32));
  for (const std::uint32_t fixed : {0x250u, 0x258u, 0x259u, 0x268u, 0x26fu}) {
    CHECK(keeps(fixed, 0x0605040100060606u));
    CHECK(refuses(fixed, 0x0700000000000000u));
    CHECK(refuses(fixed, 0x2));
  }
  CHECK_FALSE(readable(0x251));
  CHECK_FALSE(readable(0x25a));
  CHECK_FALSE(readable(0x270));
  for (unsigned pair = 0; pair < 8; ++pair) {
    const std::uint32_t base = 0x200 + 2 * pair, mask = base + 1;
    CHECK(keeps(base, 0xfe0000006u));
    CHECK(refuses(base, 0xfe0000007u));
    CHECK(refuses(base, 0xfe0000106u));
    CHECK(refuses(base, std::uint64_t{1} << 36));
    CHECK(keeps(mask, 0xfe0000800u));
    CHECK(refuses(mask, 0x400));
    CHECK(refuses(mask, std::uint64_t{1} << 36));
  }
  CHECK_FALSE(readable(0x210));
}

TEST_CASE("machine checks: no banks") {
  CHECK(value_of(0x179) == 0);
  CHECK(refuses(0x179, 0));
  CHECK(keeps(0x17a, 5));
  CHECK(refuses(0x17a, 8));
  CHECK_FALSE(readable(0x17b));
  CHECK_FALSE(readable(0x400));
  CHECK(readable(0x00));
  CHECK(readable(0x01));
}

TEST_CASE("what is read-only, absent or takes few values") {
  CHECK(value_of(0x17) == 0);
  CHECK(refuses(0x17, 0));
  CHECK(value_of(0x8b) == 0);
  CHECK_FALSE(refuses(0x8b, 0));
  CHECK(keeps(0x1a0, 0x1801));
  CHECK(refuses(0x1a0, std::uint64_t{1} << 34));
  CHECK(keeps(0x1d9, 0));
  CHECK(keeps(0x1d9, 0x7f));
  CHECK(refuses(0x1d9, 0x80));
  for (const std::uint32_t last_branch : {0x1dbu, 0x1dcu, 0x1ddu, 0x1deu}) {
    CHECK(readable(last_branch));
    CHECK(refuses(last_branch, 0));
    CHECK_FALSE(readable(last_branch, Model::pentium));
  }
  CHECK_FALSE(readable(0x1da));
  CHECK_FALSE(readable(0x1df));
  CHECK_FALSE(readable(0x1b));  // no local APIC
  CHECK_FALSE(readable(0xc0000080u));
}

TEST_CASE("SYSENTER's registers and the time-stamp counter") {
  CHECK(keeps(0x174, 0x60));
  CHECK(keeps(0x175, 0x12345678));
  CHECK(keeps(0x176, 0xc0001000u));
  CHECK(keeps(0x10, 0x123456789abcu));
}

TEST_CASE("a Pentium has few of them") {
  CHECK(readable(0x00, Model::pentium));
  CHECK(readable(0x10, Model::pentium));
  for (const std::uint32_t number : {0x17u, 0x8bu, 0xc1u, 0xfeu, 0x174u, 0x179u, 0x186u, 0x1a0u, 0x1d9u, 0x200u, 0x250u, 0x277u, 0x2ffu}) {
    CAPTURE(number);
    CHECK_FALSE(readable(number, Model::pentium));
    CHECK(refuses(number, 0, Model::pentium));
  }
  CHECK(readable(0x277, Model::i686));
  CHECK_FALSE(readable(0x1a0, Model::i686));
}

TEST_CASE("RDMSR and WRMSR are for level 0") {
  for (const unsigned opcode : {0x32u, 0x30u}) {
    Bench b;
    b.flat(3);
    b.set(kEcx, 0x10);
    b.code({0x0f, opcode});
    CHECK(b.trap().vector == kGeneralProtection);
  }
}
