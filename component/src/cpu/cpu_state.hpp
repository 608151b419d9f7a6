// The registers of the processor, as plain data. Intel SDM volume 3A, chapter 2.
#pragma once

#include <array>
#include <cstdint>

namespace tuxarium::cpu {

// EFLAGS bits.
inline constexpr std::uint32_t kCf = 1u << 0, kPf = 1u << 2, kAf = 1u << 4, kZf = 1u << 6, kSf = 1u << 7, kTf = 1u << 8,
                               kIf = 1u << 9, kDf = 1u << 10, kOf = 1u << 11, kIopl = 3u << 12, kNt = 1u << 14, kRf = 1u << 16,
                               kVm = 1u << 17, kAc = 1u << 18, kVif = 1u << 19, kVip = 1u << 20, kId = 1u << 21;
inline constexpr std::uint32_t kArithmeticFlags = kCf | kPf | kAf | kZf | kSf | kOf;

// CR0 and CR4 bits.
inline constexpr std::uint32_t kCr0Pe = 1u << 0, kCr0Mp = 1u << 1, kCr0Em = 1u << 2, kCr0Ts = 1u << 3, kCr0Et = 1u << 4,
                               kCr0Ne = 1u << 5, kCr0Wp = 1u << 16, kCr0Am = 1u << 18, kCr0Nw = 1u << 29, kCr0Cd = 1u << 30,
                               kCr0Pg = 1u << 31;
inline constexpr std::uint32_t kCr4Vme = 1u << 0, kCr4Pvi = 1u << 1, kCr4Tsd = 1u << 2, kCr4De = 1u << 3, kCr4Pse = 1u << 4,
                               kCr4Pae = 1u << 5, kCr4Mce = 1u << 6, kCr4Pge = 1u << 7, kCr4Pce = 1u << 8,
                               kCr4Osfxsr = 1u << 9, kCr4Osxmmexcpt = 1u << 10;

// Exception vectors.
enum Vector : std::uint8_t {
  kDivideError = 0,
  kDebug = 1,
  kNmi = 2,
  kBreakpoint = 3,
  kOverflow = 4,
  kBoundRange = 5,
  kInvalidOpcode = 6,
  kDeviceNotAvailable = 7,
  kDoubleFault = 8,
  kInvalidTss = 10,
  kSegmentNotPresent = 11,
  kStackFault = 12,
  kGeneralProtection = 13,
  kPageFault = 14,
  kFpuError = 16,
  kAlignmentCheck = 17,
  kSimdError = 19,
};

// Register numbers as encoded in instructions.
enum RegisterNumber : std::uint8_t { kEax, kEcx, kEdx, kEbx, kEsp, kEbp, kEsi, kEdi };
enum SegmentNumber : std::uint8_t { kEs, kCs, kSs, kDs, kFs, kGs };

/// The general-register file has a ninth entry that is always 0: it stands for an absent base or index.
inline constexpr unsigned kZeroRegister = 8;

/// The XMM file has a ninth entry: scratch for a memory operand, and no part of the state.
inline constexpr unsigned kXmmRegisters = 8, kXmmScratch = 8;

// Bits of a descriptor's second dword, where Segment::access keeps them.
inline constexpr std::uint32_t kAccessAccessed = 1u << 8, kAccessWritable = 1u << 9 /* code: readable */,
                               kAccessExpandDown = 1u << 10 /* code: conforming */, kAccessCode = 1u << 11, kAccessS = 1u << 12,
                               kAccessP = 1u << 15, kAccessDb = 1u << 22, kAccessG = 1u << 23;

/// A segment register with its descriptor cache. `limit` is in bytes, inclusive.
struct Segment {
  std::uint32_t base = 0;
  std::uint32_t limit = 0;
  std::uint32_t access = 0;
  std::uint16_t selector = 0;
  std::uint16_t valid = 0;  // 0 after a null selector was loaded

