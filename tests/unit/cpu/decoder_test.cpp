// The decoder: prefixes, addressing forms, lengths; every row of the table; random bytes against Zydis where it is installed.
#include <doctest/doctest.h>

#include <cstdio>
#include <set>
#include <string>

#include "cpu/instruction.hpp"
#include "cpu_fixture.hpp"
#include "encoding.hpp"
#include "hex.hpp"

#ifdef TUXARIUM_TEST_ZYDIS
#include <Zydis/Zydis.h>
#endif

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

constexpr std::uint32_t kAllFeatures = ~0u;

Instruction decoded(std::initializer_list<std::uint8_t> bytes, bool code32 = true) {
  Instruction i;
  const std::vector<std::uint8_t> copy{bytes};
  REQUIRE(decode(copy, code32, kAllFeatures, i) == DecodeStatus::ok);
  CHECK(i.length == bytes.size());
  return i;
}

/// An instruction that the processor model `full` executes without #UD. `bytes` is run in flat 32-bit or 16-bit protected mode.
bool is_known(const std::vector<std::uint8_t>& bytes, bool code32) {
  Bench b;
  if (code32) {
    b.flat();
  } else {
    b.protected16();
  }
  b.change([&](CpuState& s) {
    s.gpr[kEbx] = kData;
    s.gpr[kEdi] = 0x100;
    if (code32) s.gpr[kEdi] = kData;
    s.sysenter_cs = kCode0;
    s.cr4 |= kCr4Osfxsr;
  });
  b.put(kCode, bytes);
  b.poke<std::uint8_t>(kStubs + kInvalidOpcode * 16, 0xf4);
  b.step(1);
  const bool undefined = b.cpu.exceptions() != 0 && b.eip() == kStubs + kInvalidOpcode * 16 && b.selector(kCs) == kCode0;
  return !undefined;
}

}  // namespace

TEST_CASE("prefixes") {
  Instruction i = decoded({0x66, 0x67, 0x64, 0xf3, 0xa5});
  CHECK(i.operand_size == 2);
  CHECK(i.address_size == 2);
  CHECK(i.segment == kFs);
  CHECK(i.repeat == Repeat::rep);
  i = decoded({0x66, 0x67, 0xb8, 1, 2, 3, 4}, false);
  CHECK(i.operand_size == 4);
  CHECK(i.immediate == 0x04030201);
  i = decoded({0x3e, 0x65, 0x8b, 0x45, 0x00});  // the last segment prefix counts
  CHECK(i.segment == kGs);
  i = decoded({0xf2, 0xf3, 0xae});
  CHECK(i.repeat == Repeat::rep);
}

TEST_CASE("32-bit addressing forms") {
  Instruction i = decoded({0x8b, 0x05, 1, 2, 3, 4});
  CHECK(i.base == 8);
  CHECK(i.segment == kDs);
  CHECK(i.displacement == 0x04030201);
  i = decoded({0x8b, 0x45, 0x80});
  CHECK(i.base == kEbp);
  CHECK(i.segment == kSs);
  CHECK(i.displacement == 0xffffff80u);
  i = decoded({0x8b, 0x84, 0xb4, 1, 0, 0, 0});
  CHECK(i.base == kEsp);
  CHECK(i.index == kEsi);
  CHECK(i.scale == 2);
  CHECK(i.segment == kSs);
  i = decoded({0x8b, 0x04, 0x25, 1, 0, 0, 0});
  CHECK(i.base == 8);
  CHECK(i.index == 8);
  CHECK(i.segment == kDs);
  i = decoded({0x8b, 0x44, 0xc5, 0x00});
  CHECK(i.base == kEbp);
  CHECK(i.index == kEax);
  CHECK(i.segment == kSs);
}

TEST_CASE("16-bit addressing forms") {
  constexpr unsigned kBase[] = {kEbx, kEbx, kEbp, kEbp, kEsi, kEdi, kEbp, kEbx}, kIndex[] = {kEsi, kEdi, kEsi, kEdi, 8, 8, 8, 8};
  for (unsigned rm = 0; rm < 8; ++rm) {
    const Instruction i = decoded({0x8b, static_cast<std::uint8_t>(0x40 | rm), 0xfe}, false);
    CHECK(i.base == kBase[rm]);
    CHECK(i.index == kIndex[rm]);
    CHECK(i.segment == (kBase[rm] == kEbp ? kSs : kDs));
    CHECK(i.displacement == 0xfffffffeu);
  }
  const Instruction i = decoded({0x8b, 0x06, 0x34, 0x12}, false);
  CHECK(i.base == 8);
  CHECK(i.displacement == 0x1234);
  CHECK(i.segment == kDs);
}

