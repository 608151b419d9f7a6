// Tiny real-mode programs for machines under test: machine code at F000:0000, entered from the reset vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include <tuxarium/machine.hpp>

namespace test {

inline std::vector<std::byte> rom_image(const std::vector<int>& code) {
  std::vector<std::byte> rom(0x10000, std::byte{0xf4});
  for (std::size_t i = 0; i < code.size(); ++i) rom[i] = static_cast<std::byte>(code[i]);
  const int entry[] = {0xea, 0x00, 0x00, 0x00, 0xf0};  // jmp F000:0000
  for (std::size_t i = 0; i < 5; ++i) rom[0xfff0 + i] = static_cast<std::byte>(entry[i]);
  return rom;
}

inline std::unique_ptr<tuxarium::Machine> rom_machine(const std::vector<int>& code, tuxarium::Config config = {}) {
  config.boot = tuxarium::RomBoot{rom_image(code)};
  auto machine = tuxarium::Machine::create(std::move(config));
  REQUIRE(machine.has_value());
  return std::move(*machine);
}

inline tuxarium::Config with_cycles() {
  tuxarium::Config config;
  config.time = tuxarium::TimeSource::cycles;
  return config;
}

/// Counts ticks of the 8254 at 100 Hz in the word at 0:0500, halting in between. Vector 8 is for IRQ 0.
inline std::vector<int> tick_counter() {
  std::vector<int> code = {
      0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x70,                                            // xor ax,ax; ds = ss = 0; sp = 7000
      0xc7, 0x06, 0x20, 0x00, 0x60, 0x00, 0xc7, 0x06, 0x22, 0x00, 0x00, 0xf0,                          // vector 8 = F000:0060
      0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x08, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21,  // master: ICW1-4, base 8
      0xb0, 0xfe, 0xe6, 0x21,                                                                          // only IRQ 0
      0xb0, 0x34, 0xe6, 0x43, 0xb0, 0x9c, 0xe6, 0x40, 0xb0, 0x2e, 0xe6, 0x40,                          // channel 0, mode 2, 11932
      0xfb, 0xf4, 0xeb, 0xfd,                                                                          // sti; hlt; jmp back to hlt
  };
  code.resize(0x60, 0x90);
  // inc word [0500]; push ax; mov al,20; out 20,al; pop ax; iret
  for (int byte : {0xff, 0x06, 0x00, 0x05, 0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf}) code.push_back(byte);
  return code;
}

}  // namespace test
