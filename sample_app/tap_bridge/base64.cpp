#include "base64.hpp"

#include <array>
#include <cstdint>

namespace tuxarium::bridge {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

/// Digits before the padding, or npos when the length or the padding is wrong.
std::size_t digits_of(std::string_view text) {
  if (text.size() % 4 != 0) return std::string_view::npos;
  if (text.ends_with("==")) return text.size() - 2;
  return text.ends_with('=') ? text.size() - 1 : text.size();
}

}  // namespace

bool decode_base64(std::string_view text, std::vector<std::byte>& out) {
  const std::size_t digits = digits_of(text), start = out.size();
  if (digits == std::string_view::npos) return false;
  out.reserve(start + digits * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char digit : text.substr(0, digits)) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(digit)];
    if (value == kNone) {
      out.resize(start);
      return false;
    }
    bits = bits << 6 | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<std::byte>(bits >> held & 0xff));
  }
  return true;
}

}  // namespace tuxarium::bridge
