#include "interpreter.hpp"

#include <algorithm>

#include "rendition.hpp"

namespace tuxarium::vt {
namespace {

constexpr std::string_view kEndOfUpdate = "\x1b[?2026l";

// What DECSACE, DECCARA and DECRARA change of a cell.
struct AttributeChange {
  std::uint16_t clear = 0, set = 0, flip = 0;
};

AttributeChange rectangle_change(const ControlSequence& s, bool reverse) {
  AttributeChange change;
  const auto single = static_cast<std::uint16_t>(1u << attribute::underline_shift);
  const auto take = [&](std::uint16_t bits, std::uint16_t all, bool on) {
    if (reverse) {
      change.flip ^= bits;
    } else {
      change.clear |= all;
      change.set = static_cast<std::uint16_t>(on ? change.set | bits : change.set & ~all);
    }
  };
  for (std::size_t i = 4; i < std::max<std::size_t>(s.count, 5); ++i) {
    switch (s.at(i, 0)) {
      case 0:
        for (const auto bits : {attribute::bold, attribute::blink, attribute::reverse}) take(bits, bits, false);
        take(single, attribute::underline_mask, false);
        break;
      case 1: take(attribute::bold, attribute::bold, true); break;
      case 4: take(single, attribute::underline_mask, true); break;
      case 5: take(attribute::blink, attribute::blink, true); break;
      case 7: take(attribute::reverse, attribute::reverse, true); break;
      case 8: take(attribute::conceal, attribute::conceal, true); break;
      case 22: take(attribute::bold, attribute::bold, false); break;
      case 24: take(single, attribute::underline_mask, false); break;
      case 25: take(attribute::blink, attribute::blink, false); break;
      case 27: take(attribute::reverse, attribute::reverse, false); break;
      case 28: take(attribute::conceal, attribute::conceal, false); break;
      default: break;
    }
  }
  return change;
}

}  // namespace

void Interpreter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (synchronized_) {
      const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
      // The end may have come in pieces.
      const std::size_t look_from = held_.size() - std::min(held_.size(), kEndOfUpdate.size() - 1);
      const std::size_t taken = std::min(text.size(), kMaxHeld - held_.size());
      held_.append(text.substr(0, taken));
      const auto found = held_.find(kEndOfUpdate, look_from);
      std::size_t used = taken;
      if (found != std::string::npos) {
        used = taken - (held_.size() - (found + kEndOfUpdate.size()));
        held_.resize(found + kEndOfUpdate.size());
      }
      bytes = bytes.subspan(used);
      if (found != std::string::npos || held_.size() == kMaxHeld) end_synchronized();
      continue;
    }
    bytes = parser_.write(bytes, *this);
  }
}

void Interpreter::end_synchronized() {
  const std::string bytes = std::exchange(held_, {});
  std::span<const std::byte> rest = std::as_bytes(std::span{bytes});
  do {
    synchronized_ = false;
    rest = parser_.write(rest, *this);
  } while (!rest.empty());
  synchronized_ = false;
}

void Interpreter::reply(std::string_view bytes) {
  if (replies.size() + bytes.size() > kMaxReplies) {
    replies_dropped += bytes.size();
    return;
  }
  replies.append(bytes);
}

void Interpreter::reset() {
  screen.reset();
  input = {};
  colors.restore_all();
  cursor_visible = cursor_blink = true;
  cursor_shape = CursorShape::block;
  reverse_screen = false;
  may_change_columns_ = keeps_screen_ = false;
  if (column_mode_) set_column_mode(false);
  link_.clear();
  link_id_.clear();
  titles_.clear();
  saved_modes_.clear();
  parser_.set_vt52(false);
}

void Interpreter::on_control(unsigned char control) {
  screen.forget_last();
  switch (control) {
    case 0x05: break;  // ENQ: no answerback
    case 0x07: ++bells; break;
    case 0x08: screen.backspace(); break;
    case 0x09: screen.tab(1); break;
    case 0x0A: case 0x0B: case 0x0C: screen.line_feed(); break;
    case 0x0D: screen.carriage_return(); break;
    case 0x0E: screen.charsets.left = 1; break;
    case 0x0F: screen.charsets.left = 0; break;
    default: break;
  }
}

