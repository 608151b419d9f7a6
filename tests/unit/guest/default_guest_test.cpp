#include <tuxarium/default_guest.hpp>

#include <array>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include <tuxarium/machine.hpp>

#include "disk/sha256.hpp"

using namespace tuxarium;

namespace {

std::string sources() {
  std::ifstream file{TUXARIUM_IMAGE_SOURCES};
  REQUIRE(file);
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Runs until the console has shown `text`, or 4 guest seconds have passed.
bool runs_until(Machine& machine, std::string_view text, std::string& console) {
  while (machine.counters().cycles < 400'000'000 && !machine.powered_off()) {
    (void)machine.run({.cycles = 1'000'000});
    std::array<std::byte, 4096> bytes{};
    while (const std::size_t count = machine.serial(0).read(bytes)) console.append(reinterpret_cast<const char*>(bytes.data()), count);
    if (console.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the images inside the program are those that SOURCES.md names") {
  const auto guest = load_default_guest();
  REQUIRE(guest.has_value());
  const auto& boot = std::get<LinuxBoot>(*guest);
  CHECK(boot.command_line == kDefaultGuestCommandLine);
  CHECK(load_default_guest("quiet").value().index() == guest->index());
  REQUIRE(boot.root_disk != nullptr);
  const std::string text = sources();
  CHECK(text.find(disk::to_hex(disk::sha256(boot.kernel))) != std::string::npos);
  CHECK(text.find(disk::to_hex(disk::sha256(*boot.root_disk))) != std::string::npos);
}

TEST_CASE("two machines boot from one disk and no files, and each keeps its own writes") {
  const BootSource guest = default_guest();
  for (const std::string name : {"first", "second"}) {
    Config config;
    config.boot = guest;
    config.time = TimeSource::cycles;
    auto machine = Machine::create(std::move(config));
    REQUIRE(machine.has_value());
    std::string console;
    const bool prompt = runs_until(**machine, "/root # ", console);
    INFO(console);
    REQUIRE(prompt);
    const std::string command = "ls /root; echo x > /root/" + name + "; sync; echo do''ne\n";
    CHECK((*machine)->serial(0).write(std::as_bytes(std::span{command})) == command.size());
    REQUIRE(runs_until(**machine, "done", console));
    CHECK(console.find(name == "first" ? "second\r\n" : "first\r\n") == std::string::npos);
  }
}
