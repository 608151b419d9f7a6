// Small boot images whose every field a test can spoil.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tuxarium::test {

using Bytes = std::vector<std::byte>;

inline Bytes filled(std::size_t size, unsigned seed) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 7 + i / 251 + seed) & 0xff);
  return bytes;
}

inline void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width && at + i < bytes.size(); ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

/// A bzImage with 4 setup sectors and 20,000 bytes of code.
struct BzImage {
  std::uint32_t magic = 0x53726448;
  std::uint16_t version = 0x020f;
  std::uint8_t load_flags = 1;
  std::uint16_t extended_load_flags = 0;
  std::uint64_t preferred = 0x100000;
  std::uint32_t init_bytes = 0x100000;
  std::uint32_t initrd_max = 0x37ffffff;
  std::uint32_t command_line_size = 2047;
  std::size_t missing_code = 0;  // bytes cut off at the end
};

inline Bytes bzimage(const BzImage& image) {
  constexpr std::size_t kCode = 20000;
  Bytes bytes = filled(5 * 512, 200);
  put(bytes, 0x1f1, 4, 1);
  put(bytes, 0x1f4, kCode / 16, 4);
  put(bytes, 0x1fe, 0xaa55, 2);
  put(bytes, 0x200, 0x66eb, 2);  // jump to the end of the header
  put(bytes, 0x202, image.magic, 4);
  put(bytes, 0x206, image.version, 2);
  put(bytes, 0x211, image.load_flags, 1);
  put(bytes, 0x22c, image.initrd_max, 4);
  put(bytes, 0x236, image.extended_load_flags, 2);
  put(bytes, 0x238, image.command_line_size, 4);
  put(bytes, 0x258, image.preferred, 8);
  put(bytes, 0x260, image.init_bytes, 4);
  const Bytes code = filled(kCode, 9);
  bytes.insert(bytes.end(), code.begin(), code.end());
  bytes.resize(bytes.size() - image.missing_code);
  return bytes;
}

/// An i386 ELF executable with one segment of 3,000 bytes, which begins at byte 256.
struct Elf {
  std::uint8_t elf_class = 1, byte_order = 1;
  std::uint16_t type = 2, machine = 3;
  std::uint32_t entry = 0x100010;
  std::uint32_t table = 52;
  std::uint16_t program_headers = 1;
  std::uint32_t segment_type = 1;
  std::uint32_t offset = 256;
  std::uint32_t physical = 0x100000;
  std::uint32_t memory_bytes = 0x4000;
  std::uint32_t multiboot_flags = 0xffffffff;  // other values: with a multiboot header at byte 128
};

inline Bytes elf(const Elf& image) {
  Bytes bytes(256);
  put(bytes, 0, 0x464c457f, 4);
  put(bytes, 4, image.elf_class, 1);
  put(bytes, 5, image.byte_order, 1);
  put(bytes, 16, image.type, 2);
  put(bytes, 18, image.machine, 2);
  put(bytes, 24, image.entry, 4);
  put(bytes, 28, image.table, 4);
  put(bytes, 42, 32, 2);
  put(bytes, 44, image.program_headers, 2);
  put(bytes, 52, image.segment_type, 4);
  put(bytes, 56, image.offset, 4);
  put(bytes, 60, 0xc0100000, 4);
  put(bytes, 64, image.physical, 4);
  put(bytes, 68, 3000, 4);
  put(bytes, 72, image.memory_bytes, 4);
  if (image.multiboot_flags != 0xffffffff) {
    put(bytes, 128, 0x1badb002, 4);
    put(bytes, 132, image.multiboot_flags, 4);
    put(bytes, 136, 0u - 0x1badb002u - image.multiboot_flags, 4);
  }
  const Bytes code = filled(3000, 7);
  bytes.insert(bytes.end(), code.begin(), code.end());
  return bytes;
}

/// A flat multiboot kernel whose load address is that of its header.
struct MultibootFlat {
  std::size_t file_bytes = 10000;
  std::size_t header_at = 16;
  std::uint32_t flags = 0x10000;
  std::uint32_t checksum_error = 0;
  std::uint32_t load = 0x200000, load_end = 0x201000, bss_end = 0x204000, entry = 0x200020;
};

inline Bytes multiboot_flat(const MultibootFlat& image) {
  Bytes bytes = filled(image.file_bytes, 5);
  const std::size_t at = image.header_at;
  put(bytes, at, 0x1badb002, 4);
  put(bytes, at + 4, image.flags, 4);
  put(bytes, at + 8, 0u - 0x1badb002u - image.flags + image.checksum_error, 4);
  put(bytes, at + 12, 0x200000, 4);  // of the header
  put(bytes, at + 16, image.load, 4);
  put(bytes, at + 20, image.load_end, 4);
  put(bytes, at + 24, image.bss_end, 4);
  put(bytes, at + 28, image.entry, 4);
  return bytes;
}

}  // namespace tuxarium::test
