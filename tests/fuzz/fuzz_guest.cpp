// Whole machines that run random guests: random bytes as code, mixed with accesses to the board's ports and with changes of the control
// registers, started in each mode, on random page tables, with each model of the processor.
//
// Every input runs twice: as far as a budget goes at once, and by single steps. Both must keep to their number of instructions and end in the
// same state, so it is also a comparison of the interpreter's blocks with instructions one at a time.
//
// Input: model, mode and options, 4 bytes of noise for tables and registers; the rest are pieces of code (Assembler).
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <tuxarium/disk.hpp>
#include <tuxarium/inspect.hpp>
#include <tuxarium/machine.hpp>

namespace {

using namespace tuxarium;

constexpr std::uint32_t kRam = 1u << 20, kGdt = 0x1000, kIdt = 0x2000, kTss = 0x3000, kLdt = 0x5000, kCode = 0x10000, kCodeSize = 0x2000;
// Page directories, of both formats, are followed by tables of random pages.
constexpr std::uint32_t kDirectory = 0x40000, kTables = 0x41000, kPaePointers = 0x50000, kPaeTables = 0x51000, kTablePages = 4;
constexpr std::uint64_t kChunk = 400;
constexpr unsigned kChunks = 5;
constexpr std::uint32_t kPg = 1u << 31, kPe = 1, kPse = 1u << 4, kPae = 1u << 5;
constexpr std::uint32_t kVm = 1u << 17;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_guest: %s\n", what);
  std::abort();
}

class Noise {
 public:
  explicit Noise(std::uint32_t seed) : state_{seed} {}
  std::uint32_t operator()() {
    state_ = state_ * 1664525u + 1013904223u;
    return state_ >> 8 ^ state_ << 20;
  }

 private:
  std::uint32_t state_;
};

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t b = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return b;
  }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (unsigned n = 0; n < 32; n += 8) value |= std::uint32_t{byte()} << n;
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// Pieces of code: raw bytes, port accesses, string port accesses, control registers, a jump back, STI with HLT.
class Assembler {
 public:
  Assembler(Input& in, bool code32) : in_{in}, code32_{code32} {}

  std::vector<std::uint8_t> code() {
    while (!in_.empty() && code_.size() < kCodeSize - 32) piece();
    return std::move(code_);
  }

 private:
  void emit(std::initializer_list<unsigned> bytes) {
    for (const unsigned b : bytes) code_.push_back(static_cast<std::uint8_t>(b));
  }
  void emit_word(std::uint32_t value) { emit({value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24}); }
  /// In both code sizes the same instruction with operands of 32 bits.
  void wide() {
    if (!code32_) emit({0x66});
  }

  void port_to_dx() {
    static constexpr std::uint16_t kPorts[] = {0x020, 0x021, 0x0a0, 0x0a1, 0x040, 0x042, 0x043, 0x060, 0x061, 0x064, 0x070, 0x071, 0x080, 0x1f0,
                                               0x1f1, 0x1f2, 0x1f3, 0x1f4, 0x1f5, 0x1f6, 0x1f7, 0x3f6, 0x2f8, 0x2f9, 0x2fa, 0x2fb, 0x2fc, 0x3c0,
                                               0x3c4, 0x3c8, 0x3cc, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc};
    const std::uint8_t choice = in_.byte();
    const std::uint32_t port = choice < 240 ? kPorts[choice % std::size(kPorts)] : in_.byte() * 8u;
    wide();
    emit({0xba});  // mov edx, imm
    emit_word(port);
  }

