// Programs that the bridge starts.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include <tuxarium/result.hpp>

#include "descriptor.hpp"

namespace tuxarium::bridge {

using Command = std::vector<std::string>;

/// Starts a program found in PATH or in the folders of system programs. Its stdin is empty; stdout and stderr are ours.
Result<pid_t> start_program(const Command& command);

/// Runs a program to its end with `input` on stdin; an error, with what it said, unless its status is 0.
Result<void> run_program(const Command& command, const std::string& input = {});

/// True while the process has not ended. Ours only.
bool still_runs(pid_t process);

}  // namespace tuxarium::bridge
