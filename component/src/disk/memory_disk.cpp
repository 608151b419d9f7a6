// A disk whose content is in memory.
#include <algorithm>
#include <utility>

#include <tuxarium/disk.hpp>

#include "disk/sector_range.hpp"

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

}  // namespace

Result<std::unique_ptr<BlockDevice>> make_memory_disk(std::vector<std::byte> image) {
  if (image.empty() || image.size() % kSectorSize != 0) {
    return Error{ErrorCode::invalid_argument,
                 "A memory disk cannot have " + std::to_string(image.size()) + " bytes: the size must be a multiple of 512 above 0."};
  }
  return std::unique_ptr<BlockDevice>{std::make_unique<MemoryDisk>(std::move(image))};
}

}  // namespace tuxarium
