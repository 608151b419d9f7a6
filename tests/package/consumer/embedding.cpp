// The example of README.md, as a program that is built and not run. A test compares the two.
#include <chrono>
#include <utility>

#include <tuxarium/disk.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/console_window.hpp>

static bool next_frame() { return false; }

int main() {
  using namespace std::chrono_literals;
  // README begin
  tuxarium::Config config;
  config.boot = tuxarium::load_jslinux_boot("jslinux").value();
  config.hda = tuxarium::make_memory_overlay(tuxarium::open_chunked_disk("jslinux/hda").value());
  auto machine = tuxarium::Machine::create(std::move(config)).value();
  tuxarium::imgui::ConsoleWindow console{*machine};

  while (next_frame()) {  // your frame loop, with a frame of Dear ImGui begun
    machine->run({.wall = 4ms});
    console.draw("Linux");
  }
  // README end
}
