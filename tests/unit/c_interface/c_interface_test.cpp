#include <tuxarium.h>

#include <unistd.h>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <tuxarium/version.hpp>

namespace {

struct Free {
  void operator()(tuxarium_config* config) const { tuxarium_config_free(config); }
  void operator()(tuxarium_machine* machine) const { tuxarium_machine_free(machine); }
};
using Config = std::unique_ptr<tuxarium_config, Free>;
using Machine = std::unique_ptr<tuxarium_machine, Free>;

/// A folder of the test's own, removed at its end.
class Folder {
 public:
  Folder() { std::filesystem::create_directories(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string file(const char* name, const std::vector<unsigned char>& content) const {
    const auto path = path_ / name;
    std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(content.data()),
                                                static_cast<std::streamsize>(content.size()));
    return path.string();
  }
  std::string path(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() / ("tuxarium c interface " + std::to_string(::getpid()));
};

/// A ROM of 64 KiB that runs `code` at the reset vector's target.
std::vector<unsigned char> rom(const std::vector<unsigned char>& code) {
  std::vector<unsigned char> image(65536, 0xf4);
  std::copy(code.begin(), code.end(), image.begin());
  const unsigned char jump[] = {0xea, 0x00, 0x00, 0x00, 0xf0};  // jmp 0xf000:0
  std::copy(std::begin(jump), std::end(jump), image.end() - 16);
  return image;
}

Machine machine_of(const std::string& rom_file, tuxarium_error* error = nullptr) {
  const Config config{tuxarium_config_new()};
  REQUIRE(tuxarium_boot_rom(config.get(), rom_file.c_str(), error));
  tuxarium_set_cycles_clock(config.get(), 100'000'000, 1);
  return Machine{tuxarium_machine_new(config.get(), error)};
}

bool says(const tuxarium_error& error, std::string_view words) {
  return std::string_view{error.message}.find(words) != std::string_view::npos;
}

TEST_CASE("C interface: the version is that of the header") { CHECK(tuxarium_version() == TUXARIUM_VERSION_NUM); }

TEST_CASE("C interface: failures have a code and a sentence") {
  const Folder folder;
  const Config config{tuxarium_config_new()};
  tuxarium_error error{};
  CHECK_FALSE(tuxarium_boot_linux(config.get(), "/no/such/kernel", nullptr, nullptr, &error));
  CHECK(error.code == TUXARIUM_ERROR_NOT_FOUND);
  CHECK(says(error, "/no/such/kernel"));
  CHECK_FALSE(tuxarium_boot_rom(nullptr, "x", &error));
  CHECK(error.code == TUXARIUM_ERROR_INVALID_ARGUMENT);
  CHECK_FALSE(tuxarium_boot_rom(config.get(), nullptr, &error));
  CHECK(says(error, "NULL"));
  CHECK_FALSE(tuxarium_set_cpu(config.get(), "8086", &error));
  CHECK(says(error, "8086"));
  CHECK_FALSE(tuxarium_set_disk(config.get(), 2, "x", TUXARIUM_DISK_VOLATILE, &error));
  CHECK(says(error, "drive 2"));
  CHECK_FALSE(tuxarium_set_disk(config.get(), 0, folder.path(".").c_str(), TUXARIUM_DISK_IN_PLACE, &error));
  CHECK(says(error, "raw image"));
  CHECK_FALSE(tuxarium_set_websocket_network(config.get(), "http://x/", nullptr, &error));
  CHECK_FALSE(tuxarium_machine_new(config.get(), &error));
  CHECK_FALSE(tuxarium_machine_new(nullptr, &error));
  CHECK_FALSE(tuxarium_machine_new(nullptr, nullptr));
}

TEST_CASE("C interface: a sentence that is too long is cut on a whole character") {
  const Config config{tuxarium_config_new()};
  for (const char* padding : {"", "x"}) {
    std::string path = padding;
    while (path.size() < 1000) path += "\xc3\xa4";
    tuxarium_error error{};
    CHECK_FALSE(tuxarium_boot_rom(config.get(), path.c_str(), &error));
    const std::string_view message{error.message};
    CHECK(message.size() < sizeof error.message);
    CHECK(message.size() > sizeof error.message - 4);
    CHECK(static_cast<unsigned char>(message.back()) != 0xc3);
  }
}

TEST_CASE("C interface: a ROM talks to its serial ports, and halts for good") {
  const Folder folder;
  // Sends 'C' on each port, and ends with interrupts off.
  const Machine machine =
      machine_of(folder.file("talk.rom", rom({0xba, 0xf8, 0x03, 0xb0, 'C', 0xee, 0xba, 0xf8, 0x02, 0xb0, 'N', 0xee, 0xfa, 0xf4})));
  REQUIRE(machine);
  tuxarium_run_result result{};
  for (int i = 0; i < 10'000 && result.reason != TUXARIUM_STOP_POWER_OFF; ++i) result = tuxarium_run(machine.get(), 100'000, 0);
  CHECK(result.reason == TUXARIUM_STOP_POWER_OFF);
  CHECK(tuxarium_powered_off(machine.get()));
  CHECK(tuxarium_read_counters(machine.get()).cycles > 0);
  char text[8] = {};
  tuxarium_reset(machine.get());
  CHECK_FALSE(tuxarium_powered_off(machine.get()));
  CHECK(tuxarium_read_counters(machine.get()).resets == 1);
  std::string console, other;
  for (int i = 0; i < 100; ++i) {
    tuxarium_run(machine.get(), 100'000, 0);
    console.append(text, tuxarium_serial_read(machine.get(), 0, text, sizeof text));
    other.append(text, tuxarium_serial_read(machine.get(), 1, text, sizeof text));
  }
  CHECK(console.find('C') != std::string::npos);
  CHECK(other.find('N') != std::string::npos);
  CHECK(tuxarium_serial_write(machine.get(), 0, "hello", 5) == 5);
  CHECK(tuxarium_serial_read(machine.get(), 2, text, sizeof text) == 0);
  CHECK(tuxarium_serial_write(machine.get(), 2, "x", 1) == 0);
}

TEST_CASE("C interface: a stop that was asked for ends a run without limits") {
  const Folder folder;
  const Machine machine = machine_of(folder.file("loop.rom", rom({0xeb, 0xfe})));
  REQUIRE(machine);
  tuxarium_request_stop(machine.get());
  CHECK(tuxarium_run(machine.get(), 0, 0).reason == TUXARIUM_STOP_REQUESTED);
  const tuxarium_run_result result = tuxarium_run(machine.get(), 1000, 0);
  CHECK(result.reason == TUXARIUM_STOP_BUDGET);
  CHECK(result.cycles == 1000);
  CHECK(tuxarium_run(machine.get(), 0, 1).reason == TUXARIUM_STOP_BUDGET);
  CHECK(tuxarium_run(machine.get(), 1, UINT64_MAX).reason == TUXARIUM_STOP_BUDGET);
}

TEST_CASE("C interface: the clipboard") {
  const Folder folder;
  const Machine machine = machine_of(folder.file("loop.rom", rom({0xeb, 0xfe})));
  REQUIRE(machine);
  char text[4] = {};
  CHECK(tuxarium_clipboard_get(machine.get(), text, sizeof text) == 0);
  CHECK(tuxarium_clipboard_set(machine.get(), "a\0bcdef", 7));
  CHECK(tuxarium_clipboard_get(machine.get(), text, sizeof text) == 7);
  CHECK(std::memcmp(text, "a\0bc", 4) == 0);
  CHECK(tuxarium_clipboard_get(machine.get(), nullptr, 0) == 7);
  CHECK(tuxarium_clipboard_guest_writes(machine.get()) == 0);
}

TEST_CASE("C interface: disks") {
  const Folder folder;
  const std::string image = folder.file("disk.img", std::vector<unsigned char>(1024, 7)), loop = folder.file("loop.rom", rom({0xeb, 0xfe}));
  const std::string overlay = folder.path("changes");
  for (const tuxarium_disk_mode mode : {TUXARIUM_DISK_VOLATILE, TUXARIUM_DISK_READ_ONLY, TUXARIUM_DISK_IN_PLACE}) {
    const Config config{tuxarium_config_new()};
    CHECK(tuxarium_boot_rom(config.get(), loop.c_str(), nullptr));
    CHECK(tuxarium_set_disk(config.get(), 0, image.c_str(), mode, nullptr));
    CHECK(tuxarium_set_disk_with_overlay(config.get(), 1, image.c_str(), overlay.c_str(), nullptr));
    const Machine machine{tuxarium_machine_new(config.get(), nullptr)};
    REQUIRE(machine);
    CHECK(std::filesystem::exists(overlay));
    tuxarium_error error{};
    const Config second{tuxarium_config_new()};
    CHECK_FALSE(tuxarium_set_disk_with_overlay(second.get(), 0, image.c_str(), overlay.c_str(), &error));
    CHECK(says(error, "changes"));
  }
}

TEST_CASE("C interface: nothing of C++ crosses the library's border when the configuration is empty") {
  tuxarium_error error{};
  const Config config{tuxarium_config_new()};
  CHECK(tuxarium_machine_new(config.get(), &error) == nullptr);
  CHECK(error.message[0] != '\0');
  tuxarium_config_free(nullptr);
  tuxarium_machine_free(nullptr);
}

}  // namespace
