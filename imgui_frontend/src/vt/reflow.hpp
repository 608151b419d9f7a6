// Breaks lines that ran over several rows anew, for a screen of another width.
#pragma once

#include <cstddef>
#include <vector>

#include "screen_buffer.hpp"

namespace tuxarium::vt {

/// Places among the rows that are to be found again; indices into them.
struct ReflowMarks {
  std::size_t screen_top = 0;     ///< at most the count of rows
  std::size_t cursor_line = 0;    ///< a row
  std::size_t cursor_column = 0;  ///< inside of it
};

/// A row cut or made longer by blanks.
void set_row_width(Row& row, std::size_t columns);

/// `columns` at least 1. Rows of another LineSize stay alone.
void break_lines_anew(std::vector<Row>& rows, std::size_t columns, ReflowMarks& marks);

}  // namespace tuxarium::vt
