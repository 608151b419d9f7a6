// Counting, interrupts, traps, invalid encodings, code that changes, processor models. Intel SDM volumes 2 and 3A.
#include <doctest/doctest.h>

#include "cpu/simd/vector.hpp"
#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

TEST_CASE("an exact run retires that many instructions, iterations of REP included") {
  Bench b;
  b.flat();
  b.change([](CpuState& s) {
    s.gpr[kEdi] = kData;
    s.gpr[kEcx] = 100;
    s.gpr[kEax] = 0x55;
  });
  b.code({0x40, 0xf3, 0xaa, 0x43});
  std::uint64_t before = b.cpu.retired();
  CHECK(b.step(31) == Exit::spent);
  CHECK(b.cpu.retired() - before == 31);
  CHECK(b.reg(kEcx) == 70);
  CHECK(b.reg(kEdi) == kData + 30);
  CHECK(b.eip() == kCode + 1);
  b.step(69);
  CHECK(b.reg(kEcx) == 1);
  CHECK(b.eip() == kCode + 1);
  b.step(1);
  CHECK(b.reg(kEcx) == 0);
  CHECK(b.eip() == kCode + 3);
  CHECK(b.reg(kEbx) == 0);
  b.step(1);
  CHECK(b.reg(kEbx) == 1);
  CHECK(b.cpu.retired() - before == 102);
}

TEST_CASE("single steps and one long run give the same state") {
  const std::initializer_list<unsigned> program{0xb9, 0x40, 0x00, 0x00, 0x00,        // mov ecx, 64
                                                0x01, 0xc8, 0x11, 0xd8, 0x50, 0x5b,  // add, adc, push, pop
                                                0x0f, 0xaf, 0xc1, 0x66, 0x31, 0xc3, 0xe2, 0xf2};
  Bench a, b;
  a.flat();
  b.flat();
  a.code(program);
  b.code(program);
  std::uint64_t steps = 0;
  while (a.step() == Exit::spent && steps < 100000) ++steps;
  b.run();
  for (unsigned r = 0; r < 8; ++r) CHECK(a.reg(r) == b.reg(r));
  CHECK(a.eflags() == b.eflags());
  CHECK(a.cpu.retired() == b.cpu.retired());
}

TEST_CASE("interrupts come between the iterations of REP") {
  Bench b;
  b.flat();
  b.set_flags(kIf);
  b.put(kStubs + 0x200, {0xcf});  // vector 20: iret
  b.change([](CpuState& s) {
    s.gpr[kEsi] = kData;
    s.gpr[kEdi] = kData + 0x1000;
    s.gpr[kEcx] = 50;
  });
  b.code({0xf3, 0xa4});
  b.step(20);
  b.cpu.set_intr(true);
  b.poke<std::uint8_t>(kStubs + 0x200, 0xf4);
  const Trap t = b.trap();
  CHECK(t.vector == 0x20);
  CHECK(t.eip == kCode);
  CHECK(b.reg(kEcx) == 30);
  CHECK(b.bus.acknowledged == 1);
}

TEST_CASE("REP with a count of 0, REPE and REPNE, 16-bit counts") {
  Bench b;
  b.flat();
  b.set_flags(kZf);
  b.code({0xf3, 0xa6, 0xf2, 0xae});
  b.run();
  CHECK((b.eflags() & kZf) != 0);
  b.flat();
  b.put(kData, {'a', 'b', 'c', 'd'});
  b.change([](CpuState& s) {
    s.gpr[kEdi] = kData;
    s.gpr[kEcx] = 10;
    s.gpr[kEax] = 'c';
  });
  b.code({0xf2, 0xae});
  b.run();
  CHECK(b.reg(kEcx) == 7);
  CHECK(b.reg(kEdi) == kData + 3);
  b.flat();
  b.change([](CpuState& s) {
    s.gpr[kEdi] = 0x12340000u | 0xfffe;
    s.gpr[kEcx] = 0x00050004u;
    s.gpr[kEax] = 0x77;
  });
  b.code({0x67, 0xf3, 0xaa});  // 16-bit addresses: DI wraps, CX counts
  b.run();
  CHECK(b.reg(kEcx) == 0x00050000u);
  CHECK(b.reg(kEdi) == 0x12340002u);
  CHECK(b.peek_as<std::uint16_t>(0xfffe) == 0x7777);
  CHECK(b.peek_as<std::uint16_t>(0) == 0x7777);
}

