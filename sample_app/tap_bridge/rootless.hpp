// Everything in a user and network namespace of its own (user_namespaces(7), network_namespaces(7)).
#pragma once

#include <sys/types.h>

#include <optional>

#include <tuxarium/result.hpp>

#include "bridge_options.hpp"

namespace tuxarium::bridge {

/// Moves this process into new namespaces, in which it is root, and starts the program that joins them to the host's network; returns that
/// program's number. Sockets that were made before still belong to the host's network. Call while there is one thread.
Result<std::optional<pid_t>> enter_own_network(Rootless uplink);

}  // namespace tuxarium::bridge
