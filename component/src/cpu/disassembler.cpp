#include "cpu/disassembler.hpp"

#include <array>
#include <charconv>

#include "cpu/x87_names.hpp"

namespace tuxarium::cpu {

namespace {

constexpr std::uint8_t kNoRegister = 8;
constexpr unsigned kSegmentCs = 1, kSegments = 6;

constexpr std::array<const char*, 8> kByteRegisters{"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
constexpr std::array<const char*, 8> kWordRegisters{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
constexpr std::array<const char*, 8> kDwordRegisters{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
constexpr std::array<const char*, kSegments> kSegmentRegisters{"es", "cs", "ss", "ds", "fs", "gs"};

const char* general_register(unsigned number, unsigned size) {
  return size == 1 ? kByteRegisters[number & 7u] : size == 2 ? kWordRegisters[number & 7u] : kDwordRegisters[number & 7u];
}

const char* size_word(unsigned bytes) {
  switch (bytes) {
    case 1: return "byte";
    case 2: return "word";
    case 4: return "dword";
    case 6: return "fword";
    case 8: return "qword";
    case 16: return "xmmword";
    default: return "";
  }
}

std::uint32_t cut_to(std::uint32_t value, unsigned size) { return size == 2 ? value & 0xffff : value; }

std::string hex(std::uint32_t value) {
  std::array<char, 8> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

struct NameBySize {
  Mnemonic mnemonic;
  const char* narrow;
  const char* wide;
};

/// Mnemonics that the operand size changes, and rows whose name in the table is not the mnemonic.
constexpr NameBySize kNames[] = {
    {Mnemonic::cbw, "cbw", "cwde"},       {Mnemonic::cwd, "cwd", "cdq"},
    {Mnemonic::pusha, "pusha", "pushad"}, {Mnemonic::popa, "popa", "popad"},
    {Mnemonic::pushf, "pushf", "pushfd"}, {Mnemonic::popf, "popf", "popfd"},
    {Mnemonic::iret, "iret", "iretd"},    {Mnemonic::push_seg, "push", "push"},
    {Mnemonic::pop_seg, "pop", "pop"},    {Mnemonic::mov_from_seg, "mov", "mov"},
    {Mnemonic::mov_to_seg, "mov", "mov"}, {Mnemonic::mov_from_cr, "mov", "mov"},
    {Mnemonic::mov_to_cr, "mov", "mov"},  {Mnemonic::mov_from_dr, "mov", "mov"},
    {Mnemonic::mov_to_dr, "mov", "mov"},  {Mnemonic::imul1, "imul", "imul"},
    {Mnemonic::call_far, "call far", "call far"}, {Mnemonic::jmp_far, "jmp far", "jmp far"},
};

bool is_string(Mnemonic m) {
  switch (m) {
    case Mnemonic::movs: case Mnemonic::cmps: case Mnemonic::stos: case Mnemonic::lods: case Mnemonic::scas: case Mnemonic::ins:
    case Mnemonic::outs: return true;
    default: return false;
  }
}

bool is_nop(const Instruction& i) { return i.mnemonic() == Mnemonic::xchg && i.row->map == OpcodeMap::one && i.opcode == 0x90; }

const char* string_suffix(const Instruction& i) {
  for (const Operand o : i.row->operand) {
    if (o == Operand::Xb || o == Operand::Yb) return "b";
  }
  return i.operand_size == 2 ? "w" : "d";
}

std::string mnemonic_text(const Instruction& i) {
  const Mnemonic m = i.mnemonic();
  if (m == Mnemonic::jcxz) return i.address_size == 2 ? "jcxz" : "jecxz";
  if (is_nop(i)) return i.repeat == Repeat::rep ? "pause" : "nop";
  for (const NameBySize& name : kNames) {
    if (name.mnemonic == m) return i.operand_size == 2 ? name.narrow : name.wide;
  }
  std::string text = i.row->name;
  if (text.ends_with('_')) text.pop_back();
  if (is_string(m)) text += string_suffix(i);
  return text;
}

std::string prefix_text(const Instruction& i) {
  if (i.lock) return "lock ";
  if (i.repeat == Repeat::none || !is_string(i.mnemonic())) return "";
  if (i.repeat == Repeat::repne) return "repne ";
  return i.mnemonic() == Mnemonic::cmps || i.mnemonic() == Mnemonic::scas ? "repe " : "rep ";
}

/// Displacement after a register: signed after a base; without one it is more often an address.
std::string displacement_text(const Instruction& i) {
  const std::uint32_t value = cut_to(i.displacement, i.address_size);
  if (value == 0) return "";
  const std::uint32_t sign = i.address_size == 2 ? 0x8000 : 0x80000000;
  if (i.base == kNoRegister || (value & sign) == 0) return "+" + hex(value);
  return "-" + hex(cut_to(0u - value, i.address_size));
}

std::string address_text(const Instruction& i) {
  if (i.base == kNoRegister && i.index == kNoRegister) return hex(cut_to(i.displacement, i.address_size));
  std::string text;
  if (i.base != kNoRegister) text += general_register(i.base, i.address_size);
  if (i.index != kNoRegister) {
    if (!text.empty()) text += "+";
    text += general_register(i.index, i.address_size);
    if (i.scale != 0) text += "*" + std::to_string(1u << i.scale);
  }
  return text + displacement_text(i);
}

std::string in_brackets(const char* size, const char* segment, const std::string& address) {
  std::string text;
  if (*size != 0) text = std::string(size) + " ptr ";
  if (*segment != 0) text += std::string(segment) + ":";
  return text + "[" + address + "]";
}

/// LEA makes no access: a segment prefix does nothing there.
const char* overriding_segment(const Instruction& i) {
  return i.segment_overridden && i.mnemonic() != Mnemonic::lea ? kSegmentRegisters[i.segment] : "";
}

std::string memory(const Instruction& i, const char* size) { return in_brackets(size, overriding_segment(i), address_text(i)); }

/// DS:eSI, or AL's table at DS:eBX.
std::string source(const Instruction& i, unsigned pointer, unsigned size) {
  return in_brackets(size_word(size), overriding_segment(i), general_register(pointer, i.address_size));
}

std::string destination(const Instruction& i, unsigned size) {
  return in_brackets(size_word(size), "es", general_register(7, i.address_size));
}

/// Memory operands of 16 bits whose register form has the operand size.
bool stores_word_only(Mnemonic m) {
  return m == Mnemonic::mov_from_seg || m == Mnemonic::sldt || m == Mnemonic::str || m == Mnemonic::smsw;
}

std::string register_or_memory(const Instruction& i, unsigned size) {
  if (!i.is_memory) return general_register(i.rm, size);
  return memory(i, size_word(stores_word_only(i.mnemonic()) ? 2 : size));
}

std::string simd_register(const char* file, unsigned number) { return file + std::to_string(number); }

std::string simd_or_memory(const Instruction& i, const char* file, unsigned size) {
  return i.is_memory ? memory(i, size_word(size)) : simd_register(file, i.rm);
}

const char* memory_only_size(const Instruction& i) {
  switch (i.mnemonic()) {
    case Mnemonic::sgdt: case Mnemonic::sidt: case Mnemonic::lgdt: case Mnemonic::lidt: return "fword";
    case Mnemonic::invlpg: return "byte";
    case Mnemonic::cmpxchg8b: return "qword";
    case Mnemonic::x87: return x87_memory_name(i.opcode, i.reg).size;
    default: return "";
  }
}

std::string branch_target(const Instruction& i, std::uint32_t eip) { return hex(cut_to(eip + i.length + i.immediate, i.operand_size)); }

std::string operand_text(const Instruction& i, Operand operand, std::uint32_t eip) {
  const unsigned size = i.operand_size;
  switch (operand) {
    case Operand::none: case Operand::none_modrm: return "";
    case Operand::Eb: return register_or_memory(i, 1);
    case Operand::Ew: return register_or_memory(i, 2);
    case Operand::Ev: return register_or_memory(i, size);
    case Operand::Gb: return general_register(i.reg, 1);
    case Operand::Gw: return general_register(i.reg, 2);
    case Operand::Gv: return general_register(i.reg, size);
    case Operand::M: return memory(i, memory_only_size(i));
    case Operand::Ma: return memory(i, size_word(2 * size));
    case Operand::Mp: return memory(i, size_word(2 + size));
    case Operand::Rd: return general_register(i.rm, 4);
    case Operand::Cd: return "cr" + std::to_string(i.reg);
    case Operand::Dd: return "dr" + std::to_string(i.reg);
    case Operand::Sw: return kSegmentRegisters[i.reg];
    case Operand::Ib: case Operand::Iw: return hex(i.immediate);
    case Operand::Ib2: return hex(i.immediate2);
    case Operand::Iz: case Operand::sIb: return hex(cut_to(i.immediate, size));
    case Operand::Jb: case Operand::Jz: return branch_target(i, eip);
    case Operand::Ap: return hex(i.immediate2) + ":" + hex(i.immediate);
    case Operand::Ob: return memory(i, size_word(1));
    case Operand::Ov: return memory(i, size_word(size));
    case Operand::Xb: return source(i, 6, 1);
    case Operand::Xv: return source(i, 6, size);
    case Operand::Yb: return destination(i, 1);
    case Operand::Yv: return destination(i, size);
    case Operand::Zb: return general_register(i.opcode, 1);
    case Operand::Zv: return general_register(i.opcode, size);
    case Operand::AL: return "al";
    case Operand::eAX: return general_register(0, size);
    case Operand::CL: return "cl";
    case Operand::DX: return "dx";
    case Operand::one_: return "1";
    case Operand::ES: return "es";
    case Operand::CS: return "cs";
    case Operand::SS: return "ss";
    case Operand::DS: return "ds";
    case Operand::FS: return "fs";
    case Operand::GS: return "gs";
    case Operand::Pq: return simd_register("mm", i.reg);
    case Operand::Nq: return simd_register("mm", i.rm);
    case Operand::Qq: return simd_or_memory(i, "mm", 8);
    case Operand::Qd: return simd_or_memory(i, "mm", 4);
    case Operand::Vdq: return simd_register("xmm", i.reg);
    case Operand::Udq: return simd_register("xmm", i.rm);
    case Operand::Wdq: return simd_or_memory(i, "xmm", 16);
    case Operand::Wq: return simd_or_memory(i, "xmm", 8);
    case Operand::Wd: return simd_or_memory(i, "xmm", 4);
    case Operand::Mdq: return memory(i, size_word(16));
    case Operand::Mq: return memory(i, size_word(8));
    case Operand::Md: return memory(i, size_word(4));
    case Operand::Mb: return memory(i, size_word(1));
    case Operand::Ed: return register_or_memory(i, 4);
    case Operand::Gd: return general_register(i.reg, 4);
    case Operand::RdMw: return i.is_memory ? memory(i, size_word(2)) : general_register(i.rm, 4);
  }
  return "";
}

std::string x87_text(const Instruction& i) {
  if (i.is_memory) {
    const char* name = x87_memory_name(i.opcode, i.reg).name;
    return name == nullptr ? std::string(kBadInstruction) : std::string(name) + " " + memory(i, memory_only_size(i));
  }
  const X87RegisterName form = x87_register_name(i.opcode, i.modrm);
  if (form.name == nullptr) return std::string(kBadInstruction);
  const std::string name = form.name, sti = "st(" + std::to_string(i.rm) + ")";
  switch (form.operands) {
    case X87Operands::none: return name;
    case X87Operands::sti: return name + " " + sti;
    case X87Operands::st0_sti: return name + " st(0), " + sti;
    case X87Operands::sti_st0: return name + " " + sti + ", st(0)";
    case X87Operands::ax: return name + " ax";
  }
  return name;
}

/// Register numbers that exist; the decoder leaves this to execution.
bool names_real_registers(const Instruction& i) {
  switch (i.mnemonic()) {
    case Mnemonic::mov_from_seg: return i.reg < kSegments;
    case Mnemonic::mov_to_seg: return i.reg < kSegments && i.reg != kSegmentCs;
    case Mnemonic::mov_from_cr: case Mnemonic::mov_to_cr: return i.reg != 1 && i.reg <= 4;
    default: return true;
  }
}

}  // namespace

std::string disassemble(const Instruction& i, std::uint32_t eip) {
  if (i.row == nullptr || i.mnemonic() == Mnemonic::invalid || !names_real_registers(i)) return std::string(kBadInstruction);
  if (i.mnemonic() == Mnemonic::x87) return x87_text(i);
  std::string text = prefix_text(i) + mnemonic_text(i);
  if (is_nop(i)) return text;
  if (i.mnemonic() == Mnemonic::xlat) return text + " " + source(i, 3, 1);
  const char* separator = " ";
  for (const Operand operand : i.row->operand) {
    const std::string operand_string = operand_text(i, operand, eip);
    if (operand_string.empty()) continue;
    text += separator + operand_string;
    separator = ", ";
  }
  return text;
}

}  // namespace tuxarium::cpu
