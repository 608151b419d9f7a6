// Frames of a hostile guest into the user-mode network, with correct check sums where the input asks for them, so that they get through to the stack.
// After each input the network must still answer a ping.
//
// Input: records of [kind][number of changes] and that many [place][value]. Sockets that the frames open are those of a network namespace with
// nothing in it; where none can be had, only addresses inside the user-mode network are sent to.
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include <tuxarium/user_network.hpp>

#include "guest_packets.hpp"

namespace {

using namespace guest_packets;
using tuxarium::NetworkLink;

bool alone = false;  // in a network namespace of our own

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::array<std::uint8_t, 16> kGuest6{0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15}, kGateway6{0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
    kAllNodes6{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

Bytes payload6(unsigned first, std::size_t size) {
  Bytes payload(size, std::byte{1});
  set16(payload, 0, first);
  return payload;
}

Bytes seed(unsigned kind) {
  switch (kind % 14) {
    case 0: return tcp(1000, kGateway, 9, 1, 0, kSyn);
    case 1: return tcp(1000, 0xc6336401, 80, 1, 0, kSyn);
    case 2: return tcp(1000, kNameServer, 53, 1, 0, kAck | kPush, "some bytes of a query");
    case 3: return udp(kGuest, 1000, kNameServer, 53, "some bytes of a query");
    case 4: return udp(kGuest, 1000, 0xc6336401, 123, std::string(200, 'x'));
    case 5: return udp(kGuest, 1000, 0xc6336401, 123, std::string(1000, 'x'), 0x2000);
    case 6: return udp(kGuest, 1000, 0xc6336401, 123, std::string(1000, 'x'), 126);
    case 7: return dhcp_discover();
    case 8: return arp(1, kGuest, kGateway);
    case 9: return echo_request(kGateway, std::string(300, 'x'));
    case 10: return ip6(58, kGuest6, kGateway6, payload6(0x8000, 40));
    case 11: return ip6(58, kGuest6, kAllNodes6, payload6(0x8700, 32));
    case 12: return ip6(17, kGuest6, kAllNodes6, payload6(546, 60));
    default: return ip6(6, kGuest6, kGateway6, payload6(1000, 24));
  }
}

/// Sets the check sum of the transport's header, if it lies within the frame.
void repair_transport(Bytes& frame, std::size_t begin, std::size_t end, unsigned protocol, std::size_t addresses, std::size_t address_bytes) {
  const std::size_t at = begin + (protocol == 6 ? 16 : protocol == 17 ? 6 : 2);
  if (at + 2 > end || end > frame.size() || begin >= end) return;
  set16(frame, at, 0);
  Bytes summed;
  if (protocol != 1) {
    summed.assign(frame.begin() + static_cast<std::ptrdiff_t>(addresses), frame.begin() + static_cast<std::ptrdiff_t>(addresses + 2 * address_bytes));
    put16(summed, protocol), put16(summed, static_cast<unsigned>(end - begin));
  }
  summed.insert(summed.end(), frame.begin() + static_cast<std::ptrdiff_t>(begin), frame.begin() + static_cast<std::ptrdiff_t>(end));
  set16(frame, at, checksum(summed));
}

void repair(Bytes& frame) {
  if (frame.size() < 54) return;
  if (get16(frame, 12) == 0x86dd) return repair_transport(frame, 54, 54 + get16(frame, 18), get8(frame, 20), 22, 16);
  if (get16(frame, 12) != 0x0800) return;
  const std::size_t header = get8(frame, 14) % 16 * 4;
  if (header < 20 || 14 + header > frame.size()) return;
  repair_transport(frame, 14 + header, 14 + get16(frame, 16), get8(frame, 23), 26, 4);
  set16(frame, 24, 0);
  set16(frame, 24, checksum(std::span{frame}.subspan(14, header)));
}

bool stays_inside(const Bytes& frame) {
  const unsigned type = get16(frame, 12);
  if (type == 0x86dd) return get32(frame, 38) == 0xfec00000 || get8(frame, 38) == 0xff;
  return type != 0x0800 || (get32(frame, 30) & 0xffffff00) == 0x0a000200;
}

/// Waits until everything that was sent has been dealt with.
void check_alive(NetworkLink& link) {
  while (!link.send(echo_request(kGateway, "alive"))) std::this_thread::yield();
  Bytes out(NetworkLink::kMaxFrame);
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (std::chrono::steady_clock::now() < end) {
    const std::size_t size = link.receive(out);
    require(size <= NetworkLink::kMaxFrame);
    const Seen seen{std::span{out}.first(size)};
    if (size == 0) std::this_thread::yield();
    else if (seen.is(1) && seen.text() == "alive") return;
  }
  require(false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool separated = ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  alone = separated;
  if (size < 4 || !tuxarium::has_user_network()) return 0;
  auto link = tuxarium::make_user_network({.host_loopback = alone && (data[0] & 1) != 0, .ipv6 = (data[0] & 2) != 0, .send_queue = 1u << 20, .max_connections = 8});
  require(link.has_value());
  (*link)->send(arp(1, kGuest, kGateway));
  std::span<const std::uint8_t> input{data + 1, size - 1};
  while (input.size() >= 2) {
    Bytes frame = seed(input[0] >> 1);
    const bool repaired = (input[0] & 1) != 0;
    std::size_t changes = std::min<std::size_t>(input[1] % 12, (input.size() - 2) / 2);
    input = input.subspan(2);
    for (; changes != 0; --changes, input = input.subspan(2)) {
      if (input[0] == 255) frame.resize(14 + input[1] * 5u);
      else frame[input[0] % frame.size()] = std::byte{input[1]};
    }
    if (repaired) repair(frame);
    if (alone || stays_inside(frame)) (*link)->send(frame);
  }
  check_alive(**link);
  return 0;
}
