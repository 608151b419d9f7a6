// What a machine costs its host's frame: how well run() keeps a budget of 4 ms under load, what a call costs while the guest idles, and the
// memory of the process beyond the guest's RAM.
//
// usage: bench_frame DIRECTORY_OF_JSLINUX_TAP [CALLS]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "bench/guest_session.hpp"

namespace {

constexpr double kLimit = 60;  // seconds for one load

/// Of sorted values; `q` 0 to 1.
double quantile(const std::vector<double>& values, double q) {
  return values[std::min(values.size() - 1, static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

double share_within(const std::vector<double>& values, double bound) {
  const auto within = std::count_if(values.begin(), values.end(), [bound](double v) { return v <= bound; });
  return 100.0 * static_cast<double>(within) / static_cast<double>(values.size());
}

void print(const char* name, std::vector<double> wall, std::vector<double> cpu) {
  std::sort(wall.begin(), wall.end());
  std::sort(cpu.begin(), cpu.end());
  std::printf("%-34s %7zu calls   wall ms: median %.4f  99.9%% %.4f  max %.4f   CPU ms: median %.4f  99.9%% %.4f  max %.4f\n", name, wall.size(),
              1e3 * quantile(wall, 0.5), 1e3 * quantile(wall, 0.999), 1e3 * wall.back(), 1e3 * quantile(cpu, 0.5), 1e3 * quantile(cpu, 0.999),
              1e3 * cpu.back());
}

/// Drains the console as a frontend does.
void drain(tuxarium::Machine& machine) {
  std::byte buffer[65536];
  while (machine.serial(0).read(buffer) != 0) {
  }
}

void measure_load(tuxarium::Machine& machine, const char* name, std::string command, int calls) {
  command += '\n';
  machine.serial(0).write(std::as_bytes(std::span{command}));
  std::vector<double> wall, cpu;
  const double start = bench::wall_seconds();
  while (static_cast<int>(wall.size()) < calls && bench::wall_seconds() - start < kLimit) {
    const double w = bench::wall_seconds(), c = bench::cpu_seconds();
    const tuxarium::RunResult result = machine.run({.cycles = 0, .wall = std::chrono::milliseconds{4}});
    const double cpu_spent = bench::cpu_seconds() - c, wall_spent = bench::wall_seconds() - w;
    if (result.reason == tuxarium::StopReason::budget_spent) {
      wall.push_back(wall_spent);
      cpu.push_back(cpu_spent);
    } else {
      const timespec frame{0, 1'000'000};
      nanosleep(&frame, nullptr);
    }
    drain(machine);
  }
  const char interrupt[] = {3};
  machine.serial(0).write(std::as_bytes(std::span{interrupt}));
  bench::run_until(machine, "/var/root # ", 10);
  if (wall.empty()) return;
  print(name, wall, cpu);
  std::printf("%-34s within 4.5 ms: %.3f %% of wall, %.3f %% of CPU\n", "", share_within(wall, 4.5e-3), share_within(cpu, 4.5e-3));
}

void measure_idle(tuxarium::Machine& machine, int calls) {
  std::vector<double> wall, cpu;
  for (int i = 0; i < calls; ++i) {
    const double w = bench::wall_seconds(), c = bench::cpu_seconds();
    machine.run({.cycles = 0, .wall = std::chrono::milliseconds{4}});
    cpu.push_back(bench::cpu_seconds() - c);
    wall.push_back(bench::wall_seconds() - w);
    drain(machine);
    const timespec frame{0, 1'000'000};
    nanosleep(&frame, nullptr);
  }
  print("idle at the prompt", wall, cpu);
}

/// Kilobytes from /proc/self/status.
long status_field(const char* field) {
  std::ifstream file{"/proc/self/status"};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field)) return std::atol(line.c_str() + std::string{field}.size() + 1);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_frame DIRECTORY_OF_JSLINUX_TAP [CALLS]\n");
    return 2;
  }
  const int calls = argc > 2 ? std::max(10, std::atoi(argv[2])) : 1500;
  const auto machine = bench::old_machine(argv[1]);
  if (machine == nullptr) return 2;
  if (!bench::run_until(*machine, "/var/root # ", 60).reached) return 1;
  measure_load(*machine, "md5sum of zeros", "dd if=/dev/zero bs=1k count=2000000 | md5sum", calls);
  measure_load(*machine, "yes to the console", "yes", calls);
  measure_load(*machine, "reading the disk", "cat /dev/hda /dev/hda /dev/hda /dev/hda /dev/hda /dev/hda /dev/hda /dev/hda > /dev/null", calls);
  measure_idle(*machine, calls);
  const long resident = status_field("VmHWM:");
  std::printf("memory: %.1f MiB resident at the most, %.1f MiB beyond the guest's 16 MiB\n", static_cast<double>(resident) / 1024,
              static_cast<double>(resident) / 1024 - 16);
  return 0;
}
