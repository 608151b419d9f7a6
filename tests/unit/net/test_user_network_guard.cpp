#include "net/user_network_guard.hpp"

#include <random>

#include <doctest/doctest.h>

#include "guest_packets.hpp"

namespace tuxarium::net {
namespace {

using namespace guest_packets;
using Verdict = GuestFrameGuard::Verdict;

constexpr std::uint32_t kWorld = 0xc0000201;  // 192.0.2.1

Verdict judge(const Bytes& frame, const GuestFrameGuard::Options& options = {}) { return GuestFrameGuard{options}.judge(frame); }

TEST_CASE("guard: what an ordinary guest sends passes") {
  CHECK(judge(arp(1, kGuest, kGateway)) == Verdict::pass);
  CHECK(judge(dhcp_discover()) == Verdict::pass);
  CHECK(judge(echo_request(kGateway, "hello")) == Verdict::pass);
  CHECK(judge(echo_request(kWorld, "hello")) == Verdict::opens);
  CHECK(judge(udp(kGuest, 1000, kNameServer, 53, "query")) == Verdict::name_query);
  CHECK(judge(tcp(1000, kNameServer, 53, 1, 0, kSyn)) == Verdict::name_query);
  CHECK(judge(udp(kGuest, 1000, kWorld, 123, "time")) == Verdict::opens);
  CHECK(judge(tcp(1000, kWorld, 80, 1, 0, kSyn)) == Verdict::opens);
  CHECK(judge(tcp(1000, kWorld, 80, 1, 0, kAck)) == Verdict::pass);
  CHECK(judge(tcp(1000, kWorld, 80, 1, 0, kSyn | kAck)) == Verdict::pass);
  CHECK(judge(tcp(1000, kGateway, 80, 1, 0, kSyn)) == Verdict::opens);  // which the stack refuses
}

TEST_CASE("guard: what leads nowhere, or to the host itself, does not") {
  for (const std::uint32_t to : {0x7f000001u, 0x7f123456u, 0u, 0x00000001u, 0xe00000fbu, 0xf0000001u, 0x0a000204u, 0x0a0002ffu}) {
    INFO(to);
    CHECK(judge(tcp(1000, to, 22, 1, 0, kSyn), {.host_loopback = true}) == Verdict::drop);
    CHECK(judge(udp(kGuest, 1000, to, 22, "x"), {.host_loopback = true}) == Verdict::drop);
    CHECK(judge(echo_request(to, "x")) == Verdict::drop);
  }
  CHECK(judge(udp(kGuest, 1000, kNameServer, 54, "x"), {.host_loopback = true}) == Verdict::drop);
  CHECK(judge(udp(kGuest, 1000, kGateway, 69, "x"), {.host_loopback = true}) == Verdict::drop);
  CHECK(judge(udp(kGuest, 1000, 0xffffffff, 1000, "x")) == Verdict::drop);
  CHECK(judge(udp(kWorld, 1000, kWorld, 1000, "x")) == Verdict::drop);  // not the guest's address
  CHECK(judge(udp(0x7f000001, 1000, kGateway, 1000, "x")) == Verdict::drop);
  CHECK(judge(udp(0, 68, kWorld, 67, "x")) == Verdict::drop);
}

TEST_CASE("guard: malformed frames do not pass") {
  const Bytes good = tcp(1000, kWorld, 80, 1, 0, kSyn);
  for (std::size_t size = 0; size < good.size(); ++size) {
    INFO(size);
    CHECK(judge(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))) == Verdict::drop);
  }
  const auto changed = [&](std::size_t at, unsigned value) {
    Bytes frame = good;
    frame[at] = std::byte(value);
    return judge(frame);
  };
  CHECK(changed(14, 0x45) == Verdict::opens);
  for (const unsigned version : {0x44u, 0x4fu, 0x65u, 0x05u}) CHECK(changed(14, version) == Verdict::drop);
  CHECK(changed(16, 0xff) == Verdict::drop);  // total length
  CHECK(changed(17, 19) == Verdict::drop);
  CHECK(changed(23, 47) == Verdict::drop);  // a protocol that is not served
  CHECK(changed(46, 0x40) == Verdict::drop);  // length of the TCP header
  CHECK(changed(46, 0xf0) == Verdict::drop);
  CHECK(changed(12, 0x81) == Verdict::drop);  // EtherType
}

TEST_CASE("guard: fragments do not pass") {
  for (const unsigned fragment : {0x2000u, 0x2001u, 0x0001u, 0x1fffu}) {
    INFO(fragment);
    CHECK(judge(udp(kGuest, 1000, kWorld, 1000, "x", fragment)) == Verdict::drop);
  }
  CHECK(judge(udp(kGuest, 1000, kWorld, 1000, "x", 0x4000)) == Verdict::opens);  // "do not fragment"
}

