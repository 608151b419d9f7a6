// Predecoded code: an Op an instruction, a Block a run of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpu/instruction.hpp"

namespace tuxarium::cpu {

struct Core;
struct Op;
struct Block;

/// Executes one Op and, where the compiler can jump, all that follow it; returns the Op to go on with, or nullptr at the end of a block or
/// on a fault.
using Handler = const Op* (*)(Core&, const Op*);

/// One instruction, ready to run. Registers are byte offsets into the general-register file.
struct Op {
  Handler handler = nullptr;
  std::uint32_t immediate = 0;     // or the target EIP of a branch
  std::uint32_t displacement = 0;  // of the memory operand; selector of a far branch
  std::uint8_t dst = 0;            // register operand written (or the only one)
  std::uint8_t src = 0;            // second register operand
  std::uint8_t base = 0, index = 0;
  std::uint8_t scale = 0;
  std::uint8_t segment = 0;
  std::uint8_t length = 0;         // of the instruction, in bytes
  std::uint8_t before = 0;         // instructions of the block before this one
  std::uint16_t offset = 0;        // of the instruction from the start of its block, in bytes
  std::uint8_t address_size = 4;   // 2 or 4
  std::uint8_t operand_size = 4;   // 2 or 4
  std::uint8_t repeat = 0;         // Repeat
  std::uint8_t opcode = 0, modrm = 0;
  std::uint8_t wide = 0;           // 1: memory operand goes through the segment checks
};
static_assert(sizeof(Op) == 40 || sizeof(Op) == 32);

inline constexpr std::size_t kMaxBlockInstructions = 64;

/// A straight run of instructions that ends at a branch, at the page end, or where something outside the interpreter must be looked at.
/// Found by where its first byte lies in host memory, EIP, CS base and mode. Never freed before the whole cache is dropped, so that a stale link
/// is harmless.
struct Block {
  const std::uint8_t* code = nullptr;         // first byte, in guest RAM or ROM
  const std::uint8_t* second_page = nullptr;  // start of the next page when the last instruction reaches into it
  std::uint32_t eip = 0;
  std::uint32_t cs_base = 0;
  std::uint16_t mode = 0;
  std::uint8_t count = 0;    // instructions
  bool valid = true;
  std::uint32_t length = 0;  // bytes
  Block* link[2] = {nullptr, nullptr};  // next block: not taken or only way, taken. In the same page it is right; in another it is a guess
  Block* next_in_slot = nullptr;        // of the cache's index
  Op* ops = nullptr;

  std::uint32_t linear() const { return cs_base + eip; }
  bool is(const std::uint8_t* c, std::uint32_t ip, std::uint32_t base, std::uint16_t m) const {
    return code == c && eip == ip && cs_base == base && mode == m && valid;
  }
};

}  // namespace tuxarium::cpu
