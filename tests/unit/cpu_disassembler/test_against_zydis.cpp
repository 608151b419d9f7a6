// Every row of the instruction table, in random encodings, against Zydis's Intel formatter: length and text.
//
// Both write the same language but for the spellings that normalise_zydis() and normalise_ours() list.
#include <doctest/doctest.h>

#include <cstdio>

#ifdef TUXARIUM_TEST_ZYDIS

#include <Zydis/Zydis.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/disassembler.hpp"
#include "unit/cpu/encoding.hpp"

using namespace tuxarium::cpu;

namespace {

constexpr std::uint32_t kAllFeatures = ~0u;
constexpr std::uint32_t kSeed = 20110516;
constexpr int kEncodingsPerRow = 400;
constexpr int kMostReports = 40;

using Rng = std::mt19937;
unsigned below(Rng& rng, unsigned n) { return static_cast<unsigned>(rng() % n); }

// ---- text --------------------------------------------------------------------------------------------------------------------

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
}

std::string first_word(const std::string& text) { return text.substr(0, text.find(' ')); }

void cut_after(std::string& text, std::string_view part) {
  if (const std::size_t at = text.find(part); at != std::string::npos) text.resize(at);
}

bool is_string_or_xlat(Mnemonic m) {
  switch (m) {
    case Mnemonic::movs: case Mnemonic::cmps: case Mnemonic::stos: case Mnemonic::lods: case Mnemonic::scas: case Mnemonic::ins:
    case Mnemonic::outs: case Mnemonic::xlat: return true;
    default: return false;
  }
}

/// Conditions: Zydis takes the SDM's other name.
void rename_condition(std::string& text) {
  static constexpr std::array<std::array<std::string_view, 2>, 6> kConditions{
      {{"z", "e"}, {"nz", "ne"}, {"nb", "ae"}, {"nbe", "a"}, {"nl", "ge"}, {"nle", "g"}}};
  const std::string word = first_word(text);
  for (const std::string_view stem : {"j", "set", "cmov"}) {
    for (const auto& [theirs, ours] : kConditions) {
      if (word == std::string(stem).append(theirs)) text = std::string(stem).append(ours) + text.substr(word.size());
    }
  }
}

/// x87: st(1) for st1, the official names of the obsolete no-operations, no second operand of FUCOMP.
void rename_x87(std::string& text) {
  for (char n = '0'; n <= '7'; ++n) replace_all(text, std::string(" st") + n, std::string(" st(") + n + ")");
  if (text.starts_with("fucomp st(0), ")) replace_all(text, "st(0), ", "");
  for (const auto& [theirs, ours] : {std::pair{"feni8087_nop", "fneni"}, {"fdisi8087_nop", "fndisi"}, {"fsetpm287_nop", "fnsetpm"}}) {
    if (text == theirs) text = ours;
  }
}

/// Without a base, a displacement is an address: unsigned.
void make_address_unsigned(std::string& text) {
  const std::size_t star = text.find('*');
  const std::size_t open = text.rfind('[', star);
  if (star == std::string::npos || text.substr(open, star - open).find('+') != std::string::npos) return;
  const std::size_t minus = star + 2;
  if (text[minus] != '-') return;
  std::uint32_t value = 0;
  std::from_chars(text.data() + minus + 3, text.data() + text.size(), value, 16);
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "+0x%x", 0u - value);
  text = text.substr(0, minus) + digits.data() + text.substr(text.find(']'));
}

void cut_leading_zeros(std::string& text) {
  for (std::size_t at = 0; (at = text.find("0x0", at)) != std::string::npos;) {
    const bool last_digit = at + 3 == text.size() || std::isxdigit(static_cast<unsigned char>(text[at + 3])) == 0;
    if (last_digit) {
      at += 3;
    } else {
      text.erase(at + 2, 1);
    }
  }
}

/// Branch targets of 32-bit code wrap at 4 GiB.
void wrap_branch(std::string& text) {
  const std::size_t digits = text.rfind("0x") + 2;
  if (text.size() > digits + 8) text.erase(digits, text.size() - digits - 8);
  cut_leading_zeros(text);
}

/// 0F 1A, 0F 1B and 0F 1E with a register: Zydis names ModRM.reg, or 16 bits whatever the prefix, after later meanings of these hints.
bool operand_is_unsure(const Instruction& i) {
  return i.mnemonic() == Mnemonic::nop && !i.is_memory && (i.opcode == 0x1a || i.opcode == 0x1b || i.opcode == 0x1e);
}

