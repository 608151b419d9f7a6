// The default guest for qemu-system-i386: its kernel as a file that QEMU starts, its disk as a raw image, and the command line.
//
// QEMU's machine is isapc: its IDE channel is where the kernel looks for the board's. It is started as a PC is, through its BIOS and its
// Multiboot loader, because it has no way of its own to start an ELF kernel without a note for it; the wrapper around the kernel takes
// microseconds. There is no decompression.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <tuxarium/default_guest.hpp>

#include "machine/boot_plan.hpp"

namespace bench {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

class ByteWriter {
 public:
  void u8(unsigned value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void u16(std::uint32_t value) { u8(value & 0xff), u8(value >> 8 & 0xff); }
  void u32(std::uint32_t value) { u16(value & 0xffff), u16(value >> 16); }
  void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void pad_to(std::size_t size) { bytes_.resize(std::max(size, bytes_.size())); }
  std::size_t size() const { return bytes_.size(); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

inline constexpr std::uint32_t kWrapperAddress = 0x1000000, kHighRam = 0x100000;
inline constexpr std::uint32_t kCodeOffset = 12, kDataOffset = 1024;  // behind the Multiboot header, behind the code

/// Multiboot header, code and data at kWrapperAddress. The code puts what belongs below 1 MiB there, sets the registers and starts.
inline Bytes wrapper(const tuxarium::machine::BootPlan& plan) {
  constexpr std::uint32_t kMagic = 0x1badb002;
  ByteWriter data, code;
  code.u8(0xfa), code.u8(0xfc);  // CLI, CLD
  for (const auto& placement : plan.placements) {
    if (placement.address() >= kHighRam) continue;
    code.u8(0xbe), code.u32(kWrapperAddress + kDataOffset + static_cast<std::uint32_t>(data.size()));  // MOV ESI, EDI, ECX; REP MOVSB
    code.u8(0xbf), code.u32(placement.address());
    code.u8(0xb9), code.u32(static_cast<std::uint32_t>(placement.bytes().size()));
    code.u16(0xa4f3);
    data.append(placement.bytes());
  }
  const auto descriptor = static_cast<std::uint32_t>(data.size());
  data.u16(plan.registers.gdtr_limit), data.u32(plan.registers.gdtr_base);
  code.u16(0x010f), code.u8(0x15), code.u32(kWrapperAddress + kDataOffset + descriptor);  // LGDT
  const auto& segment = plan.registers.segment;
  code.u8(0xb8), code.u32(segment[static_cast<std::size_t>(tuxarium::SegmentName::ds)].selector);  // MOV EAX; DS, ES, SS
  code.u16(0xd88e), code.u16(0xc08e), code.u16(0xd08e);
  code.u8(0xbe), code.u32(plan.registers.gpr[6]);        // MOV ESI: the zero page
  code.u16(0xed31), code.u16(0xff31), code.u16(0xdb31);  // XOR EBP, EDI, EBX
  code.u8(0xea), code.u32(plan.registers.eip);           // JMP FAR
  code.u16(segment[static_cast<std::size_t>(tuxarium::SegmentName::cs)].selector);

  ByteWriter all;
  all.u32(kMagic), all.u32(0), all.u32(0u - kMagic);
  all.append(code.bytes());
  all.pad_to(kDataOffset);
  all.append(data.bytes());
  return all.bytes();
}

/// The start that tuxarium's own loader planned, as a Multiboot ELF file.
inline Bytes multiboot_elf(const tuxarium::machine::BootPlan& plan) {
  struct Segment {
    std::uint32_t address;
    std::span<const std::byte> bytes;
  };
  const Bytes start = wrapper(plan);
  std::vector<Segment> segments{{kWrapperAddress, start}};  // first, because the header must lie in the first 8 KiB
  for (const auto& placement : plan.placements) {
    if (placement.address() >= kHighRam) segments.push_back({placement.address(), placement.bytes()});
  }
  constexpr std::uint32_t kHeaderBytes = 52, kProgramHeaderBytes = 32;
  ByteWriter file;
  for (const unsigned c : {0x7fu, 0x45u, 0x4cu, 0x46u, 1u, 1u, 1u}) file.u8(c);
  file.pad_to(16);
  file.u16(2), file.u16(3), file.u32(1);  // executable for i386
  file.u32(kWrapperAddress + kCodeOffset), file.u32(kHeaderBytes), file.u32(0), file.u32(0);
  file.u16(kHeaderBytes), file.u16(kProgramHeaderBytes), file.u16(static_cast<std::uint32_t>(segments.size()));
  file.u16(0), file.u16(0), file.u16(0);
  auto offset = static_cast<std::uint32_t>(kHeaderBytes + segments.size() * kProgramHeaderBytes);
  for (const Segment& segment : segments) {
    const auto size = static_cast<std::uint32_t>(segment.bytes.size());
    for (const std::uint32_t field : {1u, offset, segment.address, segment.address, size, size, 7u, 1u}) file.u32(field);
    offset += size;
  }
  for (const Segment& segment : segments) file.append(segment.bytes);
  return file.bytes();
}

inline bool write_file(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream file{path, std::ios::binary};
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return static_cast<bool>(file);
}

/// Writes kernel and disk into `folder`; false with a sentence on stderr when that does not go.
inline bool write_qemu_guest(const fs::path& folder, std::uint64_t ram_mib) {
  const auto guest = tuxarium::load_default_guest("console=ttyS0 root=/dev/sda rootfstype=ext2 rw tsc=reliable quiet");
  if (!guest) return std::fprintf(stderr, "%s\n", guest.error().message.c_str()), false;
  const auto plan = tuxarium::machine::make_boot_plan(*guest, ram_mib << 20);
  if (!plan) return std::fprintf(stderr, "%s\n", plan.error().message.c_str()), false;
  if (!write_file(folder / "kernel.elf", multiboot_elf(*plan)) ||
      !write_file(folder / "disk.img", *std::get<tuxarium::LinuxBoot>(*guest).root_disk)) {
    return std::fprintf(stderr, "Cannot write to \"%s\".\n", folder.c_str()), false;
  }
  return true;
}

/// Starts what is in `folder`, with software emulation; the console is stdin and stdout.
inline std::vector<std::string> qemu_command(const fs::path& folder, std::uint64_t ram_mib) {
  const std::string disk = "if=ide,format=raw,snapshot=on,file=" + (folder / "disk.img").string();
  return {"qemu-system-i386",
          "-accel",
          "tcg",
          "-machine",
          "isapc",
          "-cpu",
          "pentium3",
          "-m",
          std::to_string(ram_mib),
          "-display",
          "none",
          "-vga",
          "none",
          "-monitor",
          "none",
          "-serial",
          "stdio",
          "-no-reboot",
          "-kernel",
          (folder / "kernel.elf").string(),
          "-drive",
          disk};
}

inline bool has_qemu() { return std::system("qemu-system-i386 --version > /dev/null 2>&1") == 0; }

/// A folder of the benchmark's own, which goes with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "tuxarium_bench.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      std::fprintf(stderr, "Cannot make a folder in \"%s\".\n", fs::temp_directory_path().c_str());
      std::exit(2);
    }
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace bench
