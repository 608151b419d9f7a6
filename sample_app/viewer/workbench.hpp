// What is in the viewer's window: menu bar, machines in tabs, dialogs.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium_imgui/console_window.hpp>
#include <tuxarium_imgui/demo_window.hpp>

#include "machine_dialog.hpp"
#include "machine_tab.hpp"
#include "settings.hpp"

namespace tuxarium::viewer {

/// Inside one Dear ImGui context. Threading: the main thread.
class Workbench {
 public:
  explicit Workbench(Settings settings);
  ~Workbench();

  /// A new tab, which comes to the front.
  void start(const MachineWords& words, app::MachineOptions options);
  /// The same with what the user chose; a sentence in the window when it cannot be.
  void start(const MachineWords& words);
  /// Files that the user dropped on the window or named on the command line.
  void drop(const std::vector<std::filesystem::path>& files);
  /// A sentence that the user is to read.
  void complain(const std::string& sentence);

  /// Takes over what has been loaded. With `wait`, gives the front tab that long.
  void take_loaded(std::chrono::milliseconds wait = std::chrono::milliseconds{0});

  struct Work {
    bool busy = false;                  ///< some guest would go on at once
    std::chrono::nanoseconds idle_for;  ///< else: until some guest wants to
  };
  /// Runs all machines in turn until then.
  Work run(std::chrono::steady_clock::time_point until);

  /// Everything, in the whole main viewport.
  void draw();

  /// What changes when the picture does, besides the user's input.
  std::uint64_t generation() const;

  /// Of the front tab; nullptr while there is none.
  imgui::ConsoleWindow* front();
  /// Of the first machine that was started, as long as it has a tab.
  imgui::ConsoleWindow* first();
  std::string title();
  /// The space that the front console and what is around it need; nothing while there is none.
  std::optional<imgui::Extent> preferred_extent();

  bool wants_to_quit() const { return quit_; }
  bool take_picture_wish() { return std::exchange(picture_wanted_, false); }
  void say(const std::string& news) { news_ = news; }

  const Settings& settings() const { return settings_; }
  std::optional<std::string> problem() const { return problems_.empty() ? std::nullopt : std::optional{problems_.front()}; }

 private:
  void draw_menu_bar();
  void machine_menu();
  void edit_menu();
  void view_menu();
  void help_menu();
  void draw_tabs();
  void draw_dialogs();
  void draw_front_page();
  void apply_look();
  void close(std::size_t index);
  imgui::ConsoleOptions console_options() const;

  Settings settings_;
  std::vector<std::unique_ptr<MachineTab>> tabs_;
  std::vector<Loading> abandoned_;  // of tabs that were closed while they were loaded
  MachineTab* first_ = nullptr;
  std::size_t front_ = 0;
  bool bring_to_front_ = false;
  MachineDialog dialog_;
  std::vector<std::string> problems_;  // the first is shown; at most kMostProblems
  std::string news_;
  std::unique_ptr<imgui::DemoWindow> demo_;
  bool show_demo_ = false, show_style_ = false, show_keys_ = false;
  bool quit_ = false, picture_wanted_ = false;
};

}  // namespace tuxarium::viewer
