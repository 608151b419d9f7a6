#include "screen.hpp"

#include <algorithm>
#include <string>

#include "character_width.hpp"

namespace tuxarium::vt {
namespace {

constexpr int kTabWidth = 8;

}  // namespace

Screen::Screen(int rows, int columns, std::size_t max_scrollback)
    : main_{rows, columns, max_scrollback}, alternate_{rows, columns, 0} {
  set_standard_tabs();
  reset_margins();
}

void Screen::reset_margins() {
  top_ = left_ = 0;
  bottom_ = rows() - 1;
  right_ = columns() - 1;
}

void Screen::set_standard_tabs() {
  tabs_.assign(static_cast<std::size_t>(columns()), false);
  for (std::size_t c = kTabWidth; c < tabs_.size(); c += kTabWidth) tabs_[c] = true;
}

void Screen::resize(int rows, int columns) {
  const bool reflow = modes.autowrap;
  const ScreenBuffer::Place cursor{row_, column_};
  const auto old_columns = tabs_.size();
  // The screen that is not in view keeps its own saved cursor in place.
  const ScreenBuffer::Place hidden{saved_[0].row, saved_[0].column};
  const auto main_place = main_.resize(rows, columns, alternate_active_ ? hidden : cursor, reflow);
  const auto alternate_place = alternate_.resize(rows, columns, alternate_active_ ? cursor : ScreenBuffer::Place{rows - 1, 0}, false);
  if (alternate_active_) {
    saved_[0].row = main_place.row;
    saved_[0].column = main_place.column;
    saved_[0].wrap_pending = false;
  }
  const auto now = alternate_active_ ? alternate_place : main_place;
  row_ = std::clamp(now.row, 0, rows - 1);
  column_ = std::clamp(now.column, 0, columns - 1);
  wrap_pending_ = false;
  reset_margins();
  tabs_.resize(static_cast<std::size_t>(columns));
  for (std::size_t c = old_columns; c < tabs_.size(); ++c) tabs_[c] = c % kTabWidth == 0;
}

void Screen::soft_reset() {
  modes = {};
  pen = {};
  pen_underline = {};
  charsets = {};
  reset_margins();
  saved_[alternate_active_ ? 1 : 0] = {};
  wrap_pending_ = false;
}

void Screen::reset() {
  use_alternate(false);
  soft_reset();
  saved_ = {};
  set_standard_tabs();
  row_ = column_ = 0;
  last_character_ = 0;
  alternate_.erase({0, rows(), 0, columns()}, {}, false);
  main_.erase({0, rows(), 0, columns()}, {}, false);
  for (int r = 0; r < rows(); ++r) main_.change_row(r).size = LineSize::single;
}

// --- text

int Screen::last_column() const {
  const int columns = this->columns();
  return buffer().screen_row(row_).size == LineSize::single ? columns - 1 : std::max(columns / 2 - 1, 0);
}

int Screen::right_limit() const {
  const int last = last_column();
  return column_ <= right() ? std::min(right(), last) : last;
}

void Screen::wrap() {
  wrap_pending_ = false;
  const bool whole_line = !modes.left_right_margins;
  column_ = column_ >= left() ? left() : 0;
  index();
  if (whole_line) buffer().change_row(row_).continues_previous = true;
}

void Screen::write_ascii(std::string_view text) {
  const bool plain = !modes.insert && charsets.single_shift < 0 && charsets.designated[charsets.left] == Charset::ascii;
  if (!plain) {
    for (const char c : text) {
      const int shift = charsets.single_shift;
      charsets.single_shift = -1;
      write_wide_aware(translate(charsets.designated[shift >= 0 ? static_cast<std::size_t>(shift) : charsets.left],
                                 static_cast<unsigned char>(c)), 1);
    }
    return;
  }
  last_character_ = static_cast<unsigned char>(text.back());
  while (!text.empty()) {
    if (wrap_pending_ && modes.autowrap) wrap();
    const int limit = right_limit();
    if (column_ > limit) column_ = limit;
    const auto room = static_cast<std::size_t>(limit - column_ + 1);
    // Without wrapping, all that does not fit ends in the last column, one over the other.
    if (text.size() > room && !modes.autowrap) {
      buffer().put_ascii(row_, column_, text.substr(0, room), pen);
      buffer().put_ascii(row_, limit, text.substr(text.size() - 1), pen);
      column_ = limit;
      wrap_pending_ = true;
      return;
    }
    const std::size_t count = std::min(text.size(), room);
    buffer().put_ascii(row_, column_, text.substr(0, count), pen);
    column_ += static_cast<int>(count);
    wrap_pending_ = column_ > limit;
    if (wrap_pending_) column_ = limit;
    text.remove_prefix(count);
  }
}

void Screen::write(char32_t character) {
  const int width = character_width(character);
  if (width == 0) {
    // The character before: in the last column while a wrap is due, else to the left.
    if (wrap_pending_) {
      buffer().add_mark(row_, column_, character);
    } else if (column_ > 0) {
      buffer().add_mark(row_, column_ - 1, character);
    }
    return;
  }
  charsets.single_shift = -1;
  write_wide_aware(character, width);
}

void Screen::write_wide_aware(char32_t character, int width) {
  if (wrap_pending_ && modes.autowrap) wrap();
  int limit = right_limit();
  if (column_ > limit) column_ = limit;
  if (width == 2 && column_ + 1 > limit) {
    if (limit - left() < 1) return;
    if (modes.autowrap) {
      wrap();
      limit = right_limit();
    } else {
      column_ = limit - 1;
    }
    if (column_ + 1 > limit) return;
  }
  if (modes.insert) buffer().scroll({row_, row_ + 1, column_, limit + 1}, 0, -width, pen.background);
  Cell cell = pen;
  cell.code_point = character;
  cell.width = static_cast<std::uint8_t>(width);
  buffer().put(row_, column_, cell);
  column_ += width;
  wrap_pending_ = column_ > limit;
  if (wrap_pending_) column_ = limit;
  last_character_ = character;
}

void Screen::repeat_last(int count) {
  const char32_t character = last_character_;
  if (character == 0) return;
  const int width = character_width(character);
  for (int i = std::min(count, rows() * columns()); i > 0; --i) write_wide_aware(character, width);
}

// --- format effectors

void Screen::backspace() { back(1); }

void Screen::tab(int count) {
  const int limit = right_limit();
  for (; count > 0 && column_ < limit; --count) {
    do ++column_;
    while (column_ < limit && !tabs_[static_cast<std::size_t>(column_)]);
  }
}

void Screen::back_tab(int count) {
  const int limit = modes.origin ? left() : 0;
  for (; count > 0 && column_ > limit; --count) {
    do --column_;
    while (column_ > limit && !tabs_[static_cast<std::size_t>(column_)]);
  }
  wrap_pending_ = false;
}

void Screen::carriage_return() {
  column_ = modes.origin || column_ >= left() ? left() : 0;
  wrap_pending_ = false;
}

void Screen::line_feed() {
  index();
  if (modes.newline) carriage_return();
}

void Screen::index() {
  wrap_pending_ = false;
  if (row_ == bottom_) {
    if (in_column_margins()) scroll_region(1);
  } else if (row_ < rows() - 1) {
    ++row_;
    column_ = std::min(column_, last_column());
  }
}

void Screen::reverse_index() {
  wrap_pending_ = false;
  if (row_ == top_) {
    if (in_column_margins()) scroll_region(-1);
  } else if (row_ > 0) {
    --row_;
    column_ = std::min(column_, last_column());
  }
}

void Screen::set_tab() { tabs_[static_cast<std::size_t>(column_)] = true; }
void Screen::clear_tab() { tabs_[static_cast<std::size_t>(column_)] = false; }
void Screen::clear_all_tabs() { tabs_.assign(tabs_.size(), false); }

// --- cursor

void Screen::place(int row, int column) {
  row_ = std::clamp(row, 0, rows() - 1);
  column_ = std::clamp(column, 0, last_column());
  wrap_pending_ = false;
}

void Screen::up(int count) { place(std::max(row_ - count, row_ >= top_ ? top_ : 0), column_); }
void Screen::down(int count) { place(std::min(row_ + count, row_ <= bottom_ ? bottom_ : rows() - 1), column_); }
void Screen::forward(int count) { place(row_, std::min(column_ + count, right_limit())); }

void Screen::back(int count) {
  const bool reverse = modes.autowrap && (modes.reverse_wrap || modes.reverse_wrap_all);
  if (reverse && wrap_pending_) --count;
  wrap_pending_ = false;
  count = std::min(count, rows() * columns());
  while (count > 0) {
    const int limit = column_ >= left() ? left() : 0;
    const int step = std::min(count, column_ - limit);
    column_ -= step;
    count -= step;
    if (count == 0 || !reverse) return;
    if (!modes.reverse_wrap_all && (row_ == top_ || !buffer().screen_row(row_).continues_previous)) return;
    row_ = row_ == top_ ? bottom_ : std::max(row_ - 1, 0);
    column_ = right();
    --count;
  }
}

void Screen::move_to(int row, int column) {
  if (modes.origin) {
    place(std::min(row + top_, bottom_), std::min(column + left(), right()));
  } else {
    place(row, column);
  }
}

void Screen::move_to_row(int row) { place(modes.origin ? std::min(row + top_, bottom_) : row, column_); }
void Screen::move_to_column(int column) { place(row_, modes.origin ? std::min(column + left(), right()) : column); }

void Screen::move_by(int rows, int columns) {
  if (rows != 0) place(modes.origin ? std::min(row_ + rows, bottom_) : row_ + rows, column_);
  if (columns != 0) place(row_, modes.origin ? std::min(column_ + columns, right()) : column_ + columns);
}

void Screen::save_cursor() {
  saved_[alternate_active_ ? 1 : 0] = {row_, column_, wrap_pending_, modes.origin, pen, pen_underline, charsets};
}

void Screen::restore_cursor() {
  const Saved& saved = saved_[alternate_active_ ? 1 : 0];
  pen = saved.pen;
  pen_underline = saved.pen_underline;
  charsets = saved.charsets;
  modes.origin = saved.origin;
  place(saved.row, saved.column);
  wrap_pending_ = saved.wrap_pending && column_ == right_limit();
}

// --- margins

void Screen::set_top_bottom(int top, int bottom) {
  bottom = std::min(bottom, rows() - 1);
  if (top < 0 || top >= bottom) return;
  top_ = top;
  bottom_ = bottom;
  move_to(0, 0);
}

void Screen::set_left_right(int left, int right) {
  right = std::min(right, columns() - 1);
  if (left < 0 || left >= right) return;
  left_ = left;
  right_ = right;
  move_to(0, 0);
}

void Screen::enable_left_right(bool on) {
  modes.left_right_margins = on;
  left_ = 0;
  right_ = columns() - 1;
  if (!on) return;
  for (int r = 0; r < rows(); ++r) buffer().change_row(r).size = LineSize::single;
}

// --- erasing and moving

void Screen::erase_in_display(int what, bool selective) {
  switch (what) {
    case 0:
      erase_in_line(0, selective);
      erase({row_ + 1, rows(), 0, columns()}, selective);
      break;
    case 1:
      erase({0, row_, 0, columns()}, selective);
      erase_in_line(1, selective);
      break;
    case 2: erase({0, rows(), 0, columns()}, selective); break;
    default: break;
  }
  if (selective || what > 2) return;
  for (int r = what == 0 ? row_ + 1 : 0; r < (what == 1 ? row_ : rows()); ++r) buffer().change_row(r).size = LineSize::single;
}

void Screen::erase_in_line(int what, bool selective) {
  switch (what) {
    case 0:
      erase({row_, row_ + 1, column_, columns()}, selective);
      wrap_pending_ = false;
      break;
    case 1: erase({row_, row_ + 1, 0, column_ + 1}, selective); break;
    case 2: erase({row_, row_ + 1, 0, columns()}, selective); break;
    default: break;
  }
}

void Screen::erase_characters(int count) {
  erase({row_, row_ + 1, column_, std::min(column_ + std::min(count, columns()), columns())}, false);
  wrap_pending_ = false;
}

void Screen::insert_characters(int count) {
  wrap_pending_ = false;
  if (!in_column_margins()) return;
  buffer().scroll({row_, row_ + 1, column_, right() + 1}, 0, -std::min(count, columns()), pen.background);
}

void Screen::delete_characters(int count) {
  wrap_pending_ = false;
  if (!in_column_margins()) return;
  buffer().scroll({row_, row_ + 1, column_, right() + 1}, 0, std::min(count, columns()), pen.background);
}

void Screen::insert_lines(int count) {
  if (!in_row_margins() || !in_column_margins()) return;
  buffer().scroll({row_, bottom_ + 1, left(), right() + 1}, -std::min(count, rows()), 0, pen.background);
  column_ = left();
  wrap_pending_ = false;
}

void Screen::delete_lines(int count) {
  if (!in_row_margins() || !in_column_margins()) return;
  buffer().scroll({row_, bottom_ + 1, left(), right() + 1}, std::min(count, rows()), 0, pen.background);
  column_ = left();
  wrap_pending_ = false;
}

// Lines that leave a region at the top of the main screen go into the scrollback.
void Screen::scroll_region(int up) {
  ScreenBuffer& screen = buffer();
  const bool whole_width = left() == 0 && right() == columns() - 1;
  if (up > 0 && !alternate_active_ && top_ == 0 && whole_width) {
    const int lines = std::min(up, bottom_ + 1);
    screen.push_lines(lines, pen.background);
    if (bottom_ + 1 < rows()) screen.scroll({bottom_ + 1 - lines, rows(), 0, columns()}, -lines, 0, pen.background);
  } else {
    screen.scroll({top_, bottom_ + 1, left(), right() + 1}, std::clamp(up, -rows(), rows()), 0, pen.background);
  }
}

void Screen::scroll_up(int count) { scroll_region(count); }
void Screen::scroll_down(int count) { scroll_region(-count); }

void Screen::scroll_left(int count) {
  if (!in_row_margins() || !in_column_margins()) return;
  buffer().scroll({top_, bottom_ + 1, left(), right() + 1}, 0, std::min(count, columns()), pen.background);
}

void Screen::scroll_right(int count) {
  if (!in_row_margins() || !in_column_margins()) return;
  buffer().scroll({top_, bottom_ + 1, left(), right() + 1}, 0, -std::min(count, columns()), pen.background);
}

void Screen::insert_columns(int count) {
  if (!in_row_margins() || !in_column_margins()) return;
  buffer().scroll({top_, bottom_ + 1, column_, right() + 1}, 0, -std::min(count, columns()), pen.background);
}

void Screen::delete_columns(int count) {
  if (!in_row_margins() || !in_column_margins()) return;
  buffer().scroll({top_, bottom_ + 1, column_, right() + 1}, 0, std::min(count, columns()), pen.background);
}

void Screen::back_index() {
  if (column_ == left() && in_row_margins()) {
    scroll_right(1);
  } else if (column_ > 0) {
    place(row_, column_ - 1);
  }
}

void Screen::forward_index() {
  if (column_ == right() && in_row_margins()) {
    scroll_left(1);
  } else {
    place(row_, column_ + 1);
  }
}

void Screen::alignment_pattern() {
  reset_margins();
  modes.origin = false;
  buffer().erase({0, rows(), 0, columns()}, {}, false);
  const std::string line(static_cast<std::size_t>(columns()), 'E');
  for (int r = 0; r < rows(); ++r) {
    buffer().put_ascii(r, 0, line, {});
    buffer().change_row(r).size = LineSize::single;
  }
  place(0, 0);
}

void Screen::set_line_size(LineSize size) {
  if (modes.left_right_margins) return;
  Row& row = buffer().change_row(row_);
  if (row.size == LineSize::single && size != LineSize::single) {
    buffer().erase({row_, row_ + 1, columns() / 2, columns()}, pen.background, false);
  }
  row.size = size;
  column_ = std::min(column_, last_column());
}

// --- rectangles

void Screen::erase_rectangle(Area area, bool selective) { buffer().erase(area, pen.background, selective); }

void Screen::fill_rectangle(Area area, char32_t character) {
  Cell cell = pen;
  cell.code_point = character;
  for (int r = area.top; r < area.bottom; ++r) {
    for (int c = area.left; c < area.right; ++c) buffer().put(r, c, cell);
  }
}

void Screen::copy_rectangle(Area area, int row, int column) {
  area.bottom = std::min(area.bottom, area.top + rows() - row);
  area.right = std::min(area.right, area.left + columns() - column);
  std::vector<Cell> cells;
  for (int r = area.top; r < area.bottom; ++r) {
    const auto& source = buffer().screen_row(r).cells;
    cells.insert(cells.end(), source.begin() + area.left, source.begin() + std::max(area.left, area.right));
  }
  auto next = cells.begin();
  for (int r = area.top; r < area.bottom; ++r) {
    for (int c = area.left; c < area.right; ++c, ++next) {
      Cell cell = *next;
      cell.attributes &= static_cast<std::uint16_t>(~attribute::has_marks);
      if (cell.width == 0) continue;
      if (cell.width == 2 && c + 1 >= area.right) cell = Cell{};
      buffer().put(row + r - area.top, column + c - area.left, cell);
    }
  }
}

void Screen::change_attributes(Area area, std::uint16_t clear, std::uint16_t set, std::uint16_t flip) {
  for (int r = area.top; r < area.bottom; ++r) {
    const bool stream = !modes.change_extent_rectangle;
    const int from = stream && r > area.top ? left() : area.left;
    const int to = stream && r + 1 < area.bottom ? right() + 1 : area.right;
    for (int c = from; c < to; ++c) {
      Cell& cell = buffer().change_cell(r, c);
      if (stream && cell.code_point == 0 && cell.width != 0) continue;
      cell.attributes = static_cast<std::uint16_t>(((cell.attributes & ~clear) | set) ^ flip);
    }
  }
}

// The characters and their attributes, summed up and negated. Blanks count as spaces, except that a cell never written counts nothing.
std::uint16_t Screen::checksum(Area area) const {
  unsigned sum = 0;
  for (int r = area.top; r < area.bottom; ++r) {
    const Row& row = buffer().screen_row(r);
    for (int c = area.left; c < area.right; ++c) {
      const Cell& cell = row.cells[static_cast<std::size_t>(c)];
      if (cell.code_point == 0) continue;
      sum += static_cast<unsigned>(cell.code_point);
      if ((cell.attributes & attribute::guarded) != 0) sum += 0x04;
      if ((cell.attributes & attribute::conceal) != 0) sum += 0x08;
      if (cell.underline() != Underline::none) sum += 0x10;
      if ((cell.attributes & attribute::reverse) != 0) sum += 0x20;
      if ((cell.attributes & attribute::blink) != 0) sum += 0x40;
      if ((cell.attributes & attribute::bold) != 0) sum += 0x80;
    }
  }
  return static_cast<std::uint16_t>(0u - sum);
}

// --- the two screens

void Screen::use_alternate(bool on) {
  if (on == alternate_active_) return;
  alternate_active_ = on;
  column_ = std::min(column_, last_column());
}

void Screen::clear_alternate() {
  alternate_.erase({0, rows(), 0, columns()}, pen.background, false);
}

}  // namespace tuxarium::vt
