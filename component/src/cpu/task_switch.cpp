// Hardware task switches. Intel SDM volume 3A, chapter 7.
//
// Faults that the manual reports "in the new task" (bad selectors of the new TSS) are left pending after a switch that has succeeded.

#include "cpu/debug.hpp"
#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

// Offsets in the 32-bit and 16-bit TSS.
struct Layout {
  unsigned size;           // of a register field
  std::uint32_t cr3;       // 0 = none
  std::uint32_t eip, eflags, gpr, segments, ldt, debug_trap;
  unsigned segment_count;
  std::uint32_t segment_stride;
  std::uint32_t min_limit;
};
constexpr Layout kLayout32{4, 28, 32, 36, 40, 72, 96, 100, 6, 4, 103};
constexpr Layout kLayout16{2, 0, 14, 16, 18, 34, 42, 0, 4, 2, 43};

const Layout& layout_of(unsigned type) { return (type & 8) != 0 ? kLayout32 : kLayout16; }

struct Image {
  std::uint32_t cr3 = 0, eip = 0, eflags = 0;
  std::uint32_t gpr[8] = {};
  std::uint16_t segment[6] = {};
  std::uint16_t ldt = 0;
  bool debug_trap = false;
};

bool load_field(Core& c, std::uint32_t address, unsigned size, std::uint32_t& out) {
  const SlowValue slow = load_slow(c, address, size, true);
  out = static_cast<std::uint32_t>(slow.value);
  return slow.ok;
}

bool read_image(Core& c, std::uint32_t base, const Layout& l, Image& image) {
  std::uint32_t value = 0;
  if (l.cr3 != 0 && !load_field(c, base + l.cr3, 4, image.cr3)) return false;
  if (!load_field(c, base + l.eip, l.size, image.eip) || !load_field(c, base + l.eflags, l.size, image.eflags)) return false;
  for (unsigned i = 0; i < 8; ++i) {
    if (!load_field(c, base + l.gpr + i * l.size, l.size, image.gpr[i])) return false;
    if (l.size == 2) image.gpr[i] |= 0xffff0000u;
  }
  for (unsigned i = 0; i < l.segment_count; ++i) {
    if (!load_field(c, base + l.segments + i * l.segment_stride, 2, value)) return false;
    image.segment[i] = static_cast<std::uint16_t>(value);
  }
  if (!load_field(c, base + l.ldt, 2, value)) return false;
  image.ldt = static_cast<std::uint16_t>(value);
  if (l.debug_trap != 0) {
    if (!load_field(c, base + l.debug_trap, 2, value)) return false;
    image.debug_trap = (value & 1) != 0;
  }
  return true;
}

bool save_image(Core& c, const Layout& l, std::uint32_t eip, std::uint32_t eflags) {
  const std::uint32_t base = c.s.tr.base;
  if (!store_slow(c, base + l.eip, eip, l.size, true) || !store_slow(c, base + l.eflags, eflags, l.size, true)) return false;
  for (unsigned i = 0; i < 8; ++i) {
    if (!store_slow(c, base + l.gpr + i * l.size, c.s.gpr[i], l.size, true)) return false;
  }
  for (unsigned i = 0; i < l.segment_count; ++i) {
    if (!store_slow(c, base + l.segments + i * l.segment_stride, c.s.segment[i].selector, 2, true)) return false;
  }
  return true;
}

bool set_busy(Core& c, std::uint16_t selector, bool busy) {
  Descriptor d;
  if (!read_descriptor(c, selector, d, kInvalidTss)) return false;
  d.high = busy ? d.high | 0x200 : d.high & ~0x200u;
  return system_store(c, d.address + 4, d.high);
}

bool load_ldt(Core& c, std::uint16_t selector) {
  c.s.ldtr = Segment{};
  c.s.ldtr.selector = selector;
  if (is_null(selector)) return true;
  Descriptor d;
  if ((selector & 4) != 0 || !peek_descriptor(c, selector, d) || !d.is_system() || d.type() != kLdt || !d.present()) {
    c.event = {};
    return raise_selector(c, kInvalidTss, selector);
  }
  c.s.ldtr = make_segment(selector, d);
  return true;
}

bool load_code_segment(Core& c, std::uint16_t selector) {
  if (is_null(selector)) return raise_selector(c, kInvalidTss, selector);
  Descriptor d;
  if (!read_descriptor(c, selector, d, kInvalidTss)) return false;
  const unsigned rpl = selector & 3u;
  if (!d.is_code() || (d.conforming() ? d.dpl() > rpl : d.dpl() != rpl)) return raise_selector(c, kInvalidTss, selector);
  if (!d.present()) return raise_selector(c, kSegmentNotPresent, selector);
  if (!set_accessed(c, d)) return false;
  c.s.segment[kCs] = make_segment(selector, d);
  return true;
}

