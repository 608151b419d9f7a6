// Magic numbers: Documentation/x86/boot.rst (HdrS), ELF specification, Multiboot specification 0.6.96 section 3.1.1, cpio(5), RFC 1952, xz and
// zstd format descriptions.
#include "dropped_file.hpp"

#include <array>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace tuxarium::viewer {
namespace {

namespace fs = std::filesystem;
using Kind = DroppedFile::Kind;

constexpr std::size_t kLooked = 8192;  // a Multiboot header is in the first 8 KiB
constexpr std::uintmax_t kLargestRom = 1u << 20;

bool holds(std::string_view head, std::size_t at, std::string_view magic) { return head.size() >= at + magic.size() && head.substr(at, magic.size()) == magic; }

bool is_multiboot(std::string_view head) {
  for (std::size_t at = 0; at + 12 <= head.size(); at += 4) {
    if (!holds(head, at, "\x02\xB0\xAD\x1B")) continue;
    const auto word = [&](std::size_t i) {
      std::uint32_t value = 0;
      for (std::size_t k = 4; k-- > 0;) value = value << 8 | static_cast<unsigned char>(head[at + 4 * i + k]);
      return value;
    };
    if (word(0) + word(1) + word(2) == 0) return true;
  }
  return false;
}

Result<DroppedFile> recognize_folder(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path / "vmlinux-2.6.20.bin", error)) return DroppedFile{Kind::jslinux, path};
  if (fs::exists(path / "hda000000000.bin", error)) return DroppedFile{Kind::pieces, path};
  return Error{ErrorCode::bad_image, "The folder '" + path.string() + "' holds neither a JSLinux (vmlinux-2.6.20.bin) nor the pieces of a disk (hda000000000.bin)."};
}

}  // namespace

Result<DroppedFile> recognize(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error || !fs::exists(status)) return Error{ErrorCode::not_found, "There is no '" + path.string() + "'."};
  if (fs::is_directory(status)) return recognize_folder(path);
  if (!fs::is_regular_file(status)) return Error{ErrorCode::unsupported, "'" + path.string() + "' is neither a file nor a folder."};
  const std::uintmax_t size = fs::file_size(path, error);
  std::ifstream file{path, std::ios::binary};
  std::vector<char> buffer(kLooked);
  file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  const std::string_view head{buffer.data(), static_cast<std::size_t>(file.gcount())};
  if (error || file.bad() || (head.empty() && size > 0)) return Error{ErrorCode::io, "'" + path.string() + "' cannot be read."};

  if (holds(head, 0x202, "HdrS")) return DroppedFile{Kind::kernel, path};
  if (is_multiboot(head)) return DroppedFile{Kind::multiboot, path};
  if (holds(head, 0, "\x7F" "ELF")) return DroppedFile{Kind::kernel, path};
  constexpr std::array<std::string_view, 6> kArchives{"070701", "070702", "\x1F\x8B", "\xFD" "7zXZ", "\x28\xB5\x2F\xFD", "BZh"};
  for (const std::string_view magic : kArchives) {
    if (holds(head, 0, magic)) return DroppedFile{Kind::initrd, path};
  }
  if (path.extension() == ".rom" && size <= kLargestRom && size >= 16 && size % 16 == 0) return DroppedFile{Kind::rom, path};
  if (size > 0 && size % 512 == 0) return DroppedFile{Kind::image, path};
  return Error{ErrorCode::bad_image, "'" + path.string() + "' is no kernel, no RAM disk and no disk: its size of " + std::to_string(size) +
                                         " bytes is not a multiple of 512."};
}

}  // namespace tuxarium::viewer
