// The integer instructions against the host processor: the same bytes, registers, flags and memory, executed natively and by the
// interpreter. Rows that do not exist in 64-bit mode, or differ there, are left out by native_row().
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "cpu/instruction.hpp"
#include "cpu_fixture.hpp"
#include "encoding.hpp"
#include "hex.hpp"
#include "undefined_flags.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/mman.h>
#define TUXARIUM_TEST_NATIVE 1
#endif

using namespace tuxarium;
using namespace tuxarium::tests;

#ifdef TUXARIUM_TEST_NATIVE

namespace {

constexpr std::size_t kBufferSize = 1024, kMiddle = 512;

struct NativeState {
  std::array<std::uint32_t, 8> gpr{};
  std::uint64_t flags = 0;
};

/// Executes one instruction natively; registers live in 32 bits. R15 holds the state, RSP is the host's.
class Native {
 public:
  Native() {
    code_ = map(PROT_READ | PROT_WRITE | PROT_EXEC, 4096);
    buffer_ = map(PROT_READ | PROT_WRITE, 4096);
  }
  ~Native() {
    if (code_ != nullptr) munmap(code_, 4096);
    if (buffer_ != nullptr) munmap(buffer_, 4096);
  }
  Native(const Native&) = delete;
  Native& operator=(const Native&) = delete;

  bool ok() const { return code_ != nullptr && buffer_ != nullptr; }
  std::uint8_t* buffer() { return buffer_; }
  std::uint32_t buffer_address() const { return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(buffer_)); }

  void execute(std::span<const std::uint8_t> instruction, NativeState& state) {
    static constexpr std::uint8_t kBefore[] = {
        0x53, 0x55, 0x41, 0x57,        // push rbx, rbp, r15
        0x49, 0x89, 0xff,              // mov r15, rdi
        0x41, 0xff, 0x77, 0x20, 0x9d,  // push qword [r15 + 32]; popfq
        0x41, 0x8b, 0x07, 0x41, 0x8b, 0x4f, 0x04, 0x41, 0x8b, 0x57, 0x08, 0x41, 0x8b, 0x5f, 0x0c,   // eax, ecx, edx, ebx
        0x41, 0x8b, 0x6f, 0x14, 0x41, 0x8b, 0x77, 0x18, 0x41, 0x8b, 0x7f, 0x1c};                    // ebp, esi, edi
    static constexpr std::uint8_t kAfter[] = {
        0x41, 0x89, 0x07, 0x41, 0x89, 0x4f, 0x04, 0x41, 0x89, 0x57, 0x08, 0x41, 0x89, 0x5f, 0x0c,
        0x41, 0x89, 0x6f, 0x14, 0x41, 0x89, 0x77, 0x18, 0x41, 0x89, 0x7f, 0x1c,
        0x9c, 0x41, 0x8f, 0x47, 0x20,        // pushfq; pop qword [r15 + 32]
        0xfc, 0x41, 0x5f, 0x5d, 0x5b, 0xc3};  // cld; pop r15, rbp, rbx; ret
    std::uint8_t* at = std::copy(std::begin(kBefore), std::end(kBefore), code_);
    at = std::copy(instruction.begin(), instruction.end(), at);
    std::copy(std::begin(kAfter), std::end(kAfter), at);
    __builtin___clear_cache(reinterpret_cast<char*>(code_), reinterpret_cast<char*>(code_) + 256);
    void (*function)(NativeState*) = nullptr;
    std::memcpy(&function, &code_, sizeof function);
    function(&state);
  }

 private:
  static std::uint8_t* map(int protection, std::size_t size) {
    void* p = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(p);
  }
  std::uint8_t* code_ = nullptr;
  std::uint8_t* buffer_ = nullptr;
};

