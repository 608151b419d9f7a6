// tuxarium-viewer: machines in a window.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fonts.hpp"
#include "frame_loop.hpp"
#include "status.hpp"
#include "viewer_options.hpp"
#include "window.hpp"
#include "workbench.hpp"

namespace tuxarium::viewer {
namespace {

int complain(const std::string& sentence, int status) {
  std::fprintf(stderr, "tuxarium-viewer: %s\n", sentence.c_str());
  return status;
}

void show_at_its_size(Window& window, Workbench& workbench, const ViewerOptions& options) {
  constexpr int kUsualWidth = 900, kUsualHeight = 700;
  int width = options.width, height = options.height;
  if (width == 0) {
    width = workbench.settings().width;
    height = workbench.settings().height;
  }
  if (width == 0) {
    std::optional<imgui::Extent> extent;
    window.draw([&] { extent = workbench.preferred_extent(); });
    width = extent ? static_cast<int>(std::ceil(extent->width)) : kUsualWidth;
    height = extent ? static_cast<int>(std::ceil(extent->height)) : kUsualHeight;
  }
  window.show(width, height);
}

/// What is remembered, as the command line changes it. A file that cannot be used is a sentence for the window.
Settings settings_for(const ViewerOptions& options, const std::filesystem::path& file, std::optional<std::string>& problem) {
  Settings settings;
  if (auto loaded = load_settings(file)) {
    settings = std::move(*loaded);
  } else {
    problem = loaded.error().message;
  }
  if (options.theme) settings.theme = *options.theme;
  if (options.show_machine) settings.parts.machine = true;
  return settings;
}

/// The machine that the command line describes. Without a window to complain in, a bad image ends the program before it begins; only what may take
/// long goes on loading in the window.
std::optional<std::string> start_first(Workbench& workbench, const ViewerOptions& options) {
  if (!options.files.empty() && options.words.empty()) return std::nullopt;
  workbench.start(options.words, options.machine);
  workbench.take_loaded(options.machine.has_web_disk() ? std::chrono::milliseconds{300} : std::chrono::milliseconds{60'000});
  return workbench.problem();
}

bool write_text(const std::string& file, const std::string& text) {
  std::ofstream stream{file, std::ios::binary};
  stream << text;
  stream.close();
  return static_cast<bool>(stream);
}

/// With the window's size, unless the command line gave it.
void keep_settings(const Workbench& workbench, const Window& window, const ViewerOptions& options, const std::filesystem::path& file) {
  if (file.empty()) return;
  Settings settings = workbench.settings();
  if (options.width == 0) window.size(settings.width, settings.height);
  if (const auto saved = save_settings(file, settings); !saved) complain(saved.error().message, kFailed);
}

int view(const ViewerOptions& options) {
  auto window = Window::open("Tuxarium");
  if (!window) return complain(window.error().message, kNoWindow);
  const std::filesystem::path file = options.settings_file ? std::filesystem::path{*options.settings_file} : default_settings_file();
  std::optional<std::string> problem;
  Workbench workbench{settings_for(options, file, problem)};
  if (const auto loaded = load_font(options.font_file, options.font_size * window.value()->scale()); !loaded) {
    return complain(loaded.error().message, kWrongUsage);
  }
  if (const auto bad = start_first(workbench, options)) return complain(*bad, kWrongUsage);
  const bool settings_are_bad = problem.has_value();
  if (problem) workbench.complain(*problem);
  workbench.drop(options.files);
  window.value()->on_drop([&](const std::vector<std::filesystem::path>& files) { workbench.drop(files); });
  show_at_its_size(*window.value(), workbench, options);
  int status = FrameLoop{workbench, *window.value(), options}.run();
  if (!options.dump_cells.empty()) {
    imgui::ConsoleWindow* const console = workbench.first();
    if (!write_text(options.dump_cells, console != nullptr ? console->terminal().screen_text() : "")) {
      status = complain("The screen's text could not be written to " + options.dump_cells + ".", kFailed);
    }
  }
  // A file that could not be used may be worth mending: it stays.
  if (!settings_are_bad) keep_settings(workbench, *window.value(), options, file);
  window.value()->send_keys_to(nullptr);
  window.value()->on_drop({});
  return status;
}

}  // namespace
}  // namespace tuxarium::viewer

int main(int argc, char** argv) {
  using namespace tuxarium::viewer;
  try {
    const ParsedViewer parsed = parse_viewer_options(argc, argv);
    if (!parsed.options) {
      if (parsed.status != kDone) return complain(parsed.text, parsed.status);
      std::fputs(parsed.text.c_str(), stdout);
      return kDone;
    }
    return view(*parsed.options);
  } catch (const std::exception& problem) {
    return complain(problem.what(), kFailed);
  }
}
