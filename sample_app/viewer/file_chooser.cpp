#include "file_chooser.hpp"

#include <imgui.h>

#include <algorithm>
#include <utility>

namespace tuxarium::viewer {

namespace fs = std::filesystem;

void FileChooser::enter(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator at{folder, fs::directory_options::skip_permission_denied, error};
  if (error) {
    problem_ = "'" + folder.string() + "' cannot be read: " + error.message() + ".";
    return;
  }
  problem_.clear();
  selected_.clear();
  entries_.clear();
  folder_ = folder;
  for (; at != fs::directory_iterator{} && entries_.size() < kMostEntries; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with('.')) entries_.push_back({name, at->is_directory(error)});
    if (error) break;
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return std::pair{!a.folder, a.name} < std::pair{!b.folder, b.name}; });
}

void FileChooser::open(const char* title, const fs::path& start) {
  title_ = title;
  std::error_code error;
  fs::path folder = fs::is_directory(start, error) ? start : start.parent_path();
  if (folder.empty() || !fs::is_directory(folder, error)) folder = fs::current_path(error);
  enter(folder);
  ImGui::OpenPopup(title_.c_str());
}

std::optional<fs::path> FileChooser::draw() {
  std::optional<fs::path> chosen;
  const float em = ImGui::GetFontSize();
  ImGui::SetNextWindowSize({em * 34, em * 26}, ImGuiCond_Appearing);
  if (!ImGui::BeginPopupModal(title_.c_str())) return chosen;
  ImGui::TextWrapped("%s", folder_.string().c_str());
  fs::path next;
  ImGui::BeginChild("entries", {0, -2 * ImGui::GetFrameHeightWithSpacing()}, true);
  if (ImGui::Selectable("..", false, ImGuiSelectableFlags_DontClosePopups)) next = folder_.parent_path();
  for (const Entry& entry : entries_) {
    const std::string label = entry.name + (entry.folder ? "/" : "");
    if (!ImGui::Selectable(label.c_str(), entry.name == selected_, ImGuiSelectableFlags_DontClosePopups | ImGuiSelectableFlags_AllowDoubleClick)) continue;
    selected_ = entry.name;
    if (!ImGui::IsMouseDoubleClicked(0)) continue;
    if (entry.folder) {
      next = folder_ / entry.name;
    } else {
      chosen = folder_ / entry.name;
    }
  }
  ImGui::EndChild();
  if (!next.empty()) enter(next);
  ImGui::TextWrapped("%s", problem_.empty() ? "A double click opens a folder." : problem_.c_str());
  if (ImGui::Button("Choose")) chosen = selected_.empty() ? folder_ : folder_ / selected_;
  ImGui::SameLine();
  if (ImGui::Button("Cancel") || chosen) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
  return chosen;
}

}  // namespace tuxarium::viewer
