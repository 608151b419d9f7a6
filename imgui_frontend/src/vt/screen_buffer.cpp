#include "screen_buffer.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>

#include "reflow.hpp"

namespace tuxarium::vt {
namespace {

void drop_marks(Row& row, std::size_t from, std::size_t to) {
  if (row.marks.empty()) return;
  std::erase_if(row.marks, [=](const CellMarks& m) { return m.column >= from && m.column < to; });
}

Cell blank_cell(Color background) {
  Cell cell;
  cell.background = background;
  return cell;
}

// Half a wide character, left alone, is a blank.
void orphan(Cell& cell) { cell = blank_cell(cell.background); }

}  // namespace

const CellMarks* Row::marks_at(std::size_t column) const {
  const auto found = std::find_if(marks.begin(), marks.end(), [column](const CellMarks& m) { return m.column == column; });
  return found == marks.end() ? nullptr : &*found;
}

ScreenBuffer::ScreenBuffer(int rows, int columns, std::size_t max_scrollback)
    : rows_{rows}, columns_{columns}, max_scrollback_{max_scrollback} {
  for (int i = 0; i < rows; ++i) append_blank_row({});
}

Row& ScreenBuffer::change_row(int row) {
  assert(row >= 0 && row < rows_);
  Row& found = ring_[slot(scrollback() + static_cast<std::size_t>(row))];
  found.generation = ++generation_;
  return found;
}

Cell& ScreenBuffer::change_cell(int row, int column) {
  Row& changed = change_row(row);
  const auto at = static_cast<std::size_t>(column);
  changed.used = std::max(changed.used, at + 1);
  return changed.cells[at];
}

// The cells in [from, to) are about to change: a wide character that loses one half is gone.
void ScreenBuffer::cut_wide(Row& row, std::size_t from, std::size_t to) {
  if (from > 0 && from < row.cells.size() && row.cells[from].width == 0) {
    orphan(row.cells[from - 1]);
    drop_marks(row, from - 1, from);
  }
  if (to < row.cells.size() && row.cells[to].width == 0) orphan(row.cells[to]);
}

void ScreenBuffer::put(int row, int column, const Cell& cell) {
  if (row < 0 || row >= rows_ || column < 0 || column >= columns_) return;
  Row& target = change_row(row);
  const auto at = static_cast<std::size_t>(column);
  const std::size_t width = cell.width == 2 && column + 1 < columns_ ? 2 : 1;
  cut_wide(target, at, at + width);
  drop_marks(target, at, at + width);
  target.cells[at] = cell;
  target.cells[at].width = static_cast<std::uint8_t>(width);
  if (width == 2) {
    target.cells[at + 1] = cell;
    target.cells[at + 1].code_point = 0;
    target.cells[at + 1].width = 0;
  }
  target.used = std::max(target.used, at + width);
}

void ScreenBuffer::put_ascii(int row, int column, std::string_view text, const Cell& pen) {
  Row& target = change_row(row);
  const auto from = static_cast<std::size_t>(column), to = from + text.size();
  assert(to <= target.cells.size());
  cut_wide(target, from, to);
  drop_marks(target, from, to);
  Cell cell = pen;
  Cell* out = target.cells.data() + from;
  for (const char c : text) {
    cell.code_point = static_cast<unsigned char>(c);
    *out++ = cell;
  }
  target.used = std::max(target.used, to);
}

void ScreenBuffer::add_mark(int row, int column, char32_t mark) {
  if (row < 0 || row >= rows_ || column < 0 || column >= columns_) return;
  Row& target = change_row(row);
  auto at = static_cast<std::size_t>(column);
  if (target.cells[at].width == 0 && at > 0) --at;
  Cell& cell = target.cells[at];
  if (cell.code_point == 0) return;
  auto entry = std::find_if(target.marks.begin(), target.marks.end(), [at](const CellMarks& m) { return m.column == at; });
  if (entry == target.marks.end()) entry = target.marks.insert(entry, CellMarks{at, {}});
  const auto place = std::find(entry->code_points.begin(), entry->code_points.end(), U'\0');
  if (place != entry->code_points.end()) *place = mark;
  cell.attributes |= attribute::has_marks;
}

Area ScreenBuffer::inside(Area area) const {
  return {std::max(area.top, 0), std::min(area.bottom, rows_), std::max(area.left, 0), std::min(area.right, columns_)};
}

void ScreenBuffer::erase(Area area, Color background, bool spare_guarded) {
  area = inside(area);
  if (area.left >= area.right) return;
  const auto left = static_cast<std::size_t>(area.left), right = static_cast<std::size_t>(area.right);
  const Cell blank = blank_cell(background);
  for (int r = area.top; r < area.bottom; ++r) {
    Row& row = change_row(r);
    if (left == 0) row.continues_previous = false;
    if (area.right == columns_ && r + 1 < rows_) change_row(r + 1).continues_previous = false;
    if (spare_guarded) {
      for (std::size_t c = left; c < right; ++c) {
        if ((row.cells[c].attributes & attribute::guarded) != 0) continue;
        cut_wide(row, c, c + 1);
        drop_marks(row, c, c + 1);
        row.cells[c] = blank;
      }
      row.used = std::max(row.used, right);
      continue;
    }
    cut_wide(row, left, right);
    drop_marks(row, left, right);
    const bool standard = background == Color{};
    if (standard && right >= row.used) {
      if (left < row.used) std::fill(row.cells.begin() + area.left, row.cells.begin() + static_cast<std::ptrdiff_t>(row.used), blank);
      row.used = std::min(row.used, left);
    } else {
      std::fill(row.cells.begin() + area.left, row.cells.begin() + area.right, blank);
      row.used = std::max(row.used, right);
    }
  }
}

// The cells of `area` in one row come from another row, or the same, `left` columns to the right of their new place.
void ScreenBuffer::move_cells(const Row& from, Row& to, Area area, int left) {
  const auto low = area.left + std::max(-left, 0), high = area.right - std::max(left, 0);
  std::vector<CellMarks> moved;
  for (CellMarks m : from.marks) {
    const int column = static_cast<int>(m.column) - left;
    if (column < low || column >= high) continue;
    m.column = static_cast<std::size_t>(column);
    moved.push_back(m);
  }
  cut_wide(to, static_cast<std::size_t>(area.left), static_cast<std::size_t>(area.right));
  drop_marks(to, static_cast<std::size_t>(area.left), static_cast<std::size_t>(area.right));
  to.marks.insert(to.marks.end(), moved.begin(), moved.end());
  const auto source = from.cells.begin() + low + left;
  if (left >= 0) {
    std::copy(source, source + (high - low), to.cells.begin() + low);
  } else {
    std::copy_backward(source, source + (high - low), to.cells.begin() + high);
  }
  // Characters that were cut at an edge of what moved.
  if (to.cells[static_cast<std::size_t>(low)].width == 0) orphan(to.cells[static_cast<std::size_t>(low)]);
  if (to.cells[static_cast<std::size_t>(high - 1)].width == 2) orphan(to.cells[static_cast<std::size_t>(high - 1)]);
  to.used = std::max(to.used, static_cast<std::size_t>(high));
}

void ScreenBuffer::scroll(Area area, int up, int left, Color background) {
  area = inside(area);
  const int height = area.bottom - area.top;
  const int width = area.right - area.left;
  if (height <= 0 || width <= 0) return;
  if (std::abs(up) >= height || std::abs(left) >= width) {
    erase(area, background, false);
    return;
  }
  const bool whole_rows = left == 0 && area.left == 0 && area.right == columns_;
  const int first = up >= 0 ? area.top : area.bottom - 1;
  const int step = up >= 0 ? 1 : -1;
  for (int r = first; r + up >= area.top && r + up < area.bottom; r += step) {
    Row& to = change_row(r);
    Row& from = change_row(r + up);
    if (whole_rows) {
      std::swap(to, from);
    } else {
      move_cells(from, to, area, left);
    }
  }
  if (whole_rows && up != 0) {
    // What stood above the area, or in its first row, is no longer what the text ran on from.
    change_row(area.top).continues_previous = false;
    if (area.bottom < rows_) change_row(area.bottom).continues_previous = false;
    for (int r = up > 0 ? area.bottom - up : area.top; r < (up > 0 ? area.bottom : area.top - up); ++r) blank(change_row(r), background);
    return;
  }
  if (up > 0) erase({area.bottom - up, area.bottom, area.left, area.right}, background, false);
  if (up < 0) erase({area.top, area.top - up, area.left, area.right}, background, false);
  if (left > 0) erase({area.top, area.bottom, area.right - left, area.right}, background, false);
  if (left < 0) erase({area.top, area.bottom, area.left, area.left - left}, background, false);
}

void ScreenBuffer::blank(Row& row, Color background) {
  const auto columns = static_cast<std::size_t>(columns_);
  if (row.cells.size() != columns || background != Color{}) {
    row.cells.assign(columns, blank_cell(background));
    row.used = background == Color{} ? 0 : columns;
  } else {
    std::fill_n(row.cells.begin(), row.used, Cell{});
    row.used = 0;
  }
  row.marks.clear();
  row.continues_previous = false;
  row.size = LineSize::single;
  row.generation = ++generation_;
}

void ScreenBuffer::append_blank_row(Color background) {
  const std::size_t capacity = max_scrollback_ + static_cast<std::size_t>(rows_);
  if (ring_.size() == capacity) {
    blank(ring_[start_], background);
    start_ = start_ + 1 == ring_.size() ? 0 : start_ + 1;
    ++first_line_;
    // The cells of a long scrollback are not in the processor's caches; those of the rows to come are asked for early.
    constexpr std::size_t kAhead = 3;
    const std::size_t next = start_ + kAhead < ring_.size() ? start_ + kAhead : 0;
    __builtin_prefetch(ring_[next].cells.data(), 1);
    return;
  }
  if (start_ != 0) straighten();
  ring_.emplace_back();
  blank(ring_.back(), background);
}

void ScreenBuffer::push_lines(int count, Color background) {
  for (int i = 0; i < count; ++i) append_blank_row(background);
}

void ScreenBuffer::straighten() {
  std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(start_), ring_.end());
  start_ = 0;
}

