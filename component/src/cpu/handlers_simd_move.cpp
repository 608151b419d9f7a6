// Moves between MMX, XMM and general registers and memory, with the non-temporal ones, which are plain stores here, and the masked ones.

#include "cpu/simd_handlers.hpp"

namespace tuxarium::cpu {

namespace {

using namespace simd;

/// A whole register to or from another or memory.
template <Place Memory>
Handler whole_register(const Instruction& i, bool wide) {
  if (i.row->operand[0] == Operand::Vdq) return pick_simd_op<Take, Place::xmm, Place::xmm, Memory>(i, wide);
  return i.is_memory ? pick_simd_store<Take, Memory, Place::xmm>(wide) : simd_op<Take, Place::xmm, Place::xmm>;
}

/// MOVSS, MOVSD: from memory with zeros above, between registers the low part alone.
template <class Merge, Place Memory>
Handler scalar(const Instruction& i, bool wide) {
  if (!i.is_memory) return simd_op<Merge, Place::xmm, Place::xmm>;
  if (i.row->operand[0] == Operand::Vdq) return pick_simd_op<Take, Place::xmm, Place::xmm, Memory>(i, wide);
  return pick_simd_store<Take, Memory, Place::xmm>(wide);
}

/// MOVLPS, MOVHPS: half a register from and to memory.
template <class Merge, class Half>
Handler half(const Instruction& i, bool wide) {
  if (i.row->operand[0] == Operand::Vdq) return pick_simd_op<Merge, Place::xmm, Place::xmm, Place::m8>(i, wide);
  return pick_simd_store<Half, Place::m8, Place::xmm>(wide);
}

Handler pick_movd(const Instruction& i, bool wide) {
  switch (i.row->operand[0]) {
    case Operand::Pq: return pick_simd_op<Take, Place::mmx, Place::gpr, Place::m4>(i, wide);
    case Operand::Vdq: return pick_simd_op<Take, Place::xmm, Place::gpr, Place::m4>(i, wide);
    default: break;
  }
  if (i.row->operand[1] == Operand::Pq) return i.is_memory ? pick_simd_store<Take, Place::m4, Place::mmx>(wide) : simd_op<Take, Place::gpr, Place::mmx>;
  return i.is_memory ? pick_simd_store<Take, Place::m4, Place::xmm>(wide) : simd_op<Take, Place::gpr, Place::xmm>;
}

Handler pick_movq(const Instruction& i, bool wide) {
  switch (i.row->operand[0]) {
    case Operand::Pq: return pick_simd_op<Take, Place::mmx, Place::mmx, Place::m8>(i, wide);
    case Operand::Vdq: return pick_simd_op<TakeLow, Place::xmm, Place::xmm, Place::m8>(i, wide);
    case Operand::Qq: return i.is_memory ? pick_simd_store<Take, Place::m8, Place::mmx>(wide) : simd_op<Take, Place::mmx, Place::mmx>;
    default: return i.is_memory ? pick_simd_store<Take, Place::m8, Place::xmm>(wide) : simd_op<TakeLow, Place::xmm, Place::xmm>;
  }
}

Packed sign_bytes(Packed a) { return SignMask<std::uint8_t>::apply(a, a, 0); }

/// MASKMOVQ, MASKMOVDQU: the bytes of the first operand whose byte in the second has its sign bit set, to DS:eDI. All of them can be
/// written, or none is.
template <Place File, unsigned Bytes>
TUXARIUM_COLD const Op* store_masked(Core& c, const Op* op) {
  constexpr bool kMmx = File == Place::mmx;
  if (!simd_ready<kMmx, !kMmx>(c)) return simd_refused<kMmx, !kMmx>(c, op);
  const auto value = split<std::uint8_t>(to_lanes(get_operand<File>(c, op, op->dst)));
  const auto mask = static_cast<std::uint32_t>(low_of(sign_bytes(get_operand<File>(c, op, op->src))));
  for (const bool write : {false, true}) {
    for (unsigned n = 0; n < Bytes; ++n) {
      if ((mask >> n & 1) == 0) continue;
      std::uint32_t linear = 0;
      if (!segment_check(c, op->segment, cut(c.s.gpr[kEdi] + n, op->address_size), 1, Access::write, linear)) return fault(c, op);
      if (!(write ? store_slow(c, linear, value[n], 1, false) : probe_write(c, linear, 1))) return fault(c, op);
    }
  }
  if constexpr (kMmx) enter_mmx(c);
  return op + 1;
}

}  // namespace

Handler pick_simd_move(const Instruction& i, bool wide) {
  switch (i.mnemonic()) {
    case Mnemonic::movaps: case Mnemonic::movapd: case Mnemonic::movdqa: case Mnemonic::movntps: case Mnemonic::movntpd:
    case Mnemonic::movntdq: return whole_register<Place::m16>(i, wide);
    case Mnemonic::movups: case Mnemonic::movupd: case Mnemonic::movdqu: case Mnemonic::lddqu: return whole_register<Place::m16u>(i, wide);
    case Mnemonic::movss: return scalar<MergeLow32, Place::m4>(i, wide);
    case Mnemonic::movsd: return scalar<MergeLow64, Place::m8>(i, wide);
    case Mnemonic::movlps: case Mnemonic::movlpd: return half<MergeLow64, Take>(i, wide);
    case Mnemonic::movhps: case Mnemonic::movhpd: return half<MergeHigh64, TakeHigh>(i, wide);
    case Mnemonic::movlhps: return simd_op<MergeHigh64, Place::xmm, Place::xmm>;
    case Mnemonic::movhlps: return simd_op<MergeHighToLow, Place::xmm, Place::xmm>;
    case Mnemonic::movd: return pick_movd(i, wide);
    case Mnemonic::movq: return pick_movq(i, wide);
    case Mnemonic::movntq: return pick_simd_store<Take, Place::m8, Place::mmx>(wide);
    case Mnemonic::movnti: return pick_simd_store<Take, Place::m4, Place::gpr>(wide);
    case Mnemonic::movq2dq: return simd_op<Take, Place::xmm, Place::mmx>;
    case Mnemonic::movdq2q: return simd_op<Take, Place::mmx, Place::xmm>;
    case Mnemonic::movddup: return pick_simd_op<DuplicateLow, Place::xmm, Place::xmm, Place::m8>(i, wide);
    case Mnemonic::movsldup: return pick_simd_op<DuplicateSingles<0>, Place::xmm, Place::xmm, Place::m16>(i, wide);
    case Mnemonic::movshdup: return pick_simd_op<DuplicateSingles<1>, Place::xmm, Place::xmm, Place::m16>(i, wide);
    case Mnemonic::maskmovq: return step_out<store_masked<Place::mmx, 8>>;
    case Mnemonic::maskmovdqu: return step_out<store_masked<Place::xmm, 16>>;
    default: return nullptr;
  }
}

}  // namespace tuxarium::cpu
