// Where a case runs: the same linear addresses, descriptors and selectors on the host and in the interpreter.
//
// Everything below 4 GiB that is not listed here is unmapped on both sides. The selectors are those of a Linux process: a case can name
// all of them, and the descriptors that it can load are either Linux' own or those of the local table below.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tuxarium::differential {

inline constexpr std::uint32_t kPage = 4096;

/// Two pages of code, not writable. What is not the case itself is INT3.
inline constexpr std::uint32_t kCodeBase = 0x10010000, kCodeSize = 2 * kPage;
/// One page, not writable, with the host's way back.
inline constexpr std::uint32_t kGateBase = 0x10020000, kGateSize = kPage;
/// Two writable pages and a read-only one.
inline constexpr std::uint32_t kDataBase = 0x10040000, kWritableSize = 2 * kPage, kDataSize = 3 * kPage;
/// The interpreter's descriptor tables and stack, for the supervisor alone. The host has nothing there.
inline constexpr std::uint32_t kSupervisorBase = 0xff000000u, kSupervisorSize = 0x10000;

inline constexpr bool in_supervisor_window(std::uint32_t address) { return address - kSupervisorBase < kSupervisorSize; }

inline constexpr std::uint8_t kInt3 = 0xcc;

// Linux' global descriptors for user code.
inline constexpr std::uint16_t kUserCode = 0x23, kUserData = 0x2b, kUserCode64 = 0x33;

/// The local descriptor table. All at level 3; `limit` in bytes or, with `pages`, in pages.
struct LocalDescriptor {
  std::uint32_t base;
  std::uint32_t limit;
  bool pages;
  bool big;          // D/B
  unsigned contents; // 0 data, 1 expand-down data, 2 code, 3 conforming code
  bool restricted;   // data: not writable; code: not readable
  bool present;
};

enum LocalEntry : std::uint16_t {
  kLocalFlat, kLocalWindow, kLocalReadOnly, kLocalExpandDown, kLocalAbsent, kLocalExecuteOnly, kLocalCode16, kLocalCode32, kLocalData16,
  kLocalExpandDown16, kLocalHighData16, kLocalConforming, kLocalSmallCode, kLocalEntries,
};

constexpr std::uint16_t local_selector(LocalEntry entry) { return static_cast<std::uint16_t>(entry << 3 | 7); }

inline constexpr std::array<LocalDescriptor, kLocalEntries> kLocalDescriptors{{
    {0, 0xfffff, true, true, 0, false, true},                            // kLocalFlat
    {kDataBase, kWritableSize - 1, false, true, 0, false, true},         // kLocalWindow: the writable pages
    {0, 0xfffff, true, true, 0, true, true},                             // kLocalReadOnly
    {0, kDataBase >> 12, true, true, 1, false, true},                    // kLocalExpandDown: from the second data page on
    {0, 0xfffff, true, true, 0, false, false},                           // kLocalAbsent
    {0, 0xfffff, true, true, 2, true, true},                             // kLocalExecuteOnly
    {kCodeBase, kCodeSize - 1, false, false, 2, false, true},            // kLocalCode16
    {0, 0xfffff, true, true, 2, false, true},                            // kLocalCode32
    {kDataBase, 0xffff, false, false, 0, false, true},                   // kLocalData16
    {kDataBase, 0x7ff, false, false, 1, false, true},                    // kLocalExpandDown16: offsets from 800 on
    {kDataBase - 0xe000, 0xffff, false, false, 0, false, true},          // kLocalHighData16: the writable pages end at offset 10000
    {0, 0xfffff, true, true, 3, false, false},                           // kLocalConforming: Linux lets only absent ones through
    {kCodeBase, kPage - 1, false, true, 2, false, true},                 // kLocalSmallCode: the first code page
}};

/// Base of the segment that a selector of Linux or of the table above names; 0 for all others.
constexpr std::uint32_t segment_base(std::uint16_t selector) {
  const unsigned entry = selector >> 3;
  return (selector & 4) != 0 && entry < kLocalEntries ? kLocalDescriptors[entry].base : 0;
}

}  // namespace tuxarium::differential
