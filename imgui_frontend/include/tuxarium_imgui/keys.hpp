// The keys of a PC, independent of any window library.
#pragma once

#include <cstdint>

namespace tuxarium::imgui {

/// Keys that reach a terminal as keys. Characters come as text; letters, digits and punctuation count here only with Control or Alt held,
/// and are named by what they give on the user's layout. Keys of the keypad stand for what they are without Num Lock; with it they come as text.
enum class Key : std::uint8_t {
  enter, tab, backspace, escape, up, down, left, right, insert, del, home, end, page_up, page_down,
  f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20,
  keypad_0, keypad_1, keypad_2, keypad_3, keypad_4, keypad_5, keypad_6, keypad_7, keypad_8, keypad_9,
  keypad_decimal, keypad_divide, keypad_multiply, keypad_subtract, keypad_add, keypad_enter, keypad_equal,
  a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z,
  digit_0, digit_1, digit_2, digit_3, digit_4, digit_5, digit_6, digit_7, digit_8, digit_9,
  space, apostrophe, comma, minus, period, slash, semicolon, equal, left_bracket, backslash, right_bracket, grave,
  count,
};

/// Keys held together with another.
struct KeyModifiers {
  bool shift = false;
  bool alt = false;
  bool control = false;
};

}  // namespace tuxarium::imgui
