// Pieces of disks in a folder of the host, found by their SHA-256, shared between runs, disks and programs.
//
//     DIR/pieces/3f/3fa9...   a piece; the name is its digest, so it is right or it is damaged, whatever wrote it
//     DIR/order/<digest>      which pieces of the disk with this manifest were wanted first: decimal numbers, one a line
//
// Files are written under another name and renamed, so a reader never sees a part of one. A piece's modification time is its last use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "disk/sha256.hpp"

namespace tuxarium::net {

/// Threading: one thread at a time; other processes may use the folder at the same time.
class PieceCache {
 public:
  using Warn = std::function<void(const std::string& sentence)>;
  static constexpr std::size_t kMaxOrder = 16384;  ///< longest order that is kept; what is behind it is dropped

  /// An empty `directory` makes a cache that holds nothing. Trouble with writing is told to `warn` once, and ends the writing.
  PieceCache(std::filesystem::path directory, std::uint64_t max_bytes, Warn warn);

  bool enabled() const { return !directory_.empty(); }

  /// The piece with this digest and size, if it is there and whole.
  std::optional<std::vector<std::uint8_t>> load(const disk::Sha256Digest& digest, std::size_t size);

  /// Keeps a piece; `bytes` have the digest. Makes room when the folder holds more than it may.
  void store(const disk::Sha256Digest& digest, std::span<const std::uint8_t> bytes);

  /// The recorded order of a disk of `pieces` pieces; empty when there is none or it is damaged.
  std::vector<std::uint64_t> load_order(const std::string& disk, std::uint64_t pieces) const;
  void store_order(const std::string& disk, std::span<const std::uint64_t> order);

 private:
  std::filesystem::path path_of(const disk::Sha256Digest& digest) const;
  bool write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
  void stop_writing(const std::filesystem::path& path, const std::string& why);
  void make_room();

  std::filesystem::path directory_;
  std::uint64_t max_bytes_;
  Warn warn_;
  bool writable_ = true;
  std::uint64_t since_scan_ = 0;  // bytes stored since the folder was measured
  std::uint64_t room_ = 0;        // bytes that may be stored before it is measured again
};

}  // namespace tuxarium::net
