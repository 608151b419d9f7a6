// Segment registers, limits, gates and privilege. Intel SDM volume 3A, chapters 3 and 5.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

/// MOV segment, AX.
Trap load_into(Bench& b, unsigned segment, std::uint16_t selector) {
  b.set(kEax, selector);
  b.code({0x8e, 0xc0 | segment << 3});
  return b.trap();
}

}  // namespace

TEST_CASE("loading a data segment") {
  Bench b;
  b.flat();
  SUBCASE("a null selector loads, its use faults") {
    CHECK(load_into(b, kDs, 0x0003).vector == -1);
    CHECK(b.selector(kDs) == 3);
    b.go(kCode);
    b.code({0xa1, 0, 0, 0, 0});
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0);
  }
  SUBCASE("outside the GDT") {
    const Trap t = load_into(b, kDs, 0x103);
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0x100);
  }
  SUBCASE("LDT selector without an LDT") {
    const Trap t = load_into(b, kEs, 0x0c);
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0x0c);
  }
  SUBCASE("not present") {
    b.gdt(kFreeEntry, descriptor(0, 0xffff, 0x13, 0));
    const Trap t = load_into(b, kEs, kFreeEntry);
    CHECK(t.vector == kSegmentNotPresent);
    CHECK(t.error == kFreeEntry);
  }
  SUBCASE("execute-only code") {
    b.gdt(kFreeEntry, descriptor(0, 0xffff, 0x99, 0));
    CHECK(load_into(b, kEs, kFreeEntry).vector == kGeneralProtection);
  }
  SUBCASE("a system descriptor") { CHECK(load_into(b, kEs, kTss).vector == kGeneralProtection); }
  SUBCASE("RPL above DPL") { CHECK(load_into(b, kEs, kData0 | 3).vector == kGeneralProtection); }
  SUBCASE("conforming code at any level") {
    b.gdt(kFreeEntry, descriptor(0, 0xffff, 0x9e, 0));
    CHECK(load_into(b, kFs, kFreeEntry | 3).vector == -1);
    CHECK((b.peek(kGdt + kFreeEntry + 4) & kAccessAccessed) != 0);
  }
  SUBCASE("SS: null, wrong level, read-only, not present") {
    CHECK(load_into(b, kSs, 0).error == 0);
    b.flat();
    Trap t = load_into(b, kSs, kData3);
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == (kData3 & 0xfffc));
    b.flat();
    b.gdt(kFreeEntry, descriptor(0, 0xffff, 0x91, 0));
    CHECK(load_into(b, kSs, kFreeEntry).vector == kGeneralProtection);
    b.flat();
    b.gdt(kFreeEntry, descriptor(0, 0xffff, 0x13, 0));
    t = load_into(b, kSs, kFreeEntry);
    CHECK(t.vector == kStackFault);
    CHECK(t.error == kFreeEntry);
  }
  SUBCASE("MOV to CS is undefined") { CHECK(load_into(b, kCs, kCode0).vector == kInvalidOpcode); }
  SUBCASE("segment registers 6 and 7 do not exist") {
    CHECK(load_into(b, 6, kData0).vector == kInvalidOpcode);
    b.flat();
    b.code({0x8c, 0xf8});
    CHECK(b.trap().vector == kInvalidOpcode);
  }
}

TEST_CASE("limit checks") {
  struct Probe {
    unsigned access, flags;
    std::uint32_t limit, offset;
    bool write, ok;
  };
  constexpr Probe kProbes[] = {
      {0x93, 4, 0xfff, 0xffc, true, true},      {0x93, 4, 0xfff, 0xffd, true, false},    {0x93, 4, 0xfff, 0xfffffffe, false, false},
      {0x91, 4, 0xfff, 0, false, true},         {0x91, 4, 0xfff, 0, true, false},        {0x9b, 4, 0xfff, 0, false, true},
      {0x9b, 4, 0xfff, 0, true, false},         {0x97, 4, 0xfff, 0x1000, true, true},    {0x97, 4, 0xfff, 0xfff, true, false},
      {0x97, 4, 0xfff, 0xfffffffd, true, false},{0x97, 0, 0xfff, 0xfffc, false, true},   {0x97, 0, 0xfff, 0xfffd, false, false},
      {0x97, 0, 0xfff, 0x10000, false, false},  {0x93, 8 | 4, 1, 0x1ffc, true, true},    {0x93, 8 | 4, 1, 0x1ffd, true, false},
  };
  for (const Probe& p : kProbes) {
    Bench b;
    b.flat();
    b.gdt(kFreeEntry, descriptor(kData, p.limit, p.access, p.flags));
    b.change([&](CpuState& s) {
      s.segment[kEs] = b.load(kFreeEntry);
      s.gpr[kEbx] = p.offset;
    });
    b.code({0x26, p.write ? 0x89u : 0x8bu, 0x03});
    const Trap t = b.trap();
    CAPTURE(p.access);
    CAPTURE(p.limit);
    CAPTURE(p.offset);
    CHECK(t.vector == (p.ok ? -1 : int{kGeneralProtection}));
    CHECK(t.error == 0);
  }
}