TEST_CASE("port strings and single ports") {
  Bench b;
  b.flat();
  b.bus.scripted[0x1f0] = {0x11, 0x22, 0x33};
  b.change([](CpuState& s) {
    s.gpr[kEdi] = kData;
    s.gpr[kEcx] = 3;
    s.gpr[kEdx] = 0x1f0;
  });
  b.code({0xf3, 0x66, 0x6d, 0xe4, 0x60, 0x66, 0xe7, 0x80});
  b.run();
  CHECK(b.peek_as<std::uint16_t>(kData + 4) == 0x33);
  REQUIRE(b.bus.accesses.size() == 5);
  CHECK(b.bus.accesses[2].width == 2);
  CHECK(b.bus.accesses[3].port == 0x60);
  CHECK(b.bus.accesses[3].width == 1);
  CHECK(b.bus.accesses[4].write);
  CHECK(b.bus.accesses[4].value == 0xff);
}

TEST_CASE("retired() is exact inside a port access of an instruction that runs alone") {
  Bench b;
  b.flat();
  b.set_flags(kTf);
  std::uint64_t inside = 0;
  const std::uint64_t before = b.cpu.retired();
  b.bus.on_access = [&] { inside = b.cpu.retired() - before; };
  b.code({0xe6, 0x80});
  CHECK(b.trap(1000).vector == kDebug);
  CHECK(inside == 0);
}

TEST_CASE("time passes between the accesses of a repeated port instruction, and an interrupt or a break comes between them") {
  const auto start = [](Bench& b, unsigned opcode, std::uint32_t address) {
    b.flat();
    b.set_flags(kIf);
    b.bus.most_in_block = 0;
    b.change([&](CpuState& s) {
      s.gpr[kEsi] = s.gpr[kEdi] = address;
      s.gpr[kEcx] = 5;
      s.gpr[kEdx] = 0x80;
    });
    b.code({0xf3, opcode});
  };
  for (const unsigned opcode : {0x6cu, 0x6eu}) {
    for (const std::uint32_t address : {kData, kData + 0xffe}) {  // within a page, across its end
      CAPTURE(opcode);
      CAPTURE(address);
      Bench timed, interrupted, broken;
      start(timed, opcode, address);
      std::vector<std::uint64_t> times;
      const std::uint64_t before = timed.cpu.retired();
      timed.bus.on_access = [&] { times.push_back(timed.cpu.retired() - before); };
      CHECK(timed.run() == Exit::halted);
      CHECK(times == std::vector<std::uint64_t>{0, 1, 2, 3, 4});

      start(interrupted, opcode, address);
      interrupted.bus.on_access = [&] { interrupted.cpu.set_intr(interrupted.bus.accesses.size() == 3); };
      const Trap t = interrupted.trap();
      CHECK(t.vector == interrupted.bus.vector);
      CHECK(t.eip == kCode);
      CHECK(interrupted.reg(kEcx) == 2);
      CHECK(interrupted.bus.accesses.size() == 3);

      start(broken, opcode, address);
      broken.bus.on_access = [&] { broken.cpu.request_break(); };
      CHECK(broken.cpu.run(100, true) == Exit::broken);
      CHECK(broken.reg(kEcx) == 4);
      CHECK(broken.bus.accesses.size() == 1);
    }
  }
}

TEST_CASE("a repeated instruction that writes over itself goes on as what it has become") {
  Bench b;
  b.flat();
  b.change([](CpuState& s) {
    s.gpr[kEdi] = kCode - 3;
    s.gpr[kEcx] = 10;
    s.gpr[kEax] = 0x90;
  });
  b.code({0xf3, 0xaa, 0x43});
  CHECK(b.run() == Exit::halted);
  CHECK(b.reg(kEcx) == 6);
  CHECK(b.reg(kEdi) == kCode + 2);  // REP has become NOP: STOSB once
  CHECK(b.reg(kEbx) == 1);
}

