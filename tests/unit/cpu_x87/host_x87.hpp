// Runs one x87 instruction on the host's own unit: state image in, state image out. Linux on x86-64 only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#if defined(__x86_64__) && defined(__linux__)
#define TUXARIUM_TEST_HOST_X87 1
#include <sys/mman.h>
#endif

namespace tuxarium::tests {

inline constexpr std::size_t kImageBytes = 108;
using Image = std::array<std::byte, kImageBytes>;
using Operand = std::array<std::byte, 128>;

/// What an instruction exchanges with the integer unit, in the layout the stub reads.
struct HostRegisters {
  std::uint64_t eflags = 0x202;
  std::uint64_t ax = 0;
};

#ifdef TUXARIUM_TEST_HOST_X87

/// A stub around the given instruction bytes; a memory operand is addressed by RDX.
class HostInstruction {
 public:
  explicit HostInstruction(std::span<const std::uint8_t> instruction) {
    code_ = mmap(nullptr, kCodeBytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code_ == MAP_FAILED) {
      code_ = nullptr;
      return;
    }
    static constexpr std::uint8_t kBefore[] = {0xdd, 0x27,               // frstor [rdi]
                                               0xff, 0x31, 0x9d,         // push qword [rcx]; popfq
                                               0x48, 0x8b, 0x41, 0x08};  // mov rax, [rcx + 8]
    static constexpr std::uint8_t kAfter[] = {0x9c, 0x8f, 0x01,          // pushfq; pop qword [rcx]
                                              0x48, 0x89, 0x41, 0x08,    // mov [rcx + 8], rax
                                              0xdd, 0x36, 0xc3};         // fnsave [rsi]; ret
    std::vector<std::uint8_t> bytes(std::begin(kBefore), std::end(kBefore));
    bytes.insert(bytes.end(), instruction.begin(), instruction.end());
    bytes.insert(bytes.end(), std::begin(kAfter), std::end(kAfter));
    std::memcpy(code_, bytes.data(), bytes.size());
  }
  ~HostInstruction() {
    if (code_ != nullptr) munmap(code_, kCodeBytes);
  }
  HostInstruction(const HostInstruction&) = delete;
  HostInstruction& operator=(const HostInstruction&) = delete;

  bool ready() const { return code_ != nullptr; }

  void run(const Image& before, Image& after, Operand& memory, HostRegisters& registers) const {
    auto* stub = reinterpret_cast<void (*)(const std::byte*, std::byte*, std::byte*, HostRegisters*)>(code_);
    stub(before.data(), after.data(), memory.data(), &registers);
    asm volatile("" : : : "memory", "cc");
  }

 private:
  static constexpr std::size_t kCodeBytes = 4096;
  void* code_ = nullptr;
};

#endif

}  // namespace tuxarium::tests
