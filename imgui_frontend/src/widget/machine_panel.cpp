#include <tuxarium_imgui/machine_panel.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "grid_renderer.hpp"
#include "imgui_compat.hpp"
#include "machine_pace.hpp"
#include "network_words.hpp"
#include "rate_plot.hpp"
#include "traffic_history.hpp"

namespace tuxarium::imgui {
namespace {

using Clock = std::chrono::steady_clock;

constexpr float kRestingRate = 3e6f;  // instructions a second; below it a guest waits for input
constexpr float kMostMips = 2000;

const char* word_of(CpuModel model) {
  switch (model) {
    case CpuModel::jslinux: return "that of JSLinux";
    case CpuModel::i486: return "486DX4";
    case CpuModel::pentium: return "Pentium";
    case CpuModel::i686: return "i686 (Pentium II)";
    case CpuModel::full: return "i686 with SSE2";
  }
  return "";
}

TextLine mips_words(float rate) { return TextLine{}.format("%.1f MIPS", static_cast<double>(rate) / 1e6); }
TextLine byte_words(float rate) { return byte_count(static_cast<double>(rate)).add("/s"); }

TextLine duration_words(std::chrono::nanoseconds time) {
  const auto seconds = static_cast<unsigned>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
  return TextLine{}.format("%u:%02u:%02u", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

float row_of_buttons() { return ImGui::GetFrameHeight(); }

// A bar that says "something goes on" without a share of it.
void draw_busy_bar() {
  const ImVec2 a = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = std::max(4.0f, ImGui::GetFontSize() * 0.3f);
  ImGui::Dummy({width, height});
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(a, {a.x + width, a.y + height}, ImGui::GetColorU32(ImGuiCol_FrameBg), height / 2);
  const auto phase = static_cast<float>(0.5 - 0.5 * std::cos(ImGui::GetTime() * 2.5));
  const float left = a.x + phase * width * 0.7f;
  list.AddRectFilled({left, a.y}, {left + width * 0.3f, a.y + height}, ImGui::GetColorU32(ImGuiCol_PlotHistogram), height / 2);
}

}  // namespace

class MachinePanel::Impl {
 public:
  Impl(Machine& machine, MachinePanelOptions options)
      : machine_{&machine}, options_{std::move(options)}, power_on_{machine.counters()}, console_before_{machine.serial(0).bytes_from_guest()} {}

  RunResult run(const Budget& budget);
  RunState state() const;
  void switch_on();
  void reset();
  void observe();
  void draw_contents(const Style& style);

  Machine* machine_;
  MachinePanelOptions options_;
  MachinePace pace_;
  bool starting_ = true;

 private:
  void draw_controls();
  void draw_limits();
  void draw_facts() const;
  void draw_start();
  void draw_plots(const Style& style) const;
  void draw_loading(const char* drive, const HttpDiskMonitor* monitor) const;
  void draw_network() const;
  TrafficHistory::Totals totals() const;

  TrafficHistory history_;
  Counters power_on_;  // as of the latest one
  std::uint64_t console_before_ = 0;
  std::chrono::nanoseconds start_took_{0};
  bool runs_here_ = false;  // the host leaves running to the panel
  int step_size_ = 1;
};

RunResult MachinePanel::Impl::run(const Budget& budget) {
  runs_here_ = true;
  const auto start = Clock::now();
  const auto permitted = pace_.permit(budget, start);
  if (!permitted) return {.reason = StopReason::idle, .cycles = 0, .idle_for = pace_.wait()};
  RunResult result = machine_->run(*permitted);
  pace_.note(result, Clock::now() - start);
  observe();
  // A budget that ended at the limit is not one that the host should renew at once.
  if (result.reason == StopReason::budget_spent && !pace_.permit(budget, Clock::now())) {
    result.reason = StopReason::idle;
    result.idle_for = pace_.wait();
  }
  return result;
}

RunState MachinePanel::Impl::state() const {
  if (pace_.off) return RunState::off;
  if (machine_->powered_off()) return RunState::halted;
  if (pace_.paused) return RunState::paused;
  return history_.rate(TrafficHistory::instructions) < kRestingRate && !starting_ ? RunState::idle : RunState::running;
}

void MachinePanel::Impl::switch_on() {
  if (pace_.off || machine_->powered_off()) return reset();
  pace_.paused = false;
  pace_.steps = 0;
}

void MachinePanel::Impl::reset() {
  machine_->reset();
  pace_.off = pace_.paused = false;
  pace_.steps = 0;
  observe();
}

TrafficHistory::Totals MachinePanel::Impl::totals() const {
  const Counters counters = machine_->counters();
  TrafficHistory::Totals all{};
  all[TrafficHistory::instructions] = counters.cycles;
  all[TrafficHistory::disk_read] = counters.disk_bytes_read;
  all[TrafficHistory::disk_written] = counters.disk_bytes_written;
  all[TrafficHistory::console_out] = machine_->serial(0).bytes_from_guest();
  if (options_.network != nullptr) {
    const LinkStatus status = options_.network->status();
    all[TrafficHistory::network_out] = status.bytes_sent;
    all[TrafficHistory::network_in] = status.bytes_received;
  } else {
    all[TrafficHistory::network_out] = machine_->serial(1).bytes_from_guest();
    all[TrafficHistory::network_in] = machine_->serial(1).bytes_to_guest();
  }
  return all;
}

void MachinePanel::Impl::observe() {
  const Counters counters = machine_->counters();
  const std::uint64_t console = machine_->serial(0).bytes_from_guest();
  if (counters.resets != power_on_.resets) {
    power_on_ = counters;
    console_before_ = console;
    starting_ = true;
  }
  const auto now = Clock::now();
  if (!history_.due(now)) return;
  history_.observe(totals(), now);
  if (!starting_) return;
  const bool rests = history_.rate(TrafficHistory::instructions) < kRestingRate && history_.rate(TrafficHistory::console_out) == 0 &&
                     history_.rate(TrafficHistory::disk_read) == 0;
  if (rests && console != console_before_ && !pace_.paused && !pace_.off && pace_.limit().mips <= 0) {
    starting_ = false;
    start_took_ = counters.guest_time - power_on_.guest_time;
  }
}

void MachinePanel::Impl::draw_controls() {
  const RunState now = state();
  const bool stands = now == RunState::off || now == RunState::halted;
  if (!runs_here_) {
    ImGui::TextDisabled("The program around it runs this machine.");
    if (ImGui::Button("Reset")) reset();
    return;
  }
  const ImVec2 width{ImGui::GetFontSize() * 5.5f, row_of_buttons()};
  if (stands || now == RunState::paused) {
    if (ImGui::Button(stands ? "Power on" : "Run", width)) switch_on();
  } else if (ImGui::Button("Pause", width)) {
    pace_.paused = true;
  }
  ImGui::SameLine();
  if (ImGui::Button("Reset")) reset();
  ImGui::SameLine();
  if (!stands && ImGui::Button("Power off")) pace_.off = true;
  if (now != RunState::paused) return;
  if (ImGui::Button("Step", width)) pace_.steps += static_cast<std::uint64_t>(step_size_);
  ImGui::SameLine();
  ImGui::SetNextItemWidth(ImGui::GetFontSize() * 9);
  if (ImGui::InputInt("instructions", &step_size_, 1, 1000)) step_size_ = std::clamp(step_size_, 1, 1'000'000'000);
}

void MachinePanel::Impl::draw_limits() {
  SpeedLimit limit = pace_.limit();
  float percent = limit.processor_share * 100;
  ImGui::PushItemWidth(ImGui::GetFontSize() * 10);
  bool changed = ImGui::SliderFloat("Speed", &limit.mips, 0, kMostMips, limit.mips > 0 ? "%.0f MIPS" : "no limit", ImGuiSliderFlags_Logarithmic);
  changed |= ImGui::SliderFloat("Host", &percent, 0, 100, percent > 0 ? "%.0f %% of a core" : "no limit");
  ImGui::PopItemWidth();
  if (!changed) return;
  limit.processor_share = percent / 100;
  pace_.set_limit(limit);
}

void MachinePanel::Impl::draw_facts() const {
  const MachineFacts facts = machine_->facts();
  const Counters counters = machine_->counters();
  ImGui::Text("Processor  %s, interpreted", word_of(facts.cpu));
  ImGui::Text("Memory     %s", byte_count(facts.ram_bytes).c_str());
  ImGui::Text("Clock      %s", facts.time == TimeSource::host_clock ? "the host's" : "counts instructions");
  ImGui::Text("Up         %s   resets %u", duration_words(counters.guest_time - power_on_.guest_time).c_str(), static_cast<unsigned>(counters.resets));
  ImGui::Text("Disk       %s read, %s written", byte_count(counters.disk_bytes_read - power_on_.disk_bytes_read).c_str(),
              byte_count(counters.disk_bytes_written - power_on_.disk_bytes_written).c_str());
}

void MachinePanel::Impl::draw_start() {
  if (!starting_) {
    ImGui::TextDisabled("Started in %.1f s.", std::chrono::duration<double>(start_took_).count());
    return;
  }
  const Counters counters = machine_->counters();
  ImGui::Text("Starting: %.1f s, %s from the disk", std::chrono::duration<double>(counters.guest_time - power_on_.guest_time).count(),
              byte_count(counters.disk_bytes_read - power_on_.disk_bytes_read).c_str());
  draw_busy_bar();
}

void MachinePanel::Impl::draw_plots(const Style& style) const {
  const float height = ImGui::GetFontSize() * 4.2f;
  const std::array processor{PlotLine{"", TrafficHistory::instructions, style.state_running}};
  const std::array disk{PlotLine{"read", TrafficHistory::disk_read, style.light_receive}, PlotLine{"written", TrafficHistory::disk_written, style.light_transmit}};
  const std::array network{PlotLine{"in", TrafficHistory::network_in, style.light_receive}, PlotLine{"out", TrafficHistory::network_out, style.light_transmit}};
  draw_rate_plot("Processor", processor, history_, mips_words, height);
  draw_rate_plot("Disk", disk, history_, byte_words, height);
  draw_rate_plot(options_.network != nullptr ? "Network" : "ttyS1", network, history_, byte_words, height);
}

void MachinePanel::Impl::draw_loading(const char* drive, const HttpDiskMonitor* monitor) const {
  if (monitor == nullptr) return;
  const HttpDiskStatus status = monitor->status();
  const float share = status.pieces > 0 ? static_cast<float>(status.pieces_loaded) / static_cast<float>(status.pieces) : 0;
  TextLine text;
  text.format("%s: %u of %u pieces", drive, static_cast<unsigned>(status.pieces_loaded), static_cast<unsigned>(status.pieces));
  ImGui::ProgressBar(share, {-1, 0}, text.c_str());
  if (status.pieces_waited > 0) {
    ImGui::Text("The guest waits for %u of them.", static_cast<unsigned>(status.pieces_waited));
  } else {
    ImGui::TextDisabled("%s over the network, %s from the cache", byte_count(status.bytes_received).c_str(), byte_count(status.bytes_cached).c_str());
  }
  if (status.failures > 0 || (status.retries > 0 && status.pieces_waited > 0)) ImGui::TextWrapped("%s", status.last_error.c_str());
}

void MachinePanel::Impl::draw_network() const {
  if (options_.network == nullptr) return;
  const LinkStatus status = options_.network->status();
  const char* const word = status.state == LinkState::up ? "up" : status.state == LinkState::connecting ? "connecting" : "down";
  ImGui::Text("Network    %s, connected %u times", word, static_cast<unsigned>(status.connections));
  const auto direction = [](const char* name, std::uint64_t frames, std::uint64_t bytes, std::uint64_t dropped) {
    ImGui::Text("  %-8s %u frames, %s, %u dropped", name, static_cast<unsigned>(frames), byte_count(bytes).c_str(), static_cast<unsigned>(dropped));
  };
  direction("out", status.frames_sent, status.bytes_sent, status.dropped_sent);
  direction("in", status.frames_received, status.bytes_received, status.dropped_received);
  if (!status.last_error.empty()) ImGui::TextWrapped("%s", status.last_error.c_str());
}

void MachinePanel::Impl::draw_contents(const Style& style) {
  observe();
  ImGui::PushID(this);
  draw_controls();
  if (runs_here_) draw_limits();
  ImGui::Separator();
  draw_start();
  draw_facts();
  draw_loading("hda", options_.hda.get());
  draw_loading("hdb", options_.hdb.get());
  draw_network();
  ImGui::Separator();
  draw_plots(style);
  ImGui::PopID();
}

MachinePanel::MachinePanel(Machine& machine, MachinePanelOptions options) : impl_{std::make_unique<Impl>(machine, std::move(options))} {}
MachinePanel::~MachinePanel() = default;
MachinePanel::MachinePanel(MachinePanel&&) noexcept = default;
MachinePanel& MachinePanel::operator=(MachinePanel&&) noexcept = default;

RunResult MachinePanel::run(Budget budget) { return impl_->run(budget); }
RunState MachinePanel::state() const { return impl_->state(); }
void MachinePanel::pause() { impl_->pace_.paused = true; }
void MachinePanel::resume() { impl_->switch_on(); }
void MachinePanel::step(std::uint64_t instructions) {
  impl_->pace_.paused = true;
  impl_->pace_.steps += instructions;
}
void MachinePanel::reset() { impl_->reset(); }
void MachinePanel::power_off() { impl_->pace_.off = true; }
SpeedLimit MachinePanel::speed_limit() const { return impl_->pace_.limit(); }
void MachinePanel::set_speed_limit(SpeedLimit limit) { impl_->pace_.set_limit(limit); }
bool MachinePanel::starting() const { return impl_->starting_; }
void MachinePanel::observe() { impl_->observe(); }
void MachinePanel::draw_contents(const Style& style) { impl_->draw_contents(style); }

void MachinePanel::draw(const char* title, const Style& style, bool* open) {
  if (open != nullptr && !*open) return observe();
  const float em = ImGui::GetFontSize();
  ImGui::SetNextWindowSize({em * 26, em * 36}, ImGuiCond_FirstUseEver);
  if (ImGui::Begin(title, open)) {
    draw_contents(style);
  } else {
    observe();
  }
  ImGui::End();
}

}  // namespace tuxarium::imgui
