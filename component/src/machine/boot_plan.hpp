// From a boot image to what must be in RAM and in the processor when it starts.
//
// Boot images are untrusted: every number in them is checked against the image and the RAM before it is used, and a bad image is refused
// with a sentence that names what is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <tuxarium/boot.hpp>
#include <tuxarium/inspect.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium::machine {

/// Bytes that go to a place in RAM: a piece of the boot source, or bytes made for it.
class Placement {
 public:
  Placement(std::uint32_t address, std::span<const std::byte> bytes) : address_{address}, borrowed_{bytes} {}
  Placement(std::uint32_t address, std::vector<std::byte> bytes) : address_{address}, owned_{std::move(bytes)} {}

  std::uint32_t address() const { return address_; }  ///< guest-physical
  std::span<const std::byte> bytes() const { return owned_.empty() ? borrowed_ : std::span<const std::byte>{owned_}; }

 private:
  std::uint32_t address_;
  std::vector<std::byte> owned_;
  std::span<const std::byte> borrowed_;
};

/// What to do to a machine whose RAM is all zero and whose devices are in their power-on state. Borrows from the BootSource.
struct BootPlan {
  std::vector<Placement> placements;  ///< all inside RAM, none overlaps another
  Registers registers;                ///< for Inspector::set_registers or its equal
  std::span<const std::byte>
      rom;  ///< RomBoot only: its last byte is at 0xFFFFFFFF; its last 128 KiB, or all of a smaller one, also end at 0xFFFFF
};

/// Checks the boot source for a machine with `ram_bytes` of RAM from address 0 (at least 1 MiB; less than 4 GiB) and plans its start.
/// `source` must outlive the plan.
Result<BootPlan> make_boot_plan(const BootSource& source, std::uint64_t ram_bytes);

}  // namespace tuxarium::machine
