#include "status_line.hpp"

#include <array>
#include <cstdio>

#include "grid_renderer.hpp"
#include "imgui_compat.hpp"

namespace tuxarium::imgui {
namespace {

constexpr auto kWindow = std::chrono::milliseconds{500};
constexpr auto kLightTime = std::chrono::milliseconds{120};
constexpr double kIdleMips = 1.0;  // without note_run(): below it a guest counts as idle

void light(Rgba color) {
  const float size = ImGui::GetTextLineHeight();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::GetWindowDrawList()->AddCircleFilled({at.x + size * 0.4f, at.y + size * 0.5f}, size * 0.28f, to_imgui(color));
  ImGui::Dummy({size * 0.8f, size});
  ImGui::SameLine(0, ImGui::GetStyle().ItemInnerSpacing.x);
}

using Text = std::array<char, 32>;

Text byte_count(std::uint64_t bytes) {
  Text text{};
  const auto value = static_cast<double>(bytes);
  if (bytes < 10'000) {
    std::snprintf(text.data(), text.size(), "%u B", static_cast<unsigned>(bytes));
  } else if (value < 10e6) {
    std::snprintf(text.data(), text.size(), "%.0f KiB", value / 1024);
  } else {
    std::snprintf(text.data(), text.size(), "%.1f MiB", value / (1024 * 1024));
  }
  return text;
}

}  // namespace

bool StatusLine::Light::lit(Clock::time_point now) const { return bytes > 0 && now - changed < kLightTime; }

void StatusLine::Light::update(std::uint64_t count, Clock::time_point now) {
  if (count == bytes) return;
  bytes = count;
  changed = now;
}

void StatusLine::note_run(const RunResult& result, std::chrono::nanoseconds cost) {
  ++window_.runs;
  window_.cost += cost;
  if (result.reason == StopReason::budget_spent) ++window_.busy_runs;
}

void StatusLine::measure(Machine& machine, Clock::time_point now) {
  const auto elapsed = now - window_.start;
  if (elapsed < kWindow) return;
  const std::uint64_t cycles = machine.counters().cycles;
  if (window_.start != Clock::time_point{}) {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    mips_ = static_cast<double>(cycles - window_.first_cycles) / seconds / 1e6;
    busy_ = window_.runs > 0 ? 2 * window_.busy_runs >= window_.runs : mips_ > kIdleMips;
    milliseconds_a_run_ =
        window_.runs > 0 ? std::chrono::duration<double, std::milli>(window_.cost).count() / static_cast<double>(window_.runs) : -1;
  }
  window_ = {.start = now, .first_cycles = cycles};
}

void StatusLine::draw_state(const Machine& machine, const Style& style) const {
  const bool halted = machine.powered_off();
  light(halted ? style.state_halted : busy_ ? style.state_running : style.state_idle);
  ImGui::TextUnformatted(halted ? "halted " : busy_ ? "running" : "idle   ");
}

void StatusLine::draw_serial(Machine& machine, const Style& style, Clock::time_point now) {
  const SerialPort& serial = machine.serial(1);
  from_guest_.update(serial.bytes_from_guest(), now);
  to_guest_.update(serial.bytes_to_guest(), now);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "ttyS1  out %s  in %s", byte_count(from_guest_.bytes).data(), byte_count(to_guest_.bytes).data());
  const float lights = 2 * (ImGui::GetTextLineHeight() * 0.8f + ImGui::GetStyle().ItemInnerSpacing.x);
  ImGui::SameLine(ImGui::GetContentRegionMax().x - ImGui::CalcTextSize(text.data()).x - lights);
  light(from_guest_.lit(now) ? style.light_transmit : style.light_off);
  light(to_guest_.lit(now) ? style.light_receive : style.light_off);
  ImGui::TextUnformatted(text.data());
}

void StatusLine::draw(Machine& machine, const Style& style) {
  const auto now = Clock::now();
  measure(machine, now);
  draw_state(machine, style);
  const float gap = ImGui::GetTextLineHeight() * 1.5f;
  ImGui::SameLine(0, gap);
  ImGui::Text("%6.1f MIPS", mips_);
  if (milliseconds_a_run_ >= 0) {
    ImGui::SameLine(0, gap);
    ImGui::Text("%5.2f ms a frame", milliseconds_a_run_);
  }
  draw_serial(machine, style, now);
}

}  // namespace tuxarium::imgui