TEST_CASE("guard: through a UDP forward, those who have asked are answered, and nobody else on the loopback is reached") {
  GuestFrameGuard guard{{.udp_forwards = {{kGuest, 5000}}}};
  REQUIRE(guard.stands_in_for_loopback_switch());
  const auto reply = [&](unsigned from_port, unsigned to_port) { return guard.judge(udp(kGuest, from_port, kGateway, to_port, "answer")); };
  CHECK(reply(5000, 40000) == Verdict::drop);
  guard.note_for_guest(udp(kGateway, 40000, kGuest, 5001, "other port"));
  guard.note_for_guest(udp(kWorld, 40000, kGuest, 5000, "from elsewhere"));
  CHECK(reply(5000, 40000) == Verdict::drop);
  guard.note_for_guest(udp(kGateway, 40000, kGuest, 5000, "question"));
  CHECK(reply(5000, 40000) == Verdict::pass);
  CHECK(reply(5000, 40001) == Verdict::drop);
  CHECK(reply(5001, 40000) == Verdict::drop);
  CHECK(guard.judge(tcp(1000, kGateway, 22, 1, 0, kSyn)) == Verdict::drop);
  CHECK(guard.judge(tcp(1000, kGateway, 22, 1, 0, kSyn | kPush)) == Verdict::drop);
  CHECK(guard.judge(tcp(1000, kGateway, 22, 1, 0, kAck)) == Verdict::pass);  // of a forwarded connection
  CHECK(guard.judge(echo_request(kGateway, "x")) == Verdict::pass);
}

TEST_CASE("guard: IPv6 only when it is on, and not to the loopback") {
  const std::array<std::uint8_t, 16> guest{0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
  const auto host = [&](std::uint8_t number) {
    auto address = guest;
    address[15] = number;
    return address;
  };
  Bytes datagram;
  put16(datagram, 1000), put16(datagram, 53), put32(datagram, 0x00080000);
  const GuestFrameGuard::Options on{.ipv6 = true};
  const std::array<std::uint8_t, 16> world{0x20, 0x01, 0x0d, 0xb8};
  CHECK(judge(ip6(17, guest, world, datagram)) == Verdict::drop);
  CHECK(judge(ip6(17, guest, world, datagram), on) == Verdict::opens);
  CHECK(judge(ip6(17, guest, host(3), datagram), on) == Verdict::name_query);
  CHECK(judge(ip6(17, world, world, datagram), on) == Verdict::drop);
  CHECK(judge(ip6(0, guest, world, datagram), on) == Verdict::drop);
  CHECK(judge(ip6(44, guest, world, datagram), on) == Verdict::drop);
  const std::array<std::uint8_t, 16> loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const std::array<std::uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
  const std::array<std::uint8_t, 16> multicast{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  for (const auto& to : {loopback, mapped, multicast, std::array<std::uint8_t, 16>{}}) CHECK(judge(ip6(17, guest, to, datagram), on) == Verdict::drop);
  const GuestFrameGuard::Options forwarding{.ipv6 = true, .udp_forwards = {{kGuest, 5000}}};
  CHECK(judge(ip6(17, guest, host(2), datagram), forwarding) == Verdict::drop);

  const auto icmp = [](unsigned type) {
    Bytes message;
    put8(message, type), put8(message, 0), put16(message, 0), put32(message, 0);
    return message;
  };
  CHECK(judge(ip6(58, guest, host(2), icmp(128)), on) == Verdict::pass);
  CHECK(judge(ip6(58, guest, world, icmp(128)), on) == Verdict::drop);
  CHECK(judge(ip6(58, {}, multicast, icmp(135)), on) == Verdict::pass);
  CHECK(judge(ip6(58, guest, multicast, icmp(134)), on) == Verdict::drop);
}

TEST_CASE("guard: any bytes at all") {
  std::mt19937 random{7};
  GuestFrameGuard guard{{.host_loopback = false, .ipv6 = true, .udp_forwards = {{kGuest, 5000}}}};
  const Bytes seeds[]{tcp(1000, kWorld, 80, 1, 0, kSyn), udp(kGuest, 5000, kGateway, 40000, "x"), dhcp_discover(), arp(1, kGuest, kGateway)};
  for (int i = 0; i < 200'000; ++i) {
    Bytes frame = seeds[random() % std::size(seeds)];
    for (unsigned changes = random() % 4; changes != 0; --changes) frame[random() % frame.size()] = std::byte(random() & 0xff);
    frame.resize(random() % (frame.size() + 1));
    frame.shrink_to_fit();
    guard.judge(frame);
    guard.note_for_guest(frame);
  }
}

}  // namespace
}  // namespace tuxarium::net
