// Makes whole datagrams of IPv4 fragments that a guest sends (RFC 791 section 3.2, RFC 1122 section 3.3.2), so that the TCP/IP stack behind
// sees none.
//
// UDP and ICMP alone: TCP cuts its segments to the network by itself. A datagram any two of whose fragments disagree about a byte, or about
// where it ends, is forgotten, as RFC 5722 wants it for IPv6.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tuxarium::net {

class FragmentAssembler {
 public:
  /// Datagrams begun at one time; one more makes the oldest forgotten. With 64 KiB each they bound the memory.
  static constexpr std::size_t kMostDatagrams = 8;
  /// Milliseconds from a datagram's first fragment until it is forgotten.
  static constexpr std::int64_t kLongestWait = 30'000;

  static bool is_fragment(std::span<const std::byte> frame);

  /// Takes a fragment: an Ethernet frame for which is_fragment() holds. Returns the frame of the datagram that it completes, valid until
  /// the next call, or nothing. `now`: milliseconds of a steady clock.
  std::span<const std::byte> take(std::span<const std::byte> frame, std::int64_t now);

  /// Fragments that were malformed, or belonged to a datagram that was forgotten.
  std::uint64_t dropped() const { return dropped_; }

 private:
  static constexpr std::size_t kMostBytes = 65'535, kUnit = 8;

  struct Key {
    std::uint32_t from = 0, to = 0;
    std::uint16_t identification = 0;
    std::uint8_t protocol = 0;
    bool operator==(const Key&) const = default;
  };
  struct Datagram {
    Key key;
    std::int64_t began = 0;
    std::uint64_t fragments = 0;  // 0: not in use
    std::size_t size = 0;         // of the payload, 0 until its end has come
    std::size_t reached = 0;      // the farthest byte that has come
    std::vector<std::byte> head;  // Ethernet and IP header of the first fragment
    std::vector<std::byte> payload;
    std::bitset<kMostBytes / kUnit + 1> present;
  };
  struct Fragment;

  Datagram& datagram_of(const Key& key, std::int64_t now);
  void forget(Datagram& datagram);
  static bool put(Datagram& datagram, const Fragment& fragment);
  static bool whole(const Datagram& datagram);
  std::span<const std::byte> finish(Datagram& datagram);

  std::unique_ptr<std::array<Datagram, kMostDatagrams>> datagrams_ = std::make_unique<std::array<Datagram, kMostDatagrams>>();
  std::vector<std::byte> finished_;
  std::uint64_t dropped_ = 0;
};

}  // namespace tuxarium::net
