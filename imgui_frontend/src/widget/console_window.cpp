#include <tuxarium_imgui/console_window.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "clipboard_box.hpp"
#include "imgui_compat.hpp"
#include "status_line.hpp"

namespace tuxarium::imgui {
namespace {

constexpr std::size_t kPiece = 512;  // bytes between two looks at the clock
constexpr auto kMaxFeedTime = std::chrono::microseconds{1500};
constexpr float kClipboardLines = 3.0f;
constexpr float kPanelWidth = 25;  // in heights of the font

// Main screen, no mouse or focus reports, no bracketed paste, nothing held back, standard rendition and modes, cursor shown; text stays.
constexpr std::string_view kAfterReset = "\x18\x1b[?2026l\x1b[?1049l\x1b[?9;1000;1002;1003;1004;1006;2004l\x1b[!p\x1b[m\x1b[?25h\r\n";

// From the guest to the screen, until nothing is left or a frame's share is used up.
void pull(SerialPort& serial, TerminalWidget& terminal) {
  std::array<std::byte, kPiece> piece{};
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t total = 0; total < ConsoleWindow::kMaxBytesPerFrame;) {
    const std::size_t count = serial.read(piece);
    if (count == 0) return;
    terminal.feed(std::span{piece}.first(count));
    total += count;
    if (std::chrono::steady_clock::now() - start > kMaxFeedTime) return;
  }
}

// From the keyboard to the guest, as much as it takes now.
void push(SerialPort& serial, TerminalWidget& terminal) {
  for (auto waiting = terminal.pending_input(); !waiting.empty(); waiting = terminal.pending_input()) {
    const std::size_t count = serial.write(waiting);
    if (count == 0) return;
    terminal.discard_input(count);
  }
}

float clipboard_box_height() { return ImGui::GetTextLineHeight() * kClipboardLines + 2 * ImGui::GetStyle().FramePadding.y; }

}  // namespace

class ConsoleWindow::Impl {
 public:
  Impl(Machine& machine, ConsoleOptions options, Style style)
      : machine_{&machine},
        options_{std::move(options)},
        parts_{.clipboard = options_.show_clipboard, .status = options_.show_status, .machine = options_.show_machine},
        terminal_{options_.terminal, style},
        clipboard_{options_.clipboard_box_limit},
        panel_{machine, {.network = options_.network, .hda = options_.hda, .hdb = options_.hdb}},
        resets_{machine.counters().resets} {}

  void exchange() {
    if (const auto resets = machine_->counters().resets; std::exchange(resets_, resets) != resets) terminal_.feed(std::as_bytes(std::span{kAfterReset}));
    pull(machine_->serial(0), terminal_);
    push(machine_->serial(0), terminal_);
  }

  void draw_contents() {
    exchange();
    const bool nothing_else = ImGui::GetCurrentContext()->ActiveId == 0 && !ImGui::IsMouseDown(0);
    if (ImGui::IsWindowAppearing() || (ImGui::IsWindowFocused() && nothing_else)) terminal_.request_focus();
    terminal_.draw("terminal", {-panel_width(), -footer_height()});
    push(machine_->serial(0), terminal_);
    if (parts_.machine) draw_panel();
    if (ClipboardBuffer* buffer = clipboard_buffer()) clipboard_.draw(*buffer, clipboard_box_height());
    if (parts_.status) status_.draw(*machine_, panel_.state(), terminal_.style(), options_.network.get());
    if (!parts_.machine) panel_.observe();
  }

  Extent preferred_extent() const {
    const Extent grid = terminal_.preferred_extent();
    return {grid.width + panel_width(), grid.height + footer_height()};
  }

  Machine* machine_;
  ConsoleOptions options_;
  ConsoleParts parts_;
  TerminalWidget terminal_;
  ClipboardBox clipboard_;
  StatusLine status_;
  MachinePanel panel_;

 private:
  ClipboardBuffer* clipboard_buffer() const { return parts_.clipboard ? machine_->clipboard_buffer() : nullptr; }

  void draw_panel() {
    ImGui::SameLine();
    begin_plain_child("machine", {0, -footer_height()}, 0);
    panel_.draw_contents(terminal_.style());
    ImGui::EndChild();
  }

  float panel_width() const { return parts_.machine ? ImGui::GetFontSize() * kPanelWidth + ImGui::GetStyle().ItemSpacing.x : 0; }

  float footer_height() const {
    const float spacing = ImGui::GetStyle().ItemSpacing.y;
    float height = 0;
    if (clipboard_buffer() != nullptr) height += ClipboardBox::total_height(clipboard_box_height()) + spacing;
    if (parts_.status) height += ImGui::GetTextLineHeight() + spacing;
    return height;
  }

  std::uint64_t resets_ = 0;
};

ConsoleWindow::ConsoleWindow(Machine& machine, ConsoleOptions options, Style style)
    : impl_{std::make_unique<Impl>(machine, std::move(options), style)} {}
ConsoleWindow::~ConsoleWindow() = default;
ConsoleWindow::ConsoleWindow(ConsoleWindow&&) noexcept = default;
ConsoleWindow& ConsoleWindow::operator=(ConsoleWindow&&) noexcept = default;

void ConsoleWindow::draw(const char* title, bool* open) {
  if (open != nullptr && !*open) {
    exchange();
    return;
  }
  const Extent contents = preferred_extent();
  const ImVec2 padding = ImGui::GetStyle().WindowPadding;
  ImGui::SetNextWindowSize({contents.width + 2 * padding.x, contents.height + 2 * padding.y + ImGui::GetFrameHeight()}, ImGuiCond_FirstUseEver);
  if (ImGui::Begin(title, open, ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse)) {
    impl_->draw_contents();
  } else {
    exchange();
  }
  ImGui::End();
}

void ConsoleWindow::draw_contents() { impl_->draw_contents(); }

Extent ConsoleWindow::preferred_extent() const { return impl_->preferred_extent(); }

void ConsoleWindow::exchange() { impl_->exchange(); }

RunResult ConsoleWindow::run(Budget budget) {
  const auto start = std::chrono::steady_clock::now();
  const RunResult result = impl_->panel_.run(budget);
  note_run(result, std::chrono::steady_clock::now() - start);
  return result;
}

void ConsoleWindow::note_run(const RunResult& result, std::chrono::nanoseconds cost) { impl_->status_.note_run(result, cost); }

TerminalWidget& ConsoleWindow::terminal() { return impl_->terminal_; }
MachinePanel& ConsoleWindow::machine_panel() { return impl_->panel_; }
ConsoleParts& ConsoleWindow::parts() { return impl_->parts_; }

}  // namespace tuxarium::imgui
