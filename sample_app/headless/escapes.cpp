#include "escapes.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include "sentences.hpp"

namespace tuxarium::app {
namespace {

constexpr std::array<std::pair<char, char>, 12> kSimple{{{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'a', '\a'}, {'b', '\b'}, {'f', '\f'},
                                                         {'v', '\v'}, {'e', '\x1b'}, {'\\', '\\'}, {'"', '"'}, {'\'', '\''}, {'?', '?'}}};

/// Value of a digit, or -1 when it is none of `base` (8 or 16).
int digit_value(char c, int base) {
  int value = -1;
  if (c >= '0' && c <= '9') value = c - '0';
  if (c >= 'a' && c <= 'f') value = c - 'a' + 10;
  if (c >= 'A' && c <= 'F') value = c - 'A' + 10;
  return value < base ? value : -1;
}

/// Reads up to `most` digits at `at` and moves it behind them; -1 when there is none.
int take_number(std::string_view text, std::size_t& at, int base, unsigned most) {
  int value = -1;
  for (unsigned count = 0; count < most && at < text.size(); ++count, ++at) {
    const int digit = digit_value(text[at], base);
    if (digit < 0) break;
    value = (value < 0 ? 0 : value * base) + digit;
  }
  return value;
}

}  // namespace

Result<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      out += text[at++];
      continue;
    }
    if (++at == text.size()) return usage_error(in_quotes(text) + " ends in a lone backslash (write \\\\ for one)");
    const char letter = text[at];
    int value = -1;
    if (letter == 'x') {
      value = take_number(text, ++at, 16, 2);
      if (value < 0) return usage_error(in_quotes(text) + " has \\x without a hexadecimal digit");
    } else if (digit_value(letter, 8) >= 0) {
      value = take_number(text, at, 8, 3);
      if (value > 0xff) return usage_error(in_quotes(text) + " has an octal escape above \\377");
    } else {
      for (const auto& [name, byte] : kSimple) {
        if (name == letter) value = static_cast<unsigned char>(byte);
      }
      if (value < 0) return usage_error(in_quotes(text) + " has the unknown escape \\" + letter);
      ++at;
    }
    out += static_cast<char>(value);
  }
  return out;
}

}  // namespace tuxarium::app
