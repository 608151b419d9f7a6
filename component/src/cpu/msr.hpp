// The model-specific registers.
#pragma once

#include <cstdint>

#include "cpu/core.hpp"

namespace tuxarium::cpu {

/// False where the model has no such register or it cannot be read; raises nothing.
bool read_msr(Core& c, std::uint32_t number, std::uint64_t& value);
/// False also for a value that the register cannot take; then nothing is written.
bool write_msr(Core& c, std::uint32_t number, std::uint64_t value);

}  // namespace tuxarium::cpu
