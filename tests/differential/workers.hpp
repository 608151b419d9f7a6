// The same work in several processes: native cases need one each.
#pragma once

#include <functional>

#include "session.hpp"

namespace tuxarium::differential {

/// Calls `work` with 0 to `count` - 1, each in a process of its own when there is more than one, and adds what they count to `sum`.
/// False when one did not come to its end.
bool run_workers(unsigned count, Counts& sum, const std::function<Counts(unsigned)>& work);

}  // namespace tuxarium::differential
