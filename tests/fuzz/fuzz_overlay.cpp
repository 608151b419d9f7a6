// The log of an overlay: the input writes and flushes, then damages or cuts the file, and opens it again. What a log that opens holds
// must be the writes up to some moment; or the input is the file itself.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuxarium/disk.hpp>
#include <vector>

#include "disk/overlay_log.hpp"

namespace {

using namespace tuxarium;
constexpr std::uint64_t kSectors = 32;
using Bytes = std::vector<std::byte>;

Result<std::unique_ptr<BlockDevice>> open(const std::filesystem::path& path) {
  return open_file_overlay(std::move(*make_memory_disk(Bytes(kSectors * kSectorSize))), path);
}

Bytes content(BlockDevice& disk) {
  Bytes out(kSectors * kSectorSize);
  if (disk.read(0, out) != BlockStatus::done) std::abort();
  return out;
}

/// Writes and flushes; returns what the disk held after each.
std::vector<Bytes> work(BlockDevice& disk, const std::uint8_t* data, std::size_t size) {
  std::vector<Bytes> states{content(disk)};
  for (std::size_t i = 0; i + 2 < size; i += 3) {
    if (data[i] % 4 == 0) {
      if (disk.flush() != BlockStatus::done) std::abort();
      continue;
    }
    const std::uint64_t first = data[i + 1] % kSectors, count = 1 + data[i] % (kSectors - first);
    if (disk.write(first, Bytes(count * kSectorSize, std::byte{data[i + 2]})) != BlockStatus::done) std::abort();
    states.push_back(content(disk));
  }
  return states;
}

void damage(const std::filesystem::path& path, const std::uint8_t* data) {
  const std::uint64_t size = std::filesystem::file_size(path), at = (data[0] | std::uint64_t{data[1]} << 8 | std::uint64_t{data[2] & 1u} << 16) % size;
  if ((data[2] & 2) != 0) return std::filesystem::resize_file(path, at);
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(data[3]));
}

void check_reopened(const std::filesystem::path& path, const std::vector<Bytes>& states) {
  const auto disk = open(path);
  if (!disk) {
    if (!disk.error().message.ends_with(".")) std::abort();
  } else if (std::ranges::find(states, content(**disk)) == states.end()) {
    std::abort();
  }
}

void run(const std::filesystem::path& path, const std::uint8_t* data, std::size_t size) {
  if (data[0] % 8 == 0) {  // any file at all
    std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(data) + 1, static_cast<std::streamsize>(size - 1));
    check_reopened(path, {Bytes(kSectors * kSectorSize)});
    return;
  }
  std::vector<Bytes> states;
  {
    auto disk = open(path);
    if (!disk) std::abort();
    states = work(**disk, data + 5, std::min<std::size_t>(size - 5, 60));
  }
  damage(path, data + 1);
  check_reopened(path, states);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  std::string name = (std::filesystem::temp_directory_path() / "fuzz_overlay.XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0) std::abort();
  ::close(file);
  run(name, data, size);
  ::unlink(name.c_str());
  return 0;
}