  unsigned dpl() const { return access >> 13 & 3; }
  unsigned rpl() const { return selector & 3u; }
  unsigned type() const { return access >> 8 & 15; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(base), v(limit), v(access), v(selector), v(valid);
  }
};

struct DescriptorTable {
  std::uint32_t base = 0;
  std::uint32_t limit = 0;
};

// Values of CpuState::interrupt_shadow.
inline constexpr std::uint8_t kShadowSti = 1, kShadowStackLoad = 2;

/// Pairs of variable-range MTRRs.
inline constexpr unsigned kVariableMtrrs = 8;
/// IA32_MISC_ENABLE: neither branch trace nor event sampling, read-only.
inline constexpr std::uint64_t kMiscEnableFixed = 0x1800;

/// Model-specific registers that hold what is written and do nothing.
struct ModelSpecific {
  std::uint64_t pat = 0x0007040600070406u;
  std::uint64_t mtrr_default = 0;
  std::array<std::uint64_t, 11> mtrr_fixed{};
  std::array<std::uint64_t, 2 * kVariableMtrrs> mtrr_variable{};  // base, mask
  std::uint64_t mcg_status = 0;
  std::uint64_t misc_enable = kMiscEnableFixed | 1;
  std::uint64_t debug_control = 0;
  std::array<std::uint32_t, 4> last_branch{};  // offsets: from and to, of the last branch and of the last exception or interrupt
  std::array<std::uint64_t, 2> event_select{}, event_counter{};

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(pat), v(mtrr_default), v(mtrr_fixed), v(mtrr_variable), v(mcg_status), v(misc_enable), v(debug_control), v(last_branch), v(event_select), v(event_counter);
  }
};

struct CpuState {
  std::array<std::uint32_t, 9> gpr{};  // [kZeroRegister] is 0
  std::uint32_t eip = 0;

  // The arithmetic flags, not yet computed: see flags.hpp.
  std::int64_t flag_result = 1;
  std::uint32_t flag_carries = 0;

  std::uint32_t system_flags = 0;  // EFLAGS without the arithmetic flags and without bit 1

  std::array<Segment, 6> segment{};
  Segment ldtr, tr;
  DescriptorTable gdtr, idtr;
  std::uint32_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0;
  std::array<std::uint64_t, 4> pdpte{};  // PAE paging: the entries that CR3 pointed to when it was loaded
  std::array<std::uint32_t, 8> dr{};
  std::uint32_t sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
  std::uint64_t tsc_offset = 0;
  ModelSpecific msr;
  std::uint8_t cpl = 0;
  std::uint8_t halted = 0;            // HLT, waiting for an interrupt
  std::uint8_t shut_down = 0;         // triple fault
  std::uint8_t interrupt_shadow = 0;  // after STI, MOV SS, POP SS: one more instruction first
  std::uint8_t nmi_pending = 0;
  std::uint8_t nmi_blocked = 0;

  std::uint32_t mxcsr = 0x1f80;
  alignas(16) std::array<std::array<std::uint64_t, 2>, kXmmRegisters + 1> xmm{};  // bits 0-63, bits 64-127

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(gpr), v(eip), v(flag_result), v(flag_carries), v(system_flags);
    for (Segment& s : segment) v(s);
    v(ldtr), v(tr), v(gdtr.base), v(gdtr.limit), v(idtr.base), v(idtr.limit);
    v(cr0), v(cr2), v(cr3), v(cr4), v(pdpte), v(dr), v(sysenter_cs), v(sysenter_esp), v(sysenter_eip), v(tsc_offset);
    v(msr);
    v(cpl), v(halted), v(shut_down), v(interrupt_shadow), v(nmi_pending), v(nmi_blocked);
    v(mxcsr);
    for (unsigned n = 0; n < kXmmRegisters; ++n) v(xmm[n]);
  }
};

}  // namespace tuxarium::cpu
