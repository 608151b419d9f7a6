#include "disk/file_overlay.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <tuxarium/disk.hpp>

#include "disk/overlay_log.hpp"
#include "temporary_folder.hpp"

using namespace tuxarium;
using test::pattern;
using test::TemporaryFolder;
using Bytes = std::vector<std::byte>;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSectors = 64;

Bytes base_image() { return pattern(kSectors * kSectorSize, 1); }
std::unique_ptr<BlockDevice> base_disk(Bytes image = base_image()) { return std::move(*make_memory_disk(std::move(image))); }

Result<std::unique_ptr<BlockDevice>> try_open(const fs::path& path) { return open_file_overlay(base_disk(), path); }

std::unique_ptr<BlockDevice> open(const fs::path& path) {
  auto disk = try_open(path);
  INFO((disk ? std::string{} : disk.error().message));
  REQUIRE(disk.has_value());
  return std::move(*disk);
}

Bytes all_of(BlockDevice& disk) {
  Bytes out(static_cast<std::size_t>(disk.sector_count()) * kSectorSize);
  REQUIRE(disk.read(0, out) == BlockStatus::done);
  return out;
}

Bytes file_bytes(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  Bytes bytes(static_cast<std::size_t>(fs::file_size(path)));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

std::string refusal(const Result<std::unique_ptr<BlockDevice>>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.ends_with("."));
  return result.error().message;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Step {
  std::uint64_t first;
  std::size_t sectors;  // 0: a flush
};

/// A log of some writes and flushes, and what the disk held after each.
struct History {
  explicit History(const fs::path& path, const std::vector<Step>& steps) {
    auto disk = open(path);
    states.push_back(all_of(*disk));
    unsigned seed = 100;
    for (const Step& step : steps) {
      if (step.sectors == 0) REQUIRE(disk->flush() == BlockStatus::done);
      else REQUIRE(disk->write(step.first, pattern(step.sectors * kSectorSize, ++seed)) == BlockStatus::done);
      states.push_back(all_of(*disk));
      ends.push_back(fs::file_size(path));
      if (step.sectors == 0) flushed = states.size() - 1;
    }
  }
  std::vector<Bytes> states;
  std::vector<std::uint64_t> ends;  // ends[i]: size of the log when it held states[i + 1]
  std::size_t flushed = 0;

  /// The newest state that a log of `bytes` bytes holds.
  const Bytes& at(std::uint64_t bytes) const {
    return states[static_cast<std::size_t>(std::ranges::upper_bound(ends, bytes) - ends.begin())];
  }
};

const std::vector<Step> kSteps{{3, 1}, {10, 2}, {0, 0}, {3, 1}, {4, 3}, {0, 0}, {63, 1}, {9, 2}};

/// What a log says the disk holds, without opening it for writing.
Result<Bytes> state_in(const fs::path& path) {
  const Bytes log = file_bytes(path);
  Bytes state = base_image();
  const auto contents = disk::read_overlay(path, [&](std::uint64_t first, std::uint64_t count, std::uint64_t offset) {
    std::copy_n(log.begin() + static_cast<std::ptrdiff_t>(offset), count * kSectorSize,
                state.begin() + static_cast<std::ptrdiff_t>(first * kSectorSize));
  });
  if (!contents) return contents.error();
  return state;
}

}  // namespace

TEST_CASE("file overlay: what is written is read, is there after opening again, and is not in the base") {
  const TemporaryFolder folder;
  const fs::path image = folder.write("base.img", base_image()), path = folder.path() / "over lay";
  Bytes expected = base_image();
  const auto reopen = [&] { return std::move(*open_file_overlay(std::move(*open_file_disk(image, DiskAccess::read_only)), path)); };
  std::mt19937 random{7};
  for (int round = 0; round < 20; ++round) {
    auto disk = reopen();
    CHECK_FALSE(disk->read_only());
    CHECK(disk->sector_count() == kSectors);
    CHECK(all_of(*disk) == expected);
    for (int i = 0; i < 10; ++i) {
      const std::size_t first = random() % kSectors, count = 1 + random() % (kSectors - first);
      const Bytes data = pattern(count * kSectorSize, static_cast<unsigned>(random()));
      REQUIRE(disk->write(first, data) == BlockStatus::done);
      std::ranges::copy(data, expected.begin() + static_cast<std::ptrdiff_t>(first * kSectorSize));
      CHECK(all_of(*disk) == expected);
      if (random() % 3 == 0) CHECK(disk->flush() == BlockStatus::done);
    }
  }
  CHECK(file_bytes(image) == base_image());
}

TEST_CASE("file overlay: a write of many records") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  const Bytes data = pattern(1500 * kSectorSize, 3);
  {
    auto disk = std::move(*open_file_overlay(base_disk(Bytes(2000 * kSectorSize)), path));
    REQUIRE(disk->write(77, data) == BlockStatus::done);
  }
  auto disk = std::move(*open_file_overlay(base_disk(Bytes(2000 * kSectorSize)), path));
  Bytes out(data.size());
  REQUIRE(disk->read(77, out) == BlockStatus::done);
  CHECK(out == data);
}

