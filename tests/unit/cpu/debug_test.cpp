// Debug registers: breakpoints on instructions, data and ports, general detect, single steps. Intel SDM volume 3B, chapter 17.
#include <doctest/doctest.h>

#include <array>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

enum Condition : unsigned { kExecute = 0, kWrite = 1, kPort = 2, kReadWrite = 3 };
constexpr std::uint32_t kClear6 = 0xffff0ff0u, kBs = 1u << 14, kBd = 1u << 13, kBt = 1u << 15, kGd = 1u << 13;

/// DR7 for one breakpoint.
std::uint32_t dr7(unsigned number, Condition condition, unsigned length = 1, bool global = false) {
  const unsigned code = length == 4 ? 3 : length == 2 ? 1 : 0;
  return 0x400u | (global ? 2u : 1u) << (2 * number) | condition << (16 + 4 * number) | code << (18 + 4 * number);
}

void arm(Bench& b, unsigned number, std::uint32_t address, Condition condition, unsigned length = 1, bool global = false) {
  b.change([&](CpuState& s) {
    s.dr[number] = address;
    s.dr[7] |= dr7(number, condition, length, global);
  });
}

std::uint32_t hits(const Bench& b) { return b.state().dr[6] & 0xe00f; }

}  // namespace

TEST_CASE("an instruction breakpoint is a fault before the instruction; RF steps over it once") {
  Bench b;
  b.flat();
  b.code({0x40, 0x43, 0x41, 0x42});  // inc eax, ebx, ecx, edx
  arm(b, 1, kCode + 2, kExecute);
  Trap t = b.trap();
  CHECK(t.vector == kDebug);
  CHECK(t.eip == kCode + 2);
  CHECK((t.eflags & kRf) == 0);
  CHECK(hits(b) == 2);
  CHECK(b.reg(kEax) == 1);
  CHECK(b.reg(kEbx) == 1);
  CHECK(b.reg(kEcx) == 0);
  // IRET with RF set in the image.
  b.poke<std::uint32_t>(b.reg(kEsp) + 8, b.peek(b.reg(kEsp) + 8) | kRf);
  b.put(kStubs + kDebug * 16, {0xcf});
  b.go(kStubs + kDebug * 16);
  CHECK(b.run() == Exit::halted);
  CHECK(b.reg(kEcx) == 1);
  CHECK(b.reg(kEdx) == 1);
  CHECK((b.eflags() & kRf) == 0);
}

TEST_CASE("instruction breakpoints are met by branches, from the same page, from another one, and in a loop") {
  Bench b;
  b.flat();
  SUBCASE("jump within the page") {
    b.code({0xeb, 0x10});
    b.put(kCode + 0x12, {0x40, 0xf4});
    arm(b, 0, kCode + 0x12, kExecute);
    CHECK(b.trap().eip == kCode + 0x12);
  }
  SUBCASE("jump to a page whose code has run before") {
    b.put(kCode + 0x1000, {0x40, 0xf4});
    b.code({0xe9, 0xfb, 0x0f, 0, 0});
    CHECK(b.run() == Exit::halted);
    CHECK(b.reg(kEax) == 1);
    arm(b, 0, kCode + 0x1000, kExecute, 1, true);
    b.go(kCode);
    CHECK(b.trap().eip == kCode + 0x1000);
    CHECK(b.reg(kEax) == 1);
  }
  SUBCASE("armed by MOV DR7 in code that has run before") {
    b.set(kEsi, dr7(0, kExecute));
    b.set(kEdi, kCode + 0x12);
    b.put(kCode + 0x10, {0x40, 0x40, 0x40, 0xf4});
    b.go(kCode + 0x10);
    CHECK(b.run() == Exit::halted);
    b.go(kCode);
    b.code({0x0f, 0x23, 0xc7, 0x0f, 0x23, 0xfe, 0xeb, 0x08});
    const Trap t = b.trap();
    CHECK(t.vector == kDebug);
    CHECK(t.eip == kCode + 0x12);
    CHECK(b.reg(kEax) == 5);
  }
  SUBCASE("not enabled: never") {
    b.code({0x40, 0x40});
    b.change([](CpuState& s) {
      s.dr[0] = kCode + 1;
      s.dr[7] = 0x400;
    });
    CHECK(b.run() == Exit::halted);
    CHECK(hits(b) == 0);
  }
  SUBCASE("the middle of an instruction is no instruction") {
    b.code({0xb8, 1, 2, 3, 4});
    arm(b, 0, kCode + 1, kExecute);
    CHECK(b.run() == Exit::halted);
    CHECK(b.reg(kEax) == 0x04030201);
  }
}

