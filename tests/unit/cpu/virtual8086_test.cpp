// The extensions of virtual-8086 mode and protected-mode virtual interrupts. Intel SDM volume 3B, sections 20.3 and 20.4.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

void vme(Bench& b, unsigned iopl, std::uint32_t more_flags = 0) {
  b.vm86(iopl);
  b.change([&](CpuState& s) {
    s.cr4 = kCr4Vme;
    s.system_flags |= more_flags;
  });
  // The I/O map at 136, the redirection map before it: all interrupts to the monitor.
  b.poke<std::uint16_t>(kTssBase + 102, 136);
  for (unsigned i = 0; i < 32; ++i) b.poke<std::uint8_t>(kTssBase + 104 + i, 0xff);
}

void let_through(Bench& b, unsigned vector) { b.poke<std::uint8_t>(kTssBase + 104 + vector / 8, static_cast<std::uint8_t>(~(1u << vector % 8))); }

std::uint16_t pushed(const Bench& b) { return b.peek_as<std::uint16_t>(b.reg(kEsp) & 0xffff); }

}  // namespace

TEST_CASE("VME: CLI and STI change VIF below IOPL 3") {
  Bench b;
  vme(b, 0);
  b.code({0xfb, 0xfa});
  b.step();
  CHECK((b.eflags() & (kVif | kIf)) == (kVif | kIf));
  b.step();
  CHECK((b.eflags() & (kVif | kIf)) == kIf);
  SUBCASE("an interrupt that is pending makes STI the monitor's") {
    vme(b, 0, kVip);
    b.code({0xfb});
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK((t.eflags & kVif) == 0);
  }
  SUBCASE("IOPL 3: IF itself") {
    vme(b, 3);
    b.code({0xfa, 0x90});
    b.step();
    CHECK((b.eflags() & (kVif | kIf)) == 0);
  }
  SUBCASE("without VME: #GP") {
    vme(b, 0);
    b.change([](CpuState& s) { s.cr4 = 0; });
    b.code({0xfa});
    CHECK(b.trap().vector == kGeneralProtection);
  }
}

TEST_CASE("VME: PUSHF shows VIF as IF and IOPL 3") {
  Bench b;
  vme(b, 1);
  b.code({0x9c, 0xfb, 0x9c});
  b.step();
  CHECK((pushed(b) & (kIf | kIopl)) == kIopl);
  b.step(2);
  CHECK((pushed(b) & (kIf | kIopl)) == (kIf | kIopl));
  vme(b, 1);
  b.code({0x66, 0x9c});
  CHECK(b.trap().vector == kGeneralProtection);
}

TEST_CASE("VME: POPF and IRET put IF into VIF") {
  struct Probe {
    std::uint32_t flags, before;
    int vector;
    std::uint32_t vif;
  };
  const Probe kProbes[] = {{kIf | kCf, 0, -1, kVif}, {kCf, kVif, -1, 0}, {kIf | kCf, kVip, kGeneralProtection, 0}, {kCf, kVip, -1, 0}, {kTf, 0, kGeneralProtection, 0}};
  for (const Probe& p : kProbes) {
    for (const bool iret : {false, true}) {
      Bench b;
      vme(b, 1, p.before);
      b.set(kEsp, 0xaff0);
      b.poke<std::uint16_t>(0xaff0, static_cast<std::uint16_t>(iret ? 1 : p.flags));
      b.poke<std::uint16_t>(0xaff2, kCode >> 4);
      b.poke<std::uint16_t>(0xaff4, static_cast<std::uint16_t>(p.flags));
      iret ? b.code({0xcf, 0xeb, 0xfe}) : b.code({0x9d, 0xeb, 0xfe});
      CAPTURE(p.flags);
      CAPTURE(iret);
      const Trap t = b.trap(10);
      CHECK(t.vector == p.vector);
      if (t.vector >= 0) {
        CHECK(t.esp == 0xaff0);
        continue;
      }
      CHECK((b.eflags() & (kVif | kIf | kIopl | kCf)) == (p.vif | kIf | 1u << 12 | kCf));
      CHECK((b.reg(kEsp) & 0xffff) == (iret ? 0xaff6 : 0xaff2));
    }
  }
}

TEST_CASE("VME: INT n through the 8086 program's own table") {
  for (const unsigned iopl : {0u, 3u}) {
    Bench b;
    vme(b, iopl, kVif);
    let_through(b, 0x21);
    b.poke<std::uint32_t>(0x21 * 4, (kCode >> 4) << 16 | 0x300);
    b.put(kCode + 0x300, {0xeb, 0xfe});
    b.code({0xcd, 0x21});
    b.step();
    CHECK(b.eip() == 0x300);
    CHECK((b.eflags() & kVm) != 0);
    CHECK((b.reg(kEsp) & 0xffff) == 0xb000 - 6);
    CHECK(b.peek_as<std::uint16_t>(0xb000 - 6) == 2);
    CHECK(b.peek_as<std::uint16_t>(0xb000 - 4) == kCode >> 4);
    CHECK((b.peek_as<std::uint16_t>(0xb000 - 2) & (kIf | kIopl)) == (kIf | kIopl));
    CHECK((b.eflags() & (kVif | kIf)) == (iopl == 3 ? kVif : kIf));
  }
}

TEST_CASE("VME: INT n of the monitor, and a TSS without the map") {
  Bench b;
  vme(b, 0);
  b.code({0xcd, 0x21});
  CHECK(b.trap().vector == kGeneralProtection);
  vme(b, 3);
  b.idt(0x21, gate(kCode0, kStubs + 0x21 * 16, 0x8e | kLevel3));
  b.code({0xcd, 0x21});
  CHECK(b.trap().vector == 0x21);
  vme(b, 3);
  b.change([](CpuState& s) { s.tr.limit = 107; });
  b.code({0xcd, 0x21});
  CHECK(b.trap().vector == kGeneralProtection);
}

TEST_CASE("PVI: CLI and STI of level 3") {
  Bench b;
  b.flat(3);
  b.change([](CpuState& s) { s.cr4 = kCr4Pvi; });
  b.code({0xfb, 0x9c, 0xfa});
  b.step();
  CHECK((b.eflags() & (kVif | kIf)) == kVif);
  b.step();
  CHECK((b.peek(b.reg(kEsp)) & (kVif | kIf)) == kVif);
  b.step();
  CHECK((b.eflags() & kVif) == 0);
  b.flat(3);
  b.change([](CpuState& s) {
    s.cr4 = kCr4Pvi;
    s.system_flags |= kVip;
  });
  b.code({0xfb});
  CHECK(b.trap().vector == kGeneralProtection);
}

TEST_CASE("IRET of level 0 brings VIF and VIP back, POPF leaves them") {
  Bench b;
  b.flat();
  b.poke<std::uint32_t>(0x8ff4, kCode + 1);
  b.poke<std::uint32_t>(0x8ff8, kCode0);
  b.poke<std::uint32_t>(0x8ffc, 2 | kVif | kVip);
  b.set(kEsp, 0x8ff4);
  b.code({0xcf, 0x6a, 0x02, 0x9d});
  b.step();
  CHECK((b.eflags() & (kVif | kVip)) == (kVif | kVip));
  b.step(2);
  CHECK((b.eflags() & (kVif | kVip)) == (kVif | kVip));
}