  void piece() {
    const std::uint8_t kind = in_.byte();
    switch (kind % 16) {
      case 0: case 1: case 2:
        port_to_dx();
        wide();
        emit({0xb8});  // mov eax, imm
        emit_word(in_.word());
        if ((kind & 0x20) != 0) emit({0x66});
        emit({(kind & 0x10) != 0 ? 0xefu : 0xeeu});
        break;
      case 3:
        port_to_dx();
        if ((kind & 0x20) != 0) emit({0x66});
        emit({(kind & 0x10) != 0 ? 0xedu : 0xecu});
        break;
      case 4:
        port_to_dx();
        wide();
        emit({0xb9});  // mov ecx, imm
        emit_word(in_.byte());
        if ((kind & 0x20) != 0) emit({0x66});
        emit({0xf3, 0x6cu + (kind >> 6)});  // rep ins, outs
        break;
      case 5: {
        static constexpr std::uint8_t kControl[] = {0xc0, 0xd8, 0xe0, 0xd0};  // cr0, cr3, cr4, cr2
        wide();
        emit({0xb8});
        emit_word((kind & 0x20) != 0 ? in_.word() : (kind & 0x40) != 0 ? kDirectory : kPaePointers);
        emit({0x0f, 0x22, kControl[kind >> 6]});
        break;
      }
      case 6:
        emit({0x0f, 0x20, 0xc0});  // mov eax, cr0; xor eax, imm; mov cr0, eax
        wide();
        emit({0x35});
        emit_word(in_.word() & 0x8005003fu);
        emit({0x0f, 0x22, 0xc0});
        break;
      case 7: emit({0xfb, 0xf4}); break;
      case 8: emit({0xeb, 0x80u | in_.byte()}); break;
      case 9: emit({0x70u | (kind >> 4), in_.byte()}); break;
      default:
        for (unsigned n = 1 + kind / 16; n != 0; --n) emit({in_.byte()});
        break;
    }
  }

  Input& in_;
  bool code32_;
  std::vector<std::uint8_t> code_;
};

enum Mode : unsigned { real, protected16, protected32, user32, paged, paged_user, pae, pae_user, vm86, vm86_paged, kModes };

bool is_small(unsigned mode) { return mode == real || mode == protected16 || mode == vm86 || mode == vm86_paged; }
bool is_user(unsigned mode) { return mode == user32 || mode == paged_user || mode == pae_user; }
bool is_vm86(unsigned mode) { return mode == vm86 || mode == vm86_paged; }
bool is_pae(unsigned mode) { return mode == pae || mode == pae_user; }

/// What the guest's memory and registers are at the start.
class Start {
 public:
  Start(unsigned mode, unsigned options, std::uint32_t noise, const std::vector<std::uint8_t>& code) : mode_{mode}, options_{options}, noise_{noise} {
    for (std::uint32_t n = 0; n < kCodeSize; ++n) memory_[kCode + n] = static_cast<std::byte>(code[n % code.size()]);
    descriptors();
    gates();
    pages();
  }

  void apply(Machine& machine) {
    Inspector inspector{machine};
    inspector.write_physical(0, memory_);
    inspector.set_registers(registers(inspector.registers()));
  }

 private:
  template <class T>
  void put(std::uint32_t address, T value) {
    std::memcpy(memory_.data() + address, &value, sizeof value);
  }

  static std::uint64_t entry(std::uint32_t base, std::uint32_t limit, unsigned access, unsigned flags) {
    return (std::uint64_t{limit} & 0xffff) | (std::uint64_t{base} & 0xffffff) << 16 | std::uint64_t{access} << 40 |
           (std::uint64_t{limit >> 16} & 15) << 48 | std::uint64_t{flags} << 52 | std::uint64_t{base >> 24} << 56;
  }

  void descriptors() {
    static constexpr unsigned kAccess[] = {0x9b, 0x93, 0xfb, 0xf3, 0x89, 0x81, 0x82, 0x8c, 0x85, 0xec, 0x97, 0x9f, 0xf7, 0x84, 0x8b, 0xe5};
    static constexpr std::uint64_t kFlat[] = {0x9b, 0x93, 0xfb, 0xf3};
    for (std::uint32_t n = 1; n < 64; ++n) {
      put(kGdt + n * 8, entry(noise_() & 0xffff0, noise_() & 0xfffff, kAccess[noise_() % 16], noise_() % 16 & 13));
      put(kLdt + n * 8, entry(noise_() & 0xffff0, noise_() & 0xfffff, kAccess[noise_() % 16], noise_() % 16 & 13));
    }
    for (unsigned n = 0; n < 4; ++n) put(kGdt + 8 + n * 8, entry(0, 0xfffff, static_cast<unsigned>(kFlat[n]), 12));
    put(kGdt + 0x28, entry(kTss, 0x10ff, 0x8b, 0));
    put(kTss + 4, std::uint32_t{0xf000});
    put(kTss + 8, std::uint32_t{0x10});
    put(kTss + 102, std::uint16_t{104});  // an I/O bitmap with some ports
    for (std::uint32_t n = 0; n < 0x1000; n += 2) put(kTss + 104 + n, static_cast<std::uint16_t>(noise_() & noise_() & noise_() & noise_()));
  }