TEST_CASE("breakpoints of a REP instruction: once before it, not between iterations") {
  Bench b;
  b.flat();
  b.code({0xf3, 0xaa});
  b.set(kEdi, kData);
  b.set(kEcx, 5);
  arm(b, 0, kCode, kExecute);
  Trap t = b.trap();
  CHECK(t.eip == kCode);
  CHECK(b.reg(kEcx) == 5);
  b.poke<std::uint32_t>(b.reg(kEsp) + 8, b.peek(b.reg(kEsp) + 8) | kRf);
  b.put(kStubs + kDebug * 16, {0xcf});
  b.go(kStubs + kDebug * 16);
  CHECK(b.run() == Exit::halted);
  CHECK(b.eip() == kCode + 3);
  CHECK(b.reg(kEcx) == 0);
}

TEST_CASE("data breakpoints are traps after the access") {
  struct Probe {
    Condition condition;
    unsigned length;
    std::uint32_t at, from;  // breakpoint; address of the access
    std::initializer_list<unsigned> bytes;
    bool hit;
  };
  const Probe kProbes[] = {
      {kWrite, 4, kData, kData, {0x89, 0x03}, true},             // mov [ebx], eax
      {kWrite, 4, kData, kData, {0x8b, 0x03}, false},            // mov eax, [ebx]
      {kReadWrite, 4, kData, kData, {0x8b, 0x03}, true},
      {kReadWrite, 4, kData, kData, {0x89, 0x03}, true},
      {kWrite, 1, kData + 3, kData, {0x89, 0x03}, true},
      {kWrite, 1, kData + 4, kData, {0x89, 0x03}, false},
      {kWrite, 1, kData, kData + 1, {0x89, 0x03}, false},
      {kWrite, 2, kData + 2, kData + 3, {0x88, 0x03}, true},
      {kWrite, 2, kData + 2, kData + 4, {0x88, 0x03}, false},
      {kWrite, 2, kData + 3, kData + 2, {0x88, 0x03}, true},     // the low bits of the address are ignored
      {kWrite, 4, kData, kData - 3, {0x89, 0x03}, true},
      {kWrite, 4, kData, kData - 4, {0x89, 0x03}, false},
      {kWrite, 4, kData, kData, {0x11, 0x03}, true},             // adc [ebx], eax
      {kReadWrite, 4, kData, kData, {0x39, 0x03}, true},         // cmp [ebx], eax
      {kWrite, 4, kData, kData, {0x39, 0x03}, false},
      {kWrite, 4, kData, kData, {0x0f, 0xb1, 0x0b}, true},       // cmpxchg: writes in any case
      {kWrite, 4, kData, kData, {0xdd, 0x1b}, true},             // fstp qword [ebx]
      {kReadWrite, 4, kData + 4, kData, {0xdd, 0x03}, true},     // fld qword [ebx]
      {kWrite, 4, kData, kData, {0x8f, 0x03}, true},             // pop [ebx]
      {kReadWrite, 4, 0x8ffc, kData, {0x50}, true},              // push eax
      {kWrite, 4, kData, kData, {0xab}, true},                   // stosd
      {kReadWrite, 1, kData, kData, {0xac}, true},               // lodsb
  };
  for (const Probe& p : kProbes) {
    Bench b;
    b.flat();
    b.change([&](CpuState& s) {
      for (const unsigned r : {kEbx, kEsi, kEdi}) s.gpr[r] = p.from;
      set_eflags(s, kCf);
    });
    b.poke<std::uint32_t>(0x9000, 0);
    std::vector<std::uint8_t> code{0x42};  // inc edx before it, in the same block
    for (const unsigned byte : p.bytes) code.push_back(static_cast<std::uint8_t>(byte));
    code.push_back(0x42);
    code.push_back(0xf4);
    b.put(kCode, code);
    arm(b, 2, p.at, p.condition, p.length);
    CAPTURE(p.at);
    CAPTURE(p.from);
    CAPTURE(*p.bytes.begin());
    const Trap t = b.trap();
    CHECK(t.vector == (p.hit ? static_cast<int>(kDebug) : -1));
    if (!p.hit) continue;
    CHECK(t.eip == kCode + 1 + p.bytes.size());
    CHECK(hits(b) == 4);
    CHECK(b.reg(kEdx) == 1);
    CHECK((t.eflags & kRf) == 0);
  }
}

