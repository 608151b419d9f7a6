#include "clipboard_box.hpp"

#include <algorithm>
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
  guest_writes_ = buffer.guest_writes();
  shown_ = part;
  cut_ = part.size() != buffer.text().size();
}

void ClipboardBox::draw_header(ClipboardBuffer& buffer) {
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Clipboard");
  ImGui::SameLine();
  if (cut_) {
    ImGui::TextDisabled("The text has %zu bytes; the first %zu are shown and cannot be edited here.", buffer.text().size(), shown_.size());
  } else {
    ImGui::TextDisabled("/dev/clipboard in the guest");
  }
  const float width = ImGui::CalcTextSize("Clear").x + 2 * ImGui::GetStyle().FramePadding.x;
  ImGui::SameLine(ImGui::GetContentRegionMax().x - width);
  if (ImGui::Button("Clear")) {
    buffer.set_text({});
    take_over(buffer);
    ++guest_writes_;  // a box that is being edited starts anew
  }
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
