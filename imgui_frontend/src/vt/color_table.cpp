#include "color_table.hpp"

#include <charconv>
#include <cstdio>

namespace tuxarium::vt {
namespace {

// A channel of 1 to 4 hexadecimal digits, scaled to 8 bits.
std::optional<unsigned> channel(std::string_view digits, bool scaled) {
  if (digits.empty() || digits.size() > 4) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const unsigned bits = 4 * static_cast<unsigned>(digits.size());
  if (scaled) return (value * 255 + ((1u << bits) - 1) / 2) / ((1u << bits) - 1);
  return bits < 8 ? value << (8 - bits) : value >> (bits - 8);
}

std::optional<Rgb24> join(std::string_view red, std::string_view green, std::string_view blue, bool scaled) {
  const auto r = channel(red, scaled), g = channel(green, scaled), b = channel(blue, scaled);
  if (!r || !g || !b) return std::nullopt;
  return *r << 16 | *g << 8 | *b;
}

}  // namespace

std::optional<Rgb24> parse_color(std::string_view text) {
  if (text.starts_with('#')) {
    text.remove_prefix(1);
    const std::size_t digits = text.size() / 3;
    if (text.empty() || digits * 3 != text.size()) return std::nullopt;
    return join(text.substr(0, digits), text.substr(digits, digits), text.substr(2 * digits), false);
  }
  if (!text.starts_with("rgb:")) return std::nullopt;
  text.remove_prefix(4);
  const auto first = text.find('/'), second = text.find('/', first == text.npos ? first : first + 1);
  if (second == text.npos) return std::nullopt;
  return join(text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1), true);
}

std::string color_text(Rgb24 color) {
  std::array<char, 32> text{};
  const unsigned r = color >> 16 & 0xFF, g = color >> 8 & 0xFF, b = color & 0xFF;
  std::snprintf(text.data(), text.size(), "rgb:%02x%02x/%02x%02x/%02x%02x", r, r, g, g, b, b);
  return text.data();
}

}  // namespace tuxarium::vt
