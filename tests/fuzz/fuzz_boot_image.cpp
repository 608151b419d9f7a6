// Boot images. Byte 0 of the input chooses the kind and, with bit 2, a head that passes the first checks; the next bytes are RAM size,
// initrd or module size; the rest is the image.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "machine/boot_plan.hpp"

namespace {

using tuxarium::BootSource;
using Bytes = std::vector<std::byte>;

void put(Bytes& bytes, std::size_t at, std::uint32_t value, std::size_t width) {
  for (std::size_t i = 0; i < width && at + i < bytes.size(); ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

void add_bzimage_head(Bytes& image) {
  put(image, 0x1f1, 0, 1);
  put(image, 0x1f4, 1, 4);
  put(image, 0x1fe, 0xaa55, 2);
  put(image, 0x202, 0x53726448, 4);
  put(image, 0x211, 1, 1);
}

void add_elf_head(Bytes& image) {
  put(image, 0, 0x464c457f, 4);
  put(image, 4, 0x0101, 2);
  put(image, 16, 0x00030002, 4);
  put(image, 28, 52, 4);
  put(image, 42, 32, 2);
  put(image, 44, std::to_integer<std::uint32_t>(image.size() > 44 ? image[44] : std::byte{0}) % 4, 2);
}

void add_multiboot_head(Bytes& image) {
  if (image.size() < 128) return;
  const std::uint32_t flags = (std::to_integer<std::uint32_t>(image[100]) & 1) << 16;
  put(image, 96, 0x1badb002, 4);
  put(image, 100, flags, 4);
  put(image, 104, 0u - 0x1badb002u - flags, 4);
}

BootSource source_of(unsigned kind, Bytes image, std::size_t extra) {
  const bool head = (kind & 4) != 0;
  switch (kind & 3) {
    case 0:
      if (head) (kind & 8) != 0 ? add_elf_head(image) : add_bzimage_head(image);
      return tuxarium::LinuxBoot{std::move(image), Bytes(extra), "x"};
    case 1:
      if (head && (kind & 8) != 0) add_elf_head(image);
      if (head) add_multiboot_head(image);
      return tuxarium::MultibootBoot{std::move(image), std::vector<Bytes>(extra & 3, Bytes(extra)), "x"};
    case 2:
      return tuxarium::RomBoot{std::move(image)};
    default:
      return tuxarium::JslinuxBoot{image, image, Bytes(extra), "x"};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::uint64_t ram = std::uint64_t{1 + data[1] % 64u} << 20;
  const std::size_t extra = data[2] * std::size_t{257};
  Bytes image(size - 3);
  std::memcpy(image.data(), data + 3, image.size());
  const BootSource source = source_of(data[0], std::move(image), extra);
  const auto plan = tuxarium::machine::make_boot_plan(source, ram);
  if (!plan) {
    if (!plan.error().message.ends_with(".")) std::abort();
    return 0;
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& placement : plan->placements) {
    ranges.emplace_back(placement.address(), placement.address() + placement.bytes().size());
    if (ranges.back().second > ram) std::abort();
  }
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) std::abort();
  }
  return 0;
}
