// MMX, SSE, SSE2, SSE3 and POPCNT against the host processor: every row of the table that says which prefix selects it, with random
// registers, memory, MXCSR and x87 state, in register and memory forms. Both sides load an FXSAVE image, execute one instruction and
// store another; what the instruction raises must be the same exception with the same image.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>

#include "cpu/instruction.hpp"
#include "cpu_fixture.hpp"
#include "encoding.hpp"
#include "hex.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <csetjmp>
#include <csignal>
#include <sys/mman.h>
#include <ucontext.h>
#define TUXARIUM_TEST_NATIVE 1
#endif

using namespace tuxarium;
using namespace tuxarium::tests;

#ifdef TUXARIUM_TEST_NATIVE

namespace {

constexpr std::size_t kImageBytes = 512, kImageCompared = 288, kMemoryBytes = 256, kMiddle = 128;
constexpr std::size_t kStatusWord = 2, kTagWord = 4, kMxcsrOffset = 24, kStOffset = 32, kXmmOffset = 160;

struct alignas(16) State {
  std::array<std::uint8_t, kImageBytes> image{};
  std::array<std::uint32_t, 8> gpr{};
  std::uint64_t flags = 0x202;
  std::array<std::uint8_t, kMemoryBytes> memory{};
};

/// Vector of the exception, or -1.
struct Outcome {
  State state;
  int vector = -1;
};

// ---- the host ---------------------------------------------------------------------------------------------------------------------

/// What the signal handler leaves behind for run(): one test process runs one instruction at a time.
struct Caught {
  sigjmp_buf back;
  int vector = -1;
  std::array<std::uint8_t, kImageBytes> image{};
};
Caught* caught = nullptr;

void on_signal(int number, siginfo_t*, void* context) {
  const auto* u = static_cast<const ucontext_t*>(context);
  std::memcpy(caught->image.data(), u->uc_mcontext.fpregs, kImageBytes);
  caught->vector = number == SIGFPE ? kSimdError : number == SIGILL ? kInvalidOpcode : kGeneralProtection;
  siglongjmp(caught->back, 1);
}

class Host {
 public:
  Host() {
    code_ = map(PROT_READ | PROT_WRITE | PROT_EXEC);
    data_ = map(PROT_READ | PROT_WRITE);
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    for (std::size_t n = 0; n < kSignals.size(); ++n) sigaction(kSignals[n], &action, &before_[n]);
    caught = &caught_;
  }
  ~Host() {
    for (std::size_t n = 0; n < kSignals.size(); ++n) sigaction(kSignals[n], &before_[n], nullptr);
    caught = nullptr;
    if (code_ != nullptr) munmap(code_, kPage);
    if (data_ != nullptr) munmap(data_, kPage);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  bool ok() const { return code_ != nullptr && data_ != nullptr; }

  /// `pointer`: the register that gets the address of the middle of the memory.
  Outcome run(const std::vector<std::uint8_t>& instruction, const State& before, unsigned pointer) {
    Outcome result;
    result.state = before;
    auto* state = reinterpret_cast<State*>(data_ + 1024);  // the stub's own, apart from the operand
    *state = before;
    std::copy(before.memory.begin(), before.memory.end(), data_);
    const auto address = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(data_ + kMiddle));
    state->gpr[pointer] = address;
    write_stub(instruction);
    caught_.vector = -1;
    if (sigsetjmp(caught_.back, 1) == 0) {
      void (*function)(State*) = nullptr;
      std::memcpy(&function, &code_, sizeof function);
      function(state);
      result.state = *state;
    } else {
      result.state.image = caught_.image;
      asm volatile("fninit");
      const std::uint32_t mxcsr = 0x1f80;
      asm volatile("ldmxcsr %0" : : "m"(mxcsr));
    }
    result.vector = caught_.vector;
    result.state.gpr[pointer] = before.gpr[pointer];
    std::copy_n(data_, kMemoryBytes, result.state.memory.begin());
    return result;
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::array<int, 4> kSignals{SIGFPE, SIGILL, SIGSEGV, SIGBUS};

  static std::uint8_t* map(int protection) {
    void* p = mmap(nullptr, kPage, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(p);
  }
  /// R15 holds the state: image at 0, registers at 512, flags at 544.
  void write_stub(const std::vector<std::uint8_t>& instruction) {
    static constexpr std::uint8_t kBefore[] = {
        0x53, 0x55, 0x41, 0x57, 0x49, 0x89, 0xff,                  // push rbx, rbp, r15; mov r15, rdi
        0x41, 0x0f, 0xae, 0x0f,                                    // fxrstor [r15]
        0x41, 0xff, 0xb7, 0x20, 0x02, 0x00, 0x00, 0x9d,            // push qword [r15 + 544]; popfq
        0x41, 0x8b, 0x87, 0x00, 0x02, 0x00, 0x00,                  // mov eax, [r15 + 512] ... ebx
        0x41, 0x8b, 0x8f, 0x04, 0x02, 0x00, 0x00, 0x41, 0x8b, 0x97, 0x08, 0x02, 0x00, 0x00, 0x41, 0x8b, 0x9f, 0x0c, 0x02, 0x00, 0x00,
        0x41, 0x8b, 0xaf, 0x14, 0x02, 0x00, 0x00, 0x41, 0x8b, 0xb7, 0x18, 0x02, 0x00, 0x00, 0x41, 0x8b, 0xbf, 0x1c, 0x02, 0x00, 0x00};
    static constexpr std::uint8_t kAfter[] = {
        0x41, 0x89, 0x87, 0x00, 0x02, 0x00, 0x00, 0x41, 0x89, 0x8f, 0x04, 0x02, 0x00, 0x00, 0x41, 0x89, 0x97, 0x08, 0x02, 0x00, 0x00,
        0x41, 0x89, 0x9f, 0x0c, 0x02, 0x00, 0x00, 0x41, 0x89, 0xaf, 0x14, 0x02, 0x00, 0x00, 0x41, 0x89, 0xb7, 0x18, 0x02, 0x00, 0x00,
        0x41, 0x89, 0xbf, 0x1c, 0x02, 0x00, 0x00,
        0x9c, 0x41, 0x8f, 0x87, 0x20, 0x02, 0x00, 0x00,            // pushfq; pop qword [r15 + 544]
        0x41, 0x0f, 0xae, 0x07,                                    // fxsave [r15]
        0xdb, 0xe3, 0x0f, 0xae, 0x15, 0x06, 0x00, 0x00, 0x00,      // fninit; ldmxcsr [rip + 6]
        0x41, 0x5f, 0x5d, 0x5b, 0xfc, 0xc3,                        // pop r15, rbp, rbx; cld; ret
        0x80, 0x1f, 0x00, 0x00};
    std::uint8_t* at = std::copy(std::begin(kBefore), std::end(kBefore), code_);
    at = std::copy(instruction.begin(), instruction.end(), at);
    std::copy(std::begin(kAfter), std::end(kAfter), at);
    __builtin___clear_cache(reinterpret_cast<char*>(code_), reinterpret_cast<char*>(code_) + 512);
  }

  std::uint8_t* code_ = nullptr;
  std::uint8_t* data_ = nullptr;
  std::array<struct sigaction, 4> before_{};
  Caught caught_;
};

// ---- the interpreter ---------------------------------------------------------------------------------------------------------------

constexpr std::uint32_t kImageIn = kData, kImageOut = kData + 0x1000, kOperand = kData + 0x2000;

class Guest {
 public:
  Guest() {
    bench.flat();
    bench.change([](CpuState& s) { s.cr4 |= kCr4Osfxsr | kCr4Osxmmexcpt; });
    bench.gdt(kFreeEntry, descriptor(0, 0x1ff, kDataAccess, kBig | kPages));
    start_ = bench.state();
    wide_ = start_;
    for (const unsigned segment : {kDs, kEs, kSs}) wide_.segment[segment] = bench.load(kFreeEntry);
  }

  Outcome run(const std::vector<std::uint8_t>& instruction, const State& before, unsigned pointer, bool wide) {
    CpuState s = wide ? wide_ : start_;
    s.gpr[kEsp] = 0x9000;
    for (unsigned r = 0; r < 8; ++r) {
      if (r != kEsp) s.gpr[r] = r == pointer ? kOperand + kMiddle : before.gpr[r];
    }
    set_eflags(s, static_cast<std::uint32_t>(before.flags) & kArithmeticFlags);
    std::memcpy(bench.ram.data() + kImageIn, before.image.data(), kImageBytes);
    std::memset(bench.ram.data() + kImageOut, 0, kImageBytes);
    std::memcpy(bench.ram.data() + kOperand, before.memory.data(), kMemoryBytes);
    // FXRSTOR; the instruction; HLT; and FXSAVE for afterwards.
    std::vector<std::uint8_t> code{0x0f, 0xae, 0x0d};
    append_value(code, kImageIn, 4);
    code.insert(code.end(), instruction.begin(), instruction.end());
    code.push_back(0xf4);
    const auto save = static_cast<std::uint32_t>(code.size());
    code.insert(code.end(), {0x0f, 0xae, 0x05});
    append_value(code, kImageOut, 4);
    code.push_back(0xf4);
    bench.put(kCode, code);
    s.eip = kCode;
    bench.cpu.set_state(s);

    Outcome result;
    result.vector = bench.cpu.run(100, true) == Exit::halted && bench.eip() == kCode + save ? -1 : static_cast<int>((bench.eip() - 1 - kStubs) / 16);
    for (unsigned r = 0; r < 8; ++r) result.state.gpr[r] = r == pointer || r == kEsp ? before.gpr[r] : bench.reg(r);
    result.state.flags = bench.eflags();
    bench.go(kCode + save);
    REQUIRE(bench.cpu.run(100, true) == Exit::halted);
    REQUIRE(bench.eip() == kCode + code.size());
    std::memcpy(result.state.image.data(), bench.ram.data() + kImageOut, kImageBytes);
    std::memcpy(result.state.memory.data(), bench.ram.data() + kOperand, kMemoryBytes);
    return result;
  }
  Bench bench;

 private:
  CpuState start_, wide_;
};

// ---- cases ------------------------------------------------------------------------------------------------------------------------

std::uint64_t interesting_element(Random& random, unsigned bytes) {
  static constexpr std::uint32_t kSingles[] = {0,          0x80000000u, 0x3f800000u, 0xbf800000u, 0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffc00001u,
                                               0x7f800001u, 0xff812345u, 1,           0x80000001u, 0x007fffffu, 0x00800000u, 0x7f7fffffu, 0xff7fffffu,
                                               0x00800001u, 0x4f000000u, 0xcf000000u, 0x4effffffu, 0x3effffffu, 0x3f000000u, 0x3fc00000u, 0x40200000u};
  static constexpr std::uint64_t kDoubles[] = {0, 0x8000000000000000u, 0x3ff0000000000000u, 0xbff0000000000000u, 0x7ff0000000000000u,
                                               0xfff0000000000000u, 0x7ff8000000000000u, 0xfff8000000000001u, 0x7ff0000000000001u,
                                               0xfff4567812345678u, 1, 0x8000000000000001u, 0x000fffffffffffffu, 0x0010000000000000u,
                                               0x7fefffffffffffffu, 0x41dfffffffc00000u, 0xc1e0000000000000u, 0x41e0000000000000u,
                                               0x3810000000000000u, 0x380fffffffffffffu, 0x36a0000000000000u, 0x47efffffe0000000u, 0x47f0000000000000u,
                                               0x3fe0000000000000u, 0x3ff8000000000000u};
  const std::uint64_t value = random();
  if (bytes == 4) {
    switch (random() % 4) {
      case 0: return kSingles[random() % std::size(kSingles)];
      case 1: return kSingles[random() % std::size(kSingles)] ^ (value & 0x3);
      case 2: return (value & 0x807fffffu) | (0x3f800000u + ((value >> 32 & 15) - 8) * 0x00800000u);  // near 1
      default: return value & 0xffffffffu;
    }
  }
  switch (random() % 4) {
    case 0: return kDoubles[random() % std::size(kDoubles)];
    case 1: return kDoubles[random() % std::size(kDoubles)] ^ (value & 0x3);
    case 2: return (value & 0x800fffffffffffffu) | (0x3ff0000000000000u + ((random() & 15) - 8) * 0x0010000000000000u);
    default: return value;
  }
}

/// 16 bytes of singles, doubles, small integers or anything.
void fill_interesting(std::uint8_t* to, Random& random) {
  const unsigned kind = below(random, 4);
  for (unsigned n = 0; n < 16; n += 4) {
    const auto value = static_cast<std::uint32_t>(kind == 0   ? interesting_element(random, 4)
                                                  : kind == 1 ? random() % 3 == 0 ? 0xffffffffu * (random() & 1) : random()
                                                              : random());
    std::memcpy(to + n, &value, 4);
  }
  if (kind != 2) return;
  for (unsigned n = 0; n < 16; n += 8) {
    const std::uint64_t value = interesting_element(random, 8);
    std::memcpy(to + n, &value, 8);
  }
}

enum class Exceptions { masked, any };

struct Case {
  std::vector<std::uint8_t> bytes;
  State state;
  unsigned pointer = kEsi;
  bool wide = false;
};

bool is_float_row(const InstructionRow& row) {
  const std::string_view name{row.name};
  return name.ends_with("ps") || name.ends_with("pd") || name.ends_with("ss") || name.ends_with("sd") || name.starts_with("cvt");
}

bool is_shift_by_register(const InstructionRow& row) {
  using enum Mnemonic;
  switch (row.mnemonic) {
    case psllw: case pslld: case psllq: case psrlw: case psrld: case psrlq: case psraw: case psrad: return true;
    default: return false;
  }
}

Case make_case(const InstructionRow& row, bool memory, Exceptions exceptions, Random& random) {
  Case c;
  State& s = c.state;
  for (std::uint32_t& r : s.gpr) r = static_cast<std::uint32_t>(random() % 3 == 0 ? interesting_element(random, 4) : random());
  s.flags = 0x202 | (random() & kArithmeticFlags);
  for (std::size_t n = 0; n < kMemoryBytes; n += 16) fill_interesting(s.memory.data() + n, random);
  for (std::size_t n = 0; n < 8; ++n) fill_interesting(s.image.data() + kXmmOffset + 16 * n, random);
  for (std::size_t n = 0; n < 8; ++n) {
    fill_interesting(s.image.data() + kStOffset + 16 * n, random);
    std::memset(s.image.data() + kStOffset + 16 * n + 10, 0, 6);
  }
  const std::uint16_t control = 0x037f, status = static_cast<std::uint16_t>(random() & 0x7f00);
  std::memcpy(s.image.data(), &control, 2);
  std::memcpy(s.image.data() + kStatusWord, &status, 2);
  s.image[kTagWord] = static_cast<std::uint8_t>(random());
  std::uint32_t mxcsr = static_cast<std::uint32_t>(random()) & 0xe07f;  // rounding, FTZ, DAZ, flags
  if (random() % 2 == 0) mxcsr &= ~0x8040u;
  if (random() % 2 == 0) mxcsr &= ~0x3fu;
  mxcsr |= exceptions == Exceptions::masked ? 0x1f80 : static_cast<std::uint32_t>(random()) & 0x1f80;
  std::memcpy(s.image.data() + kMxcsrOffset, &mxcsr, 4);

  Shape shape;
  shape.memory = memory;
  shape.operand_size = row.mnemonic == Mnemonic::popcnt && random() % 2 == 0 ? 2 : 4;
  constexpr unsigned kRegisters[] = {kEax, kEcx, kEdx, kEbx, kEbp, kEdi};
  const bool general_reg = row.operand[0] == Operand::Gd || row.operand[1] == Operand::Gd || row.operand[0] == Operand::Gv;
  const bool general_rm = row.operand[0] == Operand::Ed || row.operand[1] == Operand::Ed || row.operand[1] == Operand::RdMw || row.operand[1] == Operand::Ev;
  shape.reg = general_reg ? kRegisters[random() % 6] : below(random, 8);
  shape.rm = memory ? unsigned{kEsi} : general_rm ? kRegisters[random() % 6] : below(random, 8);
  shape.displacement = static_cast<std::int8_t>(random() % 4 == 0 ? below(random, 64) - 32 : (below(random, 5) - 2) * 16);
  if (row.mnemonic == Mnemonic::maskmovq || row.mnemonic == Mnemonic::maskmovdqu) c.pointer = kEdi;
  if (is_shift_by_register(row) && random() % 4 != 0) {
    // Counts that do something, in every place they may come from.
    const std::uint64_t count = below(random, 70);
    for (std::size_t n = 0; n < 8; ++n) std::memcpy(s.image.data() + kXmmOffset + 16 * n, &count, random() % 2 == 0 ? 8 : 0);
    for (std::size_t n = 0; n < 8; ++n) std::memcpy(s.image.data() + kStOffset + 16 * n, &count, random() % 2 == 0 ? 8 : 0);
    std::memcpy(s.memory.data() + (std::ptrdiff_t{kMiddle} + shape.displacement), &count, 8);
  }
  c.bytes = encode(row, shape, random);
  c.wide = random() % 4 == 0;
  return c;
}

// ---- comparison -------------------------------------------------------------------------------------------------------------------

/// Rows that this bench cannot run natively, or whose answer the manual leaves to the processor.
bool left_out(const InstructionRow& row) {
  using enum Mnemonic;
  switch (row.mnemonic) {
    case fxsave: case fxrstor: case ldmxcsr: case clflush: return true;  // their own tests below
    case rcpps: case rcpss: case rsqrtps: case rsqrtss: return false;    // the host's own approximation
    default: return row.prefix == MandatoryPrefix::any;
  }
}

/// With overflow or underflow unmasked, precision is that of a result with an unbounded exponent; the interpreter takes the bounded one's.
std::uint8_t uncertain_flags(const Outcome& host) {
  const std::uint8_t flags = host.state.image[kMxcsrOffset];
  const unsigned masks = host.state.image[kMxcsrOffset] | host.state.image[kMxcsrOffset + 1] << 8;
  constexpr unsigned kOverflowUnderflow = 0x18;
  return host.vector == kSimdError && (flags & ~(masks >> 7) & kOverflowUnderflow) != 0 ? 0x20 : 0;
}

std::string difference(const Outcome& host, Outcome guest) {
  const unsigned uncertain = (host.state.image[kMxcsrOffset] ^ guest.state.image[kMxcsrOffset]) & uncertain_flags(host);
  guest.state.image[kMxcsrOffset] = static_cast<std::uint8_t>(guest.state.image[kMxcsrOffset] ^ uncertain);
  std::string text;
  const auto compare = [&](const char* what, const std::uint8_t* a, const std::uint8_t* b, std::size_t count) {
    if (std::memcmp(a, b, count) != 0) text += std::string{"\n  "} + what + "\n    host  " + hex({a, count}) + "\n    guest " + hex({b, count});
  };
  if (host.vector != guest.vector) text += "\n  vector: host " + std::to_string(host.vector) + ", guest " + std::to_string(guest.vector);
  compare("status word", host.state.image.data() + kStatusWord, guest.state.image.data() + kStatusWord, 2);
  compare("tag word", host.state.image.data() + kTagWord, guest.state.image.data() + kTagWord, 1);
  compare("mxcsr", host.state.image.data() + kMxcsrOffset, guest.state.image.data() + kMxcsrOffset, 4);
  for (std::size_t n = 0; n < 8; ++n) {
    const std::size_t st = kStOffset + 16 * n, xmm = kXmmOffset + 16 * n;
    compare(("st" + std::to_string(n)).c_str(), host.state.image.data() + st, guest.state.image.data() + st, 10);
    compare(("xmm" + std::to_string(n)).c_str(), host.state.image.data() + xmm, guest.state.image.data() + xmm, 16);
  }
  compare("memory", host.state.memory.data(), guest.state.memory.data(), kMemoryBytes);
  if (host.vector != -1) return text;  // registers are those before
  for (unsigned r = 0; r < 8; ++r) {
    if (r != kEsp && host.state.gpr[r] != guest.state.gpr[r]) text += "\n  general register " + std::to_string(r);
  }
  if (((host.state.flags ^ guest.state.flags) & kArithmeticFlags) != 0) text += "\n  flags";
  return text;
}

unsigned iterations() {
  const char* text = std::getenv("TUXARIUM_NATIVE_ITERATIONS");
  return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 0)) : 300;
}

struct Totals {
  unsigned rows = 0, different = 0;
  std::uint64_t cases = 0, faults = 0;
};

void compare_row(Host& host, Guest& guest, const InstructionRow& row, bool memory, Exceptions exceptions, Random& random, Totals& totals) {
  unsigned different = 0;
  for (unsigned n = 0; n < iterations() && different < 3; ++n) {
    const Case c = make_case(row, memory, exceptions, random);
    const Outcome expected = host.run(c.bytes, c.state, c.pointer);
    const Outcome got = guest.run(c.bytes, c.state, c.pointer, c.wide);
    ++totals.cases;
    if (expected.vector != -1) ++totals.faults;
    const std::string text = difference(expected, got);
    if (text.empty()) continue;
    ++different;
    MESSAGE(std::string{row.name} << ": " << hex(c.bytes) << ", mxcsr before "
                                  << hex({c.state.image.data() + kMxcsrOffset, 4}) << " tag " << int{c.state.image[kTagWord]} << text
                                  << "\n  xmm before " << hex({c.state.image.data() + kXmmOffset, 128}) << "\n  memory before "
                                  << hex({c.state.memory.data() + 80, 96}));
  }
  totals.different += different;
}

void compare_table(Exceptions exceptions) {
  Host host;
  if (!host.ok()) {
    std::printf("skipped: no executable memory below 2 GiB\n");
    return;
  }
  Guest guest;
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  Random random{seed};
  Totals totals;
  for (const InstructionRow& row : instruction_table().subspan(1)) {
    if (left_out(row) || (exceptions == Exceptions::any && !is_float_row(row))) continue;
    ++totals.rows;
    for (const bool memory : {false, true}) {
      if (memory ? !has_modrm(row) || row.form == RmForm::reg : row.form == RmForm::mem) continue;
      compare_row(host, guest, row, memory, exceptions, random, totals);
    }
  }
  MESSAGE(totals.rows << " rows, " << totals.cases << " cases, " << totals.faults << " of them faults");
  CHECK(totals.rows > 50);
  CHECK(totals.faults > 100);
  CHECK(totals.different == 0);
}

}  // namespace

TEST_CASE("SIMD instructions give what the host processor gives") { compare_table(Exceptions::masked); }

TEST_CASE("SIMD instructions raise what the host processor raises") { compare_table(Exceptions::any); }

#else

TEST_CASE("SIMD instructions give what the host processor gives") { std::printf("skipped: the host is not an x86-64 Linux\n"); }

#endif
