#include "device_statistics.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace tuxarium::bridge;

TEST_CASE("device statistics: the drops of transmission, whatever the other columns hold") {
  std::istringstream text{
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
      "    lo:       1       2    3    4    5     6          7         8        9      10   11   12   13    14      15         16\n"
      "websockettunt0:18446744073709551615 2 3 4 5 6 7 8 9 10 11 18446744073709551614 13 14 15 16\n"
      "eth0:1: 1 2 3 4 5 6 7 8 9 10 11 7 13 14 15 16\n"};
  const DeviceDrops drops = parse_device_drops(text);
  CHECK(drops == DeviceDrops{{"lo", 12}, {"websockettunt0", 18446744073709551614u}, {"eth0:1", 7}});
}

TEST_CASE("device statistics: lines that are cut or something else are left out") {
  for (const char* const line : {"", ":", "tap0", "tap0:", "tap0: 1 2 3", "tap0: 1 2 3 4 5 6 7 8 9 10 11", "tap0: a b c d e f g h i j k l",
                                 " : 1 2 3 4 5 6 7 8 9 10 11 12", "tap0: 1 2 3 4 5 6 7 8 9 10 11 99999999999999999999"}) {
    CAPTURE(line);
    std::istringstream text{line};
    CHECK(parse_device_drops(text).empty());
  }
}

TEST_CASE("device statistics: this system's own can be read") { CHECK(read_device_drops().contains("lo")); }
