#include "search_bar.hpp"

#include <algorithm>
#include <utility>

namespace tuxarium::imgui {

void SearchBar::open(std::string_view text, bool regular_expression) {
  if (!text.empty()) {
    const std::size_t size = std::min(text.size(), text_.size() - 1);
    std::copy_n(text.data(), size, text_.data());
    text_[size] = '\0';
    regular_expression_ = regular_expression;
  }
  open_ = focus_ = true;
}

SearchBar::Action SearchBar::draw(ImVec2 a, ImVec2 b, const vt::Search& search) {
  Action action = Action::none;
  const ImGuiStyle& style = ImGui::GetStyle();
  const float em = ImGui::GetFontSize();
  const float width = std::min(em * 32, b.x - a.x - 16), height = ImGui::GetFrameHeight() + 2 * style.WindowPadding.y +
      (search.error().empty() && !search.failed() ? 0 : ImGui::GetTextLineHeightWithSpacing());
  ImGui::SetCursorScreenPos({b.x - width - 12, a.y + 6});
  ImVec4 ground = ImGui::GetStyleColorVec4(ImGuiCol_PopupBg);
  ground.w = 1;
  ImGui::PushStyleColor(ImGuiCol_ChildBg, ground);
  if (begin_padded_child("search", {width, height}, ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoMove)) {
    ImGui::PushItemWidth(std::max(em * 6, width - em * 21));
    if (std::exchange(focus_, false)) ImGui::SetKeyboardFocusHere();
    const bool entered = ImGui::InputTextWithHint("##text", "Search", text_.data(), text_.size(),
                                                  ImGuiInputTextFlags_EnterReturnsTrue | ImGuiInputTextFlags_AutoSelectAll);
    ImGui::PopItemWidth();
    if (ImGui::IsItemEdited()) action = Action::changed;
    const bool escaped = ImGui::IsItemDeactivated() && !entered && escape_pressed();
    if (entered) {
      action = ImGui::GetIO().KeyShift ? Action::next : Action::previous;
      focus_ = true;
    }
    ImGui::SameLine();
    if (ImGui::Checkbox("regex", &regular_expression_)) action = Action::changed;
    ImGui::SameLine();
    if (ImGui::Checkbox("Aa", &match_case_)) action = Action::changed;
    ImGui::SameLine();
    if (ImGui::ArrowButton("##previous", ImGuiDir_Up)) action = Action::previous;
    ImGui::SameLine();
    if (ImGui::ArrowButton("##next", ImGuiDir_Down)) action = Action::next;
    ImGui::SameLine();
    if (ImGui::Button("x") || escaped) action = Action::closed;
    if (!search.error().empty()) {
      ImGui::TextUnformatted(search.error().c_str());
    } else if (search.failed()) {
      ImGui::TextUnformatted("Not found.");
    }
  }
  ImGui::EndChild();
  ImGui::PopStyleColor();
  if (action == Action::closed) open_ = false;
  return action;
}

}  // namespace tuxarium::imgui
