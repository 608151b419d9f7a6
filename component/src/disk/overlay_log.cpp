#include "disk/overlay_log.hpp"

#include <algorithm>
#include <cassert>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace tuxarium::disk {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kHeaderBytes = kBlock, kHeadBytes = 24, kMarkBytes = 32;
constexpr std::string_view kMagic = "TXOVERL\n", kMarkMagic = "TXCOMMIT";
constexpr std::uint32_t kVersion = 1, kWrite = 1, kCommit = 2;
constexpr std::string_view kRole = "the overlay";
// No writer lets a log grow to this: eight times its disk and 1 GiB.
constexpr std::uint64_t kMostDisks = 8, kMoreSectors = std::uint64_t{1} << 21;

template <class T>
void store(std::span<std::byte> out, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

template <class T>
T load(Bytes in, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = static_cast<T>(value | static_cast<T>(std::to_integer<T>(in[at + i]) << (8 * i)));
  return value;
}

void store_text(std::span<std::byte> out, std::string_view text) {
  std::ranges::transform(text, out.begin(), [](char c) { return static_cast<std::byte>(c); });
}

bool has_text(Bytes in, std::string_view text) {
  return std::ranges::equal(in.first(std::min(in.size(), text.size())), text.substr(0, in.size()),
                            [](std::byte b, char c) { return b == static_cast<std::byte>(c); });
}

bool all_zero(Bytes in) {
  return std::ranges::all_of(in, [](std::byte b) { return b == std::byte{0}; });
}

std::array<std::byte, kHeaderBytes> make_header(const OverlayBase& base, std::uint64_t nonce) {
  std::array<std::byte, kHeaderBytes> header{};
  store_text(header, kMagic);
  store<std::uint32_t>(header, 8, kVersion);
  store<std::uint64_t>(header, 16, base.sectors);
  store<std::uint64_t>(header, 24, base.digest);
  store<std::uint64_t>(header, 32, nonce);
  store<std::uint64_t>(header, kHeaderBytes - 8, checksum64(0, Bytes{header}.first(kHeaderBytes - 8)));
  return header;
}

void make_mark(std::span<std::byte> out, std::uint64_t durable, std::uint64_t offset, std::uint64_t nonce) {
  store_text(out, kMarkMagic);
  store<std::uint64_t>(out, 8, durable);
  store<std::uint64_t>(out, 16, offset);
  store<std::uint64_t>(out, 24, checksum64(nonce, out.first(24)));
}

/// What a good mark at `offset` says was durable.
std::optional<std::uint64_t> read_mark(Bytes in, std::uint64_t offset, std::uint64_t nonce) {
  if (!has_text(in, kMarkMagic) || load<std::uint64_t>(in, 16) != offset) return std::nullopt;
  if (load<std::uint64_t>(in, 24) != checksum64(nonce, in.first(24))) return std::nullopt;
  return load<std::uint64_t>(in, 8);
}

/// Offset after a commit whose head is at `offset`.
constexpr std::uint64_t commit_end(std::uint64_t offset) {
  return (offset + kHeadBytes + kMarkBytes + kBlock - 1) / kBlock * kBlock;
}

/// A part of a file in memory, for reading it in small steps.
class Window {
 public:
  explicit Window(const HostFile& file) : file_{file} {}

  /// `count` bytes from `offset`, which must lie in the file; valid until the next call.
  Result<Bytes> at(std::uint64_t offset, std::uint64_t count) {
    if (offset < start_ || offset + count > start_ + bytes_.size()) {
      start_ = offset;
      bytes_.resize(static_cast<std::size_t>(std::min(std::max(count, kBytes), file_.size() - offset)));
      if (const auto read = file_.read_at(start_, bytes_); !read) return read.error();
    }
    return Bytes{bytes_}.subspan(static_cast<std::size_t>(offset - start_), static_cast<std::size_t>(count));
  }

 private:
  static constexpr std::uint64_t kBytes = 1u << 20;
  const HostFile& file_;
  std::uint64_t start_ = 0;
  std::vector<std::byte> bytes_;
};

Error unusable(const std::filesystem::path& path, const std::string& why) {
  return {ErrorCode::bad_image, "Cannot use " + std::string{kRole} + " " + quoted(path) + ": " + why + "."};
}

class Reader {
 public:
  Reader(const HostFile& file, const std::filesystem::path& path) : size_{file.size()}, path_{path}, window_{file} {}

  /// True when the file is what an interrupted making of a log leaves: no guest can have written to it.
  Result<bool> unfinished() {
    if (size_ > kHeaderBytes) return false;
    const auto bytes = window_.at(0, size_);
    if (!bytes) return bytes.error();
    return all_zero(*bytes) || (size_ < kHeaderBytes && has_text(*bytes, kMagic));
  }

  Result<void> read_header() {
    if (size_ < kHeaderBytes) return unusable(path_, "it is not an overlay");
    const auto got = window_.at(0, kHeaderBytes);
    if (!got) return got.error();
    const Bytes header = *got;
    if (!has_text(header, kMagic)) return unusable(path_, "it is not an overlay");
    const std::uint64_t checksum = load<std::uint64_t>(header, kHeaderBytes - 8);
    if (checksum != checksum64(0, header.first(kHeaderBytes - 8))) return unusable(path_, "its header is damaged");
    if (const auto version = load<std::uint32_t>(header, 8); version != kVersion) {
      return Error{ErrorCode::unsupported,
                   unusable(path_, "it has version " + std::to_string(version) + ", and only version 1 is known").message};
    }
    contents_.base = {load<std::uint64_t>(header, 16), load<std::uint64_t>(header, 24)};
    if (size_ / kSectorSize / kMostDisks > contents_.base.sectors + kMoreSectors / kMostDisks) {
      return unusable(path_, "it has " + std::to_string(size_) + " bytes, more than changes to a disk of " + std::to_string(contents_.base.sectors) +
                                 " sectors can take");
    }
    contents_.nonce = load<std::uint64_t>(header, 32);
    contents_.end = kHeaderBytes;
    contents_.file_bytes = size_;
    contents_.chain = checksum;
    return {};
  }

  /// All good records; an error when what follows them is no torn tail.
  Result<void> read_records(const OverlayVisitor& visit) {
    for (bool good = true; good;) {
      const auto next = read_record(visit);
      if (!next) return next.error();
      good = *next;
    }
    return look_for_damage();
  }

  const OverlayContents& contents() const { return contents_; }

 private:
  /// False when there is no good record at the end so far.
  Result<bool> read_record(const OverlayVisitor& visit) {
    if (size_ - contents_.end < kHeadBytes) return false;
    const auto got = window_.at(contents_.end, kHeadBytes);
    if (!got) return got.error();
    const auto kind = load<std::uint32_t>(*got, 0), count = load<std::uint32_t>(*got, 4);
    const auto where = load<std::uint64_t>(*got, 8), expected = load<std::uint64_t>(*got, 16);
    const std::uint64_t head_sum = checksum64(contents_.chain, got->first(16));
    if (kind == kWrite) return read_write(where, count, head_sum, expected, visit);
    if (kind == kCommit) return read_commit(where, count, head_sum, expected);
    return false;
  }

  Result<bool> read_write(std::uint64_t first, std::uint64_t count, std::uint64_t head_sum, std::uint64_t expected, const OverlayVisitor& visit) {
    const std::uint64_t sectors = contents_.base.sectors, data = contents_.end + kHeadBytes;
    if (count == 0 || count > OverlayLog::kMaxRecordSectors || first >= sectors || count > sectors - first) return false;
    if (size_ - data < count * kSectorSize) return false;
    const auto got = window_.at(data, count * kSectorSize);
    if (!got) return got.error();
    if (checksum64(head_sum, *got) != expected) return false;
    visit(first, count, data);
    contents_.written += count;
    contents_.end = data + count * kSectorSize;
    contents_.chain = expected;
    return true;
  }

  Result<bool> read_commit(std::uint64_t durable, std::uint64_t count, std::uint64_t head_sum, std::uint64_t expected) {
    const std::uint64_t end = commit_end(contents_.end);
    if (head_sum != expected || count != end - contents_.end - kHeadBytes || end > size_) return false;
    const auto got = window_.at(end - kMarkBytes, kMarkBytes);
    if (!got) return got.error();
    if (read_mark(*got, end - kMarkBytes, contents_.nonce) != durable) return false;
    ++contents_.commits;
    contents_.end = contents_.last_commit = end;
    contents_.chain = expected;
    return true;
  }

  /// A mark after the last good record that vouches for more than the good records.
  Result<void> look_for_damage() {
    for (std::uint64_t end = (contents_.end / kBlock + 1) * kBlock; end <= size_; end += kBlock) {
      const auto got = window_.at(end - kMarkBytes, kMarkBytes);
      if (!got) return got.error();
      if (const auto durable = read_mark(*got, end - kMarkBytes, contents_.nonce); durable && *durable > contents_.end) {
        return unusable(path_, "it is damaged at byte " + std::to_string(contents_.end) + ", before data that the guest had flushed");
      }
    }
    return {};
  }

  std::uint64_t size_;
  const std::filesystem::path& path_;
  Window window_;
  OverlayContents contents_;
};

Error different_base(const std::filesystem::path& path, const OverlayBase& wanted, const OverlayBase& found) {
  if (wanted.sectors != found.sectors) {
    return unusable(path, "it belongs to a disk of " + std::to_string(found.sectors) + " sectors, and this one has " + std::to_string(wanted.sectors));
  }
  return unusable(path, "it belongs to another disk, or the disk under it has changed since it was made");
}

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

/// The file at `path`, locked. A writer before us may replace it (compaction) between our opening and our locking it.
Result<HostFile> open_locked(const std::filesystem::path& path) {
  constexpr int kAttempts = 8;
  for (int i = 0; i < kAttempts; ++i) {
    auto file = HostFile::open(path, HostFile::Mode::create, std::string{kRole});
    if (!file) return file.error();
    if (const auto locked = file->lock(); !locked) return locked.error();
    if (!file->is_at(path)) continue;
    // Its size may have changed before it was locked.
    return HostFile::measured(std::move(*file));
  }
  return Error{ErrorCode::io, "Cannot use " + std::string{kRole} + " " + quoted(path) + ": it is replaced again and again."};
}

}  // namespace

