// Which frames of the guest the user-mode network's TCP/IP stack gets to see.
//
// The stack runs in the host's process and makes sockets of what it is sent, so it sees well-formed frames of protocols that it serves alone
// (RFC 791 IPv4 and RFC 8200 IPv6 with TCP, UDP and ICMP behind the header; ARP), and none that reach for the host's loopback in ways that the stack
// does not refuse itself. IPv6 extension headers do not pass: the stack does not read them. Nor do fragments of IPv4, which fragment_assembler.hpp has made whole
// before: the reassembly of libslirp 4.7.0 as Debian 12 compiled it (its two views of one list break C's aliasing rules) crashes when a datagram's last
// fragment comes first.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tuxarium::net {

// The addresses of the user-mode network, 10.0.2.0/24.
inline constexpr std::uint32_t kUserNetwork = 0x0a000200, kUserNetmask = 0xffffff00;
inline constexpr std::uint32_t kUserGateway = 0x0a000202, kUserNameServer = 0x0a000203, kUserFirstGuest = 0x0a00020f;

/// The prefix of its IPv6 network, fec0::/64; gateway and name server are its hosts 2 and 3.
inline constexpr std::uint8_t kUserPrefix6[8] = {0xfe, 0xc0};

class GuestFrameGuard {
 public:
  enum class Verdict : std::uint8_t {
    drop,
    pass,        ///< belongs to what there is, or is answered inside
    opens,       ///< may make a new connection or flow
    name_query,  ///< the same, to the name server
  };

  /// Where datagrams for a port of the host go.
  struct UdpForward {
    std::uint32_t guest_address = 0;
    std::uint16_t guest_port = 0;
  };

  struct Options {
    bool host_loopback = false;  ///< the gateway's address leads to the host's loopback
    bool ipv6 = false;
    std::vector<UdpForward> udp_forwards = {};
  };

  explicit GuestFrameGuard(const Options& options);

  Verdict judge(std::span<const std::byte> frame) const;

  /// A frame on its way to the guest: whoever has sent a datagram through a forward may be answered.
  void note_for_guest(std::span<const std::byte> frame);

  /// True when the stack's own switch against the loopback would also stop the answers to UDP forwards, so that the guard stands in for it.
  bool stands_in_for_loopback_switch() const { return !host_loopback_ && !forwards_.empty(); }

 private:
  struct Forward {
    UdpForward target;
    std::unique_ptr<std::bitset<65536>> peers = std::make_unique<std::bitset<65536>>();  // ports of the loopback that have sent something
  };
  struct Ports {
    std::uint16_t source, target;
    bool opens;
  };

  Verdict judge_ip4(std::span<const std::byte> packet) const;
  Verdict judge_to_gateway(std::uint8_t protocol, std::uint32_t from, const Ports& ports) const;
  Verdict judge_ip6(std::span<const std::byte> packet) const;
  const Forward* forward_of(std::uint32_t guest_address, std::uint16_t guest_port) const;

  bool host_loopback_, ipv6_;
  std::vector<Forward> forwards_;
};

}  // namespace tuxarium::net
