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

namespace {

/// A second task of 16 bits: IP = 0x200 in a 16-bit code segment at kCode, SP = 0xc000.
void second_task16(Bench& b) {
  b.gdt(kTss2, descriptor(kTss2Base, 0x2b, 0x81, 0));
  for (std::uint32_t i = 0; i < 0x2c; i += 4) b.poke<std::uint32_t>(kTss2Base + i, 0);
  b.poke<std::uint16_t>(kTss2Base + 14, 0x200);
  b.poke<std::uint16_t>(kTss2Base + 16, 2 | kCf);
  for (std::uint32_t r = 0; r < 8; ++r) b.poke<std::uint16_t>(kTss2Base + 18 + 2 * r, static_cast<std::uint16_t>(r == kEsp ? 0xc000 : 0x100 + r));
  const std::uint16_t segments[4] = {kData0, kCode16, kData0, kData16};  // ES, CS, SS, DS
  for (std::uint32_t s = 0; s < 4; ++s) b.poke(kTss2Base + 34 + 2 * s, segments[s]);
}

}  // namespace

TEST_CASE("a 16-bit TSS: 16 bits of each register, FS and GS null, IRET goes back") {
  Bench b;
  b.flat();
  second_task16(b);
  b.put(kCode + 0x200, {0xcf});
  b.set(kEsi, 0x12345678);
  b.code({0x9a, 0, 0, 0, 0, kTss2, 0});
  b.step();
  CHECK(b.eip() == 0x200);
  CHECK(b.selector(kCs) == kCode16);
  CHECK((b.reg(kEsi) & 0xffff) == 0x100 + kEsi);
  CHECK((b.reg(kEsp) & 0xffff) == 0xc000);
  CHECK((b.eflags() & (kCf | kNt)) == (kCf | kNt));
  CHECK(b.state().segment[kFs].valid == 0);
  CHECK(b.state().segment[kGs].valid == 0);
  CHECK(b.peek_as<std::uint16_t>(kTss2Base) == kTss);
  b.step();
  CHECK(b.eip() == kCode + 7);
  CHECK(b.reg(kEsi) == 0x12345678);
  CHECK(type_of(b, kTss2) == 1);
}

TEST_CASE("a switch with paging loads CR3; what the tables there do not map is the new task's fault") {
  Bench b;
  b.flat();
  b.enable_paging();
  second_task(b);
  b.poke<std::uint32_t>(0x108000, kPageTable | 7);  // another directory, the same table
  b.poke<std::uint32_t>(kTss2Base + 28, 0x108000);
  b.code({0xea, 0, 0, 0, 0, kTss2, 0});
  b.step();
  CHECK(b.state().cr3 == 0x108000);
  CHECK(b.eip() == kCode + 0x200);
  CHECK(b.run() == Exit::halted);
}

TEST_CASE("IRET with NT and a link that is no busy TSS is #TS") {
  for (const std::uint16_t link : {std::uint16_t{0}, kTss2, kData0, std::uint16_t{kTss | 4}}) {
    Bench b;
    b.flat();
    second_task(b);
    b.poke<std::uint16_t>(kTssBase, link);
    b.set_flags(kNt);
    b.code({0xcf});
    const Trap t = b.trap();
    CHECK(t.vector == kInvalidTss);
    CHECK(t.error == (link & 0xfffcu));
    CHECK(t.eip == kCode);
    CHECK(b.state().tr.selector == kTss);
  }
}

TEST_CASE("a task in virtual-8086 mode") {
  Bench b;
  b.flat();
  second_task(b);
  b.poke<std::uint32_t>(kTss2Base + 32, 0x200);
  b.poke<std::uint32_t>(kTss2Base + 36, 2 | kVm);
  for (std::uint32_t s = 0; s < 6; ++s) b.poke<std::uint32_t>(kTss2Base + 72 + 4 * s, s == kCs ? kCode >> 4 : kData >> 4);
  b.code({0xea, 0, 0, 0, 0, kTss2, 0});
  b.step();
  CHECK((b.eflags() & kVm) != 0);
  CHECK(b.state().cpl == 3);
  CHECK(b.eip() == 0x200);
  CHECK(b.state().segment[kCs].base == kCode);
  CHECK(b.state().segment[kDs].base == kData);
  CHECK(b.state().segment[kDs].limit == 0xffff);
}

