#include "disk/file_overlay.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <tuxarium/disk.hpp>

#include "disk/sector_range.hpp"

namespace tuxarium {

namespace disk {

OverlayIndex::Block& OverlayIndex::block(std::uint64_t sector) {
  const std::uint64_t key = sector / kBlockSectors;
  if (const auto it = blocks_.find(key); it != blocks_.end()) return *it->second;
  return *blocks_.emplace(key, std::make_unique<Block>(Block{})).first->second;
}

void OverlayIndex::reserve(std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t sector = first; sector < first + count; sector = (sector / kBlockSectors + 1) * kBlockSectors) (void)block(sector);
}

void OverlayIndex::enter(std::uint64_t first, std::uint64_t count, std::uint64_t offset) {
  for (std::uint64_t i = 0; i < count;) {
    Block& entries = block(first + i);
    for (std::uint64_t at = (first + i) % kBlockSectors; at < kBlockSectors && i < count; ++at, ++i) {
      std::uint64_t& entry = entries[static_cast<std::size_t>(at)];
      size_ += entry == 0 ? 1 : 0;
      entry = offset + i * kSectorSize;
    }
  }
}

std::uint64_t OverlayIndex::find(std::uint64_t sector) const {
  const auto it = blocks_.find(sector / kBlockSectors);
  return it == blocks_.end() ? 0 : (*it->second)[static_cast<std::size_t>(sector % kBlockSectors)];
}

Result<void> OverlayIndex::for_each_run(
    const std::function<Result<void>(std::uint64_t first, std::uint64_t count, std::uint64_t offset)>& visit) const {
  std::uint64_t first = 0, count = 0, offset = 0;
  for (const auto& [key, entries] : blocks_) {
    for (std::uint64_t at = 0; at < kBlockSectors; ++at) {
      const std::uint64_t found = (*entries)[static_cast<std::size_t>(at)];
      if (found == 0) continue;
      const std::uint64_t sector = key * kBlockSectors + at;
      if (count != 0 && sector == first + count && found == offset + count * kSectorSize) {
        ++count;
        continue;
      }
      if (count != 0) {
        if (auto visited = visit(first, count, offset); !visited) return visited;
      }
      first = sector, count = 1, offset = found;
    }
  }
  return count == 0 ? Result<void>{} : visit(first, count, offset);
}

Result<OverlayBase> identify_base(BlockDevice& base) {
  constexpr std::uint64_t kPieceSectors = 128, kWholePieces = 2048, kStep = 64;
  const std::uint64_t sectors = base.sector_count(), pieces = (sectors + kPieceSectors - 1) / kPieceSectors;
  std::vector<std::byte> buffer;
  std::uint64_t digest = sectors;
  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    if (piece >= kWholePieces && piece % kStep != 0 && piece + 1 != pieces) continue;
    const std::uint64_t first = piece * kPieceSectors;
    buffer.resize(static_cast<std::size_t>(std::min(kPieceSectors, sectors - first)) * kSectorSize);
    switch (base.read(first, buffer)) {
      case BlockStatus::done:
        break;
      case BlockStatus::error:
        return Error{ErrorCode::io, base.last_error()};
      case BlockStatus::pending:
        return Error{ErrorCode::unsupported, "A disk whose data is not at hand cannot have an overlay in a file."};
    }
    digest = checksum64(digest, buffer);
  }
  return OverlayBase{sectors, digest};
}

}  // namespace disk

namespace {

namespace fs = std::filesystem;
using disk::OverlayBase;
using disk::OverlayIndex;
using disk::OverlayLog;

// A log may hold this much that was overwritten since: beyond the sectors in use at open, and beyond three times the disk while it runs,
// when copying takes the time of a frame or more. At that bound a log that cannot be compacted takes no more writes.
constexpr std::uint64_t kGarbageAtOpen = std::uint64_t{16} << 20, kGarbageAlways = std::uint64_t{64} << 20;

class FileOverlay final : public BlockDevice {
 public:
  FileOverlay(std::unique_ptr<BlockDevice> base, fs::path path, OverlayBase identity, OverlayLog log, OverlayIndex index)
      : base_{std::move(base)}, path_{std::move(path)}, identity_{identity}, log_{std::move(log)}, index_{std::move(index)} {}

  std::uint64_t sector_count() const override { return identity_.sectors; }
  bool read_only() const override { return false; }
  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override;
  BlockStatus write(std::uint64_t first, std::span<const std::byte> data) override;
  BlockStatus flush() override { return finish(log_.commit()); }
  std::string last_error() const override { return error_; }

  /// Compacts a log with much garbage; when that fails it stays as it is.
  void tidy() {
    const std::uint64_t used = index_.size() * kSectorSize;
    if (log_.end() > 2 * used + kGarbageAtOpen) (void)compact();
  }

 private:
  BlockStatus fail(std::string problem) {
    error_ = std::move(problem);
    return BlockStatus::error;
  }
  BlockStatus finish(const Result<void>& result) { return result ? BlockStatus::done : fail(result.error().message); }
  BlockStatus read_run(std::uint64_t first, std::uint64_t offset, std::span<std::byte> out);
  std::uint64_t run_length(std::uint64_t first, std::uint64_t offset, std::uint64_t most) const;
  Result<void> write_record(std::uint64_t first, std::span<const std::byte> data);
  Result<void> compact();

