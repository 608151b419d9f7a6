// From bytes to Instruction. Intel SDM volume 2, chapter 2 (formats) and appendix A (maps).
#include <array>

#include "cpu/instruction.hpp"

namespace tuxarium::cpu {

namespace {

constexpr int any = -1;
constexpr bool lock = true, plain = false;

constexpr InstructionRow kRows[] = {
    {OpcodeMap::one, 0, 0, -1, RmForm::any, MandatoryPrefix::any, Mnemonic::invalid, {Operand::none, Operand::none, Operand::none}, Feature::base, false, "(bad)"},
#define FORM_any RmForm::any
#define FORM_mem RmForm::mem
#define FORM_reg RmForm::reg
#define ROW_N(n, map_, prefix_, opcode_, ext_, form_, name_, a, b, c, feature_, attr)                                                     \
  {OpcodeMap::map_, static_cast<std::uint8_t>(opcode_), n, ext_, FORM_##form_, MandatoryPrefix::prefix_, Mnemonic::name_,                   \
   {Operand::a, Operand::b, Operand::c}, Feature::feature_, attr, #name_},
#define ROW(map_, opcode_, ext_, form_, name_, a, b, c, feature_, attr) \
  ROW_N(1, map_, any, opcode_, ext_, form_, name_, a, b, c, feature_, attr)
#define RANGE8(map_, opcode_, ext_, form_, name_, a, b, c, feature_, attr) \
  ROW_N(8, map_, any, opcode_, ext_, form_, name_, a, b, c, feature_, attr)
#define PREFIXED(prefix_, opcode_, ext_, form_, name_, a, b, c, feature_) \
  ROW_N(1, two, prefix_, opcode_, ext_, form_, name_, a, b, c, feature_, plain)
#include "cpu/instruction_table.def"
#undef ROW_N
#undef FORM_any
#undef FORM_mem
#undef FORM_reg
};

constexpr bool uses_modrm(Operand o) {
  if (o >= Operand::none_modrm) return true;
  return o >= Operand::Eb && o <= Operand::Sw;
}

/// Map one, then map two once for each choice of mandatory prefix.
constexpr std::size_t kPlaneSize = 256, kPlanes = 5;

/// The plane of map two for a row; np is the first.
constexpr std::size_t plane_of(MandatoryPrefix prefix) { return static_cast<std::size_t>(prefix); }

struct Lookup {
  std::array<std::uint16_t, kPlanes * kPlaneSize * 16> row{};  // [plane][opcode][reg][is register form]; 0 = none
  std::array<bool, 2 * kPlaneSize> modrm{};                    // [map][opcode]
};

constexpr void enter_row(Lookup& lookup, std::uint16_t number, std::size_t plane) {
  const InstructionRow& row = kRows[number];
  for (unsigned n = 0; n < row.opcode_count; ++n) {
    const std::size_t slot = plane * kPlaneSize + row.opcode + n;
    for (unsigned reg = 0; reg < 8; ++reg) {
      if (row.ext >= 0 && reg != static_cast<unsigned>(row.ext)) continue;
      if (row.form != RmForm::reg) lookup.row[slot * 16 + reg * 2] = number;
      if (row.form != RmForm::mem) lookup.row[slot * 16 + reg * 2 + 1] = number;
    }
  }
}

constexpr Lookup build_lookup() {
  Lookup lookup;
  for (std::uint16_t r = 1; r < std::size(kRows); ++r) {
    const InstructionRow& row = kRows[r];
    if (row.ext >= 0 || uses_modrm(row.operand[0]) || uses_modrm(row.operand[1]) || uses_modrm(row.operand[2])) {
      for (unsigned n = 0; n < row.opcode_count; ++n) lookup.modrm[static_cast<std::size_t>(row.map) * kPlaneSize + row.opcode + n] = true;
    }
    if (row.map == OpcodeMap::one) {
      enter_row(lookup, r, 0);
    } else if (row.prefix != MandatoryPrefix::any) {
      enter_row(lookup, r, plane_of(row.prefix));
    } else {
      for (std::size_t plane = 1; plane < kPlanes; ++plane) enter_row(lookup, r, plane);
    }
  }
  return lookup;
}

constexpr Lookup kLookup = build_lookup();

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
  bool byte(std::uint8_t& out) {
    if (position_ >= bytes_.size()) {
      failed_ = true;
      return false;
    }
    out = bytes_[position_++];
    return true;
  }
  /// Little-endian value of 1, 2 or 4 bytes.
  std::uint32_t value(unsigned size) {
    std::uint32_t v = 0;
    std::uint8_t b = 0;
    for (unsigned i = 0; i < size; ++i) {
      if (byte(b)) v |= std::uint32_t{b} << (8 * i);
    }
    return v;
  }
  std::uint32_t signed_byte() { return static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<std::int8_t>(value(1)))); }
  std::size_t position() const { return position_; }
  bool failed() const { return failed_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

constexpr std::uint8_t kNoReg = 8;

void decode_memory16(Reader& in, Instruction& i) {
  constexpr std::uint8_t kBase[8] = {3, 3, 5, 5, 6, 7, 5, 3};
  constexpr std::uint8_t kIndex[8] = {6, 7, 6, 7, kNoReg, kNoReg, kNoReg, kNoReg};
  const unsigned mod = i.modrm >> 6, rm = i.modrm & 7;
  i.base = kBase[rm];
  i.index = kIndex[rm];
  if (mod == 0 && rm == 6) {
    i.base = kNoReg;
    i.displacement = in.value(2);
  } else if (mod == 1) {
    i.displacement = in.signed_byte();
  } else if (mod == 2) {
    i.displacement = in.value(2);
  }
  if (!i.segment_overridden && i.base == 5) i.segment = 2;
}

void decode_memory32(Reader& in, Instruction& i) {
  const unsigned mod = i.modrm >> 6;
  std::uint8_t base = i.modrm & 7;
  if (base == 4) {
    const auto sib = static_cast<std::uint8_t>(in.value(1));
    base = sib & 7;
    i.scale = sib >> 6;
    i.index = (sib >> 3 & 7) == 4 ? kNoReg : (sib >> 3 & 7);
  }
  if (base == 5 && mod == 0) {
    base = kNoReg;
    i.displacement = in.value(4);
  } else if (mod == 1) {
    i.displacement = in.signed_byte();
  } else if (mod == 2) {
    i.displacement = in.value(4);
  }
  i.base = base;
  if (!i.segment_overridden && (base == 4 || base == 5)) i.segment = 2;
}

void decode_operand(Reader& in, Operand kind, Instruction& i) {
  switch (kind) {
    case Operand::Ib: i.immediate = in.value(1); break;
    case Operand::Ib2: i.immediate2 = in.value(1); break;
    case Operand::Iw: i.immediate = in.value(2); break;
    case Operand::sIb:
    case Operand::Jb: i.immediate = in.signed_byte(); break;
    case Operand::Iz: i.immediate = in.value(i.operand_size); break;
    case Operand::Jz:
      i.immediate = in.value(i.operand_size);
      if (i.operand_size == 2) i.immediate = static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<std::int16_t>(i.immediate)));
      break;
    case Operand::Ap:
      i.immediate = in.value(i.operand_size);
      i.immediate2 = in.value(2);
      break;
    case Operand::Ob:
    case Operand::Ov:
      i.is_memory = true;
      i.displacement = in.value(i.address_size);
      break;
    default: break;
  }
}

}  // namespace

