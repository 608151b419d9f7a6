// Bytes as text, for the messages of tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace tuxarium::tests {

/// Two digits a byte, without anything between.
inline std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t b : bytes) {
    text += kDigits[b >> 4];
    text += kDigits[b & 15];
  }
  return text;
}

}  // namespace tuxarium::tests