std::uint64_t checksum64(std::uint64_t seed, Bytes data) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  // Each step is one-to-one in the sum so far and in the word.
  const auto step = [](std::uint64_t sum, std::uint64_t word) {
    sum = (sum ^ word) * kOdd;
    return sum ^ sum >> 32;
  };
  std::uint64_t sum = step(seed, data.size() + 1);
  for (; data.size() >= 8; data = data.subspan(8)) sum = step(sum, load<std::uint64_t>(data, 0));
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < data.size(); ++i) last |= std::to_integer<std::uint64_t>(data[i]) << (8 * i);
  return step(sum, last);
}

std::optional<OverlayBase> base_of_overlay(const std::filesystem::path& path) {
  const auto file = HostFile::open(path, HostFile::Mode::read, std::string{kRole});
  if (!file) return std::nullopt;
  Reader reader{*file, path};
  if (!reader.read_header()) return std::nullopt;
  return reader.contents().base;
}

Result<OverlayContents> read_overlay(const std::filesystem::path& path, const OverlayVisitor& visit) {
  const auto file = HostFile::open(path, HostFile::Mode::read, std::string{kRole});
  if (!file) return file.error();
  Reader reader{*file, path};
  if (const auto header = reader.read_header(); !header) return header.error();
  if (const auto records = reader.read_records(visit); !records) return records.error();
  return reader.contents();
}

