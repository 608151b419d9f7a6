// A guest made of packets: builds and reads Ethernet frames with ARP, IPv4, ICMP, UDP and TCP, for tests and fuzz targets of the user-mode network.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace guest_packets {

using Bytes = std::vector<std::byte>;

inline constexpr std::array<std::uint8_t, 6> kGuestMac{0x52, 0x54, 0, 0x12, 0x34, 0x56};
inline constexpr std::uint32_t kGuest = 0x0a00020f, kGateway = 0x0a000202, kNameServer = 0x0a000203;
inline constexpr std::uint8_t kSyn = 2, kRst = 4, kPush = 8, kAck = 16, kFin = 1;

inline void put8(Bytes& out, unsigned value) { out.push_back(std::byte(value & 0xff)); }
inline void put16(Bytes& out, unsigned value) { put8(out, value >> 8), put8(out, value); }
inline void put32(Bytes& out, std::uint32_t value) { put16(out, value >> 16), put16(out, value & 0xffff); }
inline void put_text(Bytes& out, std::string_view text) {
  for (const char c : text) put8(out, static_cast<unsigned char>(c));
}

inline unsigned get8(std::span<const std::byte> data, std::size_t at) { return at < data.size() ? std::to_integer<unsigned>(data[at]) : 0; }
inline unsigned get16(std::span<const std::byte> data, std::size_t at) { return get8(data, at) << 8 | get8(data, at + 1); }
inline std::uint32_t get32(std::span<const std::byte> data, std::size_t at) { return get16(data, at) << 16 | get16(data, at + 2); }

/// The Internet check sum (RFC 1071) of `data`, on top of `sum`.
inline unsigned checksum(std::span<const std::byte> data, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < data.size(); i += 2) sum += get16(data, i);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

inline void set16(Bytes& data, std::size_t at, unsigned value) {
  data[at] = std::byte(value >> 8 & 0xff);
  data[at + 1] = std::byte(value & 0xff);
}

inline Bytes ethernet(unsigned type) {
  Bytes frame(6, std::byte{0xff});
  for (const std::uint8_t byte : kGuestMac) put8(frame, byte);
  put16(frame, type);
  return frame;
}

struct Ip4 {
  std::uint8_t protocol;
  std::uint32_t from, to;
  unsigned fragment = 0;  // flags and offset, as in the header
};

