// A Dear ImGui context without a window, whose input a test sets.
#pragma once

#include <imgui.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tuxarium_imgui/terminal_widget.hpp>

namespace tuxarium::imgui {

class ImguiDriver {
 public:
  ImguiDriver() {
    ImGui::CreateContext();
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.DisplaySize = {1200, 900};
    io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset;
    unsigned char* pixels = nullptr;
    int width = 0, height = 0;
    io.Fonts->GetTexDataAsRGBA32(&pixels, &width, &height);
    io.SetClipboardTextFn = [](void* user, const char* text) { static_cast<ImguiDriver*>(user)->clipboard = text; };
    io.GetClipboardTextFn = [](void* user) { return static_cast<ImguiDriver*>(user)->clipboard.c_str(); };
    io.ClipboardUserData = this;
#if IMGUI_VERSION_NUM < 18700
    // What a backend with GLFW's numbers says of the keys that Dear ImGui itself knows.
    for (const auto& [named, code] : std::vector<std::pair<int, int>>{{ImGuiKey_Tab, 258}, {ImGuiKey_LeftArrow, 263}, {ImGuiKey_RightArrow, 262},
             {ImGuiKey_UpArrow, 265}, {ImGuiKey_DownArrow, 264}, {ImGuiKey_Enter, 257}, {ImGuiKey_Escape, 256}, {ImGuiKey_Backspace, 259},
             {ImGuiKey_Space, 32}}) {
      io.KeyMap[named] = code;
    }
#endif
  }
  ~ImguiDriver() { ImGui::DestroyContext(); }
  ImguiDriver(const ImguiDriver&) = delete;
  ImguiDriver& operator=(const ImguiDriver&) = delete;

  /// One frame with `draw` in the middle.
  void frame(const std::function<void()>& draw) {
    ImGuiIO& io = ImGui::GetIO();
    io.DeltaTime = 1.0f / 60;
    ImGui::NewFrame();
    draw();
    ImGui::Render();
#if IMGUI_VERSION_NUM < 18700
    io.MouseWheel = 0;
#endif
  }

  /// The text that a frame with `draw` in its middle shows.
  std::string shown_by(const std::function<void()>& draw) {
    const std::string before = clipboard;
    frame([&] {
      ImGui::LogToClipboard();
      draw();
      ImGui::LogFinish();
    });
    return std::exchange(clipboard, before);
  }

  static void key(int glfw_key, bool down) { ImGui::GetIO().KeysDown[glfw_key] = down; }
  static void control(bool down) { ImGui::GetIO().KeyCtrl = down; }
  static void shift(bool down) { ImGui::GetIO().KeyShift = down; }
  static void alt(bool down) { ImGui::GetIO().KeyAlt = down; }
  static void text(const char* utf8) { ImGui::GetIO().AddInputCharactersUTF8(utf8); }
  static void mouse(float x, float y) { ImGui::GetIO().MousePos = {x, y}; }
  static void button(int which, bool down) { ImGui::GetIO().MouseDown[which] = down; }
  static void wheel(float notches) { ImGui::GetIO().MouseWheel = notches; }

  std::string clipboard;
};

/// One terminal, and frames that a subclass draws it in.
class TerminalDriver : public ImguiDriver {
 public:
  TerminalDriver(TerminalOptions options, const Style& style) : terminal{std::move(options), style} {}
  virtual ~TerminalDriver() = default;

  virtual void step() = 0;
  void steps(int count) {
    for (int i = 0; i < count; ++i) step();
  }
  /// Gives the terminal the keyboard.
  void focus() {
    step();
    terminal.request_focus();
    steps(2);
  }
  void press(int glfw_key) {
    key(glfw_key, true);
    step();
    key(glfw_key, false);
    step();
  }
  void click(int which = 0) {
    button(which, true);
    step();
    button(which, false);
    step();
  }
  void feed(std::string_view bytes) { terminal.feed(std::as_bytes(std::span{bytes})); }
  /// What waits for the guest; taken away.
  std::string sent() {
    const auto bytes = terminal.pending_input();
    std::string all{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    terminal.discard_input(bytes.size());
    return all;
  }

  TerminalWidget terminal;
};

}  // namespace tuxarium::imgui
