// The inside of the processor, shared by the files of this folder and by no other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/block_cache.hpp"
#include "cpu/bus_gate.hpp"
#include "cpu/cpu_state.hpp"
#include "cpu/flags.hpp"
#include "cpu/model.hpp"
#include "cpu/translation_cache.hpp"
#include "cpu/x87/unit.hpp"
#include "memory/guest_ram.hpp"

namespace tuxarium::cpu {

// What a block was decoded for; part of its key.
inline constexpr std::uint16_t kModeCode32 = 1;   // CS.D
inline constexpr std::uint16_t kModeStack32 = 2;  // SS.B
inline constexpr std::uint16_t kModeFlat = 4;     // DS, ES, SS: base 0, 4 GiB, writable; SS.B set
inline constexpr std::uint16_t kModeCsFull = 8;   // CS limit 4 GiB - 1
inline constexpr std::uint16_t kModeCs64K = 16;   // 16-bit code with a CS limit of 64 KiB - 1
inline constexpr std::uint16_t kModeCsUnchecked = kModeCsFull | kModeCs64K;  // near branches of the default size cannot miss the limit

/// An exception or interrupt on its way to delivery.
struct PendingEvent {
  enum class Kind : std::uint8_t {
    none,
    fault,      // restarts the instruction; also external events: EIP is already right
    software,   // INT n, INT3, INTO: gate DPL is checked
  };
  Kind kind = Kind::none;
  std::uint8_t vector = 0;
  bool has_error = false;
  bool external = false;  // sets EXT in nested error codes
  std::uint32_t error = 0;
  std::uint32_t return_eip = 0;  // `software` only: pushed instead of EIP, which stays at the instruction in case delivery faults
};

struct Core {
  Core(memory::GuestRam& ram_in, CpuBus& bus_in, Model model_in, Extensions extensions)
      : ram{ram_in}, bus{bus_in, mxcsr}, model{model_in}, features{features_of(model_in, extensions)} {}

  CpuState s;
  std::int64_t remaining = 0;   // instructions left in this run, less those of the whole current block
  Block* block = nullptr;       // the one being executed
  TlbEntry* tlb = nullptr;       // for data: of the current privilege; without any entry while alignment is checked
  TlbEntry* fetch_tlb = nullptr; // for code
  bool alignment_checked = false;  // CR0.AM and EFLAGS.AC at level 3
  std::uint16_t mode = 0;
  bool intr = false;            // INTR pin
  bool ferr = false;            // FERR# pin
  bool break_requested = false; // leave run() at the next instruction boundary
  std::uint8_t armed = 0;        // breakpoints that DR7 enables
  std::uint8_t armed_pages = 0;  // those of them that are not for ports
  bool noting_hits = false;      // see NotingHits
  bool step_alone = false;       // an access met a breakpoint: its instruction comes again, alone
  std::uint32_t debug_hits = 0;  // DR6 bits of breakpoints met by the current instruction
  PendingEvent event;
  std::uint32_t ext = 0;        // 1 while an external event or an exception is being delivered: the EXT bit of error codes
  Block** link_from = nullptr;  // where the block that is looked up next may be linked
  const Block* link_block = nullptr;
  std::int64_t in_flight = 0;   // instructions of the current block at and after the one that asks the bus

  std::uint64_t retired_base = 0;    // instructions before this run
  std::int64_t run_length = 0;       // of this run
  std::uint64_t interrupts = 0, exceptions = 0;

  Tlb tlb_supervisor, tlb_user;
  Tlb tlb_empty;  // never filled
  x87::Unit fpu;
  simd::HostMxcsr mxcsr{s.mxcsr};
  memory::GuestRam& ram;
  BusGate bus;
  Model model;
  std::uint32_t features;
  std::span<const std::byte> rom;  // mapped so that it ends at 4 GiB; may be empty
  BlockCache blocks;
  std::array<Op, kMaxBlockInstructions + 2> scratch_ops{};  // of a block being built
  Block scratch;                                            // executed without being kept: part of a block
  const InstructionRow* scratch_last = nullptr;             // of its last instruction

  bool has(Feature f) const { return (features & feature_bit(f)) != 0; }
  bool protected_mode() const { return (s.cr0 & kCr0Pe) != 0; }
  bool vm86() const { return (s.system_flags & kVm) != 0; }
  bool real_or_vm86() const { return !protected_mode() || vm86(); }
  unsigned iopl() const { return s.system_flags >> 12 & 3; }
  /// Virtual-8086 mode below IOPL 3 with the extensions: VIF stands for IF.
  bool virtual_if_in_vm86() const { return vm86() && iopl() != 3 && (s.cr4 & kCr4Vme) != 0; }

  /// Instructions retired so far, exact also in the middle of a block when in_flight is set.
  std::uint64_t retired() const { return retired_base + static_cast<std::uint64_t>(run_length - remaining - in_flight); }
};

// Raising an exception: sets the pending event and returns false, so that `return raise(...)` ends a failed access.
bool raise(Core& c, std::uint8_t vector);
bool raise(Core& c, std::uint8_t vector, std::uint32_t error);

/// Recomputes mode from CS, SS, DS and ES.
void update_mode(Core& c);
/// Sets CPL and what goes with it.
void set_cpl(Core& c, unsigned cpl);
/// Picks the translation caches by CPL, EFLAGS.AC and CR0.AM.
void update_access(Core& c);

}  // namespace tuxarium::cpu
