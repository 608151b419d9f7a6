#include <doctest/doctest.h>

#include <string>

#include <tuxarium_imgui/console_window.hpp>

#include "imgui_driver.hpp"
#include "stub_machine.hpp"

namespace tuxarium::imgui {
namespace {

struct Stage : ImguiDriver {
  std::unique_ptr<Machine> machine = stub::make_machine();
  ConsoleWindow console{*machine};

  void step() {
    frame([this] { console.draw("Linux"); });
  }
  stub::Port& port(unsigned index) { return stub::port(*machine, index); }
};

}  // namespace

TEST_CASE("bytes go both ways in one frame, and the window takes the keyboard by itself") {
  Stage s;
  s.port(0).from_guest = "login: ";
  for (int i = 0; i < 4; ++i) s.step();
  CHECK(s.console.terminal().screen_text().starts_with("login:"));
  REQUIRE(s.console.terminal().focused());
  ImguiDriver::text("root");
  s.step();
  CHECK(s.port(0).to_guest == "root");
}

TEST_CASE("what the guest does not take stays queued") {
  Stage s;
  for (int i = 0; i < 4; ++i) s.step();
  s.port(0).room = 2;
  ImguiDriver::text("abcdef");
  s.step();
  CHECK(s.port(0).to_guest == "ab");
  CHECK(s.console.terminal().pending_input().size() == 4);
  s.port(0).room = 100;
  s.step();
  CHECK(s.port(0).to_guest == "abcdef");
}

TEST_CASE("a flood is taken in bounded pieces") {
  Stage s;
  for (int i = 0; i < 2'000'000; ++i) s.port(0).from_guest += "y\r\n";
  s.step();
  CHECK(s.port(0).taken > 0);
  CHECK(s.port(0).taken <= ConsoleWindow::kMaxBytesPerFrame);
}

TEST_CASE("a closed window still moves bytes") {
  Stage s;
  bool open = false;
  s.port(0).from_guest = "hidden";
  s.frame([&] { s.console.draw("Linux", &open); });
  CHECK(s.console.terminal().screen_text().starts_with("hidden"));
}

TEST_CASE("two consoles in one frame share nothing") {
  Stage s;
  auto other_machine = stub::make_machine();
  ConsoleWindow other{*other_machine};
  s.port(0).from_guest = "first";
  stub::port(*other_machine, 0).from_guest = "second";
  for (int i = 0; i < 4; ++i) {
    s.frame([&] {
      s.console.draw("one");
      other.draw("two");
    });
  }
  CHECK(s.console.terminal().screen_text().starts_with("first"));
  CHECK(other.terminal().screen_text().starts_with("second"));
  CHECK(s.console.terminal().focused() != other.terminal().focused());
}

TEST_CASE("runs that the host notes, and none, both draw") {
  Stage s;
  for (int i = 0; i < 200; ++i) {
    s.console.note_run({.reason = i % 2 != 0 ? StopReason::idle : StopReason::budget_spent, .cycles = 1000, .idle_for = {}},
                       std::chrono::microseconds{1234});
    s.step();
  }
  CHECK(ImGui::GetDrawData()->TotalVtxCount > 0);
}

}  // namespace tuxarium::imgui