OverlayLog::OverlayLog(HostFile file, const OverlayContents& contents)
    : file_{std::move(file)}, nonce_{contents.nonce}, end_{contents.end}, chain_{contents.chain}, durable_{contents.end} {}

Result<OverlayLog> OverlayLog::start(HostFile file, const OverlayBase& base) {
  const std::uint64_t nonce = random_number();
  const auto header = make_header(base, nonce);
  if (const auto emptied = file.resize(0); !emptied) return emptied.error();
  if (const auto written = file.write_at(0, header); !written) {
    (void)file.resize(0);
    return written.error();
  }
  if (const auto synced = file.sync(); !synced) return synced.error();
  OverlayContents contents;
  contents.nonce = nonce;
  contents.end = kHeaderBytes;
  contents.chain = load<std::uint64_t>(header, kHeaderBytes - 8);
  return OverlayLog{std::move(file), contents};
}

Result<OverlayLog> OverlayLog::create(const std::filesystem::path& path, const OverlayBase& base) {
  auto file = open_locked(path);
  if (!file) return file.error();
  return start(std::move(*file), base);
}

Result<OverlayLog> OverlayLog::open(const std::filesystem::path& path, const OverlayBase& base, const OverlayVisitor& visit) {
  auto file = open_locked(path);
  if (!file) return file.error();
  Reader reader{*file, path};
  const auto unfinished = reader.unfinished();
  if (!unfinished) return unfinished.error();
  if (*unfinished) {
    auto log = start(std::move(*file), base);
    if (log) sync_folder_of(path);
    return log;
  }
  if (const auto header = reader.read_header(); !header) return header.error();
  if (reader.contents().base != base) return different_base(path, base, reader.contents().base);
  if (const auto records = reader.read_records(visit); !records) return records.error();
  const OverlayContents& contents = reader.contents();
  if (contents.end != contents.file_bytes) {
    if (const auto cut = file->resize(contents.end); !cut) return cut.error();
  }
  // Writes after the last commit count from now on, so they must not be lost later.
  if (const auto synced = file->sync_data(); !synced) return synced.error();
  return OverlayLog{std::move(*file), contents};
}

