// Segments, gates, tasks and interrupts: what changes CS, the stack and the privilege level. Intel SDM volume 3A, chapters 5 to 7.
//
// Every function returns false after raising an exception, with no register changed.
#pragma once

#include <cstdint>

#include "cpu/memory_access.hpp"

namespace tuxarium::cpu {

/// A descriptor as it lies in a table.
struct Descriptor {
  std::uint32_t low = 0, high = 0;
  std::uint32_t address = 0;  // linear

  unsigned dpl() const { return high >> 13 & 3; }
  bool present() const { return (high & kAccessP) != 0; }
  bool is_system() const { return (high & kAccessS) == 0; }
  bool is_code() const { return !is_system() && (high & kAccessCode) != 0; }
  bool conforming() const { return (high & kAccessExpandDown) != 0; }
  bool readable_or_writable() const { return (high & kAccessWritable) != 0; }
  unsigned type() const { return high >> 8 & 15; }  // with S clear: SystemType
  std::uint32_t base() const { return low >> 16 | (high & 0xff) << 16 | (high & 0xff000000u); }
  std::uint32_t limit() const {
    const std::uint32_t raw = (low & 0xffff) | (high & 0xf0000);
    return (high & kAccessG) != 0 ? raw << 12 | 0xfff : raw;
  }
  // Gates.
  std::uint16_t gate_selector() const { return static_cast<std::uint16_t>(low >> 16); }
  std::uint32_t gate_offset32() const { return (high & 0xffff0000u) | (low & 0xffff); }
  std::uint32_t gate_offset16() const { return low & 0xffff; }
};

enum SystemType : unsigned {
  kTss16Available = 1,
  kLdt = 2,
  kTss16Busy = 3,
  kCallGate16 = 4,
  kTaskGate = 5,
  kInterruptGate16 = 6,
  kTrapGate16 = 7,
  kTss32Available = 9,
  kTss32Busy = 11,
  kCallGate32 = 12,
  kInterruptGate32 = 14,
  kTrapGate32 = 15,
};

inline bool is_null(std::uint16_t selector) { return (selector & 0xfffcu) == 0; }

/// Raises `vector` with a selector's error code.
bool raise_selector(Core& c, std::uint8_t vector, std::uint16_t selector);

/// Reads a descriptor; outside its table: `vector` with the selector. The selector must not be null.
bool read_descriptor(Core& c, std::uint16_t selector, Descriptor& out, std::uint8_t vector = kGeneralProtection);
/// The same without an exception: false when outside the table or not readable.
bool peek_descriptor(Core& c, std::uint16_t selector, Descriptor& out);

Segment make_segment(std::uint16_t selector, const Descriptor& d);
Segment real_mode_segment(const Segment& old, std::uint16_t selector, bool vm86);
bool set_accessed(Core& c, Descriptor& d);

/// MOV and POP to DS, ES, FS, GS and SS.
bool load_segment(Core& c, unsigned segment, std::uint16_t selector);
/// Checks a new SS for privilege level `cpl` and gives its cache. Errors of the wrong kind: `vector` (#GP or #TS).
bool check_stack_segment(Core& c, std::uint16_t selector, unsigned cpl, std::uint8_t vector, Segment& out);

/// Reads SS:ESP for an inner privilege level from the current TSS.
bool read_inner_stack(Core& c, unsigned cpl, std::uint16_t& ss, std::uint32_t& esp);

/// ESP or SP by SS.B.
inline std::uint32_t stack_mask(const Segment& ss) { return (ss.access & kAccessDb) != 0 ? 0xffffffffu : 0xffffu; }
inline void set_stack_pointer(Core& c, std::uint32_t value) {
  const std::uint32_t mask = stack_mask(c.s.segment[kSs]);
  c.s.gpr[kEsp] = (c.s.gpr[kEsp] & ~mask) | (value & mask);
}

/// A stack being built or read; registers change only when the caller commits `pointer`.
class StackFrame {
 public:
  StackFrame(Core& c, const Segment& ss, std::uint32_t pointer, bool supervisor)
      : c_{c}, ss_{ss}, mask_{stack_mask(ss)}, pointer_{pointer & mask_}, supervisor_{supervisor} {}
  bool push(std::uint32_t value, unsigned size);
  bool pop(std::uint32_t& value, unsigned size);
  bool peek(std::uint32_t offset, std::uint32_t& value, unsigned size);
  void skip(std::uint32_t bytes) { pointer_ = (pointer_ + bytes) & mask_; }
  std::uint32_t pointer() const { return pointer_; }

 private:
  bool check(std::uint32_t offset, unsigned size, std::uint32_t& linear);
  bool aligned(Core& c, std::uint32_t linear, unsigned size) const;
  Core& c_;
  const Segment& ss_;
  std::uint32_t mask_;
  std::uint32_t pointer_;
  bool supervisor_;
};

// Far transfers. `size`: operand size in bytes. `next_eip`: of the following instruction.
bool far_jump(Core& c, std::uint16_t selector, std::uint32_t offset, unsigned size, std::uint32_t next_eip);
bool far_call(Core& c, std::uint16_t selector, std::uint32_t offset, unsigned size, std::uint32_t next_eip);
bool far_return(Core& c, unsigned size, std::uint32_t release, std::uint32_t next_eip);
bool interrupt_return(Core& c, unsigned size, std::uint32_t next_eip);
bool system_enter(Core& c);
bool system_exit(Core& c);

/// Writes the EFLAGS bits that POPF and IRET may change at this CPL and IOPL.
void write_eflags(Core& c, std::uint32_t value, unsigned size, unsigned cpl_before);
/// FLAGS of the 8086 program that Core::virtual_if_in_vm86() is about: what it pushes, and what it pops. False after raising #GP.
std::uint16_t virtual_flags(const Core& c);
bool write_virtual_flags(Core& c, std::uint32_t value);
/// INT n in virtual-8086 mode with the extensions. `redirected`: the TSS leaves it to the 8086 program's own table, and that has been done.
bool redirect_interrupt(Core& c, std::uint8_t vector, std::uint32_t next_eip, bool& redirected);

/// Delivers the pending event, with double and triple faults. Sets shut_down on the latter.
void deliver_pending(Core& c);
/// Takes a hardware interrupt or NMI.
void deliver_external(Core& c, std::uint8_t vector);

enum class TaskSwitch : std::uint8_t { jump, call, interrupt, iret };
/// `d`: an available (busy for iret) TSS. `error`: pushed on the new stack when has_error. True once the new task runs: an exception that is
/// pending then is the new task's own.
bool switch_task(Core& c, std::uint16_t selector, Descriptor d, TaskSwitch reason, std::uint32_t next_eip, bool has_error = false,
                 std::uint32_t error = 0);
/// Checks a TSS selector for CALL, JMP or a task gate and reads its descriptor.
bool read_tss(Core& c, std::uint16_t selector, std::uint8_t vector, Descriptor& out);

/// Whether the I/O permission bitmap of the TSS allows the ports; false raises #GP(0).
bool check_io_permission(Core& c, std::uint32_t port, unsigned width);

}  // namespace tuxarium::cpu
