// The default guest under tuxarium-run beside qemu-system-i386 with software emulation (TCG): process start to shell prompt, sequential
// read of the disk, and the processor time of an idle guest. The rounds of both alternate, so that other load on the host meets both.
//
// usage: bench_default_guest TUXARIUM_RUN [ROUNDS [IDLE_SECONDS]]
//
// Both get 24 MiB of RAM, the kernel and the root disk that are inside this program, and the disk as a raw image with the guest's writes
// kept elsewhere (qemu_guest.hpp). The command lines differ by what is tuxarium's board alone: the rate of its time-stamp counter. Without
// QEMU the bench measures tuxarium-run alone.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/guest_program.hpp"
#include "bench/qemu_guest.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRamMiB = 24;
constexpr const char* kPrompt = "/root # ";
constexpr const char* kRead = "dd if=/dev/sda of=/dev/null bs=64k count=160";
constexpr double kReadMiB = 10, kOriginalReadSeconds = 1.8;
constexpr double kBootLimit = 2.5, kReadLimit = 5, kIdleLimit = 1;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Figures {
  std::vector<double> boot_wall, boot_cpu, read_wall, read_cpu;
  double idle_percent = 0;
};

/// One start, one read of the disk, and with `idle` seconds the share of a core that the guest takes at its prompt.
bool measure(const std::vector<std::string>& words, double idle, Figures& figures) {
  const double start = bench::wall_seconds();
  bench::Program program{words};
  if (!program.wait_for(kPrompt)) return false;
  figures.boot_wall.push_back(bench::wall_seconds() - start);
  figures.boot_cpu.push_back(program.cpu_seconds());
  if (idle > 0) {
    ::usleep(2'000'000);  // what a boot leaves behind
    const double wall = bench::wall_seconds(), cpu = program.cpu_seconds();
    ::usleep(static_cast<useconds_t>(idle * 1e6));
    figures.idle_percent = 100 * (program.cpu_seconds() - cpu) / (bench::wall_seconds() - wall);
  }
  program.type("echo 3 > /proc/sys/vm/drop_caches; echo re''ady\n");
  if (!program.wait_for("ready") || !program.wait_for(kPrompt)) return false;
  const double wall = bench::wall_seconds(), cpu = program.cpu_seconds();
  program.type(std::string{kRead} + "; echo re''ad\n");
  if (!program.wait_for("read\r\n")) return false;
  figures.read_wall.push_back(bench::wall_seconds() - wall);
  figures.read_cpu.push_back(program.cpu_seconds() - cpu);
  return true;
}

void print(const char* name, const Figures& f) {
  std::printf("%-18s  start to prompt %6.3f s (CPU %6.3f)   10 MiB from the disk %6.3f s (CPU %6.3f)   idle %5.2f %% of a core\n", name,
              median(f.boot_wall), median(f.boot_cpu), median(f.read_wall), median(f.read_cpu), f.idle_percent);
}

void judge(const char* what, double value, double limit, bool at_most) {
  const bool reached = at_most ? value <= limit : value >= limit;
  std::printf("%-58s %7.2f  (%s %.1f) %s\n", what, value, at_most ? "at most" : "at least", limit, reached ? "" : "MISSED");
}

int run(const std::string& program, int rounds, double idle, const fs::path& folder) {
  if (!bench::write_qemu_guest(folder, kRamMiB)) return 2;
  const std::vector<std::string> ours{program, "--ram", std::to_string(kRamMiB) + "M"};
  const std::vector<std::string> qemu = bench::qemu_command(folder, kRamMiB);
  Figures here, there;
  const bool beside = bench::has_qemu();
  if (!beside) std::printf("There is no qemu-system-i386 to compare with.\n");
  for (int i = 0; i < rounds; ++i) {
    const double seconds = i == 0 ? idle : 0;
    if (!measure(ours, seconds, here)) return std::fprintf(stderr, "The guest of tuxarium-run did not reach its prompt.\n"), 1;
    if (beside && !measure(qemu, seconds, there)) return std::fprintf(stderr, "The guest of QEMU did not reach its prompt.\n"), 1;
  }
  print("tuxarium-run", here);
  if (beside) print("qemu-system-i386", there);
  if (beside) judge("start to prompt, times QEMU's", median(here.boot_wall) / median(there.boot_wall), kBootLimit, true);
  if (beside) judge("  the same in processor time", median(here.boot_cpu) / median(there.boot_cpu), kBootLimit, true);
  judge("sequential read, times the original's (5.6 MiB/s)", kOriginalReadSeconds / median(here.read_wall), kReadLimit, false);
  judge("  the same in processor time", kOriginalReadSeconds / median(here.read_cpu), kReadLimit, false);
  judge("idle, % of a core", here.idle_percent, kIdleLimit, true);
  std::printf("sequential read: %.1f MiB/s of wall time, %.1f of processor time\n", kReadMiB / median(here.read_wall),
              kReadMiB / median(here.read_cpu));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_default_guest TUXARIUM_RUN [ROUNDS [IDLE_SECONDS]]\n");
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  const bench::TemporaryFolder folder;
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
  const double idle = argc > 3 ? std::atof(argv[3]) : 20;
  return run(argv[1], rounds, idle, folder.path());
}
