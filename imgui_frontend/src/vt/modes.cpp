// Set and reset modes, and what they are: xterm's "Control Sequences", "Set Mode" and "DEC Private Mode Set".
#include <algorithm>

#include "interpreter.hpp"

namespace tuxarium::vt {

void Interpreter::set_modes(const ControlSequence& s, bool on) {
  for (std::size_t i = 0; i < s.count; ++i) {
    if (s.leader == '?') {
      set_private_mode(s.argument[i], on);
    } else {
      set_ansi_mode(s.argument[i], on);
    }
  }
}

void Interpreter::set_ansi_mode(int mode, bool on) {
  if (mode == 4) screen.modes.insert = on;
  if (mode == 20) screen.modes.newline = input.newline = on;
}

std::optional<bool> Interpreter::ansi_mode(int mode) const {
  switch (mode) {
    case 2: return false;
    case 4: return screen.modes.insert;
    case 12: return true;
    case 20: return screen.modes.newline;
    default: return std::nullopt;
  }
}

void Interpreter::set_mouse(MouseMode mode, bool on) { input.mouse = on ? mode : MouseMode::off; }

void Interpreter::set_mouse_format(MouseFormat format, bool on) {
  if (on || input.mouse_format == format) input.mouse_format = on ? format : MouseFormat::bytes;
}

// DECCOLM: 80 or 132 columns, where the guest may change them; in any case an empty screen.
void Interpreter::set_column_mode(bool wide) {
  column_mode_ = wide;
  if (may_resize) wanted_size = {screen.rows(), wide ? 132 : 80};
  screen.modes.left_right_margins = false;
  const bool origin = std::exchange(screen.modes.origin, false);
  screen.set_top_bottom(0, screen.rows() - 1);
  if (!keeps_screen_) screen.erase_in_display(2, false);
  screen.move_to(0, 0);
  screen.modes.origin = origin;
}

void Interpreter::set_private_mode(int mode, bool on) {
  switch (mode) {
    case 1: input.application_cursor = on; break;
    case 2:
      if (!on) {
        input.vt52 = true;
        screen.charsets = {};
        parser_.set_vt52(true);
      }
      break;
    case 3:
      if (may_change_columns_) set_column_mode(on);
      break;
    case 5: reverse_screen = on; break;
    case 6:
      screen.modes.origin = on;
      screen.move_to(0, 0);
      break;
    case 7: screen.modes.autowrap = on; break;
    case 9: set_mouse(MouseMode::press, on); break;
    case 12: cursor_blink = on; break;
    case 25: cursor_visible = on; break;
    case 40: may_change_columns_ = on; break;
    case 42: screen.modes.national_charsets = on; break;
    case 45: screen.modes.reverse_wrap = on; break;
    case 47: screen.use_alternate(on); break;
    case 66: input.application_keypad = on; break;
    case 67: input.backspace_sends_bs = on; break;
    case 69: screen.enable_left_right(on); break;
    case 95: keeps_screen_ = on; break;
    case 1000: set_mouse(MouseMode::click, on); break;
    case 1002: set_mouse(MouseMode::drag, on); break;
    case 1003: set_mouse(MouseMode::move, on); break;
    case 1004: input.focus_events = on; break;
    case 1005: set_mouse_format(MouseFormat::utf8, on); break;
    case 1006: set_mouse_format(MouseFormat::sgr, on); break;
    case 1007: input.alternate_scroll = on; break;
    case 1015: set_mouse_format(MouseFormat::urxvt, on); break;
    case 1016: set_mouse_format(MouseFormat::sgr_pixels, on); break;
    case 1045: screen.modes.reverse_wrap_all = on; break;
    case 1047:
      if (!on && screen.alternate()) screen.clear_alternate();
      screen.use_alternate(on);
      break;
    case 1048: case 1049:
      if (on) screen.save_cursor();
      if (mode == 1049) {
        screen.use_alternate(on);
        if (on) screen.clear_alternate();
      }
      if (!on) screen.restore_cursor(), refresh_pen();
      break;
    case 2004: input.bracketed_paste = on; break;
    case 2026: synchronized_ = on; break;
    default: break;
  }
}

std::optional<bool> Interpreter::private_mode(int mode) const {
  const WritingModes& modes = screen.modes;
  switch (mode) {
    case 1: return input.application_cursor;
    case 2: return !input.vt52;
    case 3: return column_mode_;
    case 5: return reverse_screen;
    case 6: return modes.origin;
    case 7: return modes.autowrap;
    case 9: return input.mouse == MouseMode::press;
    case 12: return cursor_blink;
    case 25: return cursor_visible;
    case 40: return may_change_columns_;
    case 42: return modes.national_charsets;
    case 45: return modes.reverse_wrap;
    case 47: case 1047: case 1049: return screen.alternate();
    case 66: return input.application_keypad;
    case 67: return input.backspace_sends_bs;
    case 69: return modes.left_right_margins;
    case 95: return keeps_screen_;
    case 1000: return input.mouse == MouseMode::click;
    case 1002: return input.mouse == MouseMode::drag;
    case 1003: return input.mouse == MouseMode::move;
    case 1004: return input.focus_events;
    case 1005: return input.mouse_format == MouseFormat::utf8;
    case 1006: return input.mouse_format == MouseFormat::sgr;
    case 1007: return input.alternate_scroll;
    case 1015: return input.mouse_format == MouseFormat::urxvt;
    case 1016: return input.mouse_format == MouseFormat::sgr_pixels;
    case 1045: return modes.reverse_wrap_all;
    case 1048: return true;
    case 2004: return input.bracketed_paste;
    case 2026: return synchronized_;
    default: return std::nullopt;
  }
}

void Interpreter::save_modes(const ControlSequence& s) {
  for (std::size_t i = 0; i < s.count; ++i) {
    const int mode = s.argument[i];
    const auto value = private_mode(mode);
    if (!value) continue;
    const auto known = std::find_if(saved_modes_.begin(), saved_modes_.end(), [mode](const auto& saved) { return saved.first == mode; });
    if (known == saved_modes_.end()) {
      saved_modes_.emplace_back(mode, *value);
    } else {
      known->second = *value;
    }
  }
}

void Interpreter::restore_modes(const ControlSequence& s) {
  for (std::size_t i = 0; i < s.count; ++i) {
    for (const auto& [mode, value] : saved_modes_) {
      // Switching VT52 mode or the screens is not undone by this.
      if (mode == s.argument[i] && private_mode(mode) != value && mode != 2) set_private_mode(mode, value);
    }
  }
}

}  // namespace tuxarium::vt