bool is_string(Mnemonic m) {
  using enum Mnemonic;
  return m == movs || m == cmps || m == stos || m == lods || m == scas;
}
bool is_shift(Mnemonic m) { return m >= Mnemonic::rol && m <= Mnemonic::sar; }
bool is_double_shift(Mnemonic m) { return m == Mnemonic::shld || m == Mnemonic::shrd; }
bool is_bit(Mnemonic m) { return m == Mnemonic::bt || m == Mnemonic::bts || m == Mnemonic::btr || m == Mnemonic::btc; }

/// Rows that mean the same in 64-bit mode. Not: 40-4F (REX), 82, direct addresses, stacks, branches, segments, system.
bool native_row(const InstructionRow& row) {
  using enum Mnemonic;
  if (row.map == OpcodeMap::one && (row.opcode == 0x82 || (row.opcode & 0xf0) == 0x40)) return false;
  for (const Operand o : row.operand) {
    if (o == Operand::Ob || o == Operand::Ov) return false;
  }
  const Mnemonic m = row.mnemonic;
  if (m >= cmovo && m <= setg) return true;
  if (is_string(m) || is_shift(m) || is_double_shift(m) || is_bit(m)) return true;
  switch (m) {
    case add: case or_: case adc: case sbb: case and_: case sub: case xor_: case cmp: case inc: case dec: case imul: case test: case xchg:
    case mov: case lea: case cbw: case cwd: case sahf: case lahf: case not_: case neg: case mul: case imul1: case div: case idiv: case clc:
    case stc: case cmc: case cld: case std_: case cmpxchg: case movzx: case movsx: case bsf: case bsr: case xadd: case cmpxchg8b: case bswap:
    case xlat: return true;
    default: return false;
  }
}

unsigned byte_row(const InstructionRow& row) {
  for (const Operand o : {row.operand[0], row.operand[1]}) {
    if (o == Operand::Eb || o == Operand::Gb || o == Operand::AL || o == Operand::Zb || o == Operand::Xb || o == Operand::Yb) return true;
    if (o != Operand::none) break;
  }
  return false;
}

std::uint32_t interesting(Random& random) {
  static constexpr std::uint32_t kCorners[] = {0, 1, 2, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000u, 0xfffffffeu, 0xffffffffu};
  const auto value = static_cast<std::uint32_t>(random());
  switch (random() % 4) {
    case 0: return kCorners[random() % std::size(kCorners)];
    case 1: return kCorners[random() % std::size(kCorners)] ^ (value & 0x00ff00ffu);
    default: return value;
  }
}

struct Case {
  std::vector<std::uint8_t> bytes;
  std::array<std::uint32_t, 8> gpr{};      // pointers hold offsets into the buffer
  std::array<bool, 8> pointer{};
  std::uint32_t flags = 0;
  std::uint32_t undefined = 0;
  bool divide_error = false;
  bool wide = false;                       // segments that are not flat
  std::array<std::uint8_t, kBufferSize> memory{};
};

std::uint64_t operand_of(const Case& c, const InstructionRow& row, const Shape& shape, unsigned bits) {
  (void)row;
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  if (shape.memory) {
    std::uint32_t value = 0;
    std::memcpy(&value, c.memory.data() + (std::ptrdiff_t{kMiddle} + shape.displacement), 4);
    return value & mask;
  }
  if (bits == 8) return c.gpr[shape.rm & 3] >> (shape.rm >= 4 ? 8 : 0) & 0xff;
  return c.gpr[shape.rm] & mask;
}

bool divides(const Case& c, const InstructionRow& row, const Shape& shape, unsigned bits) {
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  const std::uint64_t divisor = operand_of(c, row, shape, bits);
  std::uint64_t dividend = bits == 8 ? c.gpr[kEax] & 0xffff : (c.gpr[kEdx] & mask) << bits | (c.gpr[kEax] & mask);
  if (divisor == 0) return false;
  if (row.mnemonic == Mnemonic::div) return dividend / divisor <= mask;
  const auto extend = [](std::uint64_t value, unsigned width) { return static_cast<std::int64_t>(value << (64 - width)) >> (64 - width); };
  const std::int64_t a = extend(dividend, 2 * bits), b = extend(divisor, bits);
  if (b == -1 && a == INT64_MIN) return false;
  return a / b == extend(static_cast<std::uint64_t>(a / b) & mask, bits);
}

