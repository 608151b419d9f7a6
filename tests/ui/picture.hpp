// What Dear ImGui wants drawn, as a picture, without a graphics card.
#pragma once

#include <imgui.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "png.hpp"

namespace tuxarium::imgui {

/// Draws triangles with colours and the font's texture into a picture. Slow and simple.
class Painter {
 public:
  Painter(int width, int height, ImVec4 ground) : width_{width}, height_{height}, pixels_(static_cast<std::size_t>(width * height)) {
    std::fill(pixels_.begin(), pixels_.end(), ground);
    ImGui::GetIO().Fonts->GetTexDataAsRGBA32(&texture_, &texture_width_, &texture_height_);
  }

  void paint(const ImDrawData& data) {
    for (int n = 0; n < data.CmdListsCount; ++n) {
      const ImDrawList& list = *data.CmdLists[n];
      for (const ImDrawCmd& command : list.CmdBuffer) {
        const ImDrawIdx* const index = list.IdxBuffer.Data + command.IdxOffset;
        const ImDrawVert* const vertex = list.VtxBuffer.Data + command.VtxOffset;
        for (unsigned i = 0; i + 2 < command.ElemCount; i += 3) {
          triangle({vertex + index[i], vertex + index[i + 1], vertex + index[i + 2]}, command.ClipRect);
        }
      }
    }
  }

  viewer::Picture picture() const {
    viewer::Picture picture{.width = width_, .height = height_, .rgb = {}};
    for (const ImVec4& p : pixels_) {
      for (const float part : {p.x, p.y, p.z}) picture.rgb.push_back(static_cast<std::uint8_t>(std::clamp(part, 0.0f, 1.0f) * 255 + 0.5f));
    }
    return picture;
  }

 private:
  using Corners = std::array<const ImDrawVert*, 3>;

  static float side(ImVec2 a, ImVec2 b, ImVec2 p) { return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x); }

  // An edge's own pixels belong to one of the two triangles that share it.
  static bool inside(float side, ImVec2 a, ImVec2 b) { return side > 0 || (side == 0 && (b.y - a.y > 0 || (b.y == a.y && b.x < a.x))); }

  void triangle(Corners c, const ImVec4& clip) {
    float area = side(c[0]->pos, c[1]->pos, c[2]->pos);
    if (area == 0) return;
    if (area < 0) {
      std::swap(c[1], c[2]);
      area = -area;
    }
    const auto [x0, x1] = std::minmax({c[0]->pos.x, c[1]->pos.x, c[2]->pos.x});
    const auto [y0, y1] = std::minmax({c[0]->pos.y, c[1]->pos.y, c[2]->pos.y});
    const int left = static_cast<int>(std::max({x0, clip.x, 0.0f})), right = static_cast<int>(std::ceil(std::min({x1, clip.z, static_cast<float>(width_)})));
    const int top = static_cast<int>(std::max({y0, clip.y, 0.0f})), bottom = static_cast<int>(std::ceil(std::min({y1, clip.w, static_cast<float>(height_)})));
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) {
        const ImVec2 at{static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f};
        if (at.x < clip.x || at.x >= clip.z || at.y < clip.y || at.y >= clip.w) continue;
        std::array<float, 3> weight{};
        bool in = true;
        for (std::size_t i = 0; i < 3; ++i) {
          const ImVec2 a = c[(i + 1) % 3]->pos, b = c[(i + 2) % 3]->pos;
          weight[i] = side(a, b, at);
          in = in && inside(weight[i], a, b);
          weight[i] /= area;
        }
        if (in) blend(pixels_[static_cast<std::size_t>(y * width_ + x)], c, weight);
      }
    }
  }

  void blend(ImVec4& pixel, const Corners& c, const std::array<float, 3>& weight) const {
    ImVec4 color{0, 0, 0, 0};
    ImVec2 uv{0, 0};
    for (std::size_t i = 0; i < 3; ++i) {
      const ImVec4 own = ImGui::ColorConvertU32ToFloat4(c[i]->col);
      color = {color.x + own.x * weight[i], color.y + own.y * weight[i], color.z + own.z * weight[i], color.w + own.w * weight[i]};
      uv = {uv.x + c[i]->uv.x * weight[i], uv.y + c[i]->uv.y * weight[i]};
    }
    const float alpha = color.w * sample(uv);
    pixel = {pixel.x + (color.x - pixel.x) * alpha, pixel.y + (color.y - pixel.y) * alpha, pixel.z + (color.z - pixel.z) * alpha, 1};
  }

  // The alpha of the texture, between four of its points.
  float sample(ImVec2 uv) const {
    const float x = uv.x * static_cast<float>(texture_width_) - 0.5f, y = uv.y * static_cast<float>(texture_height_) - 0.5f;
    const float fx = x - std::floor(x), fy = y - std::floor(y);
    const auto at = [&](int column, int row) {
      column = std::clamp(column, 0, texture_width_ - 1);
      row = std::clamp(row, 0, texture_height_ - 1);
      return static_cast<float>(texture_[(row * texture_width_ + column) * 4 + 3]) / 255;
    };
    const int column = static_cast<int>(std::floor(x)), row = static_cast<int>(std::floor(y));
    return (at(column, row) * (1 - fx) + at(column + 1, row) * fx) * (1 - fy) + (at(column, row + 1) * (1 - fx) + at(column + 1, row + 1) * fx) * fy;
  }

  int width_, height_;
  std::vector<ImVec4> pixels_;
  unsigned char* texture_ = nullptr;
  int texture_width_ = 0, texture_height_ = 0;
};

}  // namespace tuxarium::imgui