TEST_CASE("a break requested inside a port access ends the run behind it, retired() is exact there") {
  Bench b;
  b.flat();
  std::uint64_t inside = 0;
  b.bus.on_access = [&] {
    inside = b.cpu.retired();
    b.cpu.request_break();
  };
  b.code({0x90, 0x90, 0xe6, 0x80, 0x43});
  const std::uint64_t before = b.cpu.retired();
  CHECK(b.cpu.run(1000, false) == Exit::broken);
  CHECK(b.eip() == kCode + 4);
  CHECK(b.reg(kEbx) == 0);
  CHECK(inside - before == 2);
  CHECK(b.cpu.retired() - before == 3);
}

TEST_CASE("STI and loads of SS hold interrupts off for one instruction") {
  Bench b;
  b.flat();
  b.cpu.set_intr(true);
  b.code({0xfb, 0x40, 0x43});
  Trap t = b.trap();
  CHECK(t.vector == 0x20);
  CHECK(t.eip == kCode + 2);
  b.flat();
  b.cpu.set_intr(true);
  b.code({0xfb, 0xfa, 0x40});  // STI; CLI: no interrupt at all
  CHECK(b.trap().vector == -1);
  CHECK(b.reg(kEax) == 1);
  b.flat();
  b.set_flags(kIf);
  b.set(kEax, kData0);
  b.code({0x8e, 0xd0, 0xbc, 0, 0x80, 0, 0, 0x43});  // mov ss, ax; mov esp, 8000
  b.step();
  b.cpu.set_intr(true);
  t = b.trap();
  CHECK(t.vector == 0x20);
  CHECK(t.eip == kCode + 7);
  CHECK(b.reg(kEsp) == 0x8000 - 12);
  b.flat();
  b.cpu.set_intr(true);
  b.set_flags(kIf);
  b.code({0xfb, 0x40});  // IF was set before: no shadow, and the interrupt comes first of all
  t = b.trap();
  CHECK(t.eip == kCode);
}

TEST_CASE("HLT waits for an interrupt and goes on behind itself") {
  Bench b;
  b.flat();
  b.set_flags(kIf);
  b.put(kStubs + 0x200, {0xcf});
  b.code({0xf4, 0x40});
  CHECK(b.step(100) == Exit::halted);
  CHECK(b.step(100) == Exit::halted);
  CHECK(b.reg(kEax) == 0);
  b.bus.vector = 0x20;
  b.cpu.set_intr(true);
  b.step(1);
  CHECK(b.bus.acknowledged == 1);
  b.cpu.set_intr(false);
  CHECK(b.run() == Exit::halted);
  CHECK(b.reg(kEax) == 1);
  b.flat();
  b.code({0xf4});
  b.run();
  b.cpu.set_intr(true);  // IF clear: stays
  CHECK(b.run() == Exit::halted);
}

TEST_CASE("the trap flag") {
  Bench b;
  b.flat();
  SUBCASE("one instruction, then DR6.BS; the handler runs without TF") {
    b.set_flags(kTf);
    b.code({0x40, 0x40});
    const Trap t = b.trap();
    CHECK(t.vector == kDebug);
    CHECK(t.eip == kCode + 1);
    CHECK((t.eflags & kTf) != 0);
    CHECK((b.state().dr[6] & 0x4000) != 0);
    CHECK((b.eflags() & kTf) == 0);
  }
  SUBCASE("after each iteration of REP") {
    b.set_flags(kTf);
    b.change([](CpuState& s) {
      s.gpr[kEdi] = kData;
      s.gpr[kEcx] = 3;
    });
    b.code({0xf3, 0xaa});
    const Trap t = b.trap();
    CHECK(t.eip == kCode);
    CHECK(b.reg(kEcx) == 2);
  }
  SUBCASE("POPF that sets it traps after the next instruction") {
    b.code({0x68, 0x00, 0x01, 0, 0, 0x9d, 0x40, 0x40});
    CHECK(b.trap().eip == kCode + 7);
  }
  SUBCASE("not between a load of SS and the next instruction") {
    b.set_flags(kTf);
    b.set(kEax, kData0);
    b.code({0x8e, 0xd0, 0x43, 0x43});
    CHECK(b.trap().eip == kCode + 3);
  }
  SUBCASE("INT clears it without a trap of its own") {
    b.set_flags(kTf);
    b.code({0xcd, 0x40});
    const Trap t = b.trap();
    CHECK(t.vector == 0x40);
    CHECK((t.eflags & kTf) != 0);
  }
  SUBCASE("a fault comes instead of the trap") {
    b.set_flags(kTf);
    b.code({0x0f, 0x0b});
    CHECK(b.trap().vector == kInvalidOpcode);
  }
  SUBCASE("HLT is left") {
    b.set_flags(kTf);
    b.code({0xf4});
    const Trap t = b.trap();
    CHECK(t.vector == kDebug);
    CHECK(t.eip == kCode + 1);
  }
}

