#include "workbench.hpp"

#include <imgui.h>

#include <algorithm>
#include <utility>

#include <tuxarium/version.hpp>

#include "fonts.hpp"
#include "open_link.hpp"

namespace tuxarium::viewer {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kSlice = 4ms;  // between two looks at serial port and clock
constexpr std::size_t kMostProblems = 10;
constexpr const char* kProblemTitle = "Something is wrong";

}  // namespace

Workbench::Workbench(Settings settings) : settings_{std::move(settings)} { set_colours(settings_.style()); }
Workbench::~Workbench() = default;

imgui::ConsoleOptions Workbench::console_options() const {
  imgui::ConsoleOptions options;
  options.terminal.input = imgui::InputSource::host_events;
  options.terminal.copy_on_select = settings_.copy_on_select;
  options.terminal.open_link = [this](const std::string& address) {
    if (const auto opened = open_link(address); !opened) const_cast<Workbench*>(this)->complain(opened.error().message);
  };
  options.show_clipboard = settings_.parts.clipboard;
  options.show_status = settings_.parts.status;
  options.show_machine = settings_.parts.machine;
  return options;
}

void Workbench::start(const MachineWords& words, app::MachineOptions options) {
  tabs_.push_back(std::make_unique<MachineTab>(words, std::move(options), console_options(), settings_.style(), settings_.zoom));
  if (tabs_.size() == 1) first_ = tabs_.back().get();
  front_ = tabs_.size() - 1;
  bring_to_front_ = true;
}

void Workbench::start(const MachineWords& words) {
  auto options = to_machine_options(words);
  if (!options) return complain(options.error().message);
  start(words, std::move(*options));
}

void Workbench::drop(const std::vector<std::filesystem::path>& files) {
  for (const auto& path : files) {
    const auto file = recognize(path);
    if (!file) {
      complain(file.error().message);
    } else if (file->kind == DroppedFile::Kind::jslinux) {
      start({"--boot", "jslinux:" + path.string()});
    } else if (file->kind == DroppedFile::Kind::rom) {
      start({"--boot", "rom:" + path.string()});
    } else {
      dialog_.open_with(*file);
    }
  }
}

void Workbench::complain(const std::string& sentence) {
  if (problems_.size() < kMostProblems) problems_.push_back(sentence);
}

void Workbench::take_loaded(std::chrono::milliseconds wait) {
  std::erase_if(abandoned_, [](const Loading& loading) { return loading.wait_for(0s) == std::future_status::ready; });
  for (std::size_t i = 0; i < tabs_.size();) {
    const bool had = tabs_[i]->console() != nullptr;
    if (const auto problem = tabs_[i]->take_loaded(i == front_ ? wait : 0ms)) {
      complain(problem->message);
      close(i);
      continue;
    }
    if (!had && tabs_[i]->console() != nullptr) settings_.remember(tabs_[i]->words());
    ++i;
  }
}

void Workbench::close(std::size_t index) {
  if (Loading loading = tabs_[index]->take_loading(); loading.valid()) abandoned_.push_back(std::move(loading));
  if (tabs_[index].get() == first_) first_ = nullptr;
  tabs_.erase(tabs_.begin() + static_cast<std::ptrdiff_t>(index));
  if (front_ > index || front_ == tabs_.size()) front_ -= front_ > 0 ? 1 : 0;
  bring_to_front_ = true;
}

