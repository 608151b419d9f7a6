// A text box for the text that host and guest exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <tuxarium/clipboard.hpp>

#include "text_line.hpp"

namespace tuxarium::imgui {

class ClipboardBox {
 public:
  /// A text of more than `limit` bytes is shown cut and cannot be edited; from the system's clipboard none is taken.
  explicit ClipboardBox(std::size_t limit) : limit_{limit} {}

  /// Draws label, buttons and box in the remaining width; the box is `height` pixels high. What the user edits goes to `buffer` at once.
  void draw(ClipboardBuffer& buffer, float height);

  /// Pixels that draw() takes.
  static float total_height(float box_height);

 private:
  void take_over(const ClipboardBuffer& buffer);
  void draw_header(ClipboardBuffer& buffer);
  void replace(ClipboardBuffer& buffer, std::string text);
  void copy_out(const ClipboardBuffer& buffer);
  void take_in(ClipboardBuffer& buffer);

  std::size_t limit_;
  std::string shown_;  // at most limit_ bytes of the buffer's text
  std::uint64_t guest_writes_ = 0;
  bool cut_ = false;
  TextLine problem_;  // with the latest button; empty: none
};

}  // namespace tuxarium::imgui
