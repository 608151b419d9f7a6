// The guest's memory as instructions see it: segment checks, translation, access. Intel SDM volume 3A, chapters 3 to 5.
//
// Every access function returns false after it has raised an exception, or when the instruction has to be started again (debug.hpp). The fast path is a look into the translation cache; everything
// else (page walks, pages with predecoded code, accesses across a page end, memory that is not RAM) is in paging.cpp.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "cpu/core.hpp"

namespace tuxarium::cpu {

#if defined(__GNUC__)
#define TUXARIUM_HOT inline __attribute__((always_inline))
#define TUXARIUM_COLD __attribute__((noinline, cold))
#define TUXARIUM_LAMBDA_HOT __attribute__((always_inline))
#else
#define TUXARIUM_HOT inline
#define TUXARIUM_COLD
#define TUXARIUM_LAMBDA_HOT
#endif

struct SlowValue {
  std::uint64_t value;
  bool ok;
};

// Slow paths; `size` is 1, 2, 4 or 8. `supervisor`: an access of the processor itself (descriptor tables, TSS), whatever the CPL.
TUXARIUM_COLD SlowValue load_slow(Core& c, std::uint32_t linear, unsigned size, bool supervisor);
TUXARIUM_COLD bool store_slow(Core& c, std::uint32_t linear, std::uint64_t value, unsigned size, bool supervisor);
/// Raises the fault that a write of `size` bytes would raise, before anything is read. False without one where a breakpoint wants the instruction
/// alone.
TUXARIUM_COLD bool probe_write(Core& c, std::uint32_t linear, unsigned size);

/// #AC where alignment is checked. `size`: a power of 2. False after raising it.
inline bool aligned(Core& c, std::uint32_t linear, unsigned size) {
  return !c.alignment_checked || (linear & (size - 1)) == 0 || raise(c, kAlignmentCheck, 0);
}

// Accesses of instructions to data of natural alignment; `size` is 1, 2, 4 or 8.
TUXARIUM_COLD SlowValue load_data(Core& c, std::uint32_t linear, unsigned size);
TUXARIUM_COLD bool store_data(Core& c, std::uint32_t linear, std::uint64_t value, unsigned size);

/// Host pointer to [linear, linear + count), which lies in one page of plain RAM, or nullptr with no exception raised when the fast path
/// does not apply. For block moves.
const std::byte* fast_read_pointer(Core& c, std::uint32_t linear);
std::byte* fast_write_pointer(Core& c, std::uint32_t linear);
/// The same after a walk of the page tables where the translation cache does not know the page, so that both pages of a move are known whatever
/// their places in the cache. For writing: `count` bytes, whose predecoded code is dropped.
const std::byte* block_read_pointer(Core& c, std::uint32_t linear);
std::byte* block_write_pointer(Core& c, std::uint32_t linear, std::uint32_t count);

/// entries[page number % kTlbEntries], written so that one shift and one mask do.
TUXARIUM_HOT TlbEntry& tlb_entry(TlbEntry* entries, std::uint32_t linear) {
  constexpr unsigned kShift = memory::kPageShift - std::countr_zero(sizeof(TlbEntry));
  static_assert(std::has_single_bit(sizeof(TlbEntry)));
  return *reinterpret_cast<TlbEntry*>(reinterpret_cast<char*>(entries) + (linear >> kShift & (kTlbEntries - 1) * sizeof(TlbEntry)));
}
TUXARIUM_HOT TlbEntry& tlb_entry(Core& c, std::uint32_t linear) { return tlb_entry(c.tlb, linear); }
/// Of the current privilege, or the supervisor's.
TUXARIUM_HOT TlbEntry& tlb_entry(Core& c, std::uint32_t linear, bool supervisor) {
  return tlb_entry(supervisor ? c.tlb_supervisor.entries() : c.tlb, linear);
}

// The fast paths alone: false, without an exception, where they do not apply.

template <class T>
TUXARIUM_HOT bool try_load(Core& c, std::uint32_t linear, T& out) {
  const TlbEntry& entry = tlb_entry(c, linear);
  if (((linear + static_cast<std::uint32_t>(sizeof(T) - 1)) & memory::kPageMask) != entry.read_tag) [[unlikely]] return false;
  std::memcpy(&out, reinterpret_cast<const void*>(entry.addend + linear), sizeof(T));
  return true;
}

template <class T>
TUXARIUM_HOT bool try_store(Core& c, std::uint32_t linear, T value) {
  const TlbEntry& entry = tlb_entry(c, linear);
  if (((linear + static_cast<std::uint32_t>(sizeof(T) - 1)) & memory::kPageMask) != entry.write_tag) [[unlikely]] return false;
  std::memcpy(reinterpret_cast<void*>(entry.addend + linear), &value, sizeof(T));
  return true;
}

template <class T, class Change>
TUXARIUM_HOT bool try_modify(Core& c, std::uint32_t linear, Change change) {
  const TlbEntry& entry = tlb_entry(c, linear);
  if (((linear + static_cast<std::uint32_t>(sizeof(T) - 1)) & memory::kPageMask) != entry.write_tag) [[unlikely]] return false;
  T value;
  std::memcpy(&value, reinterpret_cast<const void*>(entry.addend + linear), sizeof(T));
  value = change(value);
  std::memcpy(reinterpret_cast<void*>(entry.addend + linear), &value, sizeof(T));
  return true;
}

// Complete accesses: false after raising an exception.

template <class T>
TUXARIUM_HOT bool load(Core& c, std::uint32_t linear, T& out) {
  if (try_load(c, linear, out)) [[likely]] return true;
  const SlowValue slow = load_data(c, linear, sizeof(T));
  out = static_cast<T>(slow.value);
  return slow.ok;
}

template <class T>
TUXARIUM_HOT bool store(Core& c, std::uint32_t linear, T value) {
  return try_store(c, linear, value) || store_data(c, linear, value, sizeof(T));
}

/// Read-modify-write: `change(value)` gives the new value. A write fault comes before the read.
template <class T, class Change>
TUXARIUM_HOT bool modify(Core& c, std::uint32_t linear, Change change) {
  if (try_modify<T>(c, linear, change)) [[likely]] return true;
  if (!aligned(c, linear, sizeof(T)) || !probe_write(c, linear, sizeof(T))) return false;
  const SlowValue slow = load_slow(c, linear, sizeof(T), false);
  if (!slow.ok) return false;
  return store_slow(c, linear, change(static_cast<T>(slow.value)), sizeof(T), false);
}

// Accesses of the processor itself.
template <class T>
bool load_as(Core& c, std::uint32_t linear, T& out, bool supervisor) {
  const TlbEntry& entry = tlb_entry(c, linear, supervisor);
  if (((linear + static_cast<std::uint32_t>(sizeof(T) - 1)) & memory::kPageMask) == entry.read_tag) [[likely]] {
    std::memcpy(&out, reinterpret_cast<const void*>(entry.addend + linear), sizeof(T));
    return true;
  }
  const SlowValue slow = load_slow(c, linear, sizeof(T), supervisor);
  out = static_cast<T>(slow.value);
  return slow.ok;
}
template <class T>
bool store_as(Core& c, std::uint32_t linear, T value, bool supervisor) {
  const TlbEntry& entry = tlb_entry(c, linear, supervisor);
  if (((linear + static_cast<std::uint32_t>(sizeof(T) - 1)) & memory::kPageMask) == entry.write_tag) [[likely]] {
    std::memcpy(reinterpret_cast<void*>(entry.addend + linear), &value, sizeof(T));
    return true;
  }
  return store_slow(c, linear, value, sizeof(T), supervisor);
}
template <class T>
bool system_load(Core& c, std::uint32_t linear, T& out) {
  return load_as(c, linear, out, true);
}
template <class T>
bool system_store(Core& c, std::uint32_t linear, T value) {
  return store_as(c, linear, value, true);
}

enum class Access : std::uint8_t { read, write };

/// By value, so that no handler's local is reachable from outside of it: such a handler could not jump to the next one.
struct CheckedAddress {
  std::uint32_t linear;
  bool ok;
};
TUXARIUM_COLD CheckedAddress checked_address(Core& c, unsigned segment, std::uint32_t offset, unsigned size, Access access);

/// Segment checks of an access; `linear` gets the address. #SS for the stack segment, #GP for the others.
TUXARIUM_HOT bool segment_check(Core& c, unsigned segment, std::uint32_t offset, unsigned size, Access access, std::uint32_t& linear) {
  // Plain writable data within its limit needs no further look.
  const Segment& s = c.s.segment[segment];
  constexpr std::uint32_t kKind = kAccessS | kAccessCode | kAccessExpandDown | kAccessWritable;
  if ((s.access & kKind) == (kAccessS | kAccessWritable) && s.valid != 0 && offset <= s.limit && size - 1 <= s.limit - offset) [[likely]] {
    linear = s.base + offset;
    return true;
  }
  const CheckedAddress address = checked_address(c, segment, offset, size, access);
  linear = address.linear;
  return address.ok;
}

/// True when a segment is data, writable, expand-up, base 0 and 4 GiB: nothing to check or add.
inline bool is_flat(const Segment& s) {
  constexpr std::uint32_t kKind = kAccessS | kAccessCode | kAccessExpandDown | kAccessWritable;
  return s.valid != 0 && s.base == 0 && s.limit == 0xffffffffu && (s.access & kKind) == (kAccessS | kAccessWritable);
}

// Translation.
enum class Purpose : std::uint8_t { read, write, fetch };

/// Walks the page tables for a page and fills the translation cache. False after raising #PF.
bool translate_and_fill(Core& c, std::uint32_t linear, Purpose purpose, bool supervisor, std::uint64_t& physical);
/// Walks without any side effect, as the supervisor; for inspection. False also beyond 4 GiB.
bool translate_quietly(const Core& c, std::uint32_t linear, std::uint32_t& physical);
void flush_tlb(Core& c);
/// As a load of CR3: global pages stay.
void flush_tlb_local(Core& c);
void flush_tlb_page(Core& c, std::uint32_t linear);
/// Reads the page-directory pointers at `cr3` if `cr0` and `cr4` turn PAE paging on. False after raising #GP for reserved bits, with no register
/// changed.
bool load_page_pointers(Core& c, std::uint32_t cr0, std::uint32_t cr3, std::uint32_t cr4);
/// Host pointer to the first byte of code at a linear address, or nullptr after raising.
const std::uint8_t* fetch_pointer(Core& c, std::uint32_t linear);
/// Physical memory for the board's and the walk's own use, within one page; outside RAM the bus answers, beyond 4 GiB nobody does.
std::uint32_t physical_load(Core& c, std::uint64_t physical, unsigned size);
void physical_store(Core& c, std::uint64_t physical, std::uint32_t value, unsigned size);
/// Makes writes to a page that has got code take the slow path.
void protect_code_page(Core& c, std::uint32_t physical_page);
/// Drops the predecoded code of a page and lets it be written at full speed again.
void drop_code(Core& c, std::uint32_t physical_page);

}  // namespace tuxarium::cpu
