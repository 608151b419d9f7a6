#include "status_line.hpp"

#include <algorithm>
#include <string_view>

#include "grid_renderer.hpp"
#include "imgui_compat.hpp"
#include "network_words.hpp"

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

/// `text` without as much of its end as does not fit.
TextLine fitted(TextLine text, float width) {
  constexpr std::string_view kMore = "...";
  if (ImGui::CalcTextSize(text.c_str()).x <= width) return text;
  const float room = width - ImGui::CalcTextSize(kMore.data()).x;
  while (text.size() > 0 && ImGui::CalcTextSize(text.c_str()).x > room) text.shorten(text.size() - 1);
  return text.add(kMore);
}

const char* word_of(RunState state) {
  switch (state) {
    case RunState::running: return "running";
    case RunState::idle: return "idle   ";
    case RunState::paused: return "paused ";
    case RunState::halted: return "halted ";
    case RunState::off: return "off    ";
  }
  return "";
}

Rgba color_of(RunState state, const Style& style) {
  switch (state) {
    case RunState::running: return style.state_running;
    case RunState::idle: return style.state_idle;
    case RunState::paused: return style.link_connecting;
    case RunState::halted: return style.state_halted;
    case RunState::off: return style.light_off;
  }
  return style.light_off;
}

}  // namespace

bool StatusLine::Light::lit(Clock::time_point now) const { return count > 0 && now - changed < kLightTime; }

void StatusLine::Light::update(std::uint64_t total, Clock::time_point now) {
  if (total == count) return;
  count = total;
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

void StatusLine::draw_state(RunState state, const Style& style) {
  light(color_of(state, style));
  ImGui::TextUnformatted(word_of(state));
}

void StatusLine::draw_lights_and_text(const TextLine& text, std::span<const Rgba> lights) {
  const float before = ImGui::GetItemRectMax().x - ImGui::GetWindowPos().x + ImGui::GetTextLineHeight();
  const float lights_width = static_cast<float>(lights.size()) * (ImGui::GetTextLineHeight() * 0.8f + ImGui::GetStyle().ItemInnerSpacing.x);
  const float end = content_right();
  const TextLine shown = fitted(text, end - before - lights_width);
  ImGui::SameLine(std::max(before, end - ImGui::CalcTextSize(shown.c_str()).x - lights_width));
  ImGui::BeginGroup();
  for (const Rgba color : lights) light(color);
  ImGui::TextUnformatted(shown.c_str());
  ImGui::EndGroup();
}

void StatusLine::draw_serial(Machine& machine, const Style& style, Clock::time_point now) {
  const SerialPort& serial = machine.serial(1);
  from_guest_.update(serial.bytes_from_guest(), now);
  to_guest_.update(serial.bytes_to_guest(), now);
  TextLine text{"ttyS1  out "};
  text.add(byte_count(from_guest_.count).view()).add("  in ").add(byte_count(to_guest_.count).view());
  draw_lights_and_text(text, traffic_lights(style, now));
}

void StatusLine::draw_network(const NetworkLink& network, const Style& style, Clock::time_point now) {
  const LinkStatus status = network.status();
  from_guest_.update(status.frames_sent, now);
  to_guest_.update(status.frames_received, now);
  const auto traffic = traffic_lights(style, now);
  const Rgba state = status.state == LinkState::up ? style.link_up : status.state == LinkState::connecting ? style.link_connecting : style.link_down;
  draw_lights_and_text(network_line(status), std::array{state, traffic[0], traffic[1]});
  if (ImGui::IsItemHovered()) ImGui::SetTooltip("%s", network_details(status).c_str());
}

std::array<Rgba, 2> StatusLine::traffic_lights(const Style& style, Clock::time_point now) const {
  return {from_guest_.lit(now) ? style.light_transmit : style.light_off, to_guest_.lit(now) ? style.light_receive : style.light_off};
}

void StatusLine::draw(Machine& machine, RunState state, const Style& style, const NetworkLink* network) {
  const auto now = Clock::now();
  measure(machine, now);
  const bool runs = state == RunState::running || state == RunState::idle;
  draw_state(!runs ? state : busy_ ? RunState::running : RunState::idle, style);
  const float gap = ImGui::GetTextLineHeight() * 1.5f;
  ImGui::SameLine(0, gap);
  ImGui::Text("%6.1f MIPS", mips_);
  if (milliseconds_a_run_ >= 0) {
    ImGui::SameLine(0, gap);
    ImGui::Text("%5.2f ms a frame", milliseconds_a_run_);
  }
  if (network != nullptr) draw_network(*network, style, now);
  else draw_serial(machine, style, now);
}

}  // namespace tuxarium::imgui
