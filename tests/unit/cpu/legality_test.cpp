// What an instruction may look like, row by row of the table: LOCK, repeated and conflicting prefixes, length, operand and address size.
// Intel SDM volume 2, section 2.1 and the pages of the instructions.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"
#include "encoding.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

constexpr std::uint32_t kAllFeatures = ~0u;

using Bytes = std::vector<std::uint8_t>;

DecodeStatus status_of(const Bytes& bytes, bool code32 = true) {
  Instruction i;
  return decode(bytes, code32, kAllFeatures, i);
}

Bytes with_prefix(std::uint8_t prefix, Bytes bytes) {
  bytes.insert(bytes.begin(), prefix);
  return bytes;
}

/// The instructions that LOCK may stand before, SDM volume 2, "LOCK": with a memory destination.
bool may_be_locked(Mnemonic m) {
  switch (m) {
    case Mnemonic::add: case Mnemonic::adc: case Mnemonic::and_: case Mnemonic::btc: case Mnemonic::btr: case Mnemonic::bts: case Mnemonic::cmpxchg:
    case Mnemonic::cmpxchg8b: case Mnemonic::dec: case Mnemonic::inc: case Mnemonic::neg: case Mnemonic::not_: case Mnemonic::or_: case Mnemonic::sbb:
    case Mnemonic::sub: case Mnemonic::xor_: case Mnemonic::xadd: case Mnemonic::xchg: return true;
    default: return false;
  }
}

bool memory_destination(const InstructionRow& row) {
  using enum Operand;
  const Operand o = row.operand[0];
  return o == Eb || o == Ev || (row.mnemonic == Mnemonic::cmpxchg8b && o == M);
}

/// A row's encodings in register and memory form, as far as it has them.
template <class Visit>
void each_form(const InstructionRow& row, Visit visit) {
  Random random{test_seed()};
  for (const bool memory : {false, true}) {
    if ((memory && row.form == RmForm::reg) || (!memory && row.form == RmForm::mem)) continue;
    if (memory && !has_modrm(row)) continue;
    Shape shape;
    shape.memory = memory;
    visit(encode(row, shape, random), memory);
  }
}

}  // namespace

TEST_CASE("LOCK: every row, register and memory form") {
  unsigned legal = 0, illegal = 0;
  for (const InstructionRow& row : instruction_table().subspan(1)) {
    each_form(row, [&](const Bytes& bytes, bool memory) {
      CAPTURE(std::string{row.name});
      CAPTURE(memory);
      if (status_of(bytes) != DecodeStatus::ok) return;
      const bool expected = memory && may_be_locked(row.mnemonic) && memory_destination(row);
      CHECK(status_of(with_prefix(0xf0, bytes)) == (expected ? DecodeStatus::ok : DecodeStatus::invalid));
      ++(expected ? legal : illegal);
    });
  }
  CHECK(legal > 30);
  CHECK(illegal > 600);
}

TEST_CASE("LOCK is looked at by the processor too: #UD, and the instruction has not run") {
  for (const auto& bytes : {std::initializer_list<unsigned>{0xf0, 0x40}, {0xf0, 0x01, 0xc0}, {0xf0, 0x03, 0x03}, {0xf0, 0x39, 0x03}, {0xf0, 0x90}, {0xf0, 0xa5}, {0xf0, 0x0f, 0xa3, 0x03}}) {
    Bench b;
    b.flat();
    b.set(kEbx, kData);
    b.code(bytes);
    const CpuState before = b.state();
    const Trap t = b.trap();
    CHECK(t.vector == kInvalidOpcode);
    CHECK(t.eip == kCode);
    CHECK(b.reg(kEax) == before.gpr[kEax]);
  }
}

TEST_CASE("each prefix may be repeated up to 15 bytes in all, whatever the row") {
  for (const InstructionRow& row : instruction_table().subspan(1)) {
    each_form(row, [&](const Bytes& bytes, bool) {
      CAPTURE(std::string{row.name});
      Instruction i;
      if (decode(bytes, true, kAllFeatures, i) != DecodeStatus::ok) return;
      for (const std::uint8_t prefix : std::initializer_list<std::uint8_t>{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}) {
        Bytes longer{bytes.begin(), bytes.begin() + i.length};
        while (longer.size() < 15) longer.insert(longer.begin(), prefix);
        CHECK(status_of(longer) == DecodeStatus::ok);
        longer.insert(longer.begin(), prefix);
        CHECK(status_of(longer) == DecodeStatus::too_long);
      }
    });
  }
}