Result<void> OverlayLog::usable() const {
  if (!failed_) return {};
  return Error{ErrorCode::io, "The overlay takes no more writes, because earlier ones could not be made durable."};
}

/// One whole transfer at the end, or the file as it was.
Result<void> OverlayLog::put(Bytes bytes) {
  const auto written = file_.write_at(end_, bytes);
  if (!written) (void)file_.resize(end_);  // part of a record that stays behind is overwritten, or cut off at the next open
  return written;
}

Result<std::uint64_t> OverlayLog::append(std::uint64_t first, Bytes data) {
  assert(!data.empty() && data.size() % kSectorSize == 0 && data.size() <= kMaxRecordSectors * kSectorSize);
  if (const auto ready = usable(); !ready) return ready.error();
  buffer_.resize(kHeadBytes + data.size());
  store<std::uint32_t>(buffer_, 0, kWrite);
  store<std::uint32_t>(buffer_, 4, static_cast<std::uint32_t>(data.size() / kSectorSize));
  store<std::uint64_t>(buffer_, 8, first);
  const std::uint64_t chain = checksum64(checksum64(chain_, Bytes{buffer_}.first(16)), data);
  store<std::uint64_t>(buffer_, 16, chain);
  std::ranges::copy(data, buffer_.begin() + kHeadBytes);
  if (const auto written = put(buffer_); !written) return written.error();
  const std::uint64_t offset = end_ + kHeadBytes;
  end_ += buffer_.size();
  chain_ = chain;
  return offset;
}

Result<void> OverlayLog::commit() {
  if (const auto ready = usable(); !ready) return ready;
  if (end_ == durable_) return {};
  const std::uint64_t end = commit_end(end_);
  buffer_.assign(static_cast<std::size_t>(end - end_), std::byte{0});
  store<std::uint32_t>(buffer_, 0, kCommit);
  store<std::uint32_t>(buffer_, 4, static_cast<std::uint32_t>(buffer_.size() - kHeadBytes));
  store<std::uint64_t>(buffer_, 8, durable_);
  const std::uint64_t chain = checksum64(chain_, Bytes{buffer_}.first(16));
  store<std::uint64_t>(buffer_, 16, chain);
  make_mark(std::span{buffer_}.last(kMarkBytes), durable_, end - kMarkBytes, nonce_);
  if (const auto written = put(buffer_); !written) return written;
  end_ = end;
  chain_ = chain;
  const auto synced = file_.sync_data();
  failed_ = !synced;
  if (synced) durable_ = end_;
  return synced;
}

}  // namespace tuxarium::disk