std::string normalise_zydis(std::string text, const Instruction& i) {
  rename_condition(text);
  switch (i.mnemonic()) {
    case Mnemonic::x87: rename_x87(text); break;
    // CLFLUSH: the SDM's m8, not the line.
    case Mnemonic::clflush: replace_all(text, "zmmword", "byte"); break;
    case Mnemonic::retf: replace_all(text, "ret far", "retf"); break;
    // One operand, as in the SDM; the hints of later processors are no-operations to this one.
    case Mnemonic::nop:
      if (text.starts_with("prefetch")) {
        text = "nop " + text.substr(text.find(' ') + 1);
        replace_all(text, "byte ptr", i.operand_size == 2 ? "word ptr" : "dword ptr");
      }
      cut_after(text, operand_is_unsure(i) ? " " : ", ");
      break;
    default: break;
  }
  // Shift by one: the form without an immediate byte has a 1 and not a 0x1.
  if (i.row->operand[1] == Operand::one_ && text.ends_with(", 0x1")) text.replace(text.size() - 5, 5, ", 1");
  if (i.row->operand[0] == Operand::Jb || i.row->operand[0] == Operand::Jz) wrap_branch(text);
  // Far pointers: no leading zeros.
  if (i.row->operand[0] == Operand::Ap) cut_leading_zeros(text);
  make_address_unsigned(text);
  replace_all(text, "*1", "");
  return text;
}

std::string normalise_ours(std::string text, const Instruction& i) {
  switch (i.mnemonic()) {
    // Source registers: Zydis shows 32 bits, of which the instruction uses 16.
    case Mnemonic::lar:
    case Mnemonic::lsl:
      if (!i.is_memory && i.operand_size == 4) text.insert(text.find(", ") + 2, "e");
      break;
    case Mnemonic::nop:
      if (operand_is_unsure(i)) cut_after(text, " ");
      break;
    // UD1: Zydis ignores the operand size.
    case Mnemonic::ud1:
      if (i.operand_size == 2) {
        Instruction wide = i;
        wide.operand_size = 4;
        text = disassemble(wide, 0);
      }
      break;
    default: break;
  }
  // String instructions: Zydis writes no operands; its hidden memory operands are compared instead.
  if (is_string_or_xlat(i.mnemonic())) {
    for (const std::string_view reg : {", eax", ", ax", ", al", ", dx"}) {
      if (text.ends_with(reg)) text.resize(text.size() - reg.size());
    }
    for (const std::string_view reg : {" eax,", " ax,", " al,", " dx,"}) replace_all(text, reg, "");
  }
  return text;
}

// ---- Zydis -------------------------------------------------------------------------------------------------------------------

struct Text {
  bool valid = false;
  unsigned length = 0;
  std::string text;
};

class Reference {
 public:
  explicit Reference(bool code32) {
    ZydisDecoderInit(&decoder_, code32 ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LEGACY_16,
                     code32 ? ZYDIS_STACK_WIDTH_32 : ZYDIS_STACK_WIDTH_16);
    // Extensions later than the P6.
    for (const ZydisDecoderMode mode : {ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYDIS_DECODER_MODE_KNC, ZYDIS_DECODER_MODE_MPX,
                                        ZYDIS_DECODER_MODE_CET, ZYDIS_DECODER_MODE_LZCNT, ZYDIS_DECODER_MODE_TZCNT,
                                        ZYDIS_DECODER_MODE_WBNOINVD, ZYDIS_DECODER_MODE_CLDEMOTE})
      ZydisDecoderEnableMode(&decoder_, mode, ZYAN_FALSE);
    ZydisFormatterInit(&formatter_, ZYDIS_FORMATTER_STYLE_INTEL);
    set(ZYDIS_FORMATTER_PROP_FORCE_SIZE, ZYAN_TRUE);
    set(ZYDIS_FORMATTER_PROP_IMM_SIGNEDNESS, ZYDIS_SIGNEDNESS_UNSIGNED);
    set(ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
    set(ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED);
    set(ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
    set(ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED);
  }

  Text disassemble(const std::vector<std::uint8_t>& bytes, std::uint32_t eip, const Instruction& ours) const {
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, bytes.data(), bytes.size(), &instruction, operands.data()))) return {};
    std::array<char, 256> buffer{};
    ZydisFormatterFormatInstruction(&formatter_, &instruction, operands.data(), instruction.operand_count_visible, buffer.data(),
                                    buffer.size(), eip, nullptr);
    Text result{true, instruction.length, buffer.data()};
    if (is_string_or_xlat(ours.mnemonic())) {
      const char* separator = " ";
      for (unsigned n = 0; n < instruction.operand_count; ++n) {
        if (operands[n].type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
        ZydisFormatterFormatOperand(&formatter_, &instruction, &operands[n], buffer.data(), buffer.size(), eip, nullptr);
        result.text += separator + std::string(buffer.data());
        separator = ", ";
      }
    }
    return result;
  }

 private:
  void set(ZydisFormatterProperty property, ZyanUPointer value) { ZydisFormatterSetProperty(&formatter_, property, value); }

