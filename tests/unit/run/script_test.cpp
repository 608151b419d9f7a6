#include "script.hpp"

#include <doctest/doctest.h>

#include <string>

using tuxarium::app::Script;
using tuxarium::app::ScriptStep;

namespace {
constexpr auto kExpect = ScriptStep::Kind::expect;
constexpr auto kSend = ScriptStep::Kind::send;

Script made(const std::vector<ScriptStep>& steps) {
  auto script = Script::make(steps);
  REQUIRE(script.has_value());
  return std::move(script).value();
}
}  // namespace

TEST_CASE("steps are worked through in order") {
  Script script = made({{kExpect, "# "}, {kSend, "ls\\n"}, {kExpect, "done"}, {kSend, "x"}});
  CHECK(script.has_steps());
  CHECK(script.input().empty());
  CHECK(script.waiting_for() == "--expect \"# \"");
  script.output("Welcome\r\n# ");
  CHECK(script.input() == "ls\n");
  script.take_input(3);
  script.output("all done here");
  CHECK(script.input() == "x");
  CHECK_FALSE(script.finished());
  script.take_input(1);
  CHECK(script.finished());
  CHECK(script.waiting_for().empty());
}

TEST_CASE("output before a match is not looked at again, output behind it is not lost") {
  Script script = made({{kExpect, "a"}, {kExpect, "b"}, {kExpect, "a"}});
  script.output("a b");
  CHECK_FALSE(script.finished());
  script.output("b");
  CHECK_FALSE(script.finished());
  script.output("ca");
  CHECK(script.finished());
}

TEST_CASE("several steps may be done by one piece of output") {
  Script script = made({{kExpect, "1"}, {kSend, "one"}, {kExpect, "2"}, {kSend, "two"}});
  script.output("0123");
  CHECK(script.input() == "onetwo");
}

TEST_CASE("sends at the start are due at once") {
  Script script = made({{kSend, "a"}, {kSend, "\\x00"}, {kExpect, "x"}});
  CHECK(script.input() == std::string("a\0", 2));
}

TEST_CASE("$ holds where the guest pauses, and only there or at a line's end") {
  Script script = made({{kExpect, "# $"}, {kExpect, "# $"}});
  script.output("## # comment\n# ");
  CHECK(script.waiting_for() == "--expect \"# $\"");
  script.pause();
  CHECK_FALSE(script.finished());
  script.pause();
  CHECK_FALSE(script.finished());
  script.output("ls\n# ");
  script.pause();
  CHECK(script.finished());
}

TEST_CASE("^ after a match stands only at a line's start") {
  Script script = made({{kExpect, "ab"}, {kExpect, "^c"}});
  script.output("abc");
  CHECK_FALSE(script.finished());
  script.output("\r\nc");
  CHECK(script.finished());
}

TEST_CASE("no steps: finished from the start") {
  Script script = made({});
  CHECK_FALSE(script.has_steps());
  CHECK(script.finished());
  script.output("anything");
  script.pause();
}

TEST_CASE("a malformed step is named") {
  const auto bad_expect = Script::make({{kSend, "fine"}, {kExpect, "(oops"}});
  REQUIRE_FALSE(bad_expect.has_value());
  CHECK(bad_expect.error().message.find("--expect") == 0);
  CHECK(bad_expect.error().message.find("(oops") != std::string::npos);
  const auto bad_send = Script::make({{kSend, "\\z"}});
  REQUIRE_FALSE(bad_send.has_value());
  CHECK(bad_send.error().message.find("--send") == 0);
}
