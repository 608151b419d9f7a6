#include "console.hpp"

#include <doctest/doctest.h>

#include <string>

using tuxarium::app::EscapeKeys;
using Command = EscapeKeys::Command;

TEST_CASE("ordinary keys go through, Ctrl-C too") {
  EscapeKeys keys;
  std::string out;
  std::size_t used = 0;
  CHECK(keys.feed("ls\r\x03\x1b[A", out, used) == Command::none);
  CHECK(out == "ls\r\x03\x1b[A");
  CHECK(used == 7);
}

TEST_CASE("Ctrl-A x leaves, also in two reads, and what follows is not sent") {
  EscapeKeys keys;
  std::string out;
  std::size_t used = 0;
  CHECK(keys.feed("a\x01", out, used) == Command::none);
  CHECK(keys.feed("xyz", out, used) == Command::leave);
  CHECK(used == 1);
  CHECK(out == "a");
}

TEST_CASE("Ctrl-A Ctrl-A is one Ctrl-A, Ctrl-A h is help, others are dropped") {
  EscapeKeys keys;
  std::string out;
  std::size_t used = 0;
  CHECK(keys.feed("\x01\x01" "x\x01q\x01h!", out, used) == Command::help);
  CHECK(out == "\x01x");
  CHECK(used == 7);
}