TEST_CASE("an instruction that meets a data breakpoint runs once") {
  Bench b;
  b.flat();
  b.poke<std::uint32_t>(kData, 10);
  b.set(kEbx, kData);
  b.set(kEax, 5);
  b.code({0xf9, 0x11, 0x03});  // stc; adc [ebx], eax
  arm(b, 0, kData, kWrite, 4);
  CHECK(b.trap().eip == kCode + 3);
  CHECK(b.peek(kData) == 16);
}

TEST_CASE("REP MOVS stops after the iteration that met the breakpoint") {
  Bench b;
  b.flat();
  b.change([](CpuState& s) {
    s.gpr[kEsi] = kData + 0x800;
    s.gpr[kEdi] = kData;
    s.gpr[kEcx] = 8;
  });
  b.code({0xf3, 0xa5});
  arm(b, 3, kData + 12, kWrite, 4);
  const Trap t = b.trap();
  CHECK(t.vector == kDebug);
  CHECK(t.eip == kCode);
  CHECK((t.eflags & kRf) != 0);
  CHECK(b.reg(kEcx) == 4);
  CHECK(b.reg(kEdi) == kData + 16);
  CHECK(hits(b) == 8);
}

TEST_CASE("breakpoints that are not enabled are reported beside one that is") {
  Bench b;
  b.flat();
  b.set(kEbx, kData);
  b.code({0x89, 0x03});
  arm(b, 0, kData, kWrite, 4);
  b.change([](CpuState& s) {
    s.dr[1] = kData;
    s.dr[7] |= kWrite << 20;
  });
  CHECK(b.trap().vector == kDebug);
  CHECK(hits(b) == 3);
}

TEST_CASE("a fault takes the hits of its instruction back") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.map(0x50000, 0);
  b.change([](CpuState& s) {
    s.gpr[kEsi] = kData;
    s.gpr[kEdi] = 0x50000;
  });
  b.code({0xa5});
  arm(b, 0, kData, kReadWrite, 4);
  CHECK(b.trap().vector == kPageFault);
  CHECK(hits(b) == 0);
}

TEST_CASE("hits by a load of SS wait for the next instruction") {
  Bench b;
  b.flat();
  b.poke<std::uint16_t>(kData, kData0);
  b.set(kEbx, kData);
  b.code({0x8e, 0x13, 0x40, 0x40});  // mov ss,[ebx]; inc eax; inc eax
  arm(b, 0, kData, kReadWrite, 2);
  SUBCASE("data") {}
  SUBCASE("and the breakpoint of the next instruction is not met") { arm(b, 1, kCode + 2, kExecute); }
  const Trap t = b.trap();
  CHECK(t.vector == kDebug);
  CHECK(t.eip == kCode + 3);
  CHECK(b.reg(kEax) == 1);
  CHECK(hits(b) == 1);
}

TEST_CASE("accesses of the processor itself are met too") {
  Bench b;
  b.flat();
  SUBCASE("a descriptor") {
    b.set(kEax, kData0);
    b.code({0x8e, 0xc0, 0x43, 0x43});
    arm(b, 0, kGdt + kData0, kReadWrite, 4);
    CHECK(b.trap().eip == kCode + 2);
    CHECK(hits(b) == 1);
  }
  SUBCASE("LAR") {
    b.set(kEax, kData0);
    b.code({0x0f, 0x02, 0xd8, 0x41});
    arm(b, 0, kGdt + kData0, kReadWrite, 4);
    CHECK(b.trap().eip == kCode + 3);
    CHECK(b.reg(kEbx) == 0xc09300);
  }
  SUBCASE("the stack of an interrupt: the trap comes before its handler") {
    b.code({0xcd, 0x80});
    arm(b, 0, 0x8ffc, kWrite, 4);
    const Trap t = b.trap();
    CHECK(t.vector == kDebug);
    CHECK(t.eip == kStubs + 0x80 * 16);
  }
}

