// The colours of a terminal: xterm's 256, and those of text, ground and cursor. The guest may change each of them (OSC 4, 10, 11, 12).
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tuxarium::vt {

/// Red in bits 16 to 23, green, blue.
using Rgb24 = std::uint32_t;

class ColorTable {
 public:
  static constexpr std::size_t kForeground = 256, kBackground = 257, kCursor = 258, kCount = 259;
  using Colors = std::array<Rgb24, kCount>;

  /// The colours of the host, which show where the guest has set none.
  void set_standard(const Colors& colors) {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (!changed_[i]) current_[i] = colors[i];
    }
    standard_ = colors;
  }
  Rgb24 operator[](std::size_t index) const { return current_[index]; }
  bool changed(std::size_t index) const { return changed_[index]; }
  bool any_changed() const { return changed_.any(); }

  void set(std::size_t index, Rgb24 color) {
    current_[index] = color;
    changed_[index] = true;
  }
  void restore(std::size_t index) {
    current_[index] = standard_[index];
    changed_[index] = false;
  }
  void restore_all() {
    current_ = standard_;
    changed_.reset();
  }

 private:
  Colors standard_{};
  Colors current_{};
  std::bitset<kCount> changed_;
};

/// `rgb:R/G/B` with 1 to 4 hexadecimal digits a channel, or `#` and 3, 6, 9 or 12 of them.
std::optional<Rgb24> parse_color(std::string_view text);
/// `rgb:RRRR/GGGG/BBBB`.
std::string color_text(Rgb24 color);

}  // namespace tuxarium::vt
