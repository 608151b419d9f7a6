#include <algorithm>
#include <system_error>
#include <utility>

#include "commands.hpp"
#include "disk/host_file.hpp"
#include "disk/manifest.hpp"
#include "disk/overlay_log.hpp"
#include "image_output.hpp"

namespace tuxarium::disk_tool {

namespace {

using disk::quoted;

Result<void> remove_overlay(const fs::path& overlay) {
  std::error_code error;
  fs::remove(overlay, error);
  if (error) return Error{ErrorCode::io, "Cannot remove the overlay " + quoted(overlay) + ": " + error.message() + "."};
  disk::sync_folder_of(overlay);
  return {};
}

bool is_piece_or_manifest(const std::string& name) {
  if (name == disk::kManifestName) return true;
  return name.size() == 16 && name.starts_with("hda") && name.ends_with(".bin") &&
         std::all_of(name.begin() + 3, name.begin() + 12, [](char c) { return c >= '0' && c <= '9'; });
}

/// The folder is replaced as a whole, so it must hold nothing else.
Result<void> check_only_pieces(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry{folder, error}; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_piece_or_manifest(name)) continue;
    return Error{ErrorCode::invalid_argument, "Cannot commit to the disk folder " + quoted(folder) + ": it also holds " + quoted(fs::path{name}) +
                                                  ", which is no piece of the disk."};
  }
  if (error) return Error{ErrorCode::io, "Cannot read the disk folder " + quoted(folder) + ": " + error.message() + "."};
  return {};
}

/// Size of the pieces, from the manifest when there is one.
Result<std::uint32_t> piece_size(const fs::path& folder, bool with_manifest) {
  if (!with_manifest) return static_cast<std::uint32_t>(fs::file_size(folder / piece_name(0)));
  const fs::path path = folder / disk::kManifestName;
  const auto bytes = disk::read_whole_file(path, "the disk manifest", disk::kMaxManifestBytes);
  if (!bytes) return bytes.error();
  const auto manifest = disk::parse_manifest({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, quoted(path));
  if (!manifest) return manifest.error();
  return manifest->piece_bytes;
}

Result<void> commit_to_folder(BlockDevice& merged, const fs::path& folder) {
  if (auto checked = check_only_pieces(folder); !checked) return checked;
  const bool with_manifest = fs::exists(folder / disk::kManifestName);
  const auto piece_bytes = piece_size(folder, with_manifest);
  if (!piece_bytes) return piece_bytes.error();
  auto created = NewFolder::create(folder);
  if (!created) return created.error();
  // A folder that had no manifest stays readable for programs that know none.
  if (auto written = write_pieces(merged, *piece_bytes, !with_manifest, created->temporary()); !written) return written;
  return created->exchange();
}

Result<void> commit_to_file(BlockDevice& merged, const fs::path& image) {
  auto file = NewFile::create(image);
  if (!file) return file.error();
  if (auto written = write_raw(merged, *file); !written) return written;
  return file->publish();
}

}  // namespace

Result<void> commit(const fs::path& disk, const fs::path& overlay) {
  std::error_code error;
  const fs::path target = fs::canonical(disk, error);  // a symbolic link stays one
  if (error) return Error{ErrorCode::not_found, "Cannot open the disk " + quoted(disk) + ": " + error.message() + "."};
  // Opened for writing only to lock the image; nothing writes to it in place.
  auto merged = open_with_overlay(target, overlay, DiskAccess::read_write);
  if (!merged) return merged.error();
  auto done = fs::is_directory(target) ? commit_to_folder(**merged, target) : commit_to_file(**merged, target);
  if (!done) return done;
  return remove_overlay(overlay);
}

Result<void> discard(const fs::path& overlay, bool force) {
  auto file = disk::HostFile::open(overlay, disk::HostFile::Mode::read_write, "the overlay");
  if (!file) return file.error();
  if (!is_overlay(overlay)) return Error{ErrorCode::bad_image, quoted(overlay) + " is not an overlay."};
  if (auto locked = file->lock(); !locked) return locked;
  if (!force) {
    const auto contents = disk::read_overlay(overlay, [](std::uint64_t, std::uint64_t, std::uint64_t) {});
    if (!contents) return contents.error();
  }
  return remove_overlay(overlay);
}

}  // namespace tuxarium::disk_tool
