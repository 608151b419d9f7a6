// Finds text in a terminal's lines, those that ran over several rows as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pattern.hpp"
#include "screen_buffer.hpp"
#include "selection.hpp"

namespace tuxarium::vt {

/// The characters of a whole line, and the cell of each.
struct LineText {
  static constexpr std::size_t kMaxRows = 200;  ///< a longer line is taken in parts

  std::u32string characters;
  std::vector<CellPosition> places;
  std::uint64_t first = 0, end = 0;  ///< rows, by their absolute line
};

/// The line, or its part, that the row `line` belongs to.
LineText line_text(const ScreenBuffer& buffer, std::uint64_t line);

class Search {
 public:
  /// Rows looked through in one step() at the most.
  static constexpr std::size_t kRowsInOneStep = 2000;

  /// Nothing is found from then on for an empty text, or one that is no regular expression; then error() says why.
  void set(std::string_view text, bool regular_expression, bool match_case);
  const std::string& error() const { return error_; }
  bool active() const { return pattern_.has_value(); }

  /// All matches that touch the rows [first, end).
  void matches(const ScreenBuffer& buffer, std::uint64_t first, std::uint64_t end, std::vector<CellRange>& found) const;

  /// Begins to look for the match before (`up`) or after the current one; without a current one, from `from`.
  void start(bool up, CellPosition from);
  /// Goes on looking, for a bounded time. True once it has found something or has been everywhere.
  bool step(const ScreenBuffer& buffer);
  bool looking() const { return looking_; }
  const std::optional<CellRange>& current() const { return current_; }
  bool failed() const { return failed_; }
  void forget_current() { current_.reset(), looking_ = false; }

 private:
  std::optional<Pattern> pattern_;
  std::string error_;
  std::optional<CellRange> current_;
  bool looking_ = false, up_ = false, failed_ = false;
  CellPosition from_;
  std::uint64_t row_ = 0;
  std::size_t rows_left_ = 0;
  bool begun_ = false;
};

/// The address of a page or file around a cell, as plain text; its cells too.
struct FoundAddress {
  std::string text;
  CellRange cells;
};
std::optional<FoundAddress> address_at(const ScreenBuffer& buffer, CellPosition at);

}  // namespace tuxarium::vt
