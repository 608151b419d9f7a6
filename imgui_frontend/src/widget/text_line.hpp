// A line of text in place, for what is said anew in every frame.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string_view>

namespace tuxarium::imgui {

/// At most kMax bytes; what does not fit is left out.
class TextLine {
 public:
  static constexpr std::size_t kMax = 511;

  TextLine() = default;
  TextLine(std::string_view text) { add(text); }

  TextLine& add(std::string_view text) {
    const std::size_t count = std::min(text.size(), kMax - size_);
    std::copy_n(text.data(), count, text_.data() + size_);
    end_at(size_ + count);
    return *this;
  }

  template <class... Values>
  TextLine& format(const char* form, Values... values) {
    const int wanted = std::snprintf(text_.data() + size_, kMax + 1 - size_, form, values...);
    end_at(std::min(kMax, size_ + static_cast<std::size_t>(std::max(wanted, 0))));
    return *this;
  }

  /// Drops what is behind the first `size` bytes, and the part of a UTF-8 character at the end.
  void shorten(std::size_t size) {
    size = std::min(size, size_);
    while (size > 0 && size < size_ && (static_cast<unsigned char>(text_[size]) & 0xC0) == 0x80) --size;
    end_at(size);
  }

  const char* c_str() const { return text_.data(); }
  std::string_view view() const { return {text_.data(), size_}; }
  std::size_t size() const { return size_; }

 private:
  void end_at(std::size_t size) {
    size_ = size;
    text_[size_] = '\0';
  }

  std::array<char, kMax + 1> text_{};
  std::size_t size_ = 0;
};

/// A number of bytes for people: "9999 B", "12 KiB", "3.4 MiB".
inline TextLine byte_count(double bytes) {
  TextLine text;
  if (bytes < 10'000) return text.format("%.0f B", bytes);
  if (bytes < 10e6) return text.format("%.0f KiB", bytes / 1024);
  return text.format("%.1f MiB", bytes / (1024 * 1024));
}
inline TextLine byte_count(std::uint64_t bytes) { return byte_count(static_cast<double>(bytes)); }

}  // namespace tuxarium::imgui
