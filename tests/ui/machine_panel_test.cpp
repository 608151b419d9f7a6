// The machine panel, and how it holds a machine back.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

#include <tuxarium_imgui/console_window.hpp>
#include <tuxarium_imgui/machine_panel.hpp>

#include "imgui_driver.hpp"
#include "stub_machine.hpp"
#include "widget/machine_pace.hpp"
#include "widget/traffic_history.hpp"

namespace tuxarium::imgui {
namespace {

using namespace std::chrono_literals;

struct Stage : ImguiDriver {
  std::unique_ptr<Machine> machine = stub::make_machine();
  std::shared_ptr<HttpDiskMonitor> disk = std::make_shared<HttpDiskMonitor>();
  MachinePanel panel{*machine, {.network = nullptr, .hda = disk, .hdb = nullptr}};
  Style style;

  stub::Behaviour& guest() { return stub::behaviour(*machine); }
  std::string text() {
    return shown_by([this] { panel.draw("Machine", style); });
  }
  bool shows(const std::string& part) { return text().find(part) != std::string::npos; }
};

}  // namespace

TEST_CASE("a paused machine does not run, a step runs what it says, and it goes on") {
  Stage s;
  s.guest().cycles_a_run = 1000;
  CHECK(s.panel.run({.cycles = 0, .wall = 4ms}).cycles == 1000);
  s.panel.pause();
  CHECK(s.panel.state() == RunState::paused);
  const RunResult held = s.panel.run({.cycles = 0, .wall = 4ms});
  CHECK(held.reason == StopReason::idle);
  CHECK(held.idle_for > 0ms);
  CHECK(s.guest().budgets.size() == 1);
  s.panel.step(1500);
  CHECK(s.panel.run({.cycles = 0, .wall = 4ms}).cycles == 1000);
  CHECK(s.panel.run({.cycles = 0, .wall = 4ms}).cycles == 500);
  CHECK(s.panel.run({.cycles = 0, .wall = 4ms}).cycles == 0);
  s.panel.resume();
  CHECK(s.panel.run({.cycles = 0, .wall = 4ms}).cycles == 1000);
}

TEST_CASE("a machine without power does not run, and is reset when it gets it back") {
  Stage s;
  s.guest().cycles_a_run = 1000;
  s.panel.power_off();
  CHECK(s.panel.state() == RunState::off);
  s.panel.run({.cycles = 0, .wall = 4ms});
  CHECK(s.guest().budgets.empty());
  CHECK(s.guest().counters.resets == 0);
  s.panel.resume();
  CHECK(s.guest().counters.resets == 1);
  s.panel.run({.cycles = 0, .wall = 4ms});
  CHECK(s.guest().budgets.size() == 1);
  s.guest().powered_off = true;
  CHECK(s.panel.state() == RunState::halted);
  s.panel.resume();
  CHECK(s.guest().counters.resets == 2);
  CHECK(s.panel.state() == RunState::running);
}

TEST_CASE("a speed limit gives what its rate allows, and saves no more than a burst") {
  MachinePace pace;
  pace.set_limit({.mips = 10, .processor_share = 0});
  auto now = MachinePace::Clock::time_point{} + 1h;
  CHECK_FALSE(pace.permit({}, now));
  CHECK(pace.wait() > 0ms);
  now += 10ms;
  auto budget = pace.permit({}, now);
  REQUIRE(budget);
  CHECK(budget->cycles == doctest::Approx(100'000).epsilon(0.01));
  pace.note({.reason = StopReason::budget_spent, .cycles = 100'000, .idle_for = {}}, 1ms);
  CHECK_FALSE(pace.permit({}, now));
  budget = pace.permit({.cycles = 0, .wall = 4ms}, now + 1h);
  REQUIRE(budget);
  CHECK(budget->cycles == 500'000);
  CHECK(budget->wall == 4ms);
}

TEST_CASE("a share of the host's processor") {
  MachinePace pace;
  pace.set_limit({.mips = 0, .processor_share = 0.25f});
  auto now = MachinePace::Clock::time_point{} + 1h;
  std::chrono::nanoseconds used{0};
  for (int i = 0; i < 1000; ++i, now += 10ms) {
    const auto budget = pace.permit({.cycles = 0, .wall = 8ms}, now);
    if (!budget) continue;
    used += budget->wall;
    pace.note({}, budget->wall);
  }
  CHECK(used > 2400ms);
  CHECK(used < 2600ms);
}

TEST_CASE("rates over time are those of the totals, also after a pause") {
  TrafficHistory history;
  TrafficHistory::Totals totals{};
  auto now = TrafficHistory::Clock::time_point{} + 1h;
  CHECK(history.due(now));
  history.observe(totals, now);
  CHECK_FALSE(history.due(now + 100ms));
  totals[TrafficHistory::disk_read] = 500;
  history.observe(totals, now += 250ms);
  CHECK(history.rate(TrafficHistory::disk_read) == doctest::Approx(2000));
  CHECK(history.rate(TrafficHistory::disk_read, 1) == 0);
  totals[TrafficHistory::disk_read] += 10'000;
  history.observe(totals, now += 10s);
  CHECK(history.rate(TrafficHistory::disk_read) == doctest::Approx(1000));
  CHECK(history.rate(TrafficHistory::disk_read, 39) == doctest::Approx(1000));
  CHECK(history.rate(TrafficHistory::disk_read, 40) == doctest::Approx(2000));
  CHECK(history.highest(TrafficHistory::disk_read) == doctest::Approx(2000));
  history.observe(totals, now += 240h);
  CHECK(history.highest(TrafficHistory::disk_read) < 1);
}

TEST_CASE("the panel says what the machine is, and offers what can be done") {
  Stage s;
  CHECK(s.shows("The program around it runs this machine."));
  s.panel.run({});
  CHECK(s.shows("Processor  486DX4"));
  CHECK(s.shows("24.0 MiB"));
  CHECK(s.shows("Pause"));
  CHECK_FALSE(s.shows("Step"));
  s.panel.pause();
  CHECK(s.shows("Step"));
  s.panel.power_off();
  CHECK(s.shows("Power on"));
}

TEST_CASE("a drive over HTTP shows how much of it is there, and why it waits") {
  Stage s;
  s.disk->update([](HttpDiskStatus& status) {
    status.pieces = 64;
    status.pieces_loaded = 12;
    status.pieces_waited = 3;
    status.retries = 1;
    status.last_error = "The server said 503.";
  });
  CHECK(s.shows("hda: 12 of 64 pieces"));
  CHECK(s.shows("waits for 3"));
  CHECK(s.shows("The server said 503."));
}

TEST_CASE("a console puts its terminal right when the machine is reset") {
  ImguiDriver driver;
  auto machine = stub::make_machine();
  ConsoleWindow console{*machine};
  stub::port(*machine, 0).from_guest = "text\x1b[?1049h\x1b[?1003h\x1b[7mfull screen";
  console.exchange();
  CHECK_FALSE(console.terminal().screen_text().starts_with("text"));
  console.machine_panel().reset();
  console.exchange();
  CHECK(console.terminal().screen_text().starts_with("text"));
}

TEST_CASE("a console runs its machine by its panel, and can show it") {
  ImguiDriver driver;
  auto machine = stub::make_machine();
  ConsoleWindow console{*machine};
  CHECK(console.run({.cycles = 0, .wall = 4ms}).reason == StopReason::budget_spent);
  const auto narrow = [&] {
    Extent extent;
    driver.frame([&] { extent = console.preferred_extent(); });
    return extent.width;
  };
  const float before = narrow();
  console.parts().machine = true;
  CHECK(narrow() > before + 100);
  const auto text = driver.shown_by([&] { console.draw("Linux"); });
  CHECK(text.find("Power off") != std::string::npos);
  console.machine_panel().pause();
  CHECK(driver.shown_by([&] { console.draw("Linux"); }).find("paused") != std::string::npos);
}

}  // namespace tuxarium::imgui
