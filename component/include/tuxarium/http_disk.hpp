// A disk whose pieces come from a web server. Part of tuxarium::net.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <tuxarium/block_device.hpp>
#include <tuxarium/log.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium {

/// How a disk over HTTP is doing. Pieces that hold only zeros are never loaded and count as loaded.
struct HttpDiskStatus {
  std::uint64_t pieces = 0;          ///< of the whole disk
  std::uint64_t pieces_loaded = 0;   ///< that were at hand at least once since the disk was opened
  std::uint64_t pieces_waited = 0;   ///< that the guest waits for now
  std::uint64_t bytes_received = 0;  ///< of pieces, over the network
  std::uint64_t bytes_cached = 0;    ///< of pieces, from the cache on the host's disk
  std::uint64_t retries = 0;         ///< attempts that failed
  std::uint64_t failures = 0;        ///< pieces that were given up: the guest has got an error
  std::string last_error;            ///< one sentence on the latest failed attempt, or empty
};

/// A view of a disk's status that may outlive the disk. Any thread may call status().
class HttpDiskMonitor {
 public:
  HttpDiskStatus status() const {
    const std::lock_guard lock{mutex_};
    return status_;
  }

  /// For the disk: changes the status under its lock.
  template <class Change>
  void update(const Change& change) {
    const std::lock_guard lock{mutex_};
    change(status_);
  }

 private:
  mutable std::mutex mutex_;
  HttpDiskStatus status_;
};

struct HttpDiskOptions {
  /// PEM file with the certificates of the authorities to trust, in place of those that the system trusts.
  std::filesystem::path ca_file;

  /// Folder of pieces kept between runs, made when it is not there and shared by any number of programs and disks; empty: none. One that
  /// cannot be written is a warning only. Disks without a manifest are not kept.
  std::filesystem::path cache_directory;
  std::uint64_t cache_bytes = std::uint64_t{1} << 30;  ///< what is used least goes when the folder holds more

  std::size_t memory_bytes = std::size_t{16} << 20;  ///< pieces kept in memory; at least four

  unsigned connections = 3;  ///< 1 to 4 at once; with more than one, one is kept for what the guest waits for
  unsigned attempts = 6;     ///< for a piece that the guest waits for
  std::chrono::milliseconds attempt_timeout{8000};  ///< for one answer, connecting included
  std::chrono::milliseconds piece_timeout{20'000};  ///< for all attempts at a piece; Linux gives up on a drive after 30 s
  std::chrono::milliseconds first_backoff{100};     ///< before the second attempt; doubles up to 3 s, less up to half by chance
  std::chrono::milliseconds failure_hold{5000};     ///< how long a piece that was given up fails at once
  std::chrono::milliseconds open_timeout{15'000};   ///< for open_http_disk()

  /// Warnings. Called inside the disk's read() and flush(), and inside open_http_disk().
  LogSink log;

  /// Set by the disk, for a progress display; may be null.
  std::shared_ptr<HttpDiskMonitor> monitor;
};

/// `tuxarium/disk` in the user's cache folder ($XDG_CACHE_HOME or ~/.cache); empty when the environment names neither.
std::filesystem::path default_disk_cache();

/// A read-only disk in pieces on a web server: `hda.manifest` and `hda%09d.bin` in the folder `url`, `http://host[:port]/path/` or
/// `https://...`, as `tuxarium-disk split` writes them. Without a manifest the pieces are counted by asking for them; then only their
/// sizes can be checked.
///
/// Waits for the manifest, at most `open_timeout` (a name server that does not answer can hold it up longer, and so the destructor): a
/// host with a frame loop calls this from another thread. After that nothing waits: read() answers `pending` while the disk's own thread loads the
/// pieces, together with those that the guest is likely to want next: pieces in sequence, and those that it wanted in an earlier run,
/// in that order. A piece that cannot be had, has another size or does not match the manifest is tried again, and then an error with
/// a sentence; read() never gives other bytes than the manifest names.
///
/// TLS certificates are verified. Up to five redirects are followed, none from https to http.
Result<std::unique_ptr<BlockDevice>> open_http_disk(std::string_view url, HttpDiskOptions options = {});

}  // namespace tuxarium
