// Random bytes as code and as tables, in every mode, with random registers. The processor must come back from run() after the number of
// instructions it was given and must not touch anything outside of its RAM.
//
// Input: mode, model and flags; 64 bytes of registers; the rest is code, repeated through the code page and put on top of the tables as
// well when the mode byte says so.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "base/state_visitor.hpp"
#include "cpu/cpu.hpp"
#include "cpu/flags.hpp"
#include "memory/guest_ram.hpp"

namespace {

using namespace tuxarium;
using namespace tuxarium::cpu;

constexpr std::uint32_t kRamSize = 512 << 10;
constexpr std::uint32_t kGdt = 0x1000, kIdt = 0x2000, kTss = 0x3000, kCode = 0x10000, kDirectory = 0x40000, kTable = 0x41000;
constexpr std::int64_t kRun = 2000;

class Bus final : public CpuBus {
 public:
  Cpu* cpu = nullptr;
  std::uint32_t noise = 1;
  std::uint32_t port_read(std::uint16_t port, unsigned) override {
    noise = noise * 1664525u + 1013904223u + port;
    poke_pins();
    return noise >> 8;
  }
  void port_write(std::uint16_t, unsigned, std::uint32_t value) override {
    noise ^= value;
    poke_pins();
  }
  std::size_t port_block(std::uint16_t port, unsigned) override { return port & 31; }
  void port_read_block(std::uint16_t port, unsigned width, std::span<std::byte> data) override {
    if (data.size() % width != 0) std::abort();
    for (std::byte& b : data) b = static_cast<std::byte>(port_read(port, 1));
  }
  void port_write_block(std::uint16_t port, unsigned width, std::span<const std::byte> data) override {
    if (data.size() % width != 0) std::abort();
    for (const std::byte b : data) port_write(port, 1, static_cast<std::uint32_t>(b));
  }
  std::uint8_t acknowledge_interrupt() override {
    cpu->set_intr(false);
    return static_cast<std::uint8_t>(noise >> 16);
  }
  std::uint64_t time_stamp() override { return cpu->retired(); }
  std::uint32_t memory_read(std::uint32_t address, unsigned width) override {
    require_outside(address, width);
    return noise;
  }
  void memory_write(std::uint32_t address, unsigned width, std::uint32_t) override { require_outside(address, width); }
  void fpu_error(bool) override {}

 private:
  void poke_pins() {
    if ((noise & 0x700) == 0) cpu->set_intr(true);
    if ((noise & 0xf000) == 0) cpu->request_break();
  }
  static void require_outside(std::uint32_t address, unsigned width) {
    if (width > 4 || (address < kRamSize && address + width <= kRamSize)) std::abort();
  }
};

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
  std::uint32_t take(unsigned size) {
    std::uint32_t value = 0;
    const std::size_t n = std::min<std::size_t>(size, bytes_.size());
    if (n != 0) std::memcpy(&value, bytes_.data(), n);
    bytes_ = bytes_.subspan(n);
    return value;
  }
  std::span<const std::uint8_t> rest() const { return bytes_; }

 private:
  std::span<const std::uint8_t> bytes_;
};

std::uint64_t entry(std::uint32_t base, std::uint32_t limit, unsigned access, unsigned flags) {
  return (std::uint64_t{limit} & 0xffff) | (std::uint64_t{base} & 0xffffff) << 16 | std::uint64_t{access} << 40 |
         (std::uint64_t{limit >> 16} & 15) << 48 | std::uint64_t{flags} << 52 | std::uint64_t{base >> 24} << 56;
}

void fill_tables(std::byte* ram, std::uint32_t noise) {
  const auto put = [ram](std::uint32_t address, std::uint64_t value) { std::memcpy(ram + address, &value, 8); };
  for (std::uint32_t i = 1; i < 64; ++i) {
    noise = noise * 1664525u + 1013904223u;
    const std::uint32_t base = i < 8 ? 0 : noise >> 12 & 0xffff0, limit = i < 8 ? 0xfffff : noise >> 8 & 0xfffff;
    static constexpr unsigned kAccess[] = {0x9b, 0x93, 0xfb, 0xf3, 0x89, 0x81, 0x82, 0x8c, 0x85, 0xec, 0x97, 0x9f, 0xf7, 0x84, 0x8b, 0xe5};
    put(kGdt + i * 8, entry(i == 5 ? kTss : base, limit, kAccess[(i < 5 ? i - 1 : i == 5 ? 4 : noise >> 28) % 16], i < 5 ? 12 : noise >> 20 & 12));
  }
  for (std::uint32_t v = 0; v < 256; ++v) {
    static constexpr unsigned kGates[] = {0x8e, 0xee, 0x8f, 0xef, 0x86, 0xe7, 0xe5, 0x8e};
    const std::uint32_t target = kCode + (v * 37 & 0xfff);
    const std::uint64_t selector = kGates[v % 8] == 0xe5 ? 0x28 : 0x08;
    put(kIdt + v * 8, (target & 0xffff) | selector << 16 | std::uint64_t{kGates[v % 8]} << 40 | std::uint64_t{target >> 16} << 48);
  }
  for (std::uint32_t i = 0; i < 32; ++i) {
    noise = noise * 1664525u + 1013904223u;
    const std::uint32_t page_table = kTable | 7;
    std::memcpy(ram + kDirectory + i * 4, &page_table, 4);
  }
  for (std::uint32_t i = 0; i < 1024; ++i) {
    noise = noise * 1664525u + 1013904223u;
    const std::uint32_t page = i < 128 ? i << 12 | 7 : (noise >> 4 & 0xfffff000u) | (noise & 0xfff);
    std::memcpy(ram + kTable + i * 4, &page, 4);
  }
}

