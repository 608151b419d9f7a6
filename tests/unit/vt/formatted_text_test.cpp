// Marked text with its colours, as control sequences and as HTML.
#include <doctest/doctest.h>

#include <string>

#include "terminal_fixture.hpp"
#include "vt/formatted_text.hpp"

namespace tuxarium::vt {
namespace {

CellRange everything(const Terminal& t, int rows) {
  const auto first = t.buffer().screen_line();
  return {{first, 0}, {first + static_cast<std::uint64_t>(rows) - 1, t.columns() - 1}};
}

std::string ansi(const Terminal& t, int rows) { return text_with_sequences(t.buffer(), t.extras(), everything(t, rows)); }
std::string html(const Terminal& t, int rows) { return text_as_html(t.buffer(), t.extras(), everything(t, rows), t.colors()); }

}  // namespace

TEST_CASE("control sequences say what the guest said, and end with a reset") {
  Terminal t{{.rows = 4, .columns = 20}};
  write(t, "a\x1b[1;31mred\x1b[m b\r\n\x1b[38;2;1;2;3;48;5;200mc\x1b[m\r\n\x1b[4:3;58:5:9mwave");
  CHECK(ansi(t, 3) == "a\x1b[0;1;38;5;1mred\x1b[m b\n\x1b[0;38;2;1;2;3;48;5;200mc\x1b[m\n\x1b[0;4:3;58;5;9mwave\x1b[m");
}

TEST_CASE("written to a terminal again, the text looks the same") {
  Terminal t{{.rows = 4, .columns = 20}}, again{{.rows = 4, .columns = 20}};
  write(t, "\x1b[1;3;4mx\x1b[22;7my\x1b[m plain \x1b[2;9;53mz\x1b[m\r\n\x1b[44mground   \x1b[m\r\nw\u0308 \u6F22");
  std::string text = ansi(t, 3);
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, 1, '\r');
  write(again, text);
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 20; ++c) {
      CAPTURE(r);
      CAPTURE(c);
      Cell a = cell(t, r, c), b = cell(again, r, c);
      if (a.code_point == 0) a.code_point = U' ';
      if (b.code_point == 0) b.code_point = U' ';
      CHECK(a == b);
    }
  }
}

TEST_CASE("HTML holds the colours, and nothing of the guest's is markup") {
  Terminal t{{.rows = 4, .columns = 40}};
  t.set_standard_colors([] {
    ColorTable::Colors colors{};
    colors[1] = 0xCC0000;
    colors[ColorTable::kForeground] = 0xDDDDDD;
    colors[ColorTable::kBackground] = 0x101010;
    return colors;
  }());
  write(t, "<script>&\x1b[31mred\x1b[7mback\x1b[m\r\n\x1b[4:2mdouble\x1b[m end");
  CHECK(html(t, 2) ==
        "<pre style=\"font-family:monospace;color:#dddddd;background:#101010\">&lt;script&gt;&amp;<span style=\"color:#cc0000;\">red</span>"
        "<span style=\"color:#101010;background:#cc0000;\">back</span>\n"
        "<span style=\"text-decoration-line:underline;text-decoration-style:double;\">double</span> end</pre>\n");
}

TEST_CASE("a block, and lines that ran on") {
  Terminal t{{.rows = 4, .columns = 6}};
  write(t, "abcdefghi\r\nxyz");
  CHECK(ansi(t, 3) == "abcdefghi\nxyz");
  const auto first = t.buffer().screen_line();
  const CellRange block{{first, 1}, {first + 1, 2}, true};
  CHECK(text_with_sequences(t.buffer(), t.extras(), block) == "bc\nhi");
}

}  // namespace tuxarium::vt
