// Keys and mouse events as bytes for the guest.
// Documents: xterm's "Control Sequences" (PC-style function keys, mouse tracking, modifyOtherKeys), VT100 user guide (keypad, VT52 keys).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tuxarium::vt {

/// Keys without a character of their own, and those of the keypad.
enum class Key : std::uint8_t {
  enter, tab, backspace, escape, up, down, left, right, insert, del, home, end, page_up, page_down,
  f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20,
  keypad_0, keypad_1, keypad_2, keypad_3, keypad_4, keypad_5, keypad_6, keypad_7, keypad_8, keypad_9,
  keypad_decimal, keypad_divide, keypad_multiply, keypad_subtract, keypad_add, keypad_enter, keypad_equal,
};

struct Modifiers {
  bool shift = false;
  bool alt = false;
  bool control = false;
};

/// Which mouse events the guest wants: modes 9, 1000, 1002 and 1003.
enum class MouseMode : std::uint8_t { off, press, click, drag, move };
/// How they are written: xterm's old form, modes 1005, 1006, 1015 and 1016.
enum class MouseFormat : std::uint8_t { bytes, utf8, sgr, urxvt, sgr_pixels };

/// What the guest asked of keyboard and mouse.
struct InputModes {
  bool application_cursor = false;   // DECCKM
  bool application_keypad = false;   // DECKPAM
  bool newline = false;              // LNM
  bool backspace_sends_bs = false;   // DECBKM
  bool bracketed_paste = false;
  bool focus_events = false;
  bool alternate_scroll = true;      // the wheel moves the cursor on the alternate screen
  bool vt52 = false;
  int other_keys = 0;                // modifyOtherKeys, 0 to 2
  MouseMode mouse = MouseMode::off;
  MouseFormat mouse_format = MouseFormat::bytes;
};

/// The keypad's digits and `.` mean what they mean without Num Lock.
std::string encode_key(Key key, Modifiers modifiers, const InputModes& modes);

/// A character with the keys held: Control gives its control code, Alt an ESC before it.
std::string encode_character(char32_t character, Modifiers modifiers, const InputModes& modes);

/// Where the mouse is, from 0; pixels count from the upper left corner of the screen.
struct MousePlace {
  int row = 0, column = 0;
  int x = 0, y = 0;
  friend bool operator==(const MousePlace&, const MousePlace&) = default;
};

/// Remembers place and buttons between events. Buttons: 1 left, 2 middle, 3 right, 4 to 7 the wheel up, down, left, right.
class MouseEncoder {
 public:
  std::string move(MousePlace place, Modifiers modifiers, const InputModes& modes);
  std::string button(int button, bool pressed, Modifiers modifiers, const InputModes& modes);

 private:
  std::string report(unsigned code, bool pressed, Modifiers modifiers, const InputModes& modes) const;

  MousePlace place_;
  unsigned down_ = 0;  // bit n: button n + 1
};

}  // namespace tuxarium::vt
