#include "grid_renderer.hpp"

#include <algorithm>
#include <cmath>

namespace tuxarium::imgui {
namespace {

constexpr ImU32 kAlphaMask = 0xFFu << IM_COL32_A_SHIFT;

// `share` of 255 of `top` over `bottom`; the alpha of `bottom` stays.
ImU32 blend(ImU32 bottom, ImU32 top, unsigned share) {
  const auto channel = [&](int shift) {
    const unsigned a = (bottom >> shift) & 0xFF, b = (top >> shift) & 0xFF;
    return ((a * (255 - share) + b * share + 127) / 255) << shift;
  };
  return channel(IM_COL32_R_SHIFT) | channel(IM_COL32_G_SHIFT) | channel(IM_COL32_B_SHIFT) | (bottom & kAlphaMask);
}

// Colours 16 to 255 as xterm has them: a cube with six steps an axis, then 24 greys.
ImU32 xterm_color(int index) {
  if (index >= 232) {
    const int grey = 8 + (index - 232) * 10;
    return IM_COL32(grey, grey, grey, 255);
  }
  const auto step = [](int n) { return n == 0 ? 0 : 55 + n * 40; };
  const int i = index - 16;
  return IM_COL32(step(i / 36), step(i / 6 % 6), step(i % 6), 255);
}

}  // namespace

ImU32 to_imgui(Rgba c) { return IM_COL32(c.red, c.green, c.blue, c.alpha); }

CellSize cell_size(const Style& style) {
  const GlyphSource font;
  return {std::max(1.0f, std::round(font.advance('M'))), std::max(1.0f, std::round(ImGui::GetFontSize() * style.line_spacing))};
}

GridRenderer::GridRenderer(const Style& style) {
  for (int i = 16; i < 256; ++i) palette_[static_cast<std::size_t>(i)] = xterm_color(i);
  set_style(style);
}

void GridRenderer::set_style(const Style& style) {
  std::transform(style.palette.begin(), style.palette.end(), palette_.begin(), to_imgui);
  foreground_ = to_imgui(style.foreground);
  background_ = to_imgui(style.background);
  cursor_ = to_imgui(style.cursor);
  cursor_text_ = to_imgui(style.cursor_text);
  selection_ = style.selection;
  bold_is_bright_ = style.bold_is_bright;
}

ImU32 GridRenderer::color(vt::Color c, ImU32 standard) const {
  switch (c.kind()) {
    case vt::Color::Kind::indexed: return palette_[c.index()];
    case vt::Color::Kind::rgb: return IM_COL32(c.red(), c.green(), c.blue(), 255);
    case vt::Color::Kind::standard: break;
  }
  return standard;
}

GridRenderer::Look GridRenderer::look(const vt::Cell& cell, const View& view) const {
  const auto has = [&](std::uint16_t bit) { return (cell.attributes & bit) != 0; };
  ImU32 foreground = color(cell.foreground, foreground_);
  ImU32 background = color(cell.background, background_);
  if (has(vt::attribute::bold) && bold_is_bright_) {
    if (cell.foreground.kind() == vt::Color::Kind::standard) foreground = palette_[15];
    if (cell.foreground.kind() == vt::Color::Kind::indexed && cell.foreground.index() < 8) foreground = palette_[cell.foreground.index() + 8u];
  }
  if (has(vt::attribute::reverse) != view.reverse_screen) std::swap(foreground, background);
  if (has(vt::attribute::dim)) foreground = blend(foreground, background, 110);
  const bool hidden = has(vt::attribute::conceal) || (has(vt::attribute::blink) && !view.blink_visible);
  return {foreground, background == background_ ? 0 : background, !hidden};
}

void GridRenderer::resolve_row(const vt::Row& row, std::uint64_t line, const View& view) {
  const auto columns = std::min(row.cells.size(), static_cast<std::size_t>(view.columns));
  looks_.resize(columns);
  for (std::size_t c = 0; c < columns; ++c) looks_[c] = look(row.cells[c], view);
  if (view.selection && line >= view.selection->first.line && line <= view.selection->last.line) {
    const std::size_t from = line == view.selection->first.line ? static_cast<std::size_t>(view.selection->first.column) : 0;
    const std::size_t to = line == view.selection->last.line ? static_cast<std::size_t>(view.selection->last.column) + 1 : columns;
    for (std::size_t c = from; c < std::min(to, columns); ++c) {
      looks_[c].background = blend(looks_[c].background == 0 ? background_ : looks_[c].background, to_imgui(selection_), selection_.alpha);
    }
  }
  const bool block = view.cursor_visible && view.cursor_filled && view.cursor_shape == vt::CursorShape::block;
  if (block && line == view.cursor_line && static_cast<std::size_t>(view.cursor_column) < columns) {
    const auto at = static_cast<std::size_t>(view.cursor_column);
    const std::size_t width = row.cells[at].width == 2 ? 2 : 1;
    for (std::size_t c = at; c < std::min(at + width, columns); ++c) {
      looks_[c].foreground = cursor_text_;
      looks_[c].background = cursor_;
    }
  }
}

void GridRenderer::draw_backgrounds(ImDrawList& list, ImVec2 at, CellSize cell) const {
  for (std::size_t c = 0; c < looks_.size();) {
    const std::size_t from = c;
    const ImU32 background = looks_[c].background;
    while (c < looks_.size() && looks_[c].background == background) ++c;
    if (background == 0) continue;
    list.AddRectFilled({at.x + static_cast<float>(from) * cell.width, at.y}, {at.x + static_cast<float>(c) * cell.width, at.y + cell.height},
                       background);
  }
}

void GridRenderer::draw_glyphs(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row, const GlyphSource& font) const {
  const int reserved = static_cast<int>(looks_.size()) * 2;
  list.PrimReserve(reserved * 6, reserved * 4);
  int used = 0;
  const float scale = font.scale();
  const float top = at.y + std::round((cell.height - ImGui::GetFontSize()) * 0.5f);
  const auto quad = [&](const ImFontGlyph& g, float x, ImU32 color, bool italic) {
    const ImVec2 a{x + g.X0 * scale, top + g.Y0 * scale}, b{x + g.X1 * scale, top + g.Y1 * scale};
    if (italic) {
      const float lean = 0.2f, baseline = top + cell.height * 0.8f;
      const float upper = (baseline - a.y) * lean, lower = (baseline - b.y) * lean;
      list.PrimQuadUV({a.x + upper, a.y}, {b.x + upper, a.y}, {b.x + lower, b.y}, {a.x + lower, b.y}, {g.U0, g.V0}, {g.U1, g.V0},
                      {g.U1, g.V1}, {g.U0, g.V1}, color);
    } else {
      list.PrimRectUV(a, b, {g.U0, g.V0}, {g.U1, g.V1}, color);
    }
    ++used;
  };
  for (std::size_t c = 0; c < looks_.size(); ++c) {
    const vt::Cell& place = row.cells[c];
    if (!looks_[c].glyph || place.code_point <= U' ' || place.width == 0) continue;
    const ImFontGlyph* glyph = font.find(place.code_point);
    if (glyph == nullptr || !glyph->Visible) continue;
    const float x = at.x + static_cast<float>(c) * cell.width;
    const bool italic = (place.attributes & vt::attribute::italic) != 0;
    quad(*glyph, x, looks_[c].foreground, italic);
    if ((place.attributes & vt::attribute::bold) != 0 && !bold_is_bright_) quad(*glyph, x + 1, looks_[c].foreground, italic);
  }
  list.PrimUnreserve((reserved - used) * 6, (reserved - used) * 4);
  if (row.marks.empty()) return;
  for (const vt::CellMarks& marks : row.marks) {
    if (marks.column >= looks_.size() || !looks_[marks.column].glyph) continue;
    for (const char32_t mark : marks.code_points) {
      const ImFontGlyph* glyph = mark != 0 ? font.find(mark) : nullptr;
      if (glyph == nullptr || !glyph->Visible) continue;
      // A font gives a mark the place after its base or, with a negative offset, the place of the base itself.
      const float next = glyph->X0 < 0 ? cell.width : 0;
      list.PrimReserve(6, 4);
      quad(*glyph, at.x + static_cast<float>(marks.column) * cell.width + next, looks_[marks.column].foreground, false);
    }
  }
}

void GridRenderer::draw_lines(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row) const {
  constexpr std::uint16_t kLines = vt::attribute::underline_mask | vt::attribute::strike;
  for (std::size_t c = 0; c < looks_.size();) {
    const auto lines = static_cast<std::uint16_t>(row.cells[c].attributes & kLines);
    const ImU32 color = looks_[c].foreground;
    const std::size_t from = c;
    while (c < looks_.size() && (row.cells[c].attributes & kLines) == lines && looks_[c].foreground == color) ++c;
    if (lines == 0) continue;
    const float left = at.x + static_cast<float>(from) * cell.width, right = at.x + static_cast<float>(c) * cell.width;
    const auto line = [&](float y) { list.AddRectFilled({left, y}, {right, y + 1}, color); };
    if (row.cells[from].underline() != vt::Underline::none) line(at.y + cell.height - 2);
    if (row.cells[from].underline() == vt::Underline::twofold) line(at.y + cell.height - 4);
    if ((lines & vt::attribute::strike) != 0) line(at.y + std::round(cell.height * 0.55f));
  }
}

void GridRenderer::draw_cursor(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row, const View& view) const {
  const auto column = static_cast<std::size_t>(view.cursor_column);
  if (column >= looks_.size()) return;
  const float width = row.cells[column].width == 2 ? 2 * cell.width : cell.width;
  const ImVec2 a{at.x + static_cast<float>(column) * cell.width, at.y};
  const ImVec2 b{a.x + width, a.y + cell.height};
  if (!view.cursor_filled) {
    list.AddRect(a, b, cursor_);
  } else if (view.cursor_shape == vt::CursorShape::underline) {
    list.AddRectFilled({a.x, b.y - 3}, b, cursor_);
  } else if (view.cursor_shape == vt::CursorShape::bar) {
    list.AddRectFilled(a, {a.x + 2, b.y}, cursor_);
  }
}

void GridRenderer::draw(ImDrawList& list, ImVec2 origin, CellSize cell, const vt::ScreenBuffer& buffer, const View& view, int first,
                        int last) {
  const GlyphSource font;
  for (int r = first; r < last; ++r) {
    const std::uint64_t line = view.top_line + static_cast<std::uint64_t>(r);
    const vt::Row& row = buffer.line(line);
    const ImVec2 at{origin.x, origin.y + static_cast<float>(r) * cell.height};
    resolve_row(row, line, view);
    draw_backgrounds(list, at, cell);
    draw_glyphs(list, at, cell, row, font);
    draw_lines(list, at, cell, row);
    if (view.cursor_visible && line == view.cursor_line) draw_cursor(list, at, cell, row, view);
  }
}

}  // namespace tuxarium::imgui
