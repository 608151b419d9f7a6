#include <tuxarium/machine.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include <tuxarium/disk.hpp>
#include <tuxarium/inspect.hpp>

#include "unit/machine/rom_program.hpp"

using namespace tuxarium;
using namespace std::chrono_literals;

namespace {

std::uint16_t word_at(Machine& machine, std::uint32_t address) {
  std::array<std::byte, 2> bytes{};
  REQUIRE(Inspector{machine}.read_physical(address, bytes));
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[0]) | std::to_integer<unsigned>(bytes[1]) << 8);
}

std::string console(Machine& machine) {
  std::array<std::byte, 256> bytes{};
  const std::size_t count = machine.serial(0).read(bytes);
  return {reinterpret_cast<const char*>(bytes.data()), count};
}

const std::vector<int> kForever = {0xeb, 0xfe};  // jmp $

}  // namespace

TEST_CASE("a configuration that cannot work is refused with a sentence") {
  Config nothing;
  const auto no_boot = Machine::create(std::move(nothing));
  REQUIRE_FALSE(no_boot.has_value());
  CHECK(no_boot.error().message.find("boot source") != std::string::npos);

  Config tiny;
  tiny.boot = RomBoot{test::rom_image(kForever)};
  tiny.ram_bytes = 4096;
  const auto little_ram = Machine::create(std::move(tiny));
  REQUIRE_FALSE(little_ram.has_value());
  CHECK(little_ram.error().message.find("4096 bytes") != std::string::npos);

  Config slow = test::with_cycles();
  slow.boot = RomBoot{test::rom_image(kForever)};
  slow.cycles_per_second = 5;
  CHECK_FALSE(Machine::create(std::move(slow)).has_value());
}

TEST_CASE("a machine knows what it was made of") {
  Config config = test::with_cycles();
  config.boot = RomBoot{test::rom_image(kForever)};
  config.ram_bytes = 3u << 20;
  config.cpu = CpuModel::pentium;
  const auto machine = Machine::create(std::move(config));
  REQUIRE(machine.has_value());
  CHECK((*machine)->facts().ram_bytes == 3u << 20);
  CHECK((*machine)->facts().cpu == CpuModel::pentium);
  CHECK((*machine)->facts().time == TimeSource::cycles);
}

TEST_CASE("a budget of cycles is kept to the instruction") {
  const auto machine = test::rom_machine(kForever);
  for (std::uint64_t cycles : {1u, 2u, 63u, 64u, 65u, 1000u, 123456u}) {
    const RunResult result = machine->run({.cycles = cycles, .wall = 0ns});
    CHECK(result.reason == StopReason::budget_spent);
    CHECK(result.cycles == cycles);
  }
}

TEST_CASE("a budget of wall time ends a run that would go on for ever") {
  const auto machine = test::rom_machine(kForever);
  const RunResult result = machine->run({.cycles = 0, .wall = 2ms});
  CHECK(result.reason == StopReason::budget_spent);
  CHECK(result.cycles > 0);
}

TEST_CASE("HLT with interrupts off is power-off, until a reset") {
  const auto machine = test::rom_machine({0xfa, 0xf4});
  CHECK(machine->run({}).reason == StopReason::power_off);
  CHECK(machine->powered_off());
  CHECK(machine->run({}).reason == StopReason::power_off);
  machine->reset();
  CHECK_FALSE(machine->powered_off());
  CHECK(machine->run({}).reason == StopReason::power_off);
  CHECK(machine->counters().resets == 1);
}

TEST_CASE("HLT with every interrupt masked is power-off as well: nothing could wake it") {
  const auto machine = test::rom_machine({0xb0, 0xff, 0xe6, 0x21, 0xfb, 0xf4});  // out 21,ff; sti; hlt
  CHECK(machine->run({}).reason == StopReason::power_off);
}

TEST_CASE("an idle guest comes back at once and says for how long") {
  const auto machine = test::rom_machine(test::tick_counter(), test::with_cycles());
  const RunResult result = machine->run({});
  CHECK(result.reason == StopReason::idle);
  CHECK(result.idle_for > 0ns);
  CHECK(result.idle_for <= 10ms + 1us);
}

