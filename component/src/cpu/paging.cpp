// Translation from linear to physical addresses and the slow paths of memory access. Intel SDM volume 3A, chapter 4.
//
// Modelled: 32-bit paging with 4 KiB and (CR4.PSE) 4 MiB pages, accessed and dirty bits, user/supervisor and write rights with CR0.WP.
// Not modelled: PAE, global pages are flushed like all others.

#include <algorithm>

#include "cpu/memory_access.hpp"

namespace tuxarium::cpu {

namespace {

using memory::kPageMask;
using memory::kPageShift;
using memory::kPageSize;

constexpr std::uint32_t kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 0x20, kDirty = 0x40, kLargePage = 0x80;

bool page_fault(Core& c, std::uint32_t linear, bool present, Purpose purpose, bool user) {
  c.s.cr2 = linear;
  return raise(c, kPageFault, (present ? 1u : 0u) | (purpose == Purpose::write ? 2u : 0u) | (user ? 4u : 0u));
}

/// Offset into the ROM of a physical address, or nothing.
bool in_rom(const Core& c, std::uint32_t physical, std::size_t& offset) {
  if (c.rom.empty()) return false;
  const std::uint32_t from_end = ~physical;  // 0 for the last byte of the address space
  if (from_end >= c.rom.size()) return false;
  offset = c.rom.size() - 1 - from_end;
  return true;
}

struct Walk {
  bool present = false;
  bool large = false;  // a 4 MiB page: there is no table entry
  std::uint32_t rights = kWritable | kUser;  // of all levels together
  std::uint32_t physical = 0;
  std::uint32_t directory_address = 0, table_address = 0;  // physical addresses of the entries
  std::uint32_t directory_entry = 0, table_entry = 0;
};

template <class Load>
Walk walk(const Core& c, std::uint32_t linear, Load load_dword) {
  Walk w;
  w.directory_address = (c.s.cr3 & kPageMask) + (linear >> 22) * 4;
  w.directory_entry = load_dword(w.directory_address);
  if ((w.directory_entry & kPresent) == 0) return w;
  w.rights &= w.directory_entry;
  if ((w.directory_entry & kLargePage) != 0 && (c.s.cr4 & kCr4Pse) != 0) {
    w.present = w.large = true;
    w.physical = (w.directory_entry & 0xffc00000u) | (linear & 0x003fffffu);
    return w;
  }
  w.table_address = (w.directory_entry & kPageMask) + (linear >> 12 & 0x3ff) * 4;
  w.table_entry = load_dword(w.table_address);
  if ((w.table_entry & kPresent) == 0) return w;
  w.rights &= w.table_entry;
  w.present = true;
  w.physical = (w.table_entry & kPageMask) | (linear & ~kPageMask);
  return w;
}

void fill(Core& c, Tlb& tlb, std::uint32_t linear, std::uint32_t physical, bool writable) {
  TlbEntry& entry = tlb[(linear >> kPageShift) % kTlbEntries];
  const std::uint32_t page = linear & kPageMask;
  std::size_t rom_offset = 0;
  if (c.ram.contains(physical & kPageMask, kPageSize)) {
    entry.addend = reinterpret_cast<std::uintptr_t>(c.ram.data()) + (physical & kPageMask) - page;
    entry.read_tag = page;
    entry.write_tag = writable && c.ram.code_lines(physical >> kPageShift) == 0 ? page : 1;
  } else if (in_rom(c, physical & kPageMask, rom_offset) && c.rom.size() - rom_offset >= kPageSize) {
    entry.addend = reinterpret_cast<std::uintptr_t>(c.rom.data()) + rom_offset - page;
    entry.read_tag = page;
    entry.write_tag = 1;
  } else {
    entry = TlbEntry{};
  }
}

std::uint32_t load_bytes(const std::byte* from, unsigned size) {
  std::uint32_t value = 0;
  std::memcpy(&value, from, size);
  return value;
}

/// Stores to RAM and drops the code that is hit. The bytes lie within one page.
void ram_store(Core& c, std::uint32_t physical, std::uint64_t value, unsigned size) {
  std::memcpy(c.ram.data() + physical, &value, size);
  const std::uint32_t page = physical >> kPageShift;
  if ((c.ram.code_lines(page) & memory::GuestRam::lines_of(physical, size)) != 0) drop_code(c, page);
}

/// All bytes lie within one page.
std::uint64_t physical_load_any(Core& c, std::uint32_t physical, unsigned size) {
  if (c.ram.contains(physical, size)) {
    std::uint64_t value = 0;
    std::memcpy(&value, c.ram.data() + physical, size);
    return value;
  }
  if (size == 8) return physical_load(c, physical, 4) | std::uint64_t{physical_load(c, physical + 4, 4)} << 32;
  return physical_load(c, physical, size);
}

void physical_store_any(Core& c, std::uint32_t physical, std::uint64_t value, unsigned size) {
  if (c.ram.contains(physical, size)) {
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

bool translate_and_fill(Core& c, std::uint32_t linear, Purpose purpose, bool supervisor, std::uint32_t& physical) {
  Tlb& tlb = supervisor ? c.tlb_supervisor : (c.s.cpl == 3 ? c.tlb_user : c.tlb_supervisor);
  if ((c.s.cr0 & kCr0Pg) == 0) {
    physical = linear;
    fill(c, tlb, linear, physical, true);
    return true;
  }
  const bool user = !supervisor && c.s.cpl == 3;
  const Walk w = walk(c, linear, [&c](std::uint32_t address) { return physical_load(c, address, 4); });
  if (!w.present) return page_fault(c, linear, false, purpose, user);
  const bool may_write = (w.rights & kWritable) != 0 || (!user && (c.s.cr0 & kCr0Wp) == 0);
  if ((user && (w.rights & kUser) == 0) || (purpose == Purpose::write && !may_write)) return page_fault(c, linear, true, purpose, user);

  const std::uint32_t leaf_bits = kAccessed | (purpose == Purpose::write ? kDirty : 0);
  const bool large = w.large;
  const std::uint32_t directory_bits = large ? leaf_bits : kAccessed;
  if ((w.directory_entry & directory_bits) != directory_bits) physical_store(c, w.directory_address, w.directory_entry | directory_bits, 4);
  if (!large && (w.table_entry & leaf_bits) != leaf_bits) physical_store(c, w.table_address, w.table_entry | leaf_bits, 4);

  const std::uint32_t leaf = large ? w.directory_entry : w.table_entry;
  const bool dirty = purpose == Purpose::write || (leaf & kDirty) != 0;
  physical = w.physical;
  fill(c, tlb, linear, physical, may_write && dirty);
  return true;
}

bool translate_quietly(const Core& c, std::uint32_t linear, std::uint32_t& physical) {
  if ((c.s.cr0 & kCr0Pg) == 0) {
    physical = linear;
    return true;
  }
  const Walk w = walk(c, linear, [&c](std::uint32_t address) -> std::uint32_t {
    return c.ram.contains(address, 4) ? load_bytes(c.ram.data() + address, 4) : 0;
  });
  physical = w.physical;
  return w.present;
}

void flush_tlb(Core& c) {
  c.tlb_supervisor.fill(TlbEntry{});
  c.tlb_user.fill(TlbEntry{});
}

void flush_tlb_page(Core& c, std::uint32_t linear) {
  const std::size_t slot = (linear >> kPageShift) % kTlbEntries;
  c.tlb_supervisor[slot] = TlbEntry{};
  c.tlb_user[slot] = TlbEntry{};
}

std::uint32_t physical_load(Core& c, std::uint32_t physical, unsigned size) {
  if (c.ram.contains(physical, size)) return load_bytes(c.ram.data() + physical, size);
  std::size_t offset = 0;
  if (in_rom(c, physical, offset) && c.rom.size() - offset >= size) return load_bytes(c.rom.data() + offset, size);
  return c.bus.memory_read(physical, size);
}

void physical_store(Core& c, std::uint32_t physical, std::uint32_t value, unsigned size) {
  std::size_t offset = 0;
  if (c.ram.contains(physical, size)) {
    ram_store(c, physical, value, size);
  } else if (!in_rom(c, physical, offset)) {
    c.bus.memory_write(physical, size, value);
  }
}

void drop_code(Core& c, std::uint32_t physical_page) {
  c.ram.unmark_page(physical_page);
  c.blocks.invalidate_page(physical_page);
  if (c.block == &c.scratch) {
    for (Op& op : c.scratch_ops) op.handler = op_stale;
  }
}

SlowValue load_slow(Core& c, std::uint32_t linear, unsigned size, bool supervisor) {
  std::uint64_t value = 0;
  unsigned done = 0;
  while (done < size) {
    const std::uint32_t at = linear + done;
    const unsigned part = bytes_in_page(at, size - done);
    std::uint32_t physical = 0;
    if (!translate_and_fill(c, at, Purpose::read, supervisor, physical)) return {0, false};
    if (part == size) return {physical_load_any(c, physical, size), true};
    for (unsigned i = 0; i < part; ++i) value |= std::uint64_t{physical_load(c, physical + i, 1)} << (8 * (done + i));
    done += part;
  }
  return {value, true};
}

bool store_slow(Core& c, std::uint32_t linear, std::uint64_t value, unsigned size, bool supervisor) {
  std::uint32_t physical = 0;
  const unsigned first = bytes_in_page(linear, size);
  if (!translate_and_fill(c, linear, Purpose::write, supervisor, physical)) return false;
  if (first == size) {
    physical_store_any(c, physical, value, size);
    return true;
  }
  std::uint32_t second = 0;
  if (!translate_and_fill(c, linear + first, Purpose::write, supervisor, second)) return false;
  for (unsigned i = 0; i < size; ++i) {
    physical_store(c, i < first ? physical + i : second + (i - first), static_cast<std::uint8_t>(value >> (8 * i)), 1);
  }
  return true;
}

bool probe_write(Core& c, std::uint32_t linear, unsigned size) {
  std::uint32_t physical = 0;
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

const std::uint8_t* fetch_pointer(Core& c, std::uint32_t linear) {
  const TlbEntry& entry = tlb_entry(c, linear);
  if ((linear & kPageMask) != entry.read_tag) {
    std::uint32_t physical = 0;
    if (!translate_and_fill(c, linear, Purpose::fetch, false, physical)) return nullptr;
    if ((linear & kPageMask) != entry.read_tag) {
      // Code in memory that is neither RAM nor ROM reads as all ones, which is no instruction.
      raise(c, kInvalidOpcode);
      return nullptr;
    }
  }
  return reinterpret_cast<const std::uint8_t*>(entry.addend + linear);
}

void protect_code_page(Core& c, std::uint32_t physical_page) {
  const std::uintptr_t host = reinterpret_cast<std::uintptr_t>(c.ram.data()) + (std::uintptr_t{physical_page} << kPageShift);
  for (Tlb* tlb : {&c.tlb_supervisor, &c.tlb_user}) {
    for (TlbEntry& entry : *tlb) {
      if (entry.write_tag != 1 && entry.addend + entry.write_tag == host) entry.write_tag = 1;
    }
  }
}

}  // namespace tuxarium::cpu