TEST_CASE("code beyond the limit of CS") {
  Bench b;
  b.flat();
  b.gdt(kFreeEntry, descriptor(kCode, 0x1f, kCodeAccess, kBig));
  const auto at = [&](std::uint32_t eip) {
    b.flat();
    b.gdt(kFreeEntry, descriptor(kCode, 0x1f, kCodeAccess, kBig));
    b.change([&](CpuState& s) {
      s.segment[kCs] = b.load(kFreeEntry);
      s.eip = eip;
    });
  };
  at(0x1e);
  b.put(kCode + 0x1e, {0x90, 0x90, 0x90});
  Trap t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.eip == 0x20);
  at(0x1e);
  b.put(kCode + 0x1e, {0xb8, 1, 0, 0, 0});  // reaches over the limit
  t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.eip == 0x1e);
  at(0);
  b.put(kCode, {0xeb, 0x70});
  t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.eip == 0);
  at(0);
  b.put(kCode, {0xe8, 0x70, 0, 0, 0});
  t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.eip == 0);
  CHECK(b.reg(kEsp) == 0x9000 - 16);  // the call pushed nothing
}

TEST_CASE("an interrupt gate changes to the stack of the TSS, IRET goes back and clears what level 3 may not see") {
  Bench b;
  b.flat(3);
  b.change([&](CpuState& s) { s.segment[kFs] = b.load(kData0); });
  b.set_flags(kIf | kCf);
  b.put(kStubs + 0x800, {0xcf});  // vector 0x80: iret
  b.code({0xcd, 0x80});
  b.step(1);
  CHECK(b.state().cpl == 0);
  CHECK(b.selector(kSs) == kData0);
  CHECK(b.reg(kEsp) == 0xa000 - 20);
  CHECK(b.peek(0xa000 - 4) == kData3);
  CHECK(b.peek(0xa000 - 8) == 0xb000);
  CHECK(b.peek(0xa000 - 12) == (kIf | kCf | 2));
  CHECK(b.peek(0xa000 - 16) == kCode3);
  CHECK(b.peek(0xa000 - 20) == kCode + 2);
  CHECK((b.eflags() & kIf) == 0);
  b.step(1);
  CHECK(b.state().cpl == 3);
  CHECK(b.eip() == kCode + 2);
  CHECK(b.reg(kEsp) == 0xb000);
  CHECK((b.eflags() & kIf) != 0);
  CHECK(b.selector(kFs) == 0);
  CHECK(b.state().segment[kFs].valid == 0);
  CHECK(b.selector(kDs) == kData3);
}

TEST_CASE("a software interrupt checks the gate's DPL, an exception does not") {
  Bench b;
  b.flat(3);
  b.code({0xcd, 0x21});
  Trap t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.error == 0x21 * 8 + 2);
  CHECK(t.eip == kCode);
  CHECK(t.esp == 0xb000);
  b.flat(3);
  b.code({0x0f, 0x0b});
  t = b.trap();
  CHECK(t.vector == kInvalidOpcode);
  CHECK(t.cs == kCode3);
}

