// Addresses and names for guests, by dnsmasq(8).
#pragma once

#include <string>
#include <vector>

#include <tuxarium/result.hpp>

#include "child_process.hpp"

namespace tuxarium::bridge {

struct DhcpOptions {
  bool dhcp = false, dns = false;
  std::string first, last;            ///< the addresses to give; empty: the bridge's network without its first 19 and its last address
  std::vector<std::string> servers;   ///< names are asked there; empty: where this host asks
  bool wanted() const { return dhcp || dns; }
};

/// The command line of dnsmasq for a bridge with the address `address` ("10.0.2.1/24"), whose guests get `mtu`. `user` runs it.
Result<Command> dnsmasq_command(const DhcpOptions& options, const std::string& bridge, const std::string& address, unsigned mtu, const std::string& user);

}  // namespace tuxarium::bridge
