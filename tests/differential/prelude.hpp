// Instructions before the one that a case is about: so it meets flags and registers as other instructions leave them, and stands in a block.
#pragma once

#include <cstdint>
#include <vector>

#include "dice.hpp"

namespace tuxarium::differential {

struct Prelude {
  std::vector<std::uint8_t> bytes;
  std::uint32_t undefined = 0;  // flags that are undefined behind it
};

/// One to five instructions on registers, none of which can fault. `registers`: bit n, they may write register n (EAX, ECX, EDX and EBX, of which
/// byte registers are parts, or others). `all_defined`: leaves no undefined flag.
Prelude make_prelude(Dice& dice, unsigned registers, bool all_defined);

}  // namespace tuxarium::differential
