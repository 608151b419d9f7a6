#include <tuxarium/inspect.hpp>

#include <array>
#include <vector>

#include "unit/machine/rom_program.hpp"

using namespace tuxarium;
using namespace std::chrono_literals;

TEST_CASE("the reset state is the processor's") {
  const auto machine = test::rom_machine({0xf4});
  const Registers r = Inspector{*machine}.registers();
  CHECK(r.eip == 0xfff0);
  CHECK(r.segment[1].selector == 0xf000);
  CHECK(r.segment[1].base == 0xffff0000u);
  CHECK(r.eflags == 2);
  CHECK((r.cr0 & 1) == 0);
}

TEST_CASE("a step retires one instruction") {
  const auto machine = test::rom_machine({0x40, 0x40, 0xf3, 0xaa, 0xf4});  // inc ax; inc ax; rep stosb
  Inspector inspector{*machine};
  CHECK(inspector.step().cycles == 1);  // the far jump
  CHECK(inspector.registers().eip == 0);
  CHECK(inspector.registers().segment[1].base == 0xf0000);
  inspector.step();
  CHECK(inspector.registers().gpr[0] == 1);
  inspector.step();
  CHECK(inspector.registers().gpr[0] == 2);
  SUBCASE("or one iteration of a repeated one") {
    Registers r = inspector.registers();
    r.gpr[1] = 3;
    r.gpr[7] = 0x600;
    inspector.set_registers(r);
    for (unsigned left : {2u, 1u}) {
      inspector.step();
      CHECK(inspector.registers().gpr[1] == left);
      CHECK(inspector.registers().eip == 2);
    }
    inspector.step();
    CHECK(inspector.registers().gpr[1] == 0);
    CHECK(inspector.registers().gpr[7] == 0x603);
    CHECK(inspector.registers().eip == 4);
  }
}

TEST_CASE("registers are set as they are given") {
  const auto machine = test::rom_machine({0xf4});
  Inspector inspector{*machine};
  Registers r = inspector.registers();
  for (std::size_t i = 0; i < 8; ++i) r.gpr[i] = static_cast<std::uint32_t>(0x11111111 * i);
  r.eflags = 0x8d7;
  r.cr2 = 0x1234;
  r.dr[0] = 0x5678;
  r.xmm[7] = {0x0123456789abcdefu, 0xfedcba9876543210u};
  r.mxcsr = 0x7f85;
  r.segment[3] = {.selector = 0x10, .base = 0x1000, .limit = 0xfff, .access = 0x9300, .valid = true};
  inspector.set_registers(r);
  const Registers got = inspector.registers();
  CHECK(got.gpr == r.gpr);
  CHECK(got.eflags == r.eflags);
  CHECK(got.xmm == r.xmm);
  CHECK(got.mxcsr == r.mxcsr);
  CHECK(got.cr2 == r.cr2);
  CHECK(got.dr == r.dr);
  CHECK(got.segment[3].base == 0x1000);
  CHECK(got.segment[3].limit == 0xfff);
}

TEST_CASE("physical memory is read and written inside RAM only") {
  const auto machine = test::rom_machine({0xf4});
  Inspector inspector{*machine};
  std::array<std::byte, 4> data{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}, back{};
  CHECK(inspector.write_physical(0x1000, data));
  CHECK(inspector.read_physical(0x1000, back));
  CHECK(back == data);
  CHECK_FALSE(inspector.read_physical(0xfffffffe, back));
  CHECK(inspector.read_physical(0xfffffff0, back));  // the ROM's reset vector
  CHECK(back[0] == std::byte{0xea});
  CHECK_FALSE(inspector.write_physical(0xfffffff0, data));
  CHECK_FALSE(inspector.read_physical(0x80000000u, back));
  CHECK_FALSE(inspector.write_physical((16u << 20) - 2, data));
  back.fill(std::byte{0});
  CHECK(inspector.read_physical((16u << 20) - 4, back));
}

TEST_CASE("writing to code that has run is seen by the processor") {
  const auto machine = test::rom_machine({0xf4});
  Inspector inspector{*machine};
  const std::array<std::byte, 3> loop{std::byte{0x40}, std::byte{0xeb}, std::byte{0xfd}};  // inc ax; jmp back
  inspector.write_physical(0x2000, loop);
  Registers r = inspector.registers();
  r.segment[1].base = 0;
  r.segment[1].selector = 0;
  r.eip = 0x2000;
  inspector.set_registers(r);
  inspector.run(100);
  CHECK(inspector.registers().gpr[0] == 50);
  const std::array<std::byte, 1> decrement{std::byte{0x48}};
  inspector.write_physical(0x2000, decrement);
  inspector.run(100);
  CHECK(inspector.registers().gpr[0] == 0);
}

TEST_CASE("linear memory goes through the page tables") {
  const auto machine = test::rom_machine({0xf4});
  Inspector inspector{*machine};
  const auto put = [&inspector](std::uint32_t address, std::uint32_t value) {
    std::array<std::byte, 4> bytes{};
    for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
    REQUIRE(inspector.write_physical(address, bytes));
  };
  put(0x10000, 0x11003);              // directory entry 0: table at 0x11000
  put(0x11000 + 4 * 5, 0x20003);      // linear 0x5000 -> 0x20000
  put(0x11000 + 4 * 6, 0x30003);      // linear 0x6000 -> 0x30000
  Registers r = inspector.registers();
  r.cr3 = 0x10000;
  r.cr0 |= 0x80000001u;
  inspector.set_registers(r);
  CHECK(inspector.translate(0x5123) == 0x20123u);
  CHECK_FALSE(inspector.translate(0x7000).has_value());
  std::array<std::byte, 4> data{std::byte{9}, std::byte{8}, std::byte{7}, std::byte{6}}, back{};
  CHECK(inspector.write_linear(0x5ffe, data));
  CHECK(inspector.read_linear(0x5ffe, back));
  CHECK(back == data);
  CHECK(inspector.read_physical(0x30000, std::span{back}.first(2)));
  CHECK(back[0] == std::byte{7});
  CHECK_FALSE(inspector.read_linear(0x6ffe, back));
}

TEST_CASE("port accesses are watched with what was read and written") {
  const auto machine = test::rom_machine({0xb0, 0x42, 0xe6, 0x80, 0xe4, 0x80, 0xe5, 0x80, 0xf4});
  Inspector inspector{*machine};
  std::vector<PortAccess> seen;
  inspector.watch_ports(0x80, 0x80, [&seen](const PortAccess& access) { seen.push_back(access); });
  inspector.run(4);
  inspector.run(1);
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].write);
  CHECK(seen[0].value == 0x42);
  CHECK_FALSE(seen[1].write);
  CHECK(seen[1].value == 0x42);
  CHECK(seen[2].width == 2);
  inspector.watch_ports(0, 0, {});
  machine->reset();
  inspector.run(5);
  CHECK(seen.size() == 3);
}
