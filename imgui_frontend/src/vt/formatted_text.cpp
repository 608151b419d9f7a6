#include "formatted_text.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace tuxarium::vt {
namespace {

// What the formats know of a cell.
struct Look {
  Color foreground, background, underline_color;
  std::uint16_t attributes = 0;
  friend bool operator==(const Look&, const Look&) = default;
};

constexpr auto kKept = static_cast<std::uint16_t>(~(attribute::has_marks | attribute::guarded));

Look look_of(const Cell& cell, const CellExtras& extras) {
  return {cell.foreground, cell.background, extras[cell.extra].underline, static_cast<std::uint16_t>(cell.attributes & kKept)};
}

bool shows_nothing(const Cell& cell) {
  return cell.code_point <= U' ' && cell.background == Color{} && (cell.attributes & (attribute::reverse | attribute::underline_mask | attribute::overline)) == 0 &&
         cell.width == 1;
}

// Calls `run(look, text)` for each stretch of cells that look the same, and `end_of_line()` where text has a line feed.
template <class Run, class End>
void each_run(const ScreenBuffer& buffer, const CellExtras& extras, const CellRange& range, Run run, End end_of_line) {
  std::string text;
  for (auto line = range.first.line; line <= range.last.line; ++line) {
    const Row& row = buffer.line(line);
    const bool runs_on = !range.block && line != range.last.line && buffer.line(line + 1).continues_previous;
    const auto [from, to] = range.columns(line, static_cast<int>(row.cells.size()));
    auto at = static_cast<std::size_t>(std::max(from, 0));
    auto end = std::min(static_cast<std::size_t>(to) + 1, row.cells.size());
    while (!runs_on && end > at && shows_nothing(row.cells[end - 1])) --end;
    while (at < end) {
      const Look look = look_of(row.cells[at], extras);
      const std::size_t first = at;
      while (at < end && look_of(row.cells[at], extras) == look) ++at;
      text.clear();
      append_row_text(text, row, first, at, false);
      run(look, text);
    }
    if (!runs_on && line != range.last.line) end_of_line();
  }
}

void add_color(std::string& codes, Color color, const char* prefix) {
  if (color.kind() == Color::Kind::indexed) codes += ';' + std::string{prefix} + "8;5;" + std::to_string(color.index());
  if (color.kind() == Color::Kind::rgb) {
    codes += ';' + std::string{prefix} + "8;2;" + std::to_string(color.red()) + ';' + std::to_string(color.green()) + ';' + std::to_string(color.blue());
  }
}

Underline underline_of(std::uint16_t attributes) { return Cell{.foreground = {}, .background = {}, .attributes = attributes}.underline(); }

std::string sequence_for(const Look& look) {
  struct Code {
    std::uint16_t attribute;
    const char* code;
  };
  constexpr Code kCodes[] = {{attribute::bold, ";1"},    {attribute::dim, ";2"},     {attribute::italic, ";3"}, {attribute::blink, ";5"},
                             {attribute::reverse, ";7"}, {attribute::conceal, ";8"}, {attribute::strike, ";9"}, {attribute::overline, ";53"}};
  std::string codes = "0";
  for (const Code& code : kCodes) {
    if ((look.attributes & code.attribute) != 0) codes += code.code;
  }
  if (const Underline underline = underline_of(look.attributes); underline == Underline::single) {
    codes += ";4";
  } else if (underline != Underline::none) {
    codes += ";4:" + std::to_string(static_cast<int>(underline));
  }
  add_color(codes, look.foreground, "3");
  add_color(codes, look.background, "4");
  add_color(codes, look.underline_color, "5");
  return "\x1b[" + codes + "m";
}

std::string hex(Rgb24 color) {
  char text[8];
  std::snprintf(text, sizeof text, "#%06x", static_cast<unsigned>(color) & 0xFF'FFFF);
  return text;
}

Rgb24 resolve(Color color, const ColorTable& colors, std::size_t standard) {
  switch (color.kind()) {
    case Color::Kind::indexed: return colors[color.index()];
    case Color::Kind::rgb: return static_cast<Rgb24>(color.red() << 16 | color.green() << 8 | color.blue());
    case Color::Kind::standard: break;
  }
  return colors[standard];
}

std::string style_for(const Look& look, const ColorTable& colors) {
  const bool reverse = (look.attributes & attribute::reverse) != 0;
  Rgb24 foreground = resolve(look.foreground, colors, ColorTable::kForeground);
  Rgb24 background = resolve(look.background, colors, ColorTable::kBackground);
  if (reverse) std::swap(foreground, background);
  if ((look.attributes & attribute::conceal) != 0) foreground = background;
  std::string style;
  if (reverse || look.foreground != Color{} || (look.attributes & attribute::conceal) != 0) style += "color:" + hex(foreground) + ';';
  if (reverse || look.background != Color{}) style += "background:" + hex(background) + ';';
  if ((look.attributes & attribute::bold) != 0) style += "font-weight:bold;";
  if ((look.attributes & attribute::italic) != 0) style += "font-style:italic;";
  if ((look.attributes & attribute::dim) != 0) style += "opacity:0.6;";
  std::string lines;
  const Underline underline = underline_of(look.attributes);
  if (underline != Underline::none) lines += " underline";
  if ((look.attributes & attribute::strike) != 0) lines += " line-through";
  if ((look.attributes & attribute::overline) != 0) lines += " overline";
  if (!lines.empty()) style += "text-decoration-line:" + lines.substr(1) + ';';
  constexpr const char* kStyles[] = {"", "", "double", "wavy", "dotted", "dashed"};
  if (underline > Underline::single) style += std::string{"text-decoration-style:"} + kStyles[static_cast<std::size_t>(underline)] + ';';
  if (underline != Underline::none && look.underline_color != Color{}) {
    style += "text-decoration-color:" + hex(resolve(look.underline_color, colors, ColorTable::kForeground)) + ';';
  }
  return style;
}

void add_escaped(std::string& html, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '&': html += "&amp;"; break;
      default: html += c;
    }
  }
}

}  // namespace

std::string text_with_sequences(const ScreenBuffer& buffer, const CellExtras& extras, const CellRange& range) {
  std::string all;
  Look now;
  const auto change = [&](const Look& look) {
    if (look == now) return;
    all += look == Look{} ? "\x1b[m" : sequence_for(look);
    now = look;
  };
  each_run(
      buffer, extras, range,
      [&](const Look& look, std::string_view text) {
        change(look);
        all += text;
      },
      [&] {
        change({});
        all += '\n';
      });
  change({});
  return all;
}

std::string text_as_html(const ScreenBuffer& buffer, const CellExtras& extras, const CellRange& range, const ColorTable& colors) {
  std::string html = "<pre style=\"font-family:monospace;color:" + hex(colors[ColorTable::kForeground]) +
                     ";background:" + hex(colors[ColorTable::kBackground]) + "\">";
  each_run(
      buffer, extras, range,
      [&](const Look& look, std::string_view text) {
        const std::string style = style_for(look, colors);
        if (!style.empty()) html += "<span style=\"" + style + "\">";
        add_escaped(html, text);
        if (!style.empty()) html += "</span>";
      },
      [&] { html += '\n'; });
  return html + "</pre>\n";
}

}  // namespace tuxarium::vt
