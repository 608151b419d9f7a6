// Lines, boxes and blocks (Unicode charts "Box Drawing" and "Block Elements", U+2500 to U+259F) as geometry that fills its cell to the edges.
#pragma once

#include "imgui_compat.hpp"

namespace tuxarium::imgui {

constexpr bool is_box_drawing(char32_t c) { return c >= 0x2500 && c <= 0x259F; }

/// Draws such a character into the cell from `a` to `b`.
void draw_box(ImDrawList& list, char32_t character, ImVec2 a, ImVec2 b, ImU32 color);

}  // namespace tuxarium::imgui
