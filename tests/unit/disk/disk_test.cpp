#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <fstream>
#include <random>
#include <tuxarium/disk.hpp>

#include "disk/manifest.hpp"
#include "disk/shared_disk.hpp"
#include "temporary_folder.hpp"

using namespace tuxarium;
using test::pattern;
using test::TemporaryFolder;
using Bytes = std::vector<std::byte>;

namespace {

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.size() > part.size());
  CHECK(text.ends_with("."));
  return text.find(part) != std::string::npos;
}

template <class T>
const Error& error_of(const Result<T>& result) {
  REQUIRE(!result.has_value());
  return result.error();
}

Bytes read(BlockDevice& disk, std::uint64_t first, std::size_t sectors) {
  Bytes out(sectors * kSectorSize);
  INFO(disk.last_error());
  REQUIRE(disk.read(first, out) == BlockStatus::done);
  return out;
}

Bytes slice(const Bytes& bytes, std::size_t first_sector, std::size_t sectors) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(first_sector * kSectorSize);
  return {begin, begin + static_cast<std::ptrdiff_t>(sectors * kSectorSize)};
}

std::string piece_name(std::size_t number) {
  char name[40];
  std::snprintf(name, sizeof name, "hda%09zu.bin", number);
  return name;
}

/// Writes an image as pieces and returns it.
Bytes write_pieces(const TemporaryFolder& folder, std::size_t piece_bytes, std::size_t pieces, unsigned seed = 1) {
  Bytes image = pattern(piece_bytes * pieces, seed);
  for (std::size_t i = 0; i < pieces; ++i) folder.write(piece_name(i), std::span{image}.subspan(i * piece_bytes, piece_bytes));
  return image;
}

/// Answers from a script, then from its image.
class ScriptedDisk final : public BlockDevice {
 public:
  explicit ScriptedDisk(Bytes image) : image_{std::move(image)} {}
  std::uint64_t sector_count() const override { return image_.size() / kSectorSize; }
  bool read_only() const override { return true; }
  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override {
    ++reads;
    if (!script.empty()) {
      const BlockStatus status = script.front();
      script.pop_front();
      if (status != BlockStatus::done) return status;
    }
    std::copy_n(image_.begin() + static_cast<std::ptrdiff_t>(first * kSectorSize), out.size(), out.begin());
    return BlockStatus::done;
  }
  BlockStatus write(std::uint64_t, std::span<const std::byte>) override {
    ++writes;
    return BlockStatus::error;
  }
  BlockStatus flush() override { return BlockStatus::done; }
  std::string last_error() const override { return "Scripted."; }

  std::deque<BlockStatus> script;
  int reads = 0, writes = 0;

 private:
  Bytes image_;
};

}  // namespace

TEST_CASE("memory disk: reads back what was written, refuses ranges beyond its end") {
  const Bytes image = pattern(10 * kSectorSize, 1);
  auto disk = std::move(make_memory_disk(image).value());
  CHECK(disk->sector_count() == 10);
  CHECK(!disk->read_only());
  CHECK(read(*disk, 0, 10) == image);
  const Bytes data = pattern(2 * kSectorSize, 2);
  CHECK(disk->write(8, data) == BlockStatus::done);
  CHECK(read(*disk, 8, 2) == data);
  CHECK(read(*disk, 0, 8) == slice(image, 0, 8));
  CHECK(disk->last_error().empty());

  Bytes out(2 * kSectorSize);
  CHECK(disk->read(9, out) == BlockStatus::error);
  CHECK(mentions(disk->last_error(), "2 sectors from sector 9"));
  CHECK(disk->write(9, out) == BlockStatus::error);
  CHECK(disk->read(~std::uint64_t{0}, out) == BlockStatus::error);
  CHECK(disk->read(10, std::span<std::byte>{}) == BlockStatus::done);
  CHECK(disk->read(0, std::span{out}.first(100)) == BlockStatus::error);
}

TEST_CASE("memory disk: a size that is no disk is refused") {
  CHECK(mentions(error_of(make_memory_disk({})).message, "0 bytes"));
  CHECK(error_of(make_memory_disk(Bytes(513))).code == ErrorCode::invalid_argument);
}

TEST_CASE("shared disk: two readers of one image, no writer") {
  const auto image = std::make_shared<const Bytes>(pattern(8 * kSectorSize, 3));
  const auto one = disk::make_shared_disk(image).value();
  const auto other = disk::make_shared_disk(image).value();
  CHECK(one->sector_count() == 8);
  CHECK(one->read_only());
  CHECK(read(*one, 2, 3) == slice(*image, 2, 3));
  CHECK(one->write(0, Bytes(kSectorSize)) == BlockStatus::error);
  CHECK(mentions(one->last_error(), "shared"));
  CHECK(read(*other, 0, 8) == *image);
  Bytes two_sectors(2 * kSectorSize);
  CHECK(other->read(7, two_sectors) == BlockStatus::error);
  CHECK(mentions(other->last_error(), "7"));
  CHECK(mentions(error_of(disk::make_shared_disk(nullptr)).message, "0 bytes"));
  CHECK(mentions(error_of(disk::make_shared_disk(std::make_shared<const Bytes>(513))).message, "513"));
}

