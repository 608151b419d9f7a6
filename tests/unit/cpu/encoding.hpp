// Encodings for rows of the instruction table: one place that knows how operands turn into bytes, written apart from the decoder.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "cpu/instruction.hpp"

namespace tuxarium::tests {

using Random = std::mt19937_64;

inline std::uint32_t below(Random& random, std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); }

inline bool has_modrm(const cpu::InstructionRow& row) {
  using enum cpu::Operand;
  if (row.ext >= 0) return true;
  for (const cpu::Operand o : row.operand) {
    switch (o) {
      case Eb: case Ew: case Ev: case Gb: case Gw: case Gv: case M: case Ma: case Mp: case Rd: case Cd: case Dd: case Sw: case none_modrm:
      case Pq: case Nq: case Qq: case Qd: case Vdq: case Udq: case Wdq: case Wq: case Wd: case Mdq: case Mq: case Md: case Mb: case Ed: case Gd:
      case RdMw: return true;
      default:
        break;
    }
  }
  return false;
}

/// The byte of a row's mandatory prefix, or 0.
inline std::uint8_t mandatory_byte(const cpu::InstructionRow& row) {
  switch (row.prefix) {
    case cpu::MandatoryPrefix::p66: return 0x66;
    case cpu::MandatoryPrefix::pf3: return 0xf3;
    case cpu::MandatoryPrefix::pf2: return 0xf2;
    default: return 0;
  }
}

/// True where 66 is the operand-size prefix and not another instruction.
inline bool has_operand_size(const cpu::InstructionRow& row) {
  return row.prefix != cpu::MandatoryPrefix::np && row.prefix != cpu::MandatoryPrefix::p66;
}

struct Shape {
  bool code32 = true;       // default size of the mode
  unsigned operand_size = 4;
  bool memory = false;
  unsigned reg = 0;         // ModRM.reg when the row has no extension
  unsigned rm = 3;          // register, or base of the memory operand (32-bit addressing)
  std::int8_t displacement = 0;  // memory: always disp8
  unsigned low3 = 0;        // register of a RANGE8 row
  int repeat = 0;           // 0, f2 or f3
};

inline void append_value(std::vector<std::uint8_t>& bytes, std::uint32_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// Bytes of one instruction of the row; immediates are random.
inline std::vector<std::uint8_t> encode(const cpu::InstructionRow& row, const Shape& shape, Random& random) {
  using enum cpu::Operand;
  std::vector<std::uint8_t> bytes;
  if (shape.repeat != 0) bytes.push_back(static_cast<std::uint8_t>(shape.repeat));
  if (const std::uint8_t mandatory = mandatory_byte(row); mandatory != 0) bytes.push_back(mandatory);
  if (has_operand_size(row) && (shape.operand_size == 4) != shape.code32) bytes.push_back(0x66);
  if (row.map == cpu::OpcodeMap::two) bytes.push_back(0x0f);
  bytes.push_back(static_cast<std::uint8_t>(row.opcode + (row.opcode_count == 8 ? shape.low3 : 0)));
  if (has_modrm(row)) {
    const unsigned reg = row.ext >= 0 ? static_cast<unsigned>(row.ext) : shape.reg;
    const bool small = !shape.code32 && shape.memory;  // 16-bit addressing: [DI + disp8]
    bytes.push_back(static_cast<std::uint8_t>((shape.memory ? 0x40u : 0xc0u) | reg << 3 | (small ? 5 : shape.rm)));
    if (shape.memory) bytes.push_back(static_cast<std::uint8_t>(shape.displacement));
  }
  const auto value = static_cast<std::uint32_t>(random());
  for (const cpu::Operand o : row.operand) {
    switch (o) {
      case Ib: case Ib2: case sIb: case Jb: append_value(bytes, value, 1); break;
      case Iw: append_value(bytes, value, 2); break;
      case Iz: case Jz: append_value(bytes, value, shape.operand_size); break;
      case Ap: append_value(bytes, value, shape.operand_size), append_value(bytes, value, 2); break;
      case Ob: case Ov: append_value(bytes, value & 0xfff, shape.code32 ? 4 : 2); break;
      default: break;
    }
  }
  return bytes;
}

}  // namespace tuxarium::tests
