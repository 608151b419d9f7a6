// Integer arithmetic, comparison, packing, shuffling and shifts of MMX and SSE2, and the bitwise operations of SSE, which are the same.

#include "cpu/simd_handlers.hpp"

namespace tuxarium::cpu {

namespace {

using namespace simd;

Packed spread(Packed a) { return join_low(a, from_low(low_of(a) >> 32)); }

/// The MMX instruction that belongs to a 128-bit operation.
template <class O>
struct OfMmx {
  static Packed apply(Packed a, Packed b, std::uint32_t imm) {
    if constexpr (O::kNarrow == Narrow::low) return O::apply(a, b, imm);
    if constexpr (O::kNarrow == Narrow::spread) return O::apply(spread(a), spread(b), imm);
    if constexpr (O::kNarrow == Narrow::joined) {
      const Packed both = join_low(a, b);
      return O::apply(both, both, imm);
    }
  }
};

bool is_mmx(const Instruction& i) {
  const Operand first = i.row->operand[0];
  return first == Operand::Pq || first == Operand::Nq;
}

template <class O>
Handler packed_xmm(const Instruction& i, bool wide) {
  return pick_simd_op<O, Place::xmm, Place::xmm, Place::m16>(i, wide);
}

/// On MMX or XMM registers.
template <class O>
Handler packed(const Instruction& i, bool wide) {
  return is_mmx(i) ? pick_simd_op<OfMmx<O>, Place::mmx, Place::mmx, Place::m8>(i, wide) : packed_xmm<O>(i, wide);
}

template <class O>
Handler unpack_low(const Instruction& i, bool wide) {
  return is_mmx(i) ? pick_simd_op<OfMmx<O>, Place::mmx, Place::mmx, Place::m4>(i, wide) : packed_xmm<O>(i, wide);
}

template <class O>
Handler shift(const Instruction& i, bool wide) {
  if (i.row->operand[1] != Operand::Ib) return packed<O>(i, wide);
  return is_mmx(i) ? simd_op<O, Place::mmx, Place::imm> : simd_op<O, Place::xmm, Place::imm>;
}

/// To a general register from an MMX or XMM register.
template <class Mmx, class Xmm>
Handler to_general(const Instruction& i) {
  return i.row->operand[1] == Operand::Nq ? simd_op<Mmx, Place::gpr, Place::mmx> : simd_op<Xmm, Place::gpr, Place::xmm>;
}

}  // namespace

Handler pick_simd_integer(const Instruction& i, bool wide) {
  switch (i.mnemonic()) {
#define TUXARIUM_CASE(kind, name) \
  case Mnemonic::name: return kind<name>(i, wide);
    TUXARIUM_CASE(packed, paddb)
    TUXARIUM_CASE(packed, paddw)
    TUXARIUM_CASE(packed, paddd)
    TUXARIUM_CASE(packed, paddq)
    TUXARIUM_CASE(packed, paddsb)
    TUXARIUM_CASE(packed, paddsw)
    TUXARIUM_CASE(packed, paddusb)
    TUXARIUM_CASE(packed, paddusw)
    TUXARIUM_CASE(packed, psubb)
    TUXARIUM_CASE(packed, psubw)
    TUXARIUM_CASE(packed, psubd)
    TUXARIUM_CASE(packed, psubq)
    TUXARIUM_CASE(packed, psubsb)
    TUXARIUM_CASE(packed, psubsw)
    TUXARIUM_CASE(packed, psubusb)
    TUXARIUM_CASE(packed, psubusw)
    TUXARIUM_CASE(packed, pmullw)
    TUXARIUM_CASE(packed, pmulhw)
    TUXARIUM_CASE(packed, pmulhuw)
    TUXARIUM_CASE(packed, pmuludq)
    TUXARIUM_CASE(packed, pmaddwd)
    TUXARIUM_CASE(packed, psadbw)
    TUXARIUM_CASE(packed, pminub)
    TUXARIUM_CASE(packed, pmaxub)
    TUXARIUM_CASE(packed, pminsw)
    TUXARIUM_CASE(packed, pmaxsw)
    TUXARIUM_CASE(packed, pavgb)
    TUXARIUM_CASE(packed, pavgw)
    TUXARIUM_CASE(packed, pcmpeqb)
    TUXARIUM_CASE(packed, pcmpeqw)
    TUXARIUM_CASE(packed, pcmpeqd)
    TUXARIUM_CASE(packed, pcmpgtb)
    TUXARIUM_CASE(packed, pcmpgtw)
    TUXARIUM_CASE(packed, pcmpgtd)
    TUXARIUM_CASE(packed, pand)
    TUXARIUM_CASE(packed, pandn)
    TUXARIUM_CASE(packed, por)
    TUXARIUM_CASE(packed, pxor)
    TUXARIUM_CASE(packed, packsswb)
    TUXARIUM_CASE(packed, packuswb)
    TUXARIUM_CASE(packed, packssdw)
    TUXARIUM_CASE(packed, punpckhbw)
    TUXARIUM_CASE(packed, punpckhwd)
    TUXARIUM_CASE(packed, punpckhdq)
    TUXARIUM_CASE(unpack_low, punpcklbw)
    TUXARIUM_CASE(unpack_low, punpcklwd)
    TUXARIUM_CASE(unpack_low, punpckldq)
    TUXARIUM_CASE(packed_xmm, punpcklqdq)
    TUXARIUM_CASE(packed_xmm, punpckhqdq)
    TUXARIUM_CASE(shift, psllw)
    TUXARIUM_CASE(shift, pslld)
    TUXARIUM_CASE(shift, psllq)
    TUXARIUM_CASE(shift, psrlw)
    TUXARIUM_CASE(shift, psrld)
    TUXARIUM_CASE(shift, psrlq)
    TUXARIUM_CASE(shift, psraw)
    TUXARIUM_CASE(shift, psrad)
    TUXARIUM_CASE(packed_xmm, pshufd)
    TUXARIUM_CASE(packed_xmm, pshuflw)
    TUXARIUM_CASE(packed_xmm, pshufhw)
    TUXARIUM_CASE(packed_xmm, shufps)
    TUXARIUM_CASE(packed_xmm, shufpd)
#undef TUXARIUM_CASE
    case Mnemonic::pshufw: return pick_simd_op<OfMmx<pshuflw>, Place::mmx, Place::mmx, Place::m8>(i, wide);
    case Mnemonic::pslldq: return simd_op<ByteShift<true>, Place::xmm, Place::imm>;
    case Mnemonic::psrldq: return simd_op<ByteShift<false>, Place::xmm, Place::imm>;
    case Mnemonic::pinsrw:
      return is_mmx(i) ? pick_simd_op<InsertWord<4>, Place::mmx, Place::gpr, Place::m2>(i, wide)
                       : pick_simd_op<InsertWord<8>, Place::xmm, Place::gpr, Place::m2>(i, wide);
    case Mnemonic::pextrw: return to_general<ExtractWord<4>, ExtractWord<8>>(i);
    case Mnemonic::pmovmskb: return to_general<SignMask<std::uint8_t>, SignMask<std::uint8_t>>(i);
    case Mnemonic::movmskps: return simd_op<SignMask<std::uint32_t>, Place::gpr, Place::xmm>;
    case Mnemonic::movmskpd: return simd_op<SignMask<std::uint64_t>, Place::gpr, Place::xmm>;
    case Mnemonic::andps: case Mnemonic::andpd: return packed_xmm<pand>(i, wide);
    case Mnemonic::andnps: case Mnemonic::andnpd: return packed_xmm<pandn>(i, wide);
    case Mnemonic::orps: case Mnemonic::orpd: return packed_xmm<por>(i, wide);
    case Mnemonic::xorps: case Mnemonic::xorpd: return packed_xmm<pxor>(i, wide);
    case Mnemonic::unpcklps: return packed_xmm<punpckldq>(i, wide);
    case Mnemonic::unpckhps: return packed_xmm<punpckhdq>(i, wide);
    case Mnemonic::unpcklpd: return packed_xmm<punpcklqdq>(i, wide);
    case Mnemonic::unpckhpd: return packed_xmm<punpckhqdq>(i, wide);
    default: return nullptr;
  }
}

}  // namespace tuxarium::cpu
