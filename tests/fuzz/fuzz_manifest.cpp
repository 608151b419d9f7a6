// The text of a disk manifest. The input comes after a valid head of its own choosing, so that the piece lines are reached too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "disk/manifest.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text{reinterpret_cast<const char*>(data), size};
  if (size != 0 && (data[0] & 1) != 0) {
    const unsigned pieces = 1 + data[0] / 16;
    text.replace(0, 1, "tuxarium-disk 1\npiece-size 512\nsectors " + std::to_string(pieces) + "\npieces " + std::to_string(pieces) + "\n");
  }
  const auto manifest = tuxarium::disk::parse_manifest(text, "input");
  if (manifest) {
    if (tuxarium::disk::format_manifest(*manifest) != text) std::abort();
  } else if (!manifest.error().message.ends_with(".")) {
    std::abort();
  }
  return 0;
}
