// Boot sources from files.
#include <system_error>
#include <utility>

#include <tuxarium/boot.hpp>

#include "disk/host_file.hpp"

namespace tuxarium {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxImageBytes = std::uint64_t{1} << 30, kMaxRomBytes = 16u << 20;
constexpr char kDiskCommandLine[] = "console=ttyS0 root=/dev/hda ro init=/sbin/init notsc=1";
constexpr char kRamDiskCommandLine[] = "console=ttyS0 root=/dev/ram0 rw init=/sbin/init notsc=1";

/// Reads a file into `image`; an empty one is an error.
Result<void> read_image(const fs::path& path, const std::string& what, std::uint64_t limit, std::vector<std::byte>& image) {
  auto content = disk::read_whole_file(path, what, limit);
  if (!content) return content.error();
  if (content->empty()) return Error{ErrorCode::bad_image, "Cannot use " + what + " " + disk::quoted(path) + ": it is empty."};
  image = std::move(*content);
  return {};
}

}  // namespace

Result<BootSource> load_jslinux_boot(const fs::path& directory, std::string command_line) {
  std::error_code code;
  if (!fs::is_directory(directory, code)) {
    return Error{ErrorCode::not_found, "The JSLinux folder " + disk::quoted(directory) + " does not exist or is not a folder."};
  }
  JslinuxBoot boot;
  if (auto ok = read_image(directory / "vmlinux-2.6.20.bin", "the JSLinux kernel", kMaxImageBytes, boot.kernel); !ok) return ok.error();
  if (auto ok = read_image(directory / "linuxstart.bin", "the JSLinux starter", kMaxImageBytes, boot.starter); !ok) return ok.error();
  const fs::path root = directory / "root.bin";
  if (fs::exists(fs::symlink_status(root, code))) {
    if (auto ok = read_image(root, "the RAM disk", kMaxImageBytes, boot.initrd); !ok) return ok.error();
  }
  boot.command_line = std::move(command_line);
  if (boot.command_line.empty()) boot.command_line = boot.initrd.empty() ? kDiskCommandLine : kRamDiskCommandLine;
  return BootSource{std::move(boot)};
}

Result<BootSource> load_linux_boot(const fs::path& kernel, const fs::path& initrd, std::string command_line) {
  LinuxBoot boot;
  if (auto ok = read_image(kernel, "the Linux kernel", kMaxImageBytes, boot.kernel); !ok) return ok.error();
  if (!initrd.empty()) {
    if (auto ok = read_image(initrd, "the initrd", kMaxImageBytes, boot.initrd); !ok) return ok.error();
  }
  boot.command_line = std::move(command_line);
  return BootSource{std::move(boot)};
}

Result<BootSource> load_rom_boot(const fs::path& image) {
  RomBoot boot;
  if (auto ok = read_image(image, "the ROM image", kMaxRomBytes, boot.image); !ok) return ok.error();
  return BootSource{std::move(boot)};
}

Result<BootSource> load_multiboot(const fs::path& kernel, const std::vector<fs::path>& modules, std::string command_line) {
  MultibootBoot boot;
  if (auto ok = read_image(kernel, "the multiboot kernel", kMaxImageBytes, boot.kernel); !ok) return ok.error();
  for (const fs::path& module : modules) {
    if (auto ok = read_image(module, "the multiboot module", kMaxImageBytes, boot.modules.emplace_back()); !ok) return ok.error();
  }
  boot.command_line = std::move(command_line);
  return BootSource{std::move(boot)};
}

}  // namespace tuxarium