TEST_CASE("port breakpoints need CR4.DE and come after the access") {
  struct Probe {
    std::uint32_t cr4;
    unsigned length;
    std::uint32_t at;
    std::initializer_list<unsigned> bytes;  // DX = 0x80
    bool hit;
  };
  const Probe kProbes[] = {{kCr4De, 1, 0x80, {0xec}, true},  {kCr4De, 1, 0x80, {0xee}, true},        {0, 1, 0x80, {0xec}, false},
                           {kCr4De, 1, 0x81, {0xec}, false}, {kCr4De, 1, 0x81, {0xed}, true},        {kCr4De, 2, 0x82, {0xef}, true},
                           {kCr4De, 4, 0x84, {0xef}, false}, {kCr4De, 1, 0x61, {0xe4, 0x61}, true},  {kCr4De, 1, 0x80, {0x6e}, true},
                           {kCr4De, 1, 0x80, {0x6c}, true}};
  for (const Probe& p : kProbes) {
    Bench b;
    b.flat();
    b.change([&](CpuState& s) {
      s.cr4 = p.cr4;
      s.gpr[kEdx] = 0x80;
      s.gpr[kEsi] = s.gpr[kEdi] = kData;
    });
    b.code(p.bytes);
    arm(b, 0, p.at, kPort, p.length);
    const Trap t = b.trap();
    CAPTURE(*p.bytes.begin());
    CAPTURE(p.at);
    CHECK(t.vector == (p.hit ? static_cast<int>(kDebug) : -1));
    CHECK(b.bus.accesses.size() == 1);
    if (p.hit) CHECK(t.eip == kCode + p.bytes.size());
  }
}

TEST_CASE("REP OUTS stops after the iteration that met the port") {
  Bench b;
  b.flat();
  b.change([](CpuState& s) {
    s.cr4 = kCr4De;
    s.gpr[kEdx] = 0x80;
    s.gpr[kEsi] = kData;
    s.gpr[kEcx] = 4;
  });
  b.code({0xf3, 0x6e});
  arm(b, 0, 0x80, kPort);
  CHECK(b.trap().eip == kCode);
  CHECK(b.reg(kEcx) == 3);
  CHECK(b.bus.accesses.size() == 1);
}

TEST_CASE("general detect: MOV of a debug register faults once") {
  for (const auto& bytes : {std::initializer_list<unsigned>{0x0f, 0x21, 0xf0}, {0x0f, 0x23, 0xc0}}) {
    Bench b;
    b.flat();
    b.set(kEax, 0x1234);
    b.code(bytes);
    b.change([](CpuState& s) { s.dr[7] = 0x400 | kGd; });
    const Trap t = b.trap();
    CHECK(t.vector == kDebug);
    CHECK(t.eip == kCode);
    CHECK(hits(b) == kBd);
    CHECK(b.reg(kEax) == 0x1234);
    CHECK(b.state().dr[0] == 0);
    CHECK((b.state().dr[7] & kGd) == 0);
  }
}

TEST_CASE("single steps and breakpoints together") {
  Bench b;
  b.flat();
  b.set(kEbx, kData);
  b.set_flags(kTf);
  b.code({0x89, 0x03, 0x40});
  arm(b, 0, kData, kWrite, 4);
  SUBCASE("data") {
    CHECK(b.trap().eip == kCode + 2);
    CHECK(hits(b) == (kBs | 1));
  }
  SUBCASE("the instruction breakpoint of the next instruction comes after the trap") {
    arm(b, 1, kCode + 2, kExecute);
    Trap t = b.trap();
    CHECK(t.eip == kCode + 2);
    CHECK(hits(b) == (kBs | 1));
  }
}

