// A window with OpenGL 3.3 and a Dear ImGui context.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <tuxarium/result.hpp>
#include <tuxarium_imgui/terminal_widget.hpp>

#include "png.hpp"

struct GLFWwindow;

namespace tuxarium::viewer {

/// At most one at a time. Threading: the main thread.
class Window {
 public:
  /// Fails with a sentence where there is no display or no OpenGL 3.3. The window is not shown yet.
  static Result<std::unique_ptr<Window>> open(const char* title);
  ~Window();
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  void show(int width, int height);
  /// Its size in pixels now.
  void size(int& width, int& height) const;
  void set_title(const char* title);
  void ask_to_close();
  bool should_close() const;

  /// Keys and text go here, in their order.
  void send_keys_to(imgui::TerminalWidget* terminal) { terminal_ = terminal; }

  /// Gets the files and folders that the user drops on the window, inside poll().
  void on_drop(std::function<void(const std::vector<std::filesystem::path>&)> take) { take_dropped_ = std::move(take); }

  /// Handles what the user did; waits for it for at most `wait`. Returns true when there was something.
  bool poll(std::chrono::nanoseconds wait);

  /// Draws what `contents` submits to Dear ImGui. With `picture`, copies what the window shows. Returns after the swap.
  void draw(const std::function<void()>& contents, Picture* picture = nullptr);

  /// Time between two pictures of the display.
  std::chrono::nanoseconds frame_time() const { return frame_time_; }

  /// Pixels of the screen for one of the design.
  float scale() const;

 private:
  explicit Window(GLFWwindow* window);
  static Window& of(GLFWwindow* window);
  void install_callbacks();

  GLFWwindow* window_;
  imgui::TerminalWidget* terminal_ = nullptr;
  std::function<void(const std::vector<std::filesystem::path>&)> take_dropped_;
  bool touched_ = false;
  std::chrono::nanoseconds frame_time_{16'666'667};
};

}  // namespace tuxarium::viewer
