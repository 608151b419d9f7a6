// Breakpoints and the debug exception. Intel SDM volume 3B, chapter 17 (sections 17.2 and 17.3).
//
// A page with an armed breakpoint never enters the translation cache: its code runs an instruction at a time, and every access to it takes the
// slow path, which looks here. Elsewhere nothing is slower. An access that hits is first refused, without an exception, so that its instruction
// is restarted alone; then the hit is noted, and the trap comes after the instruction.
//
// Section 17.11 (P6): DEBUGCTL's LBR and BTF. While one of them is set instructions run alone where that is needed; elsewhere they cost nothing.
//
// Not modelled: the exactness flags LE and GE (every breakpoint is exact), INT1's difference from a trap of DR6, length code 2 means 8 bytes;
// a conditional branch to the next instruction counts as not taken.
#pragma once

#include <cstdint>

#include "cpu/core.hpp"

namespace tuxarium::cpu {

// Bits of DR6 and DR7.
inline constexpr std::uint32_t kDr6Bd = 1u << 13, kDr6Bs = 1u << 14, kDr6Bt = 1u << 15, kDr7Gd = 1u << 13;
// Bits of DEBUGCTL.
inline constexpr std::uint64_t kRecordBranches = 1, kStepBranches = 2;
inline constexpr std::uint32_t kDr7Local = 0x155;  // L0 to L3 and LE

/// Reads DR7 and CR4.DE anew. After every change of a debug register, of CR4.DE, or of the whole state.
void update_breakpoints(Core& c);

/// True when an armed breakpoint of an instruction or of data lies in the page.
inline bool page_watched(const Core& c, std::uint32_t linear) {
  if (c.armed == 0) return false;
  for (unsigned n = 0; n < 4; ++n) {
    if ((c.armed_pages >> n & 1) != 0 && ((c.s.dr[n] ^ linear) & memory::kPageMask) == 0) return true;
  }
  return false;
}

/// DR6 bits for an instruction at a linear address; 0: no breakpoint.
std::uint32_t code_breakpoints(const Core& c, std::uint32_t linear);

/// False when an armed breakpoint is hit and the instruction must be restarted alone. `supervisor`: such accesses are only noted.
bool watch_data(Core& c, std::uint32_t linear, unsigned size, bool write, bool supervisor);
void watch_port(Core& c, std::uint16_t port, unsigned width);

/// Sets bits of DR6 and raises #DB, which ends the recording of branches and the steps from branch to branch. Returns false, as raise() does.
bool raise_debug(Core& c, std::uint32_t dr6_bits);

/// True when the instruction of the scratch block, which has just completed, was a branch that was taken. `from`: its EIP.
bool branch_taken(const Core& c, std::uint32_t from);

inline bool records_branches(const Core& c) { return (c.s.msr.debug_control & kRecordBranches) != 0; }
/// A taken branch has led to EIP.
void record_branch(Core& c, std::uint32_t from);
/// An exception or interrupt has: the last branch before it is kept.
void record_event(Core& c, std::uint32_t from);

/// While it lives, accesses that hit a breakpoint go through and are noted: a single instruction, the delivery of an event, a task switch.
class NotingHits {
 public:
  explicit NotingHits(Core& c) : c_{c}, before_{c.noting_hits} { c.noting_hits = true; }
  NotingHits(const NotingHits&) = delete;
  NotingHits& operator=(const NotingHits&) = delete;
  ~NotingHits() { c_.noting_hits = before_; }

 private:
  Core& c_;
  bool before_;
};

}  // namespace tuxarium::cpu
