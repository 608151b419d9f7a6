#include "rate_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "grid_renderer.hpp"

namespace tuxarium::imgui {
namespace {

constexpr float kLeastTop = 1;

// The next of 1, 2, 5, 10, ... that is not below `highest`.
float round_top(float highest) {
  const float power = std::pow(10.0f, std::floor(std::log10(std::max(highest, kLeastTop))));
  for (const float step : {1.0f, 2.0f, 5.0f}) {
    if (step * power >= highest) return step * power;
  }
  return 10 * power;
}

TextLine values_at(std::span<const PlotLine> lines, const TrafficHistory& history, RateWords words, std::size_t age) {
  TextLine text;
  for (const PlotLine& line : lines) {
    if (text.size() > 0) text.add("  ");
    if (line.name[0] != '\0') text.add(line.name).add(" ");
    text.add(words(history.rate(line.series, age)).view());
  }
  return text;
}

void draw_line(ImDrawList& list, ImVec2 a, ImVec2 b, const PlotLine& line, const TrafficHistory& history, float top) {
  std::array<ImVec2, TrafficHistory::kSamples> points;
  const float step = (b.x - a.x) / static_cast<float>(points.size() - 1);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const float share = std::min(history.rate(line.series, points.size() - 1 - i) / top, 1.0f);
    points[i] = {a.x + static_cast<float>(i) * step, b.y - share * (b.y - a.y)};
  }
  for (std::size_t i = 1; i < points.size(); ++i) list.AddLine(points[i - 1], points[i], to_imgui(line.color));
}

}  // namespace

void draw_rate_plot(const char* title, std::span<const PlotLine> lines, const TrafficHistory& history, RateWords words, float height) {
  const ImVec2 a = ImGui::GetCursorScreenPos();
  const ImVec2 b{a.x + std::max(ImGui::GetContentRegionAvail().x, 40.0f), a.y + height};
  ImGui::Dummy({b.x - a.x, height});
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(a, b, ImGui::GetColorU32(ImGuiCol_FrameBg), ImGui::GetStyle().FrameRounding);
  float highest = 0;
  for (const PlotLine& line : lines) highest = std::max(highest, history.highest(line.series));
  list.PushClipRect(a, b, true);
  const float text_height = ImGui::GetTextLineHeight();
  for (const PlotLine& line : lines) draw_line(list, {a.x, a.y + text_height + 4}, {b.x, b.y - 2}, line, history, round_top(highest));
  std::size_t age = 0;
  if (ImGui::IsItemHovered()) {
    const float x = std::clamp(ImGui::GetIO().MousePos.x, a.x, b.x);
    age = static_cast<std::size_t>((b.x - x) / (b.x - a.x) * static_cast<float>(TrafficHistory::kSamples - 1));
    list.AddLine({x, a.y}, {x, b.y}, ImGui::GetColorU32(ImGuiCol_TextDisabled));
  }
  const TextLine values = values_at(lines, history, words, age);
  list.AddText({a.x + 6, a.y + 2}, ImGui::GetColorU32(ImGuiCol_TextDisabled), title);
  const float width = ImGui::CalcTextSize(values.c_str()).x;
  list.AddText({std::max(b.x - width - 6, a.x + 12 + ImGui::CalcTextSize(title).x), a.y + 2}, ImGui::GetColorU32(ImGuiCol_Text), values.c_str());
  list.PopClipRect();
}

}  // namespace tuxarium::imgui