TEST_CASE("a single step of each iteration of REP") {
  Bench b;
  b.flat();
  b.set(kEdi, kData);
  b.set(kEcx, 3);
  b.set_flags(kTf);
  b.code({0xf3, 0xaa, 0x40});
  const Trap t = b.trap();
  CHECK(t.vector == kDebug);
  CHECK(t.eip == kCode);
  CHECK((t.eflags & kRf) != 0);
  CHECK(b.reg(kEcx) == 2);
  CHECK(hits(b) == kBs);
}

TEST_CASE("a breakpoint watches a linear address, whatever page is there") {
  Bench b;
  b.flat();
  b.enable_paging();
  b.map(0x50000, 0x61000 | 7);
  b.map(0x51000, 0x61000 | 7);
  b.set(kEbx, 0x50000);
  b.set(kEsi, 0x51000);
  b.code({0x89, 0x03, 0x89, 0x06, 0x40});
  arm(b, 0, 0x51000, kWrite, 4);
  CHECK(b.trap().eip == kCode + 4);
}

TEST_CASE("a task switch turns local breakpoints off and leaves global ones") {
  Bench b;
  b.flat();
  b.gdt(kFreeEntry, descriptor(0x6000, 0x67, kTssAccess, 0));
  for (std::uint32_t i = 0; i < 0x68; i += 4) b.poke<std::uint32_t>(0x6000 + i, 0);
  b.poke<std::uint32_t>(0x6000 + 32, kCode + 0x200);
  b.poke<std::uint32_t>(0x6000 + 36, 2);
  b.poke<std::uint32_t>(0x6000 + 40 + 4 * kEsp, 0xc000);
  for (std::uint32_t s = 0; s < 6; ++s) b.poke<std::uint32_t>(0x6000 + 72 + 4 * s, s == kCs ? kCode0 : kData0);
  b.put(kCode + 0x200, {0x40, 0x40, 0xf4});
  b.code({0xea, 0, 0, 0, 0, kFreeEntry, 0});
  arm(b, 0, kCode + 0x200, kExecute);
  arm(b, 1, kCode + 0x201, kExecute, 1, true);
  SUBCASE("breakpoints") {
    const Trap t = b.trap();
    CHECK(t.eip == kCode + 0x201);
    CHECK(hits(b) == 2);
  }
  SUBCASE("the T bit") {
    b.poke<std::uint16_t>(0x6000 + 100, 1);
    const Trap t = b.trap();
    CHECK(t.eip == kCode + 0x200);
    CHECK(hits(b) == kBt);
  }
}

TEST_CASE("DR6 keeps what it has; reserved bits of DR6 and DR7") {
  Bench b;
  b.flat();
  b.change([](CpuState& s) { s.dr[6] = kClear6 | 8; });
  b.set(kEbx, kData);
  b.code({0x89, 0x03});
  arm(b, 0, kData, kWrite, 4);
  CHECK(b.trap().vector == kDebug);
  CHECK(hits(b) == 9);
  b.flat();
  b.set(kEax, 0xffffffffu);
  b.code({0x0f, 0x23, 0xf8, 0x0f, 0x21, 0xfb});
  b.step();
  CHECK(b.state().dr[7] == (0xffff23ffu | 0x400u));
}

TEST_CASE("a MOV of a debug register: what is undefined comes before the privilege, the privilege before general detect") {
  const auto vector_at = [](unsigned level, std::uint32_t cr4, unsigned modrm) {
    Bench b;
    b.flat(level);
    b.change([&](CpuState& s) {
      s.cr4 = cr4;
      s.dr[7] = 0x400 | kGd;
    });
    b.code({0x0f, 0x21, modrm});
    return b.trap().vector;
  };
  CHECK(vector_at(3, 0, 0xf8) == kGeneralProtection);       // mov eax, dr7
  CHECK(vector_at(3, kCr4De, 0xe0) == kInvalidOpcode);      // mov eax, dr4
  CHECK(vector_at(0, kCr4De, 0xe8) == kInvalidOpcode);      // mov eax, dr5
  CHECK(vector_at(0, 0, 0xe8) == kDebug);
}

namespace {

constexpr std::uint64_t kLbr = 1, kBtf = 2;

void control(Bench& b, std::uint64_t value) {
  b.change([&](CpuState& s) { s.msr.debug_control = value; });
}

/// Offsets of the last branch and of the last exception or interrupt, from and to.
using LastBranch = std::array<std::uint32_t, 4>;
LastBranch last_branch(const Bench& b) { return b.state().msr.last_branch; }

}  // namespace