bool load_data_segment(Core& c, unsigned segment, std::uint16_t selector) {
  const bool ok = load_segment(c, segment, selector);
  if (!ok && c.event.vector == kGeneralProtection) c.event.vector = kInvalidTss;
  return ok;
}

bool load_segments(Core& c, const Image& image) {
  for (Segment& s : c.s.segment) s = Segment{};
  for (unsigned i = 0; i < 6; ++i) c.s.segment[i].selector = image.segment[i];
  if (c.vm86()) {
    for (unsigned i = 0; i < 6; ++i) c.s.segment[i] = real_mode_segment({}, image.segment[i], true);
    set_cpl(c, 3);
    update_mode(c);
    return load_ldt(c, image.ldt);
  }
  set_cpl(c, image.segment[kCs] & 3u);
  update_mode(c);
  if (!load_ldt(c, image.ldt)) return false;
  Segment ss;
  if (!check_stack_segment(c, image.segment[kSs], c.s.cpl, kInvalidTss, ss)) return false;
  c.s.segment[kSs] = ss;
  if (!load_code_segment(c, image.segment[kCs])) return false;
  update_mode(c);
  for (unsigned i : {kDs, kEs, kFs, kGs}) {
    if (!load_data_segment(c, i, image.segment[i])) return false;
  }
  if (c.s.eip > c.s.segment[kCs].limit) return raise(c, kGeneralProtection, 0);
  return true;
}

/// What may fault in the new task; the switch itself is complete.
void start_new_task(Core& c, const Image& image, const Layout& layout, bool has_error, std::uint32_t error) {
  if (!load_segments(c, image)) return;
  if (has_error) {
    StackFrame frame{c, c.s.segment[kSs], c.s.gpr[kEsp], false};
    if (!frame.push(error, layout.size)) return;
    set_stack_pointer(c, frame.pointer());
  }
  if (image.debug_trap) raise_debug(c, kDr6Bt);
}

}  // namespace

bool read_tss(Core& c, std::uint16_t selector, std::uint8_t vector, Descriptor& out) {
  if (is_null(selector) || (selector & 4) != 0) return raise_selector(c, vector, selector);
  if (!read_descriptor(c, selector, out, vector)) return false;
  if (!out.is_system() || (out.type() != kTss32Available && out.type() != kTss16Available)) return raise_selector(c, vector, selector);
  if (!out.present()) return raise_selector(c, kSegmentNotPresent, selector);
  return true;
}

bool switch_task(Core& c, std::uint16_t selector, Descriptor d, TaskSwitch reason, std::uint32_t next_eip, bool has_error,
                 std::uint32_t error) {
  const NotingHits noting{c};
  const Layout& to = layout_of(d.type());
  if (d.limit() < to.min_limit) return raise_selector(c, kInvalidTss, selector);
  const Layout& from = layout_of(c.s.tr.type());
  Image image;
  if (!read_image(c, d.base(), to, image)) return false;

  std::uint32_t eflags = get_eflags(c.s);
  if (reason == TaskSwitch::iret) eflags &= ~kNt;
  if (!save_image(c, from, next_eip, eflags)) return false;
  if ((reason == TaskSwitch::jump || reason == TaskSwitch::iret) && !set_busy(c, c.s.tr.selector, false)) return false;
  const bool nested = reason == TaskSwitch::call || reason == TaskSwitch::interrupt;
  if (nested && !store_slow(c, d.base(), c.s.tr.selector, 2, true)) return false;
  if (reason != TaskSwitch::iret && !set_busy(c, selector, true)) return false;

  if (to.cr3 != 0 && !load_page_pointers(c, c.s.cr0, image.cr3, c.s.cr4)) return false;

  // From here on the new task runs.
  d.high |= 0x200;
  c.s.tr = make_segment(selector, d);
  c.s.cr0 |= kCr0Ts;
  if (to.cr3 != 0 && (c.s.cr0 & kCr0Pg) != 0) {
    c.s.cr3 = image.cr3;
    flush_tlb_local(c);
  }
  c.s.eip = image.eip;
  if (to.size == 2) image.eflags &= 0xffff;
  set_eflags(c.s, nested ? image.eflags | kNt : image.eflags);
  for (unsigned i = 0; i < 8; ++i) c.s.gpr[i] = image.gpr[i];
  if ((c.s.dr[7] & kDr7Local) != 0) {
    c.s.dr[7] &= ~kDr7Local;
    update_breakpoints(c);
  }
  start_new_task(c, image, to, has_error, error);
  return true;
}

}  // namespace tuxarium::cpu