  void gates() {
    static constexpr unsigned kTypes[] = {0x8e, 0xee, 0x8f, 0xef, 0x86, 0xe7, 0xe5, 0x8e};
    for (std::uint32_t v = 0; v < 256; ++v) {
      const std::uint32_t target = kCode + (noise_() & (kCodeSize - 1));
      const unsigned type = kTypes[noise_() % 8];
      const std::uint64_t selector = type == 0xe5 ? 0x28 : 0x08;
      put(kIdt + v * 8, (target & 0xffff) | selector << 16 | std::uint64_t{type} << 40 | std::uint64_t{target >> 16} << 48);
      put(v * 4, static_cast<std::uint32_t>((target - kCode) | (kCode >> 4) << 16));
    }
  }

  /// Mostly the page itself, else any other with any rights.
  std::uint32_t page(std::uint32_t linear) {
    return noise_() % 4 != 0 ? linear | 7 : (noise_() & (kRam - 1) & ~0xfffu) | (noise_() & 0x1ff);
  }
  void pages() {
    for (std::uint32_t n = 0; n < 1024; ++n) {
      const std::uint32_t table = kTables + (n % kTablePages) * 0x1000;
      put(kDirectory + n * 4, n == 0 ? table | 7 : noise_() % 8 == 0 ? 0x87u | (noise_() & 0x100) : table | (noise_() & 0x67));
      for (std::uint32_t t = 0; t < kTablePages; ++t) put(kTables + t * 0x1000 + n * 4, page(n << 12));
    }
    for (std::uint32_t n = 0; n < 4; ++n) put(kPaePointers + n * 8, std::uint64_t{kPaeTables | 1});
    for (std::uint32_t n = 0; n < 512; ++n) {
      const std::uint32_t table = kPaeTables + (1 + n % kTablePages) * 0x1000;
      put(kPaeTables + n * 8, std::uint64_t{n == 0 ? table | 7 : noise_() % 8 == 0 ? 0x87u : table | (noise_() & 0x67)});
      for (std::uint32_t t = 0; t < kTablePages; ++t) put(kPaeTables + (1 + t) * 0x1000 + n * 8, std::uint64_t{page(n << 12)});
    }
  }

  SegmentView segment(bool code) const {
    if (is_small(mode_)) {
      const std::uint32_t access = is_vm86(mode_) ? 0xf300 : code ? 0x9b00 : 0x9300;
      const std::uint16_t selector = mode_ != protected16 ? kCode >> 4 : code ? 0x08 : 0x10;
      return {.selector = selector, .base = kCode, .limit = 0xffff, .access = access, .valid = true};
    }
    const unsigned level = is_user(mode_) ? 3 : 0;
    const auto selector = static_cast<std::uint16_t>((code ? 0x08 : 0x10) + (level != 0 ? 0x13 : 0));
    return {.selector = selector, .base = 0, .limit = 0xffffffffu, .access = 0xc09300u | (code ? 0x800u : 0) | level << 13, .valid = true};
  }

  Registers registers(Registers r) {
    for (std::uint32_t& g : r.gpr) g = noise_() % 4 == 0 ? noise_() : noise_() % (is_small(mode_) ? 0x10000 : kRam);
    r.gpr[4] = is_small(mode_) ? 0xf000 : 0x1f000;
    for (unsigned n = 0; n < 6; ++n) r.segment[n] = segment(n == 1);
    r.eip = is_small(mode_) ? 0 : kCode;
    r.eflags = 2 | (noise_() & 0x3ad5) | ((options_ & 1) != 0 ? 0x3000 : 0) | (is_vm86(mode_) ? kVm : 0);
    r.gdtr_base = kGdt, r.gdtr_limit = 0x1ff;
    r.idtr_base = mode_ == real ? 0 : kIdt, r.idtr_limit = 0x7ff;
    r.tr = {.selector = 0x28, .base = kTss, .limit = 0x10ff, .access = 0x8b00, .valid = true};
    r.ldtr = {.selector = 0x30, .base = kLdt, .limit = 0x1ff, .access = 0x8200, .valid = true};
    const bool paging = mode_ == paged || mode_ == paged_user || is_pae(mode_) || mode_ == vm86_paged;
    r.cr0 = (noise_() & 0x5002e) | 0x10 | (mode_ == real ? 0 : kPe) | (paging ? kPg : 0);
    r.cr3 = is_pae(mode_) ? kPaePointers : kDirectory;
    r.cr4 = (noise_() & 0x7cf & ~kPae) | kPse | (is_pae(mode_) ? kPae : 0);
    for (unsigned n = 0; n < 4; ++n) r.dr[n] = kCode + noise_() % kCodeSize;
    if ((options_ & 2) != 0) r.dr[7] = 0x400 | (noise_() & 0xffff00ffu);
    return r;
  }

