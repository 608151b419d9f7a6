// The processor: an i686-class interpreter over predecoded blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "cpu/cpu_bus.hpp"
#include "cpu/cpu_state.hpp"
#include "cpu/model.hpp"
#include "memory/guest_ram.hpp"

namespace tuxarium::cpu {

struct Core;

/// Why run() came back.
enum class Exit : std::uint8_t {
  spent,      // the number of instructions was reached
  halted,     // HLT with nothing to wake it
  broken,     // request_break()
  shut_down,  // triple fault
};

class Cpu {
 public:
  /// `ram` and `bus` must outlive the processor.
  Cpu(memory::GuestRam& ram, CpuBus& bus, Model model, Extensions extensions = {});
  ~Cpu();
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;

  /// State after RESET#, SDM volume 3A table 9-1; drops all predecoded code. Call after the RAM was cleared.
  void reset();

  /// Memory types as firmware leaves them: MTRRs on, everything write-back.
  void cache_all_memory();

  /// Memory that ends at 4 GiB; a multiple of 4096 bytes; not owned.
  void map_rom(std::span<const std::byte> rom);

  /// Retires `count` instructions, or a few more (the rest of a block) unless `exact`. A delivered fault counts as one.
  Exit run(std::int64_t count, bool exact);

  /// INTR pin.
  void set_intr(bool level);
  /// Leaves run() at the next instruction boundary; for use by the bus inside a port access.
  void request_break();

  /// Instructions retired since the processor was made; right also inside a bus access.
  std::uint64_t retired() const;
  std::uint64_t interrupts() const;
  std::uint64_t exceptions() const;

  const CpuState& state() const;
  /// For tools: all of the state at once; translation caches and modes follow.
  void set_state(const CpuState& state);
  bool halted() const;
  bool interrupts_enabled() const;

  /// RAM was changed behind the processor's back.
  void ram_changed(std::uint32_t address, std::size_t count);
  /// Physical address of a linear one; false when not mapped.
  bool translate(std::uint32_t linear, std::uint32_t& physical) const;
  bool code_is_32bit() const;

  std::uint64_t x87_digest() const;

 private:
  void execute_next(bool exact);

  std::unique_ptr<Core> core_;
};

}  // namespace tuxarium::cpu