TEST_CASE("INT3, INTO, INT1, BOUND") {
  Bench b;
  b.flat();
  b.code({0xcc});
  CHECK(b.trap().eip == kCode + 1);
  b.flat();
  b.set_flags(kOf);
  b.code({0xce});
  Trap t = b.trap();
  CHECK(t.vector == kOverflow);
  CHECK(t.eip == kCode + 1);
  b.flat();
  b.code({0xce});
  CHECK(b.trap().vector == -1);
  b.flat(3);
  b.code({0xf1});
  t = b.trap();
  CHECK(t.vector == kDebug);
  CHECK(t.eip == kCode + 1);
  for (const std::int32_t index : {-6, -5, 0, 7, 8}) {
    b.flat();
    b.poke<std::int32_t>(kData, -5);
    b.poke<std::int32_t>(kData + 4, 7);
    b.set(kEax, static_cast<std::uint32_t>(index));
    b.code({0x62, 0x05, 0, 0, 3, 0});
    t = b.trap();
    CHECK(t.vector == (index < -5 || index > 7 ? int{kBoundRange} : -1));
    if (t.vector >= 0) CHECK(t.eip == kCode);
  }
}

TEST_CASE("invalid encodings raise #UD at the instruction") {
  const std::initializer_list<unsigned> kInvalid[] = {
      {0xf0, 0x90},              // LOCK where it may not be
      {0xf0, 0x01, 0xc0},        // LOCK on a register
      {0xf0, 0x39, 0x03},        // LOCK CMP
      {0xf0, 0x8b, 0x03},        // LOCK MOV
      {0xf0, 0x0f, 0xa3, 0x03},  // LOCK BT
      {0x0f, 0xff}, {0x0f, 0x0b}, {0x0f, 0xb9, 0xc0}, {0xff, 0xf8}, {0xfe, 0xd0}, {0xc6, 0xc8}, {0x8f, 0xc8}, {0x8d, 0xc0}, {0xc5, 0xc0},
      {0xc4, 0xc0}, {0x62, 0xc0}, {0xff, 0xd8}, {0xff, 0xe8}, {0x0f, 0xba, 0xc0}, {0x0f, 0x01, 0xc0}, {0x0f, 0xc7, 0xc8}, {0x0f, 0x00, 0xf0},
      {0x0f, 0x05}, {0x0f, 0xaa}, {0x0f, 0x20, 0xc8}, {0x0f, 0xb2, 0xc0}};
  for (const auto& bytes : kInvalid) {
    Bench b;
    b.flat();
    b.code(bytes);
    const Trap t = b.trap();
    CAPTURE(*bytes.begin());
    CAPTURE(*(bytes.begin() + 1));
    CHECK(t.vector == kInvalidOpcode);
    CHECK(t.eip == kCode);
  }
  for (const auto& bytes : {std::initializer_list<unsigned>{0xf0, 0x01, 0x03}, {0xf0, 0x0f, 0xb1, 0x0b}, {0xf0, 0x87, 0x0b}, {0xf0, 0xff, 0x03}, {0xf0, 0x0f, 0xc7, 0x0b}, {0xf0, 0xf7, 0x1b}, {0xf0, 0x0f, 0xab, 0x0b}}) {
    Bench b;
    b.flat();
    b.set(kEbx, kData);
    b.code(bytes);
    CHECK(b.trap().vector == -1);
  }
}

