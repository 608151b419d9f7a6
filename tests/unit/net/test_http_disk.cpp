#include <tuxarium/http_disk.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <thread>

#include <tuxarium/disk.hpp>

#include "certificates.hpp"
#include "http_disk_fixture.hpp"
#include "unit/disk/temporary_folder.hpp"

using namespace tuxarium;
using namespace tuxarium::net::test;
using namespace std::chrono_literals;
using tuxarium::test::pattern;
using tuxarium::test::TemporaryFolder;
using Bytes = std::vector<std::byte>;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kPiece = 4096;
constexpr std::size_t kPieceSectors = kPiece / kSectorSize;
const std::string kFolder = "/my%20disk/";
const std::string kManifest = kFolder + "hda.manifest";

/// 20 pieces, some of zeros; the last one is cut after a sector.
Bytes test_image(unsigned seed = 1) {
  Bytes image = pattern(19 * kPiece + kSectorSize, seed);
  for (const std::size_t zero : {3u, 4u, 11u}) std::fill_n(image.begin() + static_cast<std::ptrdiff_t>(zero * kPiece), kPiece, std::byte{0});
  return image;
}

ServedDisk test_disk(unsigned seed = 1) { return serve_image(test_image(seed), kPiece, kFolder); }

/// Never in a hurry: for what must succeed on a busy machine.
HttpDiskOptions patient() {
  HttpDiskOptions options;
  options.attempt_timeout = 60s;
  options.piece_timeout = 200s;
  options.open_timeout = 200s;
  options.first_backoff = 1ms;
  return options;
}

/// Gives up soon: for what must fail.
HttpDiskOptions hasty() {
  HttpDiskOptions options;
  options.attempts = 3;
  options.attempt_timeout = 100ms;
  options.piece_timeout = 1s;
  options.open_timeout = 1s;
  options.first_backoff = 1ms;
  options.failure_hold = 1h;
  return options;
}

std::unique_ptr<BlockDevice> open(const std::string& url, const HttpDiskOptions& options = patient()) {
  auto disk = open_http_disk(url, options);
  INFO((disk ? std::string{} : disk.error().message));
  REQUIRE(disk.has_value());
  return std::move(*disk);
}

std::string refusal(const std::string& url, const HttpDiskOptions& options = hasty()) {
  const auto disk = open_http_disk(url, options);
  REQUIRE_FALSE(disk.has_value());
  CHECK(disk.error().message.ends_with("."));
  CHECK(disk.error().message.find('\n') == std::string::npos);
  return disk.error().message;
}

bool says(const std::string& sentence, const std::string& words) {
  const bool found = sentence.find(words) != std::string::npos;
  if (!found) MESSAGE("\"" << sentence << "\" does not say \"" << words << "\"");
  return found;
}

Bytes read_all(BlockDevice& disk) {
  Bytes out(static_cast<std::size_t>(disk.sector_count()) * kSectorSize);
  REQUIRE(read_patiently(disk, 0, out) == BlockStatus::done);
  return out;
}

bool is_piece(const std::string& path) { return path.ends_with(".bin"); }

template <class Condition>
void wait_for(const Condition& condition) {
  while (!condition()) std::this_thread::sleep_for(1ms);
}

