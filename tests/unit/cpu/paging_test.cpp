// Paging: faults and their error codes, accessed and dirty bits, WP, 4 MiB pages, accesses and code across a page end.
// Intel SDM volume 3A, chapter 4.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {
constexpr std::uint32_t kPage = 0x50000;
constexpr std::uint32_t kP = 1, kW = 2, kU = 4, kA = 0x20, kD = 0x40;
}  // namespace

TEST_CASE("page faults: error code and CR2") {
  struct Probe {
    unsigned cpl;
    std::uint32_t entry;
    bool write, wp;
    int error;  // -1: no fault
  };
  constexpr Probe kProbes[] = {
      {0, 0, false, false, 0},      {0, 0, true, false, 2},       {3, 0, false, false, 4},       {3, 0, true, false, 6},
      {3, kP, false, false, 5},     {3, kP | kW, true, false, 7}, {3, kP | kU, false, false, -1}, {3, kP | kU, true, false, 7},
      {0, kP, true, false, -1},     {0, kP, true, true, 3},       {0, kP, false, true, -1},      {3, kP | kU | kW, true, true, -1},
      {0, kP | kU, true, true, 3},
  };
  for (const Probe& p : kProbes) {
    Bench b;
    b.flat(p.cpl);
    b.enable_paging();
    b.change([&](CpuState& s) {
      if (p.wp) s.cr0 |= kCr0Wp;
      s.gpr[kEbx] = kPage + 0x123;
    });
    b.map(kPage, p.entry == 0 ? 0 : kPage | p.entry);
    b.code({p.write ? 0x88u : 0x8au, 0x03});
    if (p.cpl == 3) b.put(kCode + 2, {0xeb, 0xfe});
    const Trap t = b.trap(20);
    CAPTURE(p.cpl);
    CAPTURE(p.entry);
    CAPTURE(p.write);
    CAPTURE(p.wp);
    CHECK(t.vector == (p.error < 0 ? -1 : int{kPageFault}));
    if (p.error >= 0) {
      CHECK(t.error == static_cast<std::uint32_t>(p.error));
      CHECK(b.state().cr2 == kPage + 0x123);
      CHECK(t.eip == kCode);
      CHECK((b.page_entry(kPage) & (kA | kD)) == 0);
    } else {
      CHECK((b.page_entry(kPage) & (kA | kD)) == (p.write ? kA | kD : kA));
    }
  }
}

TEST_CASE("the dirty bit is set by the first write, also after a read filled the translation cache") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.set(kEbx, kPage);
  b.code({0x8a, 0x03, 0x8a, 0x03, 0xc6, 0x03, 0x11});
  b.step(2);
  CHECK((b.page_entry(kPage) & (kA | kD)) == kA);
  b.step();
  CHECK((b.page_entry(kPage) & (kA | kD)) == (kA | kD));
  CHECK((b.peek(kPageDirectory) & kA) != 0);
}

TEST_CASE("a read-modify-write of a read-only page faults as a write") {
  Bench b;
  b.flat(3);
  b.enable_paging();
  b.map(kPage, kPage | kP | kU);
  b.set(kEbx, kPage);
  b.code({0xff, 0x03});
  CHECK(b.trap().error == 7);
}

TEST_CASE("4 MiB pages need CR4.PSE") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.poke(kPageDirectory + 4, 0x83u | 0);  // linear 4 MiB to physical 0
  b.poke<std::uint32_t>(kPage, 0x12345678);
  b.change([](CpuState& s) {
    s.cr4 = kCr4Pse;
    s.gpr[kEbx] = 0x400000 + kPage;
  });
  b.code({0x8b, 0x03, 0x89, 0x43, 0x04});
  b.step();
  CHECK(b.reg(kEax) == 0x12345678);
  CHECK((b.peek(kPageDirectory + 4) & (kA | kD)) == kA);
  b.step();
  CHECK((b.peek(kPageDirectory + 4) & (kA | kD)) == (kA | kD));
  CHECK(b.peek(kPage + 4) == 0x12345678);
}

TEST_CASE("a page table at physical address 0 is a table") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.poke<std::uint32_t>(kPageDirectory + 4, 0 | 7);
  b.poke<std::uint32_t>(0, kPage | 7);
  b.set(kEbx, 0x400000);
  b.code({0xc6, 0x03, 0x5a});
  b.step();
  CHECK(b.peek_as<std::uint8_t>(kPage) == 0x5a);
  CHECK((b.peek(0) & (kA | kD)) == (kA | kD));
  CHECK((b.peek(kPageDirectory + 4) & (kA | kD)) == kA);
}

