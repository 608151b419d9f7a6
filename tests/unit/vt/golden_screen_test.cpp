// The screens of the old system: the bytes that it recorded must lead to the text that it showed.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "terminal_fixture.hpp"

namespace tuxarium::vt {
namespace {

const std::filesystem::path kGolden = std::filesystem::path{TUXARIUM_SOURCE_DIR} / "../shared/jslinux-tap/golden";

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Lines without trailing blanks, and no blank lines at the end.
std::string normal(const std::string& text) {
  std::istringstream lines{text};
  std::string all, line;
  while (std::getline(lines, line)) {
    line.erase(line.find_last_not_of(" \r") + 1);
    all += line + '\n';
  }
  return all.substr(0, all.find_last_not_of('\n') + 1);
}

void check_screen(const std::string& name) {
  if (!std::filesystem::exists(kGolden)) {
    std::puts("skipped: no ../shared/jslinux-tap");
    return;
  }
  std::string expected = slurp(kGolden / ("tap_screen_" + name + ".txt"));
  const auto mark = expected.rfind("[cursor x=");
  REQUIRE(mark != std::string::npos);
  int x = -1, y = -1;
  REQUIRE(std::sscanf(expected.c_str() + mark, "[cursor x=%d y=%d]", &x, &y) == 2);

  Terminal terminal{{.rows = 30, .columns = 80}};
  write(terminal, slurp(kGolden / ("tap_bytes_" + name + ".txt")));
  CHECK(normal(terminal.screen_text()) == normal(expected.substr(0, mark)));
  CHECK(terminal.cursor().column == x);
  CHECK(terminal.cursor().row == y);
}

}  // namespace

TEST_CASE("the screen of vi is the recorded one") { check_screen("vi"); }
TEST_CASE("the screen of qe is the recorded one") { check_screen("qe"); }
TEST_CASE("the screen of top is the recorded one") { check_screen("top"); }

}  // namespace tuxarium::vt
