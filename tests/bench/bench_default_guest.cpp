// The default guest under tuxarium-run beside qemu-system-i386 with software emulation (TCG): process start to shell prompt, sequential
// read of the disk, and the processor time of an idle guest. The rounds of both alternate, so that other load on the host meets both.
//
// usage: bench_default_guest TUXARIUM_RUN [ROUNDS [IDLE_SECONDS]]
//
// Both get 24 MiB of RAM, the kernel and the root disk that are inside this program, and the disk as a raw image with the guest's writes
// kept elsewhere. QEMU's machine is isapc: its IDE channel is where the kernel looks for the board's. It is started as a PC is, through
// its BIOS and its Multiboot loader, because it has no way of its own to start an ELF kernel without a note for it; the wrapper around the
// kernel takes microseconds. There is no decompression on either side. The command lines differ by what is tuxarium's board alone: the
// rate of its time-stamp counter. Without QEMU the bench measures tuxarium-run alone.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <tuxarium/default_guest.hpp>

#include "bench/guest_session.hpp"
#include "machine/boot_plan.hpp"

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kRamMiB = 24;
constexpr double kLimit = 300;  // seconds for one step
constexpr const char* kPrompt = "/root # ";
constexpr const char* kRead = "dd if=/dev/sda of=/dev/null bs=64k count=160";
constexpr double kReadMiB = 10, kOriginalReadSeconds = 1.8;
constexpr double kBootLimit = 2.5, kReadLimit = 5, kIdleLimit = 1;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// --- The kernel for QEMU: the start that tuxarium's own loader planned, as a Multiboot ELF file ---