TEST_CASE("accesses across a page end") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.map(kPage, 0x61000 | 7);
  b.map(kPage + 0x1000, 0x63000 | 7);
  b.change([](CpuState& s) {
    s.gpr[kEbx] = kPage + 0xffe;
    s.gpr[kEax] = 0x44332211;
  });
  b.code({0x89, 0x03, 0x8b, 0x0b, 0xff, 0x03, 0x8b, 0x13});
  SUBCASE("both there") {
    b.run();
    CHECK(b.peek_as<std::uint16_t>(0x61ffe) == 0x2212);
    CHECK(b.peek_as<std::uint16_t>(0x63000) == 0x4433);
    CHECK(b.reg(kEcx) == 0x44332211);
    CHECK(b.reg(kEdx) == 0x44332212);
  }
  SUBCASE("the second is missing: nothing is written, CR2 is its first byte") {
    b.map(kPage + 0x1000, 0);
    const Trap t = b.trap();
    CHECK(t.vector == kPageFault);
    CHECK(t.error == 2);
    CHECK(b.state().cr2 == kPage + 0x1000);
    CHECK(b.peek_as<std::uint16_t>(0x61ffe) == 0);
  }
}

TEST_CASE("code across a page end") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.map(kPage, 0x61000 | 7);
  b.map(kPage + 0x1000, 0x63000 | 7);
  b.put(0x61ffd, {0xb8, 0x78, 0x56});
  b.put(0x63000, {0x34, 0x12, 0xf4});
  b.go(kPage + 0xffd);
  SUBCASE("runs, and follows a change of the second page") {
    b.run();
    CHECK(b.reg(kEax) == 0x12345678);
    b.go(kPage + 0xffd);
    b.poke<std::uint8_t>(0x63001, 0x99);
    b.run();
    CHECK(b.reg(kEax) == 0x99345678u);
    b.map(kPage + 0x1000, 0x65000 | 7);
    b.put(0x65000, {0xcd, 0xab, 0xf4});
    b.go(kPage + 0xffd);
    b.run();
    CHECK(b.reg(kEax) == 0xabcd5678u);
  }
  SUBCASE("the second page is missing: fault at the instruction, CR2 in the second page") {
    b.map(kPage + 0x1000, 0);
    const Trap t = b.trap();
    CHECK(t.vector == kPageFault);
    CHECK(t.error == 0);
    CHECK(t.eip == kPage + 0xffd);
    CHECK(b.state().cr2 == kPage + 0x1000);
  }
  SUBCASE("an instruction that ends at the page end does not need the second page") {
    b.map(kPage + 0x1000, 0);
    b.put(0x61ffd, {0x90, 0x90, 0xf4});
    CHECK(b.run() == Exit::halted);
    CHECK(b.eip() == kPage + 0x1000);
  }
}

TEST_CASE("level 3 cannot run a supervisor page, not even code that level 0 has run") {
  Bench b;
  b.flat(0);
  b.enable_paging();
  b.map(kPage, kPage | kP | kW);
  b.put(kPage, {0x40, 0xf4});
  b.go(kPage);
  b.run();
  b.change([&](CpuState& s) {
    s.halted = 0;
    for (const unsigned g : {kSs, kDs, kEs, kFs, kGs}) s.segment[g] = b.load(kData3);
    s.segment[kCs] = b.load(kCode3);
    s.cpl = 3;
    s.eip = kPage;
  });
  const Trap t = b.trap();
  CHECK(t.vector == kPageFault);
  CHECK(t.error == 5);
}

TEST_CASE("INVLPG and a load of CR3 drop old translations") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.poke<std::uint32_t>(0x61000, 0x61);
  b.poke<std::uint32_t>(0x63000, 0x63);
  b.map(kPage, 0x61000 | 7);
  b.change([](CpuState& s) {
    s.gpr[kEbx] = kPage;
    s.gpr[kEdx] = kPageTable + (kPage >> 12) * 4;
    s.gpr[kEsi] = 0x63007;
    s.gpr[kEdi] = 0x61007;
    s.gpr[kEbp] = kPageDirectory;
  });
  // mov eax,[ebx]; mov [edx],esi; invlpg [ebx]; mov ecx,[ebx]; mov [edx],edi; mov cr3,ebp; mov esi,[ebx]
  b.code({0x8b, 0x03, 0x89, 0x32, 0x0f, 0x01, 0x3b, 0x8b, 0x0b, 0x89, 0x3a, 0x0f, 0x22, 0xdd, 0x8b, 0x33});
  CHECK(b.run() == Exit::halted);
  CHECK(b.reg(kEax) == 0x61);
  CHECK(b.reg(kEcx) == 0x63);
  CHECK(b.reg(kEsi) == 0x61);
}

TEST_CASE("a fault in the middle of PUSHA changes no register") {
  Bench b;
  b.flat(3);
  b.enable_paging();
  b.map(kPage, 0);
  b.set(kEsp, kPage + 0x1010);
  b.code({0x60});
  const Trap t = b.trap();
  CHECK(t.vector == kPageFault);
  CHECK(t.error == 6);
  CHECK(t.eip == kCode);
  CHECK(t.esp == kPage + 0x1010);
  CHECK(b.state().cr2 == kPage + 0xffc);
}

