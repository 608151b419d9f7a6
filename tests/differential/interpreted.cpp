#include "interpreted.hpp"

#include <algorithm>
#include <cstring>

namespace tuxarium::differential {

using namespace cpu;

namespace {

// Guest-physical memory. The data pages lie in reverse order, so that an access across a page end is two accesses.
constexpr std::uint32_t kPageDirectory = 0, kSandboxTable = 0x1000, kSupervisorTable = 0x2000, kGdt = 0x3000, kLdt = 0x3800, kIdt = 0x4000,
                        kFpuIdt = 0x5000, kStubs = 0x6000, kFpuStubs = 0x7000, kPrologue = 0x8000, kStackEnd = 0xa000, kTss = 0xa000,
                        kFxIn = 0xb000, kFxOut = 0xb200, kCodePages = 0x10000, kGatePage = 0x12000, kDataPages = 0x13000;
constexpr std::uint32_t kFrame = kStackEnd - 20, kFpuPrologue = kPrologue + 16;
constexpr std::uint32_t kUser = 4, kWritable = 2, kPresent = 1;
constexpr std::uint16_t kKernelCode = 0x08, kKernelData = 0x18, kTaskSelector = 0x40, kLdtSelector = 0x50, kThreadSelector = 0x7b;

constexpr std::uint32_t linear(std::uint32_t physical) { return kSupervisorBase + physical; }
constexpr std::uint32_t data_page(std::uint32_t number) { return kDataPages + (kDataSize / kPage - 1 - number) * kPage; }

constexpr unsigned access_of(const LocalDescriptor& d) {
  const unsigned type = (d.contents << 2 | (d.restricted ? 0u : 2u) | 1u);
  return (d.present ? 0x80u : 0u) | 0x70u | type;
}

bool pushes_error(unsigned vector) { return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17; }

}  // namespace

Interpreted::Interpreted() : ram_{1u << 17}, cpu_{ram_, bus_, Model::full, {.sse3 = true, .popcnt = true}} {
  std::memset(at(kCodePages), kInt3, kCodeSize + kGateSize);
  for (std::uint32_t n = 0; n < kDataSize / kPage; ++n) std::memcpy(at(data_page(n)), memory_pattern().data() + n * kPage, kPage);
  map(kSupervisorBase, 0, kSupervisorSize, kWritable | kPresent);
  map(kCodeBase, kCodePages, kCodeSize, kUser | kPresent);
  map(kGateBase, kGatePage, kGateSize, kUser | kPresent);
  for (std::uint32_t n = 0; n < kDataSize / kPage; ++n) {
    map(kDataBase + n * kPage, data_page(n), kPage, kUser | kPresent | (n * kPage < kWritableSize ? kWritable : 0));
  }
  make_descriptors();
  make_stubs(kIdt, kStubs, false);
  make_stubs(kFpuIdt, kFpuStubs, true);
  poke<std::uint8_t>(kPrologue, 0xcf);  // iretd
  constexpr std::uint8_t kLoad[] = {0x36, 0x0f, 0xae, 0x0d};  // fxrstor ss:[...]
  std::memcpy(at(kFpuPrologue), kLoad, sizeof kLoad);
  poke(kFpuPrologue + sizeof kLoad, linear(kFxIn));
  poke<std::uint8_t>(kFpuPrologue + sizeof kLoad + 4, 0xcf);

  CpuState& s = start_;
  s.cr0 = kCr0Pe | kCr0Pg | kCr0Et | kCr0Ne | kCr0Mp | kCr0Wp | kCr0Am;
  s.cr4 = kCr4Osfxsr | kCr4Osxmmexcpt;
  s.cr3 = kPageDirectory;
  s.gdtr = {linear(kGdt), 0x7f};
  s.idtr = {linear(kIdt), 0x7ff};
  s.tr = descriptor_cache(kTaskSelector);
  s.ldtr = descriptor_cache(kLdtSelector);
  s.segment[kCs] = descriptor_cache(kKernelCode);
  s.segment[kSs] = descriptor_cache(kKernelData);
  s.dr[6] = 0xffff0ff0u;
  s.dr[7] = 0x400;
}

std::uint32_t Interpreted::peek(std::uint32_t physical) {
  std::uint32_t value;
  std::memcpy(&value, at(physical), sizeof value);
  return value;
}

void Interpreted::map(std::uint32_t from, std::uint32_t physical, std::uint32_t size, std::uint32_t rights) {
  const std::uint32_t table = from < kSupervisorBase ? kSandboxTable : kSupervisorTable;
  poke(kPageDirectory + (from >> 22) * 4, table | kUser | kWritable | kPresent);
  for (std::uint32_t n = 0; n < size; n += kPage) poke(table + ((from + n) >> 12 & 0x3ff) * 4, (physical + n) | rights);
}

void Interpreted::make_descriptors() {
  using tests::descriptor;
  const auto entry = [&](std::uint16_t selector, std::uint64_t value) { poke(kGdt + (selector & 0xfff8u), value); };
  // As Linux has them.
  entry(kKernelCode, descriptor(0, 0xfffff, 0x9b, 0xc));
  entry(0x10, descriptor(0, 0xfffff, 0x9b, 0xa));
  entry(kKernelData, descriptor(0, 0xfffff, 0x93, 0xc));
  entry(kUserCode, descriptor(0, 0xfffff, 0xfb, 0xc));
  entry(kUserData, descriptor(0, 0xfffff, 0xf3, 0xc));
  // Linux' 64-bit code: where a case has landed.
  entry(kUserCode64, descriptor(0, 0xfffff, 0x7b, 0xa));
  entry(kTaskSelector, descriptor(linear(kTss), 103, 0x8b, 0));
  entry(kLdtSelector, descriptor(linear(kLdt), kLocalEntries * 8 - 1, 0x82, 0));
  entry(kThreadSelector, descriptor(0, 0, 0xf5, 0x4));
  for (unsigned n = 0; n < kLocalEntries; ++n) {
    const LocalDescriptor& d = kLocalDescriptors[n];
    poke(kLdt + n * 8, descriptor(d.base, d.limit, access_of(d), (d.pages ? 8u : 0u) | (d.big ? 4u : 0u)));
  }
  poke(kTss + 4, linear(kStackEnd));
  poke<std::uint32_t>(kTss + 8, kKernelData);
  poke<std::uint16_t>(kTss + 102, 104);  // no I/O bitmap: no ports
}

/// An interrupt gate and a stub for each vector. The stub stops the processor; with `fpu` it saves that state first.
void Interpreted::make_stubs(std::uint32_t idt, std::uint32_t stubs, bool fpu) {
  for (unsigned v = 0; v < 256; ++v) {
    const std::uint32_t stub = stubs + v * 16;
    const bool user = v == 3 || v == 4;
    poke(idt + v * 8, tests::gate(kKernelCode, linear(stub), 0x8eu | (user ? 0x60u : 0u)));
    if (fpu) {
      constexpr std::uint8_t kSave[] = {0x36, 0x0f, 0xae, 0x05};  // fxsave ss:[...]
      std::memcpy(at(stub), kSave, sizeof kSave);
      poke(stub + sizeof kSave, linear(kFxOut));
    }
    poke<std::uint8_t>(stub + (fpu ? 8 : 0), 0xf4);  // hlt
  }
}

Segment Interpreted::descriptor_cache(std::uint16_t selector) {
  Segment s;
  s.selector = selector;
  if ((selector & 0xfffc) == 0) return s;
  const std::uint32_t entry = ((selector & 4) != 0 ? kLdt : kGdt) + (selector & 0xfff8u), low = peek(entry), high = peek(entry + 4);
  s.base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000u);
  s.limit = (low & 0xffff) | (high & 0xf0000);
  if ((high & kAccessG) != 0) s.limit = s.limit << 12 | 0xfff;
  s.access = high & 0x00f0ff00u;
  s.valid = 1;
  return s;
}

