// Who owns the host's MXCSR: while guest code computes with SSE, the guest's rounding and denormal modes are in it, with all exceptions
// masked, and its sticky flags collect the guest's. Whoever leaves the interpreter calls leave() first: the host gets its own value back
// and the guest's MXCSR the flags.
#pragma once

#include <cstdint>

#include "cpu/simd/vector.hpp"

namespace tuxarium::cpu::simd {

// Bits of MXCSR. Intel SDM volume 1, figure 10-3.
inline constexpr std::uint32_t kMxcsrInvalid = 0x01, kMxcsrDenormal = 0x02, kMxcsrZeroDivide = 0x04, kMxcsrOverflow = 0x08,
                               kMxcsrUnderflow = 0x10, kMxcsrPrecision = 0x20, kMxcsrFlags = 0x3f, kMxcsrMasks = 0x1f80,
                               kMxcsrFlushToZero = 0x8000, kMxcsrMaskShift = 7;
inline constexpr std::uint32_t kMxcsrDefined = 0xffff, kMxcsrReset = 0x1f80;

class HostMxcsr {
 public:
  /// `guest`: the guest's MXCSR, which outlives this.
  explicit HostMxcsr(std::uint32_t& guest) : guest_{guest} {}
  HostMxcsr(const HostMxcsr&) = delete;
  HostMxcsr& operator=(const HostMxcsr&) = delete;

  /// True from enter() to leave().
  bool live() const { return live_; }

  /// Only when the guest masks all exceptions: nobody looks at the flags in between.
  void enter() {
    if (live_) return;
    exchange((guest_ & kMxcsrDefined & ~kMxcsrFlags) | kMxcsrMasks);
    live_ = true;
  }
  void leave() {
    if (!live_) return;
    guest_ |= restore();
    live_ = false;
  }

  /// For a single operation under the modes `control`, all exceptions masked; end() gives the flags that it raised. Not while live.
  void begin(std::uint32_t control) { exchange((control & kMxcsrDefined & ~kMxcsrFlags) | kMxcsrMasks); }
  std::uint32_t end() { return restore(); }

 private:
#ifdef TUXARIUM_HOST_SSE2
  // The operations between the two are volatile assembly as well, which keeps its order.
  void exchange(std::uint32_t value) {
    scratch_ = value;
    asm volatile("stmxcsr %0\n\tldmxcsr %1" : "=m"(host_) : "m"(scratch_));
  }
  std::uint32_t restore() {
    asm volatile("stmxcsr %0\n\tldmxcsr %1" : "=m"(scratch_) : "m"(host_));
    return scratch_ & kMxcsrFlags;
  }
#else
  void exchange(std::uint32_t) {}
  std::uint32_t restore() { return 0; }
#endif

  std::uint32_t& guest_;
  std::uint32_t host_ = kMxcsrReset, scratch_ = 0;
  bool live_ = false;
};

}  // namespace tuxarium::cpu::simd
