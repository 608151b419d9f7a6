// The memory images of FNSTENV, FLDENV, FNSAVE and FRSTOR: Intel SDM vol. 1, figures 8-9 to 8-12.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpu/x87/unit.hpp"

namespace tuxarium::cpu::x87 {

inline constexpr std::size_t kNarrowEnvironmentBytes = 14, kWideEnvironmentBytes = 28, kRegistersBytes = 80;

constexpr std::uint64_t read_little(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}
constexpr void write_little(std::span<std::byte> out, std::uint64_t value) {
  for (std::byte& byte : out) {
    byte = static_cast<std::byte>(value & 0xffu);
    value >>= 8;
  }
}

/// Writes 14 or 28 bytes.
template <class Arithmetic>
void write_environment(const BasicUnit<Arithmetic>& unit, std::span<std::byte> out, EnvLayout layout) {
  const auto& s = unit.state();
  const std::size_t step = layout.wide ? 4 : 2;
  const std::uint32_t filler = layout.wide ? 0xffff0000u : 0u;
  std::size_t at = 0;
  const auto put = [&](std::uint32_t value) {
    write_little(out.subspan(at, step), value);
    at += step;
  };
  put(filler | unit.control_word());
  put(filler | unit.status_word());
  put(filler | unit.tag_word());
  if (layout.protected_mode) {
    put(s.instruction_offset);
    put(s.instruction_selector | (layout.wide ? std::uint32_t{s.last_opcode} << 16 : 0u));
    put(s.operand_offset);
    put(filler | s.operand_selector);
    return;
  }
  // Real and virtual-8086 mode: linear addresses, of 20 bits in the narrow form.
  const std::uint32_t instruction = (std::uint32_t{s.instruction_selector} << 4) + s.instruction_offset;
  const std::uint32_t operand = (std::uint32_t{s.operand_selector} << 4) + s.operand_offset;
  put(filler | (instruction & 0xffffu));
  put((instruction >> 16 & 0xffffu) << 12 | s.last_opcode);
  put(filler | (operand & 0xffffu));
  put((operand >> 16 & 0xffffu) << 12);
}

template <class Arithmetic>
void read_environment(BasicUnit<Arithmetic>& unit, std::span<const std::byte> in, EnvLayout layout) {
  auto& s = unit.state();
  const std::size_t step = layout.wide ? 4 : 2;
  std::size_t at = 0;
  const auto get = [&] {
    const auto value = static_cast<std::uint32_t>(read_little(in.subspan(at, step)));
    at += step;
    return value;
  };
  unit.set_control_word(static_cast<std::uint16_t>(get()));
  unit.set_status_word(static_cast<std::uint16_t>(get()));
  unit.set_tag_word(static_cast<std::uint16_t>(get()));
  const std::uint32_t first = get(), second = get(), third = get(), fourth = get();
  if (layout.protected_mode) {
    s.instruction_offset = first;
    s.instruction_selector = static_cast<std::uint16_t>(second);
    if (layout.wide) s.last_opcode = static_cast<std::uint16_t>(second >> 16 & 0x7ffu);
    s.operand_offset = third;
    s.operand_selector = static_cast<std::uint16_t>(fourth);
    return;
  }
  const std::uint32_t high_mask = layout.wide ? 0xffffu : 0xfu;
  s.last_opcode = static_cast<std::uint16_t>(second & 0x7ffu);
  s.instruction_selector = s.operand_selector = 0;
  s.instruction_offset = (first & 0xffffu) | (second >> 12 & high_mask) << 16;
  s.operand_offset = (third & 0xffffu) | (fourth >> 12 & high_mask) << 16;
}

/// Writes ST(0) to ST(7), 80 bytes.
template <class Arithmetic>
void write_registers(const BasicUnit<Arithmetic>& unit, std::span<std::byte> out) {
  for (unsigned i = 0; i < 8; ++i) {
    write_little(out.subspan(i * 10, 8), unit.st(i).significand);
    write_little(out.subspan(i * 10 + 8, 2), unit.st(i).sign_exponent);
  }
}

/// Call after read_environment(), which sets TOP.
template <class Arithmetic>
void read_registers(BasicUnit<Arithmetic>& unit, std::span<const std::byte> in) {
  auto& s = unit.state();
  for (unsigned i = 0; i < 8; ++i) {
    Float80& f = s.registers[(s.top + i) & 7u];
    f.significand = read_little(in.subspan(i * 10, 8));
    f.sign_exponent = static_cast<std::uint16_t>(read_little(in.subspan(i * 10 + 8, 2)));
  }
}

}  // namespace tuxarium::cpu::x87
