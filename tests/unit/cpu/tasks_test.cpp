// Task switches, virtual-8086 mode, double and triple faults. Intel SDM volume 3A, chapters 6, 7 and 20.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

constexpr std::uint32_t kTss2Base = 0x6000;
constexpr std::uint16_t kTss2 = kFreeEntry;

/// A second task, level 0, EIP = kCode + 0x200, ESP = 0xc000.
void second_task(Bench& b) {
  b.gdt(kTss2, descriptor(kTss2Base, 0x67, kTssAccess, 0));
  for (std::uint32_t i = 0; i < 0x68; i += 4) b.poke<std::uint32_t>(kTss2Base + i, 0);
  b.poke(kTss2Base + 28, b.state().cr3);
  b.poke<std::uint32_t>(kTss2Base + 32, kCode + 0x200);
  b.poke<std::uint32_t>(kTss2Base + 36, 2 | kCf);
  for (std::uint32_t r = 0; r < 8; ++r) b.poke<std::uint32_t>(kTss2Base + 40 + 4 * r, r == kEsp ? 0xc000 : 0x100 + r);
  for (std::uint32_t s = 0; s < 6; ++s) b.poke<std::uint32_t>(kTss2Base + 72 + 4 * s, s == kCs ? kCode0 : kData0);
  b.put(kCode + 0x200, {0xf4});
}

std::uint32_t type_of(const Bench& b, std::uint16_t selector) { return b.peek(kGdt + selector + 4) >> 8 & 15; }

}  // namespace

TEST_CASE("JMP to a TSS") {
  Bench b;
  b.flat();
  second_task(b);
  b.set(kEsi, 0x5151);
  b.code({0xea, 0, 0, 0, 0, kTss2, 0});
  b.step();
  CHECK(b.eip() == kCode + 0x200);
  CHECK(b.reg(kEsi) == 0x100 + kEsi);
  CHECK(b.reg(kEsp) == 0xc000);
  CHECK((b.eflags() & kCf) != 0);
  CHECK((b.eflags() & kNt) == 0);
  CHECK(b.state().tr.selector == kTss2);
  CHECK((b.state().cr0 & kCr0Ts) != 0);
  CHECK(type_of(b, kTss) == 9);
  CHECK(type_of(b, kTss2) == 11);
  CHECK(b.peek(kTssBase + 32) == kCode + 7);
  CHECK(b.peek(kTssBase + 40 + 4 * kEsi) == 0x5151);
}

TEST_CASE("CALL to a TSS nests, IRET returns") {
  Bench b;
  b.flat();
  second_task(b);
  b.put(kCode + 0x200, {0xcf, 0xf4});
  b.code({0x9a, 0, 0, 0, 0, kTss2, 0});
  b.step();
  CHECK((b.eflags() & kNt) != 0);
  CHECK(b.peek_as<std::uint16_t>(kTss2Base) == kTss);
  CHECK(type_of(b, kTss) == 11);
  b.step();
  CHECK(b.eip() == kCode + 7);
  CHECK(b.state().tr.selector == kTss);
  CHECK(type_of(b, kTss2) == 9);
  CHECK((b.eflags() & kNt) == 0);
  CHECK(b.peek(kTss2Base + 32) == kCode + 0x201);
}

TEST_CASE("a task gate in the IDT, the error code goes on the new stack") {
  Bench b;
  b.flat(3);
  second_task(b);
  b.idt(kGeneralProtection, gate(kTss2, 0, 0x85));
  b.code({0xf4});
  CHECK(b.run() == Exit::halted);
  CHECK(b.eip() == kCode + 0x201);
  CHECK(b.state().cpl == 0);
  CHECK(b.reg(kEsp) == 0xc000 - 4);
  CHECK(b.peek(0xc000 - 4) == 0);
  CHECK(b.peek(kTssBase + 32) == kCode);
}

TEST_CASE("switches that must not happen") {
  Bench b;
  b.flat();
  second_task(b);
  b.code({0xea, 0, 0, 0, 0, kTss2, 0});
  SUBCASE("busy") {
    b.gdt(kTss2, descriptor(kTss2Base, 0x67, kTssAccess | 2, 0));
    CHECK(b.trap().vector == kGeneralProtection);
  }
  SUBCASE("not present") {
    b.gdt(kTss2, descriptor(kTss2Base, 0x67, 0x09, 0));
    CHECK(b.trap().vector == kSegmentNotPresent);
  }
  SUBCASE("too short") {
    b.gdt(kTss2, descriptor(kTss2Base, 0x66, kTssAccess, 0));
    const Trap t = b.trap();
    CHECK(t.vector == kInvalidTss);
    CHECK(t.error == kTss2);
    CHECK(t.eip == kCode);
  }
  CHECK(b.state().tr.selector == kTss);
}