TEST_CASE("file disk: writes reach the file, a second writer is refused, a reader is not") {
  const TemporaryFolder folder;
  const Bytes image = pattern(20 * kSectorSize, 3);
  const auto path = folder.write("disk image.raw", image);
  const Bytes data = pattern(3 * kSectorSize, 4);
  {
    auto disk = std::move(open_file_disk(path, DiskAccess::read_write).value());
    CHECK(disk->sector_count() == 20);
    CHECK(read(*disk, 5, 4) == slice(image, 5, 4));
    CHECK(disk->write(17, data) == BlockStatus::done);
    CHECK(disk->write(18, data) == BlockStatus::error);
    CHECK(disk->flush() == BlockStatus::done);
    const Error second = error_of(open_file_disk(path, DiskAccess::read_write));
    CHECK(second.code == ErrorCode::io);
    CHECK(mentions(second.message, "another machine"));
    CHECK(open_file_disk(path, DiskAccess::read_only).has_value());
  }
  auto again = std::move(open_file_disk(path, DiskAccess::read_only).value());
  CHECK(again->read_only());
  CHECK(read(*again, 17, 3) == data);
  CHECK(again->write(0, data) == BlockStatus::error);
  CHECK(mentions(again->last_error(), "read-only"));
  CHECK(open_file_disk(path, DiskAccess::read_write).has_value());
}

TEST_CASE("file disk: a file that shrinks gives an error, never wrong data") {
  const TemporaryFolder folder;
  const auto path = folder.write("a.raw", pattern(20 * kSectorSize, 3));
  auto disk = std::move(open_file_disk(path, DiskAccess::read_only).value());
  std::filesystem::resize_file(path, 10 * kSectorSize + 100);
  Bytes out(kSectorSize);
  CHECK(disk->read(9, out) == BlockStatus::done);
  CHECK(disk->read(10, out) == BlockStatus::error);
  CHECK(mentions(disk->last_error(), "a.raw"));
}

TEST_CASE("file disk: each bad path has its sentence") {
  const TemporaryFolder folder;
  const Error missing = error_of(open_file_disk(folder.path() / "none", DiskAccess::read_only));
  CHECK(missing.code == ErrorCode::not_found);
  CHECK(mentions(missing.message, "does not exist"));
  CHECK(mentions(error_of(open_file_disk(folder.path(), DiskAccess::read_only)).message, "not a regular file"));
  CHECK(mentions(error_of(open_file_disk(folder.write("odd", Bytes(1000)), DiskAccess::read_only)).message, "1000 bytes"));
  CHECK(error_of(open_file_disk(folder.write("empty", Bytes{}), DiskAccess::read_write)).code == ErrorCode::bad_image);
  const auto fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(mentions(error_of(open_file_disk(fifo, DiskAccess::read_only)).message, "not a regular file"));
}

TEST_CASE("file disk: a file that may not be written") {
  if (::geteuid() == 0) {
    std::puts("skipped: permissions do not bind root");
    return;
  }
  const TemporaryFolder folder;
  const auto path = folder.write("ro.raw", Bytes(512));
  ::chmod(path.c_str(), 0400);
  CHECK(error_of(open_file_disk(path, DiskAccess::read_write)).code == ErrorCode::io);
  CHECK(open_file_disk(path, DiskAccess::read_only).has_value());
}

TEST_CASE("pieces: every sector, across piece borders, with any piece size") {
  for (const std::size_t piece_bytes : {std::size_t{512}, std::size_t{4096}, std::size_t{65536}}) {
    CAPTURE(piece_bytes);
    const TemporaryFolder folder;
    const std::size_t pieces = 7;
    const Bytes image = write_pieces(folder, piece_bytes, pieces);
    auto disk = std::move(open_chunked_disk(folder.path()).value());
    const std::size_t sectors = pieces * piece_bytes / kSectorSize;
    CHECK(disk->sector_count() == sectors);
    CHECK(disk->read_only());
    CHECK(read(*disk, 0, sectors) == image);
    for (std::size_t first = 0; first < sectors; first += 5) {
      const std::size_t count = std::min<std::size_t>(11, sectors - first);
      CHECK(read(*disk, first, count) == slice(image, first, count));
    }
    Bytes out(2 * kSectorSize);
    CHECK(disk->read(sectors - 1, out) == BlockStatus::error);
    CHECK(disk->write(0, out) == BlockStatus::error);
    CHECK(disk->flush() == BlockStatus::done);
  }
}