TEST_CASE("of two prefixes of a group the last counts; 66 and 67 twice are 66 and 67") {
  Bench b;
  const auto run = [&b](std::initializer_list<unsigned> bytes) {
    b.flat();
    b.change([&](CpuState& s) {
      s.gpr[kEax] = 0;
      s.gpr[kEbx] = kData;
      s.gpr[kEcx] = 3;
      s.gpr[kEsi] = s.gpr[kEdi] = kData;
      s.segment[kFs].base = 0x10;
      s.segment[kGs].base = 0x20;
    });
    b.poke<std::uint32_t>(kData, 0xa0a0a0a0u);
    b.poke<std::uint32_t>(kData + 0x10, 0xb0b0b0b0u);
    b.poke<std::uint32_t>(kData + 0x20, 0xc0c0c0c0u);
    b.code(bytes);
    b.run();
  };
  run({0x64, 0x65, 0x8b, 0x03});
  CHECK(b.reg(kEax) == 0xc0c0c0c0u);
  run({0x65, 0x64, 0x8b, 0x03});
  CHECK(b.reg(kEax) == 0xb0b0b0b0u);
  run({0x64, 0x3e, 0x8b, 0x03});
  CHECK(b.reg(kEax) == 0xa0a0a0a0u);
  run({0x66, 0x66, 0x8b, 0x03});
  CHECK(b.reg(kEax) == 0xa0a0);
  run({0xf3, 0xf2, 0xae});  // REPNE SCASB: AL = 0 is not found
  CHECK(b.reg(kEcx) == 0);
  run({0xf2, 0xf3, 0xae});  // REPE SCASB: stops at once
  CHECK(b.reg(kEcx) == 2);
}

TEST_CASE("REP before instructions that do not repeat changes nothing") {
  for (const unsigned prefix : {0xf2u, 0xf3u}) {
    Bench b;
    b.flat();
    b.set(kEcx, 0);
    b.code({prefix, 0x40, prefix, 0x01, 0xc0, prefix, 0xc3});
    b.poke<std::uint32_t>(0x9000, kCode + 7);
    b.set(kEax, 1);
    CHECK(b.run() == Exit::halted);
    CHECK(b.reg(kEax) == 4);
    CHECK(b.reg(kEsp) == 0x9004);
    CHECK(b.reg(kEcx) == 0);
  }
}

TEST_CASE("mandatory prefixes: F2 and F3 go before 66, and the last of the two counts") {
  Instruction i;
  const auto mnemonic = [&i](Bytes bytes) {
    CHECK(decode(bytes, true, kAllFeatures, i) == DecodeStatus::ok);
    return i.mnemonic();
  };
  CHECK(mnemonic({0x0f, 0x58, 0xc1}) == Mnemonic::addps);
  CHECK(mnemonic({0x66, 0x0f, 0x58, 0xc1}) == Mnemonic::addpd);
  CHECK(mnemonic({0xf3, 0x66, 0x0f, 0x58, 0xc1}) == Mnemonic::addss);
  CHECK(mnemonic({0x66, 0xf2, 0x0f, 0x58, 0xc1}) == Mnemonic::addsd);
  CHECK(mnemonic({0xf2, 0xf3, 0x0f, 0x58, 0xc1}) == Mnemonic::addss);
  CHECK(mnemonic({0xf3, 0xf2, 0x0f, 0x58, 0xc1}) == Mnemonic::addsd);
}

