// What a case is: an instruction, all that it can see, and what came of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cpu/instruction.hpp"
#include "sandbox.hpp"

namespace tuxarium::differential {

/// One way to write a row of the instruction table: what the coverage report counts.
struct Form {
  const cpu::InstructionRow* row = nullptr;
  std::uint8_t operand_size = 4;
  bool memory = false;
  std::int16_t x87 = -1;          // x87 rows: opcode & 7 in bits 6-8, ModRM.reg in 3-5, in register forms ModRM.rm in 0-2
  bool assigned = true;           // false: an x87 encoding that is #UD
  std::string key;                // names the form for --row and --replay
  const char* not_run = nullptr;  // why no case of it is made
};

/// All forms, in table order.
std::vector<Form> all_forms();

inline constexpr std::size_t kFxImage = 512;
/// Bytes of an FXSAVE image that mean something: up to the end of XMM7.
inline constexpr std::size_t kFxUsed = 288;

using WritableMemory = std::array<std::uint8_t, kWritableSize>;
using FxImage = std::array<std::uint8_t, kFxImage>;

/// A piece of memory with content of the case's own; the rest is the pattern.
struct Window {
  static constexpr std::size_t kBytes = 128;
  std::uint32_t offset = 0;  // into the data pages; the part in the read-only page is left out
  std::array<std::uint8_t, kBytes> bytes{};
};

struct Case {
  std::uint64_t seed = 0;
  const Form* form = nullptr;

  std::array<std::uint8_t, 64> code{};
  std::uint8_t length = 0;          // of all of it
  std::uint8_t prelude = 0;         // bytes of instructions before the form's own
  std::uint32_t undefined = 0;      // flags that those leave undefined
  bool code32 = true;               // default operand and address size of the code segment
  std::uint32_t code_address = 0;   // linear

  std::array<std::uint32_t, 8> gpr{};
  std::uint32_t eflags = 0;
  std::array<std::uint16_t, 6> segment{};  // ES CS SS DS FS GS

  std::array<Window, 3> window{};
  std::uint8_t windows = 0;

  std::uint32_t operand = 0;        // linear address of a ModRM memory operand

  bool fpu = false;                 // x87, MMX and SSE state are loaded and compared
  alignas(16) FxImage fx{};

  std::uint32_t eip() const { return code_address - segment_base(segment[1]); }
  /// Behind the instruction.
  std::uint32_t end() const { return code_address + length; }
  std::span<const std::uint8_t> bytes() const { return {code.data(), length}; }
};

// Outcome::vector beside the vectors. kTraced: the instruction set TF, and the host trapped on its way back.
inline constexpr int kCompleted = -1, kHung = 0x100, kTraced = 0x102;

/// Everything that a program could see afterwards.
struct Outcome {
  std::array<std::uint32_t, 8> gpr{};
  std::uint32_t eip = 0, eflags = 0;
  std::array<std::uint16_t, 6> segment{};
  int vector = kCompleted;   // of the exception, or one of the above
  std::uint32_t error = 0;
  std::uint32_t cr2 = 0;     // of page faults
  alignas(16) FxImage fx{};
  WritableMemory memory{};
};

/// What the data pages hold before a case puts its windows there.
const std::array<std::uint8_t, kDataSize>& memory_pattern();
/// The writable pages before the case.
void initial_memory(const Case& c, std::span<std::uint8_t, kWritableSize> out);

/// The bytes behind the instruction that lead back to the host's 64-bit code; a code segment of 64-bit code is absent in the interpreter.
std::span<const std::uint8_t> landing(bool code32);

/// The case of a seed. The same on every host.
Case make_case(const Form& form, std::uint64_t seed);

/// "form:seed", as --replay takes it.
std::string case_name(const Case& c);

/// A digest of everything in a case.
std::uint64_t case_digest(const Case& c);

}  // namespace tuxarium::differential
