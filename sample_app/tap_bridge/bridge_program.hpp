// tuxarium-bridge from its options to its end.
#pragma once

#include "bridge_options.hpp"
#include "log.hpp"

namespace tuxarium::bridge {

/// Sets everything up, serves until SIGTERM or SIGINT, cleans up; returns the program's status.
int run_bridge(BridgeOptions options, Log& log);

}  // namespace tuxarium::bridge
