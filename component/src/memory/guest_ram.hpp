// The guest's RAM, from guest-physical address 0, and the marks of where predecoded code lies in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

namespace tuxarium::memory {

inline constexpr std::uint32_t kPageSize = 4096;
inline constexpr std::uint32_t kPageMask = ~(kPageSize - 1);
inline constexpr unsigned kPageShift = 12;

/// RAM and its code marks. A mark covers a line of 64 bytes: 64 lines to a page, one bit each.
class GuestRam {
 public:
  /// `size`: a multiple of 4096 below 4 GiB. Check ok() before use: the host may be out of memory.
  explicit GuestRam(std::uint32_t size) : size_{size} { clear(); }

  bool ok() const { return bytes_ != nullptr && lines_ != nullptr; }
  std::uint32_t size() const { return size_; }
  std::byte* data() { return bytes_.get(); }
  const std::byte* data() const { return bytes_.get(); }

  bool contains(std::uint32_t address, std::size_t count) const { return address < size_ && count <= size_ - address; }

  /// All bytes 0 and no marks. Pointers into the RAM become invalid.
  void clear();

  /// Lines of the page that hold predecoded code, bit 0 the lowest. `page`: page number below size() / 4096.
  std::uint64_t code_lines(std::uint32_t page) const { return lines_[page]; }

  /// Marks the lines that [address, address + count) touches; the range lies within one page.
  void mark_code(std::uint32_t address, std::uint32_t count) { lines_[address >> kPageShift] |= lines_of(address, count); }
  void unmark_page(std::uint32_t page) { lines_[page] = 0; }

  static std::uint64_t lines_of(std::uint32_t address, std::uint32_t count) {
    const std::uint32_t first = (address & (kPageSize - 1)) >> 6, last = ((address & (kPageSize - 1)) + count - 1) >> 6;
    return (~std::uint64_t{0} << first) & (~std::uint64_t{0} >> (63 - (last < 64 ? last : 63)));
  }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::uint32_t size_;
  std::unique_ptr<std::byte[], Free> bytes_;
  std::unique_ptr<std::uint64_t[], Free> lines_;
};

}  // namespace tuxarium::memory