TEST_CASE("DEBUGCTL.BTF: a single step goes to the next branch that is taken, and once") {
  struct Probe {
    std::initializer_list<unsigned> bytes;  // of EAX = 1, ECX = 1, ZF clear
    std::uint32_t eip;
  };
  const Probe kProbes[] = {
      {{0x40, 0x41, 0xeb, 0x02, 0x90, 0x90}, 6},        // inc eax; inc ecx; jmp
      {{0x40, 0x74, 0x01, 0xeb, 0x02}, 7},              // inc eax; jz, not taken; jmp
      {{0x40, 0x75, 0x02}, 5},                          // inc eax; jnz
      {{0xe2, 0x00, 0xe8, 2, 0, 0, 0}, 9},              // loop, not taken; call
      {{0x68, 0x40, 0x00, 0x02, 0x00, 0xc3}, 0x40},     // push; ret
      {{0xf3, 0xaa, 0xeb, 0x00}, 4},                    // rep stosb; jmp to the next instruction
      {{0xea, 0x20, 0x00, 0x02, 0x00, kCode0, 0}, 0x20},  // jmp far
  };
  for (const Probe& p : kProbes) {
    Bench b;
    b.flat();
    b.change([](CpuState& s) {
      s.gpr[kEax] = s.gpr[kEcx] = 1;
      s.gpr[kEdi] = kData;
    });
    b.set_flags(kTf);
    control(b, kBtf);
    b.code(p.bytes);
    CAPTURE(p.eip);
    const Trap t = b.trap();
    CHECK(t.vector == kDebug);
    CHECK(t.eip == kCode + p.eip);
    CHECK(hits(b) == kBs);
    CHECK(b.state().msr.debug_control == 0);
  }
}

TEST_CASE("DEBUGCTL.LBR: the last branch, and the last before an exception; a debug exception ends it") {
  Bench b;
  b.flat();
  control(b, kLbr);
  SUBCASE("a branch") {
    b.code({0x40, 0xeb, 0x02, 0x90, 0x90, 0x43});
    CHECK(b.run() == Exit::halted);
    CHECK(last_branch(b) == LastBranch{kCode + 1, kCode + 5, 0, 0});
    CHECK(b.state().msr.debug_control == kLbr);
  }
  SUBCASE("one that is not taken") {
    b.code({0x39, 0xc0, 0x75, 0x02});
    CHECK(b.run() == Exit::halted);
    CHECK(last_branch(b) == LastBranch{});
  }
  SUBCASE("a loop, which otherwise runs without a look by the dispatcher") {
    b.set(kEcx, 100);
    b.code({0x40, 0xe2, 0xfd});
    CHECK(b.run() == Exit::halted);
    CHECK(b.reg(kEax) == 100);
    CHECK(last_branch(b) == LastBranch{kCode + 1, kCode, 0, 0});
  }
  SUBCASE("an exception") {
    b.code({0xeb, 0x02, 0x90, 0x90, 0x0f, 0x0b});
    CHECK(b.trap().vector == kInvalidOpcode);
    CHECK(last_branch(b) == LastBranch{kCode + 4, kStubs + 16 * kInvalidOpcode, kCode, kCode + 4});
  }
  SUBCASE("a debug exception") {
    b.code({0xeb, 0x02, 0x90, 0x90, 0x40, 0x40});
    arm(b, 0, kCode + 5, kExecute);
    CHECK(b.trap().vector == kDebug);
    CHECK(last_branch(b) == LastBranch{kCode, kCode + 4, 0, 0});
    CHECK(b.state().msr.debug_control == 0);
  }
  SUBCASE("from the WRMSR on that sets it") {
    control(b, 0);
    b.change([](CpuState& s) {
      s.gpr[kEcx] = 0x1d9;
      s.gpr[kEax] = kLbr;
      s.gpr[kEdx] = 0;
    });
    b.code({0xeb, 0x00, 0x0f, 0x30, 0xeb, 0x00});
    CHECK(b.run() == Exit::halted);
    CHECK(last_branch(b) == LastBranch{kCode + 4, kCode + 6, 0, 0});
  }
}