Case make_case(const InstructionRow& row, unsigned size, bool memory, Random& random) {
  using enum Mnemonic;
  const Mnemonic m = row.mnemonic;
  const bool byte = byte_row(row) != 0;
  const unsigned bits = byte ? 8 : size * 8;
  Case c;
  Shape shape;
  shape.operand_size = size;
  shape.memory = memory;
  for (std::uint32_t& r : c.gpr) r = interesting(random);
  for (std::uint8_t& b : c.memory) b = random() % 4 == 0 ? static_cast<std::uint8_t>(0u - (random() & 1)) : static_cast<std::uint8_t>(random());
  const auto pick_register = [&] {
    unsigned r = below(random, 8);
    while (r == kEsp && !byte) r = below(random, 8);
    return r;
  };
  const bool byte_source = row.operand[1] == Operand::Eb;
  shape.reg = pick_register();
  shape.rm = byte_source ? below(random, 8) : pick_register();
  shape.low3 = pick_register();
  if (memory) {
    constexpr unsigned kBases[] = {kEsi, kEdi, kEbp};
    shape.rm = kBases[random() % 3];
    while (!byte && (shape.reg == shape.rm || shape.reg == kEsp)) shape.reg = below(random, 8);
    shape.displacement = static_cast<std::int8_t>(random());
    c.gpr[shape.rm] = kMiddle;
    c.pointer[shape.rm] = m != lea;
    if (is_bit(m) && row.operand[1] == Operand::Gv) {
      const std::uint32_t index = below(random, 2000) - 1000;
      c.gpr[shape.reg] = size == 4 ? index : (c.gpr[shape.reg] & 0xffff0000u) | (index & 0xffff);
    }
  }
  if (is_string(m)) {
    shape.repeat = random() % 3 == 0 ? 0 : (m == cmps || m == scas) && random() % 2 == 0 ? 0xf2 : 0xf3;
    if (shape.repeat != 0) c.gpr[kEcx] = below(random, 12);
    c.gpr[kEsi] = kMiddle + below(random, 40) - 20;
    c.gpr[kEdi] = kMiddle + below(random, 40) - 20;
    c.pointer[kEsi] = c.pointer[kEdi] = true;
    if (random() % 2 == 0) std::fill(c.memory.begin() + kMiddle - 24, c.memory.begin() + kMiddle + 24, c.gpr[kEax] & 0xff);
    c.flags |= random() % 2 == 0 ? kDf : 0;
  }
  if (m == xlat) {
    c.gpr[kEbx] = kMiddle;
    c.pointer[kEbx] = true;
  }
  if (m == cmpxchg && random() % 2 == 0) {
    std::uint32_t value = c.gpr[kEax];
    if (memory) std::memcpy(c.memory.data() + (std::ptrdiff_t{kMiddle} + shape.displacement), &value, 4);
  }
  if (m == cmpxchg8b && random() % 2 == 0) {
    std::memcpy(c.memory.data() + (std::ptrdiff_t{kMiddle} + shape.displacement), &c.gpr[kEax], 4);
    std::memcpy(c.memory.data() + (std::ptrdiff_t{kMiddle} + shape.displacement + 4), &c.gpr[kEdx], 4);
  }
  if (m == div || m == idiv) {
    // Small dividends, so that most of the divisions go through.
    if (random() % 4 != 0) {
      const std::uint32_t sign = (m == idiv && random() % 2 == 0) ? 0xffffffffu : 0;
      if (shape.memory || (shape.rm & 3) != kEdx) c.gpr[kEdx] = bits == 8 ? c.gpr[kEdx] : sign ^ below(random, 4);
      if (bits == 8) c.gpr[kEax] = (c.gpr[kEax] & 0xffff0000u) | (sign & 0xffff) | below(random, 0x300);
    }
  }
  c.flags |= static_cast<std::uint32_t>(random()) & kArithmeticFlags;
  c.bytes = encode(row, shape, random);
  unsigned count = 1;
  if (is_shift(m) || is_double_shift(m)) {
    const Operand by = is_shift(m) ? row.operand[1] : row.operand[2];
    if (is_double_shift(m) && bits == 16) {
      // Counts above the operand size leave the result undefined.
      if (by == Operand::CL) c.gpr[kEcx] = (c.gpr[kEcx] & 0xffffff00u) | below(random, 17);
      if (by == Operand::Ib) c.bytes.back() = static_cast<std::uint8_t>(below(random, 17));
    }
    if (by == Operand::CL) count = c.gpr[kEcx] & 31;
    if (by == Operand::Ib) count = c.bytes.back() & 31;
  }
  c.undefined = undefined_flags(m, bits, count).flags;
  c.divide_error = (m == div || m == idiv) && !divides(c, row, shape, bits);
  c.wide = random() % 2 == 0;
  return c;
}

