// The viewer's command line.
#pragma once

#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <tuxarium_imgui/style.hpp>

#include "machine_options.hpp"
#include "machine_words.hpp"

namespace tuxarium::viewer {

/// Text to type once the screen shows something.
struct Typing {
  std::optional<std::regex> after;  ///< unset: at once
  std::string text;                 ///< bytes, escapes already replaced
};

struct ViewerOptions {
  app::MachineOptions machine;
  MachineWords words;  ///< the same as words
  std::vector<std::filesystem::path> files;  ///< to open as if dropped; then `machine` is started only if it was asked for, too
  std::optional<std::string> settings_file;  ///< unset: the usual place; empty: none
  std::optional<imgui::Theme> theme;
  bool show_machine = false;
  int width = 0;  ///< pixels; 0: what an 80x30 console needs
  int height = 0;
  std::string font_file;  ///< empty: DejaVu Sans Mono where it is usually found, else Dear ImGui's own
  float font_size = 17;

  std::string screenshot;
  std::string dump_cells;
  std::optional<double> after_seconds;
  std::optional<std::regex> after_regex;
  bool exit_after_screenshot = false;
  std::optional<double> timeout_seconds;
  std::vector<Typing> typing;
};

/// Options, or a text to print and the status to end with.
struct ParsedViewer {
  std::optional<ViewerOptions> options;
  std::string text;
  int status = 0;
};

ParsedViewer parse_viewer_options(int argc, char** argv);

}  // namespace tuxarium::viewer
