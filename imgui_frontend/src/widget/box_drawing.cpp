#include "box_drawing.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace tuxarium::imgui {
namespace {

// For U+2500 to U+257F the arms to the left, up, right and down: 0 none, 1 light, 2 heavy, 3 double. Dashes, arcs and diagonals are 0000.
constexpr std::string_view kArms =
    "1010" "2020" "0101" "0202" "0000" "0000" "0000" "0000" "0000" "0000" "0000" "0000" "0011" "0021" "0012" "0022"  // 2500
    "1001" "2001" "1002" "2002" "0110" "0120" "0210" "0220" "1100" "2100" "1200" "2200" "0111" "0121" "0211" "0112"  // 2510
    "0212" "0221" "0122" "0222" "1101" "2101" "1201" "1102" "1202" "2201" "2102" "2202" "1011" "2011" "1021" "2021"  // 2520
    "1012" "2012" "1022" "2022" "1110" "2110" "1120" "2120" "1210" "2210" "1220" "2220" "1111" "2111" "1121" "2121"  // 2530
    "1211" "1112" "1212" "2211" "1221" "2112" "1122" "2221" "2122" "2212" "1222" "2222" "0000" "0000" "0000" "0000"  // 2540
    "3030" "0303" "0031" "0013" "0033" "3001" "1003" "3003" "0130" "0310" "0330" "3100" "1300" "3300" "0131" "0313"  // 2550
    "0333" "3101" "1303" "3303" "3031" "1013" "3033" "3130" "1310" "3330" "3131" "1313" "3333" "0000" "0000" "0000"  // 2560
    "0000" "0000" "0000" "0000" "1000" "0100" "0010" "0001" "2000" "0200" "0020" "0002" "1020" "0102" "2010" "0201"; // 2570
static_assert(kArms.size() == 128 * 4);

// The cell turned so that an arm to the left can be drawn for all four: `along` runs from the arm's edge to the middle.
class Arms {
 public:
  Arms(ImDrawList& list, std::string_view arms, ImVec2 a, ImVec2 b, ImU32 color) : list_{list}, arms_{arms}, a_{a}, b_{b}, color_{color} {
    light_ = std::max(1.0f, std::round((b.x - a.x) / 8));
    middle_ = {std::floor((a.x + b.x - light_) / 2) + light_ / 2, std::floor((a.y + b.y - light_) / 2) + light_ / 2};
    // Odd with odd and even with even, so that both have the same middle.
    heavy_ = 2 * light_ + (static_cast<int>(light_) % 2 != 0 ? 1.0f : 0.0f);
    gap_ = light_ + std::max(0.0f, std::floor(light_ / 2));
  }

  void draw() const {
    for (int side = 0; side < 4; ++side) {
      const char kind = arm(side);
      if (kind == '1' || kind == '2') plain(side, kind == '1' ? light_ : heavy_);
      if (kind == '3') twofold(side);
    }
  }

 private:
  char arm(int side) const { return arms_[static_cast<std::size_t>((side + 4) % 4)]; }

  // From the edge of `side` to `reach` beyond the middle, `thickness` wide, `offset` beside the middle line (positive: right or down).
  void bar(int side, float reach, float thickness, float offset) const {
    const bool flat = side % 2 == 0;
    const float low_edge = flat ? a_.x : a_.y, high_edge = flat ? b_.x : b_.y, middle = flat ? middle_.x : middle_.y;
    const float across = (flat ? middle_.y : middle_.x) + offset;
    const float from = side < 2 ? low_edge : middle - reach, to = side < 2 ? middle + reach : high_edge;
    const float low = across - thickness / 2, high = across + thickness / 2;
    list_.AddRectFilled(flat ? ImVec2{from, low} : ImVec2{low, from}, flat ? ImVec2{to, high} : ImVec2{high, to}, color_);
  }

  void plain(int side, float thickness) const {
    const char one = arm(side + 1), other = arm(side + 3), opposite = arm(side + 2);
    const bool doubles = one == '3' || other == '3';
    float reach = (one == '2' || other == '2' ? heavy_ : light_) / 2;
    if (doubles && opposite == '0') reach = one == '3' && other == '3' ? -gap_ : gap_ + light_ / 2;
    bar(side, reach, thickness, 0);
  }

  void twofold(int side) const {
    // Which arm lies on the side of smaller coordinates: up for arms to the sides, left for the others.
    const char low = arm(side % 2 == 0 ? 1 : 0), high = arm(side % 2 == 0 ? 3 : 2);
    const auto reach = [&](char same, char other) {
      if (same == '3') return -gap_ + light_ / 2;
      return (other == '3' && arm(side + 2) == '0' ? gap_ : 0.0f) + light_ / 2;
    };
    bar(side, reach(low, high), light_, -gap_);
    bar(side, reach(high, low), light_, gap_);
  }

