#include <doctest/doctest.h>

#include "terminal_fixture.hpp"

namespace tuxarium::vt {
namespace {

std::string sent(Key key, Modifiers modifiers = {}, std::string_view before = {}) {
  Terminal t{{}};
  write(t, before);
  t.key(key, modifiers);
  return output(t);
}

std::string typed(char32_t c, Modifiers modifiers = {}) {
  Terminal t{{}};
  t.character(c, modifiers);
  return output(t);
}

constexpr Modifiers kShift{.shift = true}, kAlt{.alt = true}, kControl{.control = true};

}  // namespace

TEST_CASE("keys with a control code") {
  CHECK(sent(Key::enter) == "\r");
  CHECK(sent(Key::enter, kAlt) == "\x1b\r");
  CHECK(sent(Key::enter, kControl) == "\r");
  CHECK(sent(Key::enter, kShift) == "\r");
  CHECK(sent(Key::backspace) == "\x7f");
  CHECK(sent(Key::backspace, kControl) == "\b");
  CHECK(sent(Key::backspace, kAlt) == "\x1b\x7f");
  CHECK(sent(Key::tab) == "\t");
  CHECK(sent(Key::tab, kShift) == "\x1b[Z");
  CHECK(sent(Key::escape) == "\x1b");
}

TEST_CASE("cursor keys follow the application mode") {
  CHECK(sent(Key::up) == "\x1b[A");
  CHECK(sent(Key::down) == "\x1b[B");
  CHECK(sent(Key::right) == "\x1b[C");
  CHECK(sent(Key::left) == "\x1b[D");
  CHECK(sent(Key::up, {}, "\x1b[?1h") == "\x1bOA");
  CHECK(sent(Key::up, {}, "\x1b[?1h\x1b[?1l") == "\x1b[A");
  CHECK(sent(Key::left, kControl) == "\x1b[1;5D");
}

TEST_CASE("editing and function keys") {
  CHECK(sent(Key::insert) == "\x1b[2~");
  CHECK(sent(Key::del) == "\x1b[3~");
  CHECK(sent(Key::page_up) == "\x1b[5~");
  CHECK(sent(Key::page_down) == "\x1b[6~");
  CHECK(sent(Key::home) == "\x1b[H");
  CHECK(sent(Key::end) == "\x1b[F");
  const char* const function_keys[] = {"\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~",
                                       "\x1b[18~", "\x1b[19~", "\x1b[20~", "\x1b[21~", "\x1b[23~", "\x1b[24~"};
  for (int n = 0; n < 12; ++n) CHECK(sent(static_cast<Key>(static_cast<int>(Key::f1) + n)) == function_keys[n]);
}

TEST_CASE("characters with Control and Alt") {
  for (char32_t c = U'a'; c <= U'z'; ++c) {
    CHECK(typed(c, kControl) == std::string(1, static_cast<char>(c - U'a' + 1)));
  }
  CHECK(typed(U' ', kControl) == std::string(1, '\0'));
  CHECK(typed(U'[', kControl) == "\x1b");
  CHECK(typed(U'\\', kControl) == "\x1c");
  CHECK(typed(U']', kControl) == "\x1d");
  CHECK(typed(U'/', kControl) == "\x1f");
  CHECK(typed(U'8', kControl) == "\x7f");
  CHECK(typed(U'x', kAlt) == "\x1bx");
  CHECK(typed(U'c', {.alt = true, .control = true}) == "\x1b\x03");
  CHECK(typed(U'é') == "é");
  CHECK(typed(U'漢') == "漢");
}

TEST_CASE("paste") {
  Terminal t{{}};
  t.paste("one\r\ntwo\nthree\rä\tb\x1b[A\x01");
  CHECK(output(t) == "one\rtwo\rthree\rä\tb[A");
  write(t, "\x1b[?2004h");
  CHECK(t.bracketed_paste());
  t.paste("x\n");
  CHECK(output(t) == "\x1b[200~x\r\x1b[201~");
  write(t, "\x1b[?2004l");
  t.paste("x");
  CHECK(output(t) == "x");
}

TEST_CASE("paste beyond the bound is cut and counted, and its brackets stay") {
  Terminal t{{}};
  write(t, "\x1b[?2004h");
  t.paste(std::string(2 * Terminal::kMaxOutput, 'x'));
  CHECK(t.output().size() <= Terminal::kMaxOutput);
  CHECK(t.output_dropped() > 0);
  const auto all = output(t);
  CHECK(all.starts_with("\x1b[200~"));
  CHECK(all.ends_with("\x1b[201~"));
}

TEST_CASE("mouse reports only when asked for") {
  Terminal t{{}};
  t.mouse({.row = 2, .column = 3}, {});
  t.mouse_button(1, true, {});
  CHECK(output(t).empty());
  t.mouse_button(1, false, {});
  write(t, "\x1b[?1000h\x1b[?1006h");
  CHECK(t.mouse_mode() == MouseMode::click);
  t.mouse({.row = 4, .column = 9}, {});
  t.mouse_button(1, true, {});
  CHECK(output(t) == "\x1b[<0;10;5M");
}

TEST_CASE("keys with modifiers, as xterm has them") {
  CHECK(sent(Key::f1, kShift) == "\x1b[1;2P");
  CHECK(sent(Key::f5, kControl) == "\x1b[15;5~");
  CHECK(sent(Key::f12, {.shift = true, .alt = true, .control = true}) == "\x1b[24;8~");
  CHECK(sent(Key::f13) == "\x1b[25~");
  CHECK(sent(Key::f20) == "\x1b[34~");
  CHECK(sent(Key::home, kControl, "\x1b[?1h") == "\x1b[1;5H");
  CHECK(sent(Key::home, {}, "\x1b[?1h") == "\x1bOH");
  CHECK(sent(Key::del, kShift) == "\x1b[3;2~");
  CHECK(sent(Key::page_up, kAlt) == "\x1b[5;3~");
}

TEST_CASE("the keypad") {
  CHECK(sent(Key::keypad_enter) == "\r");
  CHECK(sent(Key::keypad_7) == "\x1b[H");
  CHECK(sent(Key::keypad_5) == "\x1b[E");
  CHECK(sent(Key::keypad_add) == "+");
  CHECK(sent(Key::keypad_7, {}, "\x1b=") == "\x1bOw");
  CHECK(sent(Key::keypad_enter, {}, "\x1b[?66h") == "\x1bOM");
  CHECK(sent(Key::keypad_7, {}, "\x1b=\x1b>") == "\x1b[H");
}

TEST_CASE("modes of the keyboard") {
  CHECK(sent(Key::enter, {}, "\x1b[20h") == "\r\n");
  CHECK(sent(Key::backspace, {}, "\x1b[?67h") == "\b");
  CHECK(sent(Key::up, {}, "\x1b[?2l") == "\x1b" "A");
  CHECK(sent(Key::f1, {}, "\x1b[?2l") == "\x1bP");
  CHECK(sent(Key::tab, kControl, "\x1b[>4;2m") == "\x1b[27;5;9~");
  Terminal t{{}};
  write(t, "\x1b[>4;2m\x1b[?4m");
  t.character(U'i', kControl);
  CHECK(output(t) == "\x1b[>4;2m\x1b[27;5;105~");
  write(t, "\x1b[>4m");
  t.character(U'i', kControl);
  CHECK(output(t) == "\t");
}

TEST_CASE("focus events only when asked for") {
  Terminal t{{}};
  t.focus(true);
  CHECK(output(t).empty());
  write(t, "\x1b[?1004h");
  t.focus(true);
  t.focus(false);
  CHECK(output(t) == "\x1b[I\x1b[O");
}

TEST_CASE("mouse modes and formats") {
  const auto clicked = [](std::string_view modes, Modifiers held = {}) {
    Terminal t{{.rows = 300, .columns = 300}};
    write(t, modes);
    t.mouse({.row = 4, .column = 9, .x = 70, .y = 55}, held);
    t.mouse_button(3, true, held);
    t.mouse({.row = 5, .column = 9, .x = 70, .y = 60}, held);
    t.mouse_button(3, false, held);
    t.mouse({.row = 6, .column = 9, .x = 70, .y = 66}, held);
    t.mouse_button(4, true, held);
    return output(t);
  };
  CHECK(clicked("\x1b[?9h") == "\x1b[M\"*%");
  CHECK(clicked("\x1b[?1000h") == "\x1b[M\"*%\x1b[M#*&\x1b[M`*'");
  CHECK(clicked("\x1b[?1000h\x1b[?1006h") == "\x1b[<2;10;5M\x1b[<2;10;6m\x1b[<64;10;7M");
  CHECK(clicked("\x1b[?1002h\x1b[?1006h") == "\x1b[<2;10;5M\x1b[<34;10;6M\x1b[<2;10;6m\x1b[<64;10;7M");
  CHECK(clicked("\x1b[?1003h\x1b[?1006h") == "\x1b[<35;10;5M\x1b[<2;10;5M\x1b[<34;10;6M\x1b[<2;10;6m\x1b[<35;10;7M\x1b[<64;10;7M");
  CHECK(clicked("\x1b[?1000h\x1b[?1015h") == "\x1b[34;10;5M\x1b[35;10;6M\x1b[96;10;7M");
  CHECK(clicked("\x1b[?1000h\x1b[?1016h") == "\x1b[<2;71;56M\x1b[<2;71;61m\x1b[<64;71;67M");
  CHECK(clicked("\x1b[?1000h\x1b[?1006h", {.alt = true, .control = true}) == "\x1b[<26;10;5M\x1b[<26;10;6m\x1b[<88;10;7M");
  CHECK(clicked("\x1b[?1000h\x1b[?1000l").empty());
  Terminal far{{.rows = 10, .columns = 400}};
  write(far, "\x1b[?1000h");
  far.mouse({.row = 0, .column = 300}, {});
  far.mouse_button(1, true, {});
  CHECK(output(far).empty());
}

}  // namespace tuxarium::vt
