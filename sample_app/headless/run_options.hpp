// The command line of tuxarium-run.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "machine_options.hpp"
#include "port_log.hpp"
#include "script.hpp"
#include "serial_link.hpp"

namespace tuxarium::app {

/// Statuses that the program ends with.
enum ExitStatus : int {
  kDone = 0,        ///< the guest switched itself off, the script is done, or the person left
  kFailed = 1,      ///< anything else that went wrong while the guest ran
  kWrongUsage = 2,  ///< wrong usage, a bad image, an output that cannot be written: the guest was not started
  kLimit = 124,     ///< --timeout or --max-cycles was reached
};

struct RunOptions {
  MachineOptions machine;
  std::vector<ScriptStep> steps;
  std::optional<std::chrono::duration<double>> timeout;
  std::uint64_t max_cycles = 0;  ///< 0: no limit
  std::string clipboard_in, clipboard_out;
  SerialLinkSpec serial2;
  std::optional<PortLogSpec> port_log;
  bool stats = false, hash = false, no_reboot = false, verbose = false;
};

/// What parsing came to: options to run with, or a text to print and a status to end with.
struct ParsedRun {
  std::optional<RunOptions> options;
  std::string text;
  int status = kDone;
};

ParsedRun parse_run_options(int argc, const char* const* argv);

}  // namespace tuxarium::app
