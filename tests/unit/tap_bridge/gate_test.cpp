#include <doctest/doctest.h>

#include "fakes.hpp"
#include "gate.hpp"

using namespace tuxarium::bridge;
using namespace std::chrono_literals;
using test::frame;
using test::kBroadcast;
using test::mac;

namespace {

struct Clients {
  std::optional<Drop> check(Gate& gate, const test::ByteString& bytes) { return gate.check(bytes, now); }
  Clock::time_point now{};
  AddressTable table;
  GateRules rules;
};

}  // namespace

TEST_CASE("gate: sizes") {
  Clients c;
  Gate gate{c.rules, c.table, 1, c.now};
  CHECK(c.check(gate, test::ByteString(13)) == Drop::malformed);
  CHECK(c.check(gate, frame(mac(9), mac(1), 14)) == std::nullopt);
  CHECK(c.check(gate, frame(mac(9), mac(1), 1518)) == std::nullopt);
  CHECK(c.check(gate, frame(mac(9), mac(1), 1519)) == Drop::malformed);
}

TEST_CASE("gate: the first source address is the client's, until it was silent for a while") {
  Clients c;
  Gate gate{c.rules, c.table, 1, c.now};
  CHECK_FALSE(gate.address());
  CHECK(c.check(gate, frame(mac(9), mac(1))) == std::nullopt);
  CHECK(gate.address() == mac(1));
  CHECK(c.check(gate, frame(mac(9), mac(2))) == Drop::spoofed);
  c.now += 2s;
  CHECK(c.check(gate, frame(mac(9), mac(1))) == std::nullopt);
  c.now += 2s;
  CHECK(c.check(gate, frame(mac(9), mac(2))) == Drop::spoofed);
  c.now += 1s;
  CHECK(c.check(gate, frame(mac(9), mac(2))) == std::nullopt);
  CHECK(gate.address() == mac(2));
  CHECK(c.table.holder(mac(1)) == 0);
  CHECK(c.table.holder(mac(2)) == 1);
}

TEST_CASE("gate: no group, no zero and no reserved source address, whatever the lock") {
  Clients c;
  c.table.reserve(mac(100));
  for (const bool lock : {true, false}) {
    c.rules.lock_mac = lock;
    Gate gate{c.rules, c.table, 1, c.now};
    CHECK(c.check(gate, frame(mac(9), kBroadcast)) == Drop::spoofed);
    CHECK(c.check(gate, frame(mac(9), MacAddress{})) == Drop::spoofed);
    CHECK(c.check(gate, frame(mac(9), mac(100))) == Drop::taken);
  }
}

TEST_CASE("gate: another client's address is refused, its holder is told about, and it is free when the holder goes") {
  Clients c;
  ClientId contested = 0;
  Gate second{c.rules, c.table, 2, c.now};
  second.on_contest([&](ClientId holder) { contested = holder; });
  {
    Gate first{c.rules, c.table, 1, c.now};
    CHECK(c.check(first, frame(mac(9), mac(1))) == std::nullopt);
    CHECK(c.check(second, frame(mac(9), mac(1))) == Drop::taken);
    CHECK(contested == 1);
    c.now += 1h;
    CHECK(c.check(second, frame(mac(9), mac(1))) == Drop::taken);
  }
  CHECK(c.check(second, frame(mac(9), mac(1))) == std::nullopt);
}

TEST_CASE("gate: without the lock every unreserved address passes") {
  Clients c;
  c.rules.lock_mac = false;
  Gate first{c.rules, c.table, 1, c.now}, second{c.rules, c.table, 2, c.now};
  for (unsigned i = 1; i < 300; ++i) {
    CHECK(c.check(first, frame(mac(9), mac(i))) == std::nullopt);
    CHECK(c.check(second, frame(mac(9), mac(i))) == std::nullopt);
  }
}

TEST_CASE("gate: a storm is cut, other frames pass") {
  Clients c;
  c.rules.storm_rate = 10;
  c.rules.storm_burst = 20;
  Gate gate{c.rules, c.table, 1, c.now};
  int passed = 0, dropped = 0;
  for (int i = 0; i < 100; ++i) {
    const auto drop = c.check(gate, frame(kBroadcast, mac(1)));
    passed += !drop;
    dropped += drop == Drop::storm;
  }
  CHECK(passed == 20);
  CHECK(dropped == 80);
  CHECK(c.check(gate, frame(mac(9), mac(1))) == std::nullopt);
  c.now += 1s;
  CHECK(c.check(gate, frame(MacAddress{{1, 0, 0x5e, 0, 0, 1}}, mac(1))) == std::nullopt);
}

TEST_CASE("gate: frames for the bridge itself do not pass") {
  Clients c;
  Gate gate{c.rules, c.table, 1, c.now};
  CHECK(c.check(gate, frame(MacAddress{{0x01, 0x80, 0xc2, 0, 0, 0}}, mac(1))) == Drop::link_local);
  CHECK(c.check(gate, frame(MacAddress{{0x01, 0x80, 0xc2, 0, 0, 0x0f}}, mac(1))) == Drop::link_local);
  CHECK(c.check(gate, frame(MacAddress{{0x01, 0x80, 0xc2, 0, 0, 0x10}}, mac(1))) == std::nullopt);
  CHECK_FALSE(c.table.holder(mac(2)));
}

TEST_CASE("MAC addresses as text") {
  CHECK(to_string(parse_mac("02:54:55:58:00:fF").value()) == "02:54:55:58:00:ff");
  for (const char* text : {"", "02:54:55:58:00", "02:54:55:58:00:0", "02-54-55-58-00-01", "02:54:55:58:00:0g", "02:54:55:58:00:01:02", "002:4:55:58:00:01"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_mac(text));
  }
}
