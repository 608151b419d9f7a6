// Full-screen programs of the old guest, seen through the terminal model: their screens equal the transcripts of the original.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <regex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include <tuxarium/disk.hpp>
#include <tuxarium/machine.hpp>

#include "unit/vt/screen_files.hpp"
#include "vt/terminal.hpp"

using namespace tuxarium;
using namespace std::chrono_literals;

namespace {

const std::filesystem::path kTap = std::filesystem::path{TUXARIUM_SOURCE_DIR} / "../shared/jslinux-tap";

/// The tap guest with a terminal of 80x30 on its console.
class Session {
 public:
  explicit Session(std::unique_ptr<Machine> machine) : machine_{std::move(machine)} {}

  void type(std::string_view text) { terminal_.send(text); }

  /// Runs until the screen's text contains `text` and the guest idles; false when that does not happen within a lot of guest time.
  bool run_until(std::string_view text) {
    const auto limit = machine_->counters().guest_time + 600s;
    while (machine_->counters().guest_time < limit) {
      const RunResult result = machine_->run({.cycles = 1'000'000, .wall = 0ns});
      exchange();
      if (result.reason != StopReason::idle) continue;
      if (++idle_runs_ > 20 && screen().find(text) != std::string::npos) {
        idle_runs_ = 0;
        return true;
      }
    }
    return false;
  }

  std::string screen() const { return vt::trimmed_lines(terminal_.screen_text()); }

 private:
  void exchange() {
    std::array<std::byte, 4096> bytes;
    while (const std::size_t count = machine_->serial(0).read(bytes)) {
      terminal_.write(std::span{bytes}.first(count));
      idle_runs_ = 0;
    }
    terminal_.discard_output(machine_->serial(0).write(terminal_.output()));
  }

  std::unique_ptr<Machine> machine_;
  vt::Terminal terminal_{{.rows = 30, .columns = 80, .scrollback_lines = 100}};
  int idle_runs_ = 0;
};

std::unique_ptr<Session> boot() {
  if (!std::filesystem::exists(kTap)) {
    std::puts("skipped: no ../shared/jslinux-tap");
    return nullptr;
  }
  Config config;
  auto source = load_jslinux_boot(kTap);
  auto disk = open_chunked_disk(kTap / "hda");
  REQUIRE(source.has_value());
  REQUIRE(disk.has_value());
  config.boot = std::move(*source);
  config.hda = make_memory_overlay(std::move(*disk));
  config.time = TimeSource::cycles;
  auto machine = Machine::create(std::move(config));
  REQUIRE(machine.has_value());
  auto session = std::make_unique<Session>(std::move(*machine));
  REQUIRE(session->run_until("/var/root #"));
  return session;
}

/// A transcript's screen without its last line, which tells the cursor's place.
std::string transcript(const char* name) { return vt::read_screen(kTap / "golden" / name).text; }

/// What top shows of memory, load and process numbers depends on what ran before.
std::string without_numbers(const std::string& screen) { return std::regex_replace(screen, std::regex{" *[0-9]+(\\.[0-9]+)?"}, " N"); }

}  // namespace

TEST_CASE("vi shows the file as in the transcript, and gives the screen back") {
  const auto session = boot();
  if (session == nullptr) return;
  session->type("clear; vi hello.c\r");
  REQUIRE(session->run_until("hello.c 1/16"));
  CHECK(session->screen() == transcript("tap_screen_vi.txt"));
  session->type(":q\r");
  CHECK(session->run_until("/var/root #"));
}

TEST_CASE("qemacs asks for the size of the screen and fills it as in the transcript") {
  const auto session = boot();
  if (session == nullptr) return;
  session->type("clear; qe hello.c\r");
  REQUIRE(session->run_until("(C)--L1--C0"));
  CHECK(session->screen() == transcript("tap_screen_qe.txt"));
  session->type("\x18\x03");  // C-x C-c
  CHECK(session->run_until("/var/root #"));
}

TEST_CASE("top lists the processes of the transcript") {
  const auto session = boot();
  if (session == nullptr) return;
  session->type("clear; top\r");
  REQUIRE(session->run_until("Load average"));
  const std::string screen = without_numbers(session->screen());
  CHECK(screen.find("Mem: NK used, NK free, NK shrd, NK buff, NK cached") != std::string::npos);
  CHECK(screen.find("PID  PPID USER     STAT   VSZ %MEM CPU %CPU COMMAND") != std::string::npos);
  for (const char* process : {"/bin/sh /sbin/init", "[ksoftirqd/", "[kblockd/", "[kswapd", "[pdflush]"}) {
    CAPTURE(process);
    CHECK(session->screen().find(process) != std::string::npos);
    CHECK(transcript("tap_screen_top.txt").find(process) != std::string::npos);
  }
  session->type("q");
  CHECK(session->run_until("/var/root #"));
}
