// The bar in a terminal's corner in which the user types what to look for.
#pragma once

#include <array>
#include <string_view>

#include "imgui_compat.hpp"
#include "vt/search.hpp"

namespace tuxarium::imgui {

class SearchBar {
 public:
  bool is_open() const { return open_; }
  /// Opens it, with the keyboard in its field. An empty text keeps the latest.
  void open(std::string_view text, bool regular_expression);
  void close() { open_ = false; }

  /// What draw() found the user to want.
  enum class Action { none, changed, previous, next, closed };

  /// Draws it into the upper right corner of the area from `a` to `b`, over what is there.
  Action draw(ImVec2 a, ImVec2 b, const vt::Search& search);

  std::string_view text() const { return text_.data(); }
  bool regular_expression() const { return regular_expression_; }
  bool match_case() const { return match_case_; }

 private:
  std::array<char, 256> text_{};
  bool open_ = false, focus_ = false;
  bool regular_expression_ = false, match_case_ = false;
};

}  // namespace tuxarium::imgui