TEST_CASE("pieces: more of them than the cache holds") {
  const TemporaryFolder folder;
  const std::size_t pieces = 200;
  const Bytes image = write_pieces(folder, 1024, pieces);
  auto disk = std::move(open_chunked_disk(folder.path()).value());
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (int i = 0; i < 3000; ++i) {
    const std::size_t first = random() % (2 * pieces), count = std::min<std::size_t>(1 + random() % 9, 2 * pieces - first);
    CHECK(read(*disk, first, count) == slice(image, first, count));
  }
}

TEST_CASE("pieces: the least recently used one leaves the cache") {
  const TemporaryFolder folder;
  const Bytes image = write_pieces(folder, 512, 65);
  auto disk = std::move(open_chunked_disk(folder.path()).value());
  for (std::size_t i = 0; i < 64; ++i) (void)read(*disk, i, 1);
  for (std::size_t i = 0; i < 64; ++i) std::filesystem::remove(folder.path() / piece_name(i));
  (void)read(*disk, 0, 1);   // makes piece 1 the oldest
  (void)read(*disk, 64, 1);  // needs room
  CHECK(read(*disk, 0, 1) == slice(image, 0, 1));
  CHECK(read(*disk, 2, 1) == slice(image, 2, 1));
  Bytes out(kSectorSize);
  CHECK(disk->read(1, out) == BlockStatus::error);
  CHECK(mentions(disk->last_error(), piece_name(1)));
}

TEST_CASE("pieces: one that changes after opening gives an error, never wrong data") {
  const TemporaryFolder folder;
  const Bytes image = write_pieces(folder, 4096, 4);
  auto disk = std::move(open_chunked_disk(folder.path()).value());
  Bytes out(kSectorSize);
  folder.write(piece_name(1), Bytes(4000));
  CHECK(disk->read(8, out) == BlockStatus::error);
  CHECK(mentions(disk->last_error(), "4000 bytes"));
  folder.write(piece_name(1), Bytes(8192));
  CHECK(disk->read(8, out) == BlockStatus::error);
  std::filesystem::remove(folder.path() / piece_name(2));
  CHECK(disk->read(16, out) == BlockStatus::error);
  CHECK(mentions(disk->last_error(), "does not exist"));
  Bytes across(16 * kSectorSize);
  CHECK(disk->read(4, across) == BlockStatus::error);
  CHECK(read(*disk, 24, 8) == slice(image, 24, 8));
  folder.write(piece_name(1), std::span{image}.subspan(4096, 4096));
  CHECK(read(*disk, 8, 8) == slice(image, 8, 8));
}

TEST_CASE("pieces: each bad folder has its sentence") {
  const TemporaryFolder folder;
  const Error missing = error_of(open_chunked_disk(folder.path() / "no such folder"));
  CHECK(missing.code == ErrorCode::not_found);
  CHECK(mentions(missing.message, "no such folder"));
  CHECK(mentions(error_of(open_chunked_disk(folder.path())).message, "no pieces"));
  CHECK(mentions(error_of(open_chunked_disk(folder.write("a file", Bytes(512)))).message, "not a folder"));

  write_pieces(folder, 512, 5);
  std::filesystem::remove(folder.path() / piece_name(2));
  const Error gap = error_of(open_chunked_disk(folder.path()));
  CHECK(gap.code == ErrorCode::not_found);
  CHECK(mentions(gap.message, piece_name(2) + " is missing"));

  folder.write(piece_name(2), Bytes(511));
  const Error size = error_of(open_chunked_disk(folder.path()));
  CHECK(size.code == ErrorCode::bad_image);
  CHECK(mentions(size.message, "511 bytes"));

  std::filesystem::remove(folder.path() / piece_name(2));
  std::filesystem::create_directory(folder.path() / piece_name(2));
  CHECK(mentions(error_of(open_chunked_disk(folder.path())).message, "not a regular file"));

  folder.write(piece_name(0), Bytes(1000));
  CHECK(mentions(error_of(open_chunked_disk(folder.path())).message, "power of two"));
}

TEST_CASE("pieces: one that may not be read") {
  if (::geteuid() == 0) {
    std::puts("skipped: permissions do not bind root");
    return;
  }
  const TemporaryFolder folder;
  write_pieces(folder, 512, 2);
  ::chmod((folder.path() / piece_name(1)).c_str(), 0);
  CHECK(mentions(error_of(open_chunked_disk(folder.path())).message, "may not be read"));
}

