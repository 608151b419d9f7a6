// Boot and work of the old jslinux-tap guest, beside the times of the original (JSLinux in node 20, 2 shared cores, AMD EPYC).
//
// usage: bench_old_guest DIRECTORY_OF_JSLINUX_TAP [ROUNDS]

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bench/guest_session.hpp"

namespace {

constexpr double kLimit = 120;
constexpr double kOriginalBoot = 5.65;

struct Work {
  const char* command;
  double original;  // wall seconds in node
};

constexpr Work kWork[] = {
    {"./loop", 15.2},
    {"./sieve", 4.6},
    {"./fp", 12.5},
    {"dd if=/dev/zero bs=1k count=20000 | md5sum", 19.0},
    {"gzip -c /bin/busybox | wc -c", 28.6},
    {"sh -c 'i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done'", 5.5},
    {"sh -c 'for i in $(seq 1 100); do /bin/true; done'", 2.3},
    {"dd if=/dev/zero of=/dev/null bs=1 count=20000", 0.58},
    {"gcc -O2 -o hello hello.c", 2.8},
    {"tcc -o hello hello.c", 1.1},
    {"dd if=/dev/hda of=/dev/null bs=64k count=160", 1.8},
    {"cd dos; ./hpigot.com | md5sum; cd", 23.6},
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

bool bring_program(tuxarium::Machine& machine, const std::string& directory, const char* name) {
  std::ifstream file{directory + "/bench/" + name + ".c"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (text.empty()) return false;
  machine.clipboard_buffer()->set_text(text);
  const std::string n = name;
  return bench::run_command(machine, "cat /dev/clipboard > " + n + ".c", kLimit).reached &&
         bench::run_command(machine, "tcc -o " + n + " " + n + ".c", kLimit).reached;
}

void row(const char* name, const std::vector<bench::Timing>& timings, double original) {
  std::vector<double> wall, cpu;
  for (const bench::Timing& t : timings) wall.push_back(t.wall), cpu.push_back(t.cpu);
  const double cycles = static_cast<double>(timings.back().cycles);
  std::printf("%-58s %8.1f %8.3f %8.3f %7.0f %9.2f %6.1f %6.1f\n", name, cycles * 1e-6, median(wall), median(cpu), cycles * 1e-6 / median(cpu),
              original, original / median(wall), original / median(cpu));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_old_guest DIRECTORY_OF_JSLINUX_TAP [ROUNDS]\n");
    return 2;
  }
  const std::string directory = argv[1];
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 3;
  std::printf("%-58s %8s %8s %8s %7s %9s %6s %6s\n", "", "Mcycles", "wall s", "CPU s", "MIPS", "original s", "ratio", "(CPU)");

  std::vector<bench::Timing> boots;
  std::unique_ptr<tuxarium::Machine> machine;
  for (int i = 0; i < rounds; ++i) {
    machine = bench::old_machine(directory);
    if (machine == nullptr) return 2;
    boots.push_back(bench::run_until(*machine, "/var/root # ", kLimit));
    if (!boots.back().reached) {
      std::fprintf(stderr, "The guest did not reach its prompt.\n");
      return 1;
    }
  }
  row("power-on to prompt", boots, kOriginalBoot);

  for (const char* name : {"loop", "sieve", "fp"}) {
    if (!bring_program(*machine, directory, name)) {
      std::fprintf(stderr, "The guest did not take the program %s.c.\n", name);
      return 1;
    }
  }
  // The original's figures for the compilers are those of the second run.
  bench::run_command(*machine, "gcc -O2 -o hello hello.c", kLimit);
  bench::run_command(*machine, "tcc -o hello hello.c", kLimit);
  for (const Work& work : kWork) {
    std::vector<bench::Timing> timings;
    for (int i = 0; i < rounds; ++i) {
      timings.push_back(bench::run_command(*machine, work.command, kLimit));
      if (!timings.back().reached) {
        std::fprintf(stderr, "The guest did not finish: %s\n", work.command);
        return 1;
      }
    }
    row(work.command, timings, work.original);
  }
  return 0;
}