struct Outcome {
  std::array<std::uint32_t, 8> gpr{};
  std::uint32_t flags = 0;
  std::array<std::uint8_t, kBufferSize> memory{};
};

Outcome run_native(Native& native, const Case& c) {
  NativeState state;
  for (unsigned r = 0; r < 8; ++r) state.gpr[r] = c.gpr[r] + (c.pointer[r] ? native.buffer_address() : 0);
  state.flags = c.flags | 0x202;
  std::copy(c.memory.begin(), c.memory.end(), native.buffer());
  native.execute(c.bytes, state);
  Outcome o;
  for (unsigned r = 0; r < 8; ++r) o.gpr[r] = state.gpr[r] - (c.pointer[r] ? native.buffer_address() : 0);
  o.flags = static_cast<std::uint32_t>(state.flags) & (kArithmeticFlags | kDf);
  std::copy_n(native.buffer(), kBufferSize, o.memory.begin());
  return o;
}

class Interpreted {
 public:
  Interpreted() {
    bench.flat();
    flat_ = bench.state();
    bench.gdt(kFreeEntry, descriptor(0, 0x1ff, kDataAccess, kBig | kPages));
    wide_ = flat_;
    for (const unsigned segment : {kDs, kEs, kSs}) wide_.segment[segment] = bench.load(kFreeEntry);
  }
  /// False when the instruction faulted or did not end where it should; `trapped`: the vector.
  bool run(const Case& c, Outcome& o, int& trapped) {
    CpuState s = c.wide ? wide_ : flat_;
    for (unsigned r = 0; r < 8; ++r) {
      if (r != kEsp) s.gpr[r] = c.gpr[r] + (c.pointer[r] ? kData : 0);
    }
    set_eflags(s, c.flags);
    std::memcpy(bench.ram.data() + kData, c.memory.data(), kBufferSize);
    bench.put(kCode, c.bytes);
    const auto end = kCode + static_cast<std::uint32_t>(c.bytes.size());
    bench.put(end, {0xf4});
    bench.cpu.set_state(s);
    trapped = -1;
    if (bench.cpu.run(100, true) != Exit::halted || bench.eip() != end + 1) {
      trapped = static_cast<int>((bench.eip() - 1 - kStubs) / 16);
      return false;
    }
    for (unsigned r = 0; r < 8; ++r) o.gpr[r] = bench.reg(r) - (c.pointer[r] ? kData : 0);
    o.flags = bench.eflags() & (kArithmeticFlags | kDf);
    std::memcpy(o.memory.data(), bench.ram.data() + kData, kBufferSize);
    return true;
  }
  Bench bench;

 private:
  CpuState flat_, wide_;
};

