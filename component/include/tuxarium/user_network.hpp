// A network without a server: the guest reaches what this program may reach, as an ordinary program's connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tuxarium/network_link.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium {

/// Connections to, or datagrams for, a port of the host that are handed to the guest.
struct PortForward {
  enum class Protocol : std::uint8_t { tcp, udp };
  Protocol protocol = Protocol::tcp;
  std::string host_address = "127.0.0.1";   ///< IPv4 address of the host to listen at; 0.0.0.0 is all of them
  std::uint16_t host_port = 0;              ///< 1 to 65535
  std::string guest_address = "10.0.2.15";  ///< in 10.0.2.0/24; the default is what DHCP gives the first guest
  std::uint16_t guest_port = 0;             ///< 1 to 65535
};

struct UserNetworkOptions {
  bool host_loopback = false;                ///< lets the guest reach servers at the host's 127.0.0.1, as 10.0.2.2 (and ::1 as fec0::2)
  bool ipv6 = false;                         ///< IPv6 too, with the prefix fec0::/64 by router advertisements
  std::vector<PortForward> forwards = {};
  std::size_t send_queue = 256u << 10;       ///< bytes of frames from the guest that wait; more are dropped
  std::size_t receive_queue = 1u << 20;      ///< bytes of frames that wait for the guest; more are dropped
  unsigned max_connections = 256;            ///< connections and UDP flows at a time, each a descriptor; what would open more is dropped. 8 or more
};

/// Makes a network of 10.0.2.0/24 with the guest in it alone: DHCP (10.0.2.15), a gateway that answers pings (10.0.2.2), the host's name server
/// (10.0.2.3), and NAT for TCP, UDP and, where the system lets a program send them, pings. From outside nothing reaches the guest but `forwards`.
/// The guest can connect wherever this program can, also to the host's own addresses other than the loopback ones.
///
/// Fails with a sentence when an option is malformed, a port is taken, the system refuses a thread or a descriptor, or this library was built without
/// libslirp (ErrorCode::unsupported).
///
/// The link has one thread, which blocks all signals; it is always up. Destroying it closes the connections and takes no longer than a few
/// milliseconds. The guest is not trusted: frames that are malformed or that reach for the loopback are dropped and counted, and
/// so are fragments that never become a whole datagram of UDP or ICMP.
Result<std::shared_ptr<NetworkLink>> make_user_network(const UserNetworkOptions& options);

/// Whether make_user_network() can work in this build.
bool has_user_network() noexcept;

}  // namespace tuxarium
