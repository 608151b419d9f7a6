// Sessions of well-known programs, recorded with recorded/record.py: the bytes must lead to the screen that tmux made of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "screen_files.hpp"
#include "terminal_fixture.hpp"

namespace tuxarium::vt {
namespace {

const std::filesystem::path kRecorded = std::filesystem::path{TUXARIUM_SOURCE_DIR} / "tests/unit/vt/recorded";

std::vector<std::filesystem::path> sessions() {
  std::vector<std::filesystem::path> all;
  for (const auto& entry : std::filesystem::directory_iterator{kRecorded}) {
    if (entry.path().extension() == ".bytes") all.push_back(entry.path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("recorded sessions lead to the screens that tmux shows") {
  REQUIRE(sessions().size() >= 12);
  for (const auto& session : sessions()) {
    CAPTURE(session.stem().string());
    const ScreenFile expected = read_screen(std::filesystem::path{session}.replace_extension(".screen"));
    REQUIRE(expected.row >= 0);
    Terminal terminal{{.rows = 30, .columns = 80}};
    write(terminal, slurp(session));
    CHECK(trimmed_lines(terminal.screen_text()) == expected.text);
    CHECK(terminal.cursor().row == expected.row);
    CHECK(terminal.cursor().column == expected.column);
  }
}

TEST_CASE("however a session is cut in pieces, its screen is the same") {
  std::random_device device;
  const auto seed = device();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (const auto& session : sessions()) {
    CAPTURE(session.stem().string());
    const std::string bytes = slurp(session);
    Terminal whole{{.rows = 30, .columns = 80}}, pieces{{.rows = 30, .columns = 80}};
    write(whole, bytes);
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t count = std::min<std::size_t>(1 + random() % 7, bytes.size() - at);
      write(pieces, std::string_view{bytes}.substr(at, count));
      at += count;
    }
    CHECK(pieces.screen_text() == whole.screen_text());
    for (int r = 0; r < 30; ++r) CHECK(pieces.buffer().screen_row(r).cells == whole.buffer().screen_row(r).cells);
  }
}

}  // namespace tuxarium::vt
