// The viewer's main loop: the display keeps its rate, and the guests get the rest of each frame.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "script.hpp"
#include "viewer_options.hpp"
#include "window.hpp"
#include "workbench.hpp"

namespace tuxarium::viewer {

class FrameLoop {
 public:
  FrameLoop(Workbench& workbench, Window& window, const ViewerOptions& options)
      : workbench_{workbench}, window_{window}, options_{options}, script_{options} {}

  /// Until the user closes the window or the script ends; returns the exit status.
  int run();

 private:
  using Clock = std::chrono::steady_clock;

  bool something_to_show(bool touched);
  void draw(Picture* picture);
  bool save_screenshot(const std::filesystem::path& file);
  void take_picture_for_user();
  void show_title();
  /// The exit status, once there is one.
  std::optional<int> follow_script();

  Workbench& workbench_;
  Window& window_;
  const ViewerOptions& options_;
  Script script_;
  Clock::time_point last_draw_{};
  std::uint64_t drawn_generation_ = 0;
  std::chrono::nanoseconds draw_cost_{};
  int frames_left_to_settle_ = 3;
  std::string title_;
};

}  // namespace tuxarium::viewer
