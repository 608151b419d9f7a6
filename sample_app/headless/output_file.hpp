// A file that a run writes: opened before the guest starts, emptied only when everything else has been opened too.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <tuxarium/result.hpp>

namespace tuxarium::app {

class OutputFile {
 public:
  /// Opens or creates `path` for writing without changing what is in it.
  static Result<OutputFile> open(std::string path);

  OutputFile(OutputFile&& other) noexcept { *this = std::move(other); }
  OutputFile& operator=(OutputFile&& other) noexcept;
  /// Removes the file if open() created it and start() was never called.
  ~OutputFile();

  /// Empties the file: the run begins.
  void start();

  /// Writes all of `data`, or fails with a sentence.
  Result<void> write(std::span<const std::byte> data);

  const std::string& path() const { return path_; }

 private:
  OutputFile() = default;

  std::string path_;
  int descriptor_ = -1;
  bool created_ = false;
};

/// Replaces the content of `path` in one step: whoever opens it sees the old content or the new, never a part. A symbolic link is followed;
/// something that is no regular file (a pipe, a terminal) is written to instead.
Result<void> replace_file(const std::string& path, std::span<const std::byte> data);

/// Succeeds when replace_file() could work; leaves nothing behind.
Result<void> check_replaceable(const std::string& path);

}  // namespace tuxarium::app
