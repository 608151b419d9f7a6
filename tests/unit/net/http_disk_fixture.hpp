// A disk in pieces as the files of a web server.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tuxarium/http_disk.hpp>

#include "disk/manifest.hpp"
#include "faulty_server.hpp"

namespace tuxarium::net::test {

struct ServedDisk {
  std::vector<std::byte> image;
  std::uint32_t piece_bytes = 0;
  disk::Manifest manifest;
  FaultyServer::Files files;

  std::vector<std::byte> sectors(std::uint64_t first, std::size_t count) const {
    const auto begin = image.begin() + static_cast<std::ptrdiff_t>(first * kSectorSize);
    return {begin, begin + static_cast<std::ptrdiff_t>(count * kSectorSize)};
  }
};

/// The image cut into pieces under `folder`, which ends with a slash. Pieces of zeros get no file unless there is no manifest.
inline ServedDisk serve_image(std::vector<std::byte> image, std::uint32_t piece_bytes, const std::string& folder, bool with_manifest = true) {
  ServedDisk served{.image = std::move(image), .piece_bytes = piece_bytes, .manifest = {}, .files = {}};
  served.manifest.piece_bytes = piece_bytes;
  served.manifest.sectors = served.image.size() / kSectorSize;
  for (std::size_t at = 0; at < served.image.size(); at += piece_bytes) {
    std::vector<std::byte> piece(piece_bytes);
    for (std::size_t i = 0; i < piece.size() && at + i < served.image.size(); ++i) piece[i] = served.image[at + i];
    const bool zero = std::ranges::all_of(piece, [](std::byte b) { return b == std::byte{0}; });
    const std::size_t number = served.manifest.pieces.size();
    served.manifest.pieces.push_back({.zero = zero, .digest = disk::sha256(piece)});
    if (!zero || !with_manifest) served.files[folder + disk::piece_name(number)] = {reinterpret_cast<const char*>(piece.data()), piece.size()};
  }
  if (with_manifest) served.files[folder + std::string{disk::kManifestName}] = disk::format_manifest(served.manifest);
  return served;
}

/// Asks until the answer is not `pending`, as the drive does.
inline BlockStatus read_patiently(BlockDevice& disk, std::uint64_t first, std::span<std::byte> out) {
  for (;;) {
    const BlockStatus status = disk.read(first, out);
    if (status != BlockStatus::pending) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

}  // namespace tuxarium::net::test
