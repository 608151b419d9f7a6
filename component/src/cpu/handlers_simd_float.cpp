// Floating-point instructions of SSE, SSE2 and SSE3: on the host's own unit, under the guest's MXCSR. Intel SDM volume 1, chapters 10 to 12.
//
// While the guest masks all exceptions, its modes stay in the host's MXCSR from one such instruction to the next (simd/host_mxcsr.hpp).
// Otherwise each instruction runs with all exceptions masked, and its flags decide afterwards whether it raises #XM. RCPPS and RSQRTPS give
// the approximation of the host. On hosts other than x86-64 there are none of these instructions, and a model reports no SSE.
// Not modelled: with overflow or underflow unmasked and raised, the precision flag is that of the bounded result, not of the one with an
// unbounded exponent.

#include "cpu/simd/float_operations.hpp"

#include <utility>

#include "cpu/simd_handlers.hpp"

namespace tuxarium::cpu {

std::uint32_t checked_control(const Core& c) {
  // Results are flushed to zero only where underflow is masked.
  const bool underflow_masked = (c.s.mxcsr & simd::kMxcsrUnderflow << simd::kMxcsrMaskShift) != 0;
  return underflow_masked ? c.s.mxcsr : c.s.mxcsr & ~simd::kMxcsrFlushToZero;
}

bool accept_float_flags(Core& c, std::uint32_t raised, bool tiny) {
  using namespace simd;
  constexpr std::uint32_t kBeforeComputation = kMxcsrInvalid | kMxcsrDenormal | kMxcsrZeroDivide;
  const std::uint32_t unmasked = ~(c.s.mxcsr >> kMxcsrMaskShift) & kMxcsrFlags;
  // Unmasked underflow is raised for an exact result as well.
  if (tiny && (unmasked & kMxcsrUnderflow) != 0) raised |= kMxcsrUnderflow;
  // An exception that is found before the computation keeps the computation from being done.
  if ((raised & unmasked & kBeforeComputation) != 0) raised &= kBeforeComputation;
  c.s.mxcsr |= raised;
  if ((raised & unmasked) == 0) return true;
  return raise(c, (c.s.cr4 & kCr4Osxmmexcpt) != 0 ? kSimdError : kInvalidOpcode);
}

#ifdef TUXARIUM_HOST_SSE2

namespace {

using namespace simd;

template <class O>
Handler packed(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::xmm, Place::xmm, Place::m16>(i, wide);
}
template <class O>
Handler low8(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::xmm, Place::xmm, Place::m8>(i, wide);
}
template <class O>
Handler low4(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::xmm, Place::xmm, Place::m4>(i, wide);
}
template <class O>
Handler from_integer(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::xmm, Place::gpr, Place::m4>(i, wide);
}
template <class O, Place Memory>
Handler to_integer(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::gpr, Place::xmm, Memory>(i, wide);
}
template <class O, Place Memory>
Handler to_flags(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::flags, Place::xmm, Memory>(i, wide);
}
template <class O, Place Memory>
Handler to_mmx(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::mmx, Place::xmm, Memory>(i, wide);
}
template <class O>
Handler from_mmx(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::xmm, Place::mmx, Place::m8>(i, wide);
}

template <template <unsigned> class Compare, Place Memory, unsigned... Predicate>
Handler pick_predicate(const Instruction& i, bool wide, std::integer_sequence<unsigned, Predicate...>) {
  using Pick = Handler (*)(const Instruction&, bool);
  static constexpr Pick kPicks[] = {pick_simd_op<Compare<Predicate>, Place::xmm, Place::xmm, Memory>...};
  return kPicks[i.immediate & 7](i, wide);
}
template <template <unsigned> class Compare, Place Memory>
Handler compare(const Instruction& i, bool wide) {
  return pick_predicate<Compare, Memory>(i, wide, std::make_integer_sequence<unsigned, 8>{});
}

}  // namespace

Handler pick_simd_float(const Instruction& i, bool wide) {
  switch (i.mnemonic()) {
#define TUXARIUM_FOUR(name)                                     \
  case Mnemonic::name##ps: return packed<name##ps>(i, wide);    \
  case Mnemonic::name##pd: return packed<name##pd>(i, wide);    \
  case Mnemonic::name##ss: return low4<name##ss>(i, wide);      \
  case Mnemonic::name##sd: return low8<name##sd>(i, wide);
    TUXARIUM_FOUR(add)
    TUXARIUM_FOUR(sub)
    TUXARIUM_FOUR(mul)
    TUXARIUM_FOUR(div)
    TUXARIUM_FOUR(min)
    TUXARIUM_FOUR(max)
    TUXARIUM_FOUR(sqrt)
#undef TUXARIUM_FOUR
    case Mnemonic::cmpps: return compare<cmpps, Place::m16>(i, wide);
    case Mnemonic::cmppd: return compare<cmppd, Place::m16>(i, wide);
    case Mnemonic::cmpss: return compare<cmpss, Place::m4>(i, wide);
    case Mnemonic::cmpsd: return compare<cmpsd, Place::m8>(i, wide);
    case Mnemonic::comiss: return to_flags<comiss, Place::m4>(i, wide);
    case Mnemonic::ucomiss: return to_flags<ucomiss, Place::m4>(i, wide);
    case Mnemonic::comisd: return to_flags<comisd, Place::m8>(i, wide);
    case Mnemonic::ucomisd: return to_flags<ucomisd, Place::m8>(i, wide);
    case Mnemonic::rcpps: return packed<rcpps>(i, wide);
    case Mnemonic::rcpss: return low4<rcpss>(i, wide);
    case Mnemonic::rsqrtps: return packed<rsqrtps>(i, wide);
    case Mnemonic::rsqrtss: return low4<rsqrtss>(i, wide);
    case Mnemonic::cvtps2pd: return low8<cvtps2pd>(i, wide);
    case Mnemonic::cvtpd2ps: return packed<cvtpd2ps>(i, wide);
    case Mnemonic::cvtss2sd: return low4<cvtss2sd>(i, wide);
    case Mnemonic::cvtsd2ss: return low8<cvtsd2ss>(i, wide);
    case Mnemonic::cvtdq2ps: return packed<cvtdq2ps>(i, wide);
    case Mnemonic::cvtps2dq: return packed<cvtps2dq>(i, wide);
    case Mnemonic::cvttps2dq: return packed<cvttps2dq>(i, wide);
    case Mnemonic::cvtdq2pd: return low8<cvtdq2pd>(i, wide);
    case Mnemonic::cvtpd2dq: return packed<cvtpd2dq>(i, wide);
    case Mnemonic::cvttpd2dq: return packed<cvttpd2dq>(i, wide);
    case Mnemonic::cvtsi2ss: return from_integer<cvtsi2ss>(i, wide);
    case Mnemonic::cvtsi2sd: return from_integer<cvtsi2sd>(i, wide);
    case Mnemonic::cvtss2si: return to_integer<cvtss2si, Place::m4>(i, wide);
    case Mnemonic::cvttss2si: return to_integer<cvttss2si, Place::m4>(i, wide);
    case Mnemonic::cvtsd2si: return to_integer<cvtsd2si, Place::m8>(i, wide);
    case Mnemonic::cvttsd2si: return to_integer<cvttsd2si, Place::m8>(i, wide);
    case Mnemonic::cvtpi2ps: return from_mmx<cvtpi2ps>(i, wide);
    case Mnemonic::cvtpi2pd: return from_mmx<cvtpi2pd>(i, wide);
    case Mnemonic::cvtps2pi: return to_mmx<cvtps2pi, Place::m8>(i, wide);
    case Mnemonic::cvttps2pi: return to_mmx<cvttps2pi, Place::m8>(i, wide);
    case Mnemonic::cvtpd2pi: return to_mmx<cvtpd2pi, Place::m16>(i, wide);
    case Mnemonic::cvttpd2pi: return to_mmx<cvttpd2pi, Place::m16>(i, wide);
    case Mnemonic::haddps: return packed<haddps>(i, wide);
    case Mnemonic::haddpd: return packed<haddpd>(i, wide);
    case Mnemonic::hsubps: return packed<hsubps>(i, wide);
    case Mnemonic::hsubpd: return packed<hsubpd>(i, wide);
    case Mnemonic::addsubps: return packed<addsubps>(i, wide);
    case Mnemonic::addsubpd: return packed<addsubpd>(i, wide);
    default: return nullptr;
  }
}

#else

Handler pick_simd_float(const Instruction&, bool) { return nullptr; }

#endif

}  // namespace tuxarium::cpu
