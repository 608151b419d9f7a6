// What the user has marked with the mouse, and its text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "screen_buffer.hpp"

namespace tuxarium::vt {

/// A cell by its absolute line.
struct CellPosition {
  std::uint64_t line = 0;
  int column = 0;
  friend auto operator<=>(const CellPosition&, const CellPosition&) = default;
};

/// Both ends belong to it; first.line <= last.line. Text from `first` to `last`, or the block with these corners, left column first.
struct CellRange {
  CellPosition first;
  CellPosition last;
  bool block = false;

  /// The marked columns of a line in it, the last one included; `width` is that of the row.
  std::pair<int, int> columns(std::uint64_t line, int width) const {
    return {block || line == first.line ? first.column : 0, block || line == last.line ? last.column : width - 1};
  }
  friend bool operator==(const CellRange&, const CellRange&) = default;
};

enum class SelectionUnit : std::uint8_t { character, word, line };

/// Appends the characters of cells [first, last) with their marks; with `trim`, without blanks at the end.
void append_row_text(std::string& text, const Row& row, std::size_t first, std::size_t last, bool trim);

class Selection {
 public:
  void begin(const ScreenBuffer& buffer, CellPosition at, SelectionUnit unit, bool block = false);
  /// Without a begin() before it, does nothing.
  void extend(const ScreenBuffer& buffer, CellPosition to);
  void clear() { range_.reset(); }

  /// The marked cells. A selection ends by itself when one of its rows changes or falls out of the scrollback.
  std::optional<CellRange> range(const ScreenBuffer& buffer);

  /// UTF-8; rows that ran on are joined, other rows end with a line feed and without their trailing blanks. A block has no line feed at its end.
  std::string text(const ScreenBuffer& buffer);

 private:
  CellRange unit_around(const ScreenBuffer& buffer, CellPosition at) const;

  SelectionUnit unit_ = SelectionUnit::character;
  bool block_ = false;
  CellRange anchor_;
  std::optional<CellRange> range_;
  std::uint64_t generation_ = 0;
};

}  // namespace tuxarium::vt