void Interpreted::write_code(const Case& c) {
  if (dirty_count_ != 0) std::memset(at(kCodePages + dirty_at_), kInt3, dirty_count_);
  const std::span<const std::uint8_t> back = landing(c.code32);
  const std::uint32_t previous = dirty_at_, previous_count = dirty_count_;
  dirty_at_ = c.code_address - kCodeBase;
  dirty_count_ = std::min<std::uint32_t>(c.length + static_cast<std::uint32_t>(back.size()), kCodeSize - dirty_at_);
  std::uint8_t buffer[80];
  std::copy_n(c.code.data(), c.length, buffer);
  std::copy(back.begin(), back.end(), buffer + c.length);
  std::memcpy(at(kCodePages + dirty_at_), buffer, dirty_count_);
  cpu_.ram_changed(kCodePages + previous, previous_count);
  cpu_.ram_changed(kCodePages + dirty_at_, dirty_count_);
}

void Interpreted::load(const Case& c) {
  WritableMemory memory;
  initial_memory(c, memory);
  for (std::uint32_t n = 0; n < kWritableSize / kPage; ++n) {
    std::memcpy(at(data_page(n)), memory.data() + n * kPage, kPage);
    cpu_.ram_changed(data_page(n), kPage);
  }
  if (c.fpu) std::memcpy(at(kFxIn), c.fx.data(), kFxImage);
  CpuState& s = start_;
  std::copy(c.gpr.begin(), c.gpr.end(), s.gpr.begin());
  for (const unsigned n : {kEs, kDs, kFs, kGs}) s.segment[n] = descriptor_cache(c.segment[n]);
  s.idtr.base = linear(c.fpu ? kFpuIdt : kIdt);
  s.gpr[kEsp] = linear(kFrame);
  s.eip = linear(c.fpu ? kFpuPrologue : kPrologue);
  poke(kFrame, c.eip());
  poke<std::uint32_t>(kFrame + 4, c.segment[kCs]);
  poke(kFrame + 8, c.eflags | 0x202);
  poke(kFrame + 12, c.gpr[kEsp]);
  poke<std::uint32_t>(kFrame + 16, c.segment[kSs]);
  cpu_.set_state(s);
}

