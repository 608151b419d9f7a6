// The x87 unit executes exactly what has a name, with an operand of the size that the name's row says.
#include <doctest/doctest.h>

#include <string>

#include "cpu/x87/unit.hpp"
#include "cpu/x87_names.hpp"

using namespace tuxarium::cpu;

TEST_CASE("every register form of the x87 unit has a name, and no other") {
  for (unsigned opcode = 0xd8; opcode <= 0xdf; ++opcode) {
    for (unsigned modrm = 0xc0; modrm <= 0xff; ++modrm) {
      CAPTURE(opcode);
      CAPTURE(modrm);
      CHECK((x87_register_name(opcode, modrm).name != nullptr) == x87::Unit::register_form(opcode & 7u, modrm).valid);
    }
  }
}

TEST_CASE("every memory form of the x87 unit has a name and a size") {
  const auto size_of = [](unsigned bytes) -> std::string {
    return bytes == 2 ? "word" : bytes == 4 ? "dword" : bytes == 8 ? "qword" : bytes == 10 ? "tbyte" : "";
  };
  for (unsigned opcode = 0xd8; opcode <= 0xdf; ++opcode) {
    for (unsigned reg = 0; reg < 8; ++reg) {
      CAPTURE(opcode);
      CAPTURE(reg);
      const auto form = x87::Unit::memory_form(opcode & 7u, reg, true);
      const X87MemoryName name = x87_memory_name(opcode, reg);
      CHECK((name.name != nullptr) == (form.kind != x87::MemoryKind::invalid));
      CHECK(name.size == size_of(form.bytes));
    }
  }
}
