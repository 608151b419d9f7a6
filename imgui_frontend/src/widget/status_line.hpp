// One line on what a machine is doing.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/machine_panel.hpp>
#include <tuxarium_imgui/style.hpp>

#include "text_line.hpp"

namespace tuxarium::imgui {

class StatusLine {
 public:
  using Clock = std::chrono::steady_clock;

  void note_run(const RunResult& result, std::chrono::nanoseconds cost);

  /// Draws in the current window, one text line high. With `network`, what it says; otherwise what passes through the second serial port.
  void draw(Machine& machine, RunState state, const Style& style, const NetworkLink* network);

 private:
  // What is shown changes twice a second, so that it can be read.
  struct Window {
    Clock::time_point start{};
    std::uint64_t first_cycles = 0;
    unsigned runs = 0;
    unsigned busy_runs = 0;
    std::chrono::nanoseconds cost{0};
  };
  struct Light {
    std::uint64_t count = 0;
    Clock::time_point changed{};
    bool lit(Clock::time_point now) const;
    void update(std::uint64_t total, Clock::time_point now);
  };

  void measure(Machine& machine, Clock::time_point now);
  static void draw_state(RunState state, const Style& style);
  void draw_serial(Machine& machine, const Style& style, Clock::time_point now);
  void draw_network(const NetworkLink& network, const Style& style, Clock::time_point now);
  void draw_lights_and_text(const TextLine& text, std::span<const Rgba> lights);
  std::array<Rgba, 2> traffic_lights(const Style& style, Clock::time_point now) const;

  Window window_;
  double mips_ = 0;
  double milliseconds_a_run_ = -1;  // negative: the host does not say
  bool busy_ = true;
  Light from_guest_;
  Light to_guest_;
};

}  // namespace tuxarium::imgui
