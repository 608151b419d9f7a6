// A guest driven from a benchmark: run until its console shows a text, with the time that took.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <tuxarium/disk.hpp>
#include <tuxarium/machine.hpp>

namespace bench {

/// Seconds of CPU time of this thread: the machine may be shared, so wall time alone says little.
inline double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Timing {
  double wall = 0, cpu = 0;
  std::uint64_t cycles = 0;
  bool reached = false;
};

/// The old system with its disk under an overlay; nullptr with a sentence on stderr when it cannot be opened.
inline std::unique_ptr<tuxarium::Machine> old_machine(const std::string& directory) {
  tuxarium::Config config;
  auto boot = tuxarium::load_jslinux_boot(directory);
  auto disk = tuxarium::open_chunked_disk(directory + "/hda");
  if (!boot || !disk) {
    std::fprintf(stderr, "%s\n", (!boot ? boot.error() : disk.error()).message.c_str());
    return nullptr;
  }
  config.boot = std::move(*boot);
  config.hda = tuxarium::make_memory_overlay(std::move(*disk));
  auto machine = tuxarium::Machine::create(std::move(config));
  if (!machine) {
    std::fprintf(stderr, "%s\n", machine.error().message.c_str());
    return nullptr;
  }
  return std::move(*machine);
}

/// Runs in frames of 4 ms, sleeping while the guest idles, until the console's new output ends with `text` or `limit` seconds have passed.
inline Timing run_until(tuxarium::Machine& machine, std::string_view text, double limit) {
  const double wall = wall_seconds(), cpu = cpu_seconds();
  const std::uint64_t cycles = machine.counters().cycles;
  std::string output;
  Timing timing;
  while (!timing.reached && wall_seconds() - wall < limit) {
    const tuxarium::RunResult result = machine.run({.cycles = 0, .wall = std::chrono::milliseconds{4}});
    std::byte buffer[4096];
    while (const std::size_t count = machine.serial(0).read(buffer)) output.append(reinterpret_cast<const char*>(buffer), count);
    timing.reached = output.ends_with(text);
    if (!timing.reached && result.reason == tuxarium::StopReason::idle) {
      timespec pause{0, static_cast<long>(std::min<std::int64_t>(result.idle_for.count(), 1'000'000))};
      nanosleep(&pause, nullptr);
    }
  }
  timing.wall = wall_seconds() - wall;
  timing.cpu = cpu_seconds() - cpu;
  timing.cycles = machine.counters().cycles - cycles;
  return timing;
}

/// Types a shell command and waits for the prompt behind its output.
inline Timing run_command(tuxarium::Machine& machine, std::string command, double limit) {
  command += '\n';
  machine.serial(0).write(std::as_bytes(std::span{command}));
  return run_until(machine, "\r\n/var/root # ", limit);
}

}  // namespace bench