TEST_CASE("truncated, too long, invalid") {
  Instruction i;
  const std::vector<std::uint8_t> cut{0xb8, 1, 2, 3};
  CHECK(decode(cut, true, kAllFeatures, i) == DecodeStatus::truncated);
  CHECK(decode(std::vector<std::uint8_t>{}, true, kAllFeatures, i) == DecodeStatus::truncated);
  CHECK(decode(std::vector<std::uint8_t>(16, 0x66), true, kAllFeatures, i) == DecodeStatus::too_long);
  CHECK(decode(std::vector<std::uint8_t>{0x0f, 0xff}, true, kAllFeatures, i) == DecodeStatus::invalid);
  CHECK(decode(std::vector<std::uint8_t>{0x0f, 0xc7, 0x0b}, true, feature_bit(Feature::base), i) == DecodeStatus::invalid);
}

TEST_CASE("every row of the table has a handler in 16- and 32-bit code") {
  Random random{1};
  unsigned rows = 0, encodings = 0;
  for (const InstructionRow& row : instruction_table().subspan(1)) {
    if (row.mnemonic == Mnemonic::ud1 || row.mnemonic == Mnemonic::ud2) continue;
    ++rows;
    for (const bool code32 : {false, true}) {
      for (const unsigned size : {2u, 4u}) {
        for (const bool memory : {false, true}) {
          if (memory ? !has_modrm(row) || row.form == RmForm::reg : row.form == RmForm::mem) continue;
          if (row.mnemonic == Mnemonic::x87) continue;  // its own tests
          Shape shape;
          shape.code32 = code32;
          shape.operand_size = size;
          shape.memory = memory;
          const std::vector<std::uint8_t> bytes = encode(row, shape, random);
          Instruction i;
          std::vector<std::uint8_t> padded = bytes;
          padded.resize(16);
          CAPTURE(row.name);
          CAPTURE(int{row.opcode});
          CAPTURE(code32);
          CAPTURE(size);
          CAPTURE(memory);
          REQUIRE(decode(padded, code32, kAllFeatures, i) == DecodeStatus::ok);
          // MOV to and from control and debug registers has no memory form: ModRM is always a register there.
          const bool always_register = row.operand[0] == Operand::Rd || row.operand[1] == Operand::Rd;
          CHECK(i.length == bytes.size() - (always_register && memory ? 1 : 0));
          CHECK(i.row->mnemonic == row.mnemonic);
          CHECK(is_known(bytes, code32));
          ++encodings;
        }
      }
    }
  }
  MESSAGE(rows << " rows, " << encodings << " encodings");
  CHECK(rows > 300);
}

#ifdef TUXARIUM_TEST_ZYDIS

namespace {

/// What Zydis calls invalid is another processor's, or is refused later: x87 encodings by the unit, segment, control and debug registers
/// that do not exist when the handler is picked; the hint space 0F 18-1F holds MPX for Zydis.
bool refused_elsewhere(const Instruction& i) {
  switch (i.mnemonic()) {
    case Mnemonic::x87: case Mnemonic::nop: case Mnemonic::mov_to_seg: case Mnemonic::mov_from_seg: case Mnemonic::mov_to_cr:
    case Mnemonic::mov_from_cr: case Mnemonic::mov_to_dr: case Mnemonic::mov_from_dr: return true;
    default: return false;
  }
}

}  // namespace

TEST_CASE("length and validity of random bytes agree with Zydis") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  Random random{seed};
  ZydisDecoder decoder[2];
  ZydisDecoderInit(&decoder[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
  ZydisDecoderInit(&decoder[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
  unsigned different = 0, compared = 0;
  std::set<std::string> shown;
  for (unsigned n = 0; n < 400'000; ++n) {
    std::uint8_t bytes[16];
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
    if (n % 3 == 0) bytes[0] = 0x0f;
    if (n % 7 == 0) {
      static constexpr std::uint8_t kPrefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
      bytes[0] = kPrefixes[random() % std::size(kPrefixes)];
    }
    const bool code32 = (random() & 1) != 0;
    Instruction i;
    const bool ours = decode(bytes, code32, kAllFeatures, i) == DecodeStatus::ok;
    ZydisDecodedInstruction z;
    const bool theirs = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder[code32 ? 1 : 0], nullptr, bytes, sizeof bytes, &z));
    if (!ours) continue;  // later processors have more instructions; what the table lacks is #UD
    if (!theirs && refused_elsewhere(i)) continue;
    if (theirs && ++compared != 0 && i.length == z.length) continue;
    const std::string key = std::string{i.row->name} + (theirs ? " length" : " invalid for Zydis");
    if (!shown.insert(key).second) continue;
    ++different;
    MESSAGE(key << ": " << hex(bytes) << (code32 ? " 32-bit" : " 16-bit") << ", ours " << int{i.length} << ", Zydis " << (theirs ? int{z.length} : 0));
  }
  MESSAGE(compared << " instructions compared");
  CHECK(compared > 100'000);
  CHECK(different == 0);
}

#else

TEST_CASE("length and validity of random bytes agree with Zydis") { std::printf("skipped: Zydis is not installed\n"); }

#endif
