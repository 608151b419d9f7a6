#include "selection.hpp"

#include <algorithm>
#include <string_view>

#include "utf8.hpp"

namespace tuxarium::vt {
namespace {

bool in_word(const Row& row, int column) {
  const auto at = static_cast<std::size_t>(column);
  if (at >= row.cells.size()) return false;
  const char32_t c = row.cells[at].code_point;
  if (row.cells[at].width == 0 || c >= 0x80) return true;
  if ((c >= U'0' && c <= U'9') || (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z')) return true;
  return c != 0 && std::u32string_view{U"_-./~:@%+#?&="}.find(c) != std::u32string_view::npos;
}

int last_column(const Row& row) { return static_cast<int>(row.cells.size()) - 1; }

// The same word goes on in the row above (below) when the text ran on there.
CellPosition word_start(const ScreenBuffer& buffer, CellPosition at) {
  for (;;) {
    const Row& row = buffer.line(at.line);
    while (at.column > 0 && in_word(row, at.column - 1)) --at.column;
    if (at.column > 0 || !row.continues_previous || at.line == buffer.first_line()) return at;
    const Row& above = buffer.line(at.line - 1);
    if (!in_word(above, last_column(above))) return at;
    at = {at.line - 1, last_column(above)};
  }
}

CellPosition word_end(const ScreenBuffer& buffer, CellPosition at) {
  for (;;) {
    const Row& row = buffer.line(at.line);
    while (at.column < last_column(row) && in_word(row, at.column + 1)) ++at.column;
    if (at.column < last_column(row) || at.line + 1 >= buffer.end_line()) return at;
    const Row& below = buffer.line(at.line + 1);
    if (!below.continues_previous || !in_word(below, 0)) return at;
    at = {at.line + 1, 0};
  }
}

}  // namespace

void append_row_text(std::string& text, const Row& row, std::size_t first, std::size_t last, bool trim) {
  std::size_t kept = text.size();
  for (std::size_t c = first; c < std::min(last, row.cells.size()); ++c) {
    const Cell& cell = row.cells[c];
    if (cell.width == 0) continue;
    append_utf8(text, cell.code_point == 0 ? U' ' : cell.code_point);
    if (const CellMarks* marks = (cell.attributes & attribute::has_marks) != 0 ? row.marks_at(c) : nullptr) {
      for (const char32_t mark : marks->code_points) {
        if (mark != 0) append_utf8(text, mark);
      }
    }
    if (cell.code_point != 0 && cell.code_point != U' ') kept = text.size();
  }
  if (trim) text.resize(kept);
}

CellRange Selection::unit_around(const ScreenBuffer& buffer, CellPosition at) const {
  at.line = std::clamp(at.line, buffer.first_line(), buffer.end_line() - 1);
  at.column = std::clamp(at.column, 0, std::max(0, last_column(buffer.line(at.line))));
  CellRange unit{at, at};
  if (unit_ == SelectionUnit::word && in_word(buffer.line(at.line), at.column)) {
    unit = {word_start(buffer, at), word_end(buffer, at)};
  } else if (unit_ == SelectionUnit::line) {
    while (unit.first.line > buffer.first_line() && buffer.line(unit.first.line).continues_previous) --unit.first.line;
    while (unit.last.line + 1 < buffer.end_line() && buffer.line(unit.last.line + 1).continues_previous) ++unit.last.line;
    unit.first.column = 0;
    unit.last.column = std::max(0, last_column(buffer.line(unit.last.line)));
  } else {
    const auto column = static_cast<std::size_t>(at.column);
    const Row& row = buffer.line(at.line);
    if (row.cells[column].width == 0) --unit.first.column;
    if (row.cells[static_cast<std::size_t>(unit.first.column)].width == 2) unit.last.column = unit.first.column + 1;
  }
  return unit;
}

void Selection::begin(const ScreenBuffer& buffer, CellPosition at, SelectionUnit unit, bool block) {
  unit_ = unit;
  block_ = block;
  anchor_ = unit_around(buffer, at);
  range_ = anchor_;
  range_->block = block_;
  generation_ = buffer.generation();
}

void Selection::extend(const ScreenBuffer& buffer, CellPosition to) {
  if (!range(buffer)) return;
  const CellRange unit = unit_around(buffer, to);
  range_ = CellRange{std::min(anchor_.first, unit.first), std::max(anchor_.last, unit.last), block_};
  if (block_) {
    range_->first.column = std::min(anchor_.first.column, unit.first.column);
    range_->last.column = std::max(anchor_.last.column, unit.last.column);
  }
  generation_ = buffer.generation();
}

std::optional<CellRange> Selection::range(const ScreenBuffer& buffer) {
  if (!range_) return range_;
  bool whole = range_->first.line >= buffer.first_line() && range_->last.line < buffer.end_line();
  if (generation_ != buffer.generation()) {
    for (auto line = range_->first.line; whole && line <= range_->last.line; ++line) {
      whole = buffer.line(line).generation <= generation_;
    }
    if (whole) generation_ = buffer.generation();
  }
  if (!whole) range_.reset();
  return range_;
}

std::string Selection::text(const ScreenBuffer& buffer) {
  std::string text;
  const auto marked = range(buffer);
  if (!marked) return text;
  for (auto line = marked->first.line; line <= marked->last.line; ++line) {
    const bool last = line == marked->last.line;
    const bool runs_on = !marked->block && !last && buffer.line(line + 1).continues_previous;
    const Row& row = buffer.line(line);
    const auto [from, to] = marked->columns(line, static_cast<int>(row.cells.size()));
    append_row_text(text, row, static_cast<std::size_t>(from), static_cast<std::size_t>(to) + 1, !runs_on);
    if (!last && !runs_on) text.push_back('\n');
  }
  return text;
}

}  // namespace tuxarium::vt
