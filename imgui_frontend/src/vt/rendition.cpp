#include "rendition.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace tuxarium::vt {
namespace {

struct Bit {
  int on, off;
  std::uint16_t attribute;
};

constexpr std::array<Bit, 8> kBits{{{1, 22, attribute::bold}, {2, 22, attribute::dim}, {3, 23, attribute::italic}, {5, 25, attribute::blink},
    {7, 27, attribute::reverse}, {8, 28, attribute::conceal}, {9, 29, attribute::strike}, {53, 55, attribute::overline}}};

std::uint8_t byte(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

// The colour behind 38, 48 or 58 at `i`, which goes to its last argument.
std::optional<Color> extended_color(const ControlSequence& s, std::size_t& i) {
  const auto argument = [&](std::size_t at) { return at < s.count ? std::max(s.argument[at], 0) : 0; };
  std::size_t last = i;
  while (last < s.count && s.more[last]) ++last;
  const std::size_t first = i + 1;
  if (last > i) {
    i = last;
    if (argument(first) == 5) return Color::indexed(byte(argument(first + 1)));
    if (argument(first) != 2 || last < first + 3) return std::nullopt;
    // With colons there is a colour space before the channels, unless there are only three arguments.
    const std::size_t channels = last >= first + 4 ? first + 2 : first + 1;
    return Color::rgb(byte(argument(channels)), byte(argument(channels + 1)), byte(argument(channels + 2)));
  }
  if (argument(first) == 5) {
    i = std::min(first + 1, s.count);
    return Color::indexed(byte(argument(first + 1)));
  }
  if (argument(first) == 2) {
    i = std::min(first + 3, s.count);
    return Color::rgb(byte(argument(first + 1)), byte(argument(first + 2)), byte(argument(first + 3)));
  }
  return std::nullopt;
}

void set_bits(Cell& pen, int code) {
  for (const Bit& bit : kBits) {
    if (code == bit.on) pen.attributes |= bit.attribute;
    if (code == bit.off) pen.attributes &= static_cast<std::uint16_t>(~bit.attribute);
  }
}

void append_color(std::string& text, Color color, int base) {
  const auto number = [](int n) { return std::to_string(n); };
  switch (color.kind()) {
    case Color::Kind::standard: break;
    case Color::Kind::indexed:
      if (base == 50 || color.index() >= 16) {
        text += ";" + number(base + 8) + ":5:" + number(color.index());
      } else {
        text += ";" + number(color.index() < 8 ? base + color.index() : base + 60 + color.index() - 8);
      }
      break;
    case Color::Kind::rgb:
      text += ";" + number(base + 8) + ":2::" + number(color.red()) + ":" + number(color.green()) + ":" + number(color.blue());
      break;
  }
}

}  // namespace

void select_rendition(const ControlSequence& s, Cell& pen, Color& underline) {
  const std::uint16_t guarded = pen.attributes & attribute::guarded;
  const auto plain = [&] {
    pen.attributes = guarded;
    pen.foreground = pen.background = underline = {};
  };
  if (s.count == 0) plain();
  for (std::size_t i = 0; i < s.count; ++i) {
    const int code = std::max(s.argument[i], 0);
    if (code == 38 || code == 48 || code == 58) {
      if (const auto color = extended_color(s, i)) (code == 38 ? pen.foreground : code == 48 ? pen.background : underline) = *color;
      continue;
    }
    if (code == 4 && s.more[i]) {
      const int style = std::max(s.argument[i + 1], 0);
      if (style <= static_cast<int>(Underline::dashed)) pen.set_underline(static_cast<Underline>(style));
    } else if (!s.more[i]) {
      switch (code) {
        case 0: plain(); break;
        case 4: pen.set_underline(Underline::single); break;
        case 6: pen.attributes |= attribute::blink; break;
        case 21: pen.set_underline(Underline::twofold); break;
        case 24: pen.set_underline(Underline::none); break;
        case 39: pen.foreground = {}; break;
        case 49: pen.background = {}; break;
        case 59: underline = {}; break;
        default:
          set_bits(pen, code);
          if (code >= 30 && code < 38) pen.foreground = Color::indexed(byte(code - 30));
          if (code >= 40 && code < 48) pen.background = Color::indexed(byte(code - 40));
          if (code >= 90 && code < 98) pen.foreground = Color::indexed(byte(code - 90 + 8));
          if (code >= 100 && code < 108) pen.background = Color::indexed(byte(code - 100 + 8));
          break;
      }
    }
    while (i < s.count && s.more[i]) ++i;
  }
}

std::string rendition_text(const Cell& pen, Color underline) {
  std::string text = "0";
  for (const Bit& bit : kBits) {
    if ((pen.attributes & bit.attribute) != 0) text += ";" + std::to_string(bit.on);
  }
  if (pen.underline() == Underline::single) {
    text += ";4";
  } else if (pen.underline() != Underline::none) {
    text += ";4:" + std::to_string(static_cast<int>(pen.underline()));
  }
  append_color(text, pen.foreground, 30);
  append_color(text, pen.background, 40);
  append_color(text, underline, 50);
  return text;
}

}  // namespace tuxarium::vt
