// A text box for the text that host and guest exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <tuxarium/clipboard.hpp>

namespace tuxarium::imgui {

class ClipboardBox {
 public:
  /// A text of more than `limit` bytes is shown cut and cannot be edited.
  explicit ClipboardBox(std::size_t limit) : limit_{limit} {}

  /// Draws label, button and box in the remaining width; the box is `height` pixels high. What the user edits goes to `buffer` at once.
  void draw(ClipboardBuffer& buffer, float height);

  /// Pixels that draw() takes.
  static float total_height(float box_height);

 private:
  void take_over(const ClipboardBuffer& buffer);
  void draw_header(ClipboardBuffer& buffer);

  std::size_t limit_;
  std::string shown_;  // at most limit_ bytes of the buffer's text
  std::uint64_t guest_writes_ = 0;
  bool cut_ = false;
};

}  // namespace tuxarium::imgui
