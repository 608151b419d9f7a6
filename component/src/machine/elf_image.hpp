// i386 ELF executables as boot images (System V ABI, "Object Files" and "Program Loading").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tuxarium/result.hpp>

#include "machine/boot_plan.hpp"
#include "machine/image_view.hpp"
#include "machine/ram_plan.hpp"

namespace tuxarium::machine {

/// True when the image begins as an ELF file does.
bool is_elf(const ImageView& image);

/// Places the loadable segments at their physical addresses, claims their memory, and returns the physical entry point: the header's
/// when it lies in a segment's physical range, otherwise the one of the segment that has it in its virtual range.
Result<std::uint32_t> place_elf(const ImageView& image, RamPlan& ram, std::vector<Placement>& placements);

}  // namespace tuxarium::machine