TEST_CASE("task gates: their own DPL counts, not that of the TSS") {
  Bench b;
  b.flat(3);
  second_task(b);
  b.gdt(kTss2 + 8, gate(kTss2, 0, 0x85 | kLevel3));
  b.code({0x9a, 0, 0, 0, 0, kTss2 + 8 + 3, 0});
  SUBCASE("through the gate") {
    b.step();
    CHECK(b.state().tr.selector == kTss2);
    CHECK(b.state().cpl == 0);
  }
  SUBCASE("a gate of level 0") {
    b.gdt(kTss2 + 8, gate(kTss2, 0, 0x85));
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == kTss2 + 8);
  }
  SUBCASE("not present") {
    b.gdt(kTss2 + 8, gate(kTss2, 0, 0x05 | kLevel3));
    CHECK(b.trap().vector == kSegmentNotPresent);
  }
  SUBCASE("to a busy TSS") {
    b.gdt(kTss2, descriptor(kTss2Base, 0x67, kTssAccess | 2, 0));
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == kTss2);
  }
  SUBCASE("the TSS itself is of level 0") {
    b.code({0x9a, 0, 0, 0, 0, kTss2 + 3, 0});
    CHECK(b.trap().vector == kGeneralProtection);
  }
}

TEST_CASE("a double fault through a task gate") {
  Bench b;
  b.flat();
  second_task(b);
  b.idt(kDoubleFault, gate(kTss2, 0, 0x85));
  b.idt(kGeneralProtection, 0);
  b.code({0x8e, 0xd8});  // mov ds, ax: beyond the table
  b.set(kEax, 0x1f8);
  CHECK(b.run() == Exit::halted);
  CHECK(b.state().tr.selector == kTss2);
  CHECK(b.peek(b.reg(kEsp)) == 0);
  CHECK(b.peek(kTssBase + 32) == kCode);
}

TEST_CASE("page fault and page fault is a double fault, with the second address in CR2") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.map(0x50000, 0);
  b.map(0x51000, 0);
  b.idt(kPageFault, gate(kFreeEntry, 0x51000, 0x8e));
  b.gdt(kFreeEntry, descriptor(0, 0xfffff, kCodeAccess, kBig | kPages));
  b.map(kIdt + 0x1000, 0);
  b.change([](CpuState& s) {
    s.idtr = {kIdt + 0x1000 - kPageFault * 8, 0x7ff};  // the gate of #PF is on the absent page, that of #DF is not
    s.gpr[kEbx] = 0x50000;
  });
  for (unsigned v = 0; v < kPageFault; ++v) b.poke(kIdt + 0x1000 - kPageFault * 8 + v * 8, gate(kCode0, kStubs + v * 16, 0x8e));
  b.cpu.set_state(b.state());
  b.code({0x8b, 0x03});
  const Trap t = b.trap();
  CHECK(t.vector == kDoubleFault);
  CHECK(t.eip == kCode);
  CHECK(b.state().cr2 == kIdt + 0x1000);
}

TEST_CASE("the I/O bitmap: ports across a byte, the last bytes of the TSS, virtual-8086 mode at any IOPL") {
  struct Probe {
    std::uint16_t port;
    unsigned opcode;  // EC: byte, ED: dword
    std::uint32_t denied, limit;
    bool allowed;
  };
  const Probe kProbes[] = {{7, 0xec, 8, 0xfff, true},    {8, 0xec, 8, 0xfff, false},  {5, 0xed, 8, 0xfff, false}, {4, 0xed, 8, 0xfff, true},
                           {9, 0xed, 8, 0xfff, true},    {8, 0xec, 99, 106, true},    {8, 0xec, 99, 105, false}, {0, 0xec, 99, 105, true},
                           {0, 0xec, 99, 102, false}};
  for (const Probe& p : kProbes) {
    for (const bool vm86 : {false, true}) {
      Bench b;
      vm86 ? b.vm86(3) : b.flat(3);
      b.poke<std::uint32_t>(kTssBase + 104, 0);
      if (p.denied < 32) b.poke<std::uint32_t>(kTssBase + 104, 1u << p.denied);
      b.change([&](CpuState& s) {
        s.tr.limit = p.limit;
        s.gpr[kEdx] = p.port;
      });
      vm86 && p.opcode == 0xed ? b.code({0x66, 0xed, 0xeb, 0xfe}) : b.code({p.opcode, 0xeb, 0xfe});
      CAPTURE(p.port);
      CAPTURE(p.limit);
      CAPTURE(vm86);
      const Trap t = b.trap(20);
      CHECK(t.vector == (p.allowed ? -1 : static_cast<int>(kGeneralProtection)));
      CHECK(b.bus.accesses.size() == (p.allowed ? 1 : 0));
    }
  }
}