std::size_t files_in(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("http disk: every byte of the image, zeros without a file, a last piece that is cut") {
  const ServedDisk served = test_disk();
  FaultyServer server{served.files};
  auto disk = open(server.url(kFolder));
  CHECK(disk->sector_count() == served.image.size() / kSectorSize);
  CHECK(disk->read_only());
  Bytes sector(kSectorSize);
  CHECK(disk->read(9, sector) == BlockStatus::pending);
  CHECK(read_patiently(*disk, 9, sector) == BlockStatus::done);
  CHECK(sector == served.sectors(9, 1));
  CHECK(disk->read(9, sector) == BlockStatus::done);
  CHECK(disk->read(3 * kPieceSectors, sector) == BlockStatus::done);
  CHECK(sector == Bytes(kSectorSize));
  Bytes some(5 * kSectorSize);
  CHECK(read_patiently(*disk, 7 * kPieceSectors - 2, some) == BlockStatus::done);
  CHECK(some == served.sectors(7 * kPieceSectors - 2, 5));
  CHECK(read_all(*disk) == served.image);
  CHECK(disk->flush() == BlockStatus::done);
  CHECK(disk->last_error().empty());

  CHECK(disk->read(disk->sector_count(), sector) == BlockStatus::error);
  CHECK(says(disk->last_error(), "sector"));
  CHECK(disk->write(0, sector) == BlockStatus::error);
  CHECK(says(disk->last_error(), "cannot be written"));
}

TEST_CASE("http disk: a slash at the end of the folder is added; connections are kept") {
  const ServedDisk served = test_disk();
  FaultyServer server{served.files};
  auto disk = open(server.url("/my%20disk"));
  CHECK(read_all(*disk) == served.image);
  CHECK(server.connections() <= 4);  // one to open, three after it
  CHECK(server.requests() >= 18);
}

TEST_CASE("http disk: unusual but right answers give the right bytes") {
  const ServedDisk served = test_disk();
  for (const Fault way : {Fault::chunked, Fault::unannounced, Fault::redirect, Fault::closed_after, Fault::slowly}) {
    CAPTURE(static_cast<int>(way));
    FaultyServer server{served.files, [way](const std::string&) { return way; }};
    auto disk = open(server.url(kFolder));
    CHECK(read_all(*disk) == served.image);
  }
}

TEST_CASE("http disk: each fault of a piece gives an error and a sentence, and other pieces are read") {
  const ServedDisk served = test_disk();
  for (int i = 1; i < static_cast<int>(Fault::chunked); ++i) {
    CAPTURE(i);
    const std::string bad = kFolder + "hda000000005.bin";
    FaultyServer server{served.files, [&](const std::string& path) { return path == bad ? static_cast<Fault>(i) : Fault::none; }};
    HttpDiskOptions options = hasty();
    options.open_timeout = 200s;
    options.attempt_timeout = 1s;
    options.piece_timeout = 3s;
    options.monitor = std::make_shared<HttpDiskMonitor>();
    std::vector<std::string> log;
    options.log = [&](LogLevel level, std::string_view line) {
      CHECK(level == LogLevel::warning);
      log.emplace_back(line);
    };
    auto disk = open(server.url(kFolder), options);
    Bytes out(2 * kSectorSize, std::byte{0x5a});
    CHECK(disk->read(5 * kPieceSectors, out) == BlockStatus::pending);
    CHECK(read_patiently(*disk, 5 * kPieceSectors, out) == BlockStatus::error);
    CHECK(says(disk->last_error(), "Cannot load hda000000005.bin of the disk \"" + server.url(kFolder) + "\": "));
    CHECK(disk->last_error().ends_with("."));
    CHECK(log.size() == 1);
    // At once now, sector by sector, as the drive asks.
    CHECK(disk->read(5 * kPieceSectors + 1, std::span{out}.first(kSectorSize)) == BlockStatus::error);
    CHECK(disk->read(6 * kPieceSectors - 1, out) == BlockStatus::error);
    const HttpDiskStatus status = options.monitor->status();
    CHECK(status.failures == 1);
    CHECK(status.retries >= 1);
    CHECK(status.retries <= 3);
    CHECK(status.last_error == disk->last_error());
  }
}

TEST_CASE("http disk: what went wrong is said") {
  const ServedDisk served = test_disk();
  const auto sentence = [&](Fault fault) {
    FaultyServer server{served.files, [&](const std::string& path) { return is_piece(path) ? fault : Fault::none; }};
    const bool without_end = fault == Fault::stall || fault == Fault::dribble;
    HttpDiskOptions options = without_end ? hasty() : patient();
    options.attempts = 3;
    options.attempt_timeout = without_end ? 1s : 60s;
    options.open_timeout = 200s;
    auto disk = open(server.url(kFolder), options);
    Bytes out(kSectorSize);
    CHECK(read_patiently(*disk, 0, out) == BlockStatus::error);
    return disk->last_error();
  };
  CHECK(says(sentence(Fault::not_found), "answered 404 Not Found"));
  CHECK(says(sentence(Fault::unavailable), "answered 503 Service Unavailable"));
  CHECK(says(sentence(Fault::partial_content), "answered 206"));
  CHECK(says(sentence(Fault::short_body), "sent 2048 bytes instead of 4096"));
  CHECK(says(sentence(Fault::wrong_bytes), "checksum of the manifest"));
  CHECK(says(sentence(Fault::stall), "took longer than"));
  CHECK(says(sentence(Fault::dribble), "took longer than"));
  CHECK(says(sentence(Fault::redirect_loop), "redirected more than 5 times"));
  CHECK(says(sentence(Fault::close_in_body), "broke off in the middle"));
  CHECK(says(sentence(Fault::oversized), "more than the 4096 bytes"));
  CHECK(says(sentence(Fault::garbage), "no HTTP"));
  CHECK(says(sentence(Fault::long_header), "header that is too long"));
  CHECK(says(sentence(Fault::compressed), "compressed"));
}

TEST_CASE("http disk: faults that pass are outlived") {
  const ServedDisk served = test_disk();
  for (int i = 1; i < static_cast<int>(Fault::chunked); ++i) {
    const Fault fault = static_cast<Fault>(i);
    // Those would need the patient options' minute to be noticed.
    if (fault == Fault::stall || fault == Fault::stall_in_body || fault == Fault::dribble) continue;
    CAPTURE(i);
    std::map<std::string, int> seen;
    FaultyServer server{served.files, [&](const std::string& path) { return ++seen[path] <= 2 ? fault : Fault::none; }};
    // A missing manifest is taken for one that was never there.
    if (fault == Fault::not_found) continue;
    HttpDiskOptions options = patient();
    options.attempts = 1000;
    if (fault == Fault::partial_content) seen[kManifest] = 2;
    auto disk = open(server.url(kFolder), options);
    CHECK(read_all(*disk) == served.image);
  }
}

TEST_CASE("http disk: a piece that failed is asked for again after a while") {
  const ServedDisk served = test_disk();
  std::atomic<bool> broken = true;
  FaultyServer server{served.files, [&](const std::string& path) { return broken && is_piece(path) ? Fault::unavailable : Fault::none; }};
  HttpDiskOptions options = patient();
  options.attempts = 2;
  options.failure_hold = 1ms;
  auto disk = open(server.url(kFolder), options);
  Bytes out(kSectorSize);
  CHECK(read_patiently(*disk, 0, out) == BlockStatus::error);
  broken = false;
  std::this_thread::sleep_for(5ms);
  CHECK(read_patiently(*disk, 0, out) == BlockStatus::done);
  CHECK(out == served.sectors(0, 1));
}

TEST_CASE("http disk: any reads of any server give the right bytes or an error") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 engine{seed}, faults{seed + 1};
  const auto random = [&engine](unsigned below) { return static_cast<unsigned>(engine() % below); };
  unsigned done = 0, failed = 0;
  for (int round = 0; round < 6; ++round) {
    const ServedDisk served = test_disk(seed % 1000 + static_cast<unsigned>(round));
    const unsigned good_share = random(4);
    FaultyServer server{served.files, [&](const std::string& path) {
                          if (!is_piece(path) || faults() % 4 < good_share) return Fault::none;
                          return static_cast<Fault>(faults() % kFaults);
                        }};
    TemporaryFolder folder;
    HttpDiskOptions options = hasty();
    options.open_timeout = 200s;
    options.attempt_timeout = 50ms;
    options.piece_timeout = 300ms;
    options.failure_hold = 20ms;
    options.memory_bytes = random(2) == 0 ? 0 : 64 * 1024;
    options.connections = 1 + random(4);
    if (random(2) == 0) options.cache_directory = folder.path();
    auto disk = open(server.url(kFolder), options);
    for (int i = 0; i < 60; ++i) {
      const std::size_t sectors = static_cast<std::size_t>(disk->sector_count());
      const std::size_t first = random(static_cast<unsigned>(sectors)), count = std::min<std::size_t>(1 + random(20), sectors - first);
      Bytes out(count * kSectorSize, std::byte{0xee});
      // Some requests are given up, as a reset of the drive does.
      const int patience = random(4) == 0 ? static_cast<int>(random(5)) : 100'000;
      BlockStatus status = BlockStatus::pending;
      for (int n = 0; n < patience && status == BlockStatus::pending; ++n) {
        status = disk->read(first, out);
        if (status == BlockStatus::pending) std::this_thread::sleep_for(1ms);
      }
      if (status == BlockStatus::done) {
        ++done;
        REQUIRE(out == served.sectors(first, count));
      } else if (status == BlockStatus::error) {
        ++failed;
        REQUIRE(disk->last_error().ends_with("."));
      }
    }
  }
  MESSAGE(done << " reads done, " << failed << " failed");
  CHECK(done > 0);
}

