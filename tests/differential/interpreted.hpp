// The interpreter under test: runs a case on the library's processor at level 3, with the sandbox at the host's addresses.
#pragma once

#include "case.hpp"
#include "unit/cpu/cpu_fixture.hpp"

namespace tuxarium::differential {

class Interpreted {
 public:
  Interpreted();
  void run(const Case& c, Outcome& out);

 private:
  std::uint8_t* at(std::uint32_t physical) { return reinterpret_cast<std::uint8_t*>(ram_.data()) + physical; }
  template <class T>
  void poke(std::uint32_t physical, T value) {
    std::memcpy(at(physical), &value, sizeof value);
  }
  std::uint32_t peek(std::uint32_t physical);
  void map(std::uint32_t linear, std::uint32_t physical, std::uint32_t size, std::uint32_t rights);
  void make_descriptors();
  void make_stubs(std::uint32_t idt, std::uint32_t stubs, bool fpu);
  cpu::Segment descriptor_cache(std::uint16_t selector);
  void write_code(const Case& c);
  void load(const Case& c);
  void store(const Case& c, Outcome& out);

  memory::GuestRam ram_;
  tests::FakeBus bus_;
  cpu::Cpu cpu_;
  cpu::CpuState start_;
  std::uint32_t dirty_at_ = 0, dirty_count_ = 0;
};

/// True when the outcome says that the host would go on in its 64-bit code, which is absent here: the case has read a far pointer that nobody
/// chose, such as one out of the landing's own bytes. It is nothing for the host.
bool enters_64bit_code(const Outcome& here);

}  // namespace tuxarium::differential