  ImDrawList& list_;
  std::string_view arms_;
  ImVec2 a_, b_;
  ImU32 color_;
  float light_ = 1, heavy_ = 3;
  float gap_ = 1;
  ImVec2 middle_;
};

void dashes(ImDrawList& list, bool flat, int count, float thickness, ImVec2 a, ImVec2 b, ImU32 color) {
  const float low = flat ? a.x : a.y, length = flat ? b.x - a.x : b.y - a.y;
  const float across = std::floor((flat ? a.y + b.y : a.x + b.x) / 2 - thickness / 2);
  for (int i = 0; i < count; ++i) {
    const float from = low + length * (static_cast<float>(i) + 0.15f) / static_cast<float>(count);
    const float to = low + length * (static_cast<float>(i) + 0.85f) / static_cast<float>(count);
    list.AddRectFilled(flat ? ImVec2{from, across} : ImVec2{across, from}, flat ? ImVec2{to, across + thickness} : ImVec2{across + thickness, to}, color);
  }
}

// A quarter of a rounded box, towards `right` and `down`.
void corner(ImDrawList& list, bool right, bool down, float thickness, ImVec2 a, ImVec2 b, ImU32 color) {
  const ImVec2 m{std::floor((a.x + b.x - thickness) / 2) + thickness / 2, std::floor((a.y + b.y - thickness) / 2) + thickness / 2};
  const ImVec2 side{right ? b.x : a.x, m.y}, end{m.x, down ? b.y : a.y};
  const float radius = std::min(b.x - a.x, b.y - a.y) / 2;
  const float x = m.x + (right ? radius : -radius), y = m.y + (down ? radius : -radius);
  list.PathLineTo(side);
  list.PathLineTo({x, m.y});
  constexpr int kParts = 5;
  for (int i = 1; i < kParts; ++i) {
    const float t = static_cast<float>(i) / kParts, u = 1 - t;
    list.PathLineTo({u * u * x + 2 * u * t * m.x + t * t * m.x, u * u * m.y + 2 * u * t * m.y + t * t * y});
  }
  list.PathLineTo({m.x, y});
  list.PathLineTo(end);
  stroke_path(list, color, thickness);
}

void block(ImDrawList& list, char32_t c, ImVec2 a, ImVec2 b, ImU32 color) {
  const float width = b.x - a.x, height = b.y - a.y;
  const auto part = [&](float left, float top, float right, float bottom) {
    list.AddRectFilled({a.x + std::round(width * left), a.y + std::round(height * top)}, {a.x + std::round(width * right), a.y + std::round(height * bottom)},
                       color);
  };
  if (c == 0x2580) return part(0, 0, 1, 0.5f);
  if (c <= 0x2588) return part(0, 1 - static_cast<float>(c - 0x2580) / 8, 1, 1);
  if (c <= 0x258F) return part(0, 0, static_cast<float>(0x2590 - c) / 8, 1);
  if (c == 0x2590) return part(0.5f, 0, 1, 1);
  if (c <= 0x2593) {
    const ImU32 alpha = (color >> IM_COL32_A_SHIFT & 0xFF) * (c - 0x2590) / 4;
    color = (color & ~(0xFFu << IM_COL32_A_SHIFT)) | alpha << IM_COL32_A_SHIFT;
    return part(0, 0, 1, 1);
  }
  if (c == 0x2594) return part(0, 0, 1, 0.125f);
  if (c == 0x2595) return part(0.875f, 0, 1, 1);
  // Quarters: 1 upper left, 2 upper right, 4 lower left, 8 lower right.
  constexpr unsigned kQuarters[] = {4, 8, 1, 13, 9, 7, 11, 2, 6, 14};
  const unsigned quarters = kQuarters[c - 0x2596];
  if ((quarters & 1) != 0) part(0, 0, 0.5f, 0.5f);
  if ((quarters & 2) != 0) part(0.5f, 0, 1, 0.5f);
  if ((quarters & 4) != 0) part(0, 0.5f, 0.5f, 1);
  if ((quarters & 8) != 0) part(0.5f, 0.5f, 1, 1);
}

}  // namespace

void draw_box(ImDrawList& list, char32_t c, ImVec2 a, ImVec2 b, ImU32 color) {
  if (c >= 0x2580) return block(list, c, a, b, color);
  const float light = std::max(1.0f, std::round((b.x - a.x) / 8));
  if ((c >= 0x2504 && c <= 0x250B) || (c >= 0x254C && c <= 0x254F)) {
    const int count = c >= 0x254C ? 2 : c >= 0x2508 ? 4 : 3;
    return dashes(list, c % 4 < 2, count, c % 2 == 0 ? light : 2 * light + 1, a, b, color);
  }
  if (c >= 0x256D && c <= 0x2570) return corner(list, c == 0x256D || c == 0x2570, c <= 0x256E, light, a, b, color);
  if (c >= 0x2571 && c <= 0x2573) {
    if (c != 0x2572) list.AddLine({a.x, b.y}, {b.x, a.y}, color, light);
    if (c != 0x2571) list.AddLine(a, b, color, light);
    return;
  }
  Arms{list, kArms.substr((c - 0x2500) * 4, 4), a, b, color}.draw();
}

}  // namespace tuxarium::imgui
