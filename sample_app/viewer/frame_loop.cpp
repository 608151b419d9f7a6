#include "frame_loop.hpp"

#include <imgui.h>

#include <algorithm>
#include <cstdio>

#include "png.hpp"
#include "status.hpp"

namespace tuxarium::viewer {
namespace {

using namespace std::chrono_literals;

constexpr auto kSlice = 4ms;          // between two looks at serial port and clock
constexpr auto kQuietRefresh = 100ms;  // for the cursor and the status line when nothing else changes

}  // namespace

// In slices, with the console's bytes moved in between.
RunResult FrameLoop::run_guest(Clock::time_point until) {
  const auto start = Clock::now();
  RunResult result;
  auto now = start;
  do {
    result = machine_.run({.cycles = 0, .wall = std::clamp<std::chrono::nanoseconds>(until - now, 500us, kSlice)});
    if (result.reason == StopReason::power_off) break;
    console_.exchange();
    now = Clock::now();
  } while (result.reason == StopReason::budget_spent && now < until);
  console_.note_run(result, Clock::now() - start);
  return result;
}

void FrameLoop::draw(Picture* picture) {
  const auto start = Clock::now();
  std::chrono::nanoseconds submitted{};
  window_.draw(
      [&] {
        const ImGuiViewport& viewport = *ImGui::GetMainViewport();
        ImGui::SetNextWindowPos(viewport.Pos);
        ImGui::SetNextWindowSize(viewport.Size);
        ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
        ImGui::Begin("console", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings);
        console_.draw_contents();
        ImGui::End();
        ImGui::PopStyleVar();
        submitted = Clock::now() - start;
      },
      picture);
  draw_cost_ = submitted;
  last_draw_ = Clock::now();
  drawn_generation_ = console_.terminal().generation();
}

bool FrameLoop::something_to_show(bool touched) {
  if (touched) frames_left_to_settle_ = 3;  // Dear ImGui answers some input a frame later
  if (frames_left_to_settle_ > 0) {
    --frames_left_to_settle_;
    return true;
  }
  return console_.terminal().generation() != drawn_generation_ || Clock::now() - last_draw_ >= kQuietRefresh;
}

bool FrameLoop::save_screenshot() {
  for (int i = 0; i < 2; ++i) draw(nullptr);
  Picture picture;
  draw(&picture);
  const auto written = write_png(options_.screenshot, picture);
  if (!written) std::fprintf(stderr, "tuxarium-viewer: %s\n", written.error().message.c_str());
  return written.has_value();
}

void FrameLoop::show_title() {
  const std::string& wanted = console_.terminal().title();
  if (wanted == title_) return;
  title_ = wanted;
  window_.set_title(title_.empty() ? "Tuxarium" : (title_ + " - Tuxarium").c_str());
}

int FrameLoop::run() {
  auto frame_end = Clock::now();
  bool touched = false;
  while (!window_.should_close()) {
    frame_end = std::max(frame_end + window_.frame_time(), Clock::now());
    const RunResult result = run_guest(frame_end - draw_cost_ - 2ms);
    const Script::Step step = script_.step(console_.terminal());
    if (step == Script::Step::timed_out) {
      std::fprintf(stderr, "tuxarium-viewer: The time of --timeout is over.\n");
      return kTimeout;
    }
    if (step == Script::Step::take_screenshot) {
      if (!options_.screenshot.empty() && !save_screenshot()) return kFailed;
      if (options_.exit_after_screenshot) return kDone;
    }
    show_title();
    if (something_to_show(touched)) draw(nullptr);
    const bool busy = result.reason == StopReason::budget_spent || result.reason == StopReason::reset;
    const auto rest = std::chrono::nanoseconds{frame_end - Clock::now()};
    const auto idle = result.reason == StopReason::idle ? std::max<std::chrono::nanoseconds>(result.idle_for, 500us) : rest;
    touched = window_.poll(busy ? 0ns : std::min(rest, idle));
  }
  return kDone;
}

}  // namespace tuxarium::viewer
