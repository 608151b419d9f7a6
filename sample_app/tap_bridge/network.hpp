// What the bridge needs of the kernel around it: set up at the start, undone at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tuxarium/result.hpp>

#include "descriptor.hpp"
#include "ethernet.hpp"
#include "log.hpp"
#include "netlink.hpp"

namespace tuxarium::bridge {

enum class BridgeType : std::uint8_t { linux_bridge, ovs };

struct VxlanOptions {
  std::uint32_t id = 0;
  std::string local, remote;
  std::uint16_t port = 4789;
};

struct NetworkOptions {
  std::string bridge = "br1";
  BridgeType type = BridgeType::linux_bridge;
  std::string ovs_datapath;                 ///< empty: Open vSwitch's own default
  std::string address = "10.0.2.1/24";      ///< of the bridge; empty: none
  MacAddress mac{{0x02, 0x54, 0x55, 0x58, 0x00, 0x01}};
  bool stp = false;
  unsigned mtu = 1500;  ///< of the devices that guests get
  bool isolate = false;
  bool masquerade = false;
  std::optional<VxlanOptions> vxlan;
};

/// What was made and must be undone. Plain data, so that a process of its own can do it.
struct MadeNetwork {
  std::string bridge, vxlan, nft_table;  ///< names; empty: not made
  BridgeType type = BridgeType::linux_bridge;
  bool forwarding = false;  ///< IPv4 forwarding was off before
};

/// Undoes it. Says what could not be undone.
void undo_network(const MadeNetwork& made, Log& log);

class Network {
 public:
  /// Takes the name of the bridge for this process (waiting a little for a predecessor that still cleans up), finds what a crash has left,
  /// makes the bridge if there is none, and everything else that the options ask for. What was made is undone when something fails.
  static Result<Network> set_up(const NetworkOptions& options, Log& log);

  const MadeNetwork& made() const { return made_; }
  /// Holds the name; whoever cleans up keeps it open until that is done.
  int name_descriptor() const { return name_.get(); }
  /// The bridge's own address.
  const MacAddress& address() const { return address_; }

 private:
  Network() = default;
  Result<void> take_name(const std::string& bridge);
  Result<void> find_or_make_bridge(const NetworkOptions& options, Log& log);
  Result<void> make_vxlan(const NetworkOptions& options, Log& log);
  Result<void> make_rules(const NetworkOptions& options, Log& log);
  void remove_stale_taps(Log& log);

  Descriptor name_;  // an abstract Unix socket: its names belong to the network namespace and go with the last process
  std::optional<Netlink> netlink_;
  int bridge_index_ = 0;
  MacAddress address_;
  MadeNetwork made_;
};

/// The rules of --masquerade in the language of nft(8): guests reach out under the host's address; nothing from outside reaches in.
std::string masquerade_rules(const NetworkOptions& options);
std::string rules_table(const std::string& bridge);

/// "10.0.2.1/24" to "10.0.2.0/24". IPv4 only.
Result<std::string> subnet_of(const std::string& address);

}  // namespace tuxarium::bridge
