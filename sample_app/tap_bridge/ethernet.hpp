// What the bridge looks at in an Ethernet frame: the two addresses (IEEE 802.3 section 3.2.3).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <tuxarium/result.hpp>

namespace tuxarium::bridge {

using Bytes = std::span<const std::byte>;

inline constexpr std::size_t kEthernetHeader = 14;
inline constexpr std::size_t kVlanTag = 4;

struct MacAddress {
  std::array<std::uint8_t, 6> octets{};

  auto operator<=>(const MacAddress&) const = default;
  bool is_group() const { return (octets[0] & 1) != 0; }
  bool is_zero() const { return *this == MacAddress{}; }
  /// 01:80:C2:00:00:00 to 0F: spanning tree, pause and the like, which no bridge forwards (IEEE 802.1D table 7-10).
  bool is_link_local() const {
    return octets[0] == 0x01 && octets[1] == 0x80 && octets[2] == 0xc2 && octets[3] == 0 && octets[4] == 0 && octets[5] < 0x10;
  }
};

/// Six octets in hexadecimal between colons.
Result<MacAddress> parse_mac(std::string_view text);
std::string to_string(const MacAddress& address);

/// Both want a frame of at least kEthernetHeader bytes.
inline MacAddress destination_of(Bytes frame) {
  MacAddress address;
  std::memcpy(address.octets.data(), frame.data(), address.octets.size());
  return address;
}
inline MacAddress source_of(Bytes frame) {
  MacAddress address;
  std::memcpy(address.octets.data(), frame.data() + address.octets.size(), address.octets.size());
  return address;
}

struct MacHash {
  std::size_t operator()(const MacAddress& address) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, address.octets.data(), address.octets.size());
    return std::hash<std::uint64_t>{}(bits);
  }
};

}  // namespace tuxarium::bridge
