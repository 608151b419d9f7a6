// Draws rows of cells into an ImDrawList.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <tuxarium_imgui/style.hpp>

#include "imgui_compat.hpp"
#include "vt/screen_buffer.hpp"
#include "vt/selection.hpp"
#include "vt/terminal.hpp"

namespace tuxarium::imgui {

ImU32 to_imgui(Rgba color);

/// Pixels of one cell of the current font; whole numbers.
struct CellSize {
  float width = 1;
  float height = 1;
};
/// `zoom` stands for a FontZoom that is not in force.
CellSize cell_size(const Style& style, float zoom = 1);

class GridRenderer {
 public:
  /// What to show of a terminal.
  struct View {
    std::uint64_t top_line = 0;  ///< absolute number of the first row shown
    int rows = 0;                ///< rows shown; all of them exist
    int columns = 0;             ///< columns shown; a row may have fewer or more
    std::optional<vt::CellRange> selection;
    std::span<const vt::CellRange> matches;   ///< of the search
    std::optional<vt::CellRange> match;       ///< the current one
    std::optional<vt::CellRange> address;     ///< under the mouse; is underlined
    std::uint16_t link = 0;                   ///< the extra of the link under the mouse; its cells are underlined
    bool reverse_screen = false;
    bool blink_visible = true;        ///< whether blinking text shows now
    bool cursor_visible = false;
    bool cursor_filled = false;       ///< else an outline
    std::uint64_t cursor_line = 0;
    int cursor_column = 0;
    vt::CursorShape cursor_shape = vt::CursorShape::block;
  };

  explicit GridRenderer(const Style& style);

  void set_style(const Style& style);
  /// Colours that the guest has changed take the place of the style's.
  void set_guest_colors(const vt::ColorTable& colors);
  /// The style's colours as the guest sees them.
  vt::ColorTable::Colors standard_colors() const;

  /// The colour around the cells.
  ImU32 ground(bool reverse_screen) const { return reverse_screen ? foreground_ : background_; }

  /// Draws rows [first, last) of the view; the view's upper left corner is at `origin`.
  void draw(ImDrawList& list, ImVec2 origin, CellSize cell, const vt::ScreenBuffer& buffer, const vt::CellExtras& extras, const View& view,
            int first, int last);

  /// Most vertices that draw() can make of one row.
  static int max_vertices_per_row(int columns) { return columns * kQuadsPerCell * 4 + 64; }

 private:
  // Background, glyph twice for bold, up to kMax marks, an underline in up to four parts, three other lines. A box takes fewer than the glyphs do.
  static constexpr int kQuadsPerCell = 1 + 2 + static_cast<int>(vt::CellMarks::kMax) + 4 + 3;

  struct Look {
    ImU32 foreground = 0;
    ImU32 background = 0;  // 0: none
    bool glyph = true;
    bool marked_link = false;
  };
  /// How the glyphs of a row differ in size from the font's (DECDWL, DECDHL).
  struct Stretch {
    float x = 1, y = 1;
    float lift = 0;  // pixels that the glyphs begin above the row
  };

  ImU32 color(vt::Color color, ImU32 standard) const;
  Look look(const vt::Cell& cell, const View& view) const;
  void resolve_row(const vt::Row& row, std::uint64_t line, const View& view);
  void draw_backgrounds(ImDrawList& list, ImVec2 at, CellSize cell) const;
  void draw_glyphs(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row, const GlyphSource& font, const Stretch& stretch) const;
  void draw_boxes(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row) const;
  void draw_lines(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row, const vt::CellExtras& extras) const;
  /// With `readable`, the text becomes black or white.
  void mark(const vt::CellRange& range, std::uint64_t line, Rgba color, bool readable = false);
  void draw_cursor(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row, const View& view) const;

  std::array<ImU32, 256> palette_{};
  ImU32 foreground_ = 0, background_ = 0, cursor_ = 0, cursor_text_ = 0;
  Rgba selection_, search_match_, search_current_;
  ImU32 link_ = 0;
  bool bold_is_bright_ = true;
  bool draw_boxes_ = true;
  bool has_boxes_ = false;  // the row at hand
  bool guest_colors_ = false;
  std::vector<Look> looks_;  // of the row at hand
};

}  // namespace tuxarium::imgui