Workbench::Work Workbench::run(Clock::time_point until) {
  Work work{.busy = false, .idle_for = 1s};
  for (auto& tab : tabs_) tab->latest = {};
  auto now = Clock::now();
  for (bool again = true; again;) {
    again = false;
    for (auto& tab : tabs_) {
      imgui::ConsoleWindow* const console = tab->console();
      if (console == nullptr || tab->latest.reason != StopReason::budget_spent) continue;
      tab->latest = console->run({.cycles = 0, .wall = std::clamp<std::chrono::nanoseconds>(until - now, 500us, kSlice)});
      console->exchange();
      now = Clock::now();
      again |= tab->latest.reason == StopReason::budget_spent;
    }
    again = again && now < until;
  }
  for (auto& tab : tabs_) {
    if (tab->console() == nullptr) continue;
    const StopReason reason = tab->latest.reason;
    work.busy |= reason == StopReason::budget_spent || reason == StopReason::reset || reason == StopReason::triple_fault;
    if (reason == StopReason::idle) work.idle_for = std::min(work.idle_for, std::max<std::chrono::nanoseconds>(tab->latest.idle_for, 500us));
  }
  return work;
}

imgui::ConsoleWindow* Workbench::front() { return front_ < tabs_.size() ? tabs_[front_]->console() : nullptr; }
imgui::ConsoleWindow* Workbench::first() { return first_ != nullptr ? first_->console() : nullptr; }

std::uint64_t Workbench::generation() const {
  imgui::ConsoleWindow* const console = const_cast<Workbench*>(this)->front();
  return console != nullptr ? console->terminal().generation() : 0;
}

std::string Workbench::title() {
  imgui::ConsoleWindow* const console = front();
  if (console == nullptr || console->terminal().title().empty()) return "Tuxarium";
  return console->terminal().title() + " - Tuxarium";
}

std::optional<imgui::Extent> Workbench::preferred_extent() {
  if (front() == nullptr) return std::nullopt;
  imgui::Extent extent = front()->preferred_extent();
  const ImVec2 padding = ImGui::GetStyle().WindowPadding;
  extent.width += 2 * padding.x;
  extent.height += 2 * padding.y + ImGui::GetFrameHeight() * (tabs_.size() > 1 ? 2 : 1);
  return extent;
}

void Workbench::apply_look() {
  const imgui::Style style = settings_.style();
  set_colours(style);
  for (auto& tab : tabs_) {
    imgui::ConsoleWindow* const console = tab->console();
    if (console == nullptr) continue;
    console->terminal().style() = style;
    console->parts() = settings_.parts;
  }
}

// --- menus

void Workbench::machine_menu() {
  if (ImGui::MenuItem("New: Tuxarium's Linux")) start(MachineWords{});
  if (ImGui::MenuItem("New: kernel, disk...")) dialog_.open();
  if (ImGui::BeginMenu("Recent", !settings_.recent.empty())) {
    std::optional<MachineWords> chosen;
    for (std::size_t i = 0; i < settings_.recent.size(); ++i) {
      ImGui::PushID(static_cast<int>(i));
      if (ImGui::MenuItem(name_of(settings_.recent[i]).c_str())) chosen = settings_.recent[i];
      if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", to_line(settings_.recent[i]).c_str());
      ImGui::PopID();
    }
    ImGui::Separator();
    if (ImGui::MenuItem("Forget all")) settings_.recent.clear();
    ImGui::EndMenu();
    if (chosen) start(*chosen);
  }
  ImGui::Separator();
  imgui::ConsoleWindow* const console = front();
  const imgui::RunState state = console != nullptr ? console->machine_panel().state() : imgui::RunState::off;
  const bool stands = state == imgui::RunState::off || state == imgui::RunState::halted;
  if (ImGui::MenuItem(state == imgui::RunState::paused ? "Run" : "Pause", nullptr, false, console != nullptr && !stands)) {
    if (state == imgui::RunState::paused) console->machine_panel().resume();
    else console->machine_panel().pause();
  }
  if (ImGui::MenuItem("Reset", nullptr, false, console != nullptr)) console->machine_panel().reset();
  if (ImGui::MenuItem(stands ? "Power on" : "Power off", nullptr, false, console != nullptr)) {
    if (stands) console->machine_panel().resume();
    else console->machine_panel().power_off();
  }
  if (ImGui::MenuItem("Close", nullptr, false, front_ < tabs_.size())) close(front_);
  ImGui::Separator();
  if (ImGui::MenuItem("Quit")) quit_ = true;
}

