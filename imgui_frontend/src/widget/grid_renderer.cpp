#include "grid_renderer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "box_drawing.hpp"

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

// Black or white, whichever is easier to read on `ground`.
ImU32 contrast(ImU32 ground) {
  const auto part = [&](int shift) { return ground >> shift & 0xFF; };
  const unsigned brightness = 3 * part(IM_COL32_R_SHIFT) + 6 * part(IM_COL32_G_SHIFT) + part(IM_COL32_B_SHIFT);
  return brightness > 10 * 140 ? IM_COL32_BLACK : IM_COL32_WHITE;
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

CellSize cell_size(const Style& style, float zoom) {
  const GlyphSource font;
  return {std::max(1.0f, std::round(font.advance('M') * zoom)), std::max(1.0f, std::round(ImGui::GetFontSize() * zoom * style.line_spacing))};
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
  search_match_ = style.search_match;
  search_current_ = style.search_current;
  link_ = to_imgui(style.link);
  bold_is_bright_ = style.bold_is_bright;
  draw_boxes_ = style.draw_boxes;
}

void GridRenderer::set_guest_colors(const vt::ColorTable& colors) {
  const bool had = std::exchange(guest_colors_, colors.any_changed());
  if (!had && !guest_colors_) return;
  const auto from_guest = [&](std::size_t i) {
    const vt::Rgb24 c = colors[i];
    return IM_COL32(c >> 16 & 0xFF, c >> 8 & 0xFF, c & 0xFF, 255);
  };
  for (std::size_t i = 0; i < 256; ++i) {
    if (i >= 16) palette_[i] = xterm_color(static_cast<int>(i));
    if (colors.changed(i)) palette_[i] = from_guest(i);
  }
  if (colors.changed(vt::ColorTable::kForeground)) foreground_ = from_guest(vt::ColorTable::kForeground);
  if (colors.changed(vt::ColorTable::kBackground)) background_ = from_guest(vt::ColorTable::kBackground);
  if (colors.changed(vt::ColorTable::kCursor)) cursor_ = from_guest(vt::ColorTable::kCursor);
}

vt::ColorTable::Colors GridRenderer::standard_colors() const {
  const auto plain = [](ImU32 c) { return (c >> IM_COL32_R_SHIFT & 0xFF) << 16 | (c >> IM_COL32_G_SHIFT & 0xFF) << 8 | (c >> IM_COL32_B_SHIFT & 0xFF); };
  vt::ColorTable::Colors colors{};
  for (std::size_t i = 0; i < 256; ++i) colors[i] = plain(i < 16 ? palette_[i] : xterm_color(static_cast<int>(i)));
  colors[vt::ColorTable::kForeground] = plain(foreground_);
  colors[vt::ColorTable::kBackground] = plain(background_);
  colors[vt::ColorTable::kCursor] = plain(cursor_);
  return colors;
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
  return {foreground, background == background_ ? 0 : background, !hidden, view.link != 0 && cell.extra == view.link};
}

void GridRenderer::mark(const vt::CellRange& range, std::uint64_t line, Rgba color, bool readable) {
  if (line < range.first.line || line > range.last.line) return;
  const auto columns = static_cast<int>(looks_.size());
  const auto [from, to] = range.columns(line, columns);
  for (int c = std::max(from, 0); c <= std::min(to, columns - 1); ++c) {
    Look& look = looks_[static_cast<std::size_t>(c)];
    look.background = blend(look.background == 0 ? background_ : look.background, to_imgui(color), color.alpha);
    if (readable) look.foreground = contrast(look.background);
  }
}

void GridRenderer::resolve_row(const vt::Row& row, std::uint64_t line, const View& view) {
  auto columns = std::min(row.cells.size(), static_cast<std::size_t>(view.columns));
  if (row.size != vt::LineSize::single) columns = (columns + 1) / 2;
  looks_.resize(columns);
  has_boxes_ = false;
  for (std::size_t c = 0; c < columns; ++c) {
    looks_[c] = look(row.cells[c], view);
    has_boxes_ |= is_box_drawing(row.cells[c].code_point);
  }
  for (const vt::CellRange& match : view.matches) mark(match, line, search_match_);
  if (view.match) mark(*view.match, line, search_current_, true);
  if (view.selection) mark(*view.selection, line, selection_);
  if (view.address && line >= view.address->first.line && line <= view.address->last.line) {
    const auto [from, to] = view.address->columns(line, static_cast<int>(columns));
    for (int c = from; c <= std::min(to, static_cast<int>(columns) - 1); ++c) looks_[static_cast<std::size_t>(c)].marked_link = true;
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

void GridRenderer::draw_glyphs(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row, const GlyphSource& font,
                               const Stretch& stretch) const {
  if constexpr (kGlyphsOnDemand) {
    for (std::size_t c = 0; c < looks_.size(); ++c) (void)font.find(row.cells[c].code_point);
    for (const vt::CellMarks& marks : row.marks) {
      for (const char32_t mark : marks.code_points) (void)font.find(mark);
    }
  }
  const int reserved = static_cast<int>(looks_.size()) * 2;
  list.PrimReserve(reserved * 6, reserved * 4);
  int used = 0;
  const float scale = font.scale();
  const float scale_x = scale * stretch.x, scale_y = scale * stretch.y;
  const float top = at.y - stretch.lift + std::round((cell.height - ImGui::GetFontSize()) * 0.5f * stretch.y);
  const auto quad = [&](const ImFontGlyph& g, float x, ImU32 color, bool italic) {
    const ImVec2 a{x + g.X0 * scale_x, top + g.Y0 * scale_y}, b{x + g.X1 * scale_x, top + g.Y1 * scale_y};
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
    if (draw_boxes_ && is_box_drawing(place.code_point)) continue;
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

void GridRenderer::draw_boxes(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row) const {
  for (std::size_t c = 0; c < looks_.size(); ++c) {
    if (!is_box_drawing(row.cells[c].code_point) || !looks_[c].glyph) continue;
    const float x = at.x + static_cast<float>(c) * cell.width;
    draw_box(list, row.cells[c].code_point, {x, at.y}, {x + cell.width, at.y + cell.height}, looks_[c].foreground);
  }
}

namespace {

// Under the cells from `left` to `right`, above `bottom`; `size` is the thickness of a line.
void underline(ImDrawList& list, vt::Underline style, float left, float right, float bottom, float size, float step, ImU32 color) {
  const auto piece = [&](float from, float to, float y) { list.AddRectFilled({from, y}, {std::min(to, right), y + size}, color); };
  switch (style) {
    case vt::Underline::none: break;
    case vt::Underline::single: piece(left, right, bottom - 2 * size); break;
    case vt::Underline::twofold:
      piece(left, right, bottom - 3 * size);
      piece(left, right, bottom - size);
      break;
    case vt::Underline::curly:
      // A wave in four steps for each cell.
      for (float x = left; x < right; x += step) {
        for (int i = 0; i < 4; ++i) {
          const float up = i == 1 ? 3 * size : i == 3 ? size : 2 * size;
          piece(x + step * static_cast<float>(i) / 4, x + step * static_cast<float>(i + 1) / 4, bottom - up);
        }
      }
      break;
    case vt::Underline::dotted:
      for (float x = left; x < right; x += step / 4) piece(x, x + step / 8, bottom - 2 * size);
      break;
    case vt::Underline::dashed:
      for (float x = left; x < right; x += step / 2) piece(x, x + step * 0.3f, bottom - 2 * size);
      break;
  }
}

}  // namespace

void GridRenderer::draw_lines(ImDrawList& list, ImVec2 at, CellSize cell, const vt::Row& row, const vt::CellExtras& extras) const {
  constexpr std::uint16_t kLines = vt::attribute::underline_mask | vt::attribute::strike | vt::attribute::overline;
  const float size = std::max(1.0f, std::round(cell.height / 20));
  for (std::size_t c = 0; c < looks_.size();) {
    const vt::Cell& first = row.cells[c];
    const auto lines = static_cast<std::uint16_t>(first.attributes & kLines);
    const Look look = looks_[c];
    const std::size_t from = c;
    while (c < looks_.size() && (row.cells[c].attributes & kLines) == lines && looks_[c].foreground == look.foreground &&
           row.cells[c].extra == first.extra && looks_[c].marked_link == look.marked_link) {
      ++c;
    }
    if (lines == 0 && !look.marked_link) continue;
    const float left = at.x + static_cast<float>(from) * cell.width, right = at.x + static_cast<float>(c) * cell.width;
    const vt::Color own = extras[first.extra].underline;
    underline(list, first.underline(), left, right, at.y + cell.height, size, cell.width, color(own, look.foreground));
    if (look.marked_link) underline(list, vt::Underline::single, left, right, at.y + cell.height, size, cell.width, link_);
    const auto line = [&](float y) { list.AddRectFilled({left, y}, {right, y + size}, look.foreground); };
    if ((lines & vt::attribute::strike) != 0) line(at.y + std::round(cell.height * 0.55f));
    if ((lines & vt::attribute::overline) != 0) line(at.y);
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

void GridRenderer::draw(ImDrawList& list, ImVec2 origin, CellSize cell, const vt::ScreenBuffer& buffer, const vt::CellExtras& extras,
                        const View& view, int first, int last) {
  const GlyphSource font;
  for (int r = first; r < last; ++r) {
    const std::uint64_t line = view.top_line + static_cast<std::uint64_t>(r);
    const vt::Row& row = buffer.line(line);
    const ImVec2 at{origin.x, origin.y + static_cast<float>(r) * cell.height};
    resolve_row(row, line, view);
    const bool stretched = row.size != vt::LineSize::single;
    CellSize place = cell;
    Stretch stretch;
    if (stretched) {
      const bool half = row.size != vt::LineSize::wide;
      place.width *= 2;
      stretch = {.x = 2, .y = half ? 2.0f : 1.0f, .lift = row.size == vt::LineSize::lower_half ? cell.height : 0};
      list.PushClipRect(at, {at.x + static_cast<float>(view.columns) * cell.width, at.y + cell.height}, true);
    }
    draw_backgrounds(list, at, place);
    if (draw_boxes_ && has_boxes_) draw_boxes(list, at, place, row);
    draw_glyphs(list, at, place, row, font, stretch);
    draw_lines(list, at, place, row, extras);
    if (view.cursor_visible && line == view.cursor_line) draw_cursor(list, at, place, row, view);
    if (stretched) list.PopClipRect();
  }
}

}  // namespace tuxarium::imgui