  unsigned mode_, options_;
  Noise noise_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(0x60000);
};

std::vector<std::byte> rom_of(const std::vector<std::uint8_t>& code) {
  std::vector<std::byte> rom(0x10000);
  for (std::size_t n = 0; n < rom.size(); ++n) rom[n] = static_cast<std::byte>(code[n % code.size()]);
  constexpr std::uint8_t kEntry[] = {0xea, 0, 0, 0, 0xf0};  // jmp F000:0000
  std::memcpy(rom.data() + 0xfff0, kEntry, sizeof kEntry);
  return rom;
}

std::unique_ptr<Machine> make_machine(CpuModel model, const std::vector<std::uint8_t>& code) {
  Config config;
  config.boot = RomBoot{rom_of(code)};
  config.ram_bytes = kRam;
  config.cpu = model;
  config.cpu_extensions = {.sse3 = true, .popcnt = true};
  config.time = TimeSource::cycles;
  config.cycles_per_second = 1'000'000;
  config.hda = std::move(make_memory_disk(std::vector<std::byte>(64 * 512)).value());
  auto machine = Machine::create(std::move(config));
  require(machine.has_value(), "no machine");
  return std::move(machine).value();
}

/// What a chunk came to, for the comparison.
struct Course {
  std::uint64_t cycles = 0;
  unsigned idle = 0, resets = 0;
  bool ended = false;  // the guest has stopped for good
  friend bool operator==(const Course&, const Course&) = default;
};

/// Runs a chunk by calls of at most `most` instructions.
Course run_chunk(Inspector& inspector, std::uint64_t most) {
  constexpr unsigned kMostIdle = 50, kMostResets = 3;
  Course course;
  while (course.cycles < kChunk && course.idle < kMostIdle && course.resets < kMostResets && !course.ended) {
    const std::uint64_t budget = std::min(most, kChunk - course.cycles);
    const RunResult result = inspector.run(budget);
    // A trap behind the last instruction comes on top, and faults while it is delivered.
    require(result.cycles <= budget + 2, "more instructions than the budget has");
    course.cycles += result.cycles;
    switch (result.reason) {
      case StopReason::idle: ++course.idle; break;
      case StopReason::reset: case StopReason::triple_fault: ++course.resets; break;
      case StopReason::power_off: course.ended = true; break;
      default: require(result.cycles != 0, "no instruction and no reason");
    }
  }
  return course;
}

void exchange_bytes(Machine& machine, std::uint32_t noise) {
  std::array<std::byte, 16> bytes{};
  for (std::byte& b : bytes) b = static_cast<std::byte>(noise = noise * 1664525u + 1013904223u);
  // Not into the second port: its frame pacer looks at the port between slices.
  machine.serial(0).write(std::span{bytes}.first(noise >> 28));
  for (unsigned port = 0; port < 2; ++port) {
    std::array<std::byte, 256> taken;
    machine.serial(port).read(taken);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  Input in{{data, size}};
  const auto model = static_cast<CpuModel>(in.byte() % 5);
  const unsigned mode = in.byte() % kModes, options = in.byte();
  const std::uint32_t noise = in.word();
  const std::vector<std::uint8_t> code = Assembler{in, !is_small(mode)}.code();
  Start start{mode, options, noise, code};
  const std::unique_ptr<Machine> blocks = make_machine(model, code), steps = make_machine(model, code);
  Inspector by_blocks{*blocks}, by_steps{*steps};
  Start again = start;
  start.apply(*blocks);
  again.apply(*steps);
  for (unsigned chunk = 0; chunk < kChunks; ++chunk) {
    const Course course = run_chunk(by_blocks, kChunk);
    require(run_chunk(by_steps, 1) == course, "single steps took another course");
    require(by_blocks.state_hash() == by_steps.state_hash(), "single steps led to another state");
    if (course.ended) break;
    exchange_bytes(*blocks, noise + chunk);
    exchange_bytes(*steps, noise + chunk);
  }
  return 0;
}
