// A read-only disk in pieces of equal size, as jslinux-tap kept it: `hda%09d.bin` in one folder, optionally with a manifest.
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include <tuxarium/disk.hpp>

#include "disk/host_file.hpp"
#include "disk/manifest.hpp"
#include "disk/sector_range.hpp"

namespace tuxarium {

namespace {

namespace fs = std::filesystem;
using disk::Manifest;
using disk::piece_name;
using disk::quoted;

/// The number in a name that piece_name() makes.
std::optional<std::uint64_t> piece_number(const std::string& name) {
  if (name.size() != 16 || !name.starts_with("hda") || !name.ends_with(".bin")) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : name.substr(3, 9)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

/// The folder, what is in it, and what is known of each piece.
struct Layout {
  fs::path directory;
  std::uint32_t piece_bytes = 0;
  std::uint64_t sectors = 0;
  std::uint64_t pieces = 0;
  std::optional<Manifest> manifest;

  fs::path path(std::uint64_t piece) const { return directory / piece_name(piece); }
  bool zero(std::uint64_t piece) const { return manifest && manifest->pieces[static_cast<std::size_t>(piece)].zero; }
};

class ChunkedDisk final : public BlockDevice {
 public:
  explicit ChunkedDisk(Layout layout) : layout_{std::move(layout)} {}

  std::uint64_t sector_count() const override { return layout_.sectors; }
  bool read_only() const override { return true; }
  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override;
  BlockStatus write(std::uint64_t, std::span<const std::byte>) override { return fail("A disk in pieces cannot be written."); }
  BlockStatus flush() override { return BlockStatus::done; }
  std::string last_error() const override { return error_; }
  std::uint64_t content_id() const override { return layout_.manifest ? disk::content_id(*layout_.manifest) : 0; }

 private:
  // The cache holds at most this many pieces, and fewer large ones; the one not used for longest makes room.
  static constexpr std::size_t kMaxCachedPieces = 64;
  static constexpr std::size_t kMaxCachedBytes = std::size_t{4} << 20;

  struct CachedPiece {
    std::uint64_t piece = 0;
    std::uint64_t last_use = 0;
    std::vector<std::byte> bytes;
  };

  BlockStatus fail(std::string problem) {
    error_ = std::move(problem);
    return BlockStatus::error;
  }
  std::size_t cache_capacity() const { return std::clamp<std::size_t>(kMaxCachedBytes / layout_.piece_bytes, 1, kMaxCachedPieces); }
  const std::vector<std::byte>* piece_bytes(std::uint64_t piece);
  Result<std::vector<std::byte>> load(std::uint64_t piece) const;
  CachedPiece& make_room();

  Layout layout_;
  std::vector<CachedPiece> cache_;
  std::uint64_t uses_ = 0;
  std::string error_;
};

BlockStatus ChunkedDisk::read(std::uint64_t first, std::span<std::byte> out) {
  if (std::string problem = disk::range_error(sector_count(), first, out.size()); !problem.empty()) return fail(std::move(problem));
  std::uint64_t at = first * kSectorSize;
  while (!out.empty()) {
    const std::uint64_t piece = at / layout_.piece_bytes;
    const auto offset = static_cast<std::size_t>(at % layout_.piece_bytes);
    const std::size_t count = std::min(out.size(), layout_.piece_bytes - offset);
    if (layout_.zero(piece)) {
      std::fill_n(out.begin(), count, std::byte{0});
    } else {
      const std::vector<std::byte>* bytes = piece_bytes(piece);
      if (bytes == nullptr) return BlockStatus::error;
      std::copy_n(bytes->begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
    }
    out = out.subspan(count);
    at += count;
  }
  return BlockStatus::done;
}

/// The content of a piece, valid until the next call; null after an error.
const std::vector<std::byte>* ChunkedDisk::piece_bytes(std::uint64_t piece) {
  const auto cached = std::find_if(cache_.begin(), cache_.end(), [&](const CachedPiece& c) { return c.piece == piece; });
  if (cached != cache_.end()) {
    cached->last_use = ++uses_;
    return &cached->bytes;
  }
  auto loaded = load(piece);
  if (!loaded) {
    error_ = loaded.error().message;
    return nullptr;
  }
  CachedPiece& room = make_room();
  room.piece = piece;
  room.last_use = ++uses_;
  room.bytes = std::move(*loaded);
  return &room.bytes;
}

ChunkedDisk::CachedPiece& ChunkedDisk::make_room() {
  if (cache_.size() < cache_capacity()) return cache_.emplace_back();
  return *std::min_element(cache_.begin(), cache_.end(),
                           [](const CachedPiece& a, const CachedPiece& b) { return a.last_use < b.last_use; });
}

Result<std::vector<std::byte>> ChunkedDisk::load(std::uint64_t piece) const {
  auto bytes = disk::read_whole_file(layout_.path(piece), "the disk piece", layout_.piece_bytes);
  if (!bytes) return bytes.error();
  if (bytes->size() != layout_.piece_bytes) {
    return Error{ErrorCode::bad_image, "The disk piece " + quoted(layout_.path(piece)) + " has " + std::to_string(bytes->size()) +
                                           " bytes now instead of " + std::to_string(layout_.piece_bytes) + "."};
  }
  if (layout_.manifest && disk::sha256(*bytes) != layout_.manifest->pieces[static_cast<std::size_t>(piece)].digest) {
    return Error{ErrorCode::bad_image, "The disk piece " + quoted(layout_.path(piece)) + " does not have the checksum of the manifest."};
  }
  return bytes;
}

// --- Opening ---

Error folder_error(const fs::path& directory, const std::string& problem, ErrorCode code = ErrorCode::bad_image) {
  return {code, "Cannot use the disk folder " + quoted(directory) + ": " + problem + "."};
}

Result<std::uint64_t> piece_file_size(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found) {
    return Error{ErrorCode::not_found, "The disk piece " + quoted(path) + " does not exist."};
  }
  if (code) return Error{ErrorCode::io, "Cannot examine the disk piece " + quoted(path) + ": " + code.message() + "."};
  if (!fs::is_regular_file(status)) return Error{ErrorCode::bad_image, "The disk piece " + quoted(path) + " is not a regular file."};
  const std::uintmax_t size = fs::file_size(path, code);
  if (code) return Error{ErrorCode::io, "Cannot examine the disk piece " + quoted(path) + ": " + code.message() + "."};
  return std::uint64_t{size};
}

/// How many pieces the folder has, when they are numbered from 0 without a gap.
Result<std::uint64_t> count_pieces(const fs::path& directory) {
  std::vector<std::uint64_t> numbers;
  std::error_code code;
  fs::directory_iterator entry{directory, code};
  for (; !code && entry != fs::directory_iterator{}; entry.increment(code)) {
    if (const auto number = piece_number(entry->path().filename().string())) numbers.push_back(*number);
    if (numbers.size() > disk::kMaxPieces) {
      return folder_error(directory, "it has more than " + std::to_string(disk::kMaxPieces) + " pieces");
    }
  }
  if (code) return folder_error(directory, code.message(), ErrorCode::io);
  if (numbers.empty()) return folder_error(directory, "it has no pieces named hda%09d.bin and no manifest", ErrorCode::not_found);
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != i) {
      return folder_error(directory, piece_name(i) + " is missing though " + piece_name(numbers.back()) + " is there",
                          ErrorCode::not_found);
    }
  }
  return std::uint64_t{numbers.size()};
}

Result<Layout> layout_from_manifest(const fs::path& directory, const fs::path& path) {
  const auto bytes = disk::read_whole_file(path, "the disk manifest", disk::kMaxManifestBytes);
  if (!bytes) return bytes.error();
  const std::string_view text{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  auto manifest = disk::parse_manifest(text, quoted(path));
  if (!manifest) return manifest.error();
  Layout layout{.directory = directory,
                .piece_bytes = manifest->piece_bytes,
                .sectors = manifest->sectors,
                .pieces = manifest->pieces.size(),
                .manifest = {}};
  layout.manifest = std::move(*manifest);
  return layout;
}

Result<Layout> layout_from_pieces(const fs::path& directory) {
  const auto pieces = count_pieces(directory);
  if (!pieces) return pieces.error();
  const auto piece_bytes = piece_file_size(directory / piece_name(0));
  if (!piece_bytes) return piece_bytes.error();
  if (!disk::valid_piece_size(*piece_bytes)) {
    return Error{ErrorCode::bad_image, "The disk piece " + quoted(directory / piece_name(0)) + " has " + std::to_string(*piece_bytes) +
                                           " bytes, and a piece must have a power of two from 512 to 16777216."};
  }
  return Layout{.directory = directory,
                .piece_bytes = static_cast<std::uint32_t>(*piece_bytes),
                .sectors = *pieces * (*piece_bytes / kSectorSize),
                .pieces = *pieces,
                .manifest = {}};
}

Result<void> check_piece(const Layout& layout, std::uint64_t piece) {
  const fs::path path = layout.path(piece);
  const auto size = piece_file_size(path);
  if (!size) return size.error();
  if (*size != layout.piece_bytes) {
    return Error{ErrorCode::bad_image, "The disk piece " + quoted(path) + " has " + std::to_string(*size) +
                                           " bytes, and a piece of this disk has " + std::to_string(layout.piece_bytes) + "."};
  }
  if (::access(path.c_str(), R_OK) != 0) return Error{ErrorCode::io, "The disk piece " + quoted(path) + " may not be read."};
  return {};
}

}  // namespace

Result<std::unique_ptr<BlockDevice>> open_chunked_disk(const std::filesystem::path& directory) {
  std::error_code code;
  const fs::file_status status = fs::status(directory, code);
  if (status.type() == fs::file_type::not_found) {
    return Error{ErrorCode::not_found, "The disk folder " + quoted(directory) + " does not exist."};
  }
  if (code) return folder_error(directory, code.message(), ErrorCode::io);
  if (!fs::is_directory(status)) return folder_error(directory, "it is not a folder", ErrorCode::invalid_argument);
  const fs::path absolute = fs::absolute(directory, code);
  if (code) return folder_error(directory, code.message(), ErrorCode::io);

  const fs::path manifest = absolute / disk::kManifestName;
  auto layout = fs::exists(fs::symlink_status(manifest, code)) ? layout_from_manifest(absolute, manifest) : layout_from_pieces(absolute);
  if (!layout) return layout.error();
  for (std::uint64_t piece = 0; piece < layout->pieces; ++piece) {
    if (layout->zero(piece)) continue;
    if (const auto checked = check_piece(*layout, piece); !checked) return checked.error();
  }
  return std::unique_ptr<BlockDevice>{std::make_unique<ChunkedDisk>(std::move(*layout))};
}

}  // namespace tuxarium
