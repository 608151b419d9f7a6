// The walk through the page tables: from a linear address to a physical one. Intel SDM volume 3A, sections 4.3 (32-bit paging) and 4.4 (PAE).
//
// Modelled: 4 KiB pages, 4 MiB pages with CR4.PSE, PAE with 2 MiB pages and 36 physical bits, reserved bits, global pages.
// Not modelled: PSE-36 and execute-disable; their bits are reserved.
#pragma once

#include <cstdint>

#include "cpu/core.hpp"

namespace tuxarium::cpu {

inline constexpr std::uint32_t kPagePresent = 1, kPageWritable = 2, kPageUser = 4, kPageAccessed = 0x20, kPageDirty = 0x40, kPageLarge = 0x80,
                               kPageGlobal = 0x100;

/// Physical address bits that an entry of the PAE tables may have.
inline constexpr std::uint64_t kPhysicalMask = 0xfffffffffu;

struct Walk {
  enum class Result : std::uint8_t { absent, reserved_bits, translated };
  Result result = Result::absent;
  bool large = false;                                 // a 2 or 4 MiB page: there is no table entry
  std::uint32_t rights = kPageWritable | kPageUser;   // of all levels together
  std::uint64_t physical = 0;
  std::uint64_t directory_address = 0, table_address = 0;  // physical addresses of the entries
  std::uint32_t directory_entry = 0, table_entry = 0;      // their low halves
};

namespace page_walk {

constexpr std::uint64_t kFrame = kPhysicalMask & ~std::uint64_t{0xfff};
constexpr std::uint64_t kReservedHigh = ~kPhysicalMask;
constexpr std::uint64_t kReservedLarge = kReservedHigh | 0x1fe000;  // 2 MiB pages: bits 13 to 20
constexpr std::uint32_t kReservedLarge32 = 0x003fe000u;             // 4 MiB pages: bits 13 to 21

template <class Load>
Walk legacy(const Core& c, std::uint32_t linear, Load load_dword) {
  Walk w;
  w.directory_address = (c.s.cr3 & memory::kPageMask) + (linear >> 22) * 4;
  w.directory_entry = load_dword(w.directory_address);
  if ((w.directory_entry & kPagePresent) == 0) return w;
  w.rights &= w.directory_entry;
  if ((w.directory_entry & kPageLarge) != 0 && (c.s.cr4 & kCr4Pse) != 0) {
    w.large = true;
    w.result = (w.directory_entry & kReservedLarge32) != 0 ? Walk::Result::reserved_bits : Walk::Result::translated;
    w.physical = (w.directory_entry & 0xffc00000u) | (linear & 0x003fffffu);
    return w;
  }
  w.table_address = (w.directory_entry & memory::kPageMask) + (linear >> 12 & 0x3ff) * 4;
  w.table_entry = load_dword(w.table_address);
  if ((w.table_entry & kPagePresent) == 0) return w;
  w.rights &= w.table_entry;
  w.result = Walk::Result::translated;
  w.physical = (w.table_entry & memory::kPageMask) | (linear & ~memory::kPageMask);
  return w;
}

template <class Load>
Walk pae(const Core& c, std::uint32_t linear, Load load_dword) {
  const auto load_entry = [&](std::uint64_t address) { return load_dword(address) | std::uint64_t{load_dword(address + 4)} << 32; };
  Walk w;
  const std::uint64_t pointer = c.s.pdpte[linear >> 30];
  if ((pointer & kPagePresent) == 0) return w;
  w.directory_address = (pointer & kFrame) + (linear >> 21 & 0x1ff) * 8;
  const std::uint64_t directory = load_entry(w.directory_address);
  w.directory_entry = static_cast<std::uint32_t>(directory);
  if ((directory & kPagePresent) == 0) return w;
  w.rights &= w.directory_entry;
  w.large = (directory & kPageLarge) != 0;
  if ((directory & (w.large ? kReservedLarge : kReservedHigh)) != 0) {
    w.result = Walk::Result::reserved_bits;
    return w;
  }
  if (w.large) {
    w.result = Walk::Result::translated;
    w.physical = (directory & kFrame & ~std::uint64_t{0x1fffff}) | (linear & 0x1fffffu);
    return w;
  }
  w.table_address = (directory & kFrame) + (linear >> 12 & 0x1ff) * 8;
  const std::uint64_t table = load_entry(w.table_address);
  w.table_entry = static_cast<std::uint32_t>(table);
  if ((table & kPagePresent) == 0) return w;
  w.rights &= w.table_entry;
  w.result = (table & kReservedHigh) != 0 ? Walk::Result::reserved_bits : Walk::Result::translated;
  w.physical = (table & kFrame) | (linear & ~memory::kPageMask);
  return w;
}

}  // namespace page_walk

/// `load_dword(physical)`: reads guest-physical memory. Paging is on.
template <class Load>
Walk walk_pages(const Core& c, std::uint32_t linear, Load load_dword) {
  return (c.s.cr4 & kCr4Pae) != 0 ? page_walk::pae(c, linear, load_dword) : page_walk::legacy(c, linear, load_dword);
}

}  // namespace tuxarium::cpu
