// The viewer's main loop: the display keeps its rate, and the guest gets the rest of each frame.
#pragma once

#include <chrono>

#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/console_window.hpp>

#include "script.hpp"
#include "viewer_options.hpp"
#include "window.hpp"

namespace tuxarium::viewer {

class FrameLoop {
 public:
  FrameLoop(Machine& machine, imgui::ConsoleWindow& console, Window& window, const ViewerOptions& options)
      : machine_{machine}, console_{console}, window_{window}, options_{options}, script_{options} {}

  /// Until the user closes the window or the script ends; returns the exit status.
  int run();

 private:
  using Clock = std::chrono::steady_clock;

  RunResult run_guest(Clock::time_point until);
  bool something_to_show(bool touched);
  void draw(Picture* picture);
  bool save_screenshot();
  void show_title();

  Machine& machine_;
  imgui::ConsoleWindow& console_;
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
