// What a machine starts: boot sources, and loaders that read them from files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <tuxarium/result.hpp>

namespace tuxarium {

/// The JSLinux pair: a flat kernel at 1 MiB and a starter at 0x10000, entered in 32-bit protected mode.
struct JslinuxBoot {
  std::vector<std::byte> kernel;   ///< flat binary, loaded at 0x100000
  std::vector<std::byte> starter;  ///< `linuxstart.bin`, loaded at 0x10000 and entered there; must end below the kernel
  std::vector<std::byte> initrd;   ///< loaded at 0x400000 when not empty
  std::string command_line;        ///< at most 2047 bytes
};

/// A Linux bzImage or an i386 ELF vmlinux, started by the 32-bit boot protocol (Documentation/x86/boot.rst).
struct LinuxBoot {
  std::vector<std::byte> kernel;
  std::vector<std::byte> initrd;  ///< may be empty
  std::string command_line;       ///< at most 2047 bytes
  /// The disk that the kernel's root is on, or null: it is the first drive of a machine whose Config::hda is not set. Never changed and
  /// so shared by all who have it; the guest's writes stay in the memory of its machine. A multiple of 512 bytes.
  std::shared_ptr<const std::vector<std::byte>> root_disk = nullptr;
};

/// A raw ROM whose last byte is at 0xFFFFFFFF and, shadowed, at 0xFFFFF; started at the reset vector in real mode.
struct RomBoot {
  std::vector<std::byte> image;  ///< 16 bytes to 16 MiB, multiple of 16
};

/// A Multiboot (version 1) kernel, ELF or with the address fields of its header.
struct MultibootBoot {
  std::vector<std::byte> kernel;
  std::vector<std::vector<std::byte>> modules;
  std::string command_line;
};

using BootSource = std::variant<std::monostate, JslinuxBoot, LinuxBoot, RomBoot, MultibootBoot>;

/// Reads `vmlinux-2.6.20.bin`, `linuxstart.bin` and, when there, `root.bin` from `directory`. An empty `command_line` is replaced
/// by the one of the old system: root on the disk, or on the RAM disk when there is a `root.bin`.
Result<BootSource> load_jslinux_boot(const std::filesystem::path& directory, std::string command_line = {});

/// Reads a kernel and, unless the path is empty, an initrd. The kernel's headers are checked when the machine is made.
Result<BootSource> load_linux_boot(const std::filesystem::path& kernel, const std::filesystem::path& initrd = {},
                                   std::string command_line = {});

Result<BootSource> load_rom_boot(const std::filesystem::path& image);

Result<BootSource> load_multiboot(const std::filesystem::path& kernel, const std::vector<std::filesystem::path>& modules = {},
                                  std::string command_line = {});

}  // namespace tuxarium
