// What differs between the releases of Dear ImGui that we support: 1.86 to 1.93. The only place with IMGUI_VERSION_NUM, except key_map.cpp.
#pragma once

#include <imgui.h>
#include <imgui_internal.h>

namespace tuxarium::imgui {

/// The glyphs of the current font at its current size.
class GlyphSource {
 public:
#if IMGUI_VERSION_NUM >= 19200
  GlyphSource() : font_{ImGui::GetFontBaked()}, scale_{ImGui::GetFontSize() / font_->Size} {}
  float advance(ImWchar c) const { return font_->GetCharAdvance(c) * scale_; }
#else
  GlyphSource() : font_{ImGui::GetFont()}, scale_{ImGui::GetFontSize() / font_->FontSize} {}
  float advance(ImWchar c) const { return font_->GetCharAdvance(c) * scale_; }
#endif
  float scale() const { return scale_; }

  /// The glyph of a code point, or the font's replacement; nullptr when it has neither.
  const ImFontGlyph* find(char32_t code_point) const {
    const bool fits = sizeof(ImWchar) > 2 || code_point <= 0xFFFF;
    return font_->FindGlyph(fits ? static_cast<ImWchar>(code_point) : static_cast<ImWchar>(0xFFFD));
  }

 private:
#if IMGUI_VERSION_NUM >= 19200
  ImFontBaked* font_;
#else
  ImFont* font_;
#endif
  float scale_;
};

/// Whether glyphs are made when they are first asked for, which may give the font another texture: a caller asks for all that it draws in one go
/// before it draws.
inline constexpr bool kGlyphsOnDemand = IMGUI_VERSION_NUM >= 19200;

/// The right end of what the window's contents may take, from the window's left edge. Right after an item, before SameLine(). (GetContentRegionMax()
/// is gone with IMGUI_DISABLE_OBSOLETE_FUNCTIONS since 1.91.)
inline float content_right() { return ImGui::GetCursorPosX() + ImGui::GetContentRegionAvail().x; }

/// Whether a draw list takes more vertices than its indices can count. (ImDrawList::Flags says it too, but has had two types.)
inline bool takes_any_size() { return sizeof(ImDrawIdx) > 2 || (ImGui::GetIO().BackendFlags & ImGuiBackendFlags_RendererHasVtxOffset) != 0; }

/// Keeps Tab, Escape and the arrows from Dear ImGui's navigation. The caller's item must be the active one.
inline void keep_all_keys() {
#if IMGUI_VERSION_NUM >= 18800
  ImGui::SetActiveIdUsingAllKeyboardKeys();
#else
  ImGui::SetActiveIdUsingNavAndKeys();
#endif
}

/// Keeps the wheel, over the item just added, from scrolling the windows around it.
inline void keep_mouse_wheel() {
#if IMGUI_VERSION_NUM >= 18900
  ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
#else
  ImGui::SetItemUsingMouseWheel();
#endif
}

/// Asks the platform for text input, with its composition window at `caret`.
inline void want_text_input([[maybe_unused]] const ImVec2& caret, [[maybe_unused]] float line_height) {
  ImGuiContext& g = *ImGui::GetCurrentContext();
  g.WantTextInputNextFrame = 1;
#if IMGUI_VERSION_NUM >= 18700
  g.PlatformImeData.WantVisible = true;
  g.PlatformImeData.InputPos = caret;
  g.PlatformImeData.InputLineHeight = line_height;
#endif
#if IMGUI_VERSION_NUM >= 19180
  g.PlatformImeData.WantTextInput = true;
#endif
}

/// The current window's font at `factor` of the host's size, from construction to destruction.
class FontZoom {
 public:
#if IMGUI_VERSION_NUM >= 19200
  explicit FontZoom(float factor) { ImGui::PushFont(nullptr, ImGui::GetStyle().FontSizeBase * factor); }
  ~FontZoom() { ImGui::PopFont(); }
#else
  explicit FontZoom(float factor) { ImGui::SetWindowFontScale(factor); }
  ~FontZoom() { ImGui::SetWindowFontScale(1); }
#endif
  FontZoom(const FontZoom&) = delete;
  FontZoom& operator=(const FontZoom&) = delete;
};

/// Opens a child window without a border.
inline bool begin_plain_child(const char* id, const ImVec2& size, ImGuiWindowFlags flags) {
#if IMGUI_VERSION_NUM >= 19000
  return ImGui::BeginChild(id, size, ImGuiChildFlags_None, flags);
#else
  return ImGui::BeginChild(id, size, false, flags);
#endif
}

/// Draws the path collected in `list` as a line.
inline void stroke_path(ImDrawList& list, ImU32 color, float thickness) {
#if IMGUI_VERSION_NUM >= 19280
  list.PathStroke(color, thickness);
#else
  list.PathStroke(color, ImDrawFlags_None, thickness);
#endif
}

/// Opens a child window with the padding of a window.
inline bool begin_padded_child(const char* id, const ImVec2& size, ImGuiWindowFlags flags) {
#if IMGUI_VERSION_NUM >= 19000
  return ImGui::BeginChild(id, size, ImGuiChildFlags_AlwaysUseWindowPadding, flags);
#else
  return ImGui::BeginChild(id, size, false, flags | ImGuiWindowFlags_AlwaysUseWindowPadding);
#endif
}

/// Whether Escape went down in this frame.
inline bool escape_pressed() {
#if IMGUI_VERSION_NUM >= 18700
  return ImGui::IsKeyPressed(ImGuiKey_Escape, false);
#else
  return ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_Escape), false);
#endif
}

}  // namespace tuxarium::imgui
