#include "net/fragment_assembler.hpp"

#include <algorithm>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "guest_packets.hpp"

namespace tuxarium::net {
namespace {

using namespace guest_packets;

std::string text_of(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 23);
  return text;
}

Bytes whole_of(std::span<const std::byte> frame) { return {frame.begin(), frame.end()}; }

/// What comes of frames taken in turn; all but the last must give nothing.
Bytes take_all(FragmentAssembler& assembler, const std::vector<Bytes>& frames) {
  Bytes result;
  for (const Bytes& frame : frames) {
    CHECK(result.empty());
    result = whole_of(assembler.take(frame, 0));
  }
  return result;
}

Bytes with_identification(Bytes frame, unsigned number) {
  set16(frame, 18, number);
  return frame;
}

TEST_CASE("fragments: what is one") {
  CHECK_FALSE(FragmentAssembler::is_fragment(udp(kGuest, 1, kGateway, 2, "x")));
  CHECK_FALSE(FragmentAssembler::is_fragment(udp(kGuest, 1, kGateway, 2, "x", 0x4000)));  // "do not fragment"
  CHECK_FALSE(FragmentAssembler::is_fragment(arp(1, kGuest, kGateway)));
  CHECK_FALSE(FragmentAssembler::is_fragment(Bytes(33)));
  CHECK(FragmentAssembler::is_fragment(udp(kGuest, 1, kGateway, 2, "x", 0x2000)));
  CHECK(FragmentAssembler::is_fragment(udp(kGuest, 1, kGateway, 2, "x", 1)));
}

TEST_CASE("fragments: a datagram comes out whole, in whatever order they come") {
  for (const std::size_t size : {9u, 1480u, 4000u, 65'499u}) {
    const Bytes datagram = udp(kGuest, 1000, kGateway, 53, text_of(size));
    const unsigned seed = std::random_device{}();
    INFO(size << ", seed " << seed);
    std::vector<Bytes> parts = fragments_of(datagram, size < 100 ? 8 : 1480);
    FragmentAssembler assembler;
    CHECK(take_all(assembler, parts) == datagram);
    std::reverse(parts.begin(), parts.end());
    CHECK(take_all(assembler, parts) == datagram);
    std::shuffle(parts.begin(), parts.end(), std::mt19937{seed});
    CHECK(take_all(assembler, parts) == datagram);
    CHECK(assembler.dropped() == 0);
  }
}

TEST_CASE("fragments: the padding of a short Ethernet frame is no part of them") {
  const Bytes datagram = udp(kGuest, 1000, kGateway, 53, text_of(20));
  std::vector<Bytes> parts = fragments_of(datagram, 16);
  for (Bytes& part : parts) part.resize(60, std::byte{0xee});
  FragmentAssembler assembler;
  CHECK(take_all(assembler, parts) == datagram);
}

TEST_CASE("fragments: a repeated one does no harm") {
  const Bytes datagram = udp(kGuest, 1000, kGateway, 53, text_of(3000));
  const std::vector<Bytes> parts = fragments_of(datagram, 1480);
  REQUIRE(parts.size() == 3);
  FragmentAssembler assembler;
  CHECK(take_all(assembler, {parts[0], parts[2], parts[0], parts[2], parts[1]}) == datagram);
}

TEST_CASE("fragments: datagrams of several senders do not mix") {
  const Bytes one = udp(kGuest, 1000, kGateway, 53, text_of(2000)), two = udp(kGuest, 1000, kNameServer, 53, text_of(2000));
  const auto first = fragments_of(one, 1480), second = fragments_of(two, 1480);
  FragmentAssembler assembler;
  CHECK(assembler.take(first[0], 0).empty());
  CHECK(assembler.take(second[1], 0).empty());
  CHECK(whole_of(assembler.take(first[1], 0)) == one);
  CHECK(whole_of(assembler.take(second[0], 0)) == two);
}

TEST_CASE("fragments: those that contradict one another are forgotten with all that belongs to them") {
  const Bytes datagram = udp(kGuest, 1000, kGateway, 53, text_of(3000));
  const std::vector<Bytes> parts = fragments_of(datagram, 1480);
  FragmentAssembler assembler;
  const auto refuses = [&](const std::vector<Bytes>& frames) {
    const std::uint64_t before = assembler.dropped();
    CHECK(take_all(assembler, frames).empty());
    CHECK(assembler.dropped() == before + frames.size());
    CHECK(take_all(assembler, parts) == datagram);  // nothing of them is left
  };
  Bytes other = parts[0];
  other[100] ^= std::byte{1};
  SUBCASE("other bytes at the same place") { refuses({parts[0], other}); }
  SUBCASE("two ends") { refuses({parts[2], ip4({17, kGuest, kGateway, 500}, Bytes(4))}); }
  SUBCASE("an end before what has come") { refuses({parts[1], ip4({17, kGuest, kGateway, 10}, Bytes(4))}); }
  SUBCASE("more behind the end") { refuses({parts[2], ip4({17, kGuest, kGateway, 0x2000 | 400}, Bytes(8))}); }
  SUBCASE("a length that is no multiple of 8") { refuses({ip4({17, kGuest, kGateway, 0x2000}, Bytes(9))}); }
  SUBCASE("nothing in it") { refuses({ip4({17, kGuest, kGateway, 0x2000}, {})}); }
  SUBCASE("beyond 64 KiB") { refuses({ip4({17, kGuest, kGateway, 0x1fff}, Bytes(8))}); }
}

TEST_CASE("fragments: malformed ones, and those of TCP, are dropped") {
  FragmentAssembler assembler;
  Bytes frame = udp(kGuest, 1, kGateway, 2, "12345678", 0x2000);
  for (const unsigned first : {0x44u, 0x4fu, 0x65u}) {
    frame[14] = std::byte(first);
    CHECK(assembler.take(frame, 0).empty());
  }
  frame = udp(kGuest, 1, kGateway, 2, "12345678", 0x2000);
  set16(frame, 16, 1000);
  CHECK(assembler.take(frame, 0).empty());
  CHECK(assembler.take(ip4({6, kGuest, kGateway, 0x2000}, Bytes(24)), 0).empty());
  CHECK(assembler.dropped() == 5);
}

TEST_CASE("fragments: a datagram that stays incomplete is forgotten after half a minute") {
  const Bytes datagram = udp(kGuest, 1000, kGateway, 53, text_of(2000));
  const auto parts = fragments_of(datagram, 1480);
  FragmentAssembler assembler;
  CHECK(assembler.take(parts[0], 1000).empty());
  CHECK(assembler.take(parts[1], 1001 + FragmentAssembler::kLongestWait).empty());
  CHECK(assembler.dropped() == 1);
  CHECK(whole_of(assembler.take(parts[0], 1002 + FragmentAssembler::kLongestWait)) == datagram);
}

TEST_CASE("fragments: more datagrams than there is room for push out the oldest") {
  const Bytes datagram = udp(kGuest, 1000, kGateway, 53, text_of(2000));
  const auto parts = fragments_of(datagram, 1480);
  FragmentAssembler assembler;
  const unsigned most = FragmentAssembler::kMostDatagrams;
  for (unsigned i = 0; i <= most; ++i) CHECK(assembler.take(with_identification(parts[0], i), i).empty());
  CHECK(assembler.dropped() == 1);
  for (unsigned i = 1; i <= most; ++i) CHECK_FALSE(assembler.take(with_identification(parts[1], i), 100).empty());
  CHECK(assembler.take(with_identification(parts[1], 0), 100).empty());
}

TEST_CASE("fragments: the header's options stay") {
  Bytes first = udp(kGuest, 1000, kGateway, 53, text_of(16), 0x2000);
  const Bytes options(4, std::byte{1});  // "no operation"
  first.insert(first.begin() + 34, options.begin(), options.end());
  first[14] = std::byte{0x46};
  set16(first, 16, 20 + 4 + 24);
  FragmentAssembler assembler;
  CHECK(assembler.take(first, 0).empty());
  const Bytes whole = whole_of(assembler.take(ip4({17, kGuest, kGateway, 3}, Bytes(5)), 0));
  REQUIRE(whole.size() == 14 + 24 + 24 + 5);
  CHECK(get16(whole, 16) == 24 + 24 + 5);
  CHECK(checksum(std::span{whole}.subspan(14, 24)) == 0);
}

TEST_CASE("fragments: random ones never crash") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random{seed};
  FragmentAssembler assembler;
  std::uint64_t taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes frame = ip4({17, kGuest, kGateway, static_cast<unsigned>(random() % 0x4000)}, Bytes(random() % 200));
    if (random() % 4 == 0) frame[14 + random() % 20] = std::byte(random() & 0xff);
    frame.resize(frame.size() - random() % 8);
    if (!FragmentAssembler::is_fragment(frame)) continue;
    assembler.take(frame, i);
    ++taken;
  }
  CHECK(assembler.dropped() <= taken);
  CHECK(assembler.dropped() > 0);
}

}  // namespace
}  // namespace tuxarium::net
