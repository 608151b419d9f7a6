// The flags that an instruction leaves undefined. Intel SDM volume 2, "Flags Affected" of each.
#pragma once

#include <cstdint>

#include "cpu/cpu_state.hpp"
#include "cpu/instruction.hpp"

namespace tuxarium::tests {

struct UndefinedFlags {
  std::uint32_t flags = 0;
  const char* reason = nullptr;  // where the SDM says so
};

/// After an instruction that completed. `bits`: size of the operand; `count`: of a shift or rotate, masked to 5 bits.
inline UndefinedFlags undefined_flags(cpu::Mnemonic m, unsigned bits, unsigned count) {
  using namespace cpu;
  using enum cpu::Mnemonic;
  const std::uint32_t of = count == 1 ? 0 : kOf;
  switch (m) {
    case and_: case or_: case xor_: case test: return {kAf, "SDM 2A, AND: the state of AF is undefined"};
    case mul: return {kSf | kZf | kAf | kPf, "SDM 2B, MUL: SF, ZF, AF and PF are undefined"};
    case imul: case imul1: return {kSf | kZf | kAf | kPf, "SDM 2A, IMUL: SF, ZF, AF and PF are undefined"};
    case div: case idiv: return {kArithmeticFlags, "SDM 2A, DIV: all arithmetic flags are undefined"};
    case bt: case bts: case btr: case btc: return {kOf | kSf | kAf | kPf, "SDM 2A, BT: OF, SF, AF and PF are undefined"};
    case bsf: case bsr: return {kCf | kOf | kSf | kAf | kPf, "SDM 2A, BSF: CF, OF, SF, AF and PF are undefined"};
    case daa: case das: return {kOf, "SDM 2A, DAA: OF is undefined"};
    case aaa: case aas: return {kOf | kSf | kZf | kPf, "SDM 2A, AAA: OF, SF, ZF and PF are undefined"};
    case aam: case aad: return {kOf | kAf | kCf, "SDM 2A, AAM: OF, AF and CF are undefined"};
    case rol: case ror: case rcl: case rcr:
      if (count <= 1) return {};
      return {kOf, "SDM 2B, RCL: OF is undefined for counts above 1"};
    case shld: case shrd:
      if (count == 0) return {};
      if (count > bits) return {kArithmeticFlags, "SDM 2B, SHLD: all flags are undefined for counts above the operand size"};
      return {kAf | of, "SDM 2B, SHLD: AF is undefined, OF for counts above 1"};
    case shl: case shr: case sar:
      if (count == 0) return {};
      return {kAf | of | (m != sar && count >= bits ? kCf : 0),
              "SDM 2B, SAL: AF is undefined, OF for counts above 1, CF of SHL and SHR for counts not below the operand size"};
    default: return {};
  }
}

}  // namespace tuxarium::tests
