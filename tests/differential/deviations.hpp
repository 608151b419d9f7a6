// Where the interpreter and a host may differ beyond undefined flags, each with its reason. Aims at being empty.
#pragma once

#include <span>

#include "case.hpp"

namespace tuxarium::differential {

struct Deviation {
  const char* what;
  const char* reason;
  /// Makes `here` equal to `host` in what the deviation excuses, where it applies.
  void (*excuse)(const Case& c, const Outcome& host, Outcome& here);
};

std::span<const Deviation> deviations();

}  // namespace tuxarium::differential
