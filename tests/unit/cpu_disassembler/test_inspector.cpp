#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuxarium/inspect.hpp>
#include <tuxarium/machine.hpp>
#include <utility>
#include <vector>

using namespace tuxarium;

namespace {

constexpr std::uint32_t kRam = 1u << 20;

std::vector<std::byte> bytes(const std::vector<int>& values) {
  std::vector<std::byte> out;
  for (const int v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

std::unique_ptr<Machine> machine_with_rom(const std::vector<std::byte>& start) {
  RomBoot rom;
  rom.image.assign(0x10000, std::byte{0x90});
  std::copy(start.begin(), start.end(), rom.image.begin());
  Config config;
  config.boot = std::move(rom);
  config.ram_bytes = kRam;
  config.time = TimeSource::cycles;
  auto machine = Machine::create(std::move(config));
  REQUIRE(machine.has_value());
  return std::move(machine.value());
}

/// CS at `base`, with the D bit or without; protected mode, so that the D bit counts.
void set_code(Inspector& inspector, std::uint32_t base, bool code32) {
  Registers r = inspector.registers();
  r.cr0 |= 1;
  SegmentView& cs = r.segment[static_cast<std::size_t>(SegmentName::cs)];
  cs = {.selector = 8, .base = base, .limit = 0xffffffff, .access = code32 ? 0xc09b00u : 0x809b00u, .valid = true};
  inspector.set_registers(r);
}

struct Line {
  std::string text;
  unsigned length;
  bool operator==(const Line&) const = default;
};

Line line_at(const Inspector& inspector, std::uint32_t linear) {
  Line line{"", 99};
  line.text = inspector.disassemble(linear, &line.length);
  return line;
}

void check(const Line& line, const char* text, unsigned length) {
  CHECK(line.text == text);
  CHECK(line.length == length);
}

}  // namespace

TEST_CASE("Inspector disassembles a ROM in 16- and in 32-bit code") {
  const auto machine = machine_with_rom(bytes({0xb8, 0x34, 0x12, 0xe8, 0x10, 0x00, 0x0f, 0xff}));
  Inspector inspector(*machine);
  set_code(inspector, 0xf0000, false);
  check(line_at(inspector, 0xf0000), "mov ax, 0x1234", 3);
  check(line_at(inspector, 0xf0003), "call 0x16", 3);
  check(line_at(inspector, 0xf0006), "(bad)", 1);
  CHECK(inspector.disassemble(0xf0003) == "call 0x16");

  set_code(inspector, 0, true);
  check(line_at(inspector, 0xf0000), "mov eax, 0x10e81234", 5);
}

TEST_CASE("Inspector's branch targets are offsets in CS") {
  const auto machine = machine_with_rom({});
  Inspector inspector(*machine);
  REQUIRE(inspector.write_physical(0x8000, bytes({0xeb, 0xfe, 0xd9, 0xd1})));
  set_code(inspector, 0, true);
  check(line_at(inspector, 0x8000), "jmp 0x8000", 2);
  set_code(inspector, 0x8000, true);
  check(line_at(inspector, 0x8000), "jmp 0x0", 2);
  set_code(inspector, 0x9000, false);
  check(line_at(inspector, 0x8000), "jmp 0xf000", 2);
  check(line_at(inspector, 0x8002), "(bad)", 1);
}

TEST_CASE("Inspector reads instructions up to the end of memory") {
  const auto machine = machine_with_rom({});
  Inspector inspector(*machine);
  set_code(inspector, 0, true);
  REQUIRE(inspector.write_physical(kRam - 3, bytes({0x89, 0xd8, 0xe8})));
  check(line_at(inspector, kRam - 3), "mov eax, ebx", 2);
  check(line_at(inspector, kRam - 1), "(bad)", 1);
  check(line_at(inspector, kRam), "(unmapped)", 0);
  CHECK(inspector.disassemble(kRam) == "(unmapped)");
}

TEST_CASE("Inspector disassembles across pages that are not neighbours") {
  const auto machine = machine_with_rom({});
  Inspector inspector(*machine);
  constexpr std::uint32_t kDirectory = 0x10000, kTable = 0x11000, kPresent = 1, kLinear = 0x40000000;
  const auto write_entry = [&](std::uint32_t address, std::uint32_t value) {
    std::vector<std::byte> entry;
    for (unsigned n = 0; n < 4; ++n) entry.push_back(static_cast<std::byte>(value >> (8 * n) & 0xff));
    REQUIRE(inspector.write_physical(address, entry));
  };
  write_entry(kDirectory + (kLinear >> 22) * 4, kTable | kPresent);
  write_entry(kTable, 0x20000 | kPresent);
  write_entry(kTable + 4, 0x30000 | kPresent);
  REQUIRE(inspector.write_physical(0x20ffe, bytes({0xb8, 0x01})));
  REQUIRE(inspector.write_physical(0x30000, bytes({0x02, 0x03, 0x04})));
  REQUIRE(inspector.write_physical(0x30fff, bytes({0xb8})));
  set_code(inspector, 0, true);
  Registers r = inspector.registers();
  r.cr3 = kDirectory;
  r.cr0 |= 0x80000000;
  inspector.set_registers(r);
  check(line_at(inspector, kLinear + 0xffe), "mov eax, 0x4030201", 5);
  check(line_at(inspector, kLinear + 0x1fff), "(bad)", 1);
  check(line_at(inspector, kLinear + 0x2000), "(unmapped)", 0);
}