TEST_CASE("with the cycles clock a halted guest takes one tick a run") {
  const auto machine = test::rom_machine(test::tick_counter(), test::with_cycles());
  machine->run({});
  const unsigned first = word_at(*machine, 0x500);
  unsigned wrong = 0;
  for (unsigned tick = 1; tick <= 100; ++tick) {
    if (machine->run({}).reason != StopReason::idle || word_at(*machine, 0x500) != first + tick) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(machine->counters().guest_time >= 1000ms);
  CHECK(machine->counters().guest_time <= 1001ms);
}

TEST_CASE("with the host's clock no tick is lost while the host is away") {
  const auto machine = test::rom_machine(test::tick_counter());
  machine->run({});
  const unsigned before = word_at(*machine, 0x500);
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(300ms);
  RunResult result = machine->run({});
  const auto away = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  while (result.reason == StopReason::idle && result.idle_for == 0ns) result = machine->run({});
  const unsigned ticks = word_at(*machine, 0x500) - before;
  CHECK(ticks >= 29);
  CHECK(ticks <= static_cast<unsigned>(away.count() / 10) + 3);
}

TEST_CASE("the same inputs give the same run, however it is sliced") {
  const auto whole = test::rom_machine(test::tick_counter(), test::with_cycles());
  const auto sliced = test::rom_machine(test::tick_counter(), test::with_cycles());
  constexpr std::uint64_t kCycles = 3000;
  std::uint64_t done = 0;
  while (done < kCycles) done += whole->run({.cycles = kCycles - done, .wall = 0ns}).cycles;
  done = 0;
  for (std::uint64_t piece = 1; done < kCycles; piece = piece * 7 % 31 + 1) {
    done += sliced->run({.cycles = std::min(piece, kCycles - done), .wall = 0ns}).cycles;
  }
  CHECK(word_at(*whole, 0x500) > 100);
  CHECK(Inspector{*whole}.state_hash() == Inspector{*sliced}.state_hash());
  sliced->run({.cycles = 1, .wall = 0ns});
  CHECK(Inspector{*whole}.state_hash() != Inspector{*sliced}.state_hash());
}

TEST_CASE("two machines in one process do not know of each other") {
  const auto a = test::rom_machine({0xba, 0xf8, 0x03, 0xb0, 'a', 0xee, 0xeb, 0xfb});  // mov dx,3f8; mov al,'a'; out dx,al; jmp
  const auto b = test::rom_machine({0xba, 0xf8, 0x03, 0xb0, 'b', 0xee, 0xeb, 0xfb});
  for (int i = 0; i < 10; ++i) {
    a->run({.cycles = 50, .wall = 0ns});
    b->run({.cycles = 50, .wall = 0ns});
    CHECK(console(*a).find_first_not_of('a') == std::string::npos);
    CHECK(console(*b).find_first_not_of('b') == std::string::npos);
  }
}

TEST_CASE("two machines run on two threads") {
  const auto a = test::rom_machine(test::tick_counter(), test::with_cycles());
  const auto b = test::rom_machine(test::tick_counter(), test::with_cycles());
  const auto work = [](Machine& machine) {
    for (int i = 0; i < 500; ++i) machine.run({});
  };
  std::thread other{work, std::ref(*b)};
  work(*a);
  other.join();
  CHECK(Inspector{*a}.state_hash() == Inspector{*b}.state_hash());
}

TEST_CASE("request_stop ends a run from another thread") {
  const auto machine = test::rom_machine(kForever);
  std::thread other{[&machine] {
    std::this_thread::sleep_for(5ms);
    machine->request_stop();
  }};
  CHECK(machine->run({}).reason == StopReason::stop_requested);
  other.join();
}

TEST_CASE("the keyboard controller's reset line resets the machine, which boots again") {
  const auto machine = test::rom_machine({0xfe, 0x06, 0x00, 0x05, 0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe});  // inc byte [0500]; out 64,fe
  for (unsigned i = 1; i <= 3; ++i) {
    CHECK(machine->run({.cycles = 1000, .wall = 0ns}).reason == StopReason::reset);
    CHECK(machine->counters().resets == i);
    CHECK(word_at(*machine, 0x500) == 0);
  }
}

TEST_CASE("a triple fault is a reset of its own kind") {
  const auto machine = test::rom_machine({0x2e, 0x0f, 0x01, 0x1e, 0x10, 0x00, 0xcd, 0x03});  // lidt cs:[10] (limit F4F4); int 3
  // The table read as F4F4F4F4... has its base beyond RAM; vector 3 leads nowhere useful, but a limit of 0 faults for good.
  Inspector inspector{*machine};
  Registers registers = inspector.registers();
  registers.idtr_limit = 0;
  registers.eip = 6;
  registers.segment[1].base = 0xf0000;
  inspector.set_registers(registers);
  CHECK(machine->run({.cycles = 100, .wall = 0ns}).reason == StopReason::triple_fault);
  CHECK(inspector.registers().eip == 0xfff0);
}

TEST_CASE("a guest that does nothing but fault cannot outrun its budget") {
  const auto machine = test::rom_machine({0x0f, 0x0b});  // ud2; vector 6 is 0:0, where RAM of zeros runs on
  const RunResult result = machine->run({.cycles = 100'000, .wall = 0ns});
  CHECK(result.reason == StopReason::budget_spent);
}

TEST_CASE("the RAM disk of a machine is read through its IDE port") {
  std::vector<std::byte> image(1024, std::byte{0});
  image[512] = std::byte{0x5a};
  Config config;
  config.hda = std::move(*make_memory_disk(image));
  // Sector 1 by LBA, READ SECTORS, word to AX, then power-off.
  const auto machine = test::rom_machine({0xba, 0xf6, 0x01, 0xb0, 0xe0, 0xee,  // 1f6 = e0
                                          0xba, 0xf2, 0x01, 0xb0, 0x01, 0xee,  // count 1
                                          0x42, 0xb0, 0x01, 0xee,              // LBA 1
                                          0x42, 0xb0, 0x00, 0xee, 0x42, 0xb0, 0x00, 0xee,
                                          0xba, 0xf7, 0x01, 0xb0, 0x20, 0xee,  // command 20
                                          0xba, 0xf0, 0x01, 0xed, 0xfa, 0xf4},
                                         std::move(config));
  CHECK(machine->run({.cycles = 1000, .wall = 0ns}).reason == StopReason::power_off);
  CHECK((Inspector{*machine}.registers().gpr[0] & 0xffff) == 0x5a);
  CHECK(machine->counters().disk_bytes_read == 512);
}

TEST_CASE("the clipboard of a machine is a buffer of its own unless one is configured") {
  const auto own = test::rom_machine(kForever);
  REQUIRE(own->clipboard_buffer() != nullptr);
  CHECK(own->clipboard_buffer()->text().empty());

  struct Other final : Clipboard {
    std::string_view text_for_guest() override { return "x"; }
    void text_from_guest(std::string_view) override {}
  };
  Config config;
  config.clipboard = std::make_shared<Other>();
  const auto configured = test::rom_machine(kForever, std::move(config));
  CHECK(configured->clipboard_buffer() == nullptr);
  CHECK(configured->clipboard().text_for_guest() == "x");
}

namespace {

/// Answers `pending` so often, then zeros.
class SlowDisk final : public BlockDevice {
 public:
  explicit SlowDisk(int pending) : pending_{pending} {}
  std::uint64_t sector_count() const override { return 1000; }
  bool read_only() const override { return true; }
  BlockStatus read(std::uint64_t, std::span<std::byte> out) override {
    if (pending_-- > 0) return BlockStatus::pending;
    std::fill(out.begin(), out.end(), std::byte{0});
    return BlockStatus::done;
  }
  BlockStatus write(std::uint64_t, std::span<const std::byte>) override { return BlockStatus::error; }
  BlockStatus flush() override { return BlockStatus::done; }
  std::string last_error() const override { return {}; }

 private:
  int pending_;
};

}  // namespace

TEST_CASE("cycles: guest time stands still while a disk is pending, however long that takes") {
  // dx = 1f6: device 0, LBA; dx = 1f2: one sector; dx = 1f7: read; then until BSY is clear; then a byte to POST and an end.
  const std::vector<int> read_sector = {0xba, 0xf6, 0x01, 0xb0, 0xe0, 0xee, 0xba, 0xf2, 0x01, 0xb0, 0x01, 0xee, 0xba, 0xf7, 0x01, 0xb0, 0x20,
                                        0xee, 0xec, 0xa8, 0x80, 0x75, 0xfb, 0xfa, 0xf4};
  std::chrono::nanoseconds first{0};
  for (const int pending : {2, 3, 1000}) {
    Config config = test::with_cycles();
    config.hda = std::make_unique<SlowDisk>(pending);
    const auto machine = test::rom_machine(read_sector, std::move(config));
    int held = 0;
    RunResult result = machine->run({.cycles = 10'000'000, .wall = 0ns});
    for (; result.reason == StopReason::idle; ++held) {
      CHECK(result.idle_for == 1ms);
      result = machine->run({.cycles = 10'000'000, .wall = 0ns});
    }
    CHECK(result.reason == StopReason::power_off);
    CHECK(held == pending - 1);  // the first time it is asked by the guest, and guest time goes on until it is asked again
    const auto time = machine->counters().guest_time;
    if (first == 0ns) first = time;
    CHECK(time == first);
    CHECK(time < 2ms);
  }
}
