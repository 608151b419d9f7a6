// The file that keeps a guest's writes apart from the disk they belong to: a log that only grows.
//
// Format, version 1; numbers are little-endian, offsets count bytes from the start of the file:
//
//     header, 4096 bytes
//          0  8  "TXOVERL\n"
//          8  4  version, 1
//         16  8  sectors of the base
//         24  8  digest of the base (base_digest())
//         32  8  a random number, different in every log
//       4088  8  checksum of the bytes before it, from seed 0; the bytes not named are 0
//     then records, one after another, each with a head of 24 bytes
//          0  4  kind: 1 write, 2 commit
//          4  4  write: sectors, 1 to 256; commit: bytes after the head
//          8  8  write: the first sector; commit: everything before this offset had been made durable
//         16  8  checksum of the head's first 16 bytes and of a write's data, from the checksum before it as the seed (the header's for
//                the first record)
//       A write goes on with its sectors. A commit goes on with zeros to a multiple of 4096, whose last 32 bytes are its mark:
//         0  8  "TXCOMMIT"     8  8  as in the head     16  8  the mark's own offset     24  8  checksum of these 24, from the random number
//
// Because each checksum builds on the one before, a record counts only when all before it are whole and in order: what a log holds is
// always the guest's writes up to one moment. Writes after the last commit are kept at open as far as they are whole, and the rest
// (a torn tail) is cut off. A broken record is damage, not a torn tail, when a mark after it says that it had been durable: then the
// log is refused rather than flushed data given up in silence. (Damage since the last commit but one cannot be told from a power cut
// in that commit, and is cut off.) Commits end at multiples of 4096, so that no later write touches a block of flushed data.
// A file of more than 1 GiB and eight times its disk is refused without reading it through.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include <tuxarium/block_device.hpp>
#include <tuxarium/result.hpp>

#include "disk/host_file.hpp"

namespace tuxarium::disk {

/// Continues `seed` with `data`. Two inputs of equal length that differ in one aligned group of 8 bytes never agree.
std::uint64_t checksum64(std::uint64_t seed, std::span<const std::byte> data);

/// What a log must fit.
struct OverlayBase {
  std::uint64_t sectors = 0;
  std::uint64_t digest = 0;

  bool operator==(const OverlayBase&) const = default;
};

/// What is known of a log after it was read through.
struct OverlayContents {
  OverlayBase base;
  std::uint64_t nonce = 0;
  std::uint64_t end = 0;          ///< offset after the last good record
  std::uint64_t file_bytes = 0;   ///< more than `end` when there is a torn tail
  std::uint64_t commits = 0;
  std::uint64_t written = 0;      ///< sectors in all write records, each as often as it was written
  std::uint64_t last_commit = 0;  ///< offset after the last commit; 0 when there is none
  std::uint64_t chain = 0;        ///< checksum of the last good record
};

/// Told of every good write record in order: first sector, number of sectors, offset of their data.
using OverlayVisitor = std::function<void(std::uint64_t first, std::uint64_t count, std::uint64_t offset)>;

/// The disk that the log at `path` was made for; nothing when there is no readable log.
std::optional<OverlayBase> base_of_overlay(const std::filesystem::path& path);

/// Reads a log through without changing or locking it.
Result<OverlayContents> read_overlay(const std::filesystem::path& path, const OverlayVisitor& visit);

/// A log open for writing, locked against other writers.
class OverlayLog {
 public:
  static constexpr std::size_t kMaxRecordSectors = 256;

  /// Opens the log, or makes an empty one when there is no file or one whose making was interrupted. Cuts off a torn tail.
  static Result<OverlayLog> open(const std::filesystem::path& path, const OverlayBase& base, const OverlayVisitor& visit);

  /// A new, empty log; what `path` held is lost.
  static Result<OverlayLog> create(const std::filesystem::path& path, const OverlayBase& base);

  /// Appends a write of 1 to kMaxRecordSectors sectors and returns the offset of their data. After an error the log is as before.
  Result<std::uint64_t> append(std::uint64_t first, std::span<const std::byte> data);

  /// Everything appended is durable when this succeeds. When the host fails to make it so, what it kept is unknown, and every later
  /// append and commit fails too.
  Result<void> commit();

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const { return file_.read_at(offset, out); }
  std::uint64_t end() const { return end_; }

 private:
  OverlayLog(HostFile file, const OverlayContents& contents);
  static Result<OverlayLog> start(HostFile file, const OverlayBase& base);
  Result<void> put(std::span<const std::byte> bytes);
  Result<void> usable() const;

  HostFile file_;
  std::uint64_t nonce_, end_, chain_;
  std::uint64_t durable_;          // everything before this offset survives a power cut
  bool failed_ = false;            // a sync failed
  std::vector<std::byte> buffer_;  // one record, at most kMaxRecordSectors sectors
};

}  // namespace tuxarium::disk
