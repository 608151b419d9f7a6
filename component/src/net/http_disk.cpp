// The disk over HTTP as the drive sees it. What loads the pieces is in http_pieces.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include <tuxarium/http_disk.hpp>

#include "disk/sector_range.hpp"
#include "net/http_layout.hpp"
#include "net/http_pieces.hpp"
#include "net/tls_context.hpp"

namespace tuxarium {

namespace {

namespace fs = std::filesystem;

class HttpDisk final : public BlockDevice {
 public:
  HttpDisk(std::unique_ptr<net::HttpClient> client, net::HttpLayout layout, HttpDiskOptions options)
      : log_{options.log}, pieces_{std::move(client), std::move(layout), std::move(options)} {}

  Result<void> start() {
    auto started = pieces_.start();
    pass_warnings();
    return started;
  }

  std::uint64_t sector_count() const override { return layout().sectors; }
  bool read_only() const override { return true; }
  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override;
  BlockStatus write(std::uint64_t, std::span<const std::byte>) override { return fail("A disk over HTTP cannot be written."); }
  BlockStatus flush() override {
    pass_warnings();
    return BlockStatus::done;
  }
  std::string last_error() const override { return error_; }
  std::uint64_t content_id() const override { return layout().manifest ? disk::content_id(*layout().manifest) : 0; }

 private:
  const net::HttpLayout& layout() const { return pieces_.layout(); }
  BlockStatus fail(std::string problem) {
    error_ = std::move(problem);
    return BlockStatus::error;
  }
  void pass_warnings() {
    for (const std::string& sentence : pieces_.take_warnings()) {
      if (log_) log_(LogLevel::warning, sentence);
    }
  }

  LogSink log_;
  std::string error_;
  std::vector<net::HttpPieces::Piece> request_;  // the pieces of the request in work
  net::HttpPieces pieces_;
};

BlockStatus HttpDisk::read(std::uint64_t first, std::span<std::byte> out) {
  pass_warnings();
  if (std::string problem = disk::range_error(sector_count(), first, out.size()); !problem.empty()) return fail(std::move(problem));
  if (out.empty()) return BlockStatus::done;
  const std::uint64_t piece_bytes = layout().piece_bytes, begin = first * kSectorSize, end = begin + out.size();
  const BlockStatus status = pieces_.ask(begin / piece_bytes, (end - 1) / piece_bytes, request_, error_);
  if (status != BlockStatus::done) return status;
  std::uint64_t at = begin;
  for (const net::HttpPieces::Piece& piece : request_) {
    const auto offset = static_cast<std::size_t>(at % piece_bytes);
    const std::size_t count = std::min<std::size_t>(out.size(), static_cast<std::size_t>(piece_bytes) - offset);
    if (piece == nullptr) std::memset(out.data(), 0, count);
    else std::memcpy(out.data(), piece->data() + offset, count);
    out = out.subspan(count);
    at += count;
  }
  request_.clear();
  return status;
}

fs::path absolute_path_in(const char* variable) {
  const char* const value = std::getenv(variable);
  const fs::path path = value == nullptr ? fs::path{} : fs::path{value};
  return path.is_absolute() ? path : fs::path{};
}

}  // namespace

fs::path default_disk_cache() {
  if (const fs::path cache = absolute_path_in("XDG_CACHE_HOME"); !cache.empty()) return cache / "tuxarium" / "disk";
  if (const fs::path home = absolute_path_in("HOME"); !home.empty()) return home / ".cache" / "tuxarium" / "disk";
  return {};
}

Result<std::unique_ptr<BlockDevice>> open_http_disk(std::string_view url, HttpDiskOptions options) {
  const auto folder = net::parse_folder_url(url);
  if (!folder) return folder.error();
  auto tls = net::make_tls_context(options.ca_file);
  if (!tls) return tls.error();
  auto client = std::make_unique<net::HttpClient>(std::move(*tls));
  auto layout = [&] {
    net::HttpConnection connection{client->context, client->tls};
    return net::load_layout(client->context, connection, *folder, options);
  }();
  if (!layout) return layout.error();
  auto disk = std::make_unique<HttpDisk>(std::move(client), std::move(*layout), std::move(options));
  if (const auto started = disk->start(); !started) return started.error();
  return std::unique_ptr<BlockDevice>{std::move(disk)};
}

}  // namespace tuxarium
