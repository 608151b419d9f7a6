#include "machine_tab.hpp"

#include <imgui.h>

#include <cmath>
#include <utility>

namespace tuxarium::viewer {
namespace {

Result<LoadedMachine> load(const app::MachineOptions& options) {
  auto config = options.build();
  if (!config) return config.error();
  LoadedMachine loaded;
  loaded.network = config->network;
  auto machine = Machine::create(std::move(*config));
  if (!machine) return machine.error();
  loaded.machine = std::move(*machine);
  return loaded;
}

}  // namespace

MachineTab::MachineTab(MachineWords words, app::MachineOptions options, imgui::ConsoleOptions console, imgui::Style style, float zoom)
    : words_{std::move(words)}, name_{name_of(words_)}, options_{std::move(console)}, style_{style}, zoom_{zoom} {
  if (options.has_web_disk()) {
    auto hda = std::make_shared<HttpDiskMonitor>(), hdb = std::make_shared<HttpDiskMonitor>();
    options.set_disk_monitors(hda, hdb);
    options_.hda = hda;
    options_.hdb = hdb;
  }
  loading_ = std::async(std::launch::async, [options = std::move(options)] { return load(options); });
}

std::optional<Error> MachineTab::take_loaded(std::chrono::milliseconds wait) {
  if (!loading_.valid() || loading_.wait_for(wait) != std::future_status::ready) return std::nullopt;
  auto loaded = loading_.get();
  if (!loaded) return loaded.error();
  // A drive without pieces was not one over HTTP.
  for (auto* monitor : {&options_.hda, &options_.hdb}) {
    if (*monitor != nullptr && (*monitor)->status().pieces == 0) monitor->reset();
  }
  options_.network = loaded->network;
  machine_ = std::move(loaded->machine);
  console_.emplace(*machine_, options_, style_);
  console_->terminal().set_zoom(zoom_);
  console_->terminal().request_focus();
  return std::nullopt;
}

void MachineTab::draw_contents() {
  if (console_) return console_->draw_contents();
  ImGui::TextUnformatted("Loading the machine...");
  ImGui::TextDisabled("%s", to_line(words_).c_str());
}

}  // namespace tuxarium::viewer
