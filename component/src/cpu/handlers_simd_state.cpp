// EMMS, FXSAVE, FXRSTOR, LDMXCSR, STMXCSR, the fences and CLFLUSH. Intel SDM volume 1, sections 10.5 and 11.6; volume 2.
//
// The FXSAVE image has the XMM registers and MXCSR whatever CR4.OSFXSR says; of its reserved bytes those behind an x87
// register are written, with 0. Caches are not modelled:
// fences do nothing and CLFLUSH only looks whether its byte could be read.

#include "cpu/simd_handlers.hpp"

namespace tuxarium::cpu {

namespace {

constexpr unsigned kFxsaveBytes = 512, kFxsaveRegisters = 32, kFxsaveXmm = 160, kFxsaveReadBytes = 288;

const Op* op_no_effect([[maybe_unused]] Core& c, const Op* op) { TUXARIUM_NEXT(); }

const Op* op_clflush(Core& c, const Op* op) {
  if (!fetch_vector(c, op, 1, false)) return fault(c, op);
  TUXARIUM_NEXT();
}

const Op* op_emms(Core& c, const Op* op) {
  if (!simd_ready<true, false>(c)) [[unlikely]] return simd_refused<true, false>(c, op);
  c.fpu.state().top = 0;
  c.fpu.state().valid = 0;
  TUXARIUM_NEXT();
}

/// False after raising #GP for a reserved bit.
bool set_mxcsr(Core& c, std::uint32_t value) {
  if ((value & ~simd::kMxcsrDefined) != 0) return raise(c, kGeneralProtection, 0);
  c.mxcsr.leave();
  c.s.mxcsr = value;
  return true;
}

const Op* op_ldmxcsr(Core& c, const Op* op) {
  if (!simd_ready<false, true>(c)) return simd_refused<false, true>(c, op);
  if (!fetch_vector(c, op, 4, false) || !set_mxcsr(c, static_cast<std::uint32_t>(c.s.xmm[kXmmScratch][0]))) return fault(c, op);
  TUXARIUM_NEXT();
}

const Op* op_stmxcsr(Core& c, const Op* op) {
  if (!simd_ready<false, true>(c)) return simd_refused<false, true>(c, op);
  c.mxcsr.leave();
  c.s.xmm[kXmmScratch] = {c.s.mxcsr, 0};
  if (!deliver_vector(c, op, 4, false)) return fault(c, op);
  TUXARIUM_NEXT();
}

/// Address of the image. Unlike the other instructions of SSE, these give #NM for CR0.EM.
bool fxsave_address(Core& c, const Op* op, Access access, std::uint32_t& linear) {
  if ((c.s.cr0 & (kCr0Em | kCr0Ts)) != 0) return raise(c, kDeviceNotAvailable);
  if (!operand_address<true>(c, op, kFxsaveBytes, access, linear)) return false;
  return (linear & 15) == 0 || raise(c, kGeneralProtection, 0);
}

TUXARIUM_OUTLINE const Op* op_fxsave(Core& c, const Op* op) {
  std::uint32_t linear = 0;
  if (!fxsave_address(c, op, Access::write, linear) || !probe_write(c, linear, kFxsaveBytes)) return fault(c, op);
  c.mxcsr.leave();
  const auto& f = c.fpu.state();
  const auto put = [&]<class T>(std::uint32_t at, T value) { return store<T>(c, linear + at, value); };
  bool ok = put(0, c.fpu.control_word()) && put(2, c.fpu.status_word()) && put(4, std::uint16_t{f.valid}) && put(6, f.last_opcode) &&
            put(8, f.instruction_offset) && put(12, f.instruction_selector) && put(16, f.operand_offset) && put(20, f.operand_selector) &&
            put(24, c.s.mxcsr) && put(28, std::uint32_t{simd::kMxcsrDefined});
  for (unsigned n = 0; ok && n < 8; ++n) {
    const x87::Float80& st = c.fpu.st(n);
    const std::uint32_t at = kFxsaveRegisters + 16 * n;
    ok = put(at, st.significand) && put(at + 8, std::uint64_t{st.sign_exponent});
  }
  for (unsigned n = 0; ok && n < kXmmRegisters; ++n) {
    const std::uint32_t at = kFxsaveXmm + 16 * n;
    ok = put(at, c.s.xmm[n][0]) && put(at + 8, c.s.xmm[n][1]);
  }
  return ok ? op + 1 : fault(c, op);
}

void load_x87(Core& c, const std::array<std::uint64_t, kFxsaveReadBytes / 8>& image) {
  auto& f = c.fpu.state();
  c.fpu.set_control_word(static_cast<std::uint16_t>(image[0]));
  c.fpu.set_status_word(static_cast<std::uint16_t>(image[0] >> 16));
  f.valid = static_cast<std::uint8_t>(image[0] >> 32);
  f.last_opcode = static_cast<std::uint16_t>(image[0] >> 48 & 0x7ff);
  f.instruction_offset = static_cast<std::uint32_t>(image[1]);
  f.instruction_selector = static_cast<std::uint16_t>(image[1] >> 32);
  f.operand_offset = static_cast<std::uint32_t>(image[2]);
  f.operand_selector = static_cast<std::uint16_t>(image[2] >> 32);
  for (unsigned n = 0; n < 8; ++n) {
    x87::Float80& st = f.registers[(f.top + n) & 7u];
    st.significand = image[kFxsaveRegisters / 8 + 2 * n];
    st.sign_exponent = static_cast<std::uint16_t>(image[kFxsaveRegisters / 8 + 2 * n + 1]);
  }
  update_ferr(c);
}

TUXARIUM_OUTLINE const Op* op_fxrstor(Core& c, const Op* op) {
  std::uint32_t linear = 0;
  if (!fxsave_address(c, op, Access::read, linear)) return fault(c, op);
  std::array<std::uint64_t, kFxsaveReadBytes / 8> image{};
  for (std::size_t n = 0; n < image.size(); ++n) {
    if (!load(c, linear + static_cast<std::uint32_t>(8 * n), image[n])) return fault(c, op);
  }
  if (c.has(Feature::sse) && !set_mxcsr(c, static_cast<std::uint32_t>(image[3]))) return fault(c, op);
  load_x87(c, image);
  for (unsigned n = 0; n < kXmmRegisters; ++n) c.s.xmm[n] = {image[kFxsaveXmm / 8 + 2 * n], image[kFxsaveXmm / 8 + 2 * n + 1]};
  return op + 1;
}

}  // namespace

Handler pick_simd_state(const Instruction& i) {
  switch (i.mnemonic()) {
    case Mnemonic::emms: return op_emms;
    case Mnemonic::fxsave: return step_out<op_fxsave>;
    case Mnemonic::fxrstor: return step_out<op_fxrstor>;
    case Mnemonic::ldmxcsr: return op_ldmxcsr;
    case Mnemonic::stmxcsr: return op_stmxcsr;
    case Mnemonic::clflush: return op_clflush;
    case Mnemonic::lfence: case Mnemonic::mfence: case Mnemonic::sfence: return op_no_effect;
    default: return nullptr;
  }
}

}  // namespace tuxarium::cpu
