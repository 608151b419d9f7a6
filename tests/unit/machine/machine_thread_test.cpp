#include <tuxarium/machine_thread.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "unit/machine/rom_program.hpp"

using namespace tuxarium;
using namespace std::chrono_literals;

namespace {

Config rom(const std::vector<int>& code) {
  Config config;
  config.boot = RomBoot{test::rom_image(code)};
  return config;
}

std::unique_ptr<MachineThread> started(Config config, MachineThreadOptions options = {}) {
  auto thread = MachineThread::start(std::move(config), std::move(options));
  REQUIRE(thread.has_value());
  return std::move(*thread);
}

std::uint64_t cycles(MachineThread& thread) {
  return thread.with_machine([](Machine& machine) { return machine.counters().cycles; });
}

void wait_until(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(1ms);
}

const std::vector<int> kForever = {0xeb, 0xfe};                        // jmp $
const std::vector<int> kPowerOff = {0xfa, 0xf4};                       // cli; hlt
const std::vector<int> kReset = {0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe};  // mov al,fe; out 64,al; jmp $

/// Copies what comes on ttyS0 back, by polling.
const std::vector<int> kEcho = {
    0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8,  // again: mov dx,3fd; in al,dx; test al,1; jz again
    0xba, 0xf8, 0x03, 0xec, 0xee, 0xeb, 0xf1,        // mov dx,3f8; in al,dx; out dx,al; jmp again
};

/// A link without frames, which knows who wants to be woken.
class QuietLink final : public NetworkLink {
 public:
  bool send(std::span<const std::byte>) override { return false; }
  std::size_t receive(std::span<std::byte>) override {
    ++asked;
    return 0;
  }
  LinkStatus status() const override { return {}; }
  void on_receivable(std::function<void()> to_wake) override { wake = std::move(to_wake); }
  std::function<void()> wake;
  std::atomic<unsigned> asked{0};
};

}  // namespace

TEST_CASE("machine thread: the guest runs by itself and stands still when it is paused") {
  const auto thread = started(rom(kForever));
  wait_until([&] { return cycles(*thread) > 100'000; });
  thread->pause();
  CHECK(thread->paused());
  const std::uint64_t before = cycles(*thread);
  std::this_thread::sleep_for(20ms);
  CHECK(cycles(*thread) == before);
  thread->resume();
  wait_until([&] { return cycles(*thread) > before; });
}

TEST_CASE("machine thread: paused from the start, nothing runs") {
  const auto thread = started(rom(kForever), {.paused = true});
  std::this_thread::sleep_for(10ms);
  CHECK(cycles(*thread) == 0);
}

TEST_CASE("machine thread: what is typed comes back") {
  const auto thread = started(rom(kEcho));
  const std::string text = "typed";
  CHECK(thread->with_machine([&](Machine& machine) { return machine.serial(0).write(std::as_bytes(std::span{text})); }) == text.size());
  std::string back;
  wait_until([&] {
    thread->with_machine([&](Machine& machine) {
      std::array<std::byte, 64> bytes{};
      const std::size_t count = machine.serial(0).read(bytes);
      back.append(reinterpret_cast<const char*>(bytes.data()), count);
    });
    return back.size() >= text.size();
  });
  CHECK(back == text);
}

TEST_CASE("machine thread: power-off and resets are told; a machine that is off runs again after a reset") {
  std::atomic<int> offs{0};
  const auto off = started(rom(kPowerOff), {.on_stop = [&](Machine& machine, StopReason reason) {
                             if (reason == StopReason::power_off && machine.powered_off()) ++offs;
                           }});
  wait_until([&] { return offs == 1; });
  off->with_machine([](Machine& machine) { machine.reset(); });
  wait_until([&] { return offs == 2; });

  std::atomic<int> resets{0};
  const auto again = started(rom(kReset), {.on_stop = [&](Machine&, StopReason reason) {
                               if (reason == StopReason::reset) ++resets;
                             }});
  wait_until([&] { return resets >= 3; });
}

TEST_CASE("machine thread: a guest can be paused where it stops") {
  MachineThread* self = nullptr;
  std::atomic<int> stops{0};
  MachineThreadOptions options;
  options.paused = true;
  options.on_stop = [&](Machine&, StopReason) {
    ++stops;
    self->pause();
  };
  const auto thread = started(rom(kReset), options);
  self = thread.get();
  thread->resume();
  wait_until([&] { return stops == 1; });
  std::this_thread::sleep_for(10ms);
  CHECK(stops == 1);
}

TEST_CASE("machine thread: callers from many threads have the machine one at a time") {
  const auto thread = started(rom(kForever));
  unsigned visits = 0;  // not atomic: the visits must not overlap
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int n = 0; n < 200; ++n) thread->with_machine([&](Machine&) { ++visits; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(visits == 800);
  const std::uint64_t before = cycles(*thread);
  wait_until([&] { return cycles(*thread) > before; });
}

TEST_CASE("machine thread: a task that throws leaves the machine to others") {
  const auto thread = started(rom(kForever));
  CHECK_THROWS_AS(thread->with_machine([](Machine&) { throw 1; }), int);
  wait_until([&] { return cycles(*thread) > 0; });
}

TEST_CASE("machine thread: a network link wakes it and is let go at the end") {
  const auto link = std::make_shared<QuietLink>();
  Config config = rom(test::tick_counter());
  config.network = link;
  {
    const auto thread = started(std::move(config));
    REQUIRE(link->wake);
    link->wake();
    wait_until([&] { return link->asked > 0; });
  }
  CHECK_FALSE(link->wake);
}

TEST_CASE("machine thread: what cannot work is refused with a sentence") {
  CHECK(MachineThread::start({}).error().message.find("boot source") != std::string::npos);
  CHECK(MachineThread::start(rom(kForever), {.slice = 0ns}).error().message.find("slice") != std::string::npos);
}