void Interpreter::on_escape(char intermediate, char final_byte) {
  screen.forget_last();
  if (intermediate >= '(' && intermediate <= '/') {
    const bool of_96 = intermediate >= '-';
    const auto which = static_cast<std::size_t>(of_96 ? intermediate - '-' + 1 : intermediate - '(');
    if (which > 3) return;
    if (const auto set = designated_charset(intermediate, final_byte, screen.modes.national_charsets)) screen.charsets.designated[which] = *set;
    return;
  }
  if (intermediate == '#') {
    switch (final_byte) {
      case '3': screen.set_line_size(LineSize::upper_half); break;
      case '4': screen.set_line_size(LineSize::lower_half); break;
      case '5': screen.set_line_size(LineSize::single); break;
      case '6': screen.set_line_size(LineSize::wide); break;
      case '8': screen.alignment_pattern(); break;
      default: break;
    }
    return;
  }
  if (intermediate != 0) return;
  switch (final_byte) {
    case '6': screen.back_index(); break;
    case '7': screen.save_cursor(); break;
    case '8':
      screen.restore_cursor();
      refresh_pen();
      break;
    case '9': screen.forward_index(); break;
    case '=': input.application_keypad = true; break;
    case '>': input.application_keypad = false; break;
    case 'D': screen.index(); break;
    case 'E':
      screen.index();
      screen.carriage_return();
      break;
    case 'H': screen.set_tab(); break;
    case 'M': screen.reverse_index(); break;
    case 'N': screen.charsets.single_shift = 2; break;
    case 'O': screen.charsets.single_shift = 3; break;
    case 'V': screen.pen.attributes |= attribute::guarded, screen.modes.erase_spares_guarded = true; break;
    case 'W': screen.pen.attributes &= static_cast<std::uint16_t>(~attribute::guarded); break;
    case 'Z': reply("\x1b[?64;1;6;9;21;22;28c"); break;
    case 'c': reset(); break;
    case 'n': screen.charsets.left = 2; break;
    case 'o': screen.charsets.left = 3; break;
    default: break;
  }
}

void Interpreter::on_control_sequence(const ControlSequence& s) {
  if (s.final_byte != 'b' || s.leader != 0 || s.intermediate != 0) {
    plain_sequence(s);
  } else {
    screen.repeat_last(s.at(0, 1));
  }
  screen.forget_last();
}

void Interpreter::plain_sequence(const ControlSequence& s) {
  if (s.intermediate != 0) return sequence_with_intermediate(s);
  if (s.leader != 0) return other_leader_sequence(s);
  const int n = s.at(0, 1);
  switch (s.final_byte) {
    case '@': screen.insert_characters(n); break;
    case 'A': screen.up(n); break;
    case 'B': screen.down(n); break;
    case 'C': screen.forward(n); break;
    case 'D': screen.back(n); break;
    case 'E': screen.down(n), screen.carriage_return(); break;
    case 'F': screen.up(n), screen.carriage_return(); break;
    case 'G': case '`': screen.move_to_column(n - 1); break;
    case 'H': case 'f': screen.move_to(n - 1, s.at(1, 1) - 1); break;
    case 'I': screen.tab(std::min(n, screen.columns())); break;
    case 'J':
      if (s.at(0, 0) == 3) {
        screen.main_buffer().clear_scrollback();
      } else {
        screen.erase_in_display(s.at(0, 0), false);
      }
      break;
    case 'K': screen.erase_in_line(s.at(0, 0), false); break;
    case 'L': screen.insert_lines(n); break;
    case 'M': screen.delete_lines(n); break;
    case 'P': screen.delete_characters(n); break;
    case 'S': screen.scroll_up(n); break;
    case 'T':
      // An explicit 0, or more arguments, would be about highlight tracking.
      if (s.count == 0 || (s.count == 1 && s.argument[0] != 0)) screen.scroll_down(n);
      break;
    case 'X': screen.erase_characters(n); break;
    case 'Z': screen.back_tab(std::min(n, screen.columns())); break;
    case '^': screen.scroll_down(n); break;
    case 'a': screen.move_by(0, n); break;
    case 'c':
      if (s.at(0, 0) == 0) reply("\x1b[?64;1;6;9;21;22;28c");
      break;
    case 'd': screen.move_to_row(n - 1); break;
    case 'e': screen.move_by(n, 0); break;
    case 'g':
      if (s.at(0, 0) == 0) screen.clear_tab();
      if (s.at(0, 0) == 3) screen.clear_all_tabs();
      break;
    case 'h': case 'l': set_modes(s, s.final_byte == 'h'); break;
    case 'm':
      select_rendition(s, screen.pen, screen.pen_underline);
      refresh_pen();
      break;
    case 'n': report_status(s); break;
    case 'r': screen.set_top_bottom(n - 1, s.at(1, screen.rows()) - 1); break;
    case 's':
      if (screen.modes.left_right_margins) {
        screen.set_left_right(n - 1, s.at(1, screen.columns()) - 1);
      } else {
        screen.save_cursor();
      }
      break;
    case 't': window_operation(s); break;
    case 'u':
      screen.restore_cursor();
      refresh_pen();
      break;
    case 'x':
      if (s.at(0, 0) <= 1) reply(s.at(0, 0) == 0 ? "\x1b[2;1;1;128;128;1;0x" : "\x1b[3;1;1;128;128;1;0x");
      break;
    default: break;
  }
}

