// One machine of the viewer: being loaded, or with its console, or what went wrong.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include <tuxarium/http_disk.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/console_window.hpp>

#include "machine_words.hpp"

namespace tuxarium::viewer {

/// What a thread makes of a machine's options.
struct LoadedMachine {
  std::unique_ptr<Machine> machine;
  std::shared_ptr<const NetworkLink> network;
};
using Loading = std::future<Result<LoadedMachine>>;

class MachineTab {
 public:
  /// Begins to load in a thread of its own. `console` is for the console of the machine; its network and drives are filled in.
  MachineTab(MachineWords words, app::MachineOptions options, imgui::ConsoleOptions console, imgui::Style style, float zoom);

  /// Waits no longer than `wait`. A sentence when the machine cannot be had; then the tab is of no more use.
  std::optional<Error> take_loaded(std::chrono::milliseconds wait = std::chrono::milliseconds{0});

  /// The console, once the machine is loaded; else nullptr.
  imgui::ConsoleWindow* console() { return console_ ? &*console_ : nullptr; }
  void draw_contents();

  const MachineWords& words() const { return words_; }
  const std::string& name() const { return name_; }

  /// For a tab that is closed meanwhile: somebody must wait for it.
  Loading take_loading() { return std::move(loading_); }

  /// With the latest run.
  RunResult latest;

 private:
  MachineWords words_;
  std::string name_;
  imgui::ConsoleOptions options_;
  imgui::Style style_;
  float zoom_;
  Loading loading_;
  std::unique_ptr<Machine> machine_;
  std::optional<imgui::ConsoleWindow> console_;  // of machine_, and so after it
};

}  // namespace tuxarium::viewer