TEST_CASE("gates that cannot be used") {
  Bench b;
  b.flat();
  b.code({0xcd, 0x40});
  SUBCASE("not present") {
    b.idt(0x40, gate(kCode0, kStubs, 0x0e));
    const Trap t = b.trap();
    CHECK(t.vector == kSegmentNotPresent);
    CHECK(t.error == 0x40 * 8 + 2);
  }
  SUBCASE("wrong type") {
    b.idt(0x40, gate(kCode0, kStubs, 0x8c));
    CHECK(b.trap().error == 0x40 * 8 + 2);
  }
  SUBCASE("null code selector") {
    b.idt(0x40, gate(0, kStubs, 0x8e));
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0);
  }
  SUBCASE("data segment as target") {
    b.idt(0x40, gate(kData0, kStubs, 0x8e));
    CHECK(b.trap().error == kData0);
  }
  SUBCASE("16-bit gate pushes words") {
    b.idt(0x40, gate(kCode0, kStubs + 0x400, 0x86));
    CHECK(b.trap().vector == 0x40);
    CHECK(b.reg(kEsp) == 0x9000 - 6);
    CHECK(b.peek_as<std::uint16_t>(0x9000 - 6) == ((kCode + 2) & 0xffff));
  }
}

TEST_CASE("inner stack faults name the stack") {
  Bench b;
  b.flat(3);
  b.code({0xcd, 0x80});
  SUBCASE("null SS0") {
    // The delivery of #TS needs the same stack: the double fault does, too.
    b.poke<std::uint32_t>(kTssBase + 8, 0);
    CHECK(b.run() == Exit::shut_down);
  }
  SUBCASE("SS0 of the wrong level, handler of #TS through a task gate's absence: shut-down") {
    b.poke<std::uint32_t>(kTssBase + 8, kData3);
    CHECK(b.run() == Exit::shut_down);
  }
  SUBCASE("#TS with a conforming handler stays on level 3") {
    b.poke<std::uint32_t>(kTssBase + 8, kData3);
    b.gdt(kFreeEntry, descriptor(0, 0xfffff, 0x9f, kBig | kPages));
    b.idt(kInvalidTss, gate(kFreeEntry, kCode + 0x100, 0x8e));
    b.put(kCode + 0x100, {0x58, 0xeb, 0xfe});  // pop eax; loop
    b.step(10);
    CHECK(b.reg(kEax) == (kData3 & 0xfffcu));
    CHECK(b.state().cpl == 3);
  }
}

TEST_CASE("call gate to level 0 copies its parameters, RETF goes back and releases them on both stacks") {
  Bench b;
  b.flat(3);
  b.gdt(kFreeEntry, gate(kCode0, kCode + 0x100, 0xec, 2));
  b.put(kCode + 0x100, {0xca, 0x08, 0x00});  // retf 8
  b.poke(0xaff8, 0x11111111u);
  b.poke(0xaffc, 0x22222222u);
  b.set(kEsp, 0xaff8);
  b.code({0x9a, 0, 0, 0, 0, kFreeEntry | 3, 0});
  b.step();
  CHECK(b.state().cpl == 0);
  CHECK(b.selector(kCs) == kCode0);
  CHECK(b.eip() == kCode + 0x100);
  CHECK(b.reg(kEsp) == 0xa000 - 24);
  CHECK(b.peek(0xa000 - 24) == kCode + 7);
  CHECK(b.peek(0xa000 - 20) == kCode3);
  CHECK(b.peek(0xa000 - 16) == 0x11111111u);
  CHECK(b.peek(0xa000 - 12) == 0x22222222u);
  CHECK(b.peek(0xa000 - 8) == 0xaff8);
  CHECK(b.peek(0xa000 - 4) == kData3);
  b.step();
  CHECK(b.state().cpl == 3);
  CHECK(b.eip() == kCode + 7);
  CHECK(b.reg(kEsp) == 0xb000);
  b.flat(3);
  b.gdt(kFreeEntry, gate(kCode0, kCode + 0x100, 0x8c));  // DPL 0
  b.code({0x9a, 0, 0, 0, 0, kFreeEntry | 3, 0});
  const Trap t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.error == kFreeEntry);
}

TEST_CASE("far jumps and calls check level and presence") {
  Bench b;
  b.flat(3);
  b.code({0xea, 0, 0, 0, 0, kCode0, 0});
  CHECK(b.trap().error == kCode0);
  b.flat();
  b.code({0xea, 0, 0, 0, 0, 0, 0});
  CHECK(b.trap().error == 0);
  b.flat();
  b.gdt(kFreeEntry, descriptor(0, 0xffff, 0x1b, kBig));
  b.code({0xea, 0, 0, 0, 0, kFreeEntry, 0});
  Trap t = b.trap();
  CHECK(t.vector == kSegmentNotPresent);
  CHECK(t.error == kFreeEntry);
  b.flat();
  b.gdt(kFreeEntry, descriptor(0, 0xff, kCodeAccess, kBig));
  b.code({0x9a, 0, 1, 0, 0, kFreeEntry, 0});
  t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.error == 0);
  CHECK(t.eip == kCode);
}