TEST_CASE("file overlay: a request beyond the end is an error") {
  const TemporaryFolder folder;
  auto disk = open(folder.path() / "o");
  Bytes two(2 * kSectorSize), odd(100);
  CHECK(disk->write(kSectors - 1, two) == BlockStatus::error);
  CHECK(disk->read(kSectors - 1, two) == BlockStatus::error);
  CHECK(disk->write(~std::uint64_t{0}, two) == BlockStatus::error);
  CHECK(disk->write(0, odd) == BlockStatus::error);
  CHECK(disk->last_error().ends_with("."));
  CHECK(all_of(*disk) == base_image());
}

TEST_CASE("file overlay: cut at any byte it holds all writes before the cut") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o", cut = folder.path() / "cut";
  const History history{path, kSteps};
  const Bytes log = file_bytes(path);
  for (std::size_t size = 4096; size <= log.size(); ++size) {
    INFO(size);
    folder.write("cut", std::span{log}.first(size));
    const auto state = state_in(cut);
    REQUIRE(state.has_value());
    REQUIRE(*state == history.at(size));
  }
}

TEST_CASE("file overlay: a cut log is opened, written and opened again") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o", cut = folder.path() / "cut";
  const History history{path, kSteps};
  const Bytes log = file_bytes(path);
  for (std::size_t size = 0; size <= log.size(); size += 97) {
    INFO(size);
    folder.write("cut", std::span{log}.first(size));
    Bytes expected = history.at(size);
    {
      auto disk = open(cut);
      REQUIRE(all_of(*disk) == expected);
      const Bytes data = pattern(5 * kSectorSize, static_cast<unsigned>(size));
      REQUIRE(disk->write(8, data) == BlockStatus::done);
      REQUIRE(disk->flush() == BlockStatus::done);
      std::ranges::copy(data, expected.begin() + 8 * kSectorSize);
    }
    REQUIRE(all_of(*open(cut)) == expected);
  }
}

TEST_CASE("file overlay: a wrong byte anywhere is refused or ends the log there") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o", wrong = folder.path() / "wrong";
  const History history{path, kSteps};
  const Bytes log = file_bytes(path);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < log.size(); ++at) {
    INFO(at);
    Bytes changed = log;
    changed[at] ^= std::byte{static_cast<unsigned char>(1u << at % 8)};
    folder.write("wrong", changed);
    const auto state = state_in(wrong);
    if (at < 4096) REQUIRE_FALSE(state.has_value());
    if (!state) {
      ++refused;
      REQUIRE(state.error().message.ends_with("."));
      continue;
    }
    REQUIRE(std::ranges::find(history.states, *state) != history.states.end());
    // Padding of a commit is the only place where a byte does not count.
    if (*state != history.states.back()) REQUIRE(*state == history.at(at));
  }
  CHECK(refused > 4096);
}

TEST_CASE("file overlay: damage before flushed data is refused, not cut off") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  const History history{path, kSteps};
  Bytes log = file_bytes(path);
  log[4096 + 100] ^= std::byte{1};
  folder.write("o", log);
  CHECK(holds(refusal(try_open(path)), "damaged at byte 4096"));
  CHECK(file_bytes(path) == log);
}

TEST_CASE("file overlay: a commit whose data was lost with it is a torn tail") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  const History history{path, {{3, 1}, {0, 0}, {5, 1}, {0, 0}}};
  Bytes log = file_bytes(path);
  log[8192 + 100] ^= std::byte{1};  // the write between the commits
  folder.write("o", log);
  CHECK(all_of(*open(path)) == history.states[2]);
}

TEST_CASE("file overlay: a log of another base is refused and kept") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  const History history{path, kSteps};
  const Bytes log = file_bytes(path);
  Bytes changed = base_image();
  changed.back() ^= std::byte{1};
  CHECK(holds(refusal(open_file_overlay(base_disk(changed), path)), "another disk"));
  CHECK(holds(refusal(open_file_overlay(base_disk(Bytes(512)), path)), "64 sectors"));
  CHECK(file_bytes(path) == log);
}

TEST_CASE("file overlay: what is no overlay is refused and kept") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  for (const Bytes& content : {Bytes(100, std::byte{'x'}), pattern(5000, 3), Bytes(8192)}) {
    folder.write("o", content);
    CHECK(holds(refusal(try_open(path)), "not an overlay"));
    CHECK(file_bytes(path) == content);
  }
  fs::remove(path);
  fs::create_directory(path);
  CHECK(holds(refusal(try_open(path)), path.string()));
  CHECK(holds(refusal(try_open(folder.path() / "none" / "o")), "none"));
}

