#include "run_options.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace tuxarium::app;

namespace {
ParsedRun parsed(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv{"tuxarium-run"};
  argv.insert(argv.end(), arguments);
  return parse_run_options(static_cast<int>(argv.size()), argv.data());
}
}  // namespace

TEST_CASE("steps keep the order of the command line") {
  const auto run = parsed({"--expect", "a", "--send", "-x", "--boot", "rom:r", "--send", "[1,2]", "--expect=b", "--expect", "--send"});
  REQUIRE(run.options.has_value());
  std::string order;
  for (const ScriptStep& step : run.options->steps) order += (step.kind == ScriptStep::Kind::expect ? "E:" : "S:") + step.text + " ";
  CHECK(order == "E:a S:-x S:[1,2] E:b E:--send ");
}

TEST_CASE("the other options") {
  const auto run = parsed({"--timeout", "1.5", "--max-cycles", "1000", "--clipboard-in", "ci", "--clipboard-out", "co", "--serial2", "tcp:[::1]:80",
                           "--port-log", "f:0xe9", "--stats", "json", "--hash", "--no-reboot"});
  REQUIRE(run.options.has_value());
  const RunOptions& options = *run.options;
  CHECK(options.timeout->count() == 1.5);
  CHECK(options.max_cycles == 1000);
  CHECK(options.clipboard_in == "ci");
  CHECK(options.clipboard_out == "co");
  CHECK(options.serial2.kind == SerialLinkSpec::Kind::tcp);
  CHECK(options.serial2.target == "::1");
  CHECK(options.serial2.service == "80");
  CHECK(options.port_log->first == 0xe9);
  CHECK(options.stats);
  CHECK(options.hash);
  CHECK(options.no_reboot);
}

TEST_CASE("wrong usage is status 2 and one line") {
  for (const auto& arguments : std::initializer_list<std::initializer_list<const char*>>{
           {"--bogus"}, {"stray"}, {"--timeout", "0"}, {"--timeout", "-1"}, {"--timeout", "soon"}, {"--max-cycles", "-5"}, {"--max-cycles", "x"},
           {"--serial2", "udp:x"}, {"--serial2", "tcp:host"}, {"--serial2", "file:"}, {"--port-log", "f"}, {"--stats", "xml"},
           {"--cpu", "z80"}, {"--seed", "x"}, {"--expect"}, {"--hda"}}) {
    const auto run = parsed(arguments);
    INFO(*arguments.begin(), ": ", run.text);
    CHECK_FALSE(run.options.has_value());
    CHECK(run.status == kWrongUsage);
    CHECK_FALSE(run.text.empty());
    CHECK(run.text.find('\n') == std::string::npos);
  }
}

TEST_CASE("--help and --version are status 0") {
  CHECK(parsed({"--help"}).status == kDone);
  CHECK(parsed({"--help"}).text.find("Examples:") != std::string::npos);
  CHECK(parsed({"--version"}).text.find("tuxarium-run 0.") == 0);
}
