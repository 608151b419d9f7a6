// A terminal that takes and gives strings.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "vt/terminal.hpp"

namespace tuxarium::vt {

inline void write(Terminal& t, std::string_view bytes) { t.write(std::as_bytes(std::span{bytes})); }

inline std::string output(Terminal& t) {
  std::string all;
  std::array<std::byte, 64> part{};
  while (const auto n = t.take_output(part)) all.append(reinterpret_cast<const char*>(part.data()), n);
  return all;
}

inline std::string row_text(const Terminal& t, int row) {
  const std::string all = t.screen_text();
  std::size_t start = 0;
  for (; row > 0; --row) start = all.find('\n', start) + 1;
  return all.substr(start, all.find('\n', start) - start);
}

inline const Cell& cell(const Terminal& t, int row, int column) {
  return t.buffer().screen_row(row).cells[static_cast<std::size_t>(column)];
}

}  // namespace tuxarium::vt
