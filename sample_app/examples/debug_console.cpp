// A debug console inside a toy game: two Linux machines share a slice of every frame, the game pauses them, and the shell of the first one
// reads and sets the game's values.
//
// The game talks with the guest over its second serial port, a line each way: `list`, `get NAME`, `set NAME VALUE`. When the guest's shell
// is ready, the game types a shell function there, so that `game set gravity 3` works. Once a second the game also puts all its values in
// the guest's clipboard: `clip` prints them.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/console_window.hpp>

namespace {

using Seconds = std::chrono::duration<float>;

/// Balls that jump. What the console may look at and change is in `values()`.
class Game {
 public:
  struct Value {
    const char* name;
    float* place;
    float least, most;
  };

  std::array<Value, 3> values() { return {{{"gravity", &gravity_, 0, 20}, {"balls", &balls_, 0, 200}, {"bounce", &bounce_, 0, 1}}}; }

  bool paused = false;

  void update(float seconds) {
    if (paused) return;
    for (std::size_t i = 0; i < heights_.size(); ++i) {
      speeds_[i] -= gravity_ * seconds;
      heights_[i] += speeds_[i] * seconds;
      if (heights_[i] < 0) {
        heights_[i] = 0;
        // A ball that has lost its speed is thrown anew.
        speeds_[i] = std::max(-speeds_[i] * bounce_, speeds_[i] > -0.3f ? 1.2f + 0.01f * static_cast<float>(i) : 0);
        ++jumps_;
      }
    }
  }

  void draw(ImDrawList& list, ImVec2 size) const {
    const auto count = std::min(static_cast<std::size_t>(balls_), heights_.size());
    for (std::size_t i = 0; i < count; ++i) {
      const float at = (static_cast<float>(i) + 0.5f) / static_cast<float>(count);
      const ImVec2 place{at * size.x, size.y * (0.95f - 0.7f * heights_[i])};
      list.AddCircleFilled(place, 8, ImColor::HSV(at, 0.7f, 0.9f));
    }
  }

  /// The answer to one line from the guest.
  std::string answer(const std::string& line) {
    std::istringstream words{line};
    std::string verb, name, number;
    words >> verb >> name >> number;
    if (verb == "list") return report(' ');
    for (const Value& value : values()) {
      if (name != value.name) continue;
      if (verb == "get") return text(*value.place);
      const float wish = std::strtof(number.c_str(), nullptr);
      if (verb == "set" && !number.empty() && std::isfinite(wish)) {
        *value.place = std::clamp(wish, value.least, value.most);
        return text(*value.place);
      }
    }
    return "? list | get NAME | set NAME VALUE";
  }

  std::string report(char end) {
    std::string all;
    for (const Value& value : values()) all += value.name + ("=" + text(*value.place)) + end;
    return all + "jumps=" + std::to_string(jumps_);
  }

 private:
  static std::string text(float value) {
    std::ostringstream out;
    out << value;
    return out.str();
  }

  float gravity_ = 1.5f, balls_ = 24, bounce_ = 0.9f;
  std::uint64_t jumps_ = 0;
  std::vector<float> heights_ = std::vector<float>(200, 0.0f), speeds_ = std::vector<float>(200, 0.0f);
};

/// Lines from and to a guest over its second serial port. A guest may send anything: a line beyond the limit is cut.
class GameLink {
 public:
  void exchange(tuxarium::SerialPort& port, Game& game) {
    std::array<std::byte, 256> bytes{};
    // While answers wait, nothing more is asked for.
    while (answers_.empty()) {
      const std::size_t count = port.read(bytes);
      if (count == 0) break;
      for (const std::byte byte : std::span{bytes}.first(count)) take(static_cast<char>(byte), game);
    }
    answers_.erase(0, port.write(std::as_bytes(std::span{answers_})));
  }

 private:
  static constexpr std::size_t kLongestLine = 200;

  void take(char c, Game& game) {
    if (c == '\n') {
      answers_ += game.answer(std::exchange(line_, {})) + '\n';
    } else if (line_.size() < kLongestLine) {
      line_ += c;
    }
  }

  std::string line_, answers_;
};

/// Typed at the guest's first prompt.
constexpr const char* kShellFunction =
    "exec 3<>/dev/ttyS1; stty raw -echo <&3; game() { echo \"$*\" >&3; read -r answer <&3; echo \"$answer\"; }; clear; game list\n";

tuxarium::imgui::ConsoleOptions small_console() {
  tuxarium::imgui::ConsoleOptions options;
  options.terminal.grid = {.columns = 72, .rows = 16};
  options.show_clipboard = false;  // the game's values are in it
  return options;
}

/// A machine and its window.
struct Console {
  const char* title;
  std::unique_ptr<tuxarium::Machine> machine;
  tuxarium::imgui::ConsoleWindow window{*machine, small_console()};
  bool open = true;
};

class DebugConsoles {
 public:
  explicit DebugConsoles(std::vector<std::unique_ptr<tuxarium::Machine>> machines) {
    constexpr std::array kTitles{"Console of the game", "Scratch console"};
    for (std::size_t i = 0; i < machines.size(); ++i)
      consoles_.push_back({.title = kTitles[i % kTitles.size()], .machine = std::move(machines[i])});
  }

