// A disk that is a raw image file.
#include <utility>

#include <tuxarium/disk.hpp>

#include "disk/host_file.hpp"
#include "disk/sector_range.hpp"

namespace tuxarium {

namespace {

class FileDisk final : public BlockDevice {
 public:
  FileDisk(disk::HostFile file, DiskAccess access) : file_{std::move(file)}, access_{access} {}

  std::uint64_t sector_count() const override { return file_.size() / kSectorSize; }
  bool read_only() const override { return access_ == DiskAccess::read_only; }

  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override {
    if (std::string problem = disk::range_error(sector_count(), first, out.size()); !problem.empty()) return fail(std::move(problem));
    return finish(file_.read_at(first * kSectorSize, out));
  }

  BlockStatus write(std::uint64_t first, std::span<const std::byte> data) override {
    if (read_only()) return fail("The disk image was opened read-only.");
    if (std::string problem = disk::range_error(sector_count(), first, data.size()); !problem.empty()) return fail(std::move(problem));
    return finish(file_.write_at(first * kSectorSize, data));
  }

  BlockStatus flush() override { return read_only() ? BlockStatus::done : finish(file_.sync()); }
  std::string last_error() const override { return error_; }

 private:
  BlockStatus fail(std::string problem) {
    error_ = std::move(problem);
    return BlockStatus::error;
  }
  BlockStatus finish(const Result<void>& result) { return result ? BlockStatus::done : fail(result.error().message); }

  disk::HostFile file_;
  DiskAccess access_;
  std::string error_;
};

}  // namespace

Result<std::unique_ptr<BlockDevice>> open_file_disk(const std::filesystem::path& image, DiskAccess access) {
  const bool writable = access == DiskAccess::read_write;
  auto file = disk::HostFile::open(image, writable ? disk::HostFile::Mode::read_write : disk::HostFile::Mode::read, "the disk image");
  if (!file) return file.error();
  if (file->size() == 0 || file->size() % kSectorSize != 0) {
    return Error{ErrorCode::bad_image, "Cannot use the disk image " + disk::quoted(image) + ": it has " + std::to_string(file->size()) +
                                           " bytes, and the size must be a multiple of 512 above 0."};
  }
  if (writable) {
    if (const auto locked = file->lock(); !locked) return locked.error();
  }
  return std::unique_ptr<BlockDevice>{std::make_unique<FileDisk>(std::move(*file), access)};
}

}  // namespace tuxarium
