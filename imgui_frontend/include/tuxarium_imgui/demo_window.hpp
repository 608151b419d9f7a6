// Shows and explains what the widgets can do; manual and test in one.
#pragma once

#include <cstddef>
#include <memory>

#include <tuxarium_imgui/terminal_widget.hpp>

namespace tuxarium::imgui {

/// A window with a terminal on which every feature can be tried, without a machine. An object that its caller owns.
/// Threading: the thread of the Dear ImGui context.
class DemoWindow {
 public:
  DemoWindow();
  ~DemoWindow();
  DemoWindow(DemoWindow&&) noexcept;
  DemoWindow& operator=(DemoWindow&&) noexcept;

  /// The pages of the demo, from 0, and which of them is shown.
  static std::size_t page_count();
  static const char* page_name(std::size_t page);
  void show_page(std::size_t page);

  TerminalWidget& terminal();

  /// With `open`, the window has a close button that sets it to false; drawn only while it is true.
  void draw(bool* open = nullptr);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The same for a host that keeps the object in a pointer: made with the first call, freed when `*open` becomes false.
void ShowDemoWindow(std::unique_ptr<DemoWindow>& demo, bool* open);

/// What keys and mouse do in a terminal, as a list in the host's current window.
void ShowKeysAndMouse();

}  // namespace tuxarium::imgui
