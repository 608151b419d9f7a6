// demo_pictures FOLDER: a picture of every page of the demo window, in a dark theme at one scale and a light one at another.
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include <tuxarium_imgui/demo_window.hpp>
#include <tuxarium_imgui/machine_panel.hpp>

#include "fonts.hpp"
#include "imgui_driver.hpp"
#include "picture.hpp"
#include "stub_machine.hpp"

namespace tuxarium::imgui {
namespace {

struct Look {
  const char* name;
  Theme theme;
  float font;
};
constexpr Look kLooks[] = {{"dark", Theme::dark, 14}, {"light", Theme::light, 22}};

class Studio {
 public:
  Studio(std::filesystem::path folder, const Look& look) : folder_{std::move(folder)}, look_{look}, style_{make_style(look.theme)} {
    ImGui::GetIO().Fonts->Clear();
    if (!viewer::load_font({}, look.font)) std::exit(2);
    ImGui::GetIO().Fonts->Build();
    width_ = static_cast<int>(look.font * 63);
    height_ = static_cast<int>(look.font * 38);
    ImGui::GetIO().DisplaySize = {static_cast<float>(width_), static_cast<float>(height_)};
    viewer::set_colours(style_);
  }

  const Style& style() const { return style_; }

  /// `draw` fills a window that is as large as the picture, in three frames.
  void take(const std::string& name, const std::function<void()>& draw) {
    for (int i = 0; i < 3; ++i) {
      driver_.frame([&] {
        ImGui::SetNextWindowPos({0, 0}, ImGuiCond_Always);
        ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize, ImGuiCond_Always);
        draw();
      });
    }
    Painter painter{width_, height_, {0.07f, 0.08f, 0.10f, 1}};
    painter.paint(*ImGui::GetDrawData());
    std::string file;
    for (const char c : name) file += c == ' ' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (!viewer::write_png(folder_ / (file + "-" + look_.name + ".png"), painter.picture())) std::exit(2);
  }

 private:
  ImguiDriver driver_;
  std::filesystem::path folder_;
  Look look_;
  Style style_;
  int width_ = 0, height_ = 0;
};

void take_pages(Studio& studio) {
  for (std::size_t page = 0; page < DemoWindow::page_count(); ++page) {
    DemoWindow demo;
    demo.terminal().style() = studio.style();
    demo.show_page(page);
    studio.take(DemoWindow::page_name(page), [&] { demo.draw(); });
  }
  DemoWindow demo;
  demo.terminal().style() = studio.style();
  demo.show_page(6);
  demo.terminal().find("needle");
  studio.take("Search", [&] { demo.draw(); });
}

void take_panel(Studio& studio) {
  const auto machine = stub::make_machine();
  const auto disk = std::make_shared<HttpDiskMonitor>();
  disk->update([](HttpDiskStatus& status) { status.pieces = 64, status.pieces_loaded = 20, status.pieces_waited = 2; });
  MachinePanel panel{*machine, {.network = nullptr, .hda = disk, .hdb = nullptr}};
  panel.run({});
  panel.pause();
  studio.take("Machine", [&] { panel.draw("Machine", studio.style()); });
  Style style = studio.style();
  studio.take("Style", [&] {
    ImGui::Begin("Style");
    ShowStyleEditor(style);
    ImGui::End();
  });
}

}  // namespace
}  // namespace tuxarium::imgui

int main(int argc, char** argv) {
  using namespace tuxarium::imgui;
  if (argc != 2) return 2;
  for (const Look& look : kLooks) {
    Studio studio{argv[1], look};
    take_pages(studio);
    take_panel(studio);
  }
}
