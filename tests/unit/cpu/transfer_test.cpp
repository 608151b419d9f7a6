// STI, POPF, IRET, SYSENTER, SYSEXIT and loads of segments go on to the next block by themselves where nothing has to be looked at first. A program
// whose blocks are known is run to every length and must stand where it stands after as many single steps.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/state_visitor.hpp"
#include "cpu_fixture.hpp"

namespace tuxarium::tests {
namespace {

constexpr unsigned kRaise = 0x20, kLower = 0x21;  // ports that move the INTR pin

/// The state with the flags computed: how they are kept is nobody's business.
std::uint64_t digest(const Bench& b) {
  CpuState s = b.state();
  const std::uint32_t flags = get_eflags(s);
  s.flag_result = 0;
  s.flag_carries = flags;
  base::HashVisitor hash;
  s.visit_state(hash);
  for (std::uint32_t at = 0x8000; at < 0xb000; at += 4) {
    std::uint32_t word = b.peek(at);
    hash(word);
  }
  return hash.digest();
}

template <class SetUp>
void set_up_with_bus(Bench& b, SetUp set_up) {
  set_up(b);
  b.bus.on_access = [&b] { b.cpu.set_intr(b.bus.accesses.back().port == kRaise); };
}

/// A bench that has run its program twice and stands at the start again.
class WarmBench {
 public:
  template <class SetUp>
  WarmBench(SetUp set_up, std::int64_t steps) {
    set_up_with_bus(bench, set_up);
    start_ = bench.state();
    memory_.assign(bench.ram.data(), bench.ram.data() + bench.ram.size());
    for (int i = 0; i < 2; ++i) {
      bench.cpu.run(steps, true);
      again();
    }
  }
  void again() {
    bench.cpu.set_intr(false);
    std::copy(memory_.begin(), memory_.end(), bench.ram.data());
    bench.cpu.set_state(start_);
  }

  Bench bench;

