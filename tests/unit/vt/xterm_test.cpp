// The parts of xterm-256color beyond plain text: modes, margins, attributes, replies, links, clipboard, titles.
#include <doctest/doctest.h>

#include "terminal_fixture.hpp"

namespace tuxarium::vt {
namespace {

std::string answer(std::string_view question, std::string_view before = {}) {
  Terminal t{{.rows = 24, .columns = 80}};
  write(t, before);
  output(t);
  write(t, question);
  return output(t);
}

std::string screen_after(std::string_view bytes, int rows = 4, int columns = 10) {
  Terminal t{{.rows = rows, .columns = columns}};
  write(t, bytes);
  return t.screen_text();
}

}  // namespace

TEST_CASE("underline styles, their colour, overline") {
  Terminal t{{.rows = 2, .columns = 20}};
  write(t, "\x1b[4mA\x1b[4:0mB\x1b[21mC\x1b[4:3mD\x1b[4:4mE\x1b[4:5mF\x1b[24mG\x1b[4;58:2::1:2:3mH\x1b[58;5;9mI\x1b[59;53mJ\x1b[55mK");
  const Underline expected[] = {Underline::single, Underline::none, Underline::twofold, Underline::curly, Underline::dotted, Underline::dashed,
                                Underline::none,   Underline::single};
  for (int c = 0; c < 8; ++c) CHECK(cell(t, 0, c).underline() == expected[c]);
  CHECK(t.extras()[cell(t, 0, 7).extra].underline == Color::rgb(1, 2, 3));
  CHECK(t.extras()[cell(t, 0, 8).extra].underline == Color::indexed(9));
  CHECK(cell(t, 0, 9).extra == 0);
  CHECK((cell(t, 0, 9).attributes & attribute::overline) != 0);
  CHECK((cell(t, 0, 10).attributes & attribute::overline) == 0);
}

TEST_CASE("colours with colons, with and without the colour space") {
  Terminal t{{.rows = 1, .columns = 20}};
  write(t, "\x1b[38:2:7:8:9mA\x1b[38:2::7:8:9mB\x1b[48:5:130mC\x1b[38;2;300;0;1mD");
  CHECK(cell(t, 0, 0).foreground == Color::rgb(7, 8, 9));
  CHECK(cell(t, 0, 1).foreground == Color::rgb(7, 8, 9));
  CHECK(cell(t, 0, 2).background == Color::indexed(130));
  CHECK(cell(t, 0, 3).foreground == Color::rgb(255, 0, 1));
}

TEST_CASE("emoji and wide characters take two columns; the last column alone is too small for one") {
  Terminal t{{.rows = 2, .columns = 5}};
  write(t, "🐧ab🚀");
  CHECK(t.screen_text() == "🐧ab\n🚀\n");
  CHECK(cell(t, 1, 0).width == 2);
  CHECK(cell(t, 1, 1).width == 0);
  CHECK(t.cursor().column == 2);
}

TEST_CASE("the cursor stays on the last column until the next character") {
  Terminal t{{.rows = 3, .columns = 5}};
  write(t, "abcde");
  CHECK(t.cursor().column == 4);
  write(t, "\b!");
  CHECK(row_text(t, 0) == "abc!e");
  write(t, "\x1b[2;1Habcde\x1b[K");
  CHECK(row_text(t, 1) == "abcd");
  write(t, "\x1b[3;1H\x1b[?7labcdefg");
  CHECK(row_text(t, 2) == "abcdg");
}

TEST_CASE("saved cursor keeps a wrap that is due, colours, origin and character sets") {
  Terminal t{{.rows = 3, .columns = 5}};
  write(t, "\x1b[31mabcde\x1b" "7\x1b[m\x1b(0\x1b[3;1H\x1b" "8qx");
  CHECK(t.screen_text() == "abcde\nqx\n\n");
  CHECK(cell(t, 1, 0).foreground == Color::indexed(1));
}

TEST_CASE("margins at top and bottom, left and right") {
  CHECK(screen_after("aaaa\r\nbbbb\r\ncccc\r\ndddd\x1b[2;3r\x1b[2;1H\x1b[M") == "aaaa\ncccc\n\ndddd\n");
  CHECK(screen_after("aaaa\r\nbbbb\r\ncccc\r\ndddd\x1b[?69h\x1b[2;3s\x1b[2;3r\x1b[3;2H\n") == "aaaa\nbccb\nc  c\ndddd\n");
  CHECK(screen_after("\x1b[?69h\x1b[3;5s\x1b[1;3Habcdef") == "  abc\n  def\n\n\n");
  CHECK(screen_after("abcdef\x1b[?69h\x1b[2;4s\x1b[1;2H\x1b[@") == "a bcef\n\n\n\n");
  CHECK(screen_after("abcdef\r\nabcdef\x1b[1;3H\x1b['}") == "ab cdef\nab cdef\n\n\n");
  CHECK(screen_after("abcdef\r\nabcdef\x1b[1;3H\x1b['~") == "abdef\nabdef\n\n\n");
}

TEST_CASE("origin mode counts from the margins and stays in them") {
  CHECK(answer("\x1b[6n", "\x1b[5;10r\x1b[?6h\x1b[99;99H") == "\x1b[6;80R");
  CHECK(answer("\x1b[?6l\x1b[10;3H\x1b[6n", "\x1b[5;10r\x1b[?6h") == "\x1b[10;3R");
}

TEST_CASE("insert mode, tabs, reverse wrap") {
  CHECK(screen_after("abc\x1b[1;2H\x1b[4hXY\x1b[4lZ") == "aXYZc\n\n\n\n");
  CHECK(screen_after("\x1b[3g\x1b[1;4H\x1bH\r\ta\x1b[Zb", 1, 10) == "   b\n");
  CHECK(screen_after("abcdefghijk\b\b\b!\x1b[?45h", 2, 10) == "abcdefghij\n!\n");
  CHECK(screen_after("\x1b[?45habcdefghijk\b\b!", 2, 10) == "abcdefghi!\nk\n");
}

TEST_CASE("rectangles") {
  CHECK(screen_after("\x1b[65;1;1;2;3$x") == "AAA\nAAA\n\n\n");
  CHECK(screen_after("\x1b[65;1;1;4;4$x\x1b[2;2;3;3$z") == "AAAA\nA  A\nA  A\nAAAA\n");
  CHECK(screen_after("abc\r\ndef\x1b[1;1;2;2;1;3;6;1$v") == "abc\ndef\n     ab\n     de\n");
  CHECK(screen_after("a\x1b[1\"qb\x1b[0\"qc\x1b[?2J") == " b\n\n\n\n");
  Terminal t{{.rows = 4, .columns = 10}};
  write(t, "abcd\r\nabcd\x1b[2*x\x1b[1;2;2;3;1;7$r");
  CHECK(cell(t, 0, 1).attributes == (attribute::bold | attribute::reverse));
  CHECK(cell(t, 1, 3).attributes == 0);
}

TEST_CASE("the checksum of a rectangle") {
  CHECK(answer("\x1b[7;1;1;1;1;1*y", "A") == "\x1bP7!~FFBF\x1b\\");
  CHECK(answer("\x1b[7;1;1;1;1;1*y", "\x1b[1mA") == "\x1bP7!~FF3F\x1b\\");
  CHECK(answer("\x1b[7;1;5;5;5;5*y") == "\x1bP7!~0000\x1b\\");
}

TEST_CASE("character sets") {
  CHECK(screen_after("\x1b)0a\x0eqx\x0fq", 1) == "a─│q\n");
  CHECK(screen_after("\x1b*0\x1bNqq", 1) == "─q\n");
  CHECK(screen_after("\x1b(A#\x1b(B#", 1) == "£#\n");
  CHECK(screen_after("\x1b[?42h\x1b(K[\\]\x1b(B", 1) == "ÄÖÜ\n");
}

TEST_CASE("lines of double size hold half as many characters") {
  Terminal t{{.rows = 3, .columns = 10}};
  write(t, "\x1b#6abcdefg");
  CHECK(t.screen_text() == "abcde\nfg\n\n");
  CHECK(t.buffer().screen_row(0).size == LineSize::wide);
  write(t, "\x1b[1;1H\x1b#5");
  CHECK(t.buffer().screen_row(0).size == LineSize::single);
  write(t, "\x1b#8");
  CHECK(t.screen_text() == "EEEEEEEEEE\nEEEEEEEEEE\nEEEEEEEEEE\n");
}

TEST_CASE("VT52") {
  CHECK(screen_after("\x1b[?2l\x1bY\"%x\x1b" "A\x1b" "Dy\x1b<\x1b[1;1Hz") == "z\n     y\n     x\n\n");
  CHECK(answer("\x1bZ", "\x1b[?2l") == "\x1b/Z");
}

TEST_CASE("cursor shapes") {
  Terminal t{{}};
  const CursorShape shapes[] = {CursorShape::block, CursorShape::block, CursorShape::block, CursorShape::underline, CursorShape::underline,
                                CursorShape::bar, CursorShape::bar};
  for (int n = 0; n <= 6; ++n) {
    write(t, "\x1b[" + std::to_string(n) + " q");
    CHECK(t.cursor().shape == shapes[n]);
    CHECK(t.cursor().blink == (n == 0 || n % 2 == 1));
  }
  write(t, "\x1b[?12h");
  CHECK(t.cursor().blink);
}

TEST_CASE("replies about the terminal") {
  CHECK(answer("\x1b[>c").starts_with("\x1b[>41;"));
  CHECK(answer("\x1b[=c") == "\x1bP!|00000000\x1b\\");
  CHECK(answer("\x1b[>q").starts_with("\x1bP>|Tuxarium"));
  CHECK(answer("\x1b[18t") == "\x1b[8;24;80t");
  CHECK(answer("\x1b[21t").empty());
  CHECK(answer("\x1bP$qm\x1b\\", "\x1b[1;4:3;31;48;5;200m") == "\x1bP1$r0;1;4:3;31;48:5:200m\x1b\\");
  CHECK(answer("\x1bP$qr\x1b\\", "\x1b[3;9r") == "\x1bP1$r3;9r\x1b\\");
  CHECK(answer("\x1bP$q q\x1b\\", "\x1b[4 q") == "\x1bP1$r4 q\x1b\\");
  CHECK(answer("\x1bP$qz\x1b\\") == "\x1bP0$r\x1b\\");
  CHECK(answer("\x1bP+q544e\x1b\\") == "\x1bP1+r544E=787465726D2D323536636F6C6F72\x1b\\");
  CHECK(answer("\x1b[?25$p\x1b[?2026$p\x1b[4$p\x1b[?31337$p") == "\x1b[?25;1$y\x1b[?2026;2$y\x1b[4;2$y\x1b[?31337;0$y");
  CHECK(answer("\x1b[x") == "\x1b[2;1;1;128;128;1;0x");
}

TEST_CASE("saved and restored modes") {
  Terminal t{{}};
  write(t, "\x1b[?25l\x1b[?25;2004s\x1b[?25h\x1b[?2004h\x1b[?25;2004r");
  CHECK_FALSE(t.cursor().visible);
  CHECK_FALSE(t.bracketed_paste());
}

TEST_CASE("colours that the guest changes and asks for") {
  Terminal t{{}};
  ColorTable::Colors standard{};
  standard[1] = 0x102030;
  standard[ColorTable::kBackground] = 0x0A0B0C;
  t.set_standard_colors(standard);
  write(t, "\x1b]4;1;?\x07\x1b]11;?\x1b\\");
  CHECK(output(t) == "\x1b]4;1;rgb:1010/2020/3030\x1b\\\x1b]11;rgb:0a0a/0b0b/0c0c\x1b\\");
  write(t, "\x1b]4;1;rgb:ff/80/0;2;#abc\x07\x1b]10;#010203;rgb:ffff/0000/8080\x07");
  CHECK(t.colors()[1] == 0xFF8000);
  CHECK(t.colors()[2] == 0xA0B0C0);
  CHECK(t.colors()[ColorTable::kForeground] == 0x010203);
  CHECK(t.colors()[ColorTable::kBackground] == 0xFF0080);
  write(t, "\x1b]104;1\x07\x1b]111\x07");
  CHECK(t.colors()[1] == 0x102030);
  CHECK(t.colors()[ColorTable::kBackground] == 0x0A0B0C);
  CHECK(t.colors().changed(2));
  write(t, "\x1b]4;1;nonsense\x07\x1b]4;999;?\x07\x1b]4\x07\x1b]10;rgb:12345/0/0\x07");
  CHECK(t.colors()[1] == 0x102030);
  CHECK(output(t).empty());
}

TEST_CASE("links") {
  Terminal t{{.rows = 2, .columns = 30}};
  write(t, "\x1b]8;;https://a.example/\x07one\x1b]8;;\x07 two \x1b]8;id=x:y=z;https://b.example/;p\x1b\\three\x1b]8;;\x07");
  CHECK(t.extras()[cell(t, 0, 0).extra].link == "https://a.example/");
  CHECK(cell(t, 0, 4).extra == 0);
  CHECK(t.extras()[cell(t, 0, 8).extra].link == "https://b.example/;p");
  CHECK(t.extras()[cell(t, 0, 8).extra].link_id == "x");
}

TEST_CASE("more links than there is room for leave cells without, and those that left the screen make room") {
  Terminal t{{.rows = 4, .columns = 80, .scrollback_lines = 10}};
  for (int i = 0; i < 20000; ++i) write(t, "\x1b]8;;http://x/" + std::to_string(i) + "\x07.\x1b]8;;\x07\r\n");
  write(t, "\x1b]8;;http://last/\x07.");
  int linked = 0;
  for (auto line = t.buffer().first_line(); line < t.buffer().end_line(); ++line) linked += t.buffer().line(line).cells[0].extra != 0 ? 1 : 0;
  CHECK(linked > 0);
  CHECK(t.extras()[cell(t, 3, 0).extra].link == "http://last/");
}

TEST_CASE("the clipboard: what the guest copies, and its question") {
  Terminal t{{}};
  write(t, "\x1b]52;c;aMOkbGxv\x07");
  CHECK(t.take_copied_text() == "hällo");
  CHECK_FALSE(t.take_copied_text());
  write(t, "\x1b]52;c;!!!\x07");
  CHECK_FALSE(t.take_copied_text());
  write(t, "\x1b]52;c;?\x07");
  CHECK(t.take_clipboard_question());
  CHECK_FALSE(t.take_clipboard_question());
  CHECK(output(t).empty());
  t.answer_clipboard("ab");
  CHECK(output(t) == "\x1b]52;c;YWI=\x1b\\");
}

TEST_CASE("titles are bounded on a whole character, and pushed and popped") {
  Terminal t{{}};
  std::string text = "\x1b]2;";
  for (int i = 0; i < 200; ++i) text += "漢";
  write(t, text + "\x07");
  CHECK(t.title().size() <= Interpreter::kMaxTitle);
  CHECK(t.title().size() % 3 == 0);
  for (int i = 0; i < 30; ++i) write(t, "\x1b]0;" + std::to_string(i) + "\x07\x1b[22;0t");
  for (int i = 0; i < 3; ++i) write(t, "\x1b[23;0t");
  CHECK(t.title() == "27");
}

TEST_CASE("a synchronized update shows at once, at its end or when there is too much of it") {
  Terminal t{{.rows = 2, .columns = 10}};
  write(t, "old\x1b[?2026h\x1b[2J\x1b[Hne");
  CHECK(t.synchronized());
  CHECK(row_text(t, 0) == "old");
  write(t, "w\x1b[?20");
  write(t, "26l!");
  CHECK_FALSE(t.synchronized());
  CHECK(row_text(t, 0) == "new!");
  write(t, "\x1b[?2026h\x1b[2J");
  t.end_synchronized();
  CHECK(row_text(t, 0).empty());
  write(t, "\x1b[?2026h");
  write(t, std::string(3u << 20, 'x'));
  CHECK_FALSE(t.synchronized());
  CHECK(row_text(t, 0) == "xxxxxxxxxx");
}

TEST_CASE("a guest changes the grid only where it may") {
  Terminal no{{.rows = 24, .columns = 80}};
  write(no, "\x1b[?40h\x1b[?3h\x1b[8;10;20t");
  CHECK(no.columns() == 80);
  CHECK(no.rows() == 24);
  Terminal yes{{.rows = 24, .columns = 80, .guest_may_resize = true}};
  write(yes, "\x1b[?40h\x1b[?3h");
  CHECK(yes.columns() == 132);
  write(yes, "\x1b[8;10;20000t");
  CHECK(yes.rows() == 10);
  CHECK(yes.columns() == Terminal::kMaxColumns);
}

TEST_CASE("lines that ran on are broken anew with a new width, and come back") {
  Terminal t{{.rows = 4, .columns = 10, .scrollback_lines = 100}};
  write(t, "0123456789abcdef\r\nshort\r\n漢字漢字漢字\r\n$ ");
  const std::string before = t.screen_text();
  t.resize(4, 6);
  CHECK(t.cursor().row == 3);
  CHECK(t.cursor().column == 2);
  CHECK(t.screen_text() == "short\n漢字漢\n字漢字\n$\n");
  CHECK(t.buffer().scrollback() == 3);
  t.resize(4, 20);
  CHECK(row_text(t, t.cursor().row) == "$");
  t.resize(4, 10);
  write(t, "x");
  CHECK(row_text(t, t.cursor().row) == "$ x");
  std::string all;
  for (auto line = t.buffer().first_line(); line < t.buffer().end_line(); ++line) {
    append_row_text(all, t.buffer().line(line), 0, 100, true);
    all += '\n';
  }
  CHECK(all.starts_with("0123456789\nabcdef\nshort\n漢字漢字漢\n字\n$ x\n"));
}

TEST_CASE("resizing at random keeps the text of every line") {
  const std::string text = "The quick brown fox jumps over the lazy dog, 漢字 and all.";
  Terminal t{{.rows = 10, .columns = 40, .scrollback_lines = 1000}};
  for (int i = 0; i < 20; ++i) write(t, std::to_string(i) + text + "\r\n");
  for (const int columns : {80, 7, 33, 12, 2, 100, 40}) {
    t.resize(5 + columns % 9, columns);
    REQUIRE(t.cursor().column == 0);
  }
  std::string all;
  for (auto line = t.buffer().first_line(); line < t.buffer().end_line(); ++line) {
    if (!t.buffer().line(line).continues_previous && !all.empty()) all += '\n';
    append_row_text(all, t.buffer().line(line), 0, 100, true);
    if (line + 1 < t.buffer().end_line() && t.buffer().line(line + 1).continues_previous && all.back() == ',') all += ' ';
  }
  CHECK(all.starts_with("0The quick"));
  std::size_t found = 0;
  for (auto at = all.find("fox"); at != std::string::npos; at = all.find("fox", at + 1)) ++found;
  CHECK(found == 20);
}

TEST_CASE("block selection") {
  Terminal t{{.rows = 3, .columns = 10}};
  write(t, "abcdef\r\nghijkl\r\nmnopqr");
  const auto top = t.buffer().screen_line();
  t.select({top, 4}, SelectionUnit::character, true);
  t.select_to({top + 2, 2});
  CHECK(t.selected_text() == "cde\nijk\nopq");
}

}  // namespace tuxarium::vt