std::span<const InstructionRow> instruction_table() { return kRows; }

DecodeStatus decode(std::span<const std::uint8_t> bytes, bool code32, std::uint32_t features, Instruction& out) {
  out = Instruction{};
  Instruction& i = out;
  bool operand_prefix = false, address_prefix = false;
  const std::size_t available = bytes.size();
  if (available > kMaxInstructionLength) bytes = bytes.first(kMaxInstructionLength);
  Reader in{bytes};
  const DecodeStatus end = available >= kMaxInstructionLength ? DecodeStatus::too_long : DecodeStatus::truncated;

  std::uint8_t opcode = 0;
  for (bool prefix = true; prefix;) {
    if (!in.byte(opcode)) return end;
    switch (opcode) {
      case 0x26: case 0x2e: case 0x36: case 0x3e:
        i.segment = opcode >> 3 & 3;
        i.segment_overridden = true;
        break;
      case 0x64: case 0x65:
        i.segment = opcode & 7;
        i.segment_overridden = true;
        break;
      case 0x66: operand_prefix = true; break;
      case 0x67: address_prefix = true; break;
      case 0xf0: i.lock = true; break;
      case 0xf2: i.repeat = Repeat::repne; break;
      case 0xf3: i.repeat = Repeat::rep; break;
      default: prefix = false; break;
    }
  }
  i.operand_size = code32 != operand_prefix ? 4 : 2;
  i.address_size = code32 != address_prefix ? 4 : 2;

  std::size_t slot = opcode, map = 0;
  if (opcode == 0x0f) {
    if (!in.byte(opcode)) return end;
    const MandatoryPrefix prefix = i.repeat == Repeat::rep     ? MandatoryPrefix::pf3
                                   : i.repeat == Repeat::repne ? MandatoryPrefix::pf2
                                   : operand_prefix            ? MandatoryPrefix::p66
                                                               : MandatoryPrefix::np;
    slot = plane_of(prefix) * kPlaneSize + opcode;
    map = 1;
  }
  i.opcode = opcode;
  unsigned column = 0;
  const bool has_modrm = kLookup.modrm[map * kPlaneSize + opcode];
  if (has_modrm) {
    if (!in.byte(i.modrm)) return end;
    i.reg = i.modrm >> 3 & 7;
    i.rm = i.modrm & 7;
    column = i.reg * 2u + (i.modrm >= 0xc0 ? 1 : 0);
  }
  const InstructionRow& row = kRows[kLookup.row[slot * 16 + column]];
  i.row = &row;
  if (row.mnemonic == Mnemonic::invalid || (features & feature_bit(row.feature)) == 0) return DecodeStatus::invalid;
  if (has_modrm && i.modrm < 0xc0 && row.operand[0] != Operand::Rd && row.operand[1] != Operand::Rd) {
    i.is_memory = true;
    if (i.address_size == 2) {
      decode_memory16(in, i);
    } else {
      decode_memory32(in, i);
    }
  }
  for (Operand kind : row.operand) decode_operand(in, kind, i);
  if (in.failed()) return end;
  if (i.lock && !(row.lockable && i.is_memory)) return DecodeStatus::invalid;
  i.length = static_cast<std::uint8_t>(in.position());
  return DecodeStatus::ok;
}

}  // namespace tuxarium::cpu
