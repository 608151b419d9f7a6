// A machine's console in one Dear ImGui window: terminal, clipboard box, status line, machine panel.
#pragma once

#include <chrono>
#include <memory>

#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/machine_panel.hpp>
#include <tuxarium_imgui/terminal_widget.hpp>

namespace tuxarium::imgui {

/// What a ConsoleWindow shows beside the terminal.
struct ConsoleParts {
  bool clipboard = true;
  bool status = true;
  bool machine = false;  ///< the machine panel, to the right of the terminal
};

struct ConsoleOptions {
  TerminalOptions terminal;
  bool show_clipboard = true;
  bool show_status = true;
  bool show_machine = false;                   ///< see ConsoleParts; may be changed by ConsoleWindow::parts()
  std::shared_ptr<const NetworkLink> network;  ///< the one in Config::network, for status line and machine panel; unset: they show the traffic of ttyS1
  std::shared_ptr<const HttpDiskMonitor> hda, hdb;  ///< of drives over HTTP, for the machine panel
  std::size_t clipboard_box_limit = 1u << 20;  ///< bytes; a longer text is shown cut and cannot be edited
};

/// Shows serial port 0 of a machine in a terminal, its clipboard in a text box, what it is doing in a status line, and its controls and figures in
/// a panel. A terminal that the guest has left in a special mode is put right when the machine is reset.
/// The machine must live as long as the window. Threading: the thread that calls Machine::run(), between two calls.
class ConsoleWindow {
 public:
  static constexpr std::size_t kMaxBytesPerFrame = 256u << 10;  ///< taken from the guest in one draw(); the rest waits in the machine

  explicit ConsoleWindow(Machine& machine, ConsoleOptions options = {}, Style style = {});
  ~ConsoleWindow();
  ConsoleWindow(ConsoleWindow&&) noexcept;
  ConsoleWindow& operator=(ConsoleWindow&&) noexcept;

  /// A window with everything in it. With `open`, it has a close button that sets it to false; drawn only while it is true.
  void draw(const char* title, bool* open = nullptr);

  /// The same inside the host's current window, in its remaining space.
  void draw_contents();

  /// The space that draw_contents() needs to show the whole grid. Call it inside a Dear ImGui frame.
  Extent preferred_extent() const;

  /// Moves bytes between guest and terminal without drawing, for a host that hides the window. draw() does it too.
  void exchange();

  /// Machine::run() as the user of the machine panel wishes; see MachinePanel::run(). Does what note_run() does, too.
  RunResult run(Budget budget);

  /// Optional, after each Machine::run(): makes the status line exact. Without it the line goes by the machine's counters.
  void note_run(const RunResult& result, std::chrono::nanoseconds cost);

  TerminalWidget& terminal();
  MachinePanel& machine_panel();
  ConsoleParts& parts();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuxarium::imgui
