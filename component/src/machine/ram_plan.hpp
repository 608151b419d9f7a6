// Which part of RAM each piece of a boot image gets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tuxarium/result.hpp>

#include "machine/boot_plan.hpp"

namespace tuxarium::machine {

/// Guest-physical ranges that are taken, each with a name for error sentences ("the kernel"). Refuses what lies outside RAM or
/// overlaps. Numbers may be as large as an image can claim: nothing here overflows.
class RamPlan {
 public:
  explicit RamPlan(std::uint64_t ram_bytes) : ram_bytes_{ram_bytes} {}

  std::uint64_t ram_bytes() const { return ram_bytes_; }

  /// Takes `size` bytes at `address`; a size of 0 takes nothing.
  Result<void> claim(const std::string& what, std::uint64_t address, std::uint64_t size);

  /// Finds and takes the lowest free `size` bytes (at least 1) at a multiple of `alignment`, a power of two, from `lowest` on and
  /// below `end`.
  Result<std::uint32_t> allocate(const std::string& what, std::uint64_t size, std::uint64_t alignment, std::uint64_t lowest,
                                 std::uint64_t end);

 private:
  struct Claim {
    std::string what;
    std::uint64_t first = 0, end = 0;
  };
  const Claim* overlapping(std::uint64_t first, std::uint64_t end) const;

  std::uint64_t ram_bytes_;
  std::vector<Claim> claims_;
};

/// `0x1f0`.
std::string hex(std::uint64_t value);

/// The command line with its terminating NUL; an error when it has more than `limit` bytes or a NUL inside.
Result<std::vector<std::byte>> terminated_command_line(const std::string& text, std::size_t limit);

/// Stores little-endian values in an image made here; the place must be inside it.
void put16(std::span<std::byte> image, std::size_t at, std::uint16_t value);
void put32(std::span<std::byte> image, std::size_t at, std::uint32_t value);
void put64(std::span<std::byte> image, std::size_t at, std::uint64_t value);

/// Registers with protected mode on, paging and interrupts off, and flat 4 GiB segments at privilege level 0.
Registers flat_registers(std::uint16_t code_selector, std::uint16_t data_selector, std::uint32_t eip);

// The layout of a PC's first MiB, as told to kernels: RAM, then a hole up to 1 MiB.
inline constexpr std::uint64_t kLowRamEnd = 0x9fc00;
inline constexpr std::uint64_t kHighRamStart = 0x100000;

// One planner for each kind of boot source.
Result<BootPlan> plan_jslinux(const JslinuxBoot& source, std::uint64_t ram_bytes);
Result<BootPlan> plan_linux(const LinuxBoot& source, std::uint64_t ram_bytes);
Result<BootPlan> plan_rom(const RomBoot& source, std::uint64_t ram_bytes);
Result<BootPlan> plan_multiboot(const MultibootBoot& source, std::uint64_t ram_bytes);

}  // namespace tuxarium::machine