void ScreenBuffer::clear_scrollback() {
  straighten();
  const std::size_t lines = scrollback();
  first_line_ += lines;
  ring_.erase(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(lines));
  ++generation_;
}

ScreenBuffer::Place ScreenBuffer::resize(int rows, int columns, Place cursor, bool reflow) {
  straighten();
  const std::uint64_t old_end = end_line();
  const bool rebroken = columns != columns_;
  ReflowMarks marks;
  marks.screen_top = scrollback();
  marks.cursor_line = marks.screen_top + static_cast<std::size_t>(std::clamp(cursor.row, 0, rows_ - 1));
  marks.cursor_column = static_cast<std::size_t>(std::clamp(cursor.column, 0, columns_ - 1));
  // Blank rows below the cursor are no content.
  while (ring_.size() > marks.cursor_line + 1 && ring_.back().used == 0) ring_.pop_back();
  if (rebroken && reflow) {
    break_lines_anew(ring_, static_cast<std::size_t>(columns), marks);
  } else if (rebroken) {
    for (Row& row : ring_) set_row_width(row, static_cast<std::size_t>(columns));
    marks.cursor_column = std::min(marks.cursor_column, static_cast<std::size_t>(columns - 1));
  }
  const auto height = static_cast<std::size_t>(rows);
  std::size_t top = marks.screen_top;
  if (rows > rows_) top -= std::min(top, static_cast<std::size_t>(rows - rows_));
  if (ring_.size() > top + height) top = ring_.size() - height;
  top = std::min(top, marks.cursor_line);
  columns_ = columns;
  rows_ = rows;
  ring_.resize(top + height);
  for (Row& row : ring_) {
    if (row.cells.empty()) blank(row, {});
    if (rebroken) row.generation = ++generation_;
  }
  if (top > max_scrollback_) {
    const std::size_t excess = top - max_scrollback_;
    ring_.erase(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(excess));
    first_line_ += excess;
    marks.cursor_line -= excess;
    top -= excess;
  }
  // Lines that were broken anew are other lines.
  if (rebroken && reflow) first_line_ = old_end;
  ++generation_;
  return {static_cast<int>(marks.cursor_line - top), static_cast<int>(marks.cursor_column)};
}

}  // namespace tuxarium::vt