TEST_CASE("RETF to an inner level and to a bad stack") {
  Bench b;
  b.flat(3);
  b.poke(0xaff8, kCode);
  b.poke<std::uint32_t>(0xaffc, kCode0);
  b.set(kEsp, 0xaff8);
  b.code({0xcb});
  Trap t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.error == kCode0);
  CHECK(t.esp == 0xaff8);
  b.flat(0);
  b.poke(0x8ff0, kCode);
  b.poke<std::uint32_t>(0x8ff4, kCode3);
  b.poke(0x8ff8, 0xb000u);
  b.poke<std::uint32_t>(0x8ffc, kData0);
  b.set(kEsp, 0x8ff0);
  b.code({0xcb});
  t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.error == kData0);
}

TEST_CASE("LAR, LSL, VERR, VERW, ARPL") {
  Bench b;
  b.flat();
  b.gdt(kFreeEntry, descriptor(0x1234, 0x5, 0x91, kPages));
  b.set(kEax, kFreeEntry);
  b.code({0x0f, 0x02, 0xc8, 0x0f, 0x03, 0xd0, 0x0f, 0x00, 0xe0, 0x0f, 0x94, 0xc3, 0x0f, 0x00, 0xe8, 0x0f, 0x94, 0xc7});
  b.run();
  CHECK(b.reg(kEcx) == 0x00809100u);
  CHECK(b.reg(kEdx) == 0x5fff);
  CHECK((b.reg(kEbx) & 0xffff) == 0x0001);
  b.flat();
  b.set(kEax, 0x1f8 | 4);
  b.set(kEcx, 77);
  b.set_flags(kZf);
  b.code({0x0f, 0x02, 0xc8});
  b.run();
  CHECK(b.reg(kEcx) == 77);
  CHECK((b.eflags() & kZf) == 0);
  b.flat();
  b.set(kEax, 0x10);
  b.set(kEcx, 0x0b);
  b.code({0x63, 0xc8});
  b.run();
  CHECK(b.reg(kEax) == 0x13);
  CHECK((b.eflags() & kZf) != 0);
}

TEST_CASE("SGDT, SIDT, LGDT, LIDT, SLDT, STR, SMSW, LMSW") {
  Bench b;
  b.flat();
  b.code({0x0f, 0x01, 0x05, 0, 0, 3, 0, 0x0f, 0x01, 0x0d, 8, 0, 3, 0, 0x0f, 0x00, 0xc8, 0x0f, 0x01, 0xe3});
  b.run();
  CHECK(b.peek_as<std::uint16_t>(kData) == 0xff);
  CHECK(b.peek(kData + 2) == kGdt);
  CHECK(b.peek_as<std::uint16_t>(kData + 8) == 0x7ff);
  CHECK(b.peek(kData + 10) == kIdt);
  CHECK(b.reg(kEax) == kTss);
  CHECK((b.reg(kEbx) & 0xffff) == (b.state().cr0 & 0xffff));
  b.flat();
  b.poke<std::uint16_t>(kData, 0x77);
  b.poke<std::uint32_t>(kData + 2, 0xab001000u);
  b.code({0x66, 0x0f, 0x01, 0x15, 0, 0, 3, 0});  // 16-bit operand: 24 bits of base
  b.run();
  CHECK(b.state().gdtr.base == 0x1000);
  CHECK(b.state().gdtr.limit == 0x77);
  b.flat();
  b.set(kEax, 0);
  b.code({0x0f, 0x01, 0xf0});
  b.run();
  CHECK((b.state().cr0 & kCr0Pe) != 0);
  for (const auto& bytes : {std::initializer_list<unsigned>{0x0f, 0x01, 0x15, 0, 0, 3, 0}, {0x0f, 0x01, 0xf0}, {0x0f, 0x00, 0xd0}, {0x0f, 0x00, 0xd8},
                            {0x0f, 0x22, 0xc0}, {0x0f, 0x20, 0xc0}, {0xf4}, {0x0f, 0x06}, {0x0f, 0x08}, {0x0f, 0x32}, {0x0f, 0x30}, {0x0f, 0x21, 0xc0}, {0x0f, 0x01, 0x38}}) {
    b.flat(3);
    b.code(bytes);
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.eip == kCode);
  }
}

