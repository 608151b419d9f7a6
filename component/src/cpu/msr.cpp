// The model-specific registers of a P6 and those of a Pentium. Intel SDM volume 4, chapter 2; volume 3A, section 11.11 (MTRRs) and 11.12 (PAT);
// volume 3B, chapter 15 (machine checks).
//
// TSC and SYSENTER do their work. The others hold what is written and do nothing: memory is not cached, so its type shows nowhere; no machine
// check is ever raised, and there are no banks that could report one; event counters stand still; of DEBUGCTL, LBR and BTF do their work
// (debug.hpp), its pins and messages are nobody's. There is no local APIC, so that its base register is absent.

#include "cpu/msr.hpp"

#include "cpu/debug.hpp"

namespace tuxarium::cpu {

namespace {

enum Msr : std::uint32_t {
  kP5McAddress = 0x00,
  kP5McType = 0x01,
  kTsc = 0x10,
  kPlatformId = 0x17,
  kUcodeRevision = 0x8b,
  kEventCounter0 = 0xc1,
  kMtrrCapabilities = 0xfe,
  kSysenterCs = 0x174,
  kSysenterEsp = 0x175,
  kSysenterEip = 0x176,
  kMcgCapabilities = 0x179,
  kMcgStatus = 0x17a,
  kEventSelect0 = 0x186,
  kMiscEnable = 0x1a0,
  kDebugControl = 0x1d9,
  kLastBranchFrom = 0x1db,
  kMtrrVariable0 = 0x200,
  kMtrrFix64k = 0x250,
  kMtrrFix16k = 0x258,
  kMtrrFix4k = 0x268,
  kPat = 0x277,
  kMtrrDefault = 0x2ff,
};

constexpr std::uint64_t kPhysicalBits = 0xfffffffffu;  // 36 of them
constexpr std::uint64_t kMtrrCapabilityBits = 0x500 | kVariableMtrrs;  // fixed ranges, write combining

bool is_mtrr_type(std::uint64_t type) { return type <= 1 || (type >= 4 && type <= 6); }
bool is_pat_type(std::uint64_t type) { return is_mtrr_type(type) || type == 7; }

template <class Check>
bool each_byte(std::uint64_t value, Check check) {
  for (; value != 0; value >>= 8) {
    if (!check(value & 0xff)) return false;
  }
  return true;
}

/// Place of a fixed-range MTRR in ModelSpecific::mtrr_fixed, or -1.
int fixed_mtrr(std::uint32_t number) {
  if (number == kMtrrFix64k) return 0;
  if (number - kMtrrFix16k < 2) return static_cast<int>(number - kMtrrFix16k) + 1;
  if (number - kMtrrFix4k < 8) return static_cast<int>(number - kMtrrFix4k) + 3;
  return -1;
}

bool valid_variable_mtrr(bool mask, std::uint64_t value) {
  if ((value & ~kPhysicalBits) != 0) return false;
  return mask ? (value & 0x7ff) == 0 : (value & 0xf00) == 0 && is_mtrr_type(value & 0xff);
}

bool write_checked(std::uint64_t& target, std::uint64_t value, bool valid) {
  if (valid) target = value;
  return valid;
}

bool write_low(std::uint32_t& target, std::uint64_t value) {
  target = static_cast<std::uint32_t>(value);
  return true;
}

/// The P6 has counters of 40 bits; a write gives 32 of them and their sign.
std::uint64_t counter_value(std::uint64_t written) {
  return static_cast<std::uint64_t>(sign_extend(static_cast<std::uint32_t>(written))) & 0xffffffffffu;
}

/// A register that is there to be read back: where it is kept, or nullptr.
std::uint64_t* inert(Core& c, std::uint32_t number) {
  ModelSpecific& m = c.s.msr;
  if (number == kMiscEnable && c.has(Feature::sse2)) return &m.misc_enable;
  if (number == kPat && c.has(Feature::pat)) return &m.pat;
  if (number == kMcgStatus && c.has(Feature::mca)) return &m.mcg_status;
  if (!c.has(Feature::p6)) return nullptr;
  if (number == kDebugControl) return &m.debug_control;
  if (number - kEventCounter0 < m.event_counter.size()) return &m.event_counter[number - kEventCounter0];
  if (number - kEventSelect0 < m.event_select.size()) return &m.event_select[number - kEventSelect0];
  if (!c.has(Feature::mtrr)) return nullptr;
  if (number == kMtrrDefault) return &m.mtrr_default;
  if (number - kMtrrVariable0 < m.mtrr_variable.size()) return &m.mtrr_variable[number - kMtrrVariable0];
  const int fixed = fixed_mtrr(number);
  return fixed < 0 ? nullptr : &m.mtrr_fixed[static_cast<unsigned>(fixed)];
}

bool write_inert(std::uint32_t number, std::uint64_t& target, std::uint64_t value) {
  constexpr std::uint64_t kMiscEnableBits = 0x00c10889 | kMiscEnableFixed, kDebugControlBits = 0x7f;
  switch (number) {
    case kPat: return write_checked(target, value, each_byte(value, is_pat_type));
    case kMcgStatus: return write_checked(target, value, (value & ~std::uint64_t{7}) == 0);
    case kMiscEnable: return write_checked(target, value | kMiscEnableFixed, (value & ~kMiscEnableBits) == 0);
    case kDebugControl: return write_checked(target, value, (value & ~kDebugControlBits) == 0);
    case kMtrrDefault: return write_checked(target, value, (value & ~std::uint64_t{0xcff}) == 0 && is_mtrr_type(value & 0xff));
    case kEventCounter0: case kEventCounter0 + 1: target = counter_value(value); return true;
    case kEventSelect0: case kEventSelect0 + 1: target = value & 0xffffffffu; return true;
    default: break;
  }
  if (fixed_mtrr(number) >= 0) return write_checked(target, value, each_byte(value, is_mtrr_type));
  return write_checked(target, value, valid_variable_mtrr((number & 1) != 0, value));
}

}  // namespace

bool read_msr(Core& c, std::uint32_t number, std::uint64_t& value) {
  value = 0;
  switch (number) {
    case kP5McAddress: case kP5McType: return true;
    case kTsc: value = c.bus.time_stamp() + c.s.tsc_offset; return true;
    case kPlatformId: case kUcodeRevision: return c.has(Feature::p6);
    case kSysenterCs: value = c.s.sysenter_cs; return c.has(Feature::sep);
    case kSysenterEsp: value = c.s.sysenter_esp; return c.has(Feature::sep);
    case kSysenterEip: value = c.s.sysenter_eip; return c.has(Feature::sep);
    case kMtrrCapabilities: value = kMtrrCapabilityBits; return c.has(Feature::mtrr);
    case kMcgCapabilities: return c.has(Feature::mca);
    default: break;
  }
  if (number - kLastBranchFrom < c.s.msr.last_branch.size()) {
    value = c.s.msr.last_branch[number - kLastBranchFrom];
    return c.has(Feature::p6);
  }
  const std::uint64_t* kept = inert(c, number);
  if (kept != nullptr) value = *kept;
  return kept != nullptr;
}

bool write_msr(Core& c, std::uint32_t number, std::uint64_t value) {
  switch (number) {
    case kP5McAddress: case kP5McType: return true;
    case kTsc: c.s.tsc_offset = value - c.bus.time_stamp(); return true;
    case kUcodeRevision: return c.has(Feature::p6);
    case kSysenterCs: return c.has(Feature::sep) && write_low(c.s.sysenter_cs, value);
    case kSysenterEsp: return c.has(Feature::sep) && write_low(c.s.sysenter_esp, value);
    case kSysenterEip: return c.has(Feature::sep) && write_low(c.s.sysenter_eip, value);
    default: break;
  }
  std::uint64_t* kept = inert(c, number);
  if (kept == nullptr || !write_inert(number, *kept, value)) return false;
  if (records_branches(c)) c.step_alone = true;
  return true;
}

}  // namespace tuxarium::cpu