TEST_CASE("pieces with a manifest: zero pieces need no file, wrong content is an error") {
  const TemporaryFolder folder;
  Bytes image = write_pieces(folder, 1024, 4);
  disk::Manifest manifest{.piece_bytes = 1024, .sectors = 7, .pieces = {}};
  for (std::size_t i = 0; i < 4; ++i) manifest.pieces.push_back({false, disk::sha256(std::span{image}.subspan(1024 * i, 1024))});
  manifest.pieces[1].zero = true;
  std::fill_n(image.begin() + 1024, 1024, std::byte{0});
  std::filesystem::remove(folder.path() / piece_name(1));
  folder.write("hda.manifest", disk::format_manifest(manifest));

  auto disk = std::move(open_chunked_disk(folder.path()).value());
  CHECK(disk->sector_count() == 7);
  CHECK(read(*disk, 0, 7) == slice(image, 0, 7));
  Bytes out(kSectorSize);
  CHECK(disk->read(7, out) == BlockStatus::error);

  auto fresh = std::move(open_chunked_disk(folder.path()).value());
  folder.write(piece_name(2), pattern(1024, 99));
  CHECK(fresh->read(4, out) == BlockStatus::error);
  CHECK(mentions(fresh->last_error(), "checksum"));
  CHECK(read(*fresh, 0, 2) == slice(image, 0, 2));

  std::filesystem::remove(folder.path() / piece_name(3));
  CHECK(mentions(error_of(open_chunked_disk(folder.path())).message, piece_name(3)));
  folder.write("hda.manifest", std::string{"nonsense\n"});
  CHECK(error_of(open_chunked_disk(folder.path())).code == ErrorCode::bad_image);
}

TEST_CASE("overlay: a random run of reads and writes equals a memory disk, the base stays") {
  const Bytes image = pattern(100 * kSectorSize, 5);
  auto base = std::make_unique<ScriptedDisk>(image);
  ScriptedDisk& base_view = *base;
  auto overlay = make_memory_overlay(std::move(base));
  Bytes model = image;
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (unsigned i = 0; i < 2000; ++i) {
    const std::size_t first = random() % 100, count = std::min<std::size_t>(1 + random() % 20, 100 - first);
    if (random() % 3 == 0) {
      const Bytes data = pattern(count * kSectorSize, i);
      REQUIRE(overlay->write(first, data) == BlockStatus::done);
      std::copy(data.begin(), data.end(), model.begin() + static_cast<std::ptrdiff_t>(first * kSectorSize));
    } else {
      REQUIRE(read(*overlay, first, count) == slice(model, first, count));
    }
  }
  CHECK(!overlay->read_only());
  CHECK(overlay->flush() == BlockStatus::done);
  CHECK(base_view.writes == 0);
  CHECK(read(base_view, 0, 100) == image);
  Bytes out(2 * kSectorSize);
  CHECK(overlay->read(99, out) == BlockStatus::error);
  CHECK(overlay->write(99, out) == BlockStatus::error);
  CHECK(mentions(overlay->last_error(), "sector 99"));
}

TEST_CASE("overlay: pending and errors of the base come through, written sectors never ask it") {
  const Bytes image = pattern(32 * kSectorSize, 6);
  auto base = std::make_unique<ScriptedDisk>(image);
  ScriptedDisk& base_view = *base;
  auto overlay = make_memory_overlay(std::move(base));
  Bytes data = pattern(kSectorSize, 7), out(8 * kSectorSize);
  REQUIRE(overlay->write(4, data) == BlockStatus::done);
  base_view.script = {BlockStatus::done, BlockStatus::pending};  // sectors 0-3, then 5-7
  CHECK(overlay->read(0, out) == BlockStatus::pending);
  CHECK(overlay->read(0, out) == BlockStatus::done);
  Bytes expected = slice(image, 0, 8);
  std::copy(data.begin(), data.end(), expected.begin() + 4 * kSectorSize);
  CHECK(out == expected);

  const int reads = base_view.reads;
  CHECK(read(*overlay, 4, 1) == data);
  CHECK(base_view.reads == reads);
  base_view.script = {BlockStatus::error};
  CHECK(overlay->read(8, out) == BlockStatus::error);
  CHECK(overlay->last_error() == "Scripted.");
}

TEST_CASE("the disk of the old system") {
  const std::filesystem::path folder{TUXARIUM_JSLINUX_TAP "/hda"};
  if (!std::filesystem::is_directory(folder)) {
    std::puts("skipped: no ../shared/jslinux-tap");
    return;
  }
  auto disk = std::move(open_chunked_disk(folder).value());
  CHECK(disk->sector_count() == 116736);
  const Bytes super = read(*disk, 2, 1);
  CHECK(std::to_integer<int>(super[56]) == 0x53);  // ext2: bytes 1080 and 1081 of the disk
  CHECK(std::to_integer<int>(super[57]) == 0xef);
  Bytes all(256 * kSectorSize);
  for (std::uint64_t first = 0; first < disk->sector_count(); first += 256) REQUIRE(disk->read(first, all) == BlockStatus::done);
}