TEST_CASE("LTR marks the TSS busy and refuses a busy one, LLDT") {
  Bench b;
  b.flat();
  b.gdt(kFreeEntry, descriptor(0x6000, 0x67, kTssAccess, 0));
  b.set(kEax, kFreeEntry);
  b.code({0x0f, 0x00, 0xd8, 0x0f, 0x00, 0xd8});
  const Trap t = b.trap();
  CHECK(b.state().tr.selector == kFreeEntry);
  CHECK((b.peek(kGdt + kFreeEntry + 4) & 0x200) != 0);
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.error == kFreeEntry);
  b.flat();
  b.gdt(kFreeEntry, descriptor(kLdtBase, 0x1f, kLdtAccess, 0));
  b.poke(kLdtBase + 8, descriptor(kData, 0xff, kDataAccess, kBig));
  b.set(kEax, kFreeEntry);
  b.set(kEcx, 0x0c);
  b.code({0x0f, 0x00, 0xd0, 0x8e, 0xc1});
  CHECK(b.run() == Exit::halted);
  CHECK(b.state().segment[kEs].base == kData);
}

TEST_CASE("SYSENTER and SYSEXIT") {
  Bench b;
  b.flat(3);
  b.change([](CpuState& s) {
    s.sysenter_cs = kCode0;
    s.sysenter_esp = 0x9000;
    s.sysenter_eip = kCode + 0x100;
  });
  b.code({0x0f, 0x34});
  b.step();
  CHECK(b.state().cpl == 0);
  CHECK(b.eip() == kCode + 0x100);
  CHECK(b.reg(kEsp) == 0x9000);
  CHECK(b.selector(kSs) == kCode0 + 8);
  b.set(kEcx, 0xb000);
  b.set(kEdx, kCode + 0x200);
  b.code({0x0f, 0x35});
  b.step();
  CHECK(b.state().cpl == 3);
  CHECK(b.eip() == kCode + 0x200);
  CHECK(b.reg(kEsp) == 0xb000);
  CHECK(b.selector(kCs) == kCode0 + 16 + 3);
  b.flat();
  b.code({0x0f, 0x34});
  CHECK(b.trap().vector == kGeneralProtection);
}

TEST_CASE("a control register that does not exist is #UD, also where the others are #GP") {
  for (const unsigned number : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u}) {
    for (const unsigned opcode : {0x20u, 0x22u}) {
      CAPTURE(number);
      CAPTURE(opcode);
      Bench b;
      b.flat(3);
      b.code({0x0f, opcode, 0xc0 | number << 3});
      CHECK(b.trap().vector == (number == 1 || number > 4 ? kInvalidOpcode : kGeneralProtection));
    }
  }
}

TEST_CASE("REP INS and REP OUTS ask for permission also when the count is 0") {
  for (const unsigned opcode : {0x6cu, 0x6du, 0x6eu, 0x6fu}) {
    CAPTURE(opcode);
    Bench b;
    b.flat(3);
    b.poke<std::uint16_t>(kTssBase + 102, 0xffff);
    b.set(kEcx, 0);
    b.code({0xf3, opcode});
    CHECK(b.trap().vector == kGeneralProtection);
    b.flat(0);
    b.code({0xf3, opcode});
    CHECK(b.run() == Exit::halted);
    CHECK(b.eip() == kCode + 3);
    CHECK(b.bus.accesses.empty());
  }
}

TEST_CASE("an x87 encoding that does not exist is #UD, also with an error that waits") {
  Bench b;
  b.flat();
  b.poke<std::uint16_t>(kData, 0x0340);
  b.set(kEsi, kData);
  b.code({0xdb, 0xe3, 0xd9, 0x2e, 0xd9, 0xe0, 0xd9, 0x0e});  // FNINIT; FLDCW [ESI], all unmasked; FCHS of an empty register; D9 /1
  const Trap t = b.trap();
  CHECK(t.vector == kInvalidOpcode);
  CHECK(t.eip == kCode + 6);
}

