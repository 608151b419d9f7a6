// A frame in which nothing new is needed allocates nothing: counted by this program's own operator new. (What Dear ImGui allocates goes another way.)
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include <tuxarium_imgui/console_window.hpp>

#include "imgui_driver.hpp"
#include "stub_machine.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc{};
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace tuxarium::imgui {
namespace {

// A screen full of text in which every cell has other colours; two of them differ everywhere.
std::string full_screen(int round) {
  std::string all = "\x1b[m\x1b[H";
  for (int r = 0; r < 30; ++r) {
    for (int c = 0; c < 80; ++c) {
      all += "\x1b[" + std::to_string(30 + (r + c + round) % 8) + "m" + static_cast<char>('!' + (r * 7 + c + round) % 90);
    }
    if (r < 29) all += "\r\n";
  }
  return all;
}

struct Stage : ImguiDriver {
  std::unique_ptr<Machine> machine = stub::make_machine();
  ConsoleWindow console{*machine, with_panel()};
  std::string screens[2] = {full_screen(0), full_screen(1)};
  std::function<void()> contents = [this] { console.draw("Linux"); };

  static ConsoleOptions with_panel() {
    ConsoleOptions options;
    options.show_machine = true;
    return options;
  }
  void step(int round) {
    console.terminal().feed(std::as_bytes(std::span{screens[round % 2]}));
    frame(contents);
  }
};

}  // namespace

TEST_CASE("the counter counts") {
  const auto before = allocations.load();
  const auto* volatile one = new int{1};
  delete one;
  CHECK(allocations.load() == before + 1);
}

TEST_CASE("redrawing everything allocates nothing") {
  Stage s;
  stub::behaviour(*s.machine).counters.cycles = 1'000'000;
  for (int i = 0; i < 20; ++i) s.step(i);
  const auto before = allocations.load();
  for (int i = 0; i < 200; ++i) s.step(i);
  CHECK(allocations.load() - before == 0);
}

TEST_CASE("output that scrolls allocates nothing once the scrollback is full") {
  Stage s;
  ConsoleOptions options;
  options.terminal.scrollback_lines = 100;
  s.console = ConsoleWindow{*s.machine, options};
  s.screens[0] = s.screens[1] = std::string(40, 'x') + "\r\nsecond line \x1b[1mbold\x1b[m\r\n";
  for (int i = 0; i < 300; ++i) s.step(i);
  const auto before = allocations.load();
  for (int i = 0; i < 200; ++i) s.step(i);
  CHECK(allocations.load() - before == 0);
}

TEST_CASE("typing allocates nothing that stays") {
  Stage s;
  for (int i = 0; i < 5; ++i) s.step(i);
  REQUIRE(s.console.terminal().focused());
  stub::port(*s.machine, 0).to_guest.reserve(10'000);
  for (int i = 0; i < 20; ++i) {
    ImguiDriver::text("a");
    s.step(i);
  }
  const auto before = allocations.load();
  for (int i = 0; i < 100; ++i) {
    ImguiDriver::text("a");
    s.step(i);
  }
  CHECK(allocations.load() - before == 0);
}

}  // namespace tuxarium::imgui
