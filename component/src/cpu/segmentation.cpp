// Segment registers, descriptors and the checks of every access. Intel SDM volume 3A, chapters 3 and 5.

#include "cpu/system.hpp"

namespace tuxarium::cpu {

bool raise_selector(Core& c, std::uint8_t vector, std::uint16_t selector) { return raise(c, vector, (selector & 0xfffcu) | c.ext); }

void update_mode(Core& c) {
  const Segment& cs = c.s.segment[kCs];
  const Segment& ss = c.s.segment[kSs];
  std::uint16_t mode = 0;
  if ((cs.access & kAccessDb) != 0) mode |= kModeCode32;
  if ((ss.access & kAccessDb) != 0) mode |= kModeStack32;
  if (cs.limit == 0xffffffffu) mode |= kModeCsFull;
  if (cs.limit == 0xffffu && (mode & kModeCode32) == 0) mode |= kModeCs64K;
  if ((mode & kModeStack32) != 0 && is_flat(ss) && is_flat(c.s.segment[kDs]) && is_flat(c.s.segment[kEs])) mode |= kModeFlat;
  c.mode = mode;
}

void set_cpl(Core& c, unsigned cpl) {
  c.s.cpl = static_cast<std::uint8_t>(cpl);
  update_access(c);
}

void update_access(Core& c) {
  const bool user = c.s.cpl == 3;
  c.fetch_tlb = (user ? c.tlb_user : c.tlb_supervisor).entries();
  c.alignment_checked = user && (c.s.system_flags & kAc) != 0 && (c.s.cr0 & kCr0Am) != 0;
  c.tlb = c.alignment_checked ? c.tlb_empty.entries() : c.fetch_tlb;
}

CheckedAddress checked_address(Core& c, unsigned segment, std::uint32_t offset, unsigned size, Access access) {
  const Segment& s = c.s.segment[segment];
  const std::uint32_t last = offset + (size - 1);
  bool ok = s.valid != 0 && last >= offset;
  if (c.protected_mode()) {
    const bool code = (s.access & kAccessCode) != 0;
    const bool rw = (s.access & kAccessWritable) != 0;
    ok = ok && (access == Access::write ? !code && rw : !code || rw);
  }
  if ((s.access & (kAccessCode | kAccessExpandDown)) == kAccessExpandDown) {
    ok = ok && offset > s.limit && last <= ((s.access & kAccessDb) != 0 ? 0xffffffffu : 0xffffu);
  } else {
    ok = ok && last <= s.limit;
  }
  if (!ok) return {0, raise(c, segment == kSs ? kStackFault : kGeneralProtection, c.ext)};
  return {s.base + offset, true};
}

namespace {

/// Linear address of a descriptor, or false when outside its table.
bool descriptor_address(const Core& c, std::uint16_t selector, std::uint32_t& address) {
  const std::uint32_t index = selector & 0xfff8u;
  if ((selector & 4) != 0) {
    if (c.s.ldtr.valid == 0 || index + 7 > c.s.ldtr.limit) return false;
    address = c.s.ldtr.base + index;
  } else {
    if (index + 7 > c.s.gdtr.limit) return false;
    address = c.s.gdtr.base + index;
  }
  return true;
}

}  // namespace

bool read_descriptor(Core& c, std::uint16_t selector, Descriptor& out, std::uint8_t vector) {
  if (!descriptor_address(c, selector, out.address)) return raise_selector(c, vector, selector);
  return system_load(c, out.address, out.low) && system_load(c, out.address + 4, out.high);
}

bool peek_descriptor(Core& c, std::uint16_t selector, Descriptor& out) {
  if (is_null(selector) || !descriptor_address(c, selector, out.address)) return false;
  return system_load(c, out.address, out.low) && system_load(c, out.address + 4, out.high);
}

Segment make_segment(std::uint16_t selector, const Descriptor& d) {
  Segment s;
  s.selector = selector;
  s.base = d.base();
  s.limit = d.limit();
  s.access = d.high & 0x00f0ff00u;
  s.valid = 1;
  return s;
}

Segment real_mode_segment(const Segment& old, std::uint16_t selector, bool vm86) {
  Segment s = old;
  s.selector = selector;
  s.base = std::uint32_t{selector} << 4;
  if (vm86) {
    s.limit = 0xffff;
    s.access = 0xf300;
  } else {
    // Loading in real mode changes neither the limit nor the size of the segment ("unreal mode").
    if (old.valid == 0) s.limit = 0xffff;
    s.access = (old.access & (kAccessDb | kAccessG)) | 0x9300;
  }
  s.valid = 1;
  return s;
}

bool set_accessed(Core& c, Descriptor& d) {
  if ((d.high & kAccessAccessed) != 0) return true;
  d.high |= kAccessAccessed;
  return system_store(c, d.address + 4, d.high);
}

bool check_stack_segment(Core& c, std::uint16_t selector, unsigned cpl, std::uint8_t vector, Segment& out) {
  if (is_null(selector)) return raise(c, vector, c.ext);
  Descriptor d;
  if (!read_descriptor(c, selector, d, vector)) return false;
  if ((selector & 3u) != cpl || d.is_system() || d.is_code() || !d.readable_or_writable() || d.dpl() != cpl) {
    return raise_selector(c, vector, selector);
  }
  if (!d.present()) return raise_selector(c, kStackFault, selector);
  if (!set_accessed(c, d)) return false;
  out = make_segment(selector, d);
  return true;
}

bool read_inner_stack(Core& c, unsigned cpl, std::uint16_t& ss, std::uint32_t& esp) {
  const bool wide = (c.s.tr.type() & 8) != 0;
  const std::uint32_t offset = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
  if (c.s.tr.valid == 0 || offset + (wide ? 5 : 3) > c.s.tr.limit) return raise_selector(c, kInvalidTss, c.s.tr.selector);
  if (wide) return system_load(c, c.s.tr.base + offset, esp) && system_load(c, c.s.tr.base + offset + 4, ss);
  std::uint16_t sp = 0;
  if (!system_load(c, c.s.tr.base + offset, sp) || !system_load(c, c.s.tr.base + offset + 2, ss)) return false;
  esp = sp;
  return true;
}

bool load_segment(Core& c, unsigned segment, std::uint16_t selector) {
  Segment& target = c.s.segment[segment];
  if (c.real_or_vm86()) {
    target = real_mode_segment(target, selector, c.vm86());
    if (segment < kFs) update_mode(c);
    return true;
  }
  if (segment == kSs) {
    Segment ss;
    if (!check_stack_segment(c, selector, c.s.cpl, kGeneralProtection, ss)) return false;
    target = ss;
    update_mode(c);
    return true;
  }
  if (is_null(selector)) {
    target = Segment{};
    target.selector = selector;
    if (segment < kFs) update_mode(c);
    return true;
  }
  Descriptor d;
  if (!read_descriptor(c, selector, d)) return false;
  const bool readable = !d.is_system() && (!d.is_code() || d.readable_or_writable());
  const bool conforming = d.is_code() && d.conforming();
  if (!readable || (!conforming && ((selector & 3u) > d.dpl() || c.s.cpl > d.dpl()))) return raise_selector(c, kGeneralProtection, selector);
  if (!d.present()) return raise_selector(c, kSegmentNotPresent, selector);
  if (!set_accessed(c, d)) return false;
  target = make_segment(selector, d);
  if (segment < kFs) update_mode(c);
  return true;
}

bool StackFrame::check(std::uint32_t offset, unsigned size, std::uint32_t& linear) {
  const std::uint32_t last = offset + (size - 1);
  bool ok = last >= offset;
  if ((ss_.access & (kAccessCode | kAccessExpandDown)) == kAccessExpandDown) {
    ok = ok && offset > ss_.limit && last <= mask_;
  } else {
    ok = ok && last <= ss_.limit;
  }
  if (!ok) return raise(c_, kStackFault, supervisor_ ? (ss_.selector & 0xfffcu) | c_.ext : c_.ext);
  linear = ss_.base + offset;
  return true;
}

/// A stack of an inner level is the processor's own access.
bool StackFrame::aligned(Core& c, std::uint32_t linear, unsigned size) const { return supervisor_ || cpu::aligned(c, linear, size); }

bool StackFrame::push(std::uint32_t value, unsigned size) {
  const std::uint32_t at = (pointer_ - size) & mask_;
  std::uint32_t linear = 0;
  if (!check(at, size, linear) || !aligned(c_, linear, size)) return false;
  const bool stored = size == 4 ? store_as(c_, linear, value, supervisor_) : store_slow(c_, linear, value, size, supervisor_);
  if (stored) pointer_ = at;
  return stored;
}

bool StackFrame::peek(std::uint32_t offset, std::uint32_t& value, unsigned size) {
  std::uint32_t linear = 0;
  if (!check((pointer_ + offset) & mask_, size, linear) || !aligned(c_, linear, size)) return false;
  if (size == 4) return load_as(c_, linear, value, supervisor_);
  if (std::uint16_t narrow = 0; size == 2) {
    const bool loaded = load_as(c_, linear, narrow, supervisor_);
    value = narrow;
    return loaded;
  }
  const SlowValue slow = load_slow(c_, linear, size, supervisor_);
  value = static_cast<std::uint32_t>(slow.value);
  return slow.ok;
}

bool StackFrame::pop(std::uint32_t& value, unsigned size) {
  if (!peek(0, value, size)) return false;
  skip(size);
  return true;
}

}  // namespace tuxarium::cpu
