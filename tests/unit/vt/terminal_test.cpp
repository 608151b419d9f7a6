// Bytes in; cells, cursor and replies out.
#include <doctest/doctest.h>

#include <random>

#include "terminal_fixture.hpp"

namespace tuxarium::vt {

TEST_CASE("text, line ends, wrap and scroll") {
  Terminal t{{.rows = 3, .columns = 5}};
  write(t, "abc\r\ndefghij\r\nk");
  CHECK(t.screen_text() == "defgh\nij\nk\n");
  CHECK(t.buffer().scrollback() == 1);
  CHECK(t.buffer().line(t.buffer().first_line()).cells[0].code_point == U'a');
  CHECK(t.cursor().row == 2);
  CHECK(t.cursor().column == 1);
}

TEST_CASE("characters cut between two writes") {
  Terminal t{{.rows = 1, .columns = 10}};
  for (const char c : std::string_view{"é漢🐧"}) write(t, {&c, 1});
  CHECK(row_text(t, 0) == "é漢🐧");
  CHECK(t.cursor().column == 5);
}

TEST_CASE("attributes and colours") {
  Terminal t{{.rows = 2, .columns = 40}};
  write(t, "\x1b[1;2;3;4;5;7;8;9mA\x1b[0mB\x1b[31;42mC\x1b[38;5;200;48;2;1;2;3mD\x1b[39;49mE\x1b[91mF\x1b[21mG");
  const auto a = cell(t, 0, 0).attributes;
  CHECK(a == (attribute::bold | attribute::dim | attribute::italic | attribute::blink | attribute::reverse |
              attribute::conceal | attribute::strike | (1u << attribute::underline_shift)));
  CHECK(cell(t, 0, 0).underline() == Underline::single);
  CHECK(cell(t, 0, 1).attributes == 0);
  CHECK(cell(t, 0, 2).foreground == Color::indexed(1));
  CHECK(cell(t, 0, 2).background == Color::indexed(2));
  CHECK(cell(t, 0, 3).foreground == Color::indexed(200));
  CHECK(cell(t, 0, 3).background == Color::rgb(1, 2, 3));
  CHECK(cell(t, 0, 4).foreground == Color{});
  CHECK(cell(t, 0, 4).background == Color{});
  CHECK(cell(t, 0, 5).foreground == Color::indexed(9));
  CHECK(cell(t, 0, 6).underline() == Underline::twofold);
}

TEST_CASE("SGR 2 and 8 are not found inside colours") {
  Terminal t{{.rows = 1, .columns = 10}};
  write(t, "\x1b[38;2;2;8;2mA\x1b[38;5;8mB\x1b[38:2:8:8:8mC\x1b[2;22mD\x1b[8;28mE");
  for (int c = 0; c < 5; ++c) CHECK((cell(t, 0, c).attributes & (attribute::dim | attribute::conceal)) == 0);
}

TEST_CASE("erased cells take the background colour") {
  Terminal t{{.rows = 2, .columns = 4}};
  write(t, "\x1b[44m\x1b[2J");
  CHECK(cell(t, 1, 3).background == Color::indexed(4));
  CHECK(cell(t, 1, 3).code_point == 0);
}

TEST_CASE("wide characters and marks") {
  Terminal t{{.rows = 2, .columns = 4}};
  write(t, "漢e\u0301\u0308x字");
  CHECK(cell(t, 0, 0).width == 2);
  CHECK(cell(t, 0, 1).width == 0);
  CHECK(t.screen_text() == "漢e\u0301\u0308x\n字\n");
}

TEST_CASE("line drawing set") {
  Terminal t{{.rows = 1, .columns = 8}};
  write(t, "\x1b(0lqk\x1b(Bq");
  CHECK(row_text(t, 0) == "┌─┐q");
}

TEST_CASE("scroll region at the top feeds the scrollback, others do not") {
  Terminal t{{.rows = 4, .columns = 8}};
  write(t, "a\r\nb\r\nc\r\nstatus\x1b[1;3r\x1b[3;1H\nd");
  CHECK(t.screen_text() == "b\nc\nd\nstatus\n");
  CHECK(t.buffer().scrollback() == 1);
  write(t, "\x1b[2;3r\x1b[3;1H\ne");
  CHECK(t.screen_text() == "b\nd\ne\nstatus\n");
  CHECK(t.buffer().scrollback() == 1);
  write(t, "\x1b[r\x1b[1;1H\x1bM");
  CHECK(t.screen_text() == "\nb\nd\ne\n");
}

TEST_CASE("insert and delete") {
  Terminal t{{.rows = 3, .columns = 6}};
  write(t, "abcdef\x1b[1;3H\x1b[2@");
  CHECK(row_text(t, 0) == "ab  cd");
  write(t, "\x1b[3P");
  CHECK(row_text(t, 0) == "abd");
  write(t, "\x1b[1;1H\x1b[L");
  CHECK(t.screen_text() == "\nabd\n\n");
  write(t, "\x1b[M");
  CHECK(t.screen_text() == "abd\n\n\n");
}

TEST_CASE("alternate screen comes and goes, without a scrollback") {
  Terminal t{{.rows = 2, .columns = 8}};
  write(t, "main\x1b[?1049h");
  CHECK(t.alternate_screen());
  CHECK(t.screen_text() == "\n\n");
  write(t, "1\r\n2\r\n3\r\n");
  CHECK(t.buffer().scrollback() == 0);
  write(t, "\x1b[?1049l");
  CHECK_FALSE(t.alternate_screen());
  CHECK(row_text(t, 0) == "main");
  CHECK(t.cursor().column == 4);
}

TEST_CASE("scrollback is bounded and can be cleared") {
  Terminal t{{.rows = 2, .columns = 8, .scrollback_lines = 10}};
  for (int i = 0; i < 100; ++i) write(t, std::to_string(i) + "\r\n");
  CHECK(t.buffer().scrollback() == 10);
  write(t, "\x1b[3J");
  CHECK(t.buffer().scrollback() == 0);
  CHECK(row_text(t, 0) == "99");
}

TEST_CASE("replies") {
  Terminal t{{.rows = 30, .columns = 80}};
  write(t, "\x1b[500;500H\x1b[6n");
  CHECK(output(t) == "\x1b[30;80R");
  write(t, "\x1b[5n");
  CHECK(output(t) == "\x1b[0n");
  write(t, "\x1b[c");
  CHECK(output(t).starts_with("\x1b[?"));
}

TEST_CASE("a guest that asks for ever cannot fill the queue for keys") {
  Terminal t{{}};
  for (int i = 0; i < 10000; ++i) write(t, "\x1b[6n");
  CHECK(t.output().size() <= Terminal::kMaxReplies);
  CHECK(t.output_dropped() > 0);
  t.character(U'k', {});
  CHECK(output(t).ends_with("k"));
}

TEST_CASE("cursor, title, bell, screen modes") {
  Terminal t{{}};
  write(t, "\x1b[?25l\x1b]0;Title\x07\a\a\x1b[?5h\x1b[4 q");
  CHECK_FALSE(t.cursor().visible);
  CHECK(t.cursor().shape == CursorShape::underline);
  CHECK(t.title() == "Title");
  CHECK(t.bell_count() == 2);
  CHECK(t.reverse_screen());
  write(t, "\x1b" "c");
  CHECK(t.cursor().visible);
  CHECK_FALSE(t.reverse_screen());
}

TEST_CASE("resize") {
  Terminal t{{.rows = 4, .columns = 10}};
  write(t, "one\r\ntwo\r\nthree\r\nfour");
  t.resize(2, 10);
  CHECK(t.screen_text() == "three\nfour\n");
  CHECK(t.cursor().row == 1);
  t.resize(6, 12);
  CHECK(t.screen_text() == "one\ntwo\nthree\nfour\n\n\n");
  CHECK(t.cursor().row == 3);
  write(t, "!");
  CHECK(row_text(t, 3) == "four!");
  t.resize(1, 1);
  t.resize(100000, -4);
  CHECK(t.rows() == Terminal::kMaxRows);
  CHECK(t.columns() == 1);
}

TEST_CASE("margins and a saved cursor from a larger screen stay on the smaller one") {
  Terminal t{{.rows = 20, .columns = 40}};
  write(t, "\x1b[5;20r\x1b[?6h\x1b[15;39H\x1b" "7");
  t.resize(4, 10);
  write(t, "\x1b[99B\x1b" "8x\r\n\n\n\n\x1b" "8\x1b[?6h\x1b[99;99Hy");
  CHECK(t.cursor().row == 3);
  CHECK(t.cursor().column == 9);
}

TEST_CASE("random bytes and sizes keep the invariants") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  Terminal t{{.rows = 7, .columns = 13, .scrollback_lines = 20}};
  const std::string_view favourites = "\x1b[];:?0123456789mHJKLMPXrhl@ABCD\r\n\t\b#8(0c";
  for (int round = 0; round < 3000; ++round) {
    std::string input;
    for (int i = 0; i < 60; ++i) {
      input.push_back(random() % 4 != 0 ? favourites[random() % favourites.size()] : static_cast<char>(random()));
    }
    write(t, input);
    if (random() % 16 == 0) t.resize(1 + static_cast<int>(random() % 20), 1 + static_cast<int>(random() % 30));
    REQUIRE(t.cursor().row >= 0);
    REQUIRE(t.cursor().row < t.rows());
    REQUIRE(t.cursor().column >= 0);
    REQUIRE(t.cursor().column < t.columns());
    for (int r = 0; r < t.rows(); ++r) REQUIRE(t.buffer().screen_row(r).cells.size() == static_cast<std::size_t>(t.columns()));
    REQUIRE(t.buffer().scrollback() <= 20);
  }
}

}  // namespace tuxarium::vt
