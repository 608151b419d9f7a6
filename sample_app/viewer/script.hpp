// What the viewer does without hands: type, wait for a text, take a screenshot, end.
#pragma once

#include <chrono>
#include <cstdint>
#include <regex>
#include <string>

#include <tuxarium_imgui/terminal_widget.hpp>

#include "viewer_options.hpp"

namespace tuxarium::viewer {

class Script {
 public:
  using Clock = std::chrono::steady_clock;

  enum class Step : std::uint8_t { go_on, take_screenshot, timed_out };

  explicit Script(const ViewerOptions& options) : options_{options}, start_{Clock::now()} {}

  /// Once a frame: types what is due, and says what else is. `terminal` is nullptr while there is none.
  Step step(imgui::TerminalWidget* terminal);

 private:
  bool matches(const std::regex& expression, imgui::TerminalWidget& terminal);
  void type_what_is_due(imgui::TerminalWidget& terminal);
  bool screenshot_is_due(imgui::TerminalWidget* terminal);

  const ViewerOptions& options_;
  Clock::time_point start_;
  std::size_t typed_ = 0;
  bool screenshot_done_ = false;
  std::string screen_;  // as of generation_
  std::uint64_t generation_ = 0;
};

}  // namespace tuxarium::viewer
