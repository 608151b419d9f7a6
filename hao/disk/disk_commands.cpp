#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "disk/file_overlay.hpp"
#include "disk/host_file.hpp"
#include "disk/manifest.hpp"
#include "image_output.hpp"

namespace tuxarium::disk_tool {

namespace {

using disk::quoted;

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

Result<std::unique_ptr<BlockDevice>> open_either(const fs::path& path, const fs::path& overlay) {
  return overlay.empty() ? open_disk(path) : open_with_overlay(path, overlay, DiskAccess::read_only);
}

struct OverlaySummary {
  disk::OverlayContents contents;
  std::uint64_t sectors_held = 0;
};

Result<OverlaySummary> summarize(const fs::path& path) {
  disk::OverlayIndex index;
  const auto contents = disk::read_overlay(
      path, [&](std::uint64_t first, std::uint64_t count, std::uint64_t offset) { index.enter(first, count, offset); });
  if (!contents) return contents.error();
  return OverlaySummary{*contents, index.size()};
}

std::string line(const std::string& what, const std::string& value) { return what + ": " + value + "\n"; }
std::string line(const std::string& what, std::uint64_t value) { return line(what, std::to_string(value)); }

Result<std::string> overlay_info(const fs::path& path) {
  const auto summary = summarize(path);
  if (!summary) return summary.error();
  const disk::OverlayContents& c = summary->contents;
  return line("kind", "overlay") + line("sectors of its disk", c.base.sectors) + line("sectors written", summary->sectors_held) +
         line("bytes in use", summary->sectors_held * kSectorSize) + line("bytes of the file", c.file_bytes) + line("flushes", c.commits) +
         line("bytes since the last flush", c.end - std::max<std::uint64_t>(c.last_commit, 4096)) + line("bytes of a torn end", c.file_bytes - c.end);
}

std::string sizes(const BlockDevice& disk) {
  return line("sectors", disk.sector_count()) + line("bytes", disk.sector_count() * kSectorSize);
}

Result<std::string> pieces_info(const fs::path& path, const BlockDevice& disk) {
  std::string text = line("kind", "pieces") + sizes(disk);
  const fs::path manifest_path = path / disk::kManifestName;
  if (!is_there(manifest_path)) {
    const std::uint64_t bytes = fs::file_size(path / piece_name(0));
    return text + line("piece size", bytes) + line("pieces", disk.sector_count() * kSectorSize / bytes) + line("manifest", "none");
  }
  const auto bytes = disk::read_whole_file(manifest_path, "the disk manifest", disk::kMaxManifestBytes);
  if (!bytes) return bytes.error();
  const auto manifest = disk::parse_manifest({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, quoted(manifest_path));
  if (!manifest) return manifest.error();
  const auto zero = std::ranges::count_if(manifest->pieces, [](const disk::Manifest::Piece& piece) { return piece.zero; });
  return text + line("piece size", manifest->piece_bytes) + line("pieces", manifest->pieces.size()) +
         line("pieces of zeros", static_cast<std::uint64_t>(zero)) + line("manifest", "yes");
}

}  // namespace

bool is_overlay(const fs::path& path) {
  constexpr std::string_view kMagic = "TXOVERL\n";
  std::array<char, 8> start{};
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  std::ifstream{path, std::ios::binary}.read(start.data(), start.size());
  return std::string_view{start.data(), start.size()} == kMagic;
}

Result<std::unique_ptr<BlockDevice>> open_disk(const fs::path& path, DiskAccess access) {
  if (is_folder(path)) return open_chunked_disk(path);
  if (is_overlay(path)) return Error{ErrorCode::invalid_argument, quoted(path) + " is an overlay, not a disk."};
  return open_file_disk(path, access);
}

Result<std::unique_ptr<BlockDevice>> open_with_overlay(const fs::path& path, const fs::path& overlay, DiskAccess access) {
  if (!is_there(overlay)) return Error{ErrorCode::not_found, "The overlay " + quoted(overlay) + " does not exist."};
  if (!is_overlay(overlay)) return Error{ErrorCode::bad_image, quoted(overlay) + " is not an overlay."};
  auto base = open_disk(path, access);
  if (!base) return base.error();
  return open_file_overlay(std::move(*base), overlay);
}

Result<void> check_output(const fs::path& path, bool force) {
  if (is_folder(path)) return Error{ErrorCode::invalid_argument, "Cannot write " + quoted(path) + ": it is a folder."};
  if (is_there(path) && !force) return Error{ErrorCode::invalid_argument, "Cannot write " + quoted(path) + ": it is there already (--force replaces it)."};
  return {};
}

Result<void> merge(const fs::path& disk, const fs::path& overlay, const fs::path& output, bool force) {
  if (auto free = check_output(output, force); !free) return free;
  auto opened = open_either(disk, overlay);
  if (!opened) return opened.error();
  auto file = NewFile::create(output);
  if (!file) return file.error();
  if (auto written = write_raw(**opened, *file); !written) return written;
  return file->publish();
}

Result<void> split(const fs::path& disk, const fs::path& overlay, const fs::path& output, std::uint32_t piece_bytes, bool zero_files) {
  std::error_code error;
  if (is_there(output) && !fs::is_empty(output, error)) {
    return Error{ErrorCode::invalid_argument, "Cannot make the folder " + quoted(output) + ": it is there already and not empty."};
  }
  auto opened = open_either(disk, overlay);
  if (!opened) return opened.error();
  auto folder = NewFolder::create(output);
  if (!folder) return folder.error();
  if (auto written = write_pieces(**opened, piece_bytes, zero_files, folder->temporary()); !written) return written;
  return folder->publish();
}

Result<std::string> verify(const fs::path& path) {
  if (is_overlay(path)) {
    const auto summary = summarize(path);
    if (!summary) return summary.error();
    return "The overlay is whole: " + std::to_string(summary->sectors_held) + " sectors.";
  }
  auto opened = open_disk(path);
  if (!opened) return opened.error();
  BlockDevice& disk = **opened;
  std::vector<std::byte> buffer;
  for (std::uint64_t at = 0; at < disk.sector_count(); at += buffer.size() / kSectorSize) {
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(2048, disk.sector_count() - at)) * kSectorSize);
    if (disk.read(at, buffer) != BlockStatus::done) return Error{ErrorCode::bad_image, disk.last_error()};
  }
  const bool checked = is_folder(path) && is_there(path / disk::kManifestName);
  return "All " + std::to_string(disk.sector_count()) + " sectors can be read" +
         (checked ? ", and every piece has the checksum of the manifest." : "; there are no checksums to compare them with.");
}

Result<std::string> info(const fs::path& path) {
  if (is_overlay(path)) return overlay_info(path);
  auto opened = open_disk(path);
  if (!opened) return opened.error();
  if (is_folder(path)) return pieces_info(path, **opened);
  return line("kind", "raw image") + sizes(**opened);
}

}  // namespace tuxarium::disk_tool