void Workbench::edit_menu() {
  imgui::ConsoleWindow* const console = front();
  const bool any = console != nullptr;
  const auto copy = [&](imgui::CopyFormat format) {
    if (const std::string text = console->terminal().selected_text(format); !text.empty()) ImGui::SetClipboardText(text.c_str());
  };
  if (ImGui::MenuItem("Copy", "Ctrl-Shift-C", false, any)) copy(imgui::CopyFormat::plain);
  if (ImGui::MenuItem("Copy as HTML", nullptr, false, any)) copy(imgui::CopyFormat::html);
  if (ImGui::MenuItem("Copy with escape sequences", nullptr, false, any)) copy(imgui::CopyFormat::ansi);
  if (ImGui::MenuItem("Paste", "Ctrl-Shift-V", false, any)) {
    if (const char* text = ImGui::GetClipboardText()) console->terminal().paste(text);
  }
  if (ImGui::MenuItem("Find", "Ctrl-Shift-F", false, any)) console->terminal().find();
}

void Workbench::view_menu() {
  bool changed = false;
  if (ImGui::BeginMenu("Theme")) {
    for (int i = 0; i < static_cast<int>(imgui::Theme::count); ++i) {
      const auto theme = static_cast<imgui::Theme>(i);
      if (!ImGui::MenuItem(imgui::theme_name(theme), nullptr, settings_.theme == theme)) continue;
      settings_.theme = theme;
      changed = true;
    }
    ImGui::EndMenu();
  }
  imgui::ConsoleWindow* const console = front();
  const auto zoom = [&](const char* name, const char* keys, float factor) {
    if (!ImGui::MenuItem(name, keys, false, console != nullptr)) return;
    console->terminal().set_zoom(factor == 0 ? 1 : console->terminal().zoom() * factor);
  };
  zoom("Larger", "Ctrl +", 1.1f);
  zoom("Smaller", "Ctrl -", 1 / 1.1f);
  zoom("Usual size", "Ctrl 0", 0);
  ImGui::Separator();
  changed |= ImGui::MenuItem("Machine panel", nullptr, &settings_.parts.machine);
  changed |= ImGui::MenuItem("Clipboard box", nullptr, &settings_.parts.clipboard);
  changed |= ImGui::MenuItem("Status line", nullptr, &settings_.parts.status);
  ImGui::Separator();
  ImGui::MenuItem("Style editor", nullptr, &show_style_, console != nullptr);
  if (ImGui::MenuItem("Screenshot")) picture_wanted_ = true;
  ImGui::MenuItem("Demo of the terminal", nullptr, &show_demo_);
  if (changed) apply_look();
}

void Workbench::help_menu() {
  ImGui::MenuItem("Keys and mouse", nullptr, &show_keys_);
  ImGui::Separator();
  ImGui::TextDisabled("Tuxarium %s, Dear ImGui %s", TUXARIUM_VERSION, ImGui::GetVersion());
}

void Workbench::draw_menu_bar() {
  if (!ImGui::BeginMenuBar()) return;
  const auto menu = [&](const char* name, void (Workbench::*contents)()) {
    if (!ImGui::BeginMenu(name)) return;
    (this->*contents)();
    ImGui::EndMenu();
  };
  menu("Machine", &Workbench::machine_menu);
  menu("Edit", &Workbench::edit_menu);
  menu("View", &Workbench::view_menu);
  menu("Help", &Workbench::help_menu);
  if (!news_.empty()) ImGui::TextDisabled("%s", news_.c_str());
  ImGui::EndMenuBar();
}

// --- contents