TEST_CASE("operand and address size: every row has one length by both prefixes in both kinds of code") {
  // In 32-bit code 66 means what no prefix means in 16-bit code, and the other way round; the same for 67.
  for (const InstructionRow& row : instruction_table().subspan(1)) {
    if (row.prefix != MandatoryPrefix::any) continue;
    each_form(row, [&](const Bytes& plain, bool) {
      CAPTURE(std::string{row.name});
      Bytes long_enough = plain;
      long_enough.resize(12, 0);
      Bytes prefixed = with_prefix(0x67, with_prefix(0x66, long_enough));
      Instruction in16, in32;
      const DecodeStatus first = decode(long_enough, false, kAllFeatures, in16), second = decode(prefixed, true, kAllFeatures, in32);
      CHECK(first == second);
      if (first != DecodeStatus::ok || second != DecodeStatus::ok) return;
      CHECK(in32.length == in16.length + 2);
      CHECK(in32.operand_size == in16.operand_size);
      CHECK(in32.address_size == in16.address_size);
      CHECK(in32.displacement == in16.displacement);
      CHECK(in32.immediate == in16.immediate);
      CHECK(in32.base == in16.base);
      CHECK(in32.index == in16.index);
    });
  }
}

TEST_CASE("invalid rows of groups, and register forms of memory operands") {
  const Bytes kInvalid[] = {{0x8f, 0xc8}, {0xc6, 0xc8}, {0xc7, 0x48}, {0xfe, 0xd0}, {0xff, 0xf8}, {0xff, 0xd8}, {0xff, 0xe8}, {0x8d, 0xc0}, {0x62, 0xc0},
                            {0xc4, 0xc0}, {0xc5, 0xc0}, {0x0f, 0xb2, 0xc0}, {0x0f, 0xb4, 0xc0}, {0x0f, 0xb5, 0xc0}, {0x0f, 0x00, 0xf0}, {0x0f, 0x01, 0xc0},
                            {0x0f, 0x01, 0xd0}, {0x0f, 0x01, 0xe8}, {0x0f, 0x01, 0xf8}, {0x0f, 0xba, 0xc0}, {0x0f, 0xc7, 0xc8}, {0x0f, 0xc7, 0x00},
                            {0x0f, 0x04}, {0x0f, 0x05}, {0x0f, 0x07}, {0x0f, 0x0a}, {0x0f, 0x24}, {0x0f, 0x26}, {0x0f, 0x36}, {0x0f, 0xa6}, {0x0f, 0xa7}, {0x0f, 0xaa}};
  for (Bytes bytes : kInvalid) {
    CAPTURE(static_cast<unsigned>(bytes[0]));
    CAPTURE(static_cast<unsigned>(bytes[1]));
    bytes.resize(10, 0);
    CHECK(status_of(bytes) == DecodeStatus::invalid);
    CHECK(status_of(bytes, false) == DecodeStatus::invalid);
  }
}

TEST_CASE("the end of 16-bit code: the next instruction is beyond the limit, a branch wraps") {
  Bench b;
  SUBCASE("straight on") {
    b.real_mode();
    b.put(0x20000 + 0xfffe, {0x40, 0x40});
    b.go(0xfffe);
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK((b.reg(kEax) & 0xffff) == 2);
  }
  SUBCASE("a conditional jump that is not taken") {
    b.real_mode();
    b.put(0x20000 + 0xfffc, {0x31, 0xc0, 0x75, 0x00});
    b.go(0xfffc);
    CHECK(b.trap().vector == kGeneralProtection);
  }
  SUBCASE("an instruction across it") {
    b.real_mode();
    b.put(0x20000 + 0xfffe, {0xb8, 1, 2});
    b.go(0xfffe);
    CHECK(b.trap().vector == kGeneralProtection);
  }
  SUBCASE("a jump forward") {
    b.real_mode();
    b.put(0x20000 + 0xfffe, {0xeb, 0x10});
    b.put(0x20000 + 0x10, {0xf4});
    b.go(0xfffe);
    CHECK(b.run() == Exit::halted);
    CHECK(b.eip() == 0x11);
  }
  SUBCASE("CALL pushes 0") {
    b.real_mode();
    b.put(0x20000 + 0xfffd, {0xe8, 0x10, 0x00});
    b.put(0x20000 + 0x10, {0xf4});
    b.go(0xfffd);
    CHECK(b.run() == Exit::halted);
    CHECK(b.peek_as<std::uint16_t>(0x8ffe) == 0);
  }
}