Segment segment(std::uint32_t base, std::uint32_t limit, std::uint32_t access, std::uint16_t selector) {
  Segment s;
  s.base = base;
  s.limit = limit;
  s.access = access;
  s.selector = selector;
  s.valid = 1;
  return s;
}

enum Mode : unsigned { real, protected16, protected32, user32, paged, paged_user, vm86, odd };

CpuState start_state(Input& in, unsigned mode) {
  CpuState s;
  for (unsigned r = 0; r < 8; ++r) {
    const std::uint32_t kind = in.take(1), value = in.take(4);
    s.gpr[r] = (kind & 3) == 0 ? value : (kind & 3) == 1 ? value & 0xff : value % kRamSize;
  }
  s.cr0 = kCr0Et | (in.take(1) & 0x2e);
  s.cr4 = in.take(2) & (kCr4Tsd | kCr4De | kCr4Pse | kCr4Pge | kCr4Osfxsr | kCr4Osxmmexcpt);
  s.mxcsr = (s.cr4 & kCr4Osfxsr) != 0 ? in.take(2) : 0x1f80;
  s.cr3 = kDirectory;
  s.gdtr = {kGdt, 0x1ff};
  s.idtr = {mode == real ? 0u : kIdt, 0x7ff};
  s.tr = segment(kTss, 0xfff, 0x8b00, 0x28);
  std::uint32_t flags = in.take(4) & 0x003f7fd7u & ~kVm;
  const bool user = mode == user32 || mode == paged_user;
  const bool small = mode == real || mode == protected16;
  for (Segment& g : s.segment) {
    g = small ? segment(kCode, 0xffff, 0x9300, kCode >> 4) : segment(0, 0xffffffffu, user ? 0xc0f300 : 0xc09300, user ? 0x23 : 0x10);
  }
  s.segment[kCs] = small ? segment(kCode, 0xffff, 0x9b00, kCode >> 4) : segment(0, 0xffffffffu, user ? 0xc0fb00 : 0xc09b00, user ? 0x1b : 0x08);
  s.eip = small ? 0 : kCode;
  s.cpl = user ? 3 : 0;
  if (mode == protected16) {
    s.segment[kCs].selector = 8;
    for (const unsigned g : {kDs, kEs, kSs}) s.segment[g].selector = 0x10;
  }
  if (mode != real) s.cr0 |= kCr0Pe;
  if (mode == paged || mode == paged_user || (mode == odd && (flags & 1) != 0)) s.cr0 |= kCr0Pg | ((flags & 4) != 0 ? kCr0Wp : 0);
  if (mode == vm86) {
    flags |= kVm;
    for (Segment& g : s.segment) g = segment(kCode, 0xffff, 0xf300, kCode >> 4);
    s.eip = 0;
    s.cpl = 3;
  }
  if (mode == odd) {
    for (Segment& g : s.segment) {
      g.limit = in.take(3) * 16;
      g.base = in.take(3) % kRamSize;
    }
    s.segment[kDs].access = in.take(3) & 0xf0ff00;
    s.segment[kSs].access = 0x9300 | (in.take(3) & 0xc00400);
  }
  set_eflags(s, flags);
  return s;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static memory::GuestRam ram{kRamSize};
  if (!ram.ok() || size < 4) return 0;
  Input in{{data, size}};
  const unsigned choice = in.take(1), options = in.take(1);
  ram.clear();
  Bus bus;
  Cpu cpu{ram, bus, (options & 1) != 0 ? Model::jslinux : Model::full, {.sse3 = true, .popcnt = true}};
  bus.cpu = &cpu;
  fill_tables(ram.data(), in.take(4));
  const CpuState state = start_state(in, choice & 7);
  const std::span<const std::uint8_t> code = in.rest();
  if (code.empty()) return 0;
  for (std::uint32_t i = 0; i < 0x3000; ++i) ram.data()[kCode + i] = static_cast<std::byte>(code[i % code.size()]);
  if ((options & 2) != 0) {
    const std::uint32_t where[] = {kGdt + 64, kIdt, kTss, kTable + 256};
    const std::size_t count = std::min<std::size_t>(code.size(), 512);
    std::memcpy(ram.data() + where[options >> 2 & 3], code.data() + (code.size() - count), count);
  }
  cpu.set_state(state);
  const bool exact = (options & 0x10) != 0;
  for (unsigned slice = 0; slice < 4; ++slice) {
    const std::uint64_t before = cpu.retired();
    const Exit exit = cpu.run(kRun, exact);
    // Faults are charged after the fact: one may come on top.
    if (cpu.retired() - before > kRun + (exact ? 64u : 128u)) std::abort();
    if (exit == Exit::shut_down) break;
    cpu.set_intr(true);
  }
  base::HashVisitor hash;
  CpuState last = cpu.state();
  last.visit_state(hash);
  if (last.gpr[kZeroRegister] != 0 || last.cpl > 3) std::abort();
  return 0;
}
