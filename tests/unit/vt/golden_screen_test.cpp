// The screens of the old system: the bytes that it recorded must lead to the text that it showed.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>

#include "screen_files.hpp"
#include "terminal_fixture.hpp"

namespace tuxarium::vt {
namespace {

const std::filesystem::path kGolden = std::filesystem::path{TUXARIUM_SOURCE_DIR} / "../shared/jslinux-tap/golden";

void check_screen(const std::string& name) {
  if (!std::filesystem::exists(kGolden)) {
    std::puts("skipped: no ../shared/jslinux-tap");
    return;
  }
  const ScreenFile expected = read_screen(kGolden / ("tap_screen_" + name + ".txt"));
  REQUIRE(expected.row >= 0);
  Terminal terminal{{.rows = 30, .columns = 80}};
  write(terminal, slurp(kGolden / ("tap_bytes_" + name + ".txt")));
  CHECK(trimmed_lines(terminal.screen_text()) == expected.text);
  CHECK(terminal.cursor().column == expected.column);
  CHECK(terminal.cursor().row == expected.row);
}

}  // namespace

TEST_CASE("the screen of vi is the recorded one") { check_screen("vi"); }
TEST_CASE("the screen of qe is the recorded one") { check_screen("qe"); }
TEST_CASE("the screen of top is the recorded one") { check_screen("top"); }

}  // namespace tuxarium::vt