class ByteWriter {
 public:
  void u8(unsigned value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void u16(std::uint32_t value) { u8(value & 0xff), u8(value >> 8 & 0xff); }
  void u32(std::uint32_t value) { u16(value & 0xffff), u16(value >> 16); }
  void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void pad_to(std::size_t size) { bytes_.resize(std::max(size, bytes_.size())); }
  std::size_t size() const { return bytes_.size(); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

constexpr std::uint32_t kWrapperAddress = 0x1000000, kHighRam = 0x100000;
constexpr std::uint32_t kCodeOffset = 12, kDataOffset = 1024;  // behind the Multiboot header, behind the code

/// Multiboot header, code and data at kWrapperAddress. The code puts what belongs below 1 MiB there, sets the registers and starts.
Bytes wrapper(const tuxarium::machine::BootPlan& plan) {
  constexpr std::uint32_t kMagic = 0x1badb002;
  ByteWriter data, code;
  code.u8(0xfa), code.u8(0xfc);  // CLI, CLD
  for (const auto& placement : plan.placements) {
    if (placement.address() >= kHighRam) continue;
    code.u8(0xbe), code.u32(kWrapperAddress + kDataOffset + static_cast<std::uint32_t>(data.size()));  // MOV ESI, EDI, ECX; REP MOVSB
    code.u8(0xbf), code.u32(placement.address());
    code.u8(0xb9), code.u32(static_cast<std::uint32_t>(placement.bytes().size()));
    code.u16(0xa4f3);
    data.append(placement.bytes());
  }
  const auto descriptor = static_cast<std::uint32_t>(data.size());
  data.u16(plan.registers.gdtr_limit), data.u32(plan.registers.gdtr_base);
  code.u16(0x010f), code.u8(0x15), code.u32(kWrapperAddress + kDataOffset + descriptor);  // LGDT
  const auto& segment = plan.registers.segment;
  code.u8(0xb8), code.u32(segment[static_cast<std::size_t>(tuxarium::SegmentName::ds)].selector);  // MOV EAX; DS, ES, SS
  code.u16(0xd88e), code.u16(0xc08e), code.u16(0xd08e);
  code.u8(0xbe), code.u32(plan.registers.gpr[6]);        // MOV ESI: the zero page
  code.u16(0xed31), code.u16(0xff31), code.u16(0xdb31);  // XOR EBP, EDI, EBX
  code.u8(0xea), code.u32(plan.registers.eip);           // JMP FAR
  code.u16(segment[static_cast<std::size_t>(tuxarium::SegmentName::cs)].selector);

  ByteWriter all;
  all.u32(kMagic), all.u32(0), all.u32(0u - kMagic);
  all.append(code.bytes());
  all.pad_to(kDataOffset);
  all.append(data.bytes());
  return all.bytes();
}

Bytes multiboot_elf(const tuxarium::machine::BootPlan& plan) {
  struct Segment {
    std::uint32_t address;
    std::span<const std::byte> bytes;
  };
  const Bytes start = wrapper(plan);
  std::vector<Segment> segments{{kWrapperAddress, start}};  // first, because the header must lie in the first 8 KiB
  for (const auto& placement : plan.placements) {
    if (placement.address() >= kHighRam) segments.push_back({placement.address(), placement.bytes()});
  }
  constexpr std::uint32_t kHeaderBytes = 52, kProgramHeaderBytes = 32;
  ByteWriter file;
  for (const unsigned c : {0x7fu, 0x45u, 0x4cu, 0x46u, 1u, 1u, 1u}) file.u8(c);
  file.pad_to(16);
  file.u16(2), file.u16(3), file.u32(1);  // executable for i386
  file.u32(kWrapperAddress + kCodeOffset), file.u32(kHeaderBytes), file.u32(0), file.u32(0);
  file.u16(kHeaderBytes), file.u16(kProgramHeaderBytes), file.u16(static_cast<std::uint32_t>(segments.size()));
  file.u16(0), file.u16(0), file.u16(0);
  auto offset = static_cast<std::uint32_t>(kHeaderBytes + segments.size() * kProgramHeaderBytes);
  for (const Segment& segment : segments) {
    const auto size = static_cast<std::uint32_t>(segment.bytes.size());
    for (const std::uint32_t field : {1u, offset, segment.address, segment.address, size, size, 7u, 1u}) file.u32(field);
    offset += size;
  }
  for (const Segment& segment : segments) file.append(segment.bytes);
  return file.bytes();
}

bool write_file(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream file{path, std::ios::binary};
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return static_cast<bool>(file);
}

// --- A program with a guest's console as its stdin and stdout ---

class Program {
 public:
  explicit Program(std::vector<std::string> words) {
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      const int null = ::open("/dev/null", O_WRONLY);
      ::dup2(in[0], 0), ::dup2(out[1], 1), ::dup2(null, 2);
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(in[0]), ::close(out[1]);
    to_ = in[1], from_ = out[0];
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(to_), ::close(from_);
  }

  void type(const std::string& text) const { (void)!::write(to_, text.data(), text.size()); }

  /// Reads up to the next `text`; false when the program has ended or the limit is reached.
  bool wait_for(const std::string& text) {
    const double end = bench::wall_seconds() + kLimit;
    while (output_.find(text) == std::string::npos) {
      pollfd ready{from_, POLLIN, 0};
      if (bench::wall_seconds() > end || ::poll(&ready, 1, 1000) < 0) return false;
      if (ready.revents == 0) continue;
      std::array<char, 4096> buffer{};
      const ssize_t count = ::read(from_, buffer.data(), buffer.size());
      if (count <= 0) return false;
      output_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    output_.erase(0, output_.find(text) + text.size());
    return true;
  }

  /// Processor time of all its threads so far, in seconds.
  double cpu_seconds() const {
    std::ifstream file{"/proc/" + std::to_string(pid_) + "/stat"};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    text.erase(0, text.rfind(')') + 2);
    long user = 0, system = 0;
    (void)!std::sscanf(text.c_str(), "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %ld", &user, &system);
    return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }

 private:
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
  std::string output_;  // read and not yet looked through
};

struct Figures {
  std::vector<double> boot_wall, boot_cpu, read_wall, read_cpu;
  double idle_percent = 0;
};

/// One start, one read of the disk, and with `idle` seconds the share of a core that the guest takes at its prompt.
bool measure(const std::vector<std::string>& words, double idle, Figures& figures) {
  const double start = bench::wall_seconds();
  Program program{words};
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
  auto guest = tuxarium::load_default_guest("console=ttyS0 root=/dev/sda rootfstype=ext2 rw tsc=reliable quiet");
  if (!guest) return std::fprintf(stderr, "%s\n", guest.error().message.c_str()), 2;
  const auto plan = tuxarium::machine::make_boot_plan(*guest, kRamMiB << 20);
  if (!plan) return std::fprintf(stderr, "%s\n", plan.error().message.c_str()), 2;
  const std::string kernel = folder / "kernel.elf", disk = folder / "disk.img";
  if (!write_file(kernel, multiboot_elf(*plan)) || !write_file(disk, *std::get<tuxarium::LinuxBoot>(*guest).root_disk)) {
    return std::fprintf(stderr, "Cannot write to \"%s\".\n", folder.c_str()), 2;
  }
  const std::string ram = std::to_string(kRamMiB);
  const std::vector<std::string> ours{program, "--ram", ram + "M"};
  const std::vector<std::string> qemu{"qemu-system-i386",
                                      "-accel",
                                      "tcg",
                                      "-machine",
                                      "isapc",
                                      "-cpu",
                                      "pentium3",
                                      "-m",
                                      ram,
                                      "-display",
                                      "none",
                                      "-vga",
                                      "none",
                                      "-monitor",
                                      "none",
                                      "-serial",
                                      "stdio",
                                      "-no-reboot",
                                      "-kernel",
                                      kernel,
                                      "-drive",
                                      "if=ide,format=raw,snapshot=on,file=" + disk};
  Figures here, there;
  bool beside = std::system("qemu-system-i386 --version > /dev/null 2>&1") == 0;
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
  std::string folder = (fs::temp_directory_path() / "bench_default_guest.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 2;
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
  const double idle = argc > 3 ? std::atof(argv[3]) : 20;
  const int status = run(argv[1], rounds, idle, folder);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return status;
}