void Interpreter::other_leader_sequence(const ControlSequence& s) {
  if (s.leader == '?') {
    switch (s.final_byte) {
      case 'J': screen.erase_in_display(s.at(0, 0), true); break;
      case 'K': screen.erase_in_line(s.at(0, 0), true); break;
      case 'W':
        if (s.at(0, 0) == 5) screen.set_standard_tabs();
        break;
      case 'h': case 'l': set_modes(s, s.final_byte == 'h'); break;
      case 'n': report_private_status(s); break;
      case 'r': restore_modes(s); break;
      case 's': save_modes(s); break;
      case 'm':
        if (s.at(0, 0) == 4) reply("\x1b[>4;" + std::to_string(input.other_keys) + "m");
        break;
      default: break;
    }
  } else if (s.leader == '>') {
    switch (s.final_byte) {
      case 'c':
        if (s.at(0, 0) == 0) reply("\x1b[>41;379;0c");
        break;
      case 'm':
        if (s.count == 0 || s.at(0, 0) == 4) input.other_keys = std::clamp(s.at(1, 0), 0, 2);
        break;
      case 'n':
        if (s.at(0, 0) == 4) input.other_keys = 0;
        break;
      case 'q': reply("\x1bP>|Tuxarium(100)\x1b\\"); break;
      default: break;
    }
  } else if (s.leader == '=' && s.final_byte == 'c' && s.at(0, 0) == 0) {
    reply("\x1bP!|00000000\x1b\\");
  }
}

void Interpreter::sequence_with_intermediate(const ControlSequence& s) {
  const int n = s.at(0, 1);
  switch (s.intermediate) {
    case ' ':
      if (s.final_byte == '@') screen.scroll_left(n);
      if (s.final_byte == 'A') screen.scroll_right(n);
      if (s.final_byte == 'q') set_cursor_style(s.at(0, 0));
      break;
    case '!':
      if (s.final_byte == 'p' && s.leader == 0) {
        screen.soft_reset();
        cursor_visible = true;
        input.application_cursor = input.application_keypad = false;
        refresh_pen();
      }
      break;
    case '"':
      if (s.final_byte == 'q') {
        const bool on = s.at(0, 0) == 1;
        screen.modes.erase_spares_guarded = false;
        screen.pen.attributes = static_cast<std::uint16_t>(on ? screen.pen.attributes | attribute::guarded : screen.pen.attributes & ~attribute::guarded);
      }
      if (s.final_byte == 'p') screen.soft_reset(), refresh_pen();
      break;
    case '$':
      if (s.final_byte == 'p') {
        report_mode(s);
      } else if (s.final_byte == 'w') {
        if (s.at(0, 0) == 2) report_tabs();
      } else if (s.leader == 0) {
        rectangle_sequence(s);
      }
      break;
    case '\'':
      if (s.final_byte == '}') screen.insert_columns(n);
      if (s.final_byte == '~') screen.delete_columns(n);
      break;
    case '*':
      if (s.final_byte == 'x') screen.modes.change_extent_rectangle = s.at(0, 0) == 2;
      if (s.final_byte == 'y') report_checksum(s);
      break;
    default: break;
  }
}

// Four arguments from `first`: top, left, bottom, right, from 1, relative to the margins in origin mode.
std::optional<Area> Interpreter::rectangle(const ControlSequence& s, std::size_t first) const {
  const bool origin = screen.modes.origin;
  const int row_base = origin ? screen.top() : 0, column_base = origin ? screen.left() : 0;
  const int row_end = origin ? screen.bottom() + 1 : screen.rows(), column_end = origin ? screen.right() + 1 : screen.columns();
  const Area area{.top = s.at(first, 1) - 1 + row_base,
                  .bottom = std::min(s.at(first + 2, screen.rows()) + row_base, row_end),
                  .left = s.at(first + 1, 1) - 1 + column_base,
                  .right = std::min(s.at(first + 3, screen.columns()) + column_base, column_end)};
  if (area.top >= area.bottom || area.left >= area.right) return std::nullopt;
  return area;
}

void Interpreter::rectangle_sequence(const ControlSequence& s) {
  const auto area = rectangle(s, s.final_byte == 'x' ? 1 : 0);
  switch (s.final_byte) {
    case 'r': case 't':
      mark_rectangle(s, s.final_byte == 't');
      break;
    case 'v': {
      const int row = s.at(5, 1) - 1 + (screen.modes.origin ? screen.top() : 0);
      const int column = s.at(6, 1) - 1 + (screen.modes.origin ? screen.left() : 0);
      if (area && row < screen.rows() && column < screen.columns()) screen.copy_rectangle(*area, row, column);
      break;
    }
    case 'x': {
      const int character = s.at(0, ' ');
      const bool graphic = (character >= 0x20 && character < 0x7F) || (character >= 0xA0 && character < 0x100);
      if (area && graphic) screen.fill_rectangle(*area, static_cast<char32_t>(character));
      break;
    }
    case 'z': case '{':
      if (area) screen.erase_rectangle(*area, s.final_byte == '{');
      break;
    default: break;
  }
}