TEST_CASE("http disk: a small memory, large requests, and one connection") {
  const ServedDisk served = test_disk();
  FaultyServer server{served.files};
  HttpDiskOptions options = patient();
  options.memory_bytes = 0;
  options.connections = 1;
  auto disk = open(server.url(kFolder), options);
  CHECK(read_all(*disk) == served.image);
  for (std::size_t piece = 20; piece-- > 0;) {
    Bytes out(kSectorSize);
    CHECK(read_patiently(*disk, piece * kPieceSectors, out) == BlockStatus::done);
    CHECK(out == served.sectors(piece * kPieceSectors, 1));
  }
}

TEST_CASE("http disk: pieces of 512 bytes and of 64 KiB") {
  for (const std::uint32_t piece_bytes : {512u, 65536u}) {
    const ServedDisk served = serve_image(test_image(), piece_bytes, "/");
    FaultyServer server{served.files};
    auto disk = open(server.url(""));
    CHECK(read_all(*disk) == served.image);
  }
}

TEST_CASE("http disk: a sequence is read ahead, single reads are not") {
  const ServedDisk served = serve_image(pattern(20 * kPiece, 3), kPiece, kFolder);
  FaultyServer server{served.files};
  auto disk = open(server.url(kFolder));
  Bytes out(kSectorSize);
  for (const std::size_t piece : {2u, 17u, 9u}) CHECK(read_patiently(*disk, piece * kPieceSectors, out) == BlockStatus::done);
  CHECK(server.requests() == 4);
  for (const std::size_t piece : {10u, 11u, 12u}) CHECK(read_patiently(*disk, piece * kPieceSectors, out) == BlockStatus::done);
  wait_for([&] { return server.requests() >= 10; });
  const auto paths = server.paths();
  CHECK(std::ranges::count(paths, kFolder + "hda000000014.bin") == 1);
  CHECK(std::ranges::count(paths, kFolder + "hda000000005.bin") == 0);
}

