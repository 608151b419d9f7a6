#include "fonts.hpp"

#include <imgui.h>

#include <array>
#include <cmath>
#include <filesystem>

namespace tuxarium::viewer {
namespace {

constexpr std::array kUsualPlaces{
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono.ttf",
    "/usr/share/fonts/TTF/DejaVuSansMono.ttf",
    "/usr/share/fonts/dejavu/DejaVuSansMono.ttf",
};

// Pairs of first and last: Latin, Greek, Cyrillic; punctuation, arrows, mathematics, technical, lines and blocks, shapes; the replacement.
constexpr ImWchar kRanges[] = {0x0020, 0x024F, 0x0300, 0x036F, 0x0370, 0x052F, 0x1E00, 0x1EFF, 0x2000, 0x206F, 0x20A0, 0x20BF, 0x2100, 0x214F,
                               0x2190, 0x21FF, 0x2200, 0x22FF, 0x2300, 0x23FF, 0x2500, 0x259F, 0x25A0, 0x27BF, 0xFFFD, 0xFFFD, 0};

bool add_font(const std::string& file, float pixels) {
  ImFontConfig config;
  config.OversampleH = 2;
  config.OversampleV = 1;
  config.PixelSnapH = true;
  return ImGui::GetIO().Fonts->AddFontFromFileTTF(file.c_str(), pixels, &config, kRanges) != nullptr;
}

ImVec4 colour(unsigned rgb, float alpha = 1) {
  const auto part = [&](unsigned shift) { return static_cast<float>((rgb >> shift) & 0xFF) / 255; };
  return {part(16), part(8), part(0), alpha};
}

}  // namespace

Result<void> load_font(const std::string& file, float pixels) {
  pixels = std::round(pixels);
  if (!file.empty()) {
    if (add_font(file, pixels)) return {};
    return Error{ErrorCode::bad_image, "The font " + file + " cannot be used; it must be a TrueType font."};
  }
  std::error_code ignored;
  for (const char* place : kUsualPlaces) {
    if (std::filesystem::exists(place, ignored) && add_font(place, pixels)) return {};
  }
  ImGui::GetIO().Fonts->AddFontDefault();
  return {};
}

void set_colours(const imgui::Style& terminal) {
  const bool light = terminal.background.red + terminal.background.green + terminal.background.blue > 3 * 128;
  if (light) ImGui::StyleColorsLight();
  else ImGui::StyleColorsDark();
  ImGuiStyle& style = ImGui::GetStyle();
  style.WindowPadding = {10, 10};
  style.FramePadding = {8, 4};
  style.ItemSpacing = {8, 7};
  style.FrameRounding = 3;
  style.ScrollbarRounding = 3;
  style.WindowBorderSize = 0;
  auto& c = style.Colors;
  if (light) {
    c[ImGuiCol_FrameBg] = colour(0xDFE3E8);
    c[ImGuiCol_TextDisabled] = colour(0x6A7280);
    return;
  }
  c[ImGuiCol_WindowBg] = colour(0x1A1D24);
  c[ImGuiCol_PopupBg] = colour(0x20242D);
  c[ImGuiCol_MenuBarBg] = colour(0x14171D);
  c[ImGuiCol_Text] = colour(0xC9CED8);
  c[ImGuiCol_TextDisabled] = colour(0x737B8A);
  c[ImGuiCol_FrameBg] = colour(0x12141A);
  c[ImGuiCol_Button] = colour(0x2B303A);
  c[ImGuiCol_ButtonHovered] = colour(0x3A4150);
  c[ImGuiCol_ButtonActive] = colour(0x4A5468);
  c[ImGuiCol_TextSelectedBg] = colour(0x3A5A8C, 0.7f);
  c[ImGuiCol_ScrollbarBg] = colour(0x12141A, 0);
  c[ImGuiCol_ScrollbarGrab] = colour(0x3A4150);
}

}  // namespace tuxarium::viewer