TEST_CASE("15 bytes are an instruction, 16 are #GP") {
  for (const unsigned prefixes : {14u, 15u}) {
    Bench b;
    b.flat();
    for (unsigned i = 0; i < prefixes; ++i) b.put(kCode + i, {0x3e});
    b.put(kCode + prefixes, {0x40, 0xf4});
    const Trap t = b.trap();
    CHECK(t.vector == (prefixes == 14 ? -1 : int{kGeneralProtection}));
    CHECK(b.reg(kEax) == (prefixes == 14 ? 1 : 0));
  }
}

TEST_CASE("code that changes itself") {
  Bench b;
  b.flat();
  SUBCASE("the next instruction") {
    b.code({0xc6, 0x05, 0x07, 0x00, 0x02, 0x00, 0x43, 0x40});  // mov byte [kCode+7], 43 (inc ebx)
    b.run();
    CHECK(b.reg(kEbx) == 1);
    CHECK(b.reg(kEax) == 0);
  }
  SUBCASE("a later instruction of a loop that has run") {
    // mov ecx, 2; L: inc eax; mov byte [L], 43; loop L
    b.code({0xb9, 2, 0, 0, 0, 0x40, 0xc6, 0x05, 0x05, 0x00, 0x02, 0x00, 0x43, 0xe2, 0xf6});
    b.run();
    CHECK(b.reg(kEax) == 1);
    CHECK(b.reg(kEbx) == 1);
  }
  SUBCASE("in another page") {
    b.put(0x40000, {0x40, 0xc3});
    // call 40000; mov byte [40000], 43; call 40000
    b.code({0xe8, 0xfb, 0xff, 0x01, 0x00, 0xc6, 0x05, 0x00, 0x00, 0x04, 0x00, 0x43, 0xe8, 0xef, 0xff, 0x01, 0x00});
    b.run();
    CHECK(b.reg(kEax) == 1);
    CHECK(b.reg(kEbx) == 1);
  }
  SUBCASE("through another mapping") {
    b.enable_paging();
    b.map(0x50000, 0x40000 | 7);
    b.put(0x40000, {0x40, 0xc3});
    b.code({0xe8, 0xfb, 0xff, 0x01, 0x00, 0xc6, 0x05, 0x00, 0x00, 0x05, 0x00, 0x43, 0xe8, 0xef, 0xff, 0x01, 0x00});
    b.run();
    CHECK(b.reg(kEax) == 1);
    CHECK(b.reg(kEbx) == 1);
  }
  SUBCASE("by a string instruction over itself") {
    // mov ecx, 8; mov edi, kCode + 12; mov al, 43; rep stosb; then 8 bytes of inc eax
    b.code({0xb9, 8, 0, 0, 0, 0xbf, 0x0e, 0x00, 0x02, 0x00, 0xb0, 0x43, 0xf3, 0xaa, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40});
    b.run();
    CHECK(b.reg(kEbx) == 8);
  }
  SUBCASE("an invalid encoding that is completed in the next line of the page") {
    b.put(kCode + 0x3f, {0x0f, 0xff, 0xc8, 0xf4});
    b.go(kCode + 0x3f);
    CHECK(b.trap().vector == kInvalidOpcode);
    // From inside the guest: mov byte [kCode+40], c8 (bswap eax)
    b.change([](CpuState& s) {
      s.halted = 0;
      s.gpr[kEax] = 0x11223344;
      s.eip = kData;
    });
    b.put(kData, {0xc6, 0x05, 0x40, 0x00, 0x02, 0x00, 0xc8, 0xe9, 0x33, 0x00, 0xff, 0xff});
    b.step(3);
    CHECK(b.reg(kEax) == 0x44332211);
  }
}

