// Unpacks the default guest: one zstd frame an image, with its size in the header and a check sum at its end (RFC 8878).
#include <tuxarium/default_guest.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include <zstd.h>

#include "images.hpp"

namespace tuxarium {

namespace {

constexpr unsigned long long kLargestImage = 1ull << 30;

Error damaged(const char* what, const char* why) {
  return {ErrorCode::bad_image, std::string{"The "} + what + " of the default guest inside this program is damaged: " + why + "."};
}

Result<std::vector<std::byte>> unpack(const char* what, std::span<const unsigned char> packed) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kLargestImage) return damaged(what, "it does not say its size");
  try {
    std::vector<std::byte> image(static_cast<std::size_t>(size));
    const std::size_t unpacked = ZSTD_decompress(image.data(), image.size(), packed.data(), packed.size());
    if (ZSTD_isError(unpacked) != 0) return damaged(what, ZSTD_getErrorName(unpacked));
    if (unpacked != image.size()) return damaged(what, "it is shorter than it says");
    return image;
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::io, std::string{"The host has no memory to unpack the "} + what + " of the default guest."};
  }
}

}  // namespace

Result<BootSource> load_default_guest(std::string command_line) {
  auto kernel = unpack("kernel", {tuxarium_guest_kernel, tuxarium_guest_kernel_end});
  if (!kernel) return kernel.error();
  auto disk = unpack("disk", {tuxarium_guest_disk, tuxarium_guest_disk_end});
  if (!disk) return disk.error();
  LinuxBoot boot;
  boot.kernel = std::move(kernel).value();
  boot.command_line = command_line.empty() ? std::string{kDefaultGuestCommandLine} : std::move(command_line);
  boot.root_disk = std::make_shared<const std::vector<std::byte>>(std::move(disk).value());
  return BootSource{std::move(boot)};
}

BootSource default_guest() {
  auto guest = load_default_guest();
  return guest ? std::move(guest).value() : BootSource{};
}

}  // namespace tuxarium
