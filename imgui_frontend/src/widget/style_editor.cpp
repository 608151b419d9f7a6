#include <tuxarium_imgui/style.hpp>

#include <cstdio>

#include "imgui_compat.hpp"

namespace tuxarium::imgui {
namespace {

struct ColorField {
  const char* name;
  Rgba Style::*field;
};

constexpr ColorField kColors[] = {
    {"Text", &Style::foreground}, {"Ground", &Style::background}, {"Cursor", &Style::cursor}, {"Text under the cursor", &Style::cursor_text},
    {"Selection", &Style::selection}, {"Search: match", &Style::search_match}, {"Search: current match", &Style::search_current},
    {"Link", &Style::link}, {"Bell", &Style::bell}, {"Scroll bar", &Style::scroll_track}, {"Scroll bar: thumb", &Style::scroll_thumb},
    {"Frame, with the keyboard", &Style::frame_focused}, {"Frame, without", &Style::frame_unfocused}, {"Light, off", &Style::light_off},
    {"Light, received", &Style::light_receive}, {"Light, sent", &Style::light_transmit}, {"Network up", &Style::link_up},
    {"Network connecting", &Style::link_connecting}, {"Network down", &Style::link_down}, {"Machine running", &Style::state_running},
    {"Machine idle", &Style::state_idle}, {"Machine halted", &Style::state_halted},
};

bool edit_color(const char* name, Rgba& color) {
  float parts[4] = {static_cast<float>(color.red) / 255, static_cast<float>(color.green) / 255, static_cast<float>(color.blue) / 255,
                    static_cast<float>(color.alpha) / 255};
  if (!ImGui::ColorEdit4(name, parts, ImGuiColorEditFlags_NoInputs | ImGuiColorEditFlags_AlphaPreviewHalf)) return false;
  const auto byte = [](float part) { return static_cast<std::uint8_t>(part * 255 + 0.5f); };
  color = {byte(parts[0]), byte(parts[1]), byte(parts[2]), byte(parts[3])};
  return true;
}

bool choose_theme(Style& style) {
  bool changed = false;
  if (!ImGui::BeginCombo("Theme", "take over...")) return false;
  for (int i = 0; i < static_cast<int>(Theme::count); ++i) {
    const auto theme = static_cast<Theme>(i);
    if (ImGui::Selectable(theme_name(theme))) {
      style = make_style(theme);
      changed = true;
    }
  }
  ImGui::EndCombo();
  return changed;
}

}  // namespace

bool ShowStyleEditor(Style& style) {
  bool changed = choose_theme(style);
  if (ImGui::CollapsingHeader("Colours 0 to 15", ImGuiTreeNodeFlags_DefaultOpen)) {
    for (std::size_t i = 0; i < style.palette.size(); ++i) {
      char name[16];
      std::snprintf(name, sizeof name, "##palette%zu", i);
      changed |= edit_color(name, style.palette[i]);
      if (i % 8 != 7) ImGui::SameLine();
    }
  }
  if (ImGui::CollapsingHeader("Other colours")) {
    for (const ColorField& color : kColors) changed |= edit_color(color.name, style.*color.field);
  }
  if (ImGui::CollapsingHeader("Drawing", ImGuiTreeNodeFlags_DefaultOpen)) {
    changed |= ImGui::Checkbox("Bold text takes the bright colours", &style.bold_is_bright);
    changed |= ImGui::Checkbox("Lines and boxes without gaps", &style.draw_boxes);
    changed |= ImGui::SliderFloat("Padding", &style.padding, 0, 30, "%.0f pixels");
    changed |= ImGui::SliderFloat("Line spacing", &style.line_spacing, 0.8f, 2, "%.2f");
    changed |= ImGui::SliderFloat("Cursor blink", &style.cursor_blink_seconds, 0, 2, "%.2f s");
    changed |= ImGui::SliderFloat("Bell", &style.bell_seconds, 0, 1, "%.2f s");
  }
  return changed;
}

}  // namespace tuxarium::imgui
