// Translation from linear to physical addresses and the slow paths of memory access. Intel SDM volume 3A, chapter 4.
//
// Modelled: what page_walk.hpp does, accessed and dirty bits, user/supervisor and write rights with CR0.WP. The translation cache keeps global
// pages over loads of CR3; beyond that it may forget a page at any time, but it never remembers what hardware would have forgotten.

#include <algorithm>

#include "cpu/debug.hpp"
#include "cpu/memory_access.hpp"
#include "cpu/page_walk.hpp"

namespace tuxarium::cpu {

namespace {

using memory::kPageMask;
using memory::kPageShift;
using memory::kPageSize;

// Bits of a page fault's error code.
constexpr std::uint32_t kErrorPresent = 1, kErrorWrite = 2, kErrorUser = 4, kErrorReserved = 8;

bool page_fault(Core& c, std::uint32_t linear, std::uint32_t cause, Purpose purpose, bool user) {
  c.s.cr2 = linear;
  return raise(c, kPageFault, cause | (purpose == Purpose::write ? kErrorWrite : 0) | (user ? kErrorUser : 0));
}

bool in_ram(const Core& c, std::uint64_t physical, unsigned size) {
  return physical >> 32 == 0 && c.ram.contains(static_cast<std::uint32_t>(physical), size);
}

/// Offset into the ROM of a physical address, or nothing.
bool in_rom(const Core& c, std::uint64_t physical, std::size_t& offset) {
  if (c.rom.empty() || physical >> 32 != 0) return false;
  const std::uint32_t from_end = ~static_cast<std::uint32_t>(physical);  // 0 for the last byte of the address space
  if (from_end >= c.rom.size()) return false;
  offset = c.rom.size() - 1 - from_end;
  return true;
}

/// Host address of a page of RAM or ROM, or 0.
std::uintptr_t host_page(const Core& c, std::uint64_t page) {
  std::size_t rom_offset = 0;
  if (in_ram(c, page, kPageSize)) return reinterpret_cast<std::uintptr_t>(c.ram.data()) + static_cast<std::uintptr_t>(page);
  if (!in_rom(c, page, rom_offset) || c.rom.size() - rom_offset < kPageSize) return 0;
  return reinterpret_cast<std::uintptr_t>(c.rom.data()) + rom_offset;
}

/// RAM without predecoded code.
bool plainly_writable(const Core& c, std::uint64_t page) {
  return in_ram(c, page, kPageSize) && c.ram.code_lines(static_cast<std::uint32_t>(page >> kPageShift)) == 0;
}

struct Page {
  std::uint64_t physical;
  bool writable = true;  // without a further walk
  bool global = false;
  bool large = false;
};

void fill(const Core& c, Tlb& tlb, std::uint32_t linear, const Page& page) {
  const std::uint64_t frame = page.physical & ~std::uint64_t{kPageSize - 1};
  const std::uintptr_t host = page_watched(c, linear) ? 0 : host_page(c, frame);
  TlbEntry& entry = tlb.place(linear, page.global, page.large);
  entry = TlbEntry{};
  if (host == 0) return;
  const std::uint32_t tag = linear & kPageMask;
  entry = {.read_tag = tag, .write_tag = page.writable && plainly_writable(c, frame) ? tag : 1, .addend = host - tag};
}

std::uint32_t load_bytes(const std::byte* from, unsigned size) {
  std::uint32_t value = 0;
  std::memcpy(&value, from, size);
  return value;
}

/// Stores to RAM and drops the code that is hit. The bytes lie within one page.
void ram_store(Core& c, std::uint64_t physical, std::uint64_t value, unsigned size) {
  std::memcpy(c.ram.data() + physical, &value, size);
  const auto address = static_cast<std::uint32_t>(physical), page = address >> kPageShift;
  if ((c.ram.code_lines(page) & memory::GuestRam::lines_of(address, size)) != 0) drop_code(c, page);
}

/// All bytes lie within one page.
std::uint64_t physical_load_any(Core& c, std::uint64_t physical, unsigned size) {
  if (in_ram(c, physical, size)) {
    std::uint64_t value = 0;
    std::memcpy(&value, c.ram.data() + physical, size);
    return value;
  }
  if (size == 8) return physical_load(c, physical, 4) | std::uint64_t{physical_load(c, physical + 4, 4)} << 32;
  return physical_load(c, physical, size);
}

void physical_store_any(Core& c, std::uint64_t physical, std::uint64_t value, unsigned size) {
  if (in_ram(c, physical, size)) {
    ram_store(c, physical, value, size);
  } else if (size == 8) {
    physical_store(c, physical, static_cast<std::uint32_t>(value), 4);
    physical_store(c, physical + 4, static_cast<std::uint32_t>(value >> 32), 4);
  } else {
    physical_store(c, physical, static_cast<std::uint32_t>(value), size);
  }
}

unsigned bytes_in_page(std::uint32_t linear, unsigned size) { return std::min(size, kPageSize - (linear & ~kPageMask)); }

}  // namespace

bool raise(Core& c, std::uint8_t vector) {
  c.event = {.kind = PendingEvent::Kind::fault, .vector = vector, .has_error = false, .external = false, .error = 0, .return_eip = 0};
  return false;
}

bool raise(Core& c, std::uint8_t vector, std::uint32_t error) {
  c.event = {.kind = PendingEvent::Kind::fault, .vector = vector, .has_error = true, .external = false, .error = error, .return_eip = 0};
  return false;
}

bool translate_and_fill(Core& c, std::uint32_t linear, Purpose purpose, bool supervisor, std::uint64_t& physical) {
  const bool user = !supervisor && c.s.cpl == 3;
  Tlb& tlb = user ? c.tlb_user : c.tlb_supervisor;
  if ((c.s.cr0 & kCr0Pg) == 0) {
    physical = linear;
    fill(c, tlb, linear, {.physical = linear});
    return true;
  }
  const Walk w = walk_pages(c, linear, [&c](std::uint64_t address) { return physical_load(c, address, 4); });
  if (w.result == Walk::Result::absent) return page_fault(c, linear, 0, purpose, user);
  if (w.result == Walk::Result::reserved_bits) return page_fault(c, linear, kErrorPresent | kErrorReserved, purpose, user);
  const bool may_write = (w.rights & kPageWritable) != 0 || (!user && (c.s.cr0 & kCr0Wp) == 0);
  if ((user && (w.rights & kPageUser) == 0) || (purpose == Purpose::write && !may_write)) {
    return page_fault(c, linear, kErrorPresent, purpose, user);
  }

  const std::uint32_t leaf_bits = kPageAccessed | (purpose == Purpose::write ? kPageDirty : 0);
  const std::uint32_t directory_bits = w.large ? leaf_bits : kPageAccessed;
  if ((w.directory_entry & directory_bits) != directory_bits) physical_store(c, w.directory_address, w.directory_entry | directory_bits, 4);
  if (!w.large && (w.table_entry & leaf_bits) != leaf_bits) physical_store(c, w.table_address, w.table_entry | leaf_bits, 4);

  const std::uint32_t leaf = w.large ? w.directory_entry : w.table_entry;
  const bool dirty = purpose == Purpose::write || (leaf & kPageDirty) != 0;
  const bool global = (leaf & kPageGlobal) != 0 && (c.s.cr4 & kCr4Pge) != 0;
  physical = w.physical;
  fill(c, tlb, linear, {.physical = physical, .writable = may_write && dirty, .global = global, .large = w.large});
  return true;
}

bool translate_quietly(const Core& c, std::uint32_t linear, std::uint32_t& physical) {
  if ((c.s.cr0 & kCr0Pg) == 0) {
    physical = linear;
    return true;
  }
  const Walk w = walk_pages(c, linear, [&c](std::uint64_t address) -> std::uint32_t {
    return in_ram(c, address, 4) ? load_bytes(c.ram.data() + address, 4) : 0;
  });
  physical = static_cast<std::uint32_t>(w.physical);
  return w.result == Walk::Result::translated && w.physical >> 32 == 0;
}

bool load_page_pointers(Core& c, std::uint32_t cr0, std::uint32_t cr3, std::uint32_t cr4) {
  if ((cr0 & kCr0Pg) == 0 || (cr4 & kCr4Pae) == 0) return true;
  constexpr std::uint64_t kReserved = page_walk::kReservedHigh | 0x1e6;
  std::array<std::uint64_t, 4> pointers{};
  for (unsigned i = 0; i < pointers.size(); ++i) {
    const std::uint32_t at = (cr3 & 0xffffffe0u) + 8 * i;
    pointers[i] = physical_load(c, at, 4) | std::uint64_t{physical_load(c, at + 4, 4)} << 32;
    if ((pointers[i] & kPagePresent) != 0 && (pointers[i] & kReserved) != 0) return raise(c, kGeneralProtection, 0);
  }
  c.s.pdpte = pointers;
  return true;
}

void flush_tlb(Core& c) {
  c.tlb_supervisor.flush();
  c.tlb_user.flush();
}

void flush_tlb_local(Core& c) {
  c.tlb_supervisor.flush_local();
  c.tlb_user.flush_local();
}

void flush_tlb_page(Core& c, std::uint32_t linear) {
  c.tlb_supervisor.flush_page(linear);
  c.tlb_user.flush_page(linear);
}

std::uint32_t physical_load(Core& c, std::uint64_t physical, unsigned size) {
  if (in_ram(c, physical, size)) return load_bytes(c.ram.data() + physical, size);
  std::size_t offset = 0;
  if (in_rom(c, physical, offset) && c.rom.size() - offset >= size) return load_bytes(c.rom.data() + offset, size);
  if (physical >> 32 != 0) return size == 4 ? 0xffffffffu : (1u << (8 * size)) - 1;
  return c.bus.memory_read(static_cast<std::uint32_t>(physical), size);
}

void physical_store(Core& c, std::uint64_t physical, std::uint32_t value, unsigned size) {
  std::size_t offset = 0;
  if (in_ram(c, physical, size)) {
    ram_store(c, physical, value, size);
  } else if (physical >> 32 == 0 && !in_rom(c, physical, offset)) {
    c.bus.memory_write(static_cast<std::uint32_t>(physical), size, value);
  }
}

void drop_code(Core& c, std::uint32_t physical_page) {
  c.ram.unmark_page(physical_page);
  c.blocks.invalidate_page(physical_page);
  if (c.block == &c.scratch) {
    for (Op& op : c.scratch_ops) op.handler = op_stale;
  }
}

SlowValue load_data(Core& c, std::uint32_t linear, unsigned size) {
  return aligned(c, linear, size) ? load_slow(c, linear, size, false) : SlowValue{0, false};
}

bool store_data(Core& c, std::uint32_t linear, std::uint64_t value, unsigned size) {
  return aligned(c, linear, size) && store_slow(c, linear, value, size, false);
}

SlowValue load_slow(Core& c, std::uint32_t linear, unsigned size, bool supervisor) {
  if (c.armed != 0 && !watch_data(c, linear, size, false, supervisor)) return {0, false};
  std::uint64_t value = 0;
  unsigned done = 0;
  while (done < size) {
    const std::uint32_t at = linear + done;
    const unsigned part = bytes_in_page(at, size - done);
    std::uint64_t physical = 0;
    if (!translate_and_fill(c, at, Purpose::read, supervisor, physical)) return {0, false};
    if (part == size) return {physical_load_any(c, physical, size), true};
    for (unsigned i = 0; i < part; ++i) value |= std::uint64_t{physical_load(c, physical + i, 1)} << (8 * (done + i));
    done += part;
  }
  return {value, true};
}

bool store_slow(Core& c, std::uint32_t linear, std::uint64_t value, unsigned size, bool supervisor) {
  if (c.armed != 0 && !watch_data(c, linear, size, true, supervisor)) return false;
  std::uint64_t physical = 0;
  const unsigned first = bytes_in_page(linear, size);
  if (!translate_and_fill(c, linear, Purpose::write, supervisor, physical)) return false;
  if (first == size) {
    physical_store_any(c, physical, value, size);
    return true;
  }
  std::uint64_t second = 0;
  if (!translate_and_fill(c, linear + first, Purpose::write, supervisor, second)) return false;
  for (unsigned i = 0; i < size; ++i) {
    physical_store(c, i < first ? physical + i : second + (i - first), static_cast<std::uint8_t>(value >> (8 * i)), 1);
  }
  return true;
}

bool probe_write(Core& c, std::uint32_t linear, unsigned size) {
  if (c.armed != 0 && !c.noting_hits && !watch_data(c, linear, size, true, false)) return false;
  std::uint64_t physical = 0;
  const unsigned first = bytes_in_page(linear, size);
  return translate_and_fill(c, linear, Purpose::write, false, physical) &&
         (first == size || translate_and_fill(c, linear + first, Purpose::write, false, physical));
}

const std::byte* fast_read_pointer(Core& c, std::uint32_t linear) {
  const TlbEntry& entry = tlb_entry(c, linear);
  return (linear & kPageMask) == entry.read_tag ? reinterpret_cast<const std::byte*>(entry.addend + linear) : nullptr;
}

std::byte* fast_write_pointer(Core& c, std::uint32_t linear) {
  const TlbEntry& entry = tlb_entry(c, linear);
  return (linear & kPageMask) == entry.write_tag ? reinterpret_cast<std::byte*>(entry.addend + linear) : nullptr;
}

const std::byte* block_read_pointer(Core& c, std::uint32_t linear) {
  if (const std::byte* known = fast_read_pointer(c, linear)) return known;
  std::uint64_t physical = 0;
  if (translate_and_fill(c, linear, Purpose::read, false, physical)) return fast_read_pointer(c, linear);
  c.event = {};
  return nullptr;
}

std::byte* block_write_pointer(Core& c, std::uint32_t linear, std::uint32_t count) {
  if (std::byte* known = fast_write_pointer(c, linear)) return known;
  if (c.armed != 0 || c.alignment_checked) return nullptr;  // each access is looked at
  std::uint64_t physical = 0;
  if (!translate_and_fill(c, linear, Purpose::write, false, physical)) {
    c.event = {};
    return nullptr;
  }
  if (!in_ram(c, physical, count)) return nullptr;
  const auto address = static_cast<std::uint32_t>(physical), page = address >> kPageShift;
  if ((c.ram.code_lines(page) & memory::GuestRam::lines_of(address, count)) != 0) drop_code(c, page);
  return c.ram.data() + address;
}

const std::uint8_t* fetch_pointer(Core& c, std::uint32_t linear) {
  const TlbEntry& entry = tlb_entry(c.fetch_tlb, linear);
  if ((linear & kPageMask) == entry.read_tag) return reinterpret_cast<const std::uint8_t*>(entry.addend + linear);
  std::uint64_t physical = 0;
  if (!translate_and_fill(c, linear, Purpose::fetch, false, physical)) return nullptr;
  const std::uintptr_t host = host_page(c, physical & ~std::uint64_t{kPageSize - 1});
  if (host != 0) return reinterpret_cast<const std::uint8_t*>(host + (linear & ~kPageMask));
  // Code in memory that is neither RAM nor ROM reads as all ones, which is no instruction.
  raise(c, kInvalidOpcode);
  return nullptr;
}

void protect_code_page(Core& c, std::uint32_t physical_page) {
  const std::uintptr_t host = reinterpret_cast<std::uintptr_t>(c.ram.data()) + (std::uintptr_t{physical_page} << kPageShift);
  c.tlb_supervisor.protect(host);
  c.tlb_user.protect(host);
}

}  // namespace tuxarium::cpu