void Interpreted::store(const Case& c, Outcome& out) {
  const CpuState& s = cpu_.state();
  const std::uint32_t stubs = linear(c.fpu ? kFpuStubs : kStubs);
  const unsigned vector = (s.eip - stubs) / 16;
  std::uint32_t frame = s.gpr[kEsp] - kSupervisorBase;
  if (vector >= 256 || frame > kStackEnd - 20) {
    out.vector = kHung;
    return;
  }
  out.error = 0;
  if (pushes_error(vector)) {
    out.error = peek(frame);
    frame += 4;
  }
  std::copy_n(s.gpr.begin(), 8, out.gpr.begin());
  out.eip = peek(frame);
  out.eflags = peek(frame + 8);
  out.gpr[kEsp] = peek(frame + 12);
  for (unsigned n = 0; n < 6; ++n) out.segment[n] = s.segment[n].selector;
  out.segment[kCs] = static_cast<std::uint16_t>(peek(frame + 4));
  out.segment[kSs] = static_cast<std::uint16_t>(peek(frame + 16));
  out.vector = static_cast<int>(vector);
  out.cr2 = vector == kPageFault ? s.cr2 : 0;
  const bool landed = enters_64bit_code(out) && out.eip == c.eip() + c.length;
  if (landed) {
    out.vector = kCompleted;
    out.error = 0;
    out.eflags &= ~kRf;  // of the landing's fault
  }
  if (c.fpu) std::memcpy(out.fx.data(), at(kFxOut), kFxImage);
  for (std::uint32_t n = 0; n < kWritableSize / kPage; ++n) std::memcpy(out.memory.data() + n * kPage, at(data_page(n)), kPage);
}

void Interpreted::run(const Case& c, Outcome& out) {
  constexpr std::int64_t kLongest = 200'000;  // repetitions end at the sandbox's last page
  write_code(c);
  load(c);
  if (cpu_.run(kLongest, false) != Exit::halted) {
    out.vector = kHung;
    return;
  }
  store(c, out);
}

bool enters_64bit_code(const Outcome& here) { return here.vector == kSegmentNotPresent && here.error == (kUserCode64 & 0xfffcu); }

}  // namespace tuxarium::differential
