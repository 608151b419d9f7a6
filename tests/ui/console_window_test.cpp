#include <doctest/doctest.h>

#include <string>

#include <tuxarium_imgui/console_window.hpp>

#include "imgui_driver.hpp"
#include "stub_machine.hpp"
#include "widget/network_words.hpp"

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

/// A link that is as a test says.
struct SetLink final : NetworkLink {
  bool send(std::span<const std::byte>) override { return false; }
  std::size_t receive(std::span<std::byte>) override { return 0; }
  LinkStatus status() const override { return now; }
  void on_receivable(std::function<void()>) override {}

  LinkStatus now;
};

std::string text_shown(ImguiDriver& driver, ConsoleWindow& console) {
  return driver.shown_by([&] { console.draw("Linux"); });
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

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

TEST_CASE("a key is with the guest in its own frame, and the echo on the screen in the next") {
  Stage s;
  ConsoleOptions options;
  options.terminal.input = InputSource::host_events;
  s.console = ConsoleWindow{*s.machine, options};
  for (int i = 0; i < 4; ++i) s.step();
  REQUIRE(s.console.terminal().focused());
  // Between two frames, as a window's events come.
  s.console.terminal().push_text(U'k');
  s.console.terminal().push_key(Key::enter, {});
  s.console.exchange();
  CHECK(s.port(0).to_guest == "k\r");
  s.port(0).from_guest = "k";
  s.step();
  CHECK(s.console.terminal().screen_text().starts_with("k"));
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

TEST_CASE("the status line shows the traffic of ttyS1, or the network and why it is not up") {
  Stage s;
  s.port(1).to_guest = std::string(20'480, 'x');
  CHECK(holds(text_shown(s, s.console), "ttyS1  out 0 B  in 20 KiB"));

  const auto link = std::make_shared<SetLink>();
  ConsoleOptions options;
  options.network = link;
  ConsoleWindow console{*s.machine, options};
  link->now = {.state = LinkState::up, .frames_sent = 3, .bytes_sent = 180, .frames_received = 2, .bytes_received = 5 << 20, .last_error = {}};
  CHECK(holds(text_shown(s, console), "network  out 180 B  in 5120 KiB"));
  link->now.state = LinkState::connecting;
  CHECK(holds(text_shown(s, console), "network connecting"));
  link->now.state = LinkState::down;
  link->now.last_error = "The server hung up.";
  CHECK(holds(text_shown(s, console), "network down: The server hung up."));
  link->now.last_error = std::string(5000, 'x');
  CHECK(holds(text_shown(s, console), "xxx..."));
  CHECK_FALSE(holds(text_shown(s, console), std::string(1000, 'x')));
}

TEST_CASE("the network's details") {
  const LinkStatus status{.state = LinkState::up, .frames_sent = 3, .bytes_sent = 180, .frames_received = 2, .bytes_received = 5 << 20, .dropped_sent = 1,
                          .dropped_received = 0, .connections = 2, .last_error = "It hung up."};
  CHECK(network_details(status) ==
        "The network is up.\nout: 3 frames, 180 B, 1 dropped\nin: 2 frames, 5120 KiB, 0 dropped\nconnections: 2\nThe last time it was down: It hung up.");
}

}  // namespace tuxarium::imgui
