// Looking into a machine: for tools and tests, not for the frame loop.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include <tuxarium/machine.hpp>

namespace tuxarium {

/// Order of the general registers, as the processor numbers them.
enum class Gpr : std::uint8_t { eax, ecx, edx, ebx, esp, ebp, esi, edi };

/// Order of the segment registers, as the processor numbers them.
enum class SegmentName : std::uint8_t { es, cs, ss, ds, fs, gs };

/// A segment register with its hidden part. `access` is the descriptor's second dword: bits 8-15 type, S, DPL, P; bits 20-23 AVL, 0, D/B, G.
struct SegmentView {
  std::uint16_t selector = 0;
  std::uint32_t base = 0;
  std::uint32_t limit = 0;  ///< in bytes, inclusive
  std::uint32_t access = 0;
  bool valid = false;       ///< false after loading a null selector
};

/// An XMM register: bits 0-63 and 64-127.
using XmmView = std::array<std::uint64_t, 2>;

/// The programmer-visible registers but those of the x87, which MMX shares.
struct Registers {
  std::array<std::uint32_t, 8> gpr{};  ///< indexed by Gpr
  std::uint32_t eip = 0;
  std::uint32_t eflags = 2;
  std::array<SegmentView, 6> segment{};  ///< indexed by SegmentName
  SegmentView ldtr, tr;
  std::uint32_t gdtr_base = 0, gdtr_limit = 0, idtr_base = 0, idtr_limit = 0;
  std::uint32_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0;
  std::array<std::uint32_t, 8> dr{};
  std::array<XmmView, 8> xmm{};
  std::uint32_t mxcsr = 0x1f80;  ///< bits 16-31 are not there and read as 0
};

/// One access to an I/O port, as the processor made it.
struct PortAccess {
  std::uint16_t port = 0;
  std::uint8_t width = 1;  ///< bytes: 1, 2 or 4
  bool write = false;
  std::uint32_t value = 0;  ///< what was written or read
};

/// A view into a Machine that it must not outlive. Same threading rule as the Machine.
class Inspector {
 public:
  explicit Inspector(Machine& machine) : machine_{&machine} {}

  Registers registers() const;

  /// Sets everything that Registers holds, hidden segment parts included, without any check of the values.
  void set_registers(const Registers& registers);

  /// Copies from or to guest-physical memory; false when any byte lies outside RAM and, for reads, ROM (nothing is copied then).
  /// Writes drop predecoded code.
  bool read_physical(std::uint32_t address, std::span<std::byte> out) const;
  bool write_physical(std::uint32_t address, std::span<const std::byte> data);

  /// The same through the guest's current page tables, as the supervisor; sets no accessed or dirty bits.
  bool read_linear(std::uint32_t address, std::span<std::byte> out) const;
  bool write_linear(std::uint32_t address, std::span<const std::byte> data);

  /// Physical address of a linear one through the current page tables, or nothing when not mapped.
  std::optional<std::uint32_t> translate(std::uint32_t linear) const;

  /// Retires exactly one instruction (an iteration, for a repeated string instruction) or delivers one pending interrupt first and
  /// then retires one.
  RunResult step() { return run(1); }

  /// Retires exactly `count` instructions unless the guest stops or idles before.
  RunResult run(std::uint64_t count);

  /// Calls `callback` after each access to a port in [first, last]; replaces an earlier watch; an empty callback ends it. The callback
  /// must not touch the machine.
  void watch_ports(std::uint16_t first, std::uint16_t last, std::function<void(const PortAccess&)> callback);

  /// The instruction at a linear address in the current code size, in Intel syntax; `length` gets its size in bytes.
  std::string disassemble(std::uint32_t linear, unsigned* length = nullptr) const;

  /// A 64-bit digest of RAM, processor and devices; equal states have equal digests, on any host.
  std::uint64_t state_hash() const;

 private:
  Machine* machine_;
};

}  // namespace tuxarium