  std::unique_ptr<BlockDevice> base_;
  fs::path path_;
  OverlayBase identity_;
  OverlayLog log_;
  OverlayIndex index_;
  std::string error_;
};

/// Sectors from `first`, at most `most`, that are all in the base (offset 0) or one after another in the log.
std::uint64_t FileOverlay::run_length(std::uint64_t first, std::uint64_t offset, std::uint64_t most) const {
  std::uint64_t count = 1;
  while (count < most && index_.find(first + count) == (offset == 0 ? 0 : offset + count * kSectorSize)) ++count;
  return count;
}

BlockStatus FileOverlay::read_run(std::uint64_t first, std::uint64_t offset, std::span<std::byte> out) {
  if (offset != 0) return finish(log_.read(offset, out));
  const BlockStatus status = base_->read(first, out);
  if (status == BlockStatus::error) error_ = base_->last_error();
  return status;
}

BlockStatus FileOverlay::read(std::uint64_t first, std::span<std::byte> out) {
  if (std::string problem = disk::range_error(sector_count(), first, out.size()); !problem.empty()) return fail(std::move(problem));
  while (!out.empty()) {
    const std::uint64_t offset = index_.find(first), count = run_length(first, offset, out.size() / kSectorSize);
    const std::size_t bytes = static_cast<std::size_t>(count) * kSectorSize;
    if (const BlockStatus status = read_run(first, offset, out.first(bytes)); status != BlockStatus::done) return status;
    first += count;
    out = out.subspan(bytes);
  }
  return BlockStatus::done;
}

Result<void> FileOverlay::write_record(std::uint64_t first, std::span<const std::byte> data) {
  if (log_.end() > 3 * sector_count() * kSectorSize + kGarbageAlways) {
    if (auto compacted = compact(); !compacted) return compacted;
  }
  const std::uint64_t count = data.size() / kSectorSize;
  index_.reserve(first, count);
  const auto offset = log_.append(first, data);
  if (!offset) return offset.error();
  index_.enter(first, count, *offset);
  return {};
}

BlockStatus FileOverlay::write(std::uint64_t first, std::span<const std::byte> data) {
  if (std::string problem = disk::range_error(sector_count(), first, data.size()); !problem.empty()) return fail(std::move(problem));
  try {
    while (!data.empty()) {
      const auto part = data.first(std::min(data.size(), OverlayLog::kMaxRecordSectors * kSectorSize));
      if (const auto written = write_record(first, part); !written) return fail(written.error().message);
      first += part.size() / kSectorSize;
      data = data.subspan(part.size());
    }
  } catch (const std::bad_alloc&) {
    return fail("There is no memory left for the overlay's index.");
  }
  return BlockStatus::done;
}

/// Copies the sectors in use to a new log and puts it in the place of this one when it is durable.
Result<void> FileOverlay::compact() {
  fs::path temporary = path_;
  temporary += ".compacting";
  auto log = OverlayLog::create(temporary, identity_);
  if (!log) return log.error();
  OverlayIndex index;
  std::vector<std::byte> buffer;
  auto copied = index_.for_each_run([&](std::uint64_t first, std::uint64_t count, std::uint64_t offset) -> Result<void> {
    for (std::uint64_t done = 0; done < count;) {
      const std::uint64_t part = std::min<std::uint64_t>(count - done, OverlayLog::kMaxRecordSectors);
      buffer.resize(static_cast<std::size_t>(part) * kSectorSize);
      if (auto read = log_.read(offset + done * kSectorSize, buffer); !read) return read;
      const auto at = log->append(first + done, buffer);
      if (!at) return at.error();
      index.enter(first + done, part, *at);
      done += part;
    }
    return {};
  });
  if (copied) copied = log->commit();
  std::error_code code;
  if (copied) {
    fs::rename(temporary, path_, code);
    if (code) copied = Error{ErrorCode::io, "Cannot replace the overlay " + disk::quoted(path_) + ": " + code.message() + "."};
  }
  if (!copied) {
    fs::remove(temporary, code);
    return copied;
  }
  disk::sync_folder_of(path_);
  log_ = std::move(*log);
  index_ = std::move(index);
  return {};
}

}  // namespace

namespace {

/// What the overlay at `path` must have been made for: the disk by its own number if it has one, otherwise by its content. An overlay may have
/// been made for the same content where the disk could not tell its number.
Result<OverlayBase> wanted_base(BlockDevice& base, const fs::path& path) {
  const OverlayBase by_id{base.sector_count(), base.content_id()};
  if (by_id.digest == 0) return disk::identify_base(base);
  const auto found = disk::base_of_overlay(path);
  if (!found || *found == by_id || found->sectors != by_id.sectors) return by_id;
  const auto by_content = disk::identify_base(base);
  return by_content && *found == *by_content ? *by_content : by_id;
}

}  // namespace

Result<std::unique_ptr<BlockDevice>> open_file_overlay(std::unique_ptr<BlockDevice> base, const std::filesystem::path& overlay) {
  assert(base != nullptr);
  std::error_code code;
  // A symbolic link stays one when the log behind it is replaced.
  const fs::path path = fs::weakly_canonical(overlay, code);
  if (code) return Error{ErrorCode::io, "Cannot use the overlay " + disk::quoted(overlay) + ": " + code.message() + "."};
  const auto identity = wanted_base(*base, path);
  if (!identity) return identity.error();
  try {
    OverlayIndex index;
    auto log = OverlayLog::open(path, *identity,
                                [&](std::uint64_t first, std::uint64_t count, std::uint64_t offset) { index.enter(first, count, offset); });
    if (!log) return log.error();
    auto disk = std::make_unique<FileOverlay>(std::move(base), path, *identity, std::move(*log), std::move(index));
    disk->tidy();
    return std::unique_ptr<BlockDevice>{std::move(disk)};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::io, "There is no memory left for the index of the overlay " + disk::quoted(overlay) + "."};
  }
}

}  // namespace tuxarium