TEST_CASE("http disk: pieces are kept on the host's disk for the next run, which needs the manifest alone") {
  const ServedDisk served = test_disk();
  TemporaryFolder folder;
  HttpDiskOptions options = patient();
  options.cache_directory = folder.path() / "not there" / "yet";
  {
    FaultyServer server{served.files};
    CHECK(read_all(*open(server.url(kFolder), options)) == served.image);
  }
  FaultyServer server{served.files};
  options.monitor = std::make_shared<HttpDiskMonitor>();
  auto disk = open(server.url(kFolder), options);
  CHECK(read_all(*disk) == served.image);
  CHECK(server.requests() == 1);
  const HttpDiskStatus status = options.monitor->status();
  CHECK(status.pieces == 20);
  CHECK(status.pieces_loaded == 20);
  CHECK(status.bytes_received == 0);
  CHECK(status.bytes_cached == 17 * kPiece);
  CHECK(status.pieces_waited == 0);
}

TEST_CASE("http disk: what is damaged in the cache is loaded again") {
  const ServedDisk served = test_disk();
  TemporaryFolder folder;
  HttpDiskOptions options = patient();
  options.cache_directory = folder.path();
  FaultyServer server{served.files};
  CHECK(read_all(*open(server.url(kFolder), options)) == served.image);
  unsigned seed = 0;
  for (const auto& entry : fs::recursive_directory_iterator{folder.path()}) {
    if (!entry.is_regular_file()) continue;
    if (++seed % 3 == 0) fs::resize_file(entry.path(), entry.file_size() / 2);
    else std::ofstream{entry.path(), std::ios::binary | std::ios::in}.write("damage", 6);
  }
  CHECK(read_all(*open(server.url(kFolder), options)) == served.image);
  const unsigned before = server.requests();
  CHECK(read_all(*open(server.url(kFolder), options)) == served.image);
  CHECK(server.requests() == before + 1);
}

