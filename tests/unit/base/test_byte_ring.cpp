#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <random>

#include "base/byte_ring.hpp"
#include "base/state_visitor.hpp"

using tuxarium::base::ByteRing;
using tuxarium::base::HashVisitor;

namespace {
std::uint64_t hash(const ByteRing& ring) {
  HashVisitor v;
  ring.visit_state(v);
  return v.digest();
}
}  // namespace

TEST_CASE("a full ring refuses a byte and keeps what it has") {
  ByteRing ring{4};
  for (std::uint8_t i = 0; i < 4; ++i) CHECK(ring.push(i));
  CHECK(ring.full());
  CHECK_FALSE(ring.push(9));
  for (std::uint8_t i = 0; i < 4; ++i) CHECK(ring.pop() == i);
  CHECK(ring.empty());
}

TEST_CASE("a span is taken as far as it fits") {
  ByteRing ring{8};
  std::array<std::byte, 12> data{};
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i);
  CHECK(ring.push(data) == 8);
  std::array<std::byte, 5> out{};
  CHECK(ring.pop(out) == 5);
  CHECK(out[4] == std::byte{4});
  CHECK(ring.push(std::span(data).first(3)) == 3);
  CHECK(ring.size() == 6);
  CHECK(ring.space() == 2);
  CHECK(ring.peek() == 5);
  CHECK(ring.peek(3) == 0);
}

TEST_CASE("random pushes and pops agree with a deque") {
  constexpr unsigned kSeed = 20260101;
  INFO("seed " << kSeed);
  std::mt19937 random{kSeed};
  ByteRing ring{16};
  std::deque<std::uint8_t> model;
  for (int i = 0; i < 20'000; ++i) {
    const auto byte = static_cast<std::uint8_t>(random());
    if (random() % 2 == 0) {
      REQUIRE(ring.push(byte) == (model.size() < 16));
      if (model.size() < 16) model.push_back(byte);
    } else if (!model.empty()) {
      REQUIRE(ring.pop() == model.front());
      model.pop_front();
    }
    REQUIRE(ring.size() == model.size());
  }
}

TEST_CASE("rings with the same content visit alike, wherever it lies in storage") {
  ByteRing a{4}, b{4};
  for (int i = 0; i < 3; ++i) {
    CHECK(b.push(7));
    b.pop();
  }
  CHECK(a.push(1));
  CHECK(a.push(2));
  CHECK(b.push(1));
  CHECK(b.push(2));
  CHECK(hash(a) == hash(b));
  CHECK(b.push(3));
  CHECK(hash(a) != hash(b));
}
