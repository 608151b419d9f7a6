#include "cpu/debug.hpp"

#include "cpu/instruction.hpp"
#include "cpu/memory_access.hpp"

namespace tuxarium::cpu {

namespace {

enum class Kind : std::uint8_t { execute, write, port, read_or_write };

Kind kind_of(const Core& c, unsigned n) { return static_cast<Kind>(c.s.dr[7] >> (16 + 4 * n) & 3); }

std::uint32_t length_of(const Core& c, unsigned n) {
  constexpr std::uint32_t kLength[] = {1, 2, 8, 4};
  return kLength[c.s.dr[7] >> (18 + 4 * n) & 3];
}

bool overlaps(const Core& c, unsigned n, std::uint32_t address, std::uint32_t size) {
  const std::uint32_t length = length_of(c, n), start = c.s.dr[n] & ~(length - 1);
  return address - start < length || start - address < size;
}

/// Bits of all breakpoints that `hit(n)` says are met, if an armed one is among them.
template <class Hit>
std::uint32_t collect(const Core& c, Hit hit) {
  std::uint32_t bits = 0;
  for (unsigned n = 0; n < 4; ++n) {
    if (hit(n)) bits |= 1u << n;
  }
  return (bits & c.armed) != 0 ? bits : 0;
}

}  // namespace

void update_breakpoints(Core& c) {
  const bool before = c.armed != 0;
  c.armed = c.armed_pages = 0;
  for (unsigned n = 0; n < 4; ++n) {
    if ((c.s.dr[7] >> (2 * n) & 3) == 0) continue;
    const Kind kind = kind_of(c, n);
    if (kind == Kind::port && (c.s.cr4 & kCr4De) == 0) continue;
    c.armed |= static_cast<std::uint8_t>(1u << n);
    if (kind != Kind::port) c.armed_pages |= static_cast<std::uint8_t>(1u << n);
  }
  if (before || c.armed != 0) flush_tlb(c);
}

std::uint32_t code_breakpoints(const Core& c, std::uint32_t linear) {
  return collect(c, [&](unsigned n) { return kind_of(c, n) == Kind::execute && c.s.dr[n] == linear; });
}

bool watch_data(Core& c, std::uint32_t linear, unsigned size, bool write, bool supervisor) {
  const std::uint32_t bits = collect(c, [&](unsigned n) {
    const Kind kind = kind_of(c, n);
    return (kind == Kind::read_or_write || (kind == Kind::write && write)) && overlaps(c, n, linear, size);
  });
  if (bits == 0) return true;
  if (supervisor || c.noting_hits) {
    c.debug_hits |= bits;
    return true;
  }
  c.step_alone = true;
  return false;
}

void watch_port(Core& c, std::uint16_t port, unsigned width) {
  if ((c.s.cr4 & kCr4De) == 0) return;
  c.debug_hits |= collect(c, [&](unsigned n) { return kind_of(c, n) == Kind::port && overlaps(c, n, port, width); });
}

bool raise_debug(Core& c, std::uint32_t dr6_bits) {
  c.s.dr[6] |= dr6_bits;
  c.s.dr[7] &= ~kDr7Gd;
  c.s.msr.debug_control &= ~(kRecordBranches | kStepBranches);
  return raise(c, kDebug);
}

bool branch_taken(const Core& c, std::uint32_t from) {
  using enum Mnemonic;
  if (c.scratch_last == nullptr) return false;
  const Mnemonic m = c.scratch_last->mnemonic;
  switch (m) {
    case jmp: case jmp_far: case call: case call_far: case ret: case retf: case iret: case sysenter: case sysexit:
    case int_: return true;
    case loop: case loope: case loopne: case jcxz: break;
    default:
      if (m < jo || m > jg) return false;
  }
  const std::uint32_t next = from + c.scratch.length;
  return c.s.eip != ((c.mode & kModeCode32) != 0 ? next : next & 0xffff);
}

void record_branch(Core& c, std::uint32_t from) {
  c.s.msr.last_branch[0] = from;
  c.s.msr.last_branch[1] = c.s.eip;
}

void record_event(Core& c, std::uint32_t from) {
  auto& last = c.s.msr.last_branch;
  last[2] = last[0];
  last[3] = last[1];
  record_branch(c, from);
}

}  // namespace tuxarium::cpu
