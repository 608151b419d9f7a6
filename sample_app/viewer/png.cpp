#include "png.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>

namespace tuxarium::viewer {
namespace {

using Bytes = std::vector<std::uint8_t>;

void append_be32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// PNG, annex D.
std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

// RFC 1950, section 8.2.
std::uint32_t adler32(std::span<const std::uint8_t> bytes) {
  std::uint32_t a = 1, b = 0;
  for (const std::uint8_t byte : bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

void append_chunk(Bytes& out, std::string_view type, std::span<const std::uint8_t> data) {
  append_be32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  out.insert(out.end(), type.begin(), type.end());
  out.insert(out.end(), data.begin(), data.end());
  append_be32(out, crc32(std::span{out}.subspan(start)));
}

// A zlib stream of stored blocks.
Bytes stored(std::span<const std::uint8_t> data) {
  constexpr std::size_t kMostInBlock = 65535;
  Bytes out{0x78, 0x01};
  for (std::size_t at = 0; at < data.size() || at == 0;) {
    const std::size_t size = std::min(kMostInBlock, data.size() - at);
    const bool last = at + size == data.size();
    const auto low = static_cast<std::uint8_t>(size), high = static_cast<std::uint8_t>(size >> 8);
    const std::array<std::uint8_t, 5> header{static_cast<std::uint8_t>(last), low, high, static_cast<std::uint8_t>(~low),
                                             static_cast<std::uint8_t>(~high)};
    out.insert(out.end(), header.begin(), header.end());
    const auto block = data.subspan(at, size);
    out.insert(out.end(), block.begin(), block.end());
    at += size;
    if (last) break;
  }
  append_be32(out, adler32(data));
  return out;
}

}  // namespace

Result<void> write_png(const std::filesystem::path& path, const Picture& picture) {
  const auto width = static_cast<std::size_t>(picture.width), height = static_cast<std::size_t>(picture.height);
  Bytes rows;
  rows.reserve(height * (width * 3 + 1));
  for (std::size_t y = 0; y < height; ++y) {
    rows.push_back(0);  // no filter
    const auto row = std::span{picture.rgb}.subspan(y * width * 3, width * 3);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  Bytes file{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  Bytes header;
  append_be32(header, static_cast<std::uint32_t>(width));
  append_be32(header, static_cast<std::uint32_t>(height));
  header.insert(header.end(), {8, 2, 0, 0, 0});  // 8 bits a channel, RGB, not interlaced
  append_chunk(file, "IHDR", header);
  append_chunk(file, "IDAT", stored(rows));
  append_chunk(file, "IEND", {});

  std::ofstream out{path, std::ios::binary};
  out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  out.close();
  if (!out) return Error{ErrorCode::io, "The screenshot could not be written to " + path.string() + "."};
  return {};
}

}  // namespace tuxarium::viewer
