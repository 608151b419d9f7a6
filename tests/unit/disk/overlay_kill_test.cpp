// Kills a program that writes to an overlay at random instants, again and again, and checks after each that the disk holds all its
// writes up to one moment that is not before the last flush.
//
// overlay_kill_test [KILLS [SEED]]
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <tuxarium/disk.hpp>
#include <vector>

#include "temporary_folder.hpp"

using namespace tuxarium;

namespace {

constexpr std::uint64_t kSectors = 1000;
constexpr std::uint64_t kMostSectors = 200;

/// Shared with the program that is killed.
struct Progress {
  std::atomic<std::uint64_t> begun{0};    // number of the latest write that was begun
  std::atomic<std::uint64_t> flushed{0};  // number of the latest write that a finished flush covers
};

std::unique_ptr<BlockDevice> open(const std::filesystem::path& path) {
  auto base = make_memory_disk(std::vector<std::byte>(kSectors * kSectorSize));
  auto disk = open_file_overlay(std::move(*base), path);
  if (!disk) std::fprintf(stderr, "%s\n", disk.error().message.c_str());
  return disk ? std::move(*disk) : nullptr;
}

/// The writes are the same in every run with one seed.
struct Write {
  Write(std::uint64_t seed, std::uint64_t number) {
    std::mt19937_64 random{seed * 1'000'003 + number};
    first = random() % kSectors;
    count = std::min(kSectors - first, 1 + random() % (random() % 4 == 0 ? kMostSectors : 8));
    flush = random() % 8 == 0;
  }
  std::uint64_t first, count;
  bool flush;
};

/// A sector says in each of its words which write it is from.
void fill(std::vector<std::byte>& bytes, std::uint64_t number) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof number) std::memcpy(bytes.data() + at, &number, sizeof number);
}

[[noreturn]] void write_until_killed(const std::filesystem::path& path, std::uint64_t seed, Progress& progress) {
  auto disk = open(path);
  if (disk == nullptr) ::_exit(1);
  std::vector<std::byte> data;
  for (std::uint64_t number = progress.begun + 1;; ++number) {
    const Write write{seed, number};
    data.resize(write.count * kSectorSize);
    fill(data, number);
    progress.begun = number;
    if (disk->write(write.first, data) != BlockStatus::done) ::_exit(2);
    if (!write.flush) continue;
    if (disk->flush() != BlockStatus::done) ::_exit(3);
    progress.flushed = number;
  }
}

/// The number in each sector, or nothing when a sector is of two writes.
bool read_numbers(BlockDevice& disk, std::vector<std::uint64_t>& numbers) {
  std::vector<std::uint64_t> words(kSectors * kSectorSize / 8);
  if (disk.read(0, std::as_writable_bytes(std::span{words})) != BlockStatus::done) return false;
  constexpr std::size_t kWords = kSectorSize / 8;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != words[i / kWords * kWords]) return false;
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = words[i * kWords];
  return true;
}

int run(unsigned long kills, std::uint64_t seed) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "overlay";
  void* shared = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 1;
  Progress& progress = *new (shared) Progress;
  std::mt19937_64 random{seed};
  std::vector<std::uint64_t> expected(kSectors), found(kSectors);
  std::uint64_t lost = 0;
  for (unsigned long i = 0; i < kills; ++i) {
    const std::uint64_t before = progress.begun;
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(path, seed, progress);
    ::usleep(static_cast<useconds_t>(random() % 60'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSIGNALED(status)) return std::printf("kill %lu: the writer failed with status %d\n", i, status), 1;

    auto disk = open(path);
    if (disk == nullptr || !read_numbers(*disk, found)) return std::printf("kill %lu: the disk cannot be read or has a torn sector\n", i), 1;
    const std::uint64_t latest = std::max(before, *std::ranges::max_element(found));
    for (std::uint64_t number = before + 1; number <= latest; ++number) {
      const Write write{seed, number};
      std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(write.first), write.count, number);
    }
    if (found != expected) return std::printf("kill %lu: the disk is not as after write %llu\n", i, static_cast<unsigned long long>(latest)), 1;
    if (latest < progress.flushed) return std::printf("kill %lu: a flushed write is lost\n", i), 1;
    lost += progress.begun - latest;
  }
  std::printf("%lu kills, %llu writes, %llu of them lost though none was flushed\n", kills,
              static_cast<unsigned long long>(progress.begun.load()), static_cast<unsigned long long>(lost));
  return progress.begun > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned long kills = argc > 1 ? std::strtoul(argv[1], nullptr, 0) : 25;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : std::random_device{}();
  std::printf("%lu kills, seed %llu\n", kills, static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return run(kills, seed);
}
