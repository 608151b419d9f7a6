#include "screen_buffer.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>

namespace tuxarium::vt {
namespace {

void drop_marks(Row& row, std::size_t column) {
  std::erase_if(row.marks, [column](const CellMarks& m) { return m.column == column; });
}

Cell blank_cell(Color background) {
  Cell cell;
  cell.background = background;
  return cell;
}

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

void ScreenBuffer::put(int row, int column, const Cell& cell, const char32_t* marks, std::size_t mark_count) {
  if (row < 0 || row >= rows_ || column < 0 || column >= columns_) return;
  Row& target = change_row(row);
  const auto at = static_cast<std::size_t>(column);
  const std::size_t width = cell.width == 2 && column + 1 < columns_ ? 2 : 1;
  // A wide character that loses one half is gone.
  if (target.cells[at].width == 0 && at > 0) target.cells[at - 1] = blank_cell(target.cells[at - 1].background);
  const std::size_t after = at + width;
  if (after < target.cells.size() && target.cells[after].width == 0) target.cells[after] = blank_cell(target.cells[after].background);
  if (!target.marks.empty()) {
    drop_marks(target, at);
    if (width == 2) drop_marks(target, at + 1);
  }
  target.cells[at] = cell;
  target.cells[at].width = static_cast<std::uint8_t>(width);
  if (width == 2) {
    target.cells[at + 1] = blank_cell(cell.background);
    target.cells[at + 1].width = 0;
    target.cells[at + 1].attributes = cell.attributes;
  }
  if (mark_count > 0) {
    target.cells[at].attributes |= attribute::has_marks;
    CellMarks entry{at, {}};
    std::copy_n(marks, std::min(mark_count, CellMarks::kMax), entry.code_points.begin());
    target.marks.push_back(entry);
  }
}

void ScreenBuffer::erase(Area area, Color background, bool spare_guarded) {
  const int right = std::min(area.right, columns_);
  const int left = std::max(area.left, 0);
  for (int r = std::max(area.top, 0); r < std::min(area.bottom, rows_); ++r) {
    Row& row = change_row(r);
    if (left == 0) row.continues_previous = false;
    for (auto c = static_cast<std::size_t>(left); c < static_cast<std::size_t>(std::max(right, left)); ++c) {
      if (spare_guarded && (row.cells[c].attributes & attribute::guarded) != 0) continue;
      if (row.cells[c].width == 0 && c > 0) row.cells[c - 1].width = 1;
      row.cells[c] = blank_cell(background);
      if (!row.marks.empty()) drop_marks(row, c);
    }
    const auto after = static_cast<std::size_t>(std::max(right, left));
    if (after < row.cells.size() && row.cells[after].width == 0) row.cells[after] = blank_cell(row.cells[after].background);
  }
}

void ScreenBuffer::scroll(Area area, int up, int left, Color background) {
  area = {std::max(area.top, 0), std::min(area.bottom, rows_), std::max(area.left, 0), std::min(area.right, columns_)};
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
      continue;
    }
    const auto low = static_cast<std::ptrdiff_t>(area.left + std::max(-left, 0));
    const auto high = static_cast<std::ptrdiff_t>(area.right - std::max(left, 0));
    const auto source = from.cells.begin() + low + left;
    if (left >= 0) {
      std::copy(source, source + (high - low), to.cells.begin() + low);
    } else {
      std::copy_backward(source, source + (high - low), to.cells.begin() + high);
    }
    // Marks stay behind when only a part of a row moves.
    for (Cell& cell : to.cells) cell.attributes &= static_cast<std::uint16_t>(~attribute::has_marks);
    to.marks.clear();
  }
  if (up > 0) erase({area.bottom - up, area.bottom, area.left, area.right}, background, false);
  if (up < 0) erase({area.top, area.top - up, area.left, area.right}, background, false);
  if (left > 0) erase({area.top, area.bottom, area.right - left, area.right}, background, false);
  if (left < 0) erase({area.top, area.bottom, area.left, area.left - left}, background, false);
}

void ScreenBuffer::blank(Row& row, Color background) {
  row.cells.assign(static_cast<std::size_t>(columns_), blank_cell(background));
  row.marks.clear();
  row.continues_previous = false;
  row.generation = ++generation_;
}

void ScreenBuffer::append_blank_row(Color background) {
  const std::size_t capacity = max_scrollback_ + static_cast<std::size_t>(rows_);
  if (ring_.size() == capacity) {
    blank(ring_[start_], background);
    start_ = start_ + 1 == ring_.size() ? 0 : start_ + 1;
    ++first_line_;
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

int ScreenBuffer::resize(int rows, int columns, int cursor_row) {
  straighten();
  int moved = 0;
  columns_ = columns;
  if (rows < rows_) {
    const int below_cursor = rows_ - 1 - std::clamp(cursor_row, 0, rows_ - 1);
    const int cut = std::min(rows_ - rows, below_cursor);
    ring_.resize(ring_.size() - static_cast<std::size_t>(cut));
    moved = -(rows_ - rows - cut);
  } else {
    const int back = static_cast<int>(std::min<std::size_t>(scrollback(), static_cast<std::size_t>(rows - rows_)));
    ring_.resize(ring_.size() + static_cast<std::size_t>(rows - rows_ - back));
    moved = back;
  }
  rows_ = rows;
  const std::size_t capacity = max_scrollback_ + static_cast<std::size_t>(rows_);
  if (ring_.size() > capacity) {
    const std::size_t excess = ring_.size() - capacity;
    ring_.erase(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(excess));
    first_line_ += excess;
  }
  for (int r = 0; r < rows_; ++r) {
    Row& row = change_row(r);
    row.cells.resize(static_cast<std::size_t>(columns_));
    if (row.cells.back().width == 2) row.cells.back() = {};
    std::erase_if(row.marks, [&](const CellMarks& m) { return m.column >= row.cells.size(); });
  }
  return moved;
}

}  // namespace tuxarium::vt
