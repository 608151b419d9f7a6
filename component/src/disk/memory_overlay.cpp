// Copy on write: the guest's writes stay in memory, over a base that is never written.
#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <new>
#include <unordered_map>
#include <utility>

#include <tuxarium/disk.hpp>

#include "disk/sector_range.hpp"

namespace tuxarium {

namespace {

class MemoryOverlay final : public BlockDevice {
 public:
  explicit MemoryOverlay(std::unique_ptr<BlockDevice> base) : base_{std::move(base)} { assert(base_ != nullptr); }

  std::uint64_t sector_count() const override { return base_->sector_count(); }
  bool read_only() const override { return false; }
  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override;
  BlockStatus write(std::uint64_t first, std::span<const std::byte> data) override;
  BlockStatus flush() override { return BlockStatus::done; }
  std::string last_error() const override { return error_; }

 private:
  static constexpr std::uint64_t kPageSectors = 8;

  struct Page {
    std::uint8_t written = 0;  // bit n: sector n of the page is here and not in the base
    std::array<std::byte, kPageSectors * kSectorSize> bytes;
  };

  static std::size_t index(std::uint64_t sector) { return static_cast<std::size_t>(sector % kPageSectors); }

  /// The written copy of a sector, or null.
  const std::byte* find(std::uint64_t sector) const {
    const auto it = pages_.find(sector / kPageSectors);
    if (it == pages_.end() || (it->second->written >> index(sector) & 1) == 0) return nullptr;
    return it->second->bytes.data() + index(sector) * kSectorSize;
  }

  BlockStatus fail(std::string problem) {
    error_ = std::move(problem);
    return BlockStatus::error;
  }
  BlockStatus read_base(std::uint64_t first, std::span<std::byte> out);
  void write_sector(std::uint64_t sector, const std::byte* data);

  std::unique_ptr<BlockDevice> base_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;  // by sector / kPageSectors; at most as large as the disk
  std::string error_;
};

BlockStatus MemoryOverlay::read_base(std::uint64_t first, std::span<std::byte> out) {
  const BlockStatus status = base_->read(first, out);
  if (status == BlockStatus::error) error_ = base_->last_error();
  return status;
}

/// Runs of sectors that were not written come from the base with one request each.
BlockStatus MemoryOverlay::read(std::uint64_t first, std::span<std::byte> out) {
  if (std::string problem = disk::range_error(sector_count(), first, out.size()); !problem.empty()) return fail(std::move(problem));
  if (pages_.empty()) return read_base(first, out);
  const std::size_t count = out.size() / kSectorSize;
  std::size_t run = 0;  // sectors before i that are still to be read from the base
  for (std::size_t i = 0; i <= count; ++i) {
    const std::byte* written = i < count ? find(first + i) : nullptr;
    if (i < count && written == nullptr) {
      ++run;
      continue;
    }
    if (run != 0) {
      const BlockStatus status = read_base(first + i - run, out.subspan((i - run) * kSectorSize, run * kSectorSize));
      if (status != BlockStatus::done) return status;
      run = 0;
    }
    if (written != nullptr) std::memcpy(out.data() + i * kSectorSize, written, kSectorSize);
  }
  return BlockStatus::done;
}

void MemoryOverlay::write_sector(std::uint64_t sector, const std::byte* data) {
  std::unique_ptr<Page>& page = pages_[sector / kPageSectors];
  if (page == nullptr) page = std::make_unique<Page>();
  std::memcpy(page->bytes.data() + index(sector) * kSectorSize, data, kSectorSize);
  page->written = static_cast<std::uint8_t>(page->written | 1u << index(sector));
}

BlockStatus MemoryOverlay::write(std::uint64_t first, std::span<const std::byte> data) {
  if (std::string problem = disk::range_error(sector_count(), first, data.size()); !problem.empty()) return fail(std::move(problem));
  try {
    for (std::size_t i = 0; i < data.size() / kSectorSize; ++i) write_sector(first + i, data.data() + i * kSectorSize);
  } catch (const std::bad_alloc&) {
    // A slot without its page would be taken for a written one.
    std::erase_if(pages_, [](const auto& entry) { return entry.second == nullptr; });
    return fail("There is no memory left for the disk's written sectors.");
  }
  return BlockStatus::done;
}

}  // namespace

std::unique_ptr<BlockDevice> make_memory_overlay(std::unique_ptr<BlockDevice> base) {
  return std::make_unique<MemoryOverlay>(std::move(base));
}

}  // namespace tuxarium
