// What the viewer remembers between two runs, as a small text file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/result.hpp>
#include <tuxarium_imgui/console_window.hpp>
#include <tuxarium_imgui/style.hpp>

#include "machine_words.hpp"

namespace tuxarium::viewer {

struct Settings {
  static constexpr std::size_t kMaxRecent = 10;

  imgui::Theme theme = imgui::Theme::dark;
  float zoom = 1;
  imgui::ConsoleParts parts;
  bool copy_on_select = true;
  bool bold_is_bright = true;
  bool draw_boxes = true;
  int padding = 6;
  int width = 0, height = 0;          ///< of the window in pixels; 0: what the console needs
  std::vector<MachineWords> recent;   ///< the latest first; at most kMaxRecent

  imgui::Style style() const;
  /// Puts a machine first.
  void remember(const MachineWords& machine);
};

/// Lines `name = value`; `#` begins a comment. Fails with a sentence that names the line; a name that is not known is passed over.
Result<Settings> parse_settings(std::string_view text);
std::string to_text(const Settings& settings);

/// $XDG_CONFIG_HOME/tuxarium/viewer.conf, or ~/.config; empty when the environment names neither.
std::filesystem::path default_settings_file();

/// A file that is not there gives the defaults. One that cannot be used is a sentence, and nothing is changed.
Result<Settings> load_settings(const std::filesystem::path& file);

/// By way of a new file that is renamed, so that the old one or the new one is there, whole. Makes the folder.
Result<void> save_settings(const std::filesystem::path& file, const Settings& settings);

}  // namespace tuxarium::viewer
