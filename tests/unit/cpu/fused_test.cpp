// CMP and TEST with the jump behind them: run as a pair they leave what they leave one at a time.
#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "cpu_fixture.hpp"

namespace tuxarium::tests {
namespace {

/// Encodings of one comparison: register with register, with immediate, with memory both ways, memory with immediate.
struct Comparison {
  const char* name;
  std::vector<std::uint8_t> bytes;  // an immediate is patched behind them
  unsigned immediate_size;
};

const Comparison kComparisons[] = {
    {"cmp eax, ecx", {0x39, 0xc8}, 0},          {"cmp al, cl", {0x38, 0xc8}, 0},
    {"test eax, ecx", {0x85, 0xc8}, 0},         {"test al, cl", {0x84, 0xc8}, 0},
    {"cmp eax, imm32", {0x81, 0xf8}, 4},        {"cmp eax, imm8", {0x83, 0xf8}, 1},
    {"cmp al, imm8", {0x3c}, 1},                {"test eax, imm32", {0xa9}, 4},
    {"cmp eax, [ebx]", {0x3b, 0x03}, 0},        {"cmp al, [ebx]", {0x3a, 0x03}, 0},
    {"cmp [ebx], eax", {0x39, 0x03}, 0},        {"cmp [ebx], al", {0x38, 0x03}, 0},
    {"test [ebx], eax", {0x85, 0x03}, 0},       {"cmp dword [ebx], imm8", {0x83, 0x3b}, 1},
    {"cmp byte [ebx], imm8", {0x80, 0x3b}, 1},  {"test byte [ebx], imm8", {0xf6, 0x03}, 1},
    {"cmp ax, cx", {0x66, 0x39, 0xc8}, 0},
};

std::uint32_t interesting(std::mt19937_64& random) {
  constexpr std::uint32_t kEdges[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff};
  return random() % 2 == 0 ? kEdges[random() % std::size(kEdges)] : static_cast<std::uint32_t>(random());
}

/// ESI becomes 1 when the jump is not taken, EDI when it is.
std::vector<std::uint8_t> program(const Comparison& comparison, unsigned condition, std::uint32_t immediate) {
  std::vector<std::uint8_t> code = comparison.bytes;
  for (unsigned i = 0; i < comparison.immediate_size; ++i) code.push_back(static_cast<std::uint8_t>(immediate >> (8 * i)));
  for (unsigned byte : {0x70 + condition, 0x02u, 0x46u, 0xf4u, 0x47u, 0xf4u}) code.push_back(static_cast<std::uint8_t>(byte));
  return code;
}

}  // namespace

TEST_CASE("a comparison and its jump leave the same as one after the other") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  Bench pair, single;
  pair.flat();
  single.flat();
  for (const Comparison& comparison : kComparisons) {
    for (unsigned condition = 0; condition < 16; ++condition) {
      unsigned differences = 0;
      for (int round = 0; round < 12; ++round) {
        const std::uint32_t a = interesting(random), b = random() % 4 == 0 ? a : interesting(random);
        // Now and then the operand crosses into another page, where the fast path does not apply.
        const std::uint32_t data = round % 4 == 3 ? kData + 0xffe : kData;
        const std::vector<std::uint8_t> code = program(comparison, condition, b);
        for (Bench* bench : {&pair, &single}) {
          bench->put(kCode, code);
          bench->poke(data, b);
          bench->go(kCode);
          bench->set(kEax, a);
          bench->set(kEcx, b);
          bench->set(kEbx, data);
          bench->set(kEsi, 0);
          bench->set(kEdi, 0);
        }
        pair.cpu.run(1000, false);
        for (int step = 0; step < 4; ++step) single.step();
        const bool same = pair.eip() == single.eip() && pair.eflags() == single.eflags() && pair.reg(kEsi) == single.reg(kEsi) &&
                          pair.reg(kEdi) == single.reg(kEdi) && pair.reg(kEsi) + pair.reg(kEdi) == 1;
        if (!same) ++differences;
      }
      CAPTURE(comparison.name);
      CAPTURE(condition);
      CHECK(differences == 0);
    }
  }
}

TEST_CASE("a comparison that faults does not take its jump") {
  Bench bench;
  bench.flat();
  bench.enable_paging();
  bench.poke<std::uint32_t>(kPageTable + (kData >> 12) * 4, 0);
  bench.put(kCode, {0x83, 0x3b, 0x00, 0x74, 0x02, 0x46, 0xf4, 0x47, 0xf4});  // cmp dword [ebx], 0; je
  bench.go(kCode);
  bench.set(kEbx, kData);
  bench.set(kEsi, 0);
  bench.set(kEdi, 0);
  const Trap trap = bench.trap();
  CHECK(trap.vector == kPageFault);
  CHECK(trap.eip == kCode);
  CHECK(bench.reg(kEsi) == 0);
  CHECK(bench.reg(kEdi) == 0);
}

}  // namespace tuxarium::tests
