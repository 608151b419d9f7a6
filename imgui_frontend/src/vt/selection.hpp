// What the user has marked with the mouse, and its text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "screen_buffer.hpp"

namespace tuxarium::vt {

/// A cell by its absolute line.
struct CellPosition {
  std::uint64_t line = 0;
  int column = 0;
  friend auto operator<=>(const CellPosition&, const CellPosition&) = default;
};

/// Both ends belong to it; first <= last.
struct CellRange {
  CellPosition first;
  CellPosition last;
  friend bool operator==(const CellRange&, const CellRange&) = default;
};

enum class SelectionUnit : std::uint8_t { character, word, line };

class Selection {
 public:
  void begin(const ScreenBuffer& buffer, CellPosition at, SelectionUnit unit);
  /// Without a begin() before it, does nothing.
  void extend(const ScreenBuffer& buffer, CellPosition to);
  void clear() { range_.reset(); }

  /// The marked cells. A selection ends by itself when one of its rows changes or falls out of the scrollback.
  std::optional<CellRange> range(const ScreenBuffer& buffer);

  /// UTF-8; rows that ran on are joined, other rows end with a line feed and without their trailing blanks.
  std::string text(const ScreenBuffer& buffer);

 private:
  CellRange unit_around(const ScreenBuffer& buffer, CellPosition at) const;

  SelectionUnit unit_ = SelectionUnit::character;
  CellRange anchor_;
  std::optional<CellRange> range_;
  std::uint64_t generation_ = 0;
};

}  // namespace tuxarium::vt
