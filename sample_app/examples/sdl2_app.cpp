// The same as glfw_app with SDL2 instead: a window, Dear ImGui, a machine, a console.
#include <chrono>
#include <cstddef>
#include <iterator>
#include <string_view>

#include <SDL.h>
#include <SDL_opengl.h>
#if __has_include(<backends/imgui_impl_sdl2.h>)
#include <backends/imgui_impl_sdl2.h>
#else
#include <backends/imgui_impl_sdl.h>  // its name before 1.89.3
#endif
#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/console_window.hpp>

namespace {

using tuxarium::imgui::Key;

/// Where `key` is in io.KeysDown: Dear ImGui before 1.87 numbers keys as its backend does. Later versions do not ask.
int sdl_scancode(Key key) {
  const auto after = [key](Key first) { return static_cast<int>(key) - static_cast<int>(first); };
  constexpr SDL_Scancode kNamed[] = {SDL_SCANCODE_RETURN, SDL_SCANCODE_TAB,     SDL_SCANCODE_BACKSPACE, SDL_SCANCODE_ESCAPE,
                                     SDL_SCANCODE_UP,     SDL_SCANCODE_DOWN,    SDL_SCANCODE_LEFT,      SDL_SCANCODE_RIGHT,
                                     SDL_SCANCODE_INSERT, SDL_SCANCODE_DELETE,  SDL_SCANCODE_HOME,      SDL_SCANCODE_END,
                                     SDL_SCANCODE_PAGEUP, SDL_SCANCODE_PAGEDOWN};
  constexpr SDL_Scancode kKeypad[] = {SDL_SCANCODE_KP_PERIOD, SDL_SCANCODE_KP_DIVIDE, SDL_SCANCODE_KP_MULTIPLY, SDL_SCANCODE_KP_MINUS,
                                      SDL_SCANCODE_KP_PLUS,   SDL_SCANCODE_KP_ENTER,  SDL_SCANCODE_KP_EQUALS};
  constexpr std::string_view kPunctuation = " ',-./;=[\\]`";
  if (key <= Key::page_down) return kNamed[after(Key::enter)];
  if (key <= Key::f12) return SDL_SCANCODE_F1 + after(Key::f1);
  if (key <= Key::f20) return SDL_SCANCODE_F13 + after(Key::f13);
  if (key == Key::keypad_0) return SDL_SCANCODE_KP_0;
  if (key <= Key::keypad_9) return SDL_SCANCODE_KP_1 + after(Key::keypad_1);
  if (key <= Key::keypad_equal) return kKeypad[after(Key::keypad_decimal)];
  // Characters count by what they give on the user's layout.
  if (key <= Key::z) return SDL_GetScancodeFromKey(SDLK_a + after(Key::a));
  if (key <= Key::digit_9) return SDL_GetScancodeFromKey(SDLK_0 + after(Key::digit_0));
  if (key <= Key::grave) return SDL_GetScancodeFromKey(kPunctuation[static_cast<std::size_t>(after(Key::space))]);
  return -1;
}

bool wants_to_go_on() {
  bool go_on = true;
  for (SDL_Event event; SDL_PollEvent(&event) != 0;) {
    ImGui_ImplSDL2_ProcessEvent(&event);
    if (event.type == SDL_QUIT) go_on = false;
  }
  return go_on;
}

}  // namespace

int main(int, char**) {
  using namespace std::chrono_literals;
  if (SDL_Init(SDL_INIT_VIDEO) != 0) return 1;
  SDL_Window* const window =
      SDL_CreateWindow("Linux by SDL", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, 900, 700, SDL_WINDOW_OPENGL | SDL_WINDOW_RESIZABLE);
  if (window == nullptr) return 1;
  const SDL_GLContext gl = SDL_GL_CreateContext(window);
  if (gl == nullptr) return 1;
  SDL_GL_SetSwapInterval(1);
  ImGui::CreateContext();
  ImGui_ImplSDL2_InitForOpenGL(window, gl);
  ImGui_ImplOpenGL3_Init();
  {
    const auto machine = tuxarium::Machine::create({.boot = tuxarium::default_guest()}).value();
    tuxarium::imgui::ConsoleOptions options;
    options.terminal.native_key = sdl_scancode;
    tuxarium::imgui::ConsoleWindow console{*machine, options};

    while (wants_to_go_on()) {
      ImGui_ImplOpenGL3_NewFrame();
      ImGui_ImplSDL2_NewFrame();
      ImGui::NewFrame();
      machine->run({.wall = 4ms});
      console.draw("Linux");
      ImGui::Render();
      glClear(GL_COLOR_BUFFER_BIT);
      ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
      SDL_GL_SwapWindow(window);
    }
  }
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplSDL2_Shutdown();
  ImGui::DestroyContext();
  SDL_GL_DeleteContext(gl);
  SDL_DestroyWindow(window);
  SDL_Quit();
  return 0;
}
