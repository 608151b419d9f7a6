#include "port_log.hpp"

#include <doctest/doctest.h>

#include "temporary_folder.hpp"

using namespace tuxarium;
using namespace tuxarium::app;

TEST_CASE("file and ports are told apart") {
  auto spec = parse_port_log("out.bin:0xe9");
  REQUIRE(spec.has_value());
  CHECK(spec->file == "out.bin");
  CHECK(spec->first == 0xe9);
  CHECK(spec->last == 0xe9);
  spec = parse_port_log("a:b c,d:760-0x2FF");
  REQUIRE(spec.has_value());
  CHECK(spec->file == "a:b c,d");
  CHECK(spec->first == 0x2f8);
  CHECK(spec->last == 0x2ff);
}

TEST_CASE("malformed specifications are refused") {
  for (const char* text : {"", "file", ":0x10", "f:", "f:x", "f:0x", "f:0x10000", "f:5-4", "f:1-", "f:-1", "f:1-2-3", "f:12h"}) {
    INFO(text);
    CHECK_FALSE(parse_port_log(text).has_value());
  }
}

TEST_CASE("writes are logged in order, wide ones lowest byte first, reads not at all") {
  const TemporaryFolder folder;
  auto file = OutputFile::open(folder / "log");
  REQUIRE(file.has_value());
  file->start();
  PortLog log{std::move(file).value(), {folder / "log", 0x10, 0x13}};
  log.note({0x10, 1, true, 'a'});
  log.note({0x10, 1, false, 'r'});
  log.note({0x10, 2, true, 0x6362});
  log.note({0x10, 4, true, 0x67666564});
  REQUIRE(log.flush().has_value());
  CHECK(folder.read("log") == "abcdefg");
}