TEST_CASE("a long loop of any handler stays on the host's stack") {
  // Handlers that would call instead of jump overflow it within a fraction of this run.
  constexpr std::int64_t kLong = 3'000'000;
  const std::initializer_list<unsigned> kBodies[] = {
      {0x64, 0x8b, 0x03},        // mov eax, fs:[ebx]
      {0x64, 0x01, 0x03},        // add fs:[ebx], eax
      {0x64, 0x0f, 0xb1, 0x0b},  // cmpxchg fs:[ebx], ecx
      {0x67, 0x8b, 0x07},        // mov eax, [bx]
      {0x60, 0x61},              // pusha; popa
      {0xc8, 4, 0, 1, 0xc9},     // enter; leave
      {0x1e, 0x1f},              // push ds; pop ds
      {0xd9, 0xee, 0xdd, 0xd8},  // fldz; fstp st0
      {0xd9, 0xee, 0xdd, 0x1b},  // fldz; fstp qword [ebx]
      {0xdb, 0x2b, 0xdb, 0x3b},  // fld, fstp tbyte [ebx]
      {0xdf, 0xe0},              // fnstsw ax
      {0x8c, 0xd8, 0x8e, 0xd8},  // mov eax, ds; mov ds, eax
      {0xa4, 0x4e, 0x4f},        // movsb
      {0x0f, 0xa2},              // cpuid
      {0x0f, 0x31},              // rdtsc
      {0x0f, 0x20, 0xc0},        // mov eax, cr0
      {0xff, 0x73, 0x00, 0x8f, 0x43, 0x04},
      {0x9c, 0x9d},
  };
  for (const auto& body : kBodies) {
    Bench b;
    b.flat();
    b.change([](CpuState& s) {
      s.gpr[kEbx] = kData & 0xffff;
      s.gpr[kEsi] = s.gpr[kEdi] = kData;
    });
    b.put(kCode - 2, {0xdb, 0xe3});  // fninit
    b.go(kCode - 2);
    b.put(kCode, body);
    const auto back = static_cast<unsigned>(0xfe - body.size());
    b.put(kCode + static_cast<std::uint32_t>(body.size()), {0xeb, back});
    CAPTURE(*body.begin());
    CHECK(b.cpu.run(kLong, true) == Exit::spent);
    CHECK(b.cpu.exceptions() == 0);
  }
}

TEST_CASE("the jslinux model has no x87, CMPXCHG8B, MSRs or SYSENTER") {
  Bench b{Model::jslinux};
  b.flat();
  b.set(kEax, 0x1234);
  b.code({0xdb, 0xe3, 0xdf, 0xe0, 0xd9, 0x3d, 0, 0, 3, 0});  // fninit; fnstsw ax; fnstcw [kData]
  CHECK(b.run() == Exit::halted);
  CHECK((b.reg(kEax) & 0xffff) == 0xffff);
  CHECK(b.peek_as<std::uint16_t>(kData) == 0xffff);
  for (const auto& bytes : {std::initializer_list<unsigned>{0x0f, 0xc7, 0x0b}, {0x0f, 0x32}, {0x0f, 0x34}, {0x0f, 0x1f, 0xc0}}) {
    b.flat();
    b.set(kEbx, kData);
    b.code(bytes);
    CHECK(b.trap().vector == kInvalidOpcode);
  }
}

TEST_CASE("#NM by CR0.TS and CR0.EM, FWAIT by MP and TS together") {
  for (const std::uint32_t bit : {kCr0Ts, kCr0Em}) {
    Bench b;
    b.flat();
    b.change([&](CpuState& s) { s.cr0 |= bit; });
    b.code({0xd9, 0xe8});
    const Trap t = b.trap();
    CHECK(t.vector == kDeviceNotAvailable);
    CHECK(t.eip == kCode);
  }
  Bench b;
  b.flat();
  b.change([](CpuState& s) { s.cr0 |= kCr0Ts; });
  b.code({0x9b});
  CHECK(b.trap().vector == -1);
  b.flat();
  b.change([](CpuState& s) { s.cr0 |= kCr0Ts | kCr0Mp; });
  b.code({0x9b});
  CHECK(b.trap().vector == kDeviceNotAvailable);
  b.flat();
  b.change([](CpuState& s) { s.cr0 |= kCr0Ts; });
  b.code({0x0f, 0x06, 0xd9, 0xe8});
  CHECK(b.trap().vector == -1);
}

TEST_CASE("an unmasked x87 error waits for the next waiting instruction: #MF with NE, FERR# without") {
  Bench b;
  b.flat();
  b.poke<std::uint16_t>(kData, 0x037b);  // zero divide not masked
  // fninit; fldcw [kData]; fld1; fldz; fdivp; nop; fwait
  b.code({0xdb, 0xe3, 0xd9, 0x2d, 0, 0, 3, 0, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0x90, 0x9b});
  const Trap t = b.trap();
  CHECK(t.vector == kFpuError);
  CHECK(t.eip == kCode + 15);
  Bench c;
  c.flat();
  c.change([](CpuState& s) { s.cr0 &= ~kCr0Ne; });
  c.poke<std::uint16_t>(kData, 0x037b);
  c.code({0xdb, 0xe3, 0xd9, 0x2d, 0, 0, 3, 0, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0x90, 0x9b});
  CHECK(c.step(1000) == Exit::spent);
  CHECK(c.bus.ferr == 1);
  CHECK(c.eip() == kCode + 15);
}

