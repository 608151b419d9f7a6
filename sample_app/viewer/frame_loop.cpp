#include "frame_loop.hpp"

#include <imgui.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "png.hpp"
#include "status.hpp"

namespace tuxarium::viewer {
namespace {

using namespace std::chrono_literals;

constexpr auto kQuietRefresh = 100ms;  // for the cursor and the status line when nothing else changes

// A new name in the user's folder for pictures, or where the program was started.
std::filesystem::path new_picture_name() {
  namespace fs = std::filesystem;
  std::error_code error;
  const char* home = std::getenv("HOME");
  fs::path folder = home != nullptr ? fs::path{home} / "Pictures" : fs::path{};
  if (!fs::is_directory(folder, error)) folder = fs::current_path(error);
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char name[64];
  std::strftime(name, sizeof name, "tuxarium-%Y%m%d-%H%M%S", &parts);
  fs::path file = folder / (std::string{name} + ".png");
  for (int i = 2; fs::exists(file, error); ++i) file = folder / (std::string{name} + "-" + std::to_string(i) + ".png");
  return file;
}

}  // namespace

void FrameLoop::draw(Picture* picture) {
  const auto start = Clock::now();
  std::chrono::nanoseconds submitted{};
  imgui::ConsoleWindow* const console = workbench_.front();
  window_.send_keys_to(console != nullptr ? &console->terminal() : nullptr);
  window_.draw(
      [&] {
        workbench_.draw();
        submitted = Clock::now() - start;
      },
      picture);
  draw_cost_ = submitted;
  last_draw_ = Clock::now();
  drawn_generation_ = workbench_.generation();
  // The front tab may be another now.
  imgui::ConsoleWindow* const now = workbench_.front();
  window_.send_keys_to(now != nullptr ? &now->terminal() : nullptr);
}

bool FrameLoop::something_to_show(bool touched) {
  if (touched) frames_left_to_settle_ = 3;  // Dear ImGui answers some input a frame later
  if (frames_left_to_settle_ > 0) {
    --frames_left_to_settle_;
    return true;
  }
  return workbench_.generation() != drawn_generation_ || Clock::now() - last_draw_ >= kQuietRefresh;
}

bool FrameLoop::save_screenshot(const std::filesystem::path& file) {
  for (int i = 0; i < 2; ++i) draw(nullptr);
  Picture picture;
  draw(&picture);
  const auto written = write_png(file, picture);
  if (!written) std::fprintf(stderr, "tuxarium-viewer: %s\n", written.error().message.c_str());
  return written.has_value();
}

void FrameLoop::take_picture_for_user() {
  const auto file = new_picture_name();
  if (save_screenshot(file)) {
    workbench_.say("Screenshot: " + file.string());
  } else {
    workbench_.complain("The screenshot could not be written to " + file.string() + ".");
  }
  frames_left_to_settle_ = 3;
}

void FrameLoop::show_title() {
  const std::string wanted = workbench_.title();
  if (wanted == title_) return;
  title_ = wanted;
  window_.set_title(title_.c_str());
}

std::optional<int> FrameLoop::follow_script() {
  imgui::ConsoleWindow* const console = workbench_.first();
  const Script::Step step = script_.step(console != nullptr ? &console->terminal() : nullptr);
  if (step == Script::Step::timed_out) {
    std::fprintf(stderr, "tuxarium-viewer: The time of --timeout is over.\n");
    return kTimeout;
  }
  if (step == Script::Step::take_screenshot) {
    if (!options_.screenshot.empty() && !save_screenshot(options_.screenshot)) return kFailed;
    if (options_.exit_after_screenshot) return kDone;
  }
  return std::nullopt;
}

int FrameLoop::run() {
  auto frame_end = Clock::now();
  bool touched = false;
  while (!window_.should_close() && !workbench_.wants_to_quit()) {
    frame_end = std::max(frame_end + window_.frame_time(), Clock::now());
    workbench_.take_loaded();
    const Workbench::Work work = workbench_.run(frame_end - draw_cost_ - 2ms);
    if (const auto status = follow_script()) return *status;
    show_title();
    if (something_to_show(touched)) draw(nullptr);
    if (workbench_.take_picture_wish()) take_picture_for_user();
    const auto rest = std::chrono::nanoseconds{frame_end - Clock::now()};
    touched = window_.poll(work.busy ? 0ns : std::min(rest, work.idle_for));
    // What was typed into a terminal that has the keyboard reaches its guest before the guest runs.
    if (touched && workbench_.front() != nullptr) workbench_.front()->exchange();
  }
  return kDone;
}

}  // namespace tuxarium::viewer
