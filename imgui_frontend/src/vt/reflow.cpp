#include "reflow.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tuxarium::vt {
namespace {

// What of a row is content: up to its last cell that is not a plain blank.
std::size_t content_width(const Row& row) {
  std::size_t end = std::min(row.used, row.cells.size());
  while (end > 0 && row.cells[end - 1] == Cell{}) --end;
  return end;
}

// One logical line in its new rows.
class LineWriter {
 public:
  LineWriter(std::vector<Row>& rows, std::size_t columns) : rows_{rows}, columns_{columns} { begin_row(false); }

  void add(const Cell& cell, const CellMarks* marks) {
    if (cell.width == 0) return;  // comes with its left half
    const std::size_t width = cell.width == 2 && columns_ > 1 ? 2 : 1;
    if (column_ + width > columns_) begin_row(true);
    Row& row = rows_.back();
    row.cells[column_] = cell;
    row.cells[column_].width = static_cast<std::uint8_t>(width);
    if (marks != nullptr) {
      row.marks.push_back(*marks);
      row.marks.back().column = column_;
    }
    if (width == 2) {
      row.cells[column_ + 1] = cell;
      row.cells[column_ + 1].code_point = 0;
      row.cells[column_ + 1].width = 0;
    }
    column_ += width;
    row.used = column_;
  }

  // Where the next cell goes; a full row keeps it on its last column.
  std::pair<std::size_t, std::size_t> place() const { return {rows_.size() - 1, std::min(column_, columns_ - 1)}; }
  std::pair<std::size_t, std::size_t> place_of_next(std::size_t width) {
    if (column_ + width > columns_) begin_row(true);
    return place();
  }

 private:
  void begin_row(bool continues) {
    Row row;
    row.cells.resize(columns_);
    row.continues_previous = continues;
    rows_.push_back(std::move(row));
    column_ = 0;
  }

  std::vector<Row>& rows_;
  std::size_t columns_;
  std::size_t column_ = 0;
};

}  // namespace

void set_row_width(Row& row, std::size_t columns) {
  row.cells.resize(columns);
  if (row.cells.back().width == 2) row.cells.back() = {};
  row.used = std::min(row.used, columns);
  std::erase_if(row.marks, [&](const CellMarks& m) { return m.column >= columns; });
}

void break_lines_anew(std::vector<Row>& rows, std::size_t columns, ReflowMarks& marks) {
  const ReflowMarks before = marks;
  std::vector<Row> result;
  result.reserve(rows.size());
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t end = first + 1;
    while (end < rows.size() && rows[end].continues_previous) ++end;
    const bool alone = end == first + 1 && (rows[first].size != LineSize::single || rows[first].used <= columns);
    if (alone) {
      if (first == before.screen_top) marks.screen_top = result.size();
      if (first == before.cursor_line) {
        marks.cursor_line = result.size();
        marks.cursor_column = std::min(before.cursor_column, columns - 1);
      }
      result.push_back(std::move(rows[first]));
      set_row_width(result.back(), columns);
      first = end;
      continue;
    }
    LineWriter writer{result, columns};
    for (std::size_t r = first; r < end; ++r) {
      const Row& row = rows[r];
      std::size_t width = r + 1 < end ? row.cells.size() : content_width(row);
      // A wide character that did not fit left the last column blank.
      if (r + 1 < end && row.cells.back().code_point == 0 && row.cells.back().width == 1 && rows[r + 1].cells.front().width == 2) --width;
      if (r == before.screen_top) marks.screen_top = writer.place().first;
      for (std::size_t c = 0; c < std::max(width, r == before.cursor_line ? before.cursor_column + 1 : 0); ++c) {
        if (r == before.cursor_line && c == before.cursor_column) {
          std::tie(marks.cursor_line, marks.cursor_column) = c < width ? writer.place_of_next(row.cells[c].width == 2 && columns > 1 ? 2 : 1) : writer.place();
        }
        if (c >= width && c >= before.cursor_column) break;
        writer.add(row.cells[c], (row.cells[c].attributes & attribute::has_marks) != 0 ? row.marks_at(c) : nullptr);
      }
    }
    first = end;
  }
  if (before.screen_top >= rows.size()) marks.screen_top = result.size();
  rows = std::move(result);
}

}  // namespace tuxarium::vt
