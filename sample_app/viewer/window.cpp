#include "window.hpp"

#include <glad/gl.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <imgui.h>

#include <backends/imgui_impl_glfw.h>
#include <backends/imgui_impl_opengl3.h>

#include <algorithm>
#include <string>

#include "key_events.hpp"

namespace tuxarium::viewer {
namespace {

std::string glfw_problem() {
  const char* text = nullptr;
  glfwGetError(&text);
  return text != nullptr ? text : "no reason was given";
}

}  // namespace

Result<std::unique_ptr<Window>> Window::open(const char* title) {
  if (glfwInit() == GLFW_FALSE) return Error{ErrorCode::unsupported, "No window can be opened: " + glfw_problem() + "."};
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
  glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
  glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
  glfwWindowHint(GLFW_VISIBLE, GLFW_FALSE);
  // The name by which the desktop finds the program's icon.
  glfwWindowHintString(GLFW_X11_CLASS_NAME, "tuxarium-viewer");
  glfwWindowHintString(GLFW_X11_INSTANCE_NAME, "tuxarium-viewer");
  GLFWwindow* handle = glfwCreateWindow(800, 600, title, nullptr, nullptr);
  if (handle == nullptr) {
    Error error{ErrorCode::unsupported, "No window with OpenGL 3.3 can be opened: " + glfw_problem() + "."};
    glfwTerminate();
    return error;
  }
  glfwMakeContextCurrent(handle);
  if (gladLoadGL(glfwGetProcAddress) == 0) {
    glfwDestroyWindow(handle);
    glfwTerminate();
    return Error{ErrorCode::unsupported, "The functions of OpenGL 3.3 could not be loaded."};
  }
  return std::unique_ptr<Window>{new Window{handle}};
}

Window::Window(GLFWwindow* window) : window_{window} {
  glfwSwapInterval(1);
  if (const GLFWvidmode* mode = glfwGetVideoMode(glfwGetPrimaryMonitor()); mode != nullptr && mode->refreshRate > 0) {
    frame_time_ = std::chrono::nanoseconds{1'000'000'000 / std::clamp(mode->refreshRate, 24, 240)};
  }
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  ImGui::GetIO().IniFilename = nullptr;
  glfwSetWindowUserPointer(window_, this);
  install_callbacks();
  ImGui_ImplGlfw_InitForOpenGL(window_, true);  // calls on to ours
  ImGui_ImplOpenGL3_Init("#version 330 core");
}

Window::~Window() {
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplGlfw_Shutdown();
  ImGui::DestroyContext();
  glfwDestroyWindow(window_);
  glfwTerminate();
}

Window& Window::of(GLFWwindow* window) { return *static_cast<Window*>(glfwGetWindowUserPointer(window)); }

void Window::install_callbacks() {
  glfwSetKeyCallback(window_, [](GLFWwindow* w, int key, int, int action, int modifiers) {
    of(w).touched_ = true;
    if (of(w).terminal_ != nullptr && action != GLFW_RELEASE) push_key_event(*of(w).terminal_, key, modifiers);
  });
  glfwSetCharCallback(window_, [](GLFWwindow* w, unsigned character) {
    of(w).touched_ = true;
    if (of(w).terminal_ != nullptr) of(w).terminal_->push_text(character);
  });
  glfwSetMouseButtonCallback(window_, [](GLFWwindow* w, int, int, int) { of(w).touched_ = true; });
  glfwSetScrollCallback(window_, [](GLFWwindow* w, double, double) { of(w).touched_ = true; });
  glfwSetCursorPosCallback(window_, [](GLFWwindow* w, double, double) { of(w).touched_ = true; });
  glfwSetDropCallback(window_, [](GLFWwindow* w, int count, const char** paths) {
    of(w).touched_ = true;
    if (of(w).take_dropped_) of(w).take_dropped_({paths, paths + count});
  });
  glfwSetWindowFocusCallback(window_, [](GLFWwindow* w, int) { of(w).touched_ = true; });
  glfwSetWindowRefreshCallback(window_, [](GLFWwindow* w) { of(w).touched_ = true; });
  glfwSetFramebufferSizeCallback(window_, [](GLFWwindow* w, int, int) { of(w).touched_ = true; });
}

void Window::show(int width, int height) {
  glfwSetWindowSize(window_, width, height);
  glfwShowWindow(window_);
}

void Window::size(int& width, int& height) const { glfwGetWindowSize(window_, &width, &height); }
void Window::ask_to_close() { glfwSetWindowShouldClose(window_, GLFW_TRUE); }

void Window::set_title(const char* title) { glfwSetWindowTitle(window_, title); }

bool Window::should_close() const { return glfwWindowShouldClose(window_) != 0; }

bool Window::poll(std::chrono::nanoseconds wait) {
  touched_ = false;
  if (wait > std::chrono::nanoseconds::zero()) {
    glfwWaitEventsTimeout(std::chrono::duration<double>(wait).count());
  } else {
    glfwPollEvents();
  }
  return touched_;
}

void Window::draw(const std::function<void()>& contents, Picture* picture) {
  ImGui_ImplOpenGL3_NewFrame();
  ImGui_ImplGlfw_NewFrame();
  ImGui::NewFrame();
  contents();
  ImGui::Render();
  int width = 0, height = 0;
  glfwGetFramebufferSize(window_, &width, &height);
  glViewport(0, 0, width, height);
  glClearColor(0.07f, 0.08f, 0.10f, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  if (picture != nullptr) {
    const std::size_t row = static_cast<std::size_t>(width) * 3;
    std::vector<std::uint8_t> pixels(row * static_cast<std::size_t>(height));
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE, pixels.data());
    *picture = {.width = width, .height = height, .rgb = {}};
    for (std::size_t y = static_cast<std::size_t>(height); y-- > 0;) {  // OpenGL gives the lowest row first
      const auto from = pixels.begin() + static_cast<std::ptrdiff_t>(y * row);
      picture->rgb.insert(picture->rgb.end(), from, from + static_cast<std::ptrdiff_t>(row));
    }
  }
  glfwSwapBuffers(window_);
}

float Window::scale() const {
  float x = 1, y = 1;
  glfwGetWindowContentScale(window_, &x, &y);
  return std::clamp(y, 1.0f, 4.0f);
}

}  // namespace tuxarium::viewer
