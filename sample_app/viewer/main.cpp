// tuxarium-viewer: a machine in a window.
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <utility>

#include <imgui.h>

#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/console_window.hpp>

#include "fonts.hpp"
#include "frame_loop.hpp"
#include "status.hpp"
#include "viewer_options.hpp"
#include "window.hpp"

namespace tuxarium::viewer {
namespace {

int complain(const std::string& sentence, int status) {
  std::fprintf(stderr, "tuxarium-viewer: %s\n", sentence.c_str());
  return status;
}

imgui::ConsoleOptions console_options(std::shared_ptr<const NetworkLink> network) {
  imgui::ConsoleOptions options;
  options.network = std::move(network);
  options.terminal.input = imgui::InputSource::host_events;
  return options;
}

void show_at_its_size(Window& window, const imgui::ConsoleWindow& console, const ViewerOptions& options) {
  int width = options.width, height = options.height;
  if (width == 0) {
    window.draw([&] {
      const imgui::Extent extent = console.preferred_extent();
      const ImVec2 padding = ImGui::GetStyle().WindowPadding;
      width = static_cast<int>(std::ceil(extent.width + 2 * padding.x));
      height = static_cast<int>(std::ceil(extent.height + 2 * padding.y));
    });
  }
  window.show(width, height);
}

int view(const ViewerOptions& options) {
  auto config = options.machine.build();
  if (!config) return complain(config.error().message, kWrongUsage);
  const std::shared_ptr<const NetworkLink> network = config->network;
  auto machine = Machine::create(std::move(config.value()));
  if (!machine) return complain(machine.error().message, kWrongUsage);
  auto window = Window::open("Tuxarium");
  if (!window) return complain(window.error().message, kNoWindow);
  set_colours();
  if (const auto loaded = load_font(options.font_file, options.font_size * window.value()->scale()); !loaded) {
    return complain(loaded.error().message, kWrongUsage);
  }
  imgui::ConsoleWindow console{*machine.value(), console_options(network)};
  window.value()->send_keys_to(&console.terminal());
  show_at_its_size(*window.value(), console, options);
  int status = FrameLoop{*machine.value(), console, *window.value(), options}.run();
  if (!options.dump_cells.empty()) {
    std::ofstream file{options.dump_cells, std::ios::binary};
    file << console.terminal().screen_text();
    file.close();
    if (!file) status = complain("The screen's text could not be written to " + options.dump_cells + ".", kFailed);
  }
  window.value()->send_keys_to(nullptr);
  return status;
}

}  // namespace
}  // namespace tuxarium::viewer

int main(int argc, char** argv) {
  using namespace tuxarium::viewer;
  try {
    const ParsedViewer parsed = parse_viewer_options(argc, argv);
    if (!parsed.options) {
      if (parsed.status != kDone) return complain(parsed.text, parsed.status);
      std::fputs(parsed.text.c_str(), stdout);
      return kDone;
    }
    return view(*parsed.options);
  } catch (const std::exception& problem) {
    return complain(problem.what(), kFailed);
  }
}
