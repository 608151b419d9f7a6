// How a client's device gets onto the bridge.
#pragma once

#include <memory>

#include "netlink.hpp"
#include "network.hpp"
#include "tap_ports.hpp"

namespace tuxarium::bridge {

/// For the bridge of `options`, which must be there.
std::unique_ptr<Attacher> make_attacher(const NetworkOptions& options);

}  // namespace tuxarium::bridge
