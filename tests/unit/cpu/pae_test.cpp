// PAE paging, reserved bits and global pages. Intel SDM volume 3A, sections 4.3, 4.4 and 4.10.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

constexpr std::uint32_t kPage = 0x50000, kPointers = 0x102000, kDirectory = 0x103000, kTable = 0x104000;
constexpr std::uint64_t kP = 1, kW = 2, kU = 4, kA = 0x20, kD = 0x40, kLarge = 0x80, kG = 0x100, kNx = std::uint64_t{1} << 63;

std::uint32_t entry_address(std::uint32_t linear) { return kTable + (linear >> 12) * 8; }

void map64(Bench& b, std::uint32_t linear, std::uint64_t entry) {
  b.poke(entry_address(linear), entry);
  b.cpu.set_state(b.state());  // flushes
}

/// Tables that map the first 2 MiB to themselves with 4 KiB pages; the processor turns paging on itself.
void pae_tables(Bench& b) {
  b.poke<std::uint64_t>(kPointers, kDirectory | kP);
  for (unsigned i = 1; i < 4; ++i) b.poke<std::uint64_t>(kPointers + 8 * i, 0);
  for (std::uint32_t i = 0; i < 512; ++i) b.poke<std::uint64_t>(kDirectory + 8 * i, 0);
  b.poke<std::uint64_t>(kDirectory, kTable | kP | kW | kU);
  for (std::uint32_t i = 0; i < 512; ++i) b.poke<std::uint64_t>(kTable + 8 * i, i << 12 | kP | kW | kU);
  b.change([](CpuState& s) {
    s.cr3 = kPointers;
    s.cr4 = kCr4Pae;
  });
}

/// The same with paging on; code at kCode goes on from there.
void enable_pae(Bench& b, unsigned cpl = 0) {
  b.flat(cpl);
  pae_tables(b);
  b.change([](CpuState& s) {
    s.cr0 |= kCr0Pg;
    s.pdpte = {kDirectory | kP, 0, 0, 0};
  });
}

}  // namespace

TEST_CASE("PAE is turned on with CR0.PG, and pages of 4 KiB are read and written through it") {
  Bench b;
  b.flat();
  pae_tables(b);
  b.poke<std::uint64_t>(entry_address(kPage), 0x61000 | kP | kW);
  b.poke<std::uint32_t>(0x61010, 0x12345678);
  b.change([](CpuState& s) {
    s.gpr[kEdx] = s.cr0 | kCr0Pg;
    s.gpr[kEbx] = kPage + 0x10;
  });
  b.code({0x0f, 0x22, 0xc2, 0x8b, 0x03, 0x89, 0x43, 0x04});
  b.step(2);
  CHECK(b.reg(kEax) == 0x12345678);
  CHECK((b.peek(entry_address(kPage)) & (kA | kD)) == kA);
  CHECK((b.peek(kDirectory) & kA) != 0);
  b.step();
  CHECK(b.peek(0x61014) == 0x12345678);
  CHECK((b.peek(entry_address(kPage)) & (kA | kD)) == (kA | kD));
  CHECK(b.peek(kPointers) == (kDirectory | kP));
}

TEST_CASE("PAE: pages of 2 MiB, with CR4.PSE or without") {
  for (const std::uint32_t pse : {0u, kCr4Pse}) {
    Bench b;
    enable_pae(b);
    b.poke<std::uint64_t>(kDirectory + 8, kP | kW | kLarge);  // linear 2 MiB to physical 0
    b.poke<std::uint32_t>(kPage, 0x5a5a1234);
    b.change([pse](CpuState& s) {
      s.cr4 |= pse;
      s.gpr[kEbx] = 0x200000 + kPage;
    });
    b.code({0x8b, 0x03, 0xfe, 0x03});
    CHECK(b.run() == Exit::halted);
    CHECK(b.reg(kEax) == 0x5a5a1234);
    CHECK(b.peek(kPage) == 0x5a5a1235);
    CHECK((b.peek(kDirectory + 8) & (kA | kD)) == (kA | kD));
  }
}

TEST_CASE("PAE: each quarter of the address space has its own pointer") {
  Bench b;
  b.flat();
  pae_tables(b);
  b.poke<std::uint64_t>(kPointers + 8 * 3, kDirectory | kP);
  b.poke<std::uint32_t>(kPage, 0xabcd);
  b.change([](CpuState& s) {
    s.gpr[kEdx] = s.cr0 | kCr0Pg;
    s.gpr[kEbx] = 0xc0000000u + kPage;
    s.gpr[kEsi] = 0x40000000u + kPage;
  });
  b.code({0x0f, 0x22, 0xc2, 0x8b, 0x03, 0x8b, 0x0e});
  const Trap t = b.trap();
  CHECK(b.reg(kEax) == 0xabcd);
  CHECK(t.vector == kPageFault);
  CHECK(t.error == 0);
  CHECK(b.state().cr2 == 0x40000000u + kPage);
}

