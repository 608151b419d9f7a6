// Disks whose content is in memory: one that the guest writes, and one that several machines share and nobody writes.
#include <algorithm>
#include <utility>

#include <tuxarium/disk.hpp>

#include "disk/sector_range.hpp"
#include "disk/shared_disk.hpp"

namespace tuxarium {

namespace {

class MemoryDisk final : public BlockDevice {
 public:
  explicit MemoryDisk(std::vector<std::byte> image) : image_{std::move(image)} {}

  std::uint64_t sector_count() const override { return image_.size() / kSectorSize; }
  bool read_only() const override { return false; }

  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override {
    if (!check(first, out.size())) return BlockStatus::error;
    std::copy_n(image_.begin() + offset(first), out.size(), out.begin());
    return BlockStatus::done;
  }

  BlockStatus write(std::uint64_t first, std::span<const std::byte> data) override {
    if (!check(first, data.size())) return BlockStatus::error;
    std::copy(data.begin(), data.end(), image_.begin() + offset(first));
    return BlockStatus::done;
  }

  BlockStatus flush() override { return BlockStatus::done; }
  std::string last_error() const override { return error_; }

 private:
  static std::ptrdiff_t offset(std::uint64_t sector) { return static_cast<std::ptrdiff_t>(sector * kSectorSize); }

  bool check(std::uint64_t first, std::size_t bytes) {
    std::string problem = disk::range_error(sector_count(), first, bytes);
    if (problem.empty()) return true;
    error_ = std::move(problem);
    return false;
  }

  std::vector<std::byte> image_;
  std::string error_;
};

class SharedDisk final : public BlockDevice {
 public:
  explicit SharedDisk(std::shared_ptr<const std::vector<std::byte>> image) : image_{std::move(image)} {}

  std::uint64_t sector_count() const override { return image_->size() / kSectorSize; }
  bool read_only() const override { return true; }

  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override {
    if (std::string problem = disk::range_error(sector_count(), first, out.size()); !problem.empty()) return fail(std::move(problem));
    std::copy_n(image_->begin() + static_cast<std::ptrdiff_t>(first * kSectorSize), out.size(), out.begin());
    return BlockStatus::done;
  }

  BlockStatus write(std::uint64_t, std::span<const std::byte>) override { return fail("The disk is shared and cannot be written."); }
  BlockStatus flush() override { return BlockStatus::done; }
  std::string last_error() const override { return error_; }

 private:
  BlockStatus fail(std::string problem) {
    error_ = std::move(problem);
    return BlockStatus::error;
  }

  std::shared_ptr<const std::vector<std::byte>> image_;
  std::string error_;
};

bool is_disk_size(std::size_t bytes) { return bytes != 0 && bytes % kSectorSize == 0; }

Error wrong_size(std::size_t bytes) {
  return {ErrorCode::invalid_argument,
          "A memory disk cannot have " + std::to_string(bytes) + " bytes: the size must be a multiple of 512 above 0."};
}

}  // namespace

Result<std::unique_ptr<BlockDevice>> make_memory_disk(std::vector<std::byte> image) {
  if (!is_disk_size(image.size())) return wrong_size(image.size());
  return std::unique_ptr<BlockDevice>{std::make_unique<MemoryDisk>(std::move(image))};
}

Result<std::unique_ptr<BlockDevice>> disk::make_shared_disk(std::shared_ptr<const std::vector<std::byte>> image) {
  const std::size_t bytes = image == nullptr ? 0 : image->size();
  if (!is_disk_size(bytes)) return wrong_size(bytes);
  return std::unique_ptr<BlockDevice>{std::make_unique<SharedDisk>(std::move(image))};
}

}  // namespace tuxarium
