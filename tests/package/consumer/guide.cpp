// The blocks of component/embedding.md, in their order, as a program that is built and not run. A test compares the two.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <utility>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/console_window.hpp>

static bool next_frame() { return false; }

int main() {
  using namespace std::chrono_literals;
  // guide begin
  tuxarium::Config config;
  config.boot = tuxarium::default_guest();
  auto made = tuxarium::Machine::create(std::move(config));
  if (!made) {
    std::fprintf(stderr, "no Linux: %s\n", made.error().message.c_str());
    return 1;
  }
  const std::unique_ptr<tuxarium::Machine> machine = std::move(made).value();
  // guide end
  // guide begin
  tuxarium::imgui::ConsoleWindow console{*machine};
  while (next_frame()) {  // your loop, with a frame of Dear ImGui begun
    console.run({.wall = 4ms});
    console.draw("Linux");
  }
  // guide end
  // guide begin
  machine->serial(1).write(std::as_bytes(std::span{"hello\n", 6}));       // the guest reads /dev/ttyS1
  machine->clipboard_buffer()->set_text("score 12");                       // the guest reads /dev/clipboard
  std::array<std::byte, 256> bytes{};
  const std::size_t count = machine->serial(1).read(bytes);                // what it wrote to /dev/ttyS1
  // guide end
  return count == 0 ? 0 : 1;
}
