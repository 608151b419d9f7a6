#include "net/http_layout.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "net/backoff.hpp"

namespace tuxarium::net {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLongestBackoff{3000};

std::string quoted(const Url& url) { return "\"" + url.text() + "\""; }

Url beside(const Url& folder, std::string_view name) {
  Url url = folder;
  url.target += name;
  return url;
}

bool is_absent(unsigned status) { return status == 404 || status == 410; }
bool may_change(const HttpAnswer& answer) { return !answer.problem.empty() || answer.status >= 500 || answer.status == 429 || answer.status == 408; }

/// Asks the server while the caller waits: attempts and time are limited.
class Opener {
 public:
  Opener(asio::io_context& context, HttpConnection& connection, const Url& folder, const HttpDiskOptions& options)
      : context_{context}, connection_{connection}, options_{options}, deadline_{Clock::now() + options.open_timeout} {
    layout_.folder = folder;
  }

  Result<HttpLayout> load() {
    Result<bool> found = load_manifest();
    if (found && !*found) found = count_pieces();
    if (!found) return found.error();
    return std::move(layout_);
  }

 private:
  Error cannot_open(const std::string& why, ErrorCode code = ErrorCode::io) const {
    return {code, "Cannot open the disk " + quoted(layout_.folder) + ": " + why + "."};
  }
  Error refused(const HttpAnswer& answer, const Url& url) const {
    if (!answer.problem.empty()) return cannot_open(answer.problem);
    return cannot_open("the server answered " + std::to_string(answer.status) + " " + answer.reason + " for " + quoted(url),
                       is_absent(answer.status) ? ErrorCode::not_found : ErrorCode::io);
  }

  milliseconds left() const { return std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now()); }

  HttpAnswer ask_once(HttpRequest request) {
    std::optional<HttpAnswer> answer;
    request.timeout = std::clamp(left(), milliseconds{1}, options_.attempt_timeout);
    connection_.send(std::move(request), [&](HttpAnswer a) { answer = std::move(a); });
    context_.restart();
    while (!answer) context_.run_one();
    return std::move(*answer);
  }

  /// Asks again, with pauses, while `good` refuses an answer.
  template <class Good>
  HttpAnswer ask(const HttpRequest& request, const Good& good) {
    Backoff backoff{options_.first_backoff, kLongestBackoff, std::random_device{}()};
    for (unsigned attempt = 1;; ++attempt) {
      HttpRequest copy = request;
      copy.past_caches = attempt > 1;
      HttpAnswer answer = ask_once(std::move(copy));
      const milliseconds pause = backoff.next();
      if (good(answer) || attempt >= options_.attempts || pause >= left()) return answer;
      std::this_thread::sleep_for(pause);
    }
  }

  /// False when the server has none.
  Result<bool> load_manifest() {
    const Url url = beside(layout_.folder, disk::kManifestName);
    Result<disk::Manifest> manifest = Error{};
    const HttpAnswer answer = ask({.url = url, .body_limit = disk::kMaxManifestBytes}, [&](const HttpAnswer& a) {
      if (may_change(a)) return false;
      if (a.status != 200) return true;
      manifest = disk::parse_manifest({reinterpret_cast<const char*>(a.body.data()), a.body.size()}, quoted(url));
      return manifest.has_value();
    });
    if (answer.problem.empty() && is_absent(answer.status)) return false;
    if (!answer.problem.empty() || answer.status != 200) return refused(answer, url);
    if (!manifest) return manifest.error();
    follow(answer.url);
    layout_.piece_bytes = manifest->piece_bytes;
    layout_.sectors = manifest->sectors;
    layout_.pieces = manifest->pieces.size();
    layout_.manifest = std::move(*manifest);
    return true;
  }

  /// Where the manifest was found there are the pieces too.
  void follow(Url url) {
    if (!url.target.ends_with("/" + std::string{disk::kManifestName})) return;
    url.target.resize(url.target.size() - disk::kManifestName.size());
    layout_.folder = std::move(url);
  }

  /// Pieces have numbers from 0 without a gap: the first that is missing is found by doubling and halving.
  Result<bool> count_pieces() {
    const auto size = piece_size();
    if (!size) return size.error();
    layout_.piece_bytes = *size;
    std::uint64_t there = 0, missing = 1;  // the last known to be there, and one that is not
    for (;; there = missing, missing *= 2) {
      if (missing > disk::kMaxPieces) return cannot_open("it has more than " + std::to_string(disk::kMaxPieces) + " pieces", ErrorCode::bad_image);
      const auto found = has_piece(missing);
      if (!found) return found.error();
      if (!*found) break;
    }
    while (missing - there > 1) {
      const std::uint64_t middle = there + (missing - there) / 2;
      const auto found = has_piece(middle);
      if (!found) return found.error();
      (*found ? there : missing) = middle;
    }
    layout_.pieces = there + 1;
    layout_.sectors = layout_.pieces * (layout_.piece_bytes / kSectorSize);
    return true;
  }

  Result<HttpAnswer> look_at(std::uint64_t piece) {
    const Url url = layout_.url_of(piece);
    HttpAnswer answer = ask({.url = url, .head = true}, [](const HttpAnswer& a) { return !may_change(a); });
    if (!answer.problem.empty() || (answer.status != 200 && !is_absent(answer.status))) return refused(answer, url);
    if (answer.status == 200 && !answer.content_length) return cannot_open("the server does not say how long " + quoted(url) + " is");
    return answer;
  }

  Result<std::uint32_t> piece_size() {
    const auto answer = look_at(0);
    if (!answer) return answer.error();
    if (answer->status != 200) {
      return cannot_open("the server has neither " + std::string{disk::kManifestName} + " nor " + disk::piece_name(0) + " there", ErrorCode::not_found);
    }
    if (!disk::valid_piece_size(*answer->content_length)) {
      return cannot_open("its first piece has " + std::to_string(*answer->content_length) +
                             " bytes, and a piece must have a power of two from 512 to 16777216",
                         ErrorCode::bad_image);
    }
    return static_cast<std::uint32_t>(*answer->content_length);
  }

  Result<bool> has_piece(std::uint64_t piece) {
    const auto answer = look_at(piece);
    if (!answer) return answer.error();
    if (answer->status != 200) return false;
    if (*answer->content_length != layout_.piece_bytes) {
      return cannot_open("its piece " + disk::piece_name(piece) + " has " + std::to_string(*answer->content_length) +
                             " bytes, and the first one has " + std::to_string(layout_.piece_bytes),
                         ErrorCode::bad_image);
    }
    return true;
  }

  asio::io_context& context_;
  HttpConnection& connection_;
  const HttpDiskOptions& options_;
  Clock::time_point deadline_;
  HttpLayout layout_;
};

}  // namespace

Url HttpLayout::url_of(std::uint64_t piece) const { return beside(folder, disk::piece_name(piece)); }

Result<Url> parse_folder_url(std::string_view text) {
  auto url = parse_url(text);
  if (!url) return url;
  const auto bad = [&](const char* why) { return Error{ErrorCode::invalid_argument, "The disk " + quoted(*url) + " cannot be opened: " + why + "."}; };
  if (url->scheme != Scheme::http && url->scheme != Scheme::https) return bad("a disk is served over http or https");
  if (url->target.find('?') != std::string::npos) return bad("the URL of its folder has a query (behind ?)");
  if (!url->target.ends_with('/')) url->target += '/';
  return url;
}

Result<HttpLayout> load_layout(asio::io_context& context, HttpConnection& connection, const Url& folder, const HttpDiskOptions& options) {
  return Opener{context, connection, folder, options}.load();
}

}  // namespace tuxarium::net
