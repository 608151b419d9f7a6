// The smallest program with a Linux in it: a GLFW window, Dear ImGui, a machine, a console.
#include <chrono>

#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/console_window.hpp>

int main() {
  using namespace std::chrono_literals;
  if (glfwInit() == GLFW_FALSE) return 1;
  GLFWwindow* const window = glfwCreateWindow(900, 700, "Linux in ten lines", nullptr, nullptr);
  if (window == nullptr) return 1;
  glfwMakeContextCurrent(window);
  glfwSwapInterval(1);
  ImGui::CreateContext();
  ImGui_ImplGlfw_InitForOpenGL(window, true);
  ImGui_ImplOpenGL3_Init();
  {
    const auto machine = tuxarium::Machine::create({.boot = tuxarium::default_guest()}).value();
    tuxarium::imgui::ConsoleWindow console{*machine};

    while (glfwWindowShouldClose(window) == GLFW_FALSE) {  // your frame loop
      glfwPollEvents();
      ImGui_ImplOpenGL3_NewFrame();
      ImGui_ImplGlfw_NewFrame();
      ImGui::NewFrame();
      machine->run({.wall = 4ms});
      console.draw("Linux");
      ImGui::Render();
      glClear(GL_COLOR_BUFFER_BIT);
      ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
      glfwSwapBuffers(window);
    }
  }
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplGlfw_Shutdown();
  ImGui::DestroyContext();
  glfwDestroyWindow(window);
  glfwTerminate();
  return 0;
}