TEST_CASE("PAE: rights of directory and table together") {
  struct Probe {
    std::uint64_t directory, table;
    bool write;
    int error;
  };
  constexpr Probe kProbes[] = {{kW | kU, kW | kU, true, -1}, {kU, kW | kU, true, 7}, {kW, kW | kU, false, 5}, {kW | kU, kU, true, 7}, {kW | kU, kW, false, 5}};
  for (const Probe& p : kProbes) {
    Bench b;
    enable_pae(b, 3);
    b.poke<std::uint64_t>(kDirectory + 8, kTable | kP | p.directory);  // the same table at 2 MiB
    b.poke<std::uint64_t>(entry_address(kPage), kPage | kP | p.table);
    b.set(kEbx, 0x200000 + kPage);
    b.code({p.write ? 0x88u : 0x8au, 0x03});
    b.put(kCode + 2, {0xeb, 0xfe});
    const Trap t = b.trap(20);
    CAPTURE(p.directory);
    CAPTURE(p.table);
    CHECK(t.vector == (p.error < 0 ? -1 : static_cast<int>(kPageFault)));
    if (p.error >= 0) CHECK(static_cast<int>(t.error) == p.error);
  }
}

TEST_CASE("reserved bits of PAE entries are page faults with RSVD") {
  SUBCASE("table entry: above 36 bits, and execute-disable, which is not there") {
    for (const std::uint64_t bad : {std::uint64_t{1} << 36, std::uint64_t{1} << 51, std::uint64_t{1} << 62, kNx}) {
      Bench b;
      enable_pae(b, 3);
      map64(b, kPage, kPage | kP | kW | kU | bad);
      b.set(kEbx, kPage);
      b.code({0x88, 0x03});
      const Trap t = b.trap();
      CHECK(t.vector == kPageFault);
      CHECK(t.error == 0xf);
    }
  }
  SUBCASE("directory entry of a table") {
    Bench b;
    enable_pae(b);
    b.poke<std::uint64_t>(kDirectory + 8, kTable | kP | kW | kU | kNx);
    b.set(kEbx, 0x200000 + kPage);
    b.code({0x8a, 0x03});
    CHECK(b.trap().error == 9);
  }
  SUBCASE("large page: bits 13 to 20") {
    for (unsigned bit = 13; bit <= 20; ++bit) {
      Bench b;
      enable_pae(b);
      b.poke<std::uint64_t>(kDirectory + 8, kP | kW | kLarge | std::uint64_t{1} << bit);
      b.set(kEbx, 0x200000 + kPage);
      b.code({0x8a, 0x03});
      CHECK(b.trap().error == 9);
    }
  }
  SUBCASE("not present: nothing is reserved") {
    Bench b;
    enable_pae(b);
    map64(b, kPage, ~kP);
    b.set(kEbx, kPage);
    b.code({0x8a, 0x03});
    CHECK(b.trap().error == 0);
  }
}

TEST_CASE("reserved bits of a 4 MiB page") {
  for (unsigned bit = 13; bit <= 21; ++bit) {
    Bench b;
    b.flat();
    b.enable_paging();
    b.poke<std::uint32_t>(kPageDirectory + 4, 0x83u | 1u << bit);
    b.change([](CpuState& s) {
      s.cr4 = kCr4Pse;
      s.gpr[kEbx] = 0x400000;
    });
    b.code({0x8a, 0x03});
    CHECK(b.trap().error == 9);
  }
}

TEST_CASE("reserved bits of a page-directory pointer are a general protection fault of what loads it") {
  for (const std::uint64_t bad : {std::uint64_t{2}, std::uint64_t{4}, std::uint64_t{0x20}, std::uint64_t{0x100}, std::uint64_t{1} << 36, kNx}) {
    Bench b;
    SUBCASE("CR0.PG") {
      b.flat();
      pae_tables(b);
      b.poke<std::uint64_t>(kPointers + 8 * 2, kDirectory | kP | bad);
      b.set(kEdx, b.state().cr0 | kCr0Pg);
      b.code({0x0f, 0x22, 0xc2});
    }
    SUBCASE("CR3") {
      enable_pae(b);
      b.poke<std::uint64_t>(0x105000, kDirectory | kP);
      b.poke<std::uint64_t>(0x105018, kDirectory | kP | bad);
      b.set(kEdx, 0x105000);
      b.code({0x0f, 0x22, 0xda});
    }
    SUBCASE("CR4.PAE") {
      b.flat();
      b.enable_paging();
      b.poke<std::uint64_t>(kPageDirectory, kPageTable | kP | kW | kU | bad);  // as a pointer, W and U are reserved as well
      b.set(kEdx, kCr4Pae);
      b.code({0x0f, 0x22, 0xe2});
    }
    const CpuState before = b.state();
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0);
    CHECK(t.eip == kCode);
    CHECK(b.state().cr0 == before.cr0);
    CHECK(b.state().cr3 == before.cr3);
    CHECK(b.state().cr4 == before.cr4);
  }
}