TEST_CASE("call gates of 16 bits, to conforming code, and by JMP") {
  Bench b;
  b.flat(3);
  SUBCASE("16 bits: words are pushed and copied") {
    b.gdt(kFreeEntry, gate(kCode0, 0x1234, 0x84 | kLevel3, 2));
    b.put(0x1234, {0xf4});
    b.poke<std::uint32_t>(0xb000 - 4, 0x22221111);
    b.set(kEsp, 0xb000 - 4);
    b.code({0x9a, 0, 0, 0, 0, kFreeEntry + 3, 0});
    b.step();
    CHECK(b.state().cpl == 0);
    CHECK(b.eip() == 0x1234);
    CHECK(b.reg(kEsp) == 0xa000 - 12);
    CHECK(b.peek_as<std::uint16_t>(0xa000 - 2) == kData3);
    CHECK(b.peek_as<std::uint16_t>(0xa000 - 4) == 0xb000 - 4);
    CHECK(b.peek(0xa000 - 8) == 0x22221111);
    CHECK(b.peek_as<std::uint16_t>(0xa000 - 10) == kCode3);
    CHECK(b.peek_as<std::uint16_t>(0xa000 - 12) == ((kCode + 7) & 0xffff));
  }
  SUBCASE("conforming code runs at the caller's level on the caller's stack") {
    b.gdt(kFreeEntry + 8, descriptor(0, 0xfffff, kCodeAccess | 4, kBig | kPages));
    b.gdt(kFreeEntry, gate(kFreeEntry + 8, kCode + 0x100, 0x8c | kLevel3, 3));
    b.put(kCode + 0x100, {0xeb, 0xfe});
    b.code({0x9a, 0, 0, 0, 0, kFreeEntry + 3, 0});
    b.step();
    CHECK(b.state().cpl == 3);
    CHECK(b.selector(kCs) == kFreeEntry + 8 + 3);
    CHECK(b.reg(kEsp) == 0xb000 - 8);
  }
  SUBCASE("JMP cannot change the level") {
    b.gdt(kFreeEntry, gate(kCode0, kCode + 0x100, 0x8c | kLevel3));
    b.code({0xea, 0, 0, 0, 0, kFreeEntry + 3, 0});
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == kCode0);
  }
  SUBCASE("an offset beyond the code segment") {
    b.gdt(kFreeEntry + 8, descriptor(0, 0xfff, kCodeAccess, kBig));
    b.gdt(kFreeEntry, gate(kFreeEntry + 8, 0x1000, 0x8c | kLevel3));
    b.code({0x9a, 0, 0, 0, 0, kFreeEntry + 3, 0});
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0);
  }
  SUBCASE("a null selector in the gate") {
    b.gdt(kFreeEntry, gate(3, 0x1000, 0x8c | kLevel3));
    b.code({0x9a, 0, 0, 0, 0, kFreeEntry + 3, 0});
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0);
  }
}

TEST_CASE("an interrupt gate of 16 bits pushes words") {
  Bench b;
  b.flat(3);
  b.idt(0x80, gate(kCode0, 0x1234, 0x86 | kLevel3));
  b.put(0x1234, {0xf4});
  b.set_flags(kCf | kIf);
  b.code({0xcd, 0x80});
  b.step();
  CHECK(b.eip() == 0x1234);
  CHECK(b.reg(kEsp) == 0xa000 - 10);
  CHECK(b.peek_as<std::uint16_t>(0xa000 - 2) == kData3);
  CHECK(b.peek_as<std::uint16_t>(0xa000 - 6) == (2 | kCf | kIf));
  CHECK(b.peek_as<std::uint16_t>(0xa000 - 10) == ((kCode + 2) & 0xffff));
  CHECK((b.eflags() & kIf) == 0);
}

