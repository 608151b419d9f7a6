#include "net/user_network_guard.hpp"

#include <algorithm>

#include "net/packet_fields.hpp"

namespace tuxarium::net {

namespace {

using Bytes = std::span<const std::byte>;
using Verdict = GuestFrameGuard::Verdict;

constexpr std::size_t kArpBytes = 28, kIp6Header = 40, kTcpHeader = 20, kUdpHeader = 8, kIcmpHeader = 8;
constexpr std::uint16_t kDns = 53, kDhcp = 67, kTftp = 69, kDhcp6 = 547;
constexpr std::uint32_t kBroadcast = 0xffffffff;

bool in_user_network(std::uint32_t address) { return (address & kUserNetmask) == kUserNetwork; }

/// Addresses that are no host of any network: 0.0.0.0/8, 127.0.0.0/8, multicast and reserved ones.
bool leads_nowhere(std::uint32_t address) { return address >> 24 == 0 || address >> 24 == 127 || (address >= 0xe0000000 && address != kBroadcast); }

/// A segment that asks for a new connection.
bool is_opening(Bytes tcp) { return (byte_at(tcp, 13) & 0x12) == 0x02; }  // SYN without ACK

bool header_fits(std::uint8_t protocol, Bytes payload) {
  if (protocol != kTcp) return payload.size() >= (protocol == kUdp ? kUdpHeader : kIcmpHeader);
  if (payload.size() < kTcpHeader) return false;
  const std::size_t header = std::size_t{byte_at(payload, 12)} >> 4 << 2;
  return header >= kTcpHeader && header <= payload.size();
}

Verdict judge_name_query(std::uint16_t port, bool opens) {
  if (port != kDns) return Verdict::drop;
  return opens ? Verdict::name_query : Verdict::pass;
}

Verdict beyond(bool opens) { return opens ? Verdict::opens : Verdict::pass; }

bool in_prefix(Bytes address) {
  return std::equal(std::begin(kUserPrefix6), std::end(kUserPrefix6), address.begin(), [](std::uint8_t a, std::byte b) { return std::byte{a} == b; });
}

bool is_link_local(Bytes address) { return (word_at(address, 0) & 0xffc0) == 0xfe80; }

/// Host `number` of the prefix or of the link.
bool is_host(Bytes address, std::uint8_t number) {
  const bool near = in_prefix(address) || (word_at(address, 0) == 0xfe80 && long_at(address, 2) == 0 && word_at(address, 6) == 0);
  return near && long_at(address, 8) == 0 && long_at(address, 12) == number;
}

/// The unspecified address, the loopback, and IPv4 addresses in IPv6 ones.
bool begins_with_zeros(Bytes address) { return long_at(address, 0) == 0 && long_at(address, 4) == 0 && word_at(address, 8) == 0; }

Verdict judge_icmp6(Bytes to, Bytes icmp) {
  const std::uint8_t type = byte_at(icmp, 0);
  constexpr std::uint8_t kEchoRequest = 128, kRouterSolicitation = 133, kNeighborSolicitation = 135, kNeighborAdvertisement = 136;
  if (type == kEchoRequest) return is_host(to, 2) || is_host(to, 3) ? Verdict::pass : Verdict::drop;
  return type == kRouterSolicitation || type == kNeighborSolicitation || type == kNeighborAdvertisement ? Verdict::pass : Verdict::drop;
}

}  // namespace

GuestFrameGuard::GuestFrameGuard(const Options& options) : host_loopback_{options.host_loopback}, ipv6_{options.ipv6} {
  for (const UdpForward& target : options.udp_forwards) forwards_.push_back({.target = target});
}

Verdict GuestFrameGuard::judge(Bytes frame) const {
  if (frame.size() < kEthernetHeader) return Verdict::drop;
  const Bytes packet = frame.subspan(kEthernetHeader);
  switch (word_at(frame, 12)) {
    case kArp: return packet.size() >= kArpBytes ? Verdict::pass : Verdict::drop;
    case kIp4: return judge_ip4(packet);
    case kIp6: return ipv6_ ? judge_ip6(packet) : Verdict::drop;
    default: return Verdict::drop;
  }
}

Verdict GuestFrameGuard::judge_ip4(Bytes packet) const {
  const Ip4Extent extent = ip4_extent(packet);
  if (extent.header == 0) return Verdict::drop;
  const Bytes payload = packet.subspan(extent.header, extent.total - extent.header);
  const std::uint8_t protocol = byte_at(packet, 9);
  const std::uint32_t from = long_at(packet, 12), to = long_at(packet, 16);
  if ((protocol != kTcp && protocol != kUdp && protocol != kIcmp) || leads_nowhere(to)) return Verdict::drop;

  constexpr std::uint16_t kFragment = 0x3fff;  // more fragments, or an offset
  if ((word_at(packet, 6) & kFragment) != 0 || !header_fits(protocol, payload)) return Verdict::drop;
  const bool from_guest = in_user_network(from);
  Ports ports{.source = 0, .target = 0, .opens = true};
  if (protocol != kIcmp) ports = {word_at(payload, 0), word_at(payload, 2), protocol == kUdp || is_opening(payload)};
  if (to == kUserGateway || to == kBroadcast) {
    if (protocol == kUdp && ports.target == kDhcp && (from_guest || from == 0)) return Verdict::pass;
    if (!from_guest || (to == kBroadcast && !host_loopback_)) return Verdict::drop;
    return judge_to_gateway(protocol, from, ports);
  }
  if (!from_guest) return Verdict::drop;
  if (to == kUserNameServer) return protocol == kIcmp ? Verdict::pass : judge_name_query(ports.target, ports.opens);
  return in_user_network(to) ? Verdict::drop : beyond(ports.opens);
}

Verdict GuestFrameGuard::judge_to_gateway(std::uint8_t protocol, std::uint32_t from, const Ports& ports) const {
  if (protocol == kIcmp) return Verdict::pass;
  if (protocol == kUdp && ports.target == kTftp) return Verdict::drop;
  if (!stands_in_for_loopback_switch()) return beyond(ports.opens);
  if (protocol == kTcp) return ports.opens ? Verdict::drop : Verdict::pass;
  const Forward* forward = forward_of(from, ports.source);
  return forward != nullptr && forward->peers->test(ports.target) ? Verdict::pass : Verdict::drop;
}

Verdict GuestFrameGuard::judge_ip6(Bytes packet) const {
  if (packet.size() < kIp6Header || byte_at(packet, 0) >> 4 != 6) return Verdict::drop;
  const std::size_t length = word_at(packet, 4);
  if (kIp6Header + length > packet.size()) return Verdict::drop;
  const Bytes payload = packet.subspan(kIp6Header, length), from = packet.subspan(8, 16), to = packet.subspan(24, 16);
  const std::uint8_t protocol = byte_at(packet, 6);
  if ((protocol != kTcp && protocol != kUdp && protocol != kIcmp6) || !header_fits(protocol, payload)) return Verdict::drop;
  if (protocol == kIcmp6) return judge_icmp6(to, payload);
  if (!in_prefix(from) && !is_link_local(from)) return Verdict::drop;
  const std::uint16_t port = word_at(payload, 2);
  if (protocol == kUdp && port == kDhcp6 && byte_at(to, 0) == 0xff) return Verdict::pass;
  if (begins_with_zeros(to) || byte_at(to, 0) == 0xff || is_link_local(to) || !in_prefix(from)) return Verdict::drop;
  const bool opens = protocol == kUdp || is_opening(payload);
  if (!in_prefix(to)) return beyond(opens);
  if (is_host(to, 3)) return judge_name_query(port, opens);
  if (protocol == kUdp && port == kTftp) return Verdict::drop;
  return stands_in_for_loopback_switch() && opens ? Verdict::drop : beyond(opens);
}

const GuestFrameGuard::Forward* GuestFrameGuard::forward_of(std::uint32_t guest_address, std::uint16_t guest_port) const {
  for (const Forward& forward : forwards_) {
    if (forward.target.guest_address == guest_address && forward.target.guest_port == guest_port) return &forward;
  }
  return nullptr;
}

void GuestFrameGuard::note_for_guest(Bytes frame) {
  if (forwards_.empty() || frame.size() < kEthernetHeader + kIp4Header + kUdpHeader || word_at(frame, 12) != kIp4) return;
  const Bytes packet = frame.subspan(kEthernetHeader);
  const std::size_t header = std::size_t{byte_at(packet, 0)} % 16 * 4;
  const bool first_of_datagram = (word_at(packet, 6) & 0x1fff) == 0;
  if (byte_at(packet, 9) != kUdp || long_at(packet, 12) != kUserGateway || !first_of_datagram || packet.size() < header + kUdpHeader) return;
  const Forward* forward = forward_of(long_at(packet, 16), word_at(packet, header + 2));
  if (forward != nullptr) forward->peers->set(word_at(packet, header));
}

}  // namespace tuxarium::net
