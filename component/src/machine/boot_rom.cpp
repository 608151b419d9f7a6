// A raw ROM started as an i386 starts: Intel SDM volume 3, "Processor state after reset".
#include "machine/ram_plan.hpp"

namespace tuxarium::machine {

namespace {

constexpr std::size_t kRomUnit = 16, kMaxRomBytes = 16u << 20;
constexpr std::uint32_t kRealModeCode = 0x00009b00, kRealModeData = 0x00009300;

}  // namespace

Result<BootPlan> plan_rom(const RomBoot& source, std::uint64_t) {
  const std::size_t size = source.image.size();
  if (size == 0 || size % kRomUnit != 0 || size > kMaxRomBytes) {
    return Error{ErrorCode::bad_image,
                 "The ROM image has " + std::to_string(size) + " bytes; a ROM has 16 bytes to 16 MiB, in multiples of 16."};
  }
  BootPlan plan;
  plan.rom = source.image;
  Registers& r = plan.registers;
  for (SegmentView& segment : r.segment) segment = {0, 0, 0xffff, kRealModeData, true};
  r.segment[static_cast<std::size_t>(SegmentName::cs)] = {0xf000, 0xffff0000, 0xffff, kRealModeCode, true};
  r.ldtr = {0, 0, 0xffff, 0x8200, true};
  r.tr = {0, 0, 0xffff, 0x8b00, true};
  r.gdtr_limit = r.idtr_limit = 0xffff;
  r.eip = 0xfff0;
  r.eflags = 2;
  r.cr0 = 0x60000010;
  r.dr[6] = 0xffff0ff0;
  r.dr[7] = 0x00000400;
  return plan;
}

}  // namespace tuxarium::machine