TEST_CASE("RDTSC, CR4.TSD and the MSRs") {
  Bench b;
  b.flat(3);
  b.code({0x0f, 0x31, 0xeb, 0xfe});
  b.step(2);
  CHECK(b.reg(kEax) == 0x55667788);
  CHECK(b.reg(kEdx) == 0x11223344);
  b.flat(3);
  b.change([](CpuState& s) { s.cr4 = kCr4Tsd; });
  b.code({0x0f, 0x31});
  CHECK(b.trap().vector == kGeneralProtection);
  b.flat();
  b.change([](CpuState& s) {
    s.gpr[kEcx] = 0x10;
    s.gpr[kEax] = 100;
    s.gpr[kEdx] = 0;
  });
  b.code({0x0f, 0x30, 0x0f, 0x31});
  b.run();
  CHECK(b.reg(kEax) == 100);
  b.flat();
  b.change([](CpuState& s) {
    s.gpr[kEcx] = 0x176;
    s.gpr[kEax] = 0xabcd;
  });
  b.code({0x0f, 0x30, 0x31, 0xc0, 0x0f, 0x32});
  b.run();
  CHECK(b.reg(kEax) == 0xabcd);
  b.flat();
  b.change([](CpuState& s) {
    s.gpr[kEcx] = 0xc2;
    s.gpr[kEax] = 0xffff0000u;
  });
  b.code({0x0f, 0x30, 0x31, 0xc0, 0x0f, 0x32, 0x89, 0xc6, 0xb9, 1, 0, 0, 0, 0x0f, 0x33});  // WRMSR; RDMSR; RDPMC
  b.run();
  CHECK(b.reg(kEsi) == 0xffff0000u);
  CHECK(b.reg(kEax) == 0xffff0000u);
  CHECK(b.reg(kEdx) == 0xff);
  b.flat();
  b.set(kEcx, 2);
  b.code({0x0f, 0x33});
  CHECK(b.trap().vector == kGeneralProtection);
  b.flat();
  b.set(kEcx, 0x12345);
  b.code({0x0f, 0x32});
  CHECK(b.trap().vector == kGeneralProtection);
}

TEST_CASE("control registers: what cannot be set") {
  struct Probe {
    unsigned reg;
    std::uint32_t value;
  };
  for (const Probe& p : {Probe{0, kCr0Pg}, Probe{0, kCr0Pe | kCr0Nw}, Probe{4, 1u << 20}, Probe{4, 1u << 11}}) {
    Bench b;
    b.flat();
    b.set(kEax, p.value);
    b.code({0x0f, 0x22, 0xc0 | p.reg << 3});
    const Trap t = b.trap();
    CHECK(t.vector == kGeneralProtection);
    CHECK(t.error == 0);
  }
  Bench b;
  b.flat();
  b.code({0x0f, 0x22, 0xc8});
  CHECK(b.trap().vector == kInvalidOpcode);
  b.flat();
  b.change([](CpuState& s) { s.cr4 = kCr4De; });
  b.code({0x0f, 0x23, 0xe0});
  CHECK(b.trap().vector == kInvalidOpcode);
  b.flat();
  b.set(kEax, 0xffffffffu);
  b.code({0x0f, 0x23, 0xf0, 0x0f, 0x21, 0xe3});  // mov dr6, eax; mov ebx, dr4
  b.run();
  CHECK(b.reg(kEbx) == 0xffffefffu);
}

TEST_CASE("faults restart with RF set, interrupts and traps without") {
  Bench b;
  b.flat();
  b.code({0x0f, 0x0b});
  CHECK((b.trap().eflags & kRf) != 0);
  b.flat();
  b.code({0xcc});
  CHECK((b.trap().eflags & kRf) == 0);
}
