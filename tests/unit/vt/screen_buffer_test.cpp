#include <doctest/doctest.h>

#include "vt/screen_buffer.hpp"

namespace tuxarium::vt {
namespace {

void put(ScreenBuffer& b, int row, int column, char32_t c, std::uint8_t width = 1) {
  Cell cell;
  cell.code_point = c;
  cell.width = width;
  b.put(row, column, cell);
}

char32_t at(const ScreenBuffer& b, int row, std::size_t column) { return b.screen_row(row).cells[column].code_point; }

}  // namespace

TEST_CASE("lines keep their numbers while they scroll, and the oldest go") {
  ScreenBuffer b{3, 4, 5};
  for (char32_t c = U'a'; c < U'a' + 20; ++c) {
    put(b, 2, 0, c);
    const auto line = b.screen_line() + 2;
    b.push_lines(1, {});
    CHECK(b.line(line).cells[0].code_point == c);
    CHECK(at(b, 1, 0) == c);
    CHECK(at(b, 2, 0) == 0);
  }
  CHECK(b.scrollback() == 5);
  CHECK(b.first_line() == 15);
  CHECK(b.line(b.first_line()).cells[0].code_point == U'a' + 13);
}

TEST_CASE("a wide character that loses a half is gone") {
  ScreenBuffer b{1, 6, 0};
  put(b, 0, 2, U'漢', 2);
  CHECK(b.screen_row(0).cells[3].width == 0);
  SUBCASE("left half overwritten") {
    put(b, 0, 2, U'x');
    CHECK(b.screen_row(0).cells[3].width == 1);
  }
  SUBCASE("right half overwritten") {
    put(b, 0, 3, U'x');
    CHECK(at(b, 0, 2) == 0);
    CHECK(b.screen_row(0).cells[2].width == 1);
  }
  SUBCASE("left half erased") {
    b.erase({0, 1, 0, 3}, {}, false);
    CHECK(b.screen_row(0).cells[3].width == 1);
  }
  SUBCASE("right half erased") {
    b.erase({0, 1, 3, 6}, {}, false);
    CHECK(b.screen_row(0).cells[2].width == 1);
  }
}

TEST_CASE("parts of the screen move in all directions") {
  ScreenBuffer b{4, 4, 0};
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 4; ++c) put(b, r, c, U'a' + static_cast<char32_t>(r * 4 + c));
  }
  SUBCASE("up in whole rows") {
    b.scroll({1, 4, 0, 4}, 1, 0, {});
    CHECK(at(b, 0, 0) == U'a');
    CHECK(at(b, 1, 0) == U'i');
    CHECK(at(b, 2, 0) == U'm');
    CHECK(at(b, 3, 0) == 0);
  }
  SUBCASE("down in whole rows") {
    b.scroll({0, 3, 0, 4}, -2, 0, {});
    CHECK(at(b, 0, 0) == 0);
    CHECK(at(b, 1, 0) == 0);
    CHECK(at(b, 2, 0) == U'a');
    CHECK(at(b, 3, 0) == U'm');
  }
  SUBCASE("left within a row") {
    b.scroll({1, 2, 1, 4}, 0, 1, {});
    CHECK(at(b, 1, 0) == U'e');
    CHECK(at(b, 1, 1) == U'g');
    CHECK(at(b, 1, 2) == U'h');
    CHECK(at(b, 1, 3) == 0);
  }
  SUBCASE("right within a row") {
    b.scroll({1, 2, 1, 4}, 0, -1, {});
    CHECK(at(b, 1, 1) == 0);
    CHECK(at(b, 1, 2) == U'f');
    CHECK(at(b, 1, 3) == U'g');
  }
  SUBCASE("by more than there is") {
    b.scroll({0, 4, 0, 4}, 99, 0, Color::indexed(4));
    CHECK(at(b, 0, 0) == 0);
    CHECK(b.screen_row(0).cells[0].background == Color::indexed(4));
  }
}

TEST_CASE("resize keeps the cursor's row in view and brings lines back") {
  ScreenBuffer b{4, 4, 10};
  for (int r = 0; r < 4; ++r) put(b, r, 0, U'a' + static_cast<char32_t>(r));
  CHECK(b.resize(2, 4, {3, 0}, true).row == 1);
  CHECK(at(b, 0, 0) == U'c');
  CHECK(b.scrollback() == 2);
  CHECK(b.resize(5, 6, {1, 0}, true).row == 3);
  CHECK(at(b, 0, 0) == U'a');
  CHECK(at(b, 3, 0) == U'd');
  CHECK(at(b, 4, 0) == 0);
  CHECK(b.screen_row(0).cells.size() == 6);
  CHECK(b.resize(2, 3, {0, 0}, true).row == 0);
  CHECK(at(b, 1, 0) == U'b');
}

TEST_CASE("a change of a row raises its generation and no other's") {
  ScreenBuffer b{2, 2, 0};
  const auto first = b.screen_row(0).generation, second = b.screen_row(1).generation;
  put(b, 1, 1, U'x');
  CHECK(b.screen_row(0).generation == first);
  CHECK(b.screen_row(1).generation > second);
}

TEST_CASE("clearing the scrollback keeps the screen and the line numbers") {
  ScreenBuffer b{2, 2, 3};
  for (int i = 0; i < 9; ++i) b.push_lines(1, {});
  put(b, 0, 0, U'x');
  const auto line = b.screen_line();
  b.clear_scrollback();
  CHECK(b.scrollback() == 0);
  CHECK(b.screen_line() == line);
  CHECK(b.line(line).cells[0].code_point == U'x');
}

}  // namespace tuxarium::vt
