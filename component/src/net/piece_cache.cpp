#include "net/piece_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <random>
#include <string_view>
#include <system_error>

#include "disk/host_file.hpp"

namespace tuxarium::net {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryMark = ".part-";
constexpr auto kStaleTemporary = std::chrono::hours{1};

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// True for a name that this cache gives to pieces; nothing else is ever removed, but our own temporary files.
bool is_piece_name(std::string_view name) { return name.size() == 64 && is_hex(name); }

std::string random_suffix() {
  std::random_device device;
  return std::to_string(::getpid()) + "-" + std::to_string(device());
}

bool write_all(int fd, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

struct StoredPiece {
  fs::path path;
  fs::file_time_type last_use;
  std::uint64_t bytes = 0;
};

/// All pieces of the folder. Removes what a writer that died has left.
std::vector<StoredPiece> stored_pieces(const fs::path& folder) {
  std::vector<StoredPiece> pieces;
  std::error_code code;
  const auto now = fs::file_time_type::clock::now();
  for (fs::recursive_directory_iterator entry{folder, code}; !code && entry != fs::recursive_directory_iterator{}; entry.increment(code)) {
    std::error_code ignored;
    if (entry.depth() != 1 || !entry->is_regular_file(ignored)) continue;
    const std::string name = entry->path().filename().string();
    const auto last_use = entry->last_write_time(ignored);
    if (name.starts_with(kTemporaryMark) && now - last_use > kStaleTemporary) fs::remove(entry->path(), ignored);
    if (is_piece_name(name)) pieces.push_back({entry->path(), last_use, std::uint64_t{entry->file_size(ignored)}});
  }
  return pieces;
}

}  // namespace

PieceCache::PieceCache(fs::path directory, std::uint64_t max_bytes, Warn warn)
    : directory_{std::move(directory)}, max_bytes_{max_bytes}, warn_{std::move(warn)} {}

fs::path PieceCache::path_of(const disk::Sha256Digest& digest) const {
  const std::string name = disk::to_hex(digest);
  return directory_ / "pieces" / name.substr(0, 2) / name;
}

std::optional<std::vector<std::uint8_t>> PieceCache::load(const disk::Sha256Digest& digest, std::size_t size) {
  if (!enabled()) return std::nullopt;
  const fs::path path = path_of(digest);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  struct stat status {};
  std::vector<std::uint8_t> bytes;
  bool good = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) == size;
  if (good) {
    bytes.resize(size);
    std::size_t done = 0;
    while (done < size) {
      const ssize_t count = ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(done));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    good = done == size && disk::sha256(std::as_bytes(std::span{bytes})) == digest;
  }
  if (good) (void)::futimens(fd, nullptr);
  ::close(fd);
  if (good) return bytes;
  std::error_code ignored;
  fs::remove(path, ignored);  // damaged: the next one who has the piece writes it anew
  return std::nullopt;
}

void PieceCache::store(const disk::Sha256Digest& digest, std::span<const std::uint8_t> bytes) {
  if (!enabled() || !writable_ || bytes.size() > max_bytes_) return;
  if (since_scan_ + bytes.size() > room_) make_room();
  if (write_file(path_of(digest), bytes)) since_scan_ += bytes.size();
}

bool PieceCache::write_file(const fs::path& path, std::span<const std::uint8_t> bytes) {
  const fs::path folder = path.parent_path();
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return stop_writing(folder, code.message()), false;
  const fs::path temporary = folder / (std::string{kTemporaryMark} + random_suffix());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return stop_writing(folder, std::system_category().message(errno)), false;
  const bool written = write_all(fd, bytes);
  const int problem = errno;
  ::close(fd);
  if (written) fs::rename(temporary, path, code);
  if (written && !code) return true;
  std::error_code ignored;
  fs::remove(temporary, ignored);
  stop_writing(folder, written ? code.message() : std::system_category().message(problem));
  return false;
}

void PieceCache::stop_writing(const fs::path& path, const std::string& why) {
  if (!std::exchange(writable_, false)) return;
  warn_("The disk cache is used no more for writing: cannot write in " + disk::quoted(path) + ": " + why + ".");
}

/// Measures the folder, and removes what was used least when it is nearly full.
void PieceCache::make_room() {
  std::vector<StoredPiece> pieces = stored_pieces(directory_ / "pieces");
  std::uint64_t used = 0;
  for (const StoredPiece& piece : pieces) used += piece.bytes;
  const std::uint64_t goal = max_bytes_ - max_bytes_ / 8;
  if (used > goal) {
    std::ranges::sort(pieces, {}, &StoredPiece::last_use);
    for (const StoredPiece& piece : pieces) {
      if (used <= goal) break;
      std::error_code code;
      if (fs::remove(piece.path, code) || !code) used -= piece.bytes;
    }
  }
  since_scan_ = 0;
  room_ = used < max_bytes_ ? max_bytes_ - used : 0;
}

// --- Order ---

std::vector<std::uint64_t> PieceCache::load_order(const std::string& disk, std::uint64_t pieces) const {
  if (!enabled()) return {};
  constexpr std::uint64_t kMaxBytes = kMaxOrder * 8;
  const fs::path path = directory_ / "order" / disk;
  std::error_code code;
  if (!fs::exists(path, code)) return {};
  const auto bytes = disk::read_whole_file(path, "the order of pieces", kMaxBytes);
  if (!bytes) return {};
  std::vector<std::uint64_t> order;
  const char* at = reinterpret_cast<const char*>(bytes->data());
  const char* const end = at + bytes->size();
  while (at != end && order.size() < kMaxOrder) {
    std::uint64_t piece = 0;
    const auto [rest, problem] = std::from_chars(at, end, piece);
    if (problem != std::errc{} || rest == end || *rest != '\n' || piece >= pieces) return {};
    order.push_back(piece);
    at = rest + 1;
  }
  return order;
}

void PieceCache::store_order(const std::string& disk, std::span<const std::uint64_t> order) {
  if (!enabled() || !writable_) return;
  std::string text;
  for (const std::uint64_t piece : order.first(std::min(order.size(), kMaxOrder))) text += std::to_string(piece) + "\n";
  (void)write_file(directory_ / "order" / disk, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace tuxarium::net
