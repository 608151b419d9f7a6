#include "input_encoder.hpp"

#include <algorithm>
#include <bit>

#include "utf8.hpp"

namespace tuxarium::vt {
namespace {

// xterm's parameter for the keys held; 1: none.
int modifier_number(Modifiers m) { return 1 + (m.shift ? 1 : 0) + (m.alt ? 2 : 0) + (m.control ? 4 : 0); }

// CSI letter or SS3 letter; with keys held always CSI 1 ; number letter.
std::string letter_key(char letter, int modifiers, bool application) {
  if (modifiers > 1) return "\x1b[1;" + std::to_string(modifiers) + letter;
  return std::string{"\x1b"} + (application ? 'O' : '[') + letter;
}

std::string number_key(int number, int modifiers) {
  std::string bytes = "\x1b[" + std::to_string(number);
  if (modifiers > 1) bytes += ";" + std::to_string(modifiers);
  return bytes + "~";
}

std::string other_key(unsigned code, int modifiers) { return "\x1b[27;" + std::to_string(modifiers) + ";" + std::to_string(code) + "~"; }

std::string function_key(int number, int modifiers) {
  constexpr int kNumbers[] = {15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34};  // F5 and on
  if (number <= 4) return letter_key(static_cast<char>('P' + number - 1), modifiers, true);
  return number_key(kNumbers[number - 5], modifiers);
}

std::string control_key(Key key, Modifiers m, const InputModes& modes) {
  const int held = modifier_number(m);
  const bool shift_tab = key == Key::tab && m.shift && !m.control && !m.alt;
  if (modes.other_keys == 2 && held > 1 && !shift_tab) {
    const unsigned code = key == Key::enter ? 13 : key == Key::tab ? 9 : key == Key::escape ? 27 : 127;
    return other_key(code, held);
  }
  std::string bytes = m.alt ? "\x1b" : "";
  switch (key) {
    case Key::enter: bytes += modes.newline ? "\r\n" : "\r"; break;
    case Key::tab: bytes += m.shift ? "\x1b[Z" : "\t"; break;
    case Key::escape: bytes += "\x1b"; break;
    default: bytes += m.control != modes.backspace_sends_bs ? '\b' : '\x7f'; break;
  }
  return bytes;
}

struct KeypadKey {
  char plain;        // what it types
  char application;  // its letter behind SS3
};

constexpr KeypadKey kKeypad[] = {{'0', 'p'}, {'1', 'q'}, {'2', 'r'}, {'3', 's'}, {'4', 't'}, {'5', 'u'}, {'6', 'v'}, {'7', 'w'}, {'8', 'x'},
    {'9', 'y'}, {'.', 'n'}, {'/', 'o'}, {'*', 'j'}, {'-', 'm'}, {'+', 'k'}, {'\r', 'M'}, {'=', 'X'}};
constexpr Key kWithoutNumLock[] = {Key::insert, Key::end, Key::down, Key::page_down, Key::left, Key::keypad_5,
    Key::right, Key::home, Key::up, Key::page_up, Key::del};

std::string keypad_key(Key key, Modifiers m, const InputModes& modes) {
  const auto at = static_cast<std::size_t>(key) - static_cast<std::size_t>(Key::keypad_0);
  if (modes.application_keypad) return std::string{modes.vt52 ? "\x1b?" : "\x1bO"} + kKeypad[at].application;
  if (key == Key::keypad_enter) return control_key(Key::enter, m, modes);
  if (key == Key::keypad_5) return letter_key('E', modifier_number(m), modes.application_cursor);
  if (key <= Key::keypad_decimal) return encode_key(kWithoutNumLock[at], m, modes);
  return encode_character(static_cast<unsigned char>(kKeypad[at].plain), m, modes);
}

// The control code of a character with Control held, as xterm has it; -1 when there is none.
int control_code(char32_t c) {
  if (c >= U'a' && c <= U'z') return static_cast<int>(c - U'a' + 1);
  if (c >= U'@' && c <= U'_') return static_cast<int>(c - U'@');
  switch (c) {
    case U' ': case U'2': case U'`': return 0;
    case U'3': return 0x1B;
    case U'4': return 0x1C;
    case U'5': return 0x1D;
    case U'6': case U'~': return 0x1E;
    case U'7': case U'/': return 0x1F;
    case U'8': case U'?': return 0x7F;
    default: return -1;
  }
}

}  // namespace

std::string encode_key(Key key, Modifiers m, const InputModes& modes) {
  const int held = modes.vt52 ? 1 : modifier_number(m);
  const auto cursor = [&](char letter) {
    return modes.vt52 ? std::string{"\x1b"} + letter : letter_key(letter, held, modes.application_cursor);
  };
  switch (key) {
    case Key::enter: case Key::tab: case Key::backspace: case Key::escape: return control_key(key, m, modes);
    case Key::up: return cursor('A');
    case Key::down: return cursor('B');
    case Key::right: return cursor('C');
    case Key::left: return cursor('D');
    case Key::home: return cursor('H');
    case Key::end: return cursor('F');
    case Key::insert: return number_key(2, held);
    case Key::del: return number_key(3, held);
    case Key::page_up: return number_key(5, held);
    case Key::page_down: return number_key(6, held);
    default: break;
  }
  if (key >= Key::keypad_0) return keypad_key(key, m, modes);
  const int number = 1 + static_cast<int>(key) - static_cast<int>(Key::f1);
  if (modes.vt52 && number <= 4) return std::string{"\x1b"} + static_cast<char>('P' + number - 1);
  return function_key(number, held);
}

std::string encode_character(char32_t c, Modifiers m, const InputModes& modes) {
  if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return {};
  const int control = m.control ? control_code(c) : -1;
  const bool no_code_of_its_own = m.control && control < 0;
  if ((modes.other_keys == 2 && (m.control || m.alt)) || (modes.other_keys == 1 && no_code_of_its_own)) {
    return other_key(static_cast<unsigned>(c), modifier_number(m));
  }
  std::string bytes;
  if (m.alt) bytes.push_back('\x1b');
  append_utf8(bytes, control >= 0 ? static_cast<char32_t>(control) : c);
  return bytes;
}

std::string MouseEncoder::move(MousePlace place, Modifiers modifiers, const InputModes& modes) {
  const bool same_cell = place.row == place_.row && place.column == place_.column;
  const bool moved = modes.mouse_format == MouseFormat::sgr_pixels ? !(place == place_) : !same_cell;
  place_ = place;
  if (!moved) return {};
  const bool wanted = modes.mouse == MouseMode::move || (modes.mouse == MouseMode::drag && down_ != 0);
  if (!wanted) return {};
  const unsigned button = down_ != 0 ? static_cast<unsigned>(std::countr_zero(down_)) : 3;
  return report(32 + button, true, modifiers, modes);
}

std::string MouseEncoder::button(int button, bool pressed, Modifiers modifiers, const InputModes& modes) {
  if (button < 1 || button > 7) return {};
  const unsigned bit = 1u << (button - 1);
  const bool wheel = button > 3;
  if (!wheel) {
    if (((down_ & bit) != 0) == pressed) return {};
    down_ ^= bit;
  }
  if (modes.mouse == MouseMode::off || (wheel && !pressed)) return {};
  if (modes.mouse == MouseMode::press && (!pressed || wheel)) return {};
  return report(wheel ? 64 + static_cast<unsigned>(button) - 4 : static_cast<unsigned>(button) - 1, pressed, modifiers, modes);
}

std::string MouseEncoder::report(unsigned code, bool pressed, Modifiers m, const InputModes& modes) const {
  const bool sgr = modes.mouse_format == MouseFormat::sgr || modes.mouse_format == MouseFormat::sgr_pixels;
  if (!pressed && !sgr) code = (code & ~3u) | 3;
  if (modes.mouse != MouseMode::press) code += (m.shift ? 4u : 0) + (m.alt ? 8u : 0) + (m.control ? 16u : 0);
  const bool pixels = modes.mouse_format == MouseFormat::sgr_pixels;
  const auto x = static_cast<unsigned>(std::max(pixels ? place_.x : place_.column, 0)) + 1;
  const auto y = static_cast<unsigned>(std::max(pixels ? place_.y : place_.row, 0)) + 1;
  const auto numbers = [&](unsigned first) { return std::to_string(first) + ";" + std::to_string(x) + ";" + std::to_string(y); };
  switch (modes.mouse_format) {
    case MouseFormat::sgr: case MouseFormat::sgr_pixels: return "\x1b[<" + numbers(code) + (pressed ? 'M' : 'm');
    case MouseFormat::urxvt: return "\x1b[" + numbers(code + 32) + "M";
    case MouseFormat::bytes: case MouseFormat::utf8: break;
  }
  const bool wide = modes.mouse_format == MouseFormat::utf8;
  const unsigned limit = wide ? 2015 : 223;
  if (x > limit || y > limit) return {};
  std::string bytes = "\x1b[M";
  for (const unsigned value : {code + 32, x + 32, y + 32}) {
    if (wide) {
      append_utf8(bytes, value);
    } else {
      bytes.push_back(static_cast<char>(value));
    }
  }
  return bytes;
}

}  // namespace tuxarium::vt
