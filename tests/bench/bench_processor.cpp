// The processor under programs of our own (guest/) inside the default guest's kernel: tuxarium-run beside qemu-system-i386 with software
// emulation (TCG, one processor).
//
// usage: bench_processor TUXARIUM_RUN [ROUNDS [WORKLOAD...]]
//
// Both machines get the same kernel, command line, initramfs (the guest program as its first process), disk and memory; they are started once
// and stay. In each round every workload runs on one and then on the other, the order changing with the round, so that other load on the
// host meets both; the table shows medians, the ratio of the times and that of the processor time behind them. The guest measures its own time, which is compared with the host's. Each run's checksum must be the
// same. The instructions of a workload are counted in a pass of its own with the library in this program. The boot is that of the
// default guest to its prompt, started anew for each round in 24 MiB.
//
// Status 0: everything ran and the checksums agree, whatever the table says; 1: something went wrong; 2: wrong usage.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bench/figures.hpp"
#include "bench/guest_program.hpp"
#include "bench/qemu_guest.hpp"

namespace {

namespace fs = std::filesystem;
using bench::Bytes;

constexpr std::uint64_t kRamMiB = 64, kBootRamMiB = 24;
constexpr const char* kPrompt = "/root # ";
constexpr const char* kCommandLine = "console=ttyS0 tsc=reliable quiet";
constexpr double kClockTolerance = 0.05;  // of the guest's clock against the host's, beside 50 ms for the console

struct Workload {
  const char* name;
  const char* title;
  double target;  // times QEMU's time, at most; 0: none set
};

constexpr Workload kWorkloads[] = {
    {"integer_mix", "integer mix", 3},
    {"sha256", "SHA-256, 12 MiB", 3.5},
    {"gzip", "gzip -9, 3 MiB", 3},
    {"pointer_chase", "pointer chase, 16 MiB", 1},
    {"copy_words", "copy by words, 300 MiB", 0},
    {"rep_movs", "rep movs, 1200 MiB", 1.0 / 3},
    {"x87_nbody", "x87 n-body", 0.5},
    {"sse2_kernel", "SSE2 kernel", 0},
    {"system_calls", "400,000 system calls, int 80h", 1.3},
    {"system_calls_fast", "400,000 system calls, sysenter", 1.3},
    {"fork_exec", "fork and exec, 250", 1.3},
    {"pipe_ping_pong", "pipe ping-pong, 10,000", 1.3},
};
constexpr double kBootTarget = 2;

// --- The initramfs: a cpio archive of the "newc" kind (Documentation/driver-api/early-userspace/buffer-format.rst) ---

void append_entry(Bytes& archive, const std::string& name, unsigned mode, std::span<const std::byte> content) {
  const auto pad = [&] { archive.resize((archive.size() + 3) & ~std::size_t{3}); };
  const auto append = [&](const std::string& text) {
    for (const char c : text) archive.push_back(static_cast<std::byte>(c));
  };
  char field[9];
  append("070701");
  const auto size = static_cast<unsigned>(content.size()), name_size = static_cast<unsigned>(name.size() + 1);
  for (const unsigned value : {1u, mode, 0u, 0u, 1u, 0u, size, 0u, 0u, 0u, 0u, name_size, 0u}) {
    std::snprintf(field, sizeof(field), "%08X", value);
    append(field);
  }
  append(name);
  archive.push_back(std::byte{0});
  pad();
  archive.insert(archive.end(), content.begin(), content.end());
  pad();
}

Bytes initramfs(std::span<const std::byte> first_process) {
  constexpr unsigned kDirectory = 0040755, kProgram = 0100755;
  Bytes archive;
  append_entry(archive, "dev", kDirectory, {});
  append_entry(archive, "init", kProgram, first_process);
  append_entry(archive, "TRAILER!!!", 0, {});
  return archive;
}

Bytes read_file(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

/// The default guest with our program as its first process; an empty source after a sentence on stderr.
tuxarium::BootSource make_boot_source() {
  const Bytes program = read_file(TUXARIUM_BENCH_GUEST);
  auto guest = tuxarium::load_default_guest(kCommandLine);
  if (!guest || program.empty()) {
    std::fprintf(stderr, "%s\n", program.empty() ? "Cannot read \"" TUXARIUM_BENCH_GUEST "\"." : guest.error().message.c_str());
    return {};
  }
  std::get<tuxarium::LinuxBoot>(*guest).initrd = initramfs(program);
  return std::move(*guest);
}

// --- A run of one workload ---

struct Measurement {
  std::string checksum;
  double seconds = 0;
  double cpu_seconds = 0;  // of the host's processors
};

/// What follows "= NAME " in the guest's line: checksum, seconds, nanoseconds.
std::optional<Measurement> parse(const std::string& line) {
  char checksum[16];
  unsigned seconds = 0, nanoseconds = 0;
  if (std::sscanf(line.c_str(), "%15s %u %u", checksum, &seconds, &nanoseconds) != 3) return std::nullopt;
  return Measurement{checksum, seconds + nanoseconds * 1e-9, 0};
}

/// One of the two machines, at the prompt of our program.
class Guest {
 public:
  Guest(const char* name, std::vector<std::string> words) : name_{name}, program_{std::move(words)} {}

  const char* name() const { return name_; }
  bool wait_until_ready() { return program_.wait_for("ready\r\n").has_value() || fail("did not start the benchmark's program"); }

  /// Runs a workload once; false with a sentence on stderr when that fails, or when the guest's clock is not the host's.
  bool run(const std::string& workload, Measurement& measurement) {
    program_.type(workload + "\n");
    if (!program_.wait_for("@ " + workload + "\r\n")) return fail("did not start " + workload);
    const double wall = bench::wall_seconds(), cpu = program_.cpu_seconds();
    if (!program_.wait_for("= " + workload + " ")) return fail("did not end " + workload);
    const double host_seconds = bench::wall_seconds() - wall, cpu_seconds = program_.cpu_seconds() - cpu;
    const auto line = program_.wait_for("\r\n");
    const auto parsed = line ? parse(*line) : std::nullopt;
    if (!parsed) return fail("said nothing to be understood about " + workload);
    measurement = *parsed;
    measurement.cpu_seconds = cpu_seconds;
    if (std::abs(measurement.seconds - host_seconds) > 0.05 + kClockTolerance * host_seconds) {
      std::fprintf(stderr, "%s: %s took %.3f s by the guest's clock and %.3f s by the host's.\n", name_, workload.c_str(), measurement.seconds,
                   host_seconds);
      // The host's is right.
      measurement.seconds = host_seconds;
    }
    return true;
  }

 private:
  bool fail(const std::string& what) const {
    std::fprintf(stderr, "%s %s.\n", name_, what.c_str());
    return false;
  }

  const char* name_;
  bench::Program program_;
};

/// Of one machine, one value for each round.
struct Times {
  std::vector<double> wall, cpu;
};

struct Row {
  const Workload* workload = nullptr;
  std::string checksum;
  std::uint64_t instructions = 0;
  Times here, there;
};

bool same_checksum(Row& row, const char* where, const std::string& checksum) {
  if (row.checksum.empty()) row.checksum = checksum;
  if (row.checksum == checksum) return true;
  std::fprintf(stderr, "%s on %s: checksum %s instead of %s.\n", row.workload->name, where, checksum.c_str(), row.checksum.c_str());
  return false;
}

// --- Instructions, counted with the library ---

/// A machine in this program, at the prompt of ours.
class CountingGuest {
 public:
  explicit CountingGuest(tuxarium::Machine& machine) : machine_{machine} {}

  /// Runs in short slices until the console shows `text` and gives what came before it; nothing after bench::Program::kLimit.
  std::optional<std::string> wait_for(const std::string& text) {
    const double end = bench::wall_seconds() + bench::Program::kLimit;
    while (output_.find(text) == std::string::npos) {
      if (bench::wall_seconds() > end) return std::nullopt;
      const auto result = machine_.run({.cycles = 20'000, .wall = std::chrono::milliseconds{4}});
      std::byte buffer[256];
      while (const std::size_t count = machine_.serial(0).read(buffer)) output_.append(reinterpret_cast<const char*>(buffer), count);
      if (result.reason == tuxarium::StopReason::idle) ::usleep(200);
    }
    const std::size_t at = output_.find(text);
    std::string before = output_.substr(0, at);
    output_.erase(0, at + text.size());
    return before;
  }

  /// Runs a workload; its instructions go into `row`.
  bool count(Row& row) {
    const std::string name = row.workload->name, command = name + "\n";
    machine_.serial(0).write(std::as_bytes(std::span{command}));
    if (!wait_for("@ " + name + "\r\n")) return false;
    const std::uint64_t before = machine_.counters().cycles;
    if (!wait_for("= " + name + " ")) return false;
    row.instructions = machine_.counters().cycles - before;
    const auto line = wait_for("\r\n");
    const auto measurement = line ? parse(*line) : std::nullopt;
    return measurement && same_checksum(row, "the library", measurement->checksum);
  }

 private:
  tuxarium::Machine& machine_;
  std::string output_;  // read and not yet looked through
};

bool count_instructions(const tuxarium::BootSource& boot, std::vector<Row>& rows) {
  tuxarium::Config config;
  config.boot = boot;
  config.ram_bytes = kRamMiB << 20;
  auto machine = tuxarium::Machine::create(std::move(config));
  if (!machine) return std::fprintf(stderr, "%s\n", machine.error().message.c_str()), false;
  CountingGuest guest{**machine};
  return guest.wait_for("ready\r\n") && std::all_of(rows.begin(), rows.end(), [&](Row& row) { return guest.count(row); });
}

// --- Boot ---

bool boot(const std::vector<std::string>& words, Times& times) {
  const double start = bench::wall_seconds();
  bench::Program program{words};
  if (!program.wait_for(kPrompt)) return false;
  times.wall.push_back(bench::wall_seconds() - start);
  times.cpu.push_back(program.cpu_seconds());
  return true;
}

// --- The table ---

void print_row(const char* title, const Times& here, const Times& there, double target, std::uint64_t instructions) {
  const double ours = bench::median(here.wall), theirs = bench::median(there.wall);
  std::printf("%-31s %8.3f", title, ours);
  if (there.wall.empty()) {
    std::printf(" %8s %6s %6s", "-", "-", "-");
  } else {
    std::printf(" %8.3f %6.2f %6.2f", theirs, ours / theirs, bench::median(here.cpu) / bench::median(there.cpu));
  }
  if (target == 0 || there.wall.empty()) {
    std::printf(" %6s %-7s", "-", "");
  } else {
    std::printf(" %6.2f %-7s", target, ours <= target * theirs ? "reached" : "MISSED");
  }
  if (instructions != 0) std::printf(" %8.0f", static_cast<double>(instructions) * 1e-6 / ours);
  if (instructions != 0 && !there.wall.empty()) std::printf(" %8.0f", static_cast<double>(instructions) * 1e-6 / theirs);
  std::printf("\n");
}

void print_table(const std::vector<Row>& rows, const Times& boot_here, const Times& boot_there) {
  std::printf("%-31s %8s %8s %6s %6s %6s %-7s %8s %8s\n", "", "here, s", "TCG, s", "ratio", "of CPU", "target", "", "MIPS", "TCG's");
  for (const Row& row : rows) print_row(row.workload->title, row.here, row.there, row.workload->target, row.instructions);
  if (!boot_here.wall.empty()) print_row("boot of the default guest", boot_here, boot_there, kBootTarget, 0);
}

int usage() {
  std::fprintf(stderr, "usage: bench_processor TUXARIUM_RUN [ROUNDS [WORKLOAD...]]\nworkloads:");
  for (const Workload& w : kWorkloads) std::fprintf(stderr, " %s", w.name);
  std::fprintf(stderr, " boot\n");
  return 2;
}

int run(const std::string& program, int rounds, const std::set<std::string>& wanted) {
  std::vector<Row> rows;
  for (const Workload& w : kWorkloads) {
    if (wanted.empty() || wanted.contains(w.name)) rows.push_back({.workload = &w, .checksum = {}, .instructions = 0, .here = {}, .there = {}});
  }
  const bool with_boot = wanted.empty() || wanted.contains("boot"), beside = bench::has_qemu();
  if (!beside) std::printf("There is no qemu-system-i386 to compare with.\n");

  const tuxarium::BootSource source = make_boot_source();
  if (source.index() == 0) return 1;
  const auto& linux_boot = std::get<tuxarium::LinuxBoot>(source);
  const auto plan = tuxarium::machine::make_boot_plan(source, kRamMiB << 20);
  if (!plan) return std::fprintf(stderr, "%s\n", plan.error().message.c_str()), 1;
  const bench::TemporaryFolder folder, boot_folder;
  const fs::path kernel = folder.path() / "vmlinux", initrd = folder.path() / "initrd", disk = folder.path() / "disk.img";
  if (!bench::write_file(folder.path() / "kernel.elf", bench::multiboot_elf(*plan)) || !bench::write_file(kernel, linux_boot.kernel) ||
      !bench::write_file(initrd, linux_boot.initrd) || !bench::write_file(disk, *linux_boot.root_disk)) {
    return std::fprintf(stderr, "Cannot write to \"%s\".\n", folder.path().c_str()), 1;
  }
  if (!bench::write_qemu_guest(boot_folder.path(), kBootRamMiB)) return 1;

  if (!rows.empty() && !count_instructions(source, rows)) return std::fprintf(stderr, "The workloads do not run with the library.\n"), 1;
  std::vector<std::string> qemu = bench::qemu_command(folder.path(), kRamMiB);
  std::replace(qemu.begin(), qemu.end(), std::string{"pentium3"}, std::string{"pentium3,+sse2"});
  Guest here{"tuxarium-run",
             {program, "--boot", "linux:" + kernel.string(), "--initrd", initrd.string(), "--append", kCommandLine, "--hda",
              "file:" + disk.string() + ",ro", "--ram", std::to_string(kRamMiB) + "M"}};
  std::unique_ptr<Guest> there;
  if (beside) there = std::make_unique<Guest>("qemu-system-i386", qemu);
  if (!here.wait_until_ready() || (there && !there->wait_until_ready())) return 1;

  Times boot_here, boot_there;
  const std::vector<std::string> boot_ours{program, "--ram", std::to_string(kBootRamMiB) + "M"};
  for (int round = 0; round < rounds; ++round) {
    for (Row& row : rows) {
      for (const bool first : {true, false}) {
        Guest* guest = first == (round % 2 == 0) ? &here : there.get();
        if (guest == nullptr) continue;
        Measurement measurement;
        if (!guest->run(row.workload->name, measurement) || !same_checksum(row, guest->name(), measurement.checksum)) return 1;
        Times& times = guest == &here ? row.here : row.there;
        times.wall.push_back(measurement.seconds);
        times.cpu.push_back(measurement.cpu_seconds);
      }
    }
    if (with_boot && !boot(boot_ours, boot_here)) return std::fprintf(stderr, "tuxarium-run did not reach its prompt.\n"), 1;
    if (with_boot && beside && !boot(bench::qemu_command(boot_folder.path(), kBootRamMiB), boot_there)) {
      return std::fprintf(stderr, "The guest of QEMU did not reach its prompt.\n"), 1;
    }
  }
  print_table(rows, boot_here, boot_there);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return usage();
  ::signal(SIGPIPE, SIG_IGN);
  const std::set<std::string> wanted{argv + std::min(argc, 3), argv + argc};
  for (const std::string& name : wanted) {
    if (name != "boot" && std::none_of(std::begin(kWorkloads), std::end(kWorkloads), [&](const Workload& w) { return name == w.name; })) return usage();
  }
  return run(argv[1], argc > 2 ? std::max(1, std::atoi(argv[2])) : 5, wanted);
}