void Workbench::draw_tabs() {
  if (tabs_.empty()) return draw_front_page();
  if (tabs_.size() == 1) {
    front_ = 0;
    return tabs_[0]->draw_contents();
  }
  std::optional<std::size_t> closed;
  if (ImGui::BeginTabBar("machines")) {
    for (std::size_t i = 0; i < tabs_.size(); ++i) {
      bool open = true;
      const std::string label = tabs_[i]->name() + "###" + std::to_string(reinterpret_cast<std::uintptr_t>(tabs_[i].get()));
      const bool bring = bring_to_front_ && i == front_;
      if (ImGui::BeginTabItem(label.c_str(), &open, bring ? ImGuiTabItemFlags_SetSelected : 0)) {
        if (!bring_to_front_ && front_ != i) {
          front_ = i;
          if (tabs_[i]->console() != nullptr) tabs_[i]->console()->terminal().request_focus();
        }
        ImGui::PushID(tabs_[i].get());
        tabs_[i]->draw_contents();
        ImGui::PopID();
        ImGui::EndTabItem();
      }
      if (!open) closed = i;
    }
    ImGui::EndTabBar();
  }
  bring_to_front_ = false;
  if (closed) close(*closed);
}

void Workbench::draw_front_page() {
  ImGui::Dummy({0, ImGui::GetFontSize() * 2});
  ImGui::TextUnformatted("No machine is running.");
  ImGui::Spacing();
  if (ImGui::Button("Start Tuxarium's Linux")) start(MachineWords{});
  ImGui::SameLine();
  if (ImGui::Button("Start a kernel or disk...")) dialog_.open();
  ImGui::Spacing();
  ImGui::TextWrapped("Or drop a kernel, a disk or the folder of a JSLinux on this window.");
}

void Workbench::draw_dialogs() {
  if (const auto machine = dialog_.draw()) start(*machine);
  if (!problems_.empty() && !ImGui::IsPopupOpen(kProblemTitle)) ImGui::OpenPopup(kProblemTitle);
  if (ImGui::BeginPopupModal(kProblemTitle, nullptr, ImGuiWindowFlags_AlwaysAutoResize)) {
    ImGui::PushTextWrapPos(ImGui::GetFontSize() * 32);
    ImGui::TextUnformatted(problems_.empty() ? "" : problems_.front().c_str());
    ImGui::PopTextWrapPos();
    ImGui::Spacing();
    if (ImGui::Button("OK", {ImGui::GetFontSize() * 6, 0})) {
      if (!problems_.empty()) problems_.erase(problems_.begin());
      ImGui::CloseCurrentPopup();
    }
    ImGui::EndPopup();
  }
  if (show_demo_ || demo_ != nullptr) imgui::ShowDemoWindow(demo_, &show_demo_);
  const float em = ImGui::GetFontSize();
  if (show_style_ && front() != nullptr) {
    ImGui::SetNextWindowSize({em * 26, em * 30}, ImGuiCond_FirstUseEver);
    if (ImGui::Begin("Style editor", &show_style_)) imgui::ShowStyleEditor(front()->terminal().style());
    ImGui::End();
  }
  if (show_keys_) {
    if (ImGui::Begin("Keys and mouse", &show_keys_, ImGuiWindowFlags_AlwaysAutoResize)) imgui::ShowKeysAndMouse();
    ImGui::End();
  }
}

void Workbench::draw() {
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  ImGui::SetNextWindowPos(viewport.Pos);
  ImGui::SetNextWindowSize(viewport.Size);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
  constexpr ImGuiWindowFlags kFlags = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                                      ImGuiWindowFlags_MenuBar | ImGuiWindowFlags_NoBringToFrontOnFocus;
  ImGui::Begin("console", nullptr, kFlags);
  ImGui::PopStyleVar();
  draw_menu_bar();
  draw_tabs();
  draw_dialogs();
  ImGui::End();
  if (imgui::ConsoleWindow* const console = front()) settings_.zoom = console->terminal().zoom();
}

}  // namespace tuxarium::viewer
