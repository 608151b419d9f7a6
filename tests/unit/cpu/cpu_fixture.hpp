// A processor on 2 MiB of RAM and a bus that records: the bench of all processor tests.
//
// Memory map: 0 real-mode vectors; 0x1000 GDT; 0x2000 IDT; 0x3000 TSS; 0x4000 LDT; 0x5000 one HLT for each vector, 16 bytes apart;
// 0x20000 code; 0x30000 data; stacks end at 0x9000 (level 0), 0xa000 (TSS level 0), 0xb000 (level 3); page tables from 0x100000.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "cpu/cpu.hpp"
#include "cpu/flags.hpp"
#include "memory/guest_ram.hpp"

namespace tuxarium::tests {

using namespace tuxarium::cpu;

inline std::uint64_t test_seed() {
  const char* text = std::getenv("TUXARIUM_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 0) : 20240607;
}

class FakeBus final : public CpuBus {
 public:
  struct Access {
    bool write;
    std::uint16_t port;
    unsigned width;
    std::uint32_t value;
  };
  std::vector<Access> accesses;
  std::map<std::uint16_t, std::deque<std::uint32_t>> scripted;  // values to read, port by port; all ones when used up
  std::function<void()> on_access;                              // called inside every port access
  std::size_t most_in_block = 4096;                             // port_block()
  std::uint8_t vector = 0x20;
  unsigned acknowledged = 0;
  std::uint64_t tsc = 0x1122334455667788u;
  int ferr = -1;  // last level of FERR#

  std::uint32_t port_read(std::uint16_t port, unsigned width) override {
    std::uint32_t value = 0xffffffffu;
    if (auto& queue = scripted[port]; !queue.empty()) {
      value = queue.front();
      queue.pop_front();
    }
    accesses.push_back({false, port, width, value});
    if (on_access) on_access();
    return value;
  }
  void port_write(std::uint16_t port, unsigned width, std::uint32_t value) override {
    accesses.push_back({true, port, width, value});
    if (on_access) on_access();
  }
  std::size_t port_block(std::uint16_t, unsigned) override { return most_in_block; }
  void port_read_block(std::uint16_t port, unsigned width, std::span<std::byte> data) override {
    for (std::size_t i = 0; i < data.size(); i += width) {
      const std::uint32_t value = port_read(port, width);
      std::memcpy(data.data() + i, &value, width);
    }
  }
  void port_write_block(std::uint16_t port, unsigned width, std::span<const std::byte> data) override {
    for (std::size_t i = 0; i < data.size(); i += width) {
      std::uint32_t value = 0;
      std::memcpy(&value, data.data() + i, width);
      port_write(port, width, value);
    }
  }
  std::uint8_t acknowledge_interrupt() override {
    ++acknowledged;
    return vector;
  }
  std::uint64_t time_stamp() override { return tsc; }
  std::uint32_t memory_read(std::uint32_t, unsigned) override { return 0xffffffffu; }
  void memory_write(std::uint32_t, unsigned, std::uint32_t) override {}
  void fpu_error(bool level) override { ferr = level ? 1 : 0; }
};

// Access bytes of descriptors.
inline constexpr unsigned kCodeAccess = 0x9b, kDataAccess = 0x93, kTssAccess = 0x89, kLdtAccess = 0x82, kLevel3 = 0x60;
inline constexpr unsigned kBig = 4, kPages = 8;  // flags: D/B and G

inline std::uint64_t descriptor(std::uint32_t base, std::uint32_t limit, unsigned access, unsigned flags) {
  return (std::uint64_t{limit} & 0xffff) | (std::uint64_t{base} & 0xffffff) << 16 | std::uint64_t{access} << 40 |
         (std::uint64_t{limit >> 16} & 15) << 48 | std::uint64_t{flags} << 52 | std::uint64_t{base >> 24} << 56;
}
inline std::uint64_t gate(std::uint16_t selector, std::uint32_t offset, unsigned access, unsigned parameters = 0) {
  return (offset & 0xffffu) | std::uint64_t{selector} << 16 | std::uint64_t{parameters} << 32 | std::uint64_t{access} << 40 |
         std::uint64_t{offset >> 16} << 48;
}

// Selectors of the bench's GDT. Entries from kFreeEntry on are for the test.
inline constexpr std::uint16_t kCode0 = 0x08, kData0 = 0x10, kCode3 = 0x1b, kData3 = 0x23, kTss = 0x28, kCode16 = 0x30, kData16 = 0x38,
                               kFreeEntry = 0x40;

inline constexpr std::uint32_t kGdt = 0x1000, kIdt = 0x2000, kTssBase = 0x3000, kLdtBase = 0x4000, kStubs = 0x5000, kCode = 0x20000,
                               kData = 0x30000, kPageDirectory = 0x100000, kPageTable = 0x101000;

/// What a fault left on the handler's stack; vector -1: no handler was reached.
struct Trap {
  int vector = -1;
  std::uint32_t error = 0, eip = 0, cs = 0, eflags = 0, esp = 0, ss = 0;  // esp and ss: only after a change of level
};

class Bench {
 public:
  explicit Bench(Model model = Model::full, Extensions extensions = {.sse3 = true, .popcnt = true}) : ram{2u << 20}, cpu{ram, bus, model, extensions} {}

  // Memory.
  void put(std::uint32_t address, std::initializer_list<unsigned> bytes) {
    std::uint32_t at = address;
    for (const unsigned b : bytes) ram.data()[at++] = static_cast<std::byte>(b);
    cpu.ram_changed(address, bytes.size());
  }
  void put(std::uint32_t address, std::span<const std::uint8_t> bytes) {
    std::memcpy(ram.data() + address, bytes.data(), bytes.size());
    cpu.ram_changed(address, bytes.size());
  }
  template <class T>
  void poke(std::uint32_t address, T value) {
    std::memcpy(ram.data() + address, &value, sizeof value);
    cpu.ram_changed(address, sizeof value);
  }
  std::uint32_t peek(std::uint32_t address) const { return peek_as<std::uint32_t>(address); }
  template <class T>
  T peek_as(std::uint32_t address) const {
    T value;
    std::memcpy(&value, ram.data() + address, sizeof value);
    return value;
  }
  void gdt(std::uint16_t selector, std::uint64_t value) { poke(kGdt + (selector & 0xfff8u), value); }
  void idt(unsigned vector, std::uint64_t value) { poke(kIdt + vector * 8, value); }

  // Registers.
  CpuState state() const { return cpu.state(); }
  std::uint32_t reg(unsigned number) const { return cpu.state().gpr[number]; }
  std::uint32_t eip() const { return cpu.state().eip; }
  std::uint32_t eflags() const { return get_eflags(cpu.state()); }
  std::uint16_t selector(unsigned segment) const { return cpu.state().segment[segment].selector; }
  template <class Change>
  void change(Change change_state) {
    CpuState s = cpu.state();
    change_state(s);
    cpu.set_state(s);
  }
  void set(unsigned number, std::uint32_t value) {
    change([&](CpuState& s) { s.gpr[number] = value; });
  }
  void set_flags(std::uint32_t value) {
    change([&](CpuState& s) { set_eflags(s, value); });
  }
  void go(std::uint32_t eip_value) {
    change([&](CpuState& s) {
      s.eip = eip_value;
      s.halted = 0;
    });
  }

  /// Bytes at CS:EIP, followed by HLT.
  void code(std::initializer_list<unsigned> bytes) {
    const std::uint32_t at = cpu.state().segment[kCs].base + eip();
    put(at, bytes);
    poke<std::uint8_t>(at + static_cast<std::uint32_t>(bytes.size()), 0xf4);
  }
  Exit step(std::int64_t count = 1) { return cpu.run(count, true); }
  /// Runs to the next HLT.
  Exit run() { return cpu.run(10000, true); }

  /// Runs until a handler's HLT and reads its stack.
  Trap trap(std::int64_t count = 10000) {
    Trap t;
    if (cpu.run(count, true) != Exit::halted) return t;
    const CpuState s = state();
    const std::uint32_t at = s.segment[kCs].base + s.eip - 1;
    if (at < kStubs || at >= kStubs + 256 * 16 || (at & 15) != 0) return t;
    t.vector = static_cast<int>((at - kStubs) / 16);
    const bool real = (s.cr0 & kCr0Pe) == 0;
    const bool small = (s.segment[kSs].access & kAccessDb) == 0;
    std::uint32_t sp = s.segment[kSs].base + (small ? s.gpr[kEsp] & 0xffff : s.gpr[kEsp]);
    const auto pop = [&] {
      const std::uint32_t value = real ? peek_as<std::uint16_t>(sp) : peek(sp);
      sp += real ? 2 : 4;
      return value;
    };
    const bool has_error = t.vector == 8 || (t.vector >= 10 && t.vector <= 14) || t.vector == 17;
    if (!real && has_error) t.error = pop();
    t.eip = pop();
    t.cs = pop();
    t.eflags = pop();
    if (!real && ((t.cs & 3) != 0 || (t.eflags & kVm) != 0)) {
      t.esp = pop();
      t.ss = pop();
    }
    return t;
  }

  /// Real mode: CS = kCode >> 4, IP 0; DS = ES = kData >> 4; SS:SP = 0:9000; all vectors to the HLT stubs.
  void real_mode() {
    cpu.set_intr(false);
    stubs();
    for (unsigned v = 0; v < 256; ++v) poke(v * 4, static_cast<std::uint32_t>(kStubs + v * 16));
    CpuState s;
    s.cr0 = kCr0Et;
    for (Segment& g : s.segment) g = real_segment(0);
    s.segment[kCs] = real_segment(kCode >> 4);
    s.segment[kDs] = s.segment[kEs] = real_segment(kData >> 4);
    s.idtr = {0, 0x3ff};
    s.gdtr = {kGdt, 0xff};
    s.gpr[kEsp] = 0x9000;
    s.dr[6] = 0xffff0ff0u;
    tables();
    cpu.set_state(s);
  }

  /// Flat 32-bit protected mode at privilege level 0 or 3, EIP = kCode, all vectors to the HLT stubs at level 0; gates 3, 4 and 0x80 for
  /// level 3.
  void flat(unsigned cpl = 0) {
    cpu.set_intr(false);
    stubs();
    tables();
    CpuState s;
    s.cr0 = kCr0Pe | kCr0Et | kCr0Ne;
    for (Segment& g : s.segment) g = load(cpl == 0 ? kData0 : kData3);
    s.segment[kCs] = load(cpl == 0 ? kCode0 : kCode3);
    s.gdtr = {kGdt, 0xff};
    s.idtr = {kIdt, 0x7ff};
    s.tr = load(kTss);
    s.tr.access |= 0x200;  // busy
    gdt(kTss, descriptor(kTssBase, 0xfff, kTssAccess | 2, 0));
    s.gpr[kEsp] = cpl == 0 ? 0x9000 : 0xb000;
    s.eip = kCode;
    s.cpl = static_cast<std::uint8_t>(cpl);
    s.dr[6] = 0xffff0ff0u;
    cpu.set_state(s);
  }

  /// flat(), with 16-bit code and stack: CS base kCode, DS = ES base kData, SS base 0.
  void protected16() {
    flat(0);
    change([&](CpuState& s) {
      s.segment[kCs] = load(kCode16);
      for (const unsigned g : {kDs, kEs}) s.segment[g] = load(kData16);
      gdt(kFreeEntry, descriptor(0, 0xffff, kDataAccess, 0));
      s.segment[kSs] = load(kFreeEntry);
      s.eip = 0;
    });
  }

  /// Identity mapping of the first 4 MiB with 4 KiB pages, user and writable, entries neither accessed nor dirty.
  void enable_paging(std::uint32_t rights = 7) {
    poke(kPageDirectory, kPageTable | 7u);
    for (std::uint32_t i = 0; i < 1024; ++i) poke(kPageTable + i * 4, i << 12 | rights);
    change([&](CpuState& s) {
      s.cr3 = kPageDirectory;
      s.cr0 |= kCr0Pg;
    });
  }
  void map(std::uint32_t linear, std::uint32_t entry) {
    poke(kPageTable + (linear >> 12) * 4, entry);
    cpu.set_state(cpu.state());  // flushes
  }
  std::uint32_t page_entry(std::uint32_t linear) const { return peek(kPageTable + (linear >> 12) * 4); }

  /// Virtual-8086 mode, IOPL as given: CS = kCode >> 4, IP 0, DS = kData >> 4, SS:SP = 0:b000.
  void vm86(unsigned iopl = 3) {
    flat(0);
    change([&](CpuState& s) {
      for (Segment& g : s.segment) g = vm86_segment(0);
      s.segment[kCs] = vm86_segment(kCode >> 4);
      s.segment[kDs] = s.segment[kEs] = vm86_segment(kData >> 4);
      s.gpr[kEsp] = 0xb000;
      s.eip = 0;
      s.cpl = 3;
      set_eflags(s, kVm | kIf | iopl << 12);
    });
  }

  Segment load(std::uint16_t selector_value) const {
    const std::uint32_t at = kGdt + (selector_value & 0xfff8u), low = peek(at), high = peek(at + 4);
    Segment s;
    s.selector = selector_value;
    s.base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000u);
    s.limit = (low & 0xffff) | (high & 0xf0000);
    if ((high & kAccessG) != 0) s.limit = s.limit << 12 | 0xfff;
    s.access = high & 0x00f0ff00u;
    s.valid = 1;
    return s;
  }

  memory::GuestRam ram;
  FakeBus bus;
  Cpu cpu;

 private:
  static Segment real_segment(std::uint32_t selector_value) {
    Segment s;
    s.selector = static_cast<std::uint16_t>(selector_value);
    s.base = selector_value << 4;
    s.limit = 0xffff;
    s.access = 0x9300;
    s.valid = 1;
    return s;
  }
  static Segment vm86_segment(std::uint32_t selector_value) {
    Segment s = real_segment(selector_value);
    s.access = 0xf300;
    return s;
  }
  void stubs() {
    for (unsigned v = 0; v < 256; ++v) poke<std::uint8_t>(kStubs + v * 16, 0xf4);
  }
  void tables() {
    gdt(kCode0, descriptor(0, 0xfffff, kCodeAccess, kBig | kPages));
    gdt(kData0, descriptor(0, 0xfffff, kDataAccess, kBig | kPages));
    gdt(kCode3, descriptor(0, 0xfffff, kCodeAccess | kLevel3, kBig | kPages));
    gdt(kData3, descriptor(0, 0xfffff, kDataAccess | kLevel3, kBig | kPages));
    gdt(kTss, descriptor(kTssBase, 0xfff, kTssAccess, 0));
    gdt(kCode16, descriptor(kCode, 0xffff, kCodeAccess, 0));
    gdt(kData16, descriptor(kData, 0xffff, kDataAccess, 0));
    for (unsigned v = 0; v < 256; ++v) {
      const bool user = v == 3 || v == 4 || v == 0x80;
      idt(v, gate(kCode0, kStubs + v * 16, 0x8eu | (user ? kLevel3 : 0)));
    }
    poke(kTssBase + 4, 0xa000u);
    poke<std::uint32_t>(kTssBase + 8, kData0);
    poke<std::uint16_t>(kTssBase + 102, 104);  // I/O bitmap: all ports allowed up to the limit
  }
};

}  // namespace tuxarium::tests
