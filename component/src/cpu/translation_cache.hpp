// The translation cache: which host memory a page of linear addresses is.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "memory/guest_ram.hpp"

namespace tuxarium::cpu {

/// A translation: host address = linear address + addend for the page whose address equals the tag. A tag of 1 matches nothing.
struct TlbEntry {
  std::uint32_t read_tag = 1;
  std::uint32_t write_tag = 1;
  std::uintptr_t addend = 0;
};

inline constexpr std::size_t kTlbEntries = 4096;

/// Direct-mapped. Beside the entries, what a flush wants to know of them, one bit each.
class Tlb {
 public:
  TlbEntry* entries() { return entries_.data(); }

  /// A page's place, to be written; `global`: outlives loads of CR3; `large`: INVLPG of another page may mean this one too.
  TlbEntry& place(std::uint32_t linear, bool global, bool large) {
    const std::size_t slot = slot_of(linear), word = slot / 64;
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    filled_[word] |= bit;
    global_[word] = (global_[word] & ~bit) | (global ? bit : 0);
    large_[word] = (large_[word] & ~bit) | (large ? bit : 0);
    return entries_[slot];
  }

  void flush() {
    for (std::size_t word = 0; word < kWords; ++word) drop(word, filled_[word]);
  }
  void flush_local() {
    for (std::size_t word = 0; word < kWords; ++word) drop(word, filled_[word] & ~global_[word]);
  }
  /// The page of an address, and what large pages left behind for other parts of theirs.
  void flush_page(std::uint32_t linear) {
    const std::size_t slot = slot_of(linear);
    drop(slot / 64, std::uint64_t{1} << (slot % 64));
    for (std::size_t word = 0; word < kWords; ++word) drop(word, filled_[word] & large_[word]);
  }

  /// Makes writes to the page at a host address take the slow path.
  void protect(std::uintptr_t host) {
    for (std::size_t word = 0; word < kWords; ++word) {
      for (std::uint64_t bits = filled_[word]; bits != 0; bits &= bits - 1) {
        TlbEntry& entry = entries_[word * 64 + static_cast<unsigned>(std::countr_zero(bits))];
        if (entry.write_tag != 1 && entry.addend + entry.write_tag == host) entry.write_tag = 1;
      }
    }
  }

 private:
  static constexpr std::size_t kWords = kTlbEntries / 64;
  using Marks = std::array<std::uint64_t, kWords>;

  static std::size_t slot_of(std::uint32_t linear) { return (linear >> memory::kPageShift) % kTlbEntries; }

  void drop(std::size_t word, std::uint64_t bits) {
    filled_[word] &= ~bits;
    for (; bits != 0; bits &= bits - 1) entries_[word * 64 + static_cast<unsigned>(std::countr_zero(bits))] = TlbEntry{};
  }

  std::array<TlbEntry, kTlbEntries> entries_{};
  Marks filled_{}, global_{}, large_{};
};

}  // namespace tuxarium::cpu