TEST_CASE("http disk: a cache that cannot be written is a warning") {
  const ServedDisk served = test_disk();
  FaultyServer server{served.files};
  TemporaryFolder folder;
  HttpDiskOptions options = patient();
  options.cache_directory = folder.write("a file", std::string{"x"});
  std::vector<std::string> log;
  options.log = [&](LogLevel, std::string_view line) { log.emplace_back(line); };
  auto disk = open(server.url(kFolder), options);
  CHECK(read_all(*disk) == served.image);
  (void)disk->flush();
  REQUIRE(log.size() == 1);
  CHECK(says(log[0], "cache"));
  CHECK(says(log[0], "a file"));
}

TEST_CASE("http disk: the cache is kept below its limit, and the piece used last stays") {
  const ServedDisk served = test_disk();
  FaultyServer server{served.files};
  TemporaryFolder folder;
  HttpDiskOptions options = patient();
  options.cache_directory = folder.path();
  options.cache_bytes = 8 * kPiece;
  CHECK(read_all(*open(server.url(kFolder), options)) == served.image);
  const std::size_t kept = files_in(folder.path() / "pieces");
  CHECK(kept >= 4);
  CHECK(kept <= 8);
}

TEST_CASE("http disk: two disks share a cache at the same time, two programs' worth of writers") {
  const ServedDisk served = test_disk();
  FaultyServer server{served.files};
  TemporaryFolder folder;
  HttpDiskOptions options = patient();
  options.cache_directory = folder.path();
  auto first = open(server.url(kFolder), options), second = open(server.url(kFolder), options);
  Bytes a(first->sector_count() * kSectorSize), b(a.size());
  bool first_done = false, second_done = false;
  while (!first_done || !second_done) {
    first_done = first_done || first->read(0, a) == BlockStatus::done;
    second_done = second_done || second->read(0, b) == BlockStatus::done;
    std::this_thread::sleep_for(1ms);
  }
  CHECK(a == served.image);
  CHECK(b == served.image);
  first.reset(), second.reset();
  CHECK(files_in(folder.path() / "pieces") == 17);
}

TEST_CASE("http disk: the next run loads what this one wanted, in its order, before it is asked") {
  const ServedDisk served = serve_image(pattern(20 * kPiece, 3), kPiece, kFolder);
  TemporaryFolder folder;
  HttpDiskOptions options = patient();
  options.cache_directory = folder.path();
  options.connections = 2;  // one at a time is read ahead
  const std::vector<std::size_t> wanted{7, 2, 16, 11, 4};
  Bytes out(kSectorSize);
  {
    FaultyServer server{served.files};
    auto disk = open(server.url(kFolder), options);
    for (const std::size_t piece : wanted) CHECK(read_patiently(*disk, piece * kPieceSectors, out) == BlockStatus::done);
  }
  fs::remove_all(folder.path() / "pieces");
  FaultyServer server{served.files};
  auto disk = open(server.url(kFolder), options);
  wait_for([&] { return server.requests() >= 1 + wanted.size(); });
  const auto paths = server.paths();
  for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(paths[i + 1] == kFolder + disk::piece_name(wanted[i]));
}

TEST_CASE("http disk: a damaged order is no order") {
  const ServedDisk served = test_disk();
  TemporaryFolder folder;
  HttpDiskOptions options = patient();
  options.cache_directory = folder.path();
  FaultyServer server{served.files};
  Bytes out(kSectorSize);
  CHECK(read_patiently(*open(server.url(kFolder), options), 0, out) == BlockStatus::done);
  for (const std::string& text : {std::string{"99\n"}, std::string{"1"}, std::string{"-1\n"}, std::string{"x\n1\n"}, std::string(1000, '\n')}) {
    for (const auto& entry : fs::directory_iterator{folder.path() / "order"}) std::ofstream{entry.path(), std::ios::trunc} << text;
    CHECK(read_all(*open(server.url(kFolder), options)) == served.image);
  }
}

// --- Opening ---

