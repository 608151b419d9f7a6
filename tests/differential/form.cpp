// The forms of all rows, and why some are not run.
#include <cstdio>

#include "case.hpp"
#include "cpu/x87_names.hpp"
#include "unit/cpu/encoding.hpp"

namespace tuxarium::differential {

using namespace cpu;

namespace {

/// Why no case is made of a row; nullptr for those that are run.
const char* reason_not_run(const InstructionRow& row) {
  using enum Mnemonic;
  switch (row.mnemonic) {
    case sysenter: return "enters the host's kernel";
    case sysexit: return "privileged; its fault depends on an MSR of the host";
    case cpuid: return "describes the model, not the host";
    case rdtsc: case rdpmc: return "counts the host's time";
    case int1: return "hypervisors deliver it again, with an EIP of their own";
    case sgdt: case sidt: case sldt: case str: case smsw: return "hosts with UMIP fault, or have their kernel make the answer up";
    default: return nullptr;
  }
}

const char* prefix_text(MandatoryPrefix prefix) {
  switch (prefix) {
    case MandatoryPrefix::np: return "np.";
    case MandatoryPrefix::p66: return "66.";
    case MandatoryPrefix::pf3: return "f3.";
    case MandatoryPrefix::pf2: return "f2.";
    default: return "";
  }
}

std::string key_of(const Form& f) {
  char text[48];
  const InstructionRow& row = *f.row;
  const unsigned opcode = f.x87 >= 0 ? 0xd8u + (static_cast<unsigned>(f.x87) >> 6) : row.opcode;
  int used = std::snprintf(text, sizeof text, "%s%s%02x", prefix_text(row.prefix), row.map == OpcodeMap::two ? "0f." : "", opcode);
  std::string key{text, static_cast<std::size_t>(used)};
  if (f.x87 >= 0) {
    const unsigned low = static_cast<unsigned>(f.x87) & 0x3f;
    std::snprintf(text, sizeof text, f.memory ? "/%u" : ".%02x", f.memory ? low >> 3 : 0xc0 | low);
    key += text;
  } else if (row.ext >= 0) {
    key += "/" + std::to_string(row.ext);
  }
  return key + (f.memory ? ".m" : ".r") + std::to_string(f.operand_size * 8);
}

/// True where the operand size makes a difference.
bool sized(const InstructionRow& row) {
  using enum Mnemonic;
  if (!tests::has_operand_size(row) || (row.prefix != MandatoryPrefix::any && row.mnemonic != popcnt)) return false;
  for (const Operand o : row.operand) {
    switch (o) {
      case Operand::Ev: case Operand::Gv: case Operand::Iz: case Operand::sIb: case Operand::Jb: case Operand::Jz: case Operand::Ap:
      case Operand::Ov: case Operand::Xv: case Operand::Yv: case Operand::Zv: case Operand::eAX: case Operand::Mp: case Operand::Ma:
        return true;
      default: break;
    }
  }
  switch (row.mnemonic) {
    case push_seg: case pop_seg: case pusha: case popa: case cbw: case cwd: case pushf: case popf: case ret: case enter: case leave:
    case retf: case iret: return true;
    default: return false;
  }
}

void add(std::vector<Form>& forms, Form f) {
  f.not_run = reason_not_run(*f.row);
  f.key = key_of(f);
  forms.push_back(f);
}

void add_x87(std::vector<Form>& forms, const InstructionRow& row) {
  const bool memory = row.form == RmForm::mem;
  for (unsigned n = 0; n < 512; n += memory ? 8 : 1) {
    const unsigned escape = n >> 6;
    Form f;
    f.row = &row;
    f.memory = memory;
    f.x87 = static_cast<std::int16_t>(n);
    // Environment and state have 16-bit images too.
    const unsigned reg = n >> 3 & 7;
    f.assigned = memory ? x87_memory_name(escape, reg).name != nullptr : x87_register_name(escape, 0xc0 | (n & 0x3f)).name != nullptr;
    const bool image = memory && ((escape == 1 && (reg == 4 || reg == 6)) || (escape == 5 && (reg == 4 || reg == 6)));
    for (const std::uint8_t size : {std::uint8_t{2}, std::uint8_t{4}}) {
      if (size == 2 && !image) continue;
      f.operand_size = size;
      add(forms, f);
    }
  }
}

}  // namespace

std::vector<Form> all_forms() {
  std::vector<Form> forms;
  for (const InstructionRow& row : instruction_table().subspan(1)) {
    if (row.mnemonic == Mnemonic::x87) {
      add_x87(forms, row);
      continue;
    }
    bool memory_only = row.form == RmForm::mem, register_only = row.form == RmForm::reg || !tests::has_modrm(row);
    for (const Operand o : row.operand) {
      if (o == Operand::Rd) register_only = true;
    }
    for (const bool memory : {false, true}) {
      if (memory ? register_only : memory_only) continue;
      for (const std::uint8_t size : {std::uint8_t{2}, std::uint8_t{4}}) {
        if (size == 2 && !sized(row)) continue;
        Form f;
        f.row = &row;
        f.operand_size = size;
        f.memory = memory;
        add(forms, f);
      }
    }
  }
  return forms;
}

}  // namespace tuxarium::differential
