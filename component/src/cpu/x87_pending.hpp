// An x87 error that waits for the next x87 or MMX instruction. Intel SDM volume 1, section 8.7.
#pragma once

#include "cpu/interpreter.hpp"

namespace tuxarium::cpu {

/// Raises #MF, or asks the board by FERR. False: an exception was raised or the processor waits for the board's answer.
TUXARIUM_COLD bool report_x87_error(Core& c);

/// The check of a waiting instruction for an error left by an earlier one; false as report_x87_error().
TUXARIUM_HOT bool no_error_pending(Core& c) {
  if (!c.fpu.error_pending()) [[likely]] return true;
  return report_x87_error(c);
}

/// Leaves before `op`: for its exception, or to wait for the interrupt that FERR causes.
const Op* not_now(Core& c, const Op* op);

/// FERR follows an instruction that took the error away.
inline void update_ferr(Core& c) {
  if (!c.ferr || c.fpu.error_pending()) [[likely]] return;
  c.ferr = false;
  c.bus.fpu_error(false);
}

}  // namespace tuxarium::cpu