TEST_CASE("http disk: what cannot be opened is refused with a sentence") {
  const ServedDisk served = test_disk();
  CHECK(says(refusal("http://127.0.0.1:1/d/"), "Cannot open the disk \"http://127.0.0.1:1/d/\": connecting to 127.0.0.1:1"));
  CHECK(says(refusal("ws://h/"), "http or https"));
  CHECK(says(refusal("http://h/?x"), "query"));
  CHECK(says(refusal("http:/h/"), "does not begin with"));
  CHECK(says(refusal("http://no-such-host.invalid/"), "no-such-host.invalid"));
  FaultyServer empty{{}};
  CHECK(says(refusal(empty.url("/")), "neither hda.manifest nor hda000000000.bin"));

  const auto with_manifest_fault = [&](Fault fault) {
    FaultyServer server{served.files, [&](const std::string&) { return fault; }};
    return refusal(server.url(kFolder));
  };
  CHECK(says(with_manifest_fault(Fault::unavailable), "503 Service Unavailable"));
  CHECK(says(with_manifest_fault(Fault::stall), "took longer than"));
  CHECK(says(with_manifest_fault(Fault::redirect_loop), "redirected more than 5 times"));
  CHECK(says(with_manifest_fault(Fault::short_body), "manifest"));
  CHECK(says(with_manifest_fault(Fault::garbage), "no HTTP"));
}

TEST_CASE("http disk: malformed manifests are refused") {
  const std::string good = disk::format_manifest(test_disk().manifest);
  for (const std::string& text : {std::string{}, std::string{"<html>welcome</html>"}, good.substr(0, good.size() - 1), good + "zero\n",
                                  std::string{"tuxarium-disk 1\npiece-size 65536\nsectors 1\npieces 4294967296\n"}}) {
    FaultyServer server{{{kManifest, text}}};
    CHECK(says(refusal(server.url(kFolder)), "hda.manifest\" is malformed in line"));
  }
}

TEST_CASE("http disk: without a manifest the pieces are counted") {
  for (const std::size_t count : {1u, 2u, 3u, 5u, 8u, 21u}) {
    CAPTURE(count);
    const ServedDisk served = serve_image(pattern(count * kPiece, 7), kPiece, "/old/", false);
    FaultyServer server{served.files};
    TemporaryFolder folder;
    HttpDiskOptions options = patient();
    options.cache_directory = folder.path();
    std::vector<std::string> log;
    options.log = [&](LogLevel, std::string_view line) { log.emplace_back(line); };
    auto disk = open(server.url("/old/"), options);
    CHECK(disk->sector_count() == count * kPieceSectors);
    CHECK(disk->content_id() == 0);
    CHECK(read_all(*disk) == served.image);
    CHECK(log.size() == 1);
    CHECK(files_in(folder.path()) == 0);
  }
  ServedDisk odd = serve_image(pattern(3 * kPiece, 7), kPiece, "/", false);
  odd.files["/hda000000001.bin"].resize(512);
  FaultyServer server{odd.files};
  CHECK(says(refusal(server.url("/")), "has 512 bytes, and the first one has 4096"));
  FaultyServer page{{{"/hda000000000.bin", "<html>"}}};
  CHECK(says(refusal(page.url("/")), "has 6 bytes"));
}

TEST_CASE("http disk: pieces are looked for where the manifest was found") {
  ServedDisk served = test_disk();
  FaultyServer server{served.files, [&](const std::string& path) { return path == kManifest ? Fault::redirect : Fault::stall; }};
  CHECK(read_all(*open(server.url(kFolder))) == served.image);
}

TEST_CASE("http disk: pieces that have changed under their manifest are not read") {
  const ServedDisk before = test_disk(1), after = test_disk(2);
  FaultyServer server{before.files};
  HttpDiskOptions options = patient();
  options.attempts = 2;
  auto disk = open(server.url(kFolder), options);
  for (const auto& [path, content] : after.files) server.replace(path, content);
  Bytes out(kSectorSize);
  CHECK(read_patiently(*disk, 0, out) == BlockStatus::error);
  CHECK(says(disk->last_error(), "checksum"));
  CHECK(read_all(*open(server.url(kFolder), options)) == after.image);
}

TEST_CASE("http disk: it ends at once while a server stalls") {
  const ServedDisk served = test_disk();
  FaultyServer server{served.files, [](const std::string& path) { return is_piece(path) ? Fault::stall : Fault::none; }};
  auto disk = open(server.url(kFolder));
  Bytes out(8 * kPiece);
  for (int i = 0; i < 20; ++i) CHECK(disk->read(0, out) == BlockStatus::pending);
  disk.reset();
}

// --- TLS ---

