// The manifest of a disk in pieces: a text file `hda.manifest` beside them.
//
// Lines end with LF, the last one too; no blank lines, no other spaces than shown, numbers in decimal without leading zeros:
//
//     tuxarium-disk 1
//     piece-size 65536
//     sectors 116736
//     pieces 912
//     <one line a piece, in order: its SHA-256 as 64 lower-case hexadecimal digits, or `zero`>
//
// The piece size is in bytes, a power of two from 512 to 16 MiB. Every piece file has the full size; `sectors` may end inside the last
// one. A `zero` piece holds only zero bytes and needs no file; when there is one, it is not read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/result.hpp>

#include "disk/sha256.hpp"

namespace tuxarium::disk {

inline constexpr std::string_view kManifestName = "hda.manifest";
inline constexpr std::uint32_t kMinPieceBytes = 512, kMaxPieceBytes = 16u << 20;
inline constexpr std::uint64_t kMaxPieces = 1u << 20;

/// Longest text that parse_manifest() accepts, in bytes.
inline constexpr std::uint64_t kMaxManifestBytes = 256 + kMaxPieces * 65;

struct Manifest {
  struct Piece {
    bool zero = false;
    Sha256Digest digest{};  ///< unless zero
  };

  std::uint32_t piece_bytes = 0;
  std::uint64_t sectors = 0;
  std::vector<Piece> pieces;
};

/// The file name of a piece: `hda%09d.bin`.
std::string piece_name(std::uint64_t number);

/// Which disk a manifest describes, as one number that is never 0 (BlockDevice::content_id()).
std::uint64_t content_id(const Manifest& manifest);

/// True for a piece size that a disk may have.
bool valid_piece_size(std::uint64_t bytes);

/// Reads the text of a manifest; refuses everything but the exact format. `name` is the file's name, for the error sentence.
Result<Manifest> parse_manifest(std::string_view text, const std::string& name);

/// The text of a valid manifest.
std::string format_manifest(const Manifest& manifest);

}  // namespace tuxarium::disk
