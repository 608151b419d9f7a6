// What must be equal, and what need not be and why.
#pragma once

#include <string>

#include "case.hpp"
#include "deviations.hpp"

namespace tuxarium::differential {

struct Verdict {
  std::string differences;              // in what is defined, one line each; empty when there are none
  const Deviation* excused = nullptr;   // the known deviation without which there would be some
};

/// `same_processor`: the host's outcome is from the processor that runs this, so that approximations are the same too.
Verdict compare(const Case& c, const Outcome& host, const Outcome& here, bool same_processor);

/// True when the two cannot be compared: the host went where the interpreter's machine has no fault (no-execute pages), or was traced on its
/// way back.
bool incomparable(const Outcome& host);

/// All of a case and, where not null, what came of it, for people.
std::string describe(const Case& c, const Outcome* host, const Outcome* here);

}  // namespace tuxarium::differential