TEST_CASE("file overlay: bytes behind the log are cut off, a file that no log can be is refused at once") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  { const History history{path, kSteps}; }
  const Bytes log = file_bytes(path), expected = all_of(*open(path));
  for (const Bytes& tail : {Bytes(3 << 20), pattern(1, 7), pattern(1 << 20, 8), log}) {
    Bytes longer = log;
    longer.insert(longer.end(), tail.begin(), tail.end());
    folder.write("o", longer);
    CHECK(all_of(*open(path)) == expected);
    CHECK(file_bytes(path) == log);
  }
  fs::resize_file(path, std::uintmax_t{1} << 40);  // with a hole: it takes no space
  CHECK(holds(refusal(try_open(path)), "1099511627776 bytes"));
  CHECK(fs::file_size(path) == std::uintmax_t{1} << 40);
}

TEST_CASE("file overlay: a later version is refused") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  (void)open(path);
  Bytes log = file_bytes(path);
  log[8] = std::byte{2};
  const std::uint64_t sum = disk::checksum64(0, std::span{log}.first(4088));
  for (std::size_t i = 0; i < 8; ++i) log[4088 + i] = static_cast<std::byte>(sum >> (8 * i) & 0xff);
  folder.write("o", log);
  CHECK(holds(refusal(try_open(path)), "version 2"));
}

TEST_CASE("file overlay: one writer at a time") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  auto first = open(path);
  CHECK(holds(refusal(try_open(path)), "another machine"));
  first.reset();
  CHECK(try_open(path).has_value());
}

TEST_CASE("file overlay: garbage is compacted at open") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  const std::size_t sectors = 4096;
  Bytes expected;
  {
    auto disk = std::move(*open_file_overlay(base_disk(Bytes(sectors * kSectorSize)), path));
    for (unsigned i = 0; i < 10; ++i) {
      expected = pattern(sectors * kSectorSize, i);
      REQUIRE(disk->write(0, expected) == BlockStatus::done);
    }
  }
  const auto before = fs::file_size(path);
  auto disk = std::move(*open_file_overlay(base_disk(Bytes(sectors * kSectorSize)), path));
  CHECK(fs::file_size(path) < before / 5);
  CHECK(all_of(*disk) == expected);
  CHECK(refusal(open_file_overlay(base_disk(Bytes(sectors * kSectorSize)), path)) != "");
  disk.reset();
  disk = std::move(*open_file_overlay(base_disk(Bytes(sectors * kSectorSize)), path));
  CHECK(all_of(*disk) == expected);
  CHECK(std::distance(fs::directory_iterator{folder.path()}, fs::directory_iterator{}) == 1);
}

TEST_CASE("file overlay: a guest that rewrites for ever does not fill the host") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  auto disk = open(path);
  const Bytes data = pattern(kSectors * kSectorSize, 1);
  std::uint64_t largest = 0;
  for (int i = 0; i < 2500; ++i) {  // 78 MiB
    REQUIRE(disk->write(0, data) == BlockStatus::done);
    largest = std::max<std::uint64_t>(largest, fs::file_size(path));
  }
  CHECK(largest < 65u << 20);
  CHECK(all_of(*disk) == data);
}

TEST_CASE("file overlay: a host without space gives errors, and the log keeps what was written before") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "o";
  (void)open(path);
  // A limit on file sizes fails as a full disk does, in the middle of a record. In a child, because it cannot be taken back.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20000, 20000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto disk = try_open(path);
    if (!disk) ::_exit(10);
    unsigned good = 0;
    while ((*disk)->write(good, pattern(kSectorSize, good)) == BlockStatus::done) ++good;
    if (!(*disk)->last_error().ends_with(".")) ::_exit(11);
    if ((*disk)->write(good, pattern(kSectorSize, good)) != BlockStatus::error) ::_exit(12);
    Bytes sector(kSectorSize);
    if ((*disk)->read(good - 1, sector) != BlockStatus::done || sector != pattern(kSectorSize, good - 1)) ::_exit(13);
    (void)(*disk)->flush();
    ::_exit(static_cast<int>(100 + good));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  const int good = WEXITSTATUS(status) - 100;
  REQUIRE(good > 20);
  Bytes expected = base_image();
  for (int i = 0; i < good; ++i) std::ranges::copy(pattern(kSectorSize, static_cast<unsigned>(i)), expected.begin() + i * 512);
  CHECK(all_of(*open(path)) == expected);
}

TEST_CASE("file overlay: a folder that may not be written") {
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    const auto disk = try_open(folder.path() / "o");
    ::_exit(!disk && holds(disk.error().message, "Permission denied") ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("checksum: length and seed count") {
  const Bytes data = pattern(24, 1);
  CHECK(disk::checksum64(1, data) != disk::checksum64(2, data));
  for (std::size_t i = 0; i < data.size(); ++i) CHECK(disk::checksum64(1, std::span{data}.first(i)) != disk::checksum64(1, data));
  CHECK(disk::checksum64(0, Bytes(8)) != disk::checksum64(0, Bytes(9)));
}