TEST_CASE("RETF, IRET and far CALL that fault half-way leave everything as it was") {
  struct Probe {
    std::initializer_list<unsigned> bytes;
    std::uint32_t esp;
    unsigned cpl;
  };
  // The page behind 0x50000 is absent: what is popped or pushed reaches into it.
  const Probe kProbes[] = {{{0xcb}, 0x4fffc, 0}, {{0xca, 8, 0}, 0x4fffc, 0}, {{0xcf}, 0x4fff8, 0},        {{0xcb}, 0x4fff8, 0},
                           {{0xcf}, 0x4fff4, 0}, {{0x61}, 0x4fff0, 3},       {{0xc9}, 0x4fff0, 3},        {{0x9a, 0, 0, 2, 0, kCode0, 0}, 0x51004, 0},
                           {{0xc8, 0, 0, 2}, 0x51008, 3}, {{0xe8, 0, 0, 0, 0}, 0x51000, 3}, {{0x60}, 0x51010, 3}, {{0xff, 0x33}, 0x51000, 3}};
  for (const Probe& p : kProbes) {
    Bench b;
    b.flat(p.cpl);
    b.enable_paging();
    b.poke<std::uint32_t>(0x4fff4, kCode);
    b.poke<std::uint32_t>(0x4fff8, *p.bytes.begin() == 0xcf ? kCode3 : kCode);
    b.poke<std::uint32_t>(0x4fffc, *p.bytes.begin() == 0xcf && p.esp == 0x4fff4 ? 2u : kCode3);
    if (p.esp == 0x4fffc || (*p.bytes.begin() == 0xcf && p.esp == 0x4fff8)) b.poke<std::uint32_t>(0x4fffc, kCode);
    b.map(0x50000, 0);
    b.change([&](CpuState& s) {
      s.gpr[kEsp] = p.esp;
      s.gpr[kEbp] = 0x50000;
      s.gpr[kEbx] = kData;
      s.segment[kSs].base = 0;
    });
    b.code(p.bytes);
    const CpuState before = b.state();
    // At level 0 the fault's own frame would go to the same stack: give #PF a task-free stack by stopping before delivery instead.
    if (p.cpl == 0) {
      b.idt(kPageFault, gate(kFreeEntry, 0, 0x85));
      b.gdt(kFreeEntry, descriptor(0x6000, 0x67, kTssAccess, 0));
      for (std::uint32_t i = 0; i < 0x68; i += 4) b.poke<std::uint32_t>(0x6000 + i, 0);
      b.poke(0x6000 + 28, before.cr3);
      b.poke<std::uint32_t>(0x6000 + 32, kStubs);
      b.poke<std::uint32_t>(0x6000 + 40 + 4 * kEsp, 0xc000);
      for (std::uint32_t s = 0; s < 6; ++s) b.poke<std::uint32_t>(0x6000 + 72 + 4 * s, s == kCs ? kCode0 : kData0);
    }
    CAPTURE(*p.bytes.begin());
    CAPTURE(p.esp);
    if (p.cpl == 0) {
      CHECK(b.run() == Exit::halted);
      CHECK(b.state().tr.selector == kFreeEntry);
      CHECK(b.peek(kTssBase + 32) == kCode);
      CHECK(b.peek(kTssBase + 40 + 4 * kEsp) == p.esp);
      CHECK(b.peek(kTssBase + 72 + 4 * kCs) == kCode0);
    } else {
      const Trap t = b.trap();
      CHECK(t.vector == kPageFault);
      CHECK(t.eip == kCode);
      CHECK(t.esp == p.esp);
      for (const unsigned r : {kEax, kEcx, kEdx, kEbx, kEbp, kEsi, kEdi}) CHECK(b.reg(r) == before.gpr[r]);
    }
  }
}

TEST_CASE("CMPS, SCAS, LODS, STOS, INS and OUTS that fault leave registers, count and flags of the iterations before") {
  struct Probe {
    std::initializer_list<unsigned> bytes;
    bool source, destination;
  };
  const Probe kProbes[] = {{{0xf3, 0xa6}, true, true}, {{0xf2, 0xae}, false, true}, {{0xf3, 0xac}, true, false}, {{0xf3, 0xaa}, false, true}, {{0xf3, 0x6c}, false, true}, {{0xf3, 0x6e}, true, false}};
  for (const Probe& p : kProbes) {
    Bench b;
    b.flat(3);
    b.enable_paging();
    b.map(0x50000, 0);
    b.change([](CpuState& s) {
      s.gpr[kEsi] = s.gpr[kEdi] = 0x4fffd;
      s.gpr[kEcx] = 10;
      s.gpr[kEdx] = 0x80;
      s.gpr[kEax] = 0x77;
    });
    b.code(p.bytes);
    const Trap t = b.trap();
    CAPTURE(*(p.bytes.begin() + 1));
    CHECK(t.vector == kPageFault);
    CHECK(t.eip == kCode);
    CHECK(b.reg(kEcx) == 7);
    CHECK(b.reg(kEsi) == (p.source ? 0x50000 : 0x4fffd));
    CHECK(b.reg(kEdi) == (p.destination ? 0x50000 : 0x4fffd));
    CHECK(b.state().cr2 == 0x50000);
  }
}