  ZydisDecoder decoder_{};
  ZydisFormatter formatter_{};
};

// ---- encodings ---------------------------------------------------------------------------------------------------------------

/// A random encoding of `row`, with bytes to spare at its end. REP and REPNE only where they mean repetition: elsewhere they choose other
/// instructions of later processors.
std::vector<std::uint8_t> random_encoding(Rng& rng, const InstructionRow& row) {
  std::vector<std::uint8_t> bytes;
  std::uint8_t modrm = static_cast<std::uint8_t>(rng());
  if (row.ext >= 0) modrm = static_cast<std::uint8_t>((modrm & 0xc7) | row.ext << 3);
  if (row.form == RmForm::reg) modrm |= 0xc0;
  if (row.form == RmForm::mem && modrm >= 0xc0) modrm = static_cast<std::uint8_t>(modrm - 0x40 * (1 + below(rng, 3)));

  if (tuxarium::tests::has_operand_size(row) && below(rng, 3) == 0) bytes.push_back(0x66);
  if (const std::uint8_t mandatory = tuxarium::tests::mandatory_byte(row); mandatory != 0) bytes.push_back(mandatory);
  if (below(rng, 3) == 0) bytes.push_back(0x67);
  if (below(rng, 3) == 0) bytes.push_back(std::array<std::uint8_t, 6>{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}[below(rng, 6)]);
  if (row.lockable && modrm < 0xc0 && below(rng, 3) == 0) bytes.push_back(0xf0);
  if (is_string_or_xlat(row.mnemonic) && row.mnemonic != Mnemonic::xlat && below(rng, 2) == 0)
    bytes.push_back(static_cast<std::uint8_t>(0xf2 + below(rng, 2)));
  std::shuffle(bytes.begin(), bytes.end(), rng);

  if (row.map == OpcodeMap::two) bytes.push_back(0x0f);
  bytes.push_back(static_cast<std::uint8_t>(row.opcode + below(rng, row.opcode_count)));
  bytes.push_back(modrm);
  while (bytes.size() < 24) {
    const auto byte = static_cast<std::uint8_t>(rng());
    bytes.push_back(below(rng, 4) == 0 ? std::array<std::uint8_t, 4>{0, 0xff, 0x80, 0x7f}[byte & 3] : byte);
  }
  return bytes;
}

std::string hex_bytes(const std::vector<std::uint8_t>& bytes, std::size_t count) {
  std::string text;
  for (std::size_t n = 0; n < std::min(count, bytes.size()); ++n) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x ", bytes[n]);
    text += digits.data();
  }
  return text;
}

struct Tally {
  std::size_t compared = 0;
  std::size_t different = 0;
};

/// True when both sides give text, and not both reject the encoding.
bool compare(Rng& rng, const Reference& reference, const InstructionRow& row, bool code32, Tally& tally) {
  const std::vector<std::uint8_t> bytes = random_encoding(rng, row);
  const std::uint32_t eip = static_cast<std::uint32_t>(rng()) & (code32 ? 0xffffffff : 0xffff);
  Instruction i;
  const DecodeStatus status = decode(bytes, code32, kAllFeatures, i);
  const std::string ours = status == DecodeStatus::ok ? disassemble(i, eip) : std::string("not decoded");
  CHECK(i.row == &row);
  const Text theirs = reference.disassemble(bytes, eip, i);
  const std::string expected = theirs.valid ? normalise_zydis(theirs.text, i) : std::string(kBadInstruction);
  const bool bad = expected == kBadInstruction;
  ++tally.compared;
  if (normalise_ours(ours, i) != expected || (!bad && theirs.length != i.length)) {
    if (++tally.different <= kMostReports) {
      MESSAGE((code32 ? "32-bit: " : "16-bit: ") << hex_bytes(bytes, 15) << "| " << ours << " (" << int{i.length} << ") | Zydis: " << theirs.text
                                               << " (" << theirs.length << ") = " << expected);
    }
  }
  return !bad;
}

}  // namespace

TEST_CASE("every row of the instruction table reads as Zydis writes it") {
  std::printf("seed %u\n", kSeed);
  Rng rng{kSeed};
  Tally tally;
  for (const bool code32 : {false, true}) {
    const Reference reference{code32};
    for (const InstructionRow& row : instruction_table().subspan(1)) {
      int with_text = 0;
      for (int n = 0; n < kEncodingsPerRow; ++n) with_text += compare(rng, reference, row, code32, tally) ? 1 : 0;
      CAPTURE(row.name);
      CHECK(with_text >= kEncodingsPerRow / 4);
    }
  }
  std::printf("%zu encodings of %zu rows\n", tally.compared, instruction_table().size() - 1);
  CHECK(tally.different == 0);
}

#else

TEST_CASE("every row of the instruction table reads as Zydis writes it") { std::puts("skipped: no Zydis"); }

#endif
