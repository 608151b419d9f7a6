// The editing functions of a terminal on its two screens: cursor, margins, tabs, character sets, modes of writing.
// Documents: ECMA-48 5th edition; DEC STD 070 chapter 5 and VT510 Programmer Information; xterm's "Control Sequences" where they leave a
// choice. Rows and columns count from 0; counts are at least 1.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "charset.hpp"
#include "screen_buffer.hpp"

namespace tuxarium::vt {

/// Modes that say how characters are written and the cursor moves.
struct WritingModes {
  bool autowrap = true;              // DECAWM
  bool insert = false;               // IRM
  bool newline = false;              // LNM
  bool origin = false;               // DECOM
  bool left_right_margins = false;   // DECLRMM
  bool reverse_wrap = false;         // XTREVWRAP: within a line that ran on
  bool reverse_wrap_all = false;     // XTREVWRAP2: from any line to the one above it, from the first to the last
  bool national_charsets = false;    // DECNRCM
  bool erase_spares_guarded = false; // what ECMA-48 guards, ordinary erasure spares
  bool change_extent_rectangle = false;  // DECSACE
};

struct Charsets {
  std::array<Charset, 4> designated{};
  std::size_t left = 0;   // which of them characters 0x20 to 0x7e are in
  int single_shift = -1;  // for one character only
};

class Screen {
 public:
  Screen(int rows, int columns, std::size_t max_scrollback);

  ScreenBuffer& buffer() { return alternate_active_ ? alternate_ : main_; }
  const ScreenBuffer& buffer() const { return alternate_active_ ? alternate_ : main_; }
  ScreenBuffer& main_buffer() { return main_; }
  ScreenBuffer& alternate_buffer() { return alternate_; }
  bool alternate() const { return alternate_active_; }
  int rows() const { return main_.rows(); }
  int columns() const { return main_.columns(); }

  int row() const { return row_; }
  int column() const { return column_; }
  int top() const { return top_; }
  int bottom() const { return bottom_; }
  int left() const { return modes.left_right_margins ? left_ : 0; }
  int right() const { return modes.left_right_margins ? right_ : columns() - 1; }

  Cell pen;             ///< colours and attributes of the next character
  Color pen_underline;  ///< of its underline; what becomes of it in `pen` is for the owner of the CellExtras
  WritingModes modes;
  Charsets charsets;

  void resize(int rows, int columns);
  /// Everything as at the start, without the scrollback.
  void reset();
  /// DECSTR: modes, margins, pen and character sets, but neither text nor cursor.
  void soft_reset();

  // Text.
  void write_ascii(std::string_view text);
  void write(char32_t character);
  void repeat_last(int count);
  void forget_last() { last_character_ = 0; }

  // Format effectors.
  void backspace();
  void tab(int count);
  void back_tab(int count);
  void carriage_return();
  void line_feed();
  void index();
  void reverse_index();
  void set_tab();
  void clear_tab();
  void clear_all_tabs();
  void set_standard_tabs();
  bool tab_at(int column) const { return tabs_[static_cast<std::size_t>(column)]; }

  // Cursor. Positions are relative to the margins in origin mode.
  void up(int count);
  void down(int count);
  void forward(int count);
  void back(int count);
  void move_to(int row, int column);
  void move_to_row(int row);
  void move_to_column(int column);
  void move_by(int rows, int columns);
  int reported_row() const { return modes.origin ? row_ - top_ : row_; }
  int reported_column() const { return modes.origin ? column_ - left() : column_; }
  void save_cursor();
  void restore_cursor();

  // Margins; both ends belong to them.
  void set_top_bottom(int top, int bottom);
  void set_left_right(int left, int right);
  void enable_left_right(bool on);

  // Erasing and moving text. `selective` spares characters guarded by DECSCA.
  void erase_in_display(int what, bool selective);
  void erase_in_line(int what, bool selective);
  void erase_characters(int count);
  void insert_characters(int count);
  void delete_characters(int count);
  void insert_lines(int count);
  void delete_lines(int count);
  void scroll_up(int count);
  void scroll_down(int count);
  void scroll_left(int count);
  void scroll_right(int count);
  void insert_columns(int count);
  void delete_columns(int count);
  void back_index();
  void forward_index();
  void alignment_pattern();
  void set_line_size(LineSize size);

  // Rectangles, in cells of the screen.
  void erase_rectangle(Area area, bool selective);
  void fill_rectangle(Area area, char32_t character);
  void copy_rectangle(Area area, int row, int column);
  /// Attributes set, and then those in `flip` turned over; in the rectangle or, without DECSACE 2, in the text between its corners.
  void change_attributes(Area area, std::uint16_t clear, std::uint16_t set, std::uint16_t flip);
  /// The sum that DECRQCRA asks for.
  std::uint16_t checksum(Area area) const;

  void use_alternate(bool on);
  void clear_alternate();

 private:
  struct Saved {
    int row = 0, column = 0;
    bool wrap_pending = false, origin = false;
    Cell pen;
    Color pen_underline;
    Charsets charsets;
  };

  int last_column() const;
  int right_limit() const;
  bool in_column_margins() const { return column_ >= left() && column_ <= right(); }
  bool in_row_margins() const { return row_ >= top_ && row_ <= bottom_; }
  void place(int row, int column);
  void wrap();
  void write_wide_aware(char32_t character, int width);
  void scroll_region(int up);
  bool spares_guarded(bool selective) const { return selective || modes.erase_spares_guarded; }
  void erase(Area area, bool selective) { buffer().erase(area, pen.background, spares_guarded(selective)); }
  void reset_margins();

  ScreenBuffer main_;
  ScreenBuffer alternate_;
  bool alternate_active_ = false;
  int row_ = 0, column_ = 0;
  bool wrap_pending_ = false;  // the last column has been written; the next character goes to the next row
  int top_ = 0, bottom_ = 0, left_ = 0, right_ = 0;
  std::vector<bool> tabs_;
  std::array<Saved, 2> saved_;
  char32_t last_character_ = 0;  // for REP; 0 after a control
};

}  // namespace tuxarium::vt