namespace {

struct TlsServer {
  explicit TlsServer(FaultyServer::Files files, const std::string& names = "IP:127.0.0.1,DNS:localhost") : identity{make_identity(names)} {
    context.use_certificate(net::asio::buffer(identity.certificate), net::asio::ssl::context::pem);
    context.use_private_key(net::asio::buffer(identity.key), net::asio::ssl::context::pem);
    server.emplace(std::move(files), FaultyServer::Decide{}, &context);
  }
  HttpDiskOptions trusting(const TemporaryFolder& folder) const {
    HttpDiskOptions options = patient();
    options.attempts = 1;
    options.ca_file = folder.write("ca.pem", identity.certificate);
    return options;
  }

  Identity identity;
  net::asio::ssl::context context{net::asio::ssl::context::tls_server};
  std::optional<FaultyServer> server;
};

}  // namespace

TEST_CASE("http disk: https with a certificate that is trusted") {
  const ServedDisk served = test_disk();
  TlsServer tls{served.files};
  TemporaryFolder folder;
  CHECK(read_all(*open(tls.server->url(kFolder), tls.trusting(folder))) == served.image);
  CHECK(read_all(*open(tls.server->url(kFolder, "localhost"), tls.trusting(folder))) == served.image);
}

TEST_CASE("http disk: https with a certificate that is not") {
  const ServedDisk served = test_disk();
  TemporaryFolder folder;
  TlsServer tls{served.files}, other{served.files, "DNS:other.example"};
  HttpDiskOptions options = patient();
  options.attempts = 1;
  CHECK(says(refusal(tls.server->url(kFolder), options), "certificate"));
  CHECK(says(refusal(other.server->url(kFolder, "localhost"), other.trusting(folder)), "certificate"));
  CHECK(says(refusal(other.server->url(kFolder), other.trusting(folder)), "certificate"));
  options.ca_file = folder.path() / "none.pem";
  CHECK(says(refusal(tls.server->url(kFolder), options), "none.pem"));
  FaultyServer plain{served.files};
  options.ca_file.clear();
  options.attempt_timeout = 200ms;  // the server waits for a request, the client for a handshake
  CHECK(says(refusal("https" + plain.url(kFolder).substr(4), options), "connecting to"));
}

// --- Overlays ---

TEST_CASE("http disk: under an overlay in memory and in a file, whose writes come back over the same manifest alone") {
  const ServedDisk served = test_disk(), changed = test_disk(2);
  FaultyServer server{served.files};
  TemporaryFolder folder;
  const Bytes written = pattern(3 * kSectorSize, 9);
  Bytes expected = served.image;
  std::ranges::copy(written, expected.begin() + 17 * kSectorSize);

  auto in_memory = make_memory_overlay(open(server.url(kFolder)));
  CHECK(in_memory->write(17, written) == BlockStatus::done);
  CHECK(read_all(*in_memory) == expected);

  const fs::path overlay = folder.path() / "overlay";
  {
    auto disk = open_file_overlay(open(server.url(kFolder)), overlay);
    REQUIRE(disk.has_value());
    CHECK((*disk)->write(17, written) == BlockStatus::done);
    CHECK((*disk)->flush() == BlockStatus::done);
    CHECK(read_all(**disk) == expected);
  }
  {
    auto disk = open_file_overlay(open(server.url(kFolder)), overlay);
    REQUIRE(disk.has_value());
    CHECK(read_all(**disk) == expected);
  }
  FaultyServer other{changed.files};
  const auto refused = open_file_overlay(open(other.url(kFolder)), overlay);
  REQUIRE_FALSE(refused.has_value());
  CHECK(says(refused.error().message, "has changed"));

  // The same pieces in a folder of this host.
  TemporaryFolder pieces;
  for (const auto& [path, content] : served.files) (void)pieces.write(path.substr(kFolder.size()), content);
  auto local = open_chunked_disk(pieces.path());
  REQUIRE(local.has_value());
  auto disk = open_file_overlay(std::move(*local), overlay);
  REQUIRE(disk.has_value());
  CHECK(read_all(**disk) == expected);
}

TEST_CASE("http disk: a file overlay needs a manifest") {
  const ServedDisk served = serve_image(pattern(kPiece, 7), kPiece, "/", false);
  FaultyServer server{served.files};
  TemporaryFolder folder;
  const auto refused = open_file_overlay(open(server.url("/")), folder.path() / "overlay");
  REQUIRE_FALSE(refused.has_value());
  CHECK(says(refused.error().message, "not at hand"));
}