void Interpreter::mark_rectangle(const ControlSequence& s, bool reverse) {
  const AttributeChange change = rectangle_change(s, reverse);
  if (const auto area = rectangle(s, 0)) {
    screen.change_attributes(*area, change.clear, change.set, change.flip);
    return;
  }
  // In a stream the last row may end to the left of where the first one began.
  ControlSequence corners = s;
  if (screen.modes.change_extent_rectangle || s.at(2, screen.rows()) <= s.at(0, 1)) return;
  std::swap(corners.argument[1], corners.argument[3]);
  if (auto area = rectangle(corners, 0)) {
    std::swap(area->left, area->right);
    area->left -= 1;
    area->right += 1;
    screen.change_attributes(*area, change.clear, change.set, change.flip);
  }
}

void Interpreter::set_cursor_style(int style) {
  if (style > 6) return;
  cursor_blink = style == 0 || style % 2 == 1;
  cursor_shape = style < 3 ? CursorShape::block : style < 5 ? CursorShape::underline : CursorShape::bar;
}

// The operations of `CSI t` that tell nothing but sizes, and those that the user permits.
void Interpreter::window_operation(const ControlSequence& s) {
  const auto sizes = [&](int code, int height, int width) {
    reply("\x1b[" + std::to_string(code) + ";" + std::to_string(height) + ";" + std::to_string(width) + "t");
  };
  const int rows = screen.rows(), columns = screen.columns();
  switch (s.at(0, 0)) {
    case 8:
      if (may_resize) wanted_size = {s.at(1, rows), s.at(2, columns)};
      break;
    case 11: reply("\x1b[1t"); break;
    case 14: sizes(4, rows * cell_pixels.height, columns * cell_pixels.width); break;
    case 16: sizes(6, cell_pixels.height, cell_pixels.width); break;
    case 18: sizes(8, rows, columns); break;
    case 19: sizes(9, rows, columns); break;
    case 22:
      if (s.at(1, 0) == 1) break;
      if (titles_.size() == kMaxTitles) titles_.erase(titles_.begin());
      titles_.push_back(title);
      break;
    case 23:
      if (s.at(1, 0) == 1 || titles_.empty()) break;
      title = titles_.back();
      titles_.pop_back();
      break;
    default: break;
  }
}

// The pen's index into the extras follows the link and the colour of the underline.
void Interpreter::refresh_pen() {
  if (link_.empty() && screen.pen_underline == Color{}) {
    screen.pen.extra = 0;
    return;
  }
  const CellExtra extra{.link = link_, .link_id = link_id_, .underline = screen.pen_underline};
  screen.pen.extra = extras.find_or_add(extra);
  // A look at every cell is not for each of a flood of new links.
  constexpr unsigned kTriesBetweenSearches = 1024;
  if (screen.pen.extra == 0 && extras.full() && full_tries_++ % kTriesBetweenSearches == 0) {
    free_extras();
    screen.pen.extra = extras.find_or_add(extra);
  }
}

void Interpreter::free_extras() {
  std::vector<bool> used(CellExtras::kMaxEntries, false);
  for (const ScreenBuffer* buffer : {&screen.main_buffer(), &screen.alternate_buffer()}) {
    for (auto line = buffer->first_line(); line < buffer->end_line(); ++line) {
      for (const Cell& cell : buffer->line(line).cells) used[cell.extra] = true;
    }
  }
  extras.keep(used);
}

void Interpreter::on_vt52(char final_byte, int row, int column) {
  switch (final_byte) {
    case 'A': screen.up(1); break;
    case 'B': screen.down(1); break;
    case 'C': screen.forward(1); break;
    case 'D': screen.back(1); break;
    case 'F': screen.charsets.designated[0] = Charset::special_graphics; break;
    case 'G': screen.charsets.designated[0] = Charset::ascii; break;
    case 'H': screen.move_to(0, 0); break;
    case 'I': screen.reverse_index(); break;
    case 'J': screen.erase_in_display(0, false); break;
    case 'K': screen.erase_in_line(0, false); break;
    case 'Y':
      if (row >= 0 && row < screen.rows()) screen.move_to_row(row);
      if (column >= 0 && column < screen.columns()) screen.move_to_column(column);
      break;
    case 'Z': reply("\x1b/Z"); break;
    case '=': input.application_keypad = true; break;
    case '>': input.application_keypad = false; break;
    case '<':
      input.vt52 = false;
      screen.charsets = {};
      parser_.set_vt52(false);
      break;
    default: break;
  }
}

}  // namespace tuxarium::vt
