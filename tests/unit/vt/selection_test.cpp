#include <doctest/doctest.h>

#include "terminal_fixture.hpp"

namespace tuxarium::vt {
namespace {

CellPosition on_screen(const Terminal& t, int row, int column) {
  return {t.buffer().screen_line() + static_cast<std::uint64_t>(row), column};
}

}  // namespace

TEST_CASE("characters across rows") {
  Terminal t{{.rows = 4, .columns = 10}};
  write(t, "hello  \r\nworld\r\nagain");
  t.select(on_screen(t, 0, 2), SelectionUnit::character);
  t.select_to(on_screen(t, 2, 1));
  CHECK(t.selected_text() == "llo\nworld\nag");
  t.select(on_screen(t, 2, 1), SelectionUnit::character);
  t.select_to(on_screen(t, 0, 2));
  CHECK(t.selected_text() == "llo\nworld\nag");
}

TEST_CASE("rows that ran on are one line") {
  Terminal t{{.rows = 4, .columns = 10}};
  write(t, "0123456789abcdefgh\r\nnext");
  t.select(on_screen(t, 0, 8), SelectionUnit::character);
  t.select_to(on_screen(t, 2, 3));
  CHECK(t.selected_text() == "89abcdefgh\nnext");
  t.select(on_screen(t, 1, 2), SelectionUnit::word);
  CHECK(t.selected_text() == "0123456789abcdefgh");
  t.select(on_screen(t, 0, 2), SelectionUnit::line);
  CHECK(t.selected_text() == "0123456789abcdefgh");
}

TEST_CASE("a full row with a line end of its own does not run on") {
  Terminal t{{.rows = 4, .columns = 10}};
  write(t, "0123456789\r\nnext");
  t.select(on_screen(t, 0, 0), SelectionUnit::character);
  t.select_to(on_screen(t, 1, 9));
  CHECK(t.selected_text() == "0123456789\nnext");
}

TEST_CASE("a run-on row at the bottom of the screen") {
  Terminal t{{.rows = 2, .columns = 5}};
  write(t, "a\r\nb\r\n12345");
  write(t, "678");
  t.select(on_screen(t, 1, 1), SelectionUnit::line);
  CHECK(t.selected_text() == "12345678");
}

TEST_CASE("words") {
  Terminal t{{.rows = 2, .columns = 40}};
  write(t, "cat /etc/inittab (über) x");
  t.select(on_screen(t, 0, 6), SelectionUnit::word);
  CHECK(t.selected_text() == "/etc/inittab");
  t.select(on_screen(t, 0, 19), SelectionUnit::word);
  CHECK(t.selected_text() == "über");
  t.select(on_screen(t, 0, 17), SelectionUnit::word);
  CHECK(t.selected_text() == "(");
  t.select(on_screen(t, 0, 1), SelectionUnit::word);
  t.select_to(on_screen(t, 0, 8));
  CHECK(t.selected_text() == "cat /etc/inittab");
}

TEST_CASE("wide characters are whole, marks come along") {
  Terminal t{{.rows = 2, .columns = 20}};
  write(t, "a漢e\u0301z");
  t.select(on_screen(t, 0, 2), SelectionUnit::character);
  CHECK(t.selected_text() == "漢");
  t.select_to(on_screen(t, 0, 4));
  CHECK(t.selected_text() == "漢e\u0301z");
}

TEST_CASE("a selection goes with its lines into the scrollback and ends with them") {
  Terminal t{{.rows = 2, .columns = 10, .scrollback_lines = 3}};
  write(t, "keep\r\n");
  t.select(on_screen(t, 0, 0), SelectionUnit::word);
  write(t, "1\r\n2\r\n3\r\n");
  CHECK(t.selected_text() == "keep");
  write(t, "4\r\n");
  CHECK(t.selection() == std::nullopt);
  CHECK(t.selected_text().empty());
}

TEST_CASE("a change of a selected row ends the selection, another row's does not") {
  Terminal t{{.rows = 3, .columns = 10}};
  write(t, "one\r\ntwo\r\n");
  t.select(on_screen(t, 0, 0), SelectionUnit::word);
  write(t, "three");
  CHECK(t.selected_text() == "one");
  write(t, "\x1b[1;1Hx");
  CHECK(t.selection() == std::nullopt);
}

}  // namespace tuxarium::vt