TEST_CASE("an absent pointer may hold anything") {
  Bench b;
  b.flat();
  pae_tables(b);
  b.poke<std::uint64_t>(kPointers + 8, ~kP);
  b.set(kEdx, b.state().cr0 | kCr0Pg);
  b.code({0x0f, 0x22, 0xc2});
  CHECK(b.run() == Exit::halted);
  CHECK(b.eip() == kCode + 4);
}

TEST_CASE("pointers are read when CR3 is loaded and not again") {
  Bench b;
  enable_pae(b);
  b.poke<std::uint64_t>(kPointers, 0);
  b.set(kEbx, kPage);
  b.set(kEdx, kPointers);
  b.code({0x8a, 0x03, 0x0f, 0x22, 0xda});
  b.step();
  CHECK(b.eip() == kCode + 2);
  b.step(2);
  CHECK((b.state().shut_down != 0));  // with nothing mapped there is no handler
}

TEST_CASE("memory beyond 4 GiB reads as open bus and takes no write") {
  Bench b;
  enable_pae(b);
  map64(b, kPage, std::uint64_t{0xa} << 32 | kPage | kP | kW);
  b.poke<std::uint32_t>(kPage, 0x11111111);
  b.set(kEbx, kPage);
  b.code({0xc7, 0x03, 1, 2, 3, 4, 0x8b, 0x03, 0x0f, 0xb7, 0x4b, 0x02, 0x8b, 0x93, 0xfe, 0xff, 0xff, 0xff});
  CHECK(b.run() == Exit::halted);
  CHECK(b.peek(kPage) == 0x11111111);
  CHECK(b.reg(kEax) == 0xffffffffu);
  CHECK(b.reg(kEcx) == 0xffff);
  CHECK(b.reg(kEdx) == 0xffff0000u);
  std::uint32_t physical = 0;
  CHECK_FALSE(b.cpu.translate(kPage, physical));
}

TEST_CASE("global pages stay over a load of CR3 and go with INVLPG or CR4") {
  // mov eax,[ebx]; mov [edx],esi; mov cr3,ebp; mov ecx,[ebx]; INVLPG or CR4 as below; mov edi,[ebx]
  struct Way {
    std::initializer_list<unsigned> bytes;
    std::uint32_t cr4;
  };
  const Way kWays[] = {{{0x0f, 0x01, 0x3b}, kCr4Pge}, {{0x0f, 0x22, 0xe7}, kCr4Pge}};
  for (const Way& way : kWays) {
    for (const bool pge : {true, false}) {
      Bench b;
      b.flat();
      b.enable_paging();
      b.poke<std::uint32_t>(0x61000, 0x61);
      b.poke<std::uint32_t>(0x63000, 0x63);
      b.map(kPage, 0x61000 | 7 | static_cast<std::uint32_t>(kG));
      b.change([&](CpuState& s) {
        s.cr4 = pge ? way.cr4 : 0;
        s.gpr[kEbx] = kPage;
        s.gpr[kEdx] = kPageTable + (kPage >> 12) * 4;
        s.gpr[kEsi] = 0x63007;
        s.gpr[kEbp] = kPageDirectory;
        s.gpr[kEdi] = 0;
      });
      std::vector<std::uint8_t> code{0x8b, 0x03, 0x89, 0x32, 0x0f, 0x22, 0xdd, 0x8b, 0x0b};
      for (const unsigned byte : way.bytes) code.push_back(static_cast<std::uint8_t>(byte));
      for (const unsigned byte : {0x8bu, 0x3bu, 0xf4u}) code.push_back(static_cast<std::uint8_t>(byte));
      b.put(kCode, code);
      CHECK(b.run() == Exit::halted);
      CHECK(b.reg(kEax) == 0x61);
      CHECK(b.reg(kEcx) == (pge ? 0x61 : 0x63));
      CHECK(b.reg(kEdi) == 0x63);
    }
  }
}

TEST_CASE("INVLPG of any address in a large page drops all of it") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.poke<std::uint32_t>(kPageDirectory + 4, 0x83u);
  b.poke<std::uint32_t>(kPageDirectory + 8, kPageTable | 7);
  b.poke<std::uint32_t>(kPage, 0x61);
  b.change([](CpuState& s) {
    s.cr4 = kCr4Pse;
    s.gpr[kEbx] = 0x400000 + kPage;
    s.gpr[kEdx] = kPageDirectory + 4;
    s.gpr[kEsi] = 0x73000;
  });
  // mov eax,[ebx]; mov dword [edx],0; mov ecx,[ebx]; invlpg [esi+0x400000]; mov ecx,[ebx]
  b.code({0x8b, 0x03, 0xc7, 0x02, 0, 0, 0, 0, 0x8b, 0x0b, 0x0f, 0x01, 0xbe, 0, 0, 0x40, 0, 0x8b, 0x0b});
  const Trap t = b.trap();
  CHECK(b.reg(kEcx) == 0x61);
  CHECK(t.vector == kPageFault);
  CHECK(t.eip == kCode + 17);
}