TEST_CASE("REP MOVS stops at a fault with exact registers and goes on after it") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.map(kPage + 0x1000, 0);
  for (unsigned i = 0; i < 64; ++i) b.poke<std::uint8_t>(kData + i, static_cast<std::uint8_t>(i + 1));
  b.change([](CpuState& s) {
    s.gpr[kEsi] = kData;
    s.gpr[kEdi] = kPage + 0x1000 - 24;
    s.gpr[kEcx] = 16;
  });
  b.code({0xf3, 0xa5});
  const Trap t = b.trap();
  CHECK(t.vector == kPageFault);
  CHECK(t.error == 2);
  CHECK(t.eip == kCode);
  CHECK(b.reg(kEcx) == 10);
  CHECK(b.reg(kEsi) == kData + 24);
  CHECK(b.reg(kEdi) == kPage + 0x1000);
  b.map(kPage + 0x1000, (kPage + 0x1000) | 7);
  b.change([](CpuState& s) {
    s.eip = kCode;
    s.halted = 0;
    s.gpr[kEsp] = 0x9000;
  });
  b.run();
  CHECK(b.reg(kEcx) == 0);
  CHECK(std::memcmp(b.ram.data() + kData, b.ram.data() + kPage + 0x1000 - 24, 64) == 0);
}

TEST_CASE("POP to memory, CMPXCHG and XADD that fault leave registers and flags") {
  for (const auto& bytes : {std::initializer_list<unsigned>{0x8f, 0x03}, {0x0f, 0xb1, 0x0b}, {0x0f, 0xc1, 0x0b}, {0x87, 0x0b}, {0x11, 0x0b}, {0xd1, 0x23}, {0x0f, 0xc7, 0x0b}}) {
    Bench b;
    b.flat(3);
    b.enable_paging();
    b.map(kPage, kPage | kP | kU);
    b.set(kEbx, kPage);
    b.set_flags(kCf | kSf | kIf);
    b.code(bytes);
    const CpuState before = b.state();
    const Trap t = b.trap();
    CHECK(t.vector == kPageFault);
    CHECK(t.error == 7);
    CHECK(t.esp == before.gpr[kEsp]);
    CHECK((t.eflags & kArithmeticFlags) == (kCf | kSf));
    for (const unsigned r : {kEax, kEcx, kEdx, kEbx}) CHECK(b.reg(r) == before.gpr[r]);
  }
}

TEST_CASE("a descriptor table in a supervisor page is readable from level 3") {
  Bench b;
  b.flat(3);
  b.enable_paging();
  b.map(kGdt, kGdt | kP | kW);
  b.map(kIdt, kIdt | kP | kW);
  b.map(0x9000, 0x9000 | kP | kW);
  b.set(kEax, kData3);
  b.code({0x8e, 0xc0, 0xcd, 0x80});
  CHECK(b.trap().vector == 0x80);
}

TEST_CASE("ENTER faults as a write where the new top of the stack is not mapped") {
  Bench b;
  b.flat(3);
  b.enable_paging();
  b.map(kPage, 0);
  b.set(kEsp, kPage + 0x1008);
  b.code({0xc8, 0x10, 0, 0});
  const Trap t = b.trap();
  CHECK(t.vector == kPageFault);
  CHECK(t.error == (kW | kU));
  CHECK(t.esp == kPage + 0x1008);
}

TEST_CASE("an x87 store that an unmasked exception suppresses has the page fault of one") {
  // FNINIT; FLDCW [ESI], all unmasked; FSTP of an empty register to [EBX]: single, and extended.
  for (const unsigned modrm : {0x1bu, 0x3bu}) {
    CAPTURE(modrm);
    Bench b;
    b.flat();
    b.enable_paging();
    b.map(kPage, 0);
    b.poke<std::uint16_t>(kData, 0x0340);
    b.set(kEsi, kData);
    b.set(kEbx, kPage + 8);
    b.code({0xdb, 0xe3, 0xd9, 0x2e, modrm == 0x1b ? 0xd9u : 0xdbu, modrm});
    const Trap t = b.trap();
    CHECK(t.vector == kPageFault);
    CHECK(t.eip == kCode + 4);
    CHECK(b.state().cr2 == kPage + 8);
  }
}

TEST_CASE("nothing is fetched beyond the limit of CS, whose page may be absent") {
  Bench b;
  b.flat();
  b.gdt(kFreeEntry, descriptor(kCode, 0xfff, kCodeAccess, kBig));
  b.enable_paging();
  b.map(kCode + 0x1000, 0);
  b.put(kCode + 0xffe, {0xb8, 1});
  b.change([&](CpuState& s) {
    s.segment[kCs] = b.load(kFreeEntry);
    s.eip = 0xffe;
  });
  const Trap t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.eip == 0xffe);
}
