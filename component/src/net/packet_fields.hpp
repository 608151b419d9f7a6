// Fields of packets, in network order (RFC 791, RFC 894), and the Internet checksum (RFC 1071). Callers check sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tuxarium::net {

inline constexpr std::size_t kEthernetHeader = 14, kIp4Header = 20;
inline constexpr std::uint16_t kArp = 0x0806, kIp4 = 0x0800, kIp6 = 0x86dd;  // EtherTypes
inline constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58;   // protocols

inline std::uint8_t byte_at(std::span<const std::byte> data, std::size_t at) { return std::to_integer<std::uint8_t>(data[at]); }

inline std::uint16_t word_at(std::span<const std::byte> data, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(data, at) << 8 | byte_at(data, at + 1));
}

inline std::uint32_t long_at(std::span<const std::byte> data, std::size_t at) {
  return std::uint32_t{word_at(data, at)} << 16 | word_at(data, at + 2);
}

inline void set_word(std::span<std::byte> data, std::size_t at, std::size_t value) {
  data[at] = static_cast<std::byte>(value >> 8);
  data[at + 1] = static_cast<std::byte>(value);
}

/// Of an even number of bytes.
inline std::uint16_t internet_checksum(std::span<const std::byte> data) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < data.size(); at += 2) sum += word_at(data, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// An IPv4 packet's header, checked against the packet's size; bytes behind the packet are an Ethernet frame's padding.
struct Ip4Extent {
  std::size_t header = 0, total = 0;  // bytes; 0 and 0: malformed
};

inline Ip4Extent ip4_extent(std::span<const std::byte> packet) {
  if (packet.size() < kIp4Header || byte_at(packet, 0) >> 4 != 4) return {};
  const Ip4Extent extent{std::size_t{byte_at(packet, 0)} % 16 * 4, word_at(packet, 2)};
  return extent.header < kIp4Header || extent.total < extent.header || extent.total > packet.size() ? Ip4Extent{} : extent;
}

}  // namespace tuxarium::net