TEST_CASE("a bad segment of the new task is the new task's fault") {
  Bench b;
  b.flat();
  second_task(b);
  b.poke<std::uint32_t>(kTss2Base + 72 + 4 * kDs, 0x1f8);
  b.code({0xea, 0, 0, 0, 0, kTss2, 0});
  const Trap t = b.trap();
  CHECK(t.vector == kInvalidTss);
  CHECK(t.error == 0x1f8);
  CHECK(t.eip == kCode + 0x200);
  CHECK(b.state().tr.selector == kTss2);
  CHECK(b.reg(kEsp) == 0xc000 - 16);
}

TEST_CASE("the T bit of a TSS traps before the new task's first instruction") {
  Bench b;
  b.flat();
  second_task(b);
  b.poke<std::uint16_t>(kTss2Base + 100, 1);
  b.code({0xea, 0, 0, 0, 0, kTss2, 0});
  const Trap t = b.trap();
  CHECK(t.vector == kDebug);
  CHECK(t.eip == kCode + 0x200);
  CHECK((b.state().dr[6] & 0x8000) != 0);
}

TEST_CASE("tasks whose T bits trap into each other come to an end") {
  Bench b;
  b.flat();
  second_task(b);
  constexpr std::uint16_t kTss3 = kFreeEntry + 8;
  constexpr std::uint32_t kTss3Base = 0x6100;
  for (std::uint32_t i = 0; i < 0x68; i += 4) b.poke(kTss3Base + i, b.peek(kTss2Base + i));
  b.gdt(kTss3, descriptor(kTss3Base, 0x67, kTssAccess, 0));
  b.poke<std::uint16_t>(kTss2Base + 100, 1);
  b.poke<std::uint16_t>(kTss3Base + 100, 1);
  b.idt(kDebug, gate(kTss3, 0, 0x85));
  b.idt(kGeneralProtection, gate(kTss2, 0, 0x85));
  b.code({0xea, 0, 0, 0, 0, kTss2, 0});
  const Exit exit = b.run();
  CHECK((exit == Exit::shut_down || exit == Exit::halted || exit == Exit::spent));
}

TEST_CASE("double fault: error 0, saved EIP at the instruction, triple fault shuts down") {
  Bench b;
  b.flat();
  b.idt(kGeneralProtection, gate(kCode0, 0, 0x0e));  // not present
  b.set(kEax, 0x1f8);
  b.code({0x8e, 0xd8});
  Trap t = b.trap();
  CHECK(t.vector == kDoubleFault);
  CHECK(t.error == 0);
  CHECK(t.eip == kCode);
  b.flat();
  b.idt(kGeneralProtection, gate(kCode0, 0, 0x0e));
  b.idt(kDoubleFault, gate(kCode0, 0, 0x0e));
  b.set(kEax, 0x1f8);
  b.code({0x8e, 0xd8});
  CHECK(b.run() == Exit::shut_down);
  CHECK(b.run() == Exit::shut_down);
}

TEST_CASE("benign and contributory faults are handled one after the other") {
  Bench b;
  b.flat();
  b.idt(kInvalidOpcode, gate(kCode0, 0, 0x0e));
  b.code({0x0f, 0x0b});
  const Trap t = b.trap();
  CHECK(t.vector == kSegmentNotPresent);
  CHECK(t.error == kInvalidOpcode * 8 + 2 + 1);
}

TEST_CASE("an external interrupt on vector 8 that cannot be delivered is not a triple fault") {
  Bench b;
  b.flat();
  b.idt(8, gate(kCode0, 0, 0x0e));
  b.set_flags(kIf);
  b.bus.vector = 8;
  b.cpu.set_intr(true);
  b.code({0x90});
  const Trap t = b.trap();
  CHECK(t.vector == kSegmentNotPresent);
  CHECK(t.error == 8 * 8 + 2 + 1);
}

