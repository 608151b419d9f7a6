#include "compare.hpp"

#include <cstdio>
#include <cstring>

#include "cpu/cpu_state.hpp"
#include "cpu/disassembler.hpp"
#include "deviations.hpp"
#include "unit/cpu/hex.hpp"
#include "unit/cpu/undefined_flags.hpp"

namespace tuxarium::differential {

using namespace cpu;
using tests::hex;
using tests::UndefinedFlags;

namespace {

constexpr std::uint32_t kFetch = 0x10;  // page fault error code: I/D

unsigned operand_bits(const InstructionRow& row, unsigned operand_size) {
  for (const Operand o : row.operand) {
    if (o == Operand::Eb || o == Operand::Gb || o == Operand::AL) return 8;
    if (o != Operand::none) break;
  }
  return operand_size * 8;
}

/// The count of a shift, as the instruction takes it.
unsigned shift_count(const Case& c) {
  const InstructionRow& row = *c.form->row;
  if (row.operand[1] == Operand::one_) return 1;
  const bool by_cl = row.operand[1] == Operand::CL || row.operand[2] == Operand::CL;
  return (by_cl ? c.gpr[kEcx] : c.code[c.length - 1u]) & 31;
}

/// Flags that the host and the interpreter may set as they like.
UndefinedFlags undefined_flags(const Case& c, int vector) {
  const InstructionRow& row = *c.form->row;
  if (row.mnemonic == Mnemonic::aam && vector == kDivideError) return {kArithmeticFlags, "SDM 3A, #DE: the instruction was not completed"};
  return tests::undefined_flags(row.mnemonic, operand_bits(row, c.form->operand_size), shift_count(c));
}

/// Instructions whose result the manual leaves to the processor: equal only where both are the same processor.
bool is_approximation(const Case& c) {
  using enum Mnemonic;
  switch (c.form->row->mnemonic) {
    case rcpps: case rcpss: case rsqrtps: case rsqrtss: return true;
    case x87: break;
    default: return false;
  }
  if (c.form->memory || c.form->x87 >> 6 != 1) return false;
  switch (c.form->x87 & 0x3f) {
    case 0x30: case 0x31: case 0x32: case 0x33: case 0x39: case 0x3b: case 0x3e: case 0x3f: return true;  // F2XM1 ... FCOS
    default: return false;
  }
}

const char* register_name(unsigned r) {
  static constexpr const char* kNames[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
  return kNames[r];
}
const char* segment_name(unsigned s) {
  static constexpr const char* kNames[] = {"es", "cs", "ss", "ds", "fs", "gs"};
  return kNames[s];
}

class Differences {
 public:
  template <class... Args>
  void add(const char* format, Args... args) {
    char line[160];
    std::snprintf(line, sizeof line, format, args...);
    text_ += line;
    text_ += '\n';
  }
  void number(const char* what, std::uint32_t host, std::uint32_t here) {
    if (host != here) add("  %s: host %08x, here %08x", what, host, here);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

template <class T>
T at(const FxImage& fx, std::size_t offset) {
  T value;
  std::memcpy(&value, fx.data() + offset, sizeof value);
  return value;
}

void compare_fpu(const Outcome& host, const Outcome& here, bool approximate, Differences& d) {
  d.number("fcw", at<std::uint16_t>(host.fx, 0), at<std::uint16_t>(here.fx, 0));
  d.number("fsw", at<std::uint16_t>(host.fx, 2), at<std::uint16_t>(here.fx, 2));
  d.number("tags", host.fx[4], here.fx[4]);
  // The host's kernel saves the state of a case that faults with an instruction that leaves the pointers out on some processors.
  if (host.vector == kCompleted) {
    d.number("fop", at<std::uint16_t>(host.fx, 6) & 0x7ffu, at<std::uint16_t>(here.fx, 6) & 0x7ffu);
    d.number("fip", at<std::uint32_t>(host.fx, 8), at<std::uint32_t>(here.fx, 8));
    d.number("fcs", at<std::uint16_t>(host.fx, 12), at<std::uint16_t>(here.fx, 12));
    d.number("fdp", at<std::uint32_t>(host.fx, 16), at<std::uint32_t>(here.fx, 16));
    d.number("fds", at<std::uint16_t>(host.fx, 20), at<std::uint16_t>(here.fx, 20));
  }
  d.number("mxcsr", at<std::uint32_t>(host.fx, 24), at<std::uint32_t>(here.fx, 24));
  if (approximate) return;
  for (unsigned n = 0; n < 8; ++n) {
    const std::uint8_t *st = host.fx.data() + 32 + 16 * n, *mine = here.fx.data() + 32 + 16 * n;
    if (std::memcmp(st, mine, 10) != 0) d.add("  st%u: host %s, here %s", n, hex({st, 10}).c_str(), hex({mine, 10}).c_str());
  }
  for (unsigned n = 0; n < 8; ++n) {
    const std::uint8_t *xmm = host.fx.data() + 160 + 16 * n, *mine = here.fx.data() + 160 + 16 * n;
    if (std::memcmp(xmm, mine, 16) != 0) d.add("  xmm%u: host %s, here %s", n, hex({xmm, 16}).c_str(), hex({mine, 16}).c_str());
  }
}

void compare_memory(const Outcome& host, const Outcome& here, Differences& d) {
  if (host.memory == here.memory) return;
  unsigned shown = 0;
  for (std::uint32_t n = 0; n < kWritableSize && shown < 16; ++n) {
    if (host.memory[n] == here.memory[n]) continue;
    d.add("  memory %08x: host %02x, here %02x", kDataBase + n, host.memory[n], here.memory[n]);
    ++shown;
  }
}

}  // namespace

bool incomparable(const Outcome& host) {
  if (host.vector == kTraced) return true;
  return host.vector == kPageFault && (host.error & (kFetch | 1)) == (kFetch | 1);
}

namespace {

std::string differences(const Case& c, const Outcome& host, const Outcome& here, bool same_processor) {
  Differences d;
  if (host.vector != here.vector) d.add("  exception: host %d, here %d", host.vector, here.vector);
  if (host.vector == kHung || here.vector == kHung) return d.take();
  std::uint32_t error_mask = 0xffffffffu;
  if (host.vector == kPageFault) {
    error_mask &= ~kFetch;  // this machine has no no-execute pages, so fetches do not say that they are
    if (in_supervisor_window(here.cr2)) error_mask &= ~1u;  // where the interpreter has its tables, the host has nothing
  }
  d.number("error code", host.error & error_mask, here.error & error_mask);
  d.number("cr2", host.cr2, here.cr2);
  for (unsigned r = 0; r < 8; ++r) d.number(register_name(r), host.gpr[r], here.gpr[r]);
  d.number("eip", host.eip, here.eip);
  // A prelude that is cut short by the page end may leave AF undefined in the middle.
  const bool cut_short = host.vector >= 0 && host.eip - c.eip() < c.prelude;
  const std::uint32_t defined = ~(undefined_flags(c, host.vector).flags | c.undefined | (cut_short ? kAf : 0));
  d.number("eflags", host.eflags & defined, here.eflags & defined);
  for (unsigned s = 0; s < 6; ++s) {
    // The IRET with which the host's kernel starts a signal handler makes all null selectors 0.
    const bool null = host.vector != kCompleted && host.segment[s] == 0 && here.segment[s] < 4;
    if (!null) d.number(segment_name(s), host.segment[s], here.segment[s]);
  }
  if (c.fpu) compare_fpu(host, here, !same_processor && is_approximation(c), d);
  compare_memory(host, here, d);
  return d.take();
}

}  // namespace

Verdict compare(const Case& c, const Outcome& host, const Outcome& here, bool same_processor) {
  Verdict verdict;
  verdict.differences = differences(c, host, here, same_processor);
  if (verdict.differences.empty()) return verdict;
  Outcome excused = here;
  for (const Deviation& d : deviations()) {
    d.excuse(c, host, excused);
    std::string rest = differences(c, host, excused, same_processor);
    if (rest.empty()) return {{}, &d};
    verdict.differences = std::move(rest);
  }
  return verdict;
}

namespace {

void describe_fpu(const FxImage& fx, std::string& text) {
  char line[200];
  std::snprintf(line, sizeof line, "    fcw %04x fsw %04x tags %02x fop %03x fip %04x:%08x fdp %04x:%08x mxcsr %08x\n", at<std::uint16_t>(fx, 0),
                at<std::uint16_t>(fx, 2), fx[4], at<std::uint16_t>(fx, 6), at<std::uint16_t>(fx, 12), at<std::uint32_t>(fx, 8),
                at<std::uint16_t>(fx, 20), at<std::uint32_t>(fx, 16), at<std::uint32_t>(fx, 24));
  text += line;
  for (unsigned n = 0; n < 8; ++n) {
    const std::string st = hex({fx.data() + 32 + 16 * n, 10}), xmm = hex({fx.data() + 160 + 16 * n, 16});
    std::snprintf(line, sizeof line, "    st%u %s   xmm%u %s\n", n, st.c_str(), n, xmm.c_str());
    text += line;
  }
}

void describe_registers(const std::array<std::uint32_t, 8>& gpr, std::uint32_t eip, std::uint32_t eflags, const std::array<std::uint16_t, 6>& segment,
                        std::string& text) {
  char line[64];
  text += "   ";
  for (unsigned r = 0; r < 8; ++r) {
    std::snprintf(line, sizeof line, " %s %08x", register_name(r), gpr[r]);
    text += line;
  }
  std::snprintf(line, sizeof line, "\n    eip %08x eflags %08x", eip, eflags);
  text += line;
  for (unsigned s = 0; s < 6; ++s) {
    std::snprintf(line, sizeof line, " %s %04x", segment_name(s), segment[s]);
    text += line;
  }
  text += '\n';
}

void describe_outcome(const char* who, const Case& c, const Outcome& o, std::string& text) {
  char line[96];
  if (o.vector == kCompleted) {
    std::snprintf(line, sizeof line, "  %s: completed\n", who);
  } else if (o.vector == kHung) {
    std::snprintf(line, sizeof line, "  %s: did not end\n", who);
  } else {
    std::snprintf(line, sizeof line, "  %s: exception %d, error code %x, cr2 %08x\n", who, o.vector, o.error, o.cr2);
  }
  text += line;
  if (o.vector == kHung) return;
  describe_registers(o.gpr, o.eip, o.eflags, o.segment, text);
  if (c.fpu) describe_fpu(o.fx, text);
}

std::string disassembly(const Case& c) {
  std::string text;
  for (std::size_t at = 0; at < c.length;) {
    Instruction i;
    if (decode(c.bytes().subspan(at), c.code32, ~0u, i) != DecodeStatus::ok) return text + "(not an instruction)";
    text += (at == 0 ? "" : "; ") + disassemble(i, c.eip() + static_cast<std::uint32_t>(at));
    at += i.length;
  }
  return text;
}

}  // namespace

std::string describe(const Case& c, const Outcome* host, const Outcome* here) {
  std::string text = "case " + case_name(c) + " (" + c.form->row->name + ", " + (c.code32 ? "32" : "16") + "-bit code)\n  " +
                     hex(c.bytes()) + "  " + disassembly(c) + "\n  before:\n";
  describe_registers(c.gpr, c.eip(), c.eflags | 0x202, c.segment, text);
  if (c.fpu) describe_fpu(c.fx, text);
  for (unsigned n = 0; n < c.windows; ++n) {
    if (c.window[n].offset >= kWritableSize) continue;
    char line[32];
    std::snprintf(line, sizeof line, "    memory %08x ", kDataBase + c.window[n].offset);
    text += line + hex(std::span{c.window[n].bytes}.first(48)) + "...\n";
  }
  if (host != nullptr) describe_outcome("host", c, *host, text);
  if (const UndefinedFlags u = undefined_flags(c, host != nullptr ? host->vector : kCompleted); u.flags != 0) {
    char line[32];
    std::snprintf(line, sizeof line, "  flags %04x: ", u.flags);
    text += line + std::string{u.reason} + '\n';
  }
  if (here != nullptr) describe_outcome("here", c, *here, text);
  return text;
}

}  // namespace tuxarium::differential