 private:
  CpuState start_;
  std::vector<std::byte> memory_;
};

void check_same(const Bench& warm, const Bench& stepped) {
  CHECK(warm.eip() == stepped.eip());
  CHECK(warm.eflags() == stepped.eflags());
  CHECK(warm.reg(kEsp) == stepped.reg(kEsp));
  REQUIRE(digest(warm) == digest(stepped));
}

/// Compares run(n) with n single steps for all n up to `steps`.
template <class SetUp>
void compare(SetUp set_up, std::int64_t steps) {
  Bench stepped;
  set_up_with_bus(stepped, set_up);
  WarmBench warm{set_up, steps};
  for (std::int64_t n = 1; n <= steps; ++n) {
    stepped.step();
    warm.bench.cpu.run(n, true);
    CAPTURE(n);
    check_same(warm.bench, stepped);
    warm.again();
  }
}

/// The same at the program's end alone: where traps are taken, whose delivery counts as an instruction in a longer run.
template <class SetUp>
void compare_ends(SetUp set_up) {
  constexpr std::int64_t kMost = 1000;
  Bench stepped;
  set_up_with_bus(stepped, set_up);
  WarmBench warm{set_up, kMost};
  for (std::int64_t n = 0; n < kMost && !stepped.cpu.halted(); ++n) stepped.step();
  REQUIRE(stepped.cpu.halted());
  warm.bench.cpu.run(kMost, true);
  check_same(warm.bench, stepped);
}

/// Vector 0x20 lowers INTR and returns.
void interrupt_handler(Bench& b) { b.put(kStubs + 0x200, {0x43, 0xe6, kLower, 0xcf}); }

}  // namespace

TEST_CASE("STI: the instruction after it comes before an interrupt that waits, or that it raises itself") {
  for (const bool before : {true, false}) {
    compare(
        [&](Bench& b) {
          b.flat();
          interrupt_handler(b);
          b.set(kEcx, 4);
          const unsigned raise = before ? 0xe6 : 0x90, raise_port = before ? kRaise : 0x90;
          const unsigned later = before ? 0x90 : 0xe6, later_port = before ? 0x90 : kRaise;
          // cli; (out); sti; inc eax / out; inc edx; loop
          b.code({0xfa, raise, raise_port, 0x40, 0xfb, later, later_port, 0x42, 0xe2, 0xf6});
        },
        90);
  }
}

TEST_CASE("STI at the end of the budget holds an interrupt back for one instruction") {
  Bench b;
  b.flat();
  b.code({0xfb, 0x40, 0x43});
  for (int round = 0; round < 3; ++round) {
    b.flat();
    b.step(1);
    b.cpu.set_intr(true);
    const Trap t = b.trap();
    CHECK(t.vector == 0x20);
    CHECK(t.eip == kCode + 2);
  }
}

TEST_CASE("POPF: an interrupt that waits comes at once") {
  compare(
      [](Bench& b) {
        b.flat();
        b.set_flags(kIf);
        interrupt_handler(b);
        b.set(kEcx, 4);
        // pushf; cli; out; inc eax; popf; inc edx; pushf; popf; loop
        b.code({0x9c, 0xfa, 0xe6, kRaise, 0x40, 0x9d, 0x42, 0x9c, 0x9d, 0xe2, 0xf5});
      },
      90);
}

TEST_CASE("POPF of level 3 changes neither IF nor IOPL") {
  compare(
      [](Bench& b) {
        b.flat(3);
        b.set(kEcx, 3);
        b.code({0x68, 0x00, 0x32, 0x00, 0x00, 0x9d, 0x40, 0xe2, 0xf7});
      },
      16);
}

TEST_CASE("POPF and IRET that set TF: the trap comes after the next instruction") {
  compare_ends(
      [](Bench& b) {
        b.flat();
        b.put(kStubs + 0x10, {0x42, 0xcf});  // vector 1: inc edx; iret
        b.set(kEcx, 3);
        // pushf; or dword [esp], 0x100; popf; inc eax; inc eax; pushf; and dword [esp], ~0x100; popf; inc ebx; loop
        b.code({0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9d, 0x40, 0x40, 0x9c, 0x81, 0x24, 0x24, 0xff, 0xfe, 0xff, 0xff, 0x9d, 0x43, 0xe2,
                0xe9});
      });
}

TEST_CASE("INT and IRET between levels, with other data segments on the way and an interrupt that waits for level 3") {
  for (const bool limited : {false, true}) {
    compare(
        [&](Bench& b) {
          b.flat(3);
          b.set_flags(kIf);
          interrupt_handler(b);
          b.gdt(kFreeEntry, descriptor(0x100, 0x3ffff, kDataAccess, kBig));
          const unsigned data = limited ? kFreeEntry : kData0;
          // push ds, es, fs; mov esi, data; mov ds, es, fs, esi; mov ebp, [kData]; out; pop fs, es, ds; iret
          b.put(kStubs + 0x800, {0x1e, 0x06, 0x0f, 0xa0, 0xbe, data, 0, 0, 0, 0x8e, 0xde, 0x8e});
          b.put(kStubs + 0x80c, {0xc6, 0x8e, 0xe6, 0x8b, 0x2d, 0, 0, 3, 0, 0xe6, kRaise, 0x0f, 0xa1, 0x07, 0x1f, 0xcf});
          b.poke<std::uint32_t>(kData, 0x11111111);
          b.poke<std::uint32_t>(kData + 0x100, 0x22222222);
          b.set(kEcx, 4);
          b.code({0x40, 0xcd, 0x80, 0x42, 0xe2, 0xfa});
        },
        100);
  }
}

TEST_CASE("SYSENTER and SYSEXIT in a loop: the mode goes with the segments") {
  for (const bool limited : {false, true}) {
    compare(
        [&](Bench& b) {
          b.flat(3);
          b.gdt(kFreeEntry, descriptor(0, 0x3ffff, kDataAccess | kLevel3, kBig));
          b.change([&](CpuState& s) {
            if (limited) s.segment[kDs] = b.load(kFreeEntry | 3);
            s.sysenter_cs = kCode0;
            s.sysenter_esp = 0x9000;
            s.sysenter_eip = kCode + 0x1100;
            s.gpr[kEsi] = 4;
          });
          // mov ebp, [kData]; mov ecx, esp; mov edx, return; sysexit
          b.put(kCode + 0x1100, {0x8b, 0x2d, 0, 0, 3, 0, 0x89, 0xd9, 0xba, 0x08, 0x00, 0x02, 0x00, 0x0f, 0x35});
          b.poke<std::uint32_t>(kData, 0x11111111);
          b.set(kEbx, 0xb000);
          // inc eax; push eax; sysenter; nops; (return:) mov edi, [kData]; dec esi; jnz; ud2
          b.code({0x40, 0x50, 0x0f, 0x34, 0x90, 0x90, 0x90, 0x90, 0x8b, 0x3d, 0, 0, 3, 0, 0x4e, 0x75, 0xef, 0x0f, 0x0b});
        },
        60);
  }
}

TEST_CASE("IRET with RF steps over an instruction breakpoint once") {
  compare(
      [](Bench& b) {
        b.flat();
        b.put(kStubs + 0x10, {0x42, 0x80, 0x4c, 0x24, 0x0a, 0x01, 0xcf});  // vector 1: inc edx; or byte [esp + 10], 1; iret
        b.change([](CpuState& s) {
          s.dr[0] = kCode + 1;
          s.dr[7] = 0x401;
          s.gpr[kEcx] = 3;
        });
        b.code({0x40, 0x43, 0x40, 0xe2, 0xfb});
      },
      30);
}

TEST_CASE("IRET to a segment that has gone, and out of a nested task without one") {
  // Vector 0x80 takes the present bit of level 3's code segment at the third call.
  compare(
      [](Bench& b) {
        b.flat(3);
        b.put(kStubs + 0x800, {0x49, 0x75, 0x07, 0x36, 0x80, 0x25, 0x1d, 0x10, 0, 0});
        b.put(kStubs + 0x80a, {0x7f, 0xcf});
        b.set(kEcx, 3);
        b.code({0x40, 0xcd, 0x80, 0xeb, 0xfb});
      },
      24);
  compare(
      [](Bench& b) {
        b.flat();
        b.set(kEcx, 3);
        // L: pushf; push cs; push M; dec ecx; jnz N; pushf; or dword [esp], NT; popf; N: iret; M: jmp L
        b.code({0x9c, 0x0e, 0x68, 0x16, 0x00, 0x02, 0x00, 0x49, 0x75, 0x09, 0x9c, 0x81, 0x0c, 0x24, 0x00, 0x40, 0x00, 0x00, 0x9d, 0x90, 0x90, 0xcf,
                0xeb, 0xe8});
      },
      40);
}

TEST_CASE("PUSH and POP of segments and flags at an absent page change nothing") {
  for (const unsigned opcode : {0x1eu, 0x07u, 0x9cu, 0x9du}) {
    CAPTURE(opcode);
    const bool pushes = opcode == 0x1e || opcode == 0x9c;
    Bench b;
    for (int round = 0; round < 2; ++round) {
      b.flat(3);
      b.enable_paging();
      b.map(0x7000, 0);
      b.set(kEsp, pushes ? 0x8000 : 0x7ff0);
      b.code({opcode});
      const Trap t = b.trap();
      CHECK(t.vector == kPageFault);
      CHECK(t.error == (pushes ? 6u : 4u));
      CHECK(t.eip == kCode);
      CHECK(t.esp == (pushes ? 0x8000u : 0x7ff0u));
      CHECK(b.state().cr2 == (pushes ? 0x7ffcu : 0x7ff0u));
      CHECK(b.selector(kEs) == kData3);
    }
  }
}

TEST_CASE("a load of FS leaves flat addressing alone, a load of DS or ES does not") {
  compare(
      [](Bench& b) {
        b.flat();
        b.gdt(kFreeEntry, descriptor(0x1000, 0x2fff, kDataAccess, kBig));
        b.poke<std::uint32_t>(0x2800, 0x33333333);
        b.poke<std::uint32_t>(0x1800, 0x44444444);
        b.set(kEcx, 4);
        // mov esi, free; mov fs, esi; mov eax, [0x1800]; mov ds, esi; mov edx, [0x1800]; mov esi, data; mov ds, esi; mov eax, [0x1800]; loop; hlt
        b.code({0xbe, kFreeEntry, 0, 0, 0, 0x8e, 0xe6, 0xa1, 0, 0x18, 0, 0, 0x8e, 0xde, 0x8b, 0x15, 0, 0x18, 0, 0,
                0xbe, kData0, 0, 0, 0, 0x8e, 0xde, 0xa1, 0, 0x18, 0, 0, 0xe2, 0xde});
      },
      50);
}

}  // namespace tuxarium::tests
