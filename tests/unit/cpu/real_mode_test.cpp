// Real mode: addresses, limits, far transfers, interrupts, the way into protected mode. Intel SDM volume 3B, chapter 20.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

TEST_CASE("after reset the first instruction is fetched from the ROM below 4 GiB") {
  Bench b;
  std::vector<std::byte> rom(4096, std::byte{0x90});
  rom[4096 - 16] = std::byte{0xb0};  // mov al, 0x5a
  rom[4096 - 15] = std::byte{0x5a};
  b.cpu.map_rom(rom);
  b.cpu.reset();
  b.step();
  CHECK((b.reg(kEax) & 0xff) == 0x5a);
  CHECK(b.eip() == 0xfff2);
  b.cpu.map_rom({});
}

TEST_CASE("an offset wraps in 16 bits, an address does not wrap at 1 MiB") {
  Bench b;
  b.real_mode();
  b.change([](CpuState& s) {
    s.gpr[kEbx] = 0xfff0;
    s.gpr[kEsi] = 0x20;
    s.segment[kEs].base = 0xffff0;
    s.segment[kEs].selector = 0xffff;
  });
  b.poke<std::uint8_t>(kData + 0x10, 0x77);
  b.poke<std::uint8_t>(0x100010, 0x88);
  b.code({0x8a, 0x00, 0x26, 0x8a, 0x26, 0x20, 0x00});  // mov al, [bx+si]; mov ah, es:[0x20]
  b.run();
  CHECK((b.reg(kEax) & 0xffff) == 0x8877);
}

TEST_CASE("a word at offset FFFF is beyond the limit: vector 13, on the stack 12") {
  Bench b;
  b.real_mode();
  b.code({0xa1, 0xff, 0xff});
  const Trap t = b.trap();
  CHECK(t.vector == kGeneralProtection);
  CHECK(t.eip == 0);
  CHECK(t.cs == kCode >> 4);
  b.real_mode();
  b.set(kEbp, 0xffff);
  b.code({0x8b, 0x46, 0x00});
  CHECK(b.trap().vector == kStackFault);
}

TEST_CASE("far jump, call, return in real mode") {
  Bench b;
  b.real_mode();
  b.put(0x40000, {0xb1, 0x07, 0xcb});        // mov cl, 7; retf
  b.code({0x9a, 0x00, 0x00, 0x00, 0x40});    // call 4000:0
  CHECK(b.step() == Exit::spent);
  CHECK(b.selector(kCs) == 0x4000);
  CHECK(b.peek(0x8ffc) == ((kCode >> 4) << 16 | 5));
  CHECK(b.run() == Exit::halted);
  CHECK(b.selector(kCs) == kCode >> 4);
  CHECK(b.eip() == 6);
  CHECK((b.reg(kEcx) & 0xff) == 7);
  CHECK(b.reg(kEsp) == 0x9000);
  b.real_mode();
  b.poke<std::uint32_t>(kData + 8, 0x40000001u);
  b.code({0xff, 0x2e, 0x08, 0x00});  // jmp far [8]
  b.step();
  CHECK(b.selector(kCs) == 0x4000);
  CHECK(b.eip() == 1);
}

TEST_CASE("INT pushes FLAGS, CS, IP and clears IF and TF, IRET undoes it") {
  Bench b;
  b.real_mode();
  b.set_flags(kIf | kCf | kDf);
  b.poke<std::uint32_t>(0x42 * 4, 0x40000000u);
  b.put(0x40000, {0xcf});
  b.code({0xcd, 0x42});
  b.step(2);  // INT retires with the delivery; one more would be the IRET
  CHECK(b.eip() == 2);
  CHECK(b.selector(kCs) == kCode >> 4);
  CHECK((b.eflags() & (kIf | kCf | kDf)) == (kIf | kCf | kDf));
  b.real_mode();
  b.poke<std::uint8_t>(kStubs + 0x42 * 16, 0xf4);
  b.set_flags(kIf | kCf);
  b.poke<std::uint32_t>(0x42 * 4, kStubs + 0x42 * 16);
  b.code({0xcd, 0x42});
  const Trap t = b.trap();
  CHECK(t.vector == 0x42);
  CHECK(t.eip == 2);
  CHECK((t.eflags & (kIf | kCf)) == (kIf | kCf));
  CHECK((b.eflags() & (kIf | kTf)) == 0);
}

TEST_CASE("an interrupt vector outside the IDT's limit ends in shut-down in real mode when 8 is outside as well") {
  Bench b;
  b.real_mode();
  b.change([](CpuState& s) { s.idtr.limit = 3; });
  b.code({0xcd, 0x42});
  CHECK(b.run() == Exit::shut_down);
}

TEST_CASE("PUSH and POP wrap at the end of a 16-bit stack") {
  Bench b;
  b.real_mode();
  b.set(kEsp, 0xabcd0000u);
  b.set(kEax, 0x1234);
  b.code({0x50});
  b.step();
  CHECK(b.reg(kEsp) == 0xabcdfffeu);
  CHECK(b.peek_as<std::uint16_t>(0xfffe) == 0x1234);
  b.code({0x5b});
  b.step();
  CHECK(b.reg(kEsp) == 0xabcd0000u);
  CHECK((b.reg(kEbx) & 0xffff) == 0x1234);
}

TEST_CASE("into protected mode and back: the far jump loads CS, unreal segments keep their limit") {
  Bench b;
  b.real_mode();
  // mov eax, cr0; or al, 1; mov cr0, eax; jmp dword 8:kCode+0x100
  b.code({0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0x66, 0xea, 0x00, 0x01, 0x02, 0x00, 0x08, 0x00});
  // mov ax, 10; mov ds, ax; mov eax, cr0; and al, fe; mov cr0, eax; jmp 2000:200 (16-bit operand)
  b.put(kCode + 0x100, {0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8, 0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, 0x66, 0xea, 0x00, 0x02, 0x00, 0x20});
  // xor ax, ax; mov ds, ax; mov eax, [dword 0x100000] with a 32-bit address
  b.put(kCode + 0x200, {0x31, 0xc0, 0x8e, 0xd8, 0x67, 0x66, 0xa1, 0x00, 0x00, 0x10, 0x00, 0xf4});
  b.poke<std::uint32_t>(0x100000, 0xfeedf00du);
  b.step(4);
  CHECK(b.selector(kCs) == kCode0);
  CHECK(b.eip() == kCode + 0x100);
  CHECK(b.cpu.code_is_32bit());
  b.step(6);
  CHECK(b.selector(kCs) == 0x2000);
  // The code segment's D bit outlives the jump in real mode on real processors as well; the test sets it back as software does.
  if (b.cpu.code_is_32bit()) {
    b.change([](CpuState& s) { s.segment[kCs].access &= ~kAccessDb; });
  }
  b.run();
  CHECK(b.reg(kEax) == 0xfeedf00du);
}

TEST_CASE("protected-mode instructions are undefined in real mode") {
  for (const auto& bytes : {std::initializer_list<unsigned>{0x0f, 0x00, 0xc0}, {0x0f, 0x00, 0xd8}, {0x0f, 0x02, 0xc0}, {0x63, 0xc0}, {0x0f, 0x00, 0xe0}}) {
    Bench b;
    b.real_mode();
    b.code(bytes);
    CHECK(b.trap().vector == kInvalidOpcode);
  }
}
