// Writes a picture as PNG (ISO/IEC 15948) with stored, uncompressed data (RFC 1950, RFC 1951).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include <tuxarium/result.hpp>

namespace tuxarium::viewer {

/// A picture of 8-bit RGB triples, the top row first.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;  ///< width * height * 3 bytes
};

Result<void> write_png(const std::filesystem::path& path, const Picture& picture);

}  // namespace tuxarium::viewer