std::string show(const std::array<std::uint32_t, 8>& gpr, std::uint32_t flags) {
  char text[160];
  std::snprintf(text, sizeof text, "eax %08x ecx %08x edx %08x ebx %08x ebp %08x esi %08x edi %08x flags %04x", gpr[0], gpr[1], gpr[2], gpr[3],
                gpr[5], gpr[6], gpr[7], flags);
  return text;
}

bool same(const Case& c, const Outcome& expected, const Outcome& got) {
  for (unsigned r = 0; r < 8; ++r) {
    if (r != kEsp && expected.gpr[r] != got.gpr[r]) return false;
  }
  return ((expected.flags ^ got.flags) & ~c.undefined) == 0 && expected.memory == got.memory;
}

void report(const InstructionRow& row, const Case& c, const Outcome& expected, const Outcome& got) {
  std::string text = std::string{row.name} + ": " + hex(c.bytes) + (c.wide ? " (segments not flat)" : "") + "\n  before   " + show(c.gpr, c.flags) +
                     "\n  expected " + show(expected.gpr, expected.flags) + "\n  got      " + show(got.gpr, got.flags);
  char line[64];
  for (std::size_t i = 0; i < kBufferSize; ++i) {
    if (expected.memory[i] == got.memory[i]) continue;
    std::snprintf(line, sizeof line, "\n  memory %+d: %02x before, expected %02x, got %02x", static_cast<int>(i) - static_cast<int>(kMiddle),
                  c.memory[i], expected.memory[i], got.memory[i]);
    text += line;
    if (text.size() > 1500) break;
  }
  MESSAGE(text);
}

unsigned iterations() {
  const char* text = std::getenv("TUXARIUM_NATIVE_ITERATIONS");
  return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 0)) : 400;
}

/// Number of cases that differ for one row and size.
unsigned compare_row(Native& native, Interpreted& interpreted, const InstructionRow& row, unsigned size, bool memory, Random& random) {
  unsigned different = 0;
  for (unsigned i = 0; i < iterations(); ++i) {
    const Case c = make_case(row, size, memory, random);
    Outcome expected, got;
    int trapped = -1;
    const bool completed = interpreted.run(c, got, trapped);
    if (c.divide_error) {
      if (!completed && trapped == kDivideError) continue;
      MESSAGE(std::string{row.name} << ": " << hex(c.bytes) << ' ' << show(c.gpr, c.flags) << ": no #DE, vector " << trapped);
      if (++different >= 3) break;
      continue;
    }
    if (completed) expected = run_native(native, c);
    if (completed && same(c, expected, got)) continue;
    if (!completed) {
      MESSAGE(std::string{row.name} << ": " << hex(c.bytes) << ' ' << show(c.gpr, c.flags) << ": exception " << trapped);
    } else {
      report(row, c, expected, got);
    }
    if (++different >= 3) break;
  }
  return different;
}

}  // namespace

TEST_CASE("integer instructions give what the host processor gives") {
  Native native;
  if (!native.ok()) {
    std::printf("skipped: no executable memory below 2 GiB\n");
    return;
  }
  Interpreted interpreted;
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  Random random{seed};
  unsigned rows = 0, different = 0;
  std::uint64_t cases = 0;
  for (const InstructionRow& row : instruction_table().subspan(1)) {
    if (!native_row(row)) continue;
    ++rows;
    for (const unsigned size : {2u, 4u}) {
      if (row.mnemonic == Mnemonic::bswap && size == 2) continue;  // undefined
      for (const bool memory : {false, true}) {
        if (memory ? !has_modrm(row) || row.form == RmForm::reg : row.form == RmForm::mem) continue;
        different += compare_row(native, interpreted, row, size, memory, random);
        cases += iterations();
      }
    }
  }
  MESSAGE(rows << " rows, " << cases << " cases");
  CHECK(rows > 180);
  CHECK(different == 0);
}

#else

TEST_CASE("integer instructions give what the host processor gives") {
  std::printf("skipped: the host is not an x86-64 Linux\n");
}

#endif
