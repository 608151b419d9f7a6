#include "clipboard_box.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <string_view>

#include "imgui_compat.hpp"

namespace tuxarium::imgui {
namespace {

int grow_with_text(ImGuiInputTextCallbackData* data) {
  if (data->EventFlag == ImGuiInputTextFlags_CallbackResize) {
    auto& text = *static_cast<std::string*>(data->UserData);
    text.resize(static_cast<std::size_t>(data->BufTextLen));
    data->Buf = text.data();
  }
  return 0;
}

// The part that a text box can show: up to `limit` bytes, a whole character at the end, and nothing behind a NUL.
std::string_view showable(std::string_view text, std::size_t limit) {
  text = text.substr(0, text.find('\0'));
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace

float ClipboardBox::total_height(float box_height) { return box_height + ImGui::GetFrameHeight() + ImGui::GetStyle().ItemSpacing.y; }

void ClipboardBox::take_over(const ClipboardBuffer& buffer) {
  const std::string_view part = showable(buffer.text(), limit_);
  if (buffer.guest_writes() == guest_writes_ && part == shown_) return;
  if (buffer.guest_writes() != guest_writes_) problem_ = {};
  guest_writes_ = buffer.guest_writes();
  shown_ = part;
  cut_ = part.size() != buffer.text().size();
}

void ClipboardBox::replace(ClipboardBuffer& buffer, std::string text) {
  problem_ = {};
  buffer.set_text(std::move(text));
  take_over(buffer);
  ++guest_writes_;  // a box that is being edited starts anew
}

void ClipboardBox::copy_out(const ClipboardBuffer& buffer) {
  problem_ = {};
  const std::size_t end = buffer.text().find('\0');
  if (end != std::string::npos) problem_.format("The system's clipboard takes text only: what is behind byte %zu, a NUL, was left out.", end);
  ImGui::SetClipboardText(buffer.text().c_str());
}

void ClipboardBox::take_in(ClipboardBuffer& buffer) {
  const char* const text = ImGui::GetClipboardText();
  const std::string_view all = text != nullptr ? text : "";
  problem_ = {};
  if (all.empty()) {
    problem_.add("There is no text in the system's clipboard.");
  } else if (all.size() > limit_) {
    problem_.format("The text in the system's clipboard has %zu bytes, and more than %zu are not taken.", all.size(), limit_);
  } else {
    replace(buffer, std::string{all});
  }
}

void ClipboardBox::draw_header(ClipboardBuffer& buffer) {
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Clipboard");
  ImGui::SameLine();
  if (problem_.size() > 0) {
    ImGui::TextUnformatted(problem_.c_str());
  } else if (cut_) {
    ImGui::TextDisabled("The text has %zu bytes; the first %zu are shown and cannot be edited here.", buffer.text().size(), shown_.size());
  } else {
    ImGui::TextDisabled("/dev/clipboard in the guest");
  }
  constexpr std::array kButtons{"Copy", "Paste", "Clear"};
  float width = 0;
  for (const char* name : kButtons) width += ImGui::CalcTextSize(name).x + 2 * ImGui::GetStyle().FramePadding.x;
  width += ImGui::GetStyle().ItemSpacing.x * static_cast<float>(kButtons.size() - 1);
  ImGui::SameLine(std::max(content_right() - width, 0.0f));
  if (ImGui::Button(kButtons[0])) copy_out(buffer);
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("To the system's clipboard");
  ImGui::SameLine();
  if (ImGui::Button(kButtons[1])) take_in(buffer);
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("From the system's clipboard");
  ImGui::SameLine();
  if (ImGui::Button(kButtons[2])) replace(buffer, {});
}

void ClipboardBox::draw(ClipboardBuffer& buffer, float height) {
  const std::uint64_t writes_before = guest_writes_;
  take_over(buffer);
  draw_header(buffer);
  // Dear ImGui keeps its own copy of a text that is being edited, so a new text from outside gets a new box.
  ImGui::PushID(static_cast<int>(buffer.guest_writes() & 0x7FFF'FFFF));
  ImGuiInputTextFlags flags = ImGuiInputTextFlags_CallbackResize | ImGuiInputTextFlags_AllowTabInput;
  if (cut_) flags |= ImGuiInputTextFlags_ReadOnly;
  const bool edited = ImGui::InputTextMultiline("##clipboard", shown_.data(), shown_.capacity() + 1, {-1.0f, height}, flags, grow_with_text,
                                                &shown_);
  ImGui::PopID();
  if (edited && !cut_ && guest_writes_ == writes_before) {
    if (shown_.size() > limit_) shown_.resize(showable(shown_, limit_).size());
    buffer.set_text(shown_);
  }
}

}  // namespace tuxarium::imgui
