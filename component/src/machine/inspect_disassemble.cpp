#include <array>

#include <tuxarium/inspect.hpp>

#include "cpu/disassembler.hpp"
#include "machine/machine_impl.hpp"

namespace tuxarium {

namespace {

constexpr std::uint32_t kAllFeatures = ~0u;

}  // namespace

std::string Inspector::disassemble(std::uint32_t linear, unsigned* length) const {
  std::array<std::uint8_t, cpu::kMaxInstructionLength> bytes{};
  std::size_t mapped = 0;
  while (mapped < bytes.size()) {
    std::byte byte{};
    if (!read_linear(linear + static_cast<std::uint32_t>(mapped), {&byte, 1})) break;
    bytes[mapped++] = std::to_integer<std::uint8_t>(byte);
  }

  const cpu::Cpu& cpu = machine_->impl_->board().cpu();
  std::string text = "(unmapped)";
  unsigned size = 0;
  if (mapped != 0) {
    cpu::Instruction instruction;
    const auto status = cpu::decode(std::span{bytes}.first(mapped), cpu.code_is_32bit(), kAllFeatures, instruction);
    text = cpu::kBadInstruction;
    if (status == cpu::DecodeStatus::ok) text = cpu::disassemble(instruction, linear - cpu.state().segment[cpu::kCs].base);
    size = text == cpu::kBadInstruction ? 1 : instruction.length;
  }
  if (length != nullptr) *length = size;
  return text;
}

}  // namespace tuxarium
