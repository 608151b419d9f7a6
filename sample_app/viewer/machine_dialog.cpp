#include "machine_dialog.hpp"

#include <imgui.h>

#include <algorithm>
#include <utility>

namespace tuxarium::viewer {
namespace {

constexpr const char* kTitle = "New machine";
constexpr std::array kKinds{"Tuxarium's own Linux", "Linux kernel (bzImage, vmlinux)", "Folder of a JSLinux", "Multiboot kernel", "ROM"};
constexpr std::array kBoot{"default", "linux:", "jslinux:", "multiboot:", "rom:"};
constexpr std::array kAccess{"writes go to the disk", "read only"};

}  // namespace

void MachineDialog::set(Text& text, const std::string& value) {
  const std::size_t size = std::min(value.size(), text.size() - 1);
  std::copy_n(value.data(), size, text.data());
  text[size] = '\0';
}

void MachineDialog::open_with(const DroppedFile& file) {
  const std::string path = file.path.string();
  switch (file.kind) {
    case DroppedFile::Kind::jslinux: kind_ = 2; set(boot_, path); break;
    case DroppedFile::Kind::rom: kind_ = 4; set(boot_, path); break;
    case DroppedFile::Kind::kernel: kind_ = 1; set(boot_, path); break;
    case DroppedFile::Kind::multiboot: kind_ = 3; set(boot_, path); break;
    case DroppedFile::Kind::initrd: set(initrd_, path); break;
    case DroppedFile::Kind::pieces: set(disk_, "dir:" + path); break;
    case DroppedFile::Kind::image: set(disk_, "file:" + path); break;
  }
  open();
}

void MachineDialog::path_field(const char* name, const char* hint, Text& text) {
  ImGui::PushID(name);
  ImGui::SetNextItemWidth(ImGui::GetFontSize() * 26);
  ImGui::InputTextWithHint("##path", hint, text.data(), text.size());
  ImGui::SameLine();
  const bool browse = ImGui::Button("...");
  ImGui::SameLine();
  ImGui::TextUnformatted(name);
  ImGui::PopID();
  if (!browse) return;
  choosing_ = &text;
  const std::string path = text.data();
  chooser_.open("Choose a file or folder", path.substr(path.starts_with("file:") ? 5 : path.starts_with("dir:") ? 4 : 0));
}

void MachineDialog::draw_fields() {
  ImGui::SetNextItemWidth(ImGui::GetFontSize() * 26);
  ImGui::Combo("boots", &kind_, kKinds.data(), static_cast<int>(kKinds.size()));
  if (kind_ != 0) path_field("from", "path", boot_);
  if (kind_ != 4) {
    path_field("RAM disk", "none", initrd_);
    ImGui::SetNextItemWidth(ImGui::GetFontSize() * 26);
    ImGui::InputTextWithHint("command line", "the usual one", append_.data(), append_.size());
  }
  path_field(kind_ == 0 ? "second disk" : "disk", "none; an image, a folder of pieces, or http://HOST/PATH/", disk_);
  if (disk_[0] != '\0') ImGui::Combo("##access", &access_, kAccess.data(), static_cast<int>(kAccess.size()));
  if (kind_ != 0 && disk_[0] != '\0') path_field("takes its writes", "a file for what the guest changes; none", overlay_);
  ImGui::SetNextItemWidth(ImGui::GetFontSize() * 8);
  ImGui::InputText("memory", ram_.data(), ram_.size());
  ImGui::SetNextItemWidth(ImGui::GetFontSize() * 26);
  ImGui::InputTextWithHint("more", "options as on the command line, such as --cpu 486 --net none", more_.data(), more_.size());
}

MachineWords MachineDialog::words() const {
  MachineWords words;
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  const auto kind = static_cast<std::size_t>(kind_);
  if (kind_ != 0) add("--boot", kBoot[kind] + std::string{boot_.data()});
  if (kind_ != 4) {
    add("--initrd", initrd_.data());
    add("--append", append_.data());
  }
  std::string disk = disk_.data();
  if (!disk.empty() && disk.find(':') == std::string::npos) {
    std::error_code error;
    disk = (std::filesystem::is_directory(disk, error) ? "dir:" : "file:") + disk;
  }
  if (disk.starts_with("file:") && access_ == 1) disk += ",ro";
  add(kind_ == 0 ? "--hdb" : "--hda", disk);
  if (kind_ != 0 && !disk.empty()) add("--overlay", overlay_.data());
  if (std::string{ram_.data()} != "16M") add("--ram", ram_.data());
  if (const auto more = to_words(more_.data())) words.insert(words.end(), more->begin(), more->end());
  return words;
}

std::optional<MachineWords> MachineDialog::draw() {
  if (std::exchange(opening_, false)) {
    problem_.clear();
    ImGui::OpenPopup(kTitle);
  }
  std::optional<MachineWords> wanted;
  if (!ImGui::BeginPopupModal(kTitle, nullptr, ImGuiWindowFlags_AlwaysAutoResize)) return wanted;
  draw_fields();
  if (!problem_.empty()) {
    ImGui::PushTextWrapPos(ImGui::GetFontSize() * 36);
    ImGui::TextUnformatted(problem_.c_str());
    ImGui::PopTextWrapPos();
  }
  ImGui::Separator();
  if (ImGui::Button("Start")) {
    const auto options = to_machine_options(words());
    if (options) {
      wanted = words();
    } else {
      problem_ = options.error().message;
    }
  }
  ImGui::SameLine();
  if (ImGui::Button("Cancel") || wanted) ImGui::CloseCurrentPopup();
  if (const auto chosen = chooser_.draw(); chosen && choosing_ != nullptr) set(*choosing_, chosen->string());
  ImGui::EndPopup();
  return wanted;
}

}  // namespace tuxarium::viewer
