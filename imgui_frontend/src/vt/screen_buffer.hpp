// The rows of a terminal: the screen and the lines that have scrolled off its top, in one ring.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tuxarium::vt {

/// A colour as the guest named it.
class Color {
 public:
  enum class Kind : std::uint8_t { standard, indexed, rgb };

  constexpr Color() = default;
  static constexpr Color indexed(std::uint8_t index) { return Color{0x0100'0000u | index}; }
  static constexpr Color rgb(std::uint8_t r, std::uint8_t g, std::uint8_t b) {
    return Color{0x0200'0000u | static_cast<std::uint32_t>(r << 16 | g << 8 | b)};
  }

  constexpr Kind kind() const { return static_cast<Kind>(value_ >> 24); }
  constexpr std::uint8_t index() const { return static_cast<std::uint8_t>(value_); }
  constexpr std::uint8_t red() const { return static_cast<std::uint8_t>(value_ >> 16); }
  constexpr std::uint8_t green() const { return static_cast<std::uint8_t>(value_ >> 8); }
  constexpr std::uint8_t blue() const { return static_cast<std::uint8_t>(value_); }
  /// One number for each colour.
  constexpr std::uint32_t packed() const { return value_; }
  friend constexpr bool operator==(Color, Color) = default;

 private:
  constexpr explicit Color(std::uint32_t value) : value_{value} {}
  std::uint32_t value_ = 0;
};

/// Bits of Cell::attributes. Three bits hold an Underline.
namespace attribute {
inline constexpr std::uint16_t bold = 1u << 0, dim = 1u << 1, italic = 1u << 2, strike = 1u << 3, reverse = 1u << 4, blink = 1u << 5,
                               conceal = 1u << 6, guarded = 1u << 7, has_marks = 1u << 8, overline = 1u << 9, underline_mask = 7u << 12;
inline constexpr int underline_shift = 12;
}  // namespace attribute

enum class Underline : std::uint8_t { none, single, twofold, curly, dotted, dashed };

/// One place of the grid.
struct Cell {
  char32_t code_point = 0;  ///< 0: never written, or erased
  Color foreground;
  Color background;
  std::uint16_t attributes = 0;
  std::uint16_t extra = 0;  ///< index into the terminal's CellExtras; 0: none
  std::uint8_t width = 1;   ///< 1 or 2 columns; 0: the right half of the cell to the left

  constexpr Underline underline() const {
    return static_cast<Underline>((attributes & attribute::underline_mask) >> attribute::underline_shift);
  }
  constexpr void set_underline(Underline style) {
    attributes = static_cast<std::uint16_t>((attributes & ~attribute::underline_mask) |
                                            (static_cast<unsigned>(style) << attribute::underline_shift));
  }
  friend constexpr bool operator==(const Cell&, const Cell&) = default;
};

/// Marks drawn onto a cell with attribute::has_marks; unused places are 0.
struct CellMarks {
  static constexpr std::size_t kMax = 5;
  std::size_t column = 0;
  std::array<char32_t, kMax> code_points{};
};

/// DECDWL and DECDHL: each character of the row takes two columns, of which only the left half of the row's cells are shown.
enum class LineSize : std::uint8_t { single, wide, upper_half, lower_half };

struct Row {
  std::vector<Cell> cells;
  std::vector<CellMarks> marks;     ///< at most one entry for each cell
  std::size_t used = 0;             ///< the cells from here on are blank, in the standard colours
  bool continues_previous = false;  ///< the text of the row above ran on into this one
  LineSize size = LineSize::single;
  std::uint64_t generation = 0;     ///< grows with every change of the row

  const CellMarks* marks_at(std::size_t column) const;
};

/// Part of the screen: rows [top, bottom), columns [left, right).
struct Area {
  int top = 0, bottom = 0, left = 0, right = 0;
};

/// Lines have absolute numbers, which grow for ever: first_line() is the oldest that is kept, the screen is the last rows() ones.
/// A scroll in the steady state moves no cell and allocates nothing.
class ScreenBuffer {
 public:
  struct Place {
    int row = 0, column = 0;
  };

  ScreenBuffer(int rows, int columns, std::size_t max_scrollback);

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  std::uint64_t first_line() const { return first_line_; }
  std::uint64_t screen_line() const { return first_line_ + scrollback(); }
  std::uint64_t end_line() const { return first_line_ + ring_.size(); }
  std::size_t scrollback() const { return ring_.size() - static_cast<std::size_t>(rows_); }

  /// `line` must be in [first_line(), end_line()).
  const Row& line(std::uint64_t line) const { return ring_[slot(static_cast<std::size_t>(line - first_line_))]; }
  const Row& screen_row(int row) const { return ring_[slot(scrollback() + static_cast<std::size_t>(row))]; }
  Row& change_row(int row);
  /// A cell whose code point, colours or attributes change, not its width.
  Cell& change_cell(int row, int column);

  void put(int row, int column, const Cell& cell);
  /// Characters of one column each, all in the colours of `pen`; they must fit into the row.
  void put_ascii(int row, int column, std::string_view text, const Cell& pen);
  /// A mark on a character; without effect on a blank cell, and beyond CellMarks::kMax of them.
  void add_mark(int row, int column, char32_t mark);
  /// Cells become blank with `background`. With `spare_guarded`, cells with attribute::guarded stay.
  void erase(Area area, Color background, bool spare_guarded);
  /// Moves the content of `area`; what it uncovers becomes blank.
  void scroll(Area area, int up, int left, Color background);
  /// The top rows leave into the scrollback and blank rows enter below.
  void push_lines(int count, Color background);
  void clear_scrollback();
  /// Lines that do not fit leave into the scrollback; a higher screen brings some back. With `reflow`, lines that ran on are broken anew,
  /// those of the scrollback too. Returns where the character at `cursor` is now; its row stays in view.
  Place resize(int rows, int columns, Place cursor, bool reflow);

  /// Grows with every change of any row.
  std::uint64_t generation() const { return generation_; }

 private:
  std::size_t slot(std::size_t index) const {
    const std::size_t at = start_ + index;
    return at < ring_.size() ? at : at - ring_.size();
  }
  Area inside(Area area) const;
  void blank(Row& row, Color background);
  void append_blank_row(Color background);
  void straighten();
  void move_cells(const Row& from, Row& to, Area area, int left);
  void cut_wide(Row& row, std::size_t from, std::size_t to);

  int rows_, columns_;
  std::size_t max_scrollback_;
  std::vector<Row> ring_;  // at most max_scrollback_ + rows_; then the oldest row is used again
  std::size_t start_ = 0;
  std::uint64_t first_line_ = 0;
  std::uint64_t generation_ = 0;
};

}  // namespace tuxarium::vt