/// A frame around `payload`, whose own check sum, if it has a pseudo header, is at `sum_at`.
inline Bytes ip4(const Ip4& header, Bytes payload, std::size_t sum_at = SIZE_MAX) {
  if (sum_at != SIZE_MAX) {
    Bytes pseudo;
    put32(pseudo, header.from), put32(pseudo, header.to), put16(pseudo, header.protocol), put16(pseudo, static_cast<unsigned>(payload.size()));
    pseudo.insert(pseudo.end(), payload.begin(), payload.end());
    set16(payload, sum_at, checksum(pseudo));
  }
  Bytes packet;
  put16(packet, 0x4500), put16(packet, static_cast<unsigned>(20 + payload.size())), put16(packet, 1), put16(packet, header.fragment);
  put8(packet, 64), put8(packet, header.protocol), put16(packet, 0), put32(packet, header.from), put32(packet, header.to);
  set16(packet, 10, checksum(packet));
  Bytes frame = ethernet(0x0800);
  frame.insert(frame.end(), packet.begin(), packet.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

/// The frames that carry an IPv4 packet in fragments of `size` bytes, a multiple of 8.
inline std::vector<Bytes> fragments_of(const Bytes& frame, std::size_t size) {
  std::vector<Bytes> fragments;
  const std::span<const std::byte> payload = std::span{frame}.subspan(34);
  for (std::size_t at = 0; at < payload.size(); at += size) {
    const std::span<const std::byte> part = payload.subspan(at, std::min(size, payload.size() - at));
    const unsigned more = at + size < payload.size() ? 0x2000u : 0u;
    fragments.push_back(ip4({static_cast<std::uint8_t>(get8(frame, 23)), get32(frame, 26), get32(frame, 30), more | static_cast<unsigned>(at / 8)},
                            Bytes(part.begin(), part.end())));
  }
  return fragments;
}

inline Bytes udp(std::uint32_t from, unsigned from_port, std::uint32_t to, unsigned to_port, std::string_view text, unsigned fragment = 0) {
  Bytes datagram;
  put16(datagram, from_port), put16(datagram, to_port), put16(datagram, static_cast<unsigned>(8 + text.size())), put16(datagram, 0);
  put_text(datagram, text);
  return ip4({17, from, to, fragment}, datagram, 6);
}

inline Bytes tcp(unsigned from_port, std::uint32_t to, unsigned to_port, std::uint32_t sequence, std::uint32_t acknowledged, unsigned flags,
                 std::string_view text = {}, std::uint32_t from = kGuest) {
  Bytes segment;
  put16(segment, from_port), put16(segment, to_port), put32(segment, sequence), put32(segment, acknowledged);
  put8(segment, 0x50), put8(segment, flags), put16(segment, 32768), put16(segment, 0), put16(segment, 0);
  put_text(segment, text);
  return ip4({6, from, to, 0}, segment, 16);
}

inline Bytes echo_request(std::uint32_t to, std::string_view text, std::uint32_t from = kGuest) {
  Bytes message;
  put16(message, 0x0800), put16(message, 0), put16(message, 7), put16(message, 1);
  put_text(message, text);
  set16(message, 2, checksum(message));
  return ip4({1, from, to, 0}, message);
}

inline Bytes arp(unsigned operation, std::uint32_t from, std::uint32_t to) {
  Bytes frame = ethernet(0x0806);
  put16(frame, 1), put16(frame, 0x0800), put16(frame, 0x0604), put16(frame, operation);
  for (const std::uint8_t byte : kGuestMac) put8(frame, byte);
  put32(frame, from);
  for (int i = 0; i < 6; ++i) put8(frame, 0);
  put32(frame, to);
  return frame;
}

inline Bytes dhcp_discover() {
  Bytes message;
  put32(message, 0x01010600), put32(message, 0x12345678);
  message.resize(28);
  for (const std::uint8_t byte : kGuestMac) put8(message, byte);
  message.resize(236);
  put32(message, 0x63825363), put8(message, 53), put8(message, 1), put8(message, 1), put8(message, 255);
  Bytes datagram;
  put16(datagram, 68), put16(datagram, 67), put16(datagram, static_cast<unsigned>(8 + message.size())), put16(datagram, 0);
  datagram.insert(datagram.end(), message.begin(), message.end());
  return ip4({17, 0, 0xffffffff, 0}, datagram, 6);
}

/// An IPv6 frame; its payload's check sum is not set.
inline Bytes ip6(unsigned next_header, std::array<std::uint8_t, 16> from, std::array<std::uint8_t, 16> to, const Bytes& payload) {
  Bytes frame = ethernet(0x86dd);
  put32(frame, 0x60000000), put16(frame, static_cast<unsigned>(payload.size())), put8(frame, next_header), put8(frame, 255);
  for (const std::uint8_t byte : from) put8(frame, byte);
  for (const std::uint8_t byte : to) put8(frame, byte);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

/// What a frame of IPv4 without options holds; wrong fields read as 0.
struct Seen {
  std::span<const std::byte> frame;

  bool is_arp_request_for(std::uint32_t address) const { return get16(frame, 12) == 0x0806 && get16(frame, 20) == 1 && get32(frame, 38) == address; }
  bool is_arp_reply_from(std::uint32_t address) const { return get16(frame, 12) == 0x0806 && get16(frame, 20) == 2 && get32(frame, 28) == address; }
  bool is(unsigned protocol) const { return get16(frame, 12) == 0x0800 && get8(frame, 23) == protocol; }
  std::uint32_t from() const { return get32(frame, 26); }
  unsigned from_port() const { return get16(frame, 34); }
  unsigned to_port() const { return get16(frame, 36); }
  std::uint32_t sequence() const { return get32(frame, 38); }
  std::uint32_t acknowledged() const { return get32(frame, 42); }
  unsigned flags() const { return get8(frame, 47); }
  std::string_view text() const {
    const std::size_t header = 14 + 20 + (is(6) ? (get8(frame, 46) >> 4) * 4 : 8), end = 14 + get16(frame, 16);
    if (end > frame.size() || header > end) return {};
    return {reinterpret_cast<const char*>(frame.data()) + header, end - header};
  }
};

}  // namespace guest_packets