  /// Consoles that are closed stand still, and all of them while `paused`; the others share the frame's budget.
  void run(bool paused, Seconds budget) {
    const auto running = std::ranges::count_if(consoles_, &Console::open);
    if (running == 0) return;
    const auto share = std::chrono::duration_cast<std::chrono::nanoseconds>(budget / static_cast<float>(running));
    for (Console& console : consoles_) {
      if (!paused && console.open) console.window.run({.wall = share});
    }
  }

  void talk(Game& game, Seconds now) {
    Console& console = consoles_.front();
    link_.exchange(console.machine->serial(1), game);
    if (!greeted_ && !console.window.machine_panel().starting()) {
      greeted_ = true;
      console.window.terminal().type(kShellFunction);
    }
    if (now - told_ >= Seconds{1}) {
      told_ = now;
      console.machine->clipboard_buffer()->set_text(game.report('\n') + '\n');
    }
  }

  void draw() {
    float y = 20;
    for (Console& console : consoles_) {
      ImGui::SetNextWindowPos({20, y}, ImGuiCond_FirstUseEver);
      console.window.draw(console.title, &console.open);
      y += 320;
    }
  }

  void draw_switches() {
    for (Console& console : consoles_) ImGui::Checkbox(console.title, &console.open);
  }

 private:
  std::vector<Console> consoles_;
  GameLink link_;
  bool greeted_ = false;
  Seconds told_{-1};
};

void draw_controls(Game& game, DebugConsoles& consoles, bool& consoles_paused, float& budget_ms) {
  ImGui::SetNextWindowPos({600, 20}, ImGuiCond_FirstUseEver);
  ImGui::Begin("Game", nullptr, ImGuiWindowFlags_AlwaysAutoResize);
  ImGui::Checkbox("Pause the game", &game.paused);
  ImGui::Checkbox("Pause the consoles", &consoles_paused);
  ImGui::SliderFloat("ms a frame for consoles", &budget_ms, 0.5f, 12, "%.1f");
  for (const Game::Value& value : game.values()) ImGui::SliderFloat(value.name, value.place, value.least, value.most);
  consoles.draw_switches();
  ImGui::Text("%.0f frames a second", static_cast<double>(ImGui::GetIO().Framerate));
  ImGui::End();
}

void play(GLFWwindow* window, DebugConsoles consoles) {
  Game game;
  bool consoles_paused = false;
  float budget_ms = 4;
  while (glfwWindowShouldClose(window) == GLFW_FALSE) {
    glfwPollEvents();
    ImGui_ImplOpenGL3_NewFrame();
    ImGui_ImplGlfw_NewFrame();
    ImGui::NewFrame();
    game.update(std::min(ImGui::GetIO().DeltaTime, 0.05f));
    consoles.run(consoles_paused, Seconds{budget_ms / 1000});
    consoles.talk(game, Seconds{static_cast<float>(glfwGetTime())});
    game.draw(*ImGui::GetBackgroundDrawList(), ImGui::GetIO().DisplaySize);
    consoles.draw();
    draw_controls(game, consoles, consoles_paused, budget_ms);
    ImGui::Render();
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
    glfwSwapBuffers(window);
  }
}

/// Two machines of one unpacked guest: they share its disk, each with its own changes.
std::vector<std::unique_ptr<tuxarium::Machine>> make_machines() {
  std::vector<std::unique_ptr<tuxarium::Machine>> machines;
  const tuxarium::BootSource guest = tuxarium::default_guest();
  for (int i = 0; i < 2; ++i) {
    auto machine = tuxarium::Machine::create({.boot = guest});
    if (!machine) {
      std::fprintf(stderr, "debug_console: %s\n", machine.error().message.c_str());
      return {};
    }
    machines.push_back(std::move(machine).value());
  }
  return machines;
}

}  // namespace

int main() {
  auto machines = make_machines();
  if (machines.empty() || glfwInit() == GLFW_FALSE) return 1;
  GLFWwindow* const window = glfwCreateWindow(1120, 700, "A game with a debug console", nullptr, nullptr);
  if (window == nullptr) return 1;
  glfwMakeContextCurrent(window);
  glfwSwapInterval(1);
  ImGui::CreateContext();
  ImGui_ImplGlfw_InitForOpenGL(window, true);
  ImGui_ImplOpenGL3_Init();
  play(window, DebugConsoles{std::move(machines)});
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplGlfw_Shutdown();
  ImGui::DestroyContext();
  glfwDestroyWindow(window);
  glfwTerminate();
  return 0;
}