TEST_CASE("into virtual-8086 mode by IRET and out of it by an interrupt") {
  Bench b;
  b.flat();
  const std::uint32_t frame[] = {0x0010, kCode >> 4, kVm | kIf | 2, 0xfff0, 0x0800, 0x1111, 0x2222, 0x3333, 0x4444};
  for (std::uint32_t i = 0; i < 9; ++i) b.poke(0x8000 + 4 * i, frame[i]);
  b.set(kEsp, 0x8000);
  b.code({0xcf});
  b.step();
  CpuState s = b.state();
  CHECK((s.system_flags & kVm) != 0);
  CHECK(s.cpl == 3);
  CHECK(s.eip == 0x10);
  CHECK(s.segment[kCs].base == kCode);
  CHECK(s.segment[kSs].base == 0x8000);
  CHECK(s.gpr[kEsp] == 0xfff0);
  CHECK(s.segment[kEs].selector == 0x1111);
  CHECK(s.segment[kGs].base == 0x44440);
  CHECK_FALSE(b.cpu.code_is_32bit());
  b.put(kCode + 0x10, {0x0f, 0x0b});
  const Trap t = b.trap();
  CHECK(t.vector == kInvalidOpcode);
  CHECK((t.eflags & kVm) != 0);
  CHECK(t.cs == kCode >> 4);
  CHECK(t.eip == 0x10);
  CHECK(t.ss == 0x0800);
  CHECK(t.esp == 0xfff0);
  CHECK(b.reg(kEsp) == 0xa000 - 36);
  CHECK(b.peek(0xa000 - 4) == 0x4444);   // GS
  CHECK(b.peek(0xa000 - 16) == 0x1111);  // ES
  s = b.state();
  CHECK((s.system_flags & kVm) == 0);
  CHECK(s.cpl == 0);
  CHECK(s.segment[kDs].valid == 0);
  CHECK(s.segment[kGs].selector == 0);
}

TEST_CASE("virtual-8086 mode: instructions that IOPL guards") {
  for (const auto& bytes : {std::initializer_list<unsigned>{0xfa}, {0xfb}, {0x9c}, {0x9d}, {0xcd, 0x80}, {0xcf}}) {
    Bench b;
    b.vm86(0);
    b.code(bytes);
    Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0);
    CHECK(t.eip == 0);
  }
  Bench b;
  b.vm86(3);
  b.code({0xcd, 0x80});
  CHECK(b.trap().vector == 0x80);
  b.vm86(0);
  b.code({0xcc});  // INT3 goes through its gate at any IOPL
  CHECK(b.trap().vector == kBreakpoint);
  b.vm86(3);
  b.code({0xfa, 0xeb, 0xfe});
  b.step(3);
  CHECK((b.eflags() & kIf) == 0);
  for (const auto& bytes : {std::initializer_list<unsigned>{0xf4}, {0x0f, 0x20, 0xc0}}) {
    b.vm86(3);
    b.code(bytes);
    CHECK(b.trap().vector == kGeneralProtection);
  }
  b.vm86(3);
  b.code({0x63, 0xc0});
  CHECK(b.trap().vector == kInvalidOpcode);
}

TEST_CASE("IOPL of level 3: CLI, POPF, IN") {
  Bench b;
  b.flat(3);
  b.code({0xfa});
  CHECK(b.trap().vector == kGeneralProtection);
  b.flat(3);
  b.set_flags(kIf);
  b.poke<std::uint32_t>(0xaffc, kIopl | kCf | kNt);
  b.set(kEsp, 0xaffc);
  b.code({0x9d, 0xeb, 0xfe});
  b.step(2);
  CHECK((b.eflags() & (kIf | kIopl | kCf | kNt)) == (kIf | kCf | kNt));
  b.flat(3);
  b.set_flags(kIopl | kIf);
  b.code({0xfa, 0xeb, 0xfe});
  b.step(2);
  CHECK((b.eflags() & kIf) == 0);
}

TEST_CASE("the I/O permission bitmap") {
  struct Probe {
    std::uint16_t port;
    unsigned opcode;
    bool allowed;
  };
  // Bitmap: port 11 forbidden; the map ends behind port 23.
  constexpr Probe kProbes[] = {{10, 0xec, true}, {11, 0xec, false}, {8, 0xed, false}, {7, 0xed, true}, {12, 0xed, true}, {23, 0xec, true}, {24, 0xec, false}, {21, 0xed, false}};
  for (const bool vm : {false, true}) {
    for (const Probe& p : kProbes) {
      Bench b;
      if (vm) {
        b.vm86(3);
      } else {
        b.flat(3);
      }
      b.poke<std::uint16_t>(kTssBase + 102, 104);
      for (std::uint32_t i = 0; i < 4; ++i) b.poke<std::uint8_t>(kTssBase + 104 + i, i == 1 ? 0x08 : i == 3 ? 0xff : 0);
      b.change([&](CpuState& s) {
        s.tr.limit = 104 + 3;
        s.gpr[kEdx] = p.port;
      });
      if (vm && p.opcode == 0xed) b.code({0x66, p.opcode, 0xeb, 0xfe});
      else b.code({p.opcode, 0xeb, 0xfe});
      const Trap t = b.trap(20);
      CAPTURE(p.port);
      CAPTURE(p.opcode);
      CHECK((t.vector == -1) == p.allowed);
      CHECK(b.bus.accesses.empty() != p.allowed);
    }
  }
}
