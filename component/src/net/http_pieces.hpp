// The pieces of a disk over HTTP: which are in memory, which are on their way, which come next; and the thread that loads them.
//
// A piece comes from memory, from the cache on the host's disk, or from the server, and in each case only when it has the digest of the
// manifest. What the guest waits for goes before what it may want later.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <tuxarium/http_disk.hpp>

#include "net/backoff.hpp"
#include "net/http_connection.hpp"
#include "net/http_layout.hpp"
#include "net/piece_cache.hpp"

namespace tuxarium::net {

/// What connections need; outlives them.
struct HttpClient {
  explicit HttpClient(asio::ssl::context tls_context) : tls{std::move(tls_context)} {}

  asio::io_context context{1};
  asio::ssl::context tls;
};

/// Threading: ask() and take_warnings() are for one thread, and never wait for the loading thread's work.
class HttpPieces {
 public:
  using Piece = std::shared_ptr<const std::vector<std::uint8_t>>;

  HttpPieces(std::unique_ptr<HttpClient> client, HttpLayout layout, HttpDiskOptions options);
  HttpPieces(const HttpPieces&) = delete;
  HttpPieces& operator=(const HttpPieces&) = delete;
  ~HttpPieces();

  /// Starts the thread; an error when there is none to be had.
  Result<void> start();

  const HttpLayout& layout() const { return layout_; }

  /// The pieces from `first` to `last` for one request of the guest, null for those that hold only zeros. `pending`: they are being loaded;
  /// the guest wants them and no others. `error`: one cannot be had, and `problem` is a sentence.
  BlockStatus ask(std::uint64_t first, std::uint64_t last, std::vector<Piece>& pieces, std::string& problem);

  /// Warnings since the last call, at most kMaxWarnings in all.
  std::vector<std::string> take_warnings();

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMaxWarnings = 16;
  static constexpr std::size_t kMaxSequence = 8;   // pieces read ahead of a sequence
  static constexpr std::size_t kMaxAhead = 64;     // pieces noted for that; more are forgotten
  static constexpr std::size_t kMaxFailures = 64;  // pieces remembered as failed; the one that came first is forgotten
  static constexpr std::chrono::seconds kRecordTime{60}, kRecordInterval{5};
  static constexpr std::chrono::milliseconds kLongestBackoff{3000}, kAheadPause{1000};

  /// A piece that is in memory or on its way there.
  struct Entry {
    enum class State : std::uint8_t { wanted, loading, ready };
    State state = State::wanted;
    bool demanded = false;          // the guest waits for it
    bool from_order = false;        // loaded since an earlier run wanted it, and not used yet
    unsigned attempts = 0;          // that failed while it was demanded
    Clock::time_point since;        // demanded
    Clock::time_point not_before;   // next attempt
    std::optional<Backoff> backoff;
    Piece bytes;                              // ready
    std::list<std::uint64_t>::iterator used;  // ready: its place in recent_
  };
  struct Failure {
    Clock::time_point until;
    std::string sentence;
  };
  struct Worker {
    std::unique_ptr<HttpConnection> connection;
    bool busy = false;
    bool ahead = false;  // busy with something that was not demanded when it began
  };

  // The guest's side; mutex_ is held.
  void drop_demand();
  void drop_demand_outside(std::uint64_t first, std::uint64_t last);
  void demand(std::uint64_t piece, Clock::time_point now);
  void note_use(std::uint64_t piece, Entry& entry);
  void note_sequence(std::uint64_t first, std::uint64_t last);
  const Failure* failure_in(std::uint64_t first, std::uint64_t last, Clock::time_point now);
  void wake();

  // The loading thread.
  void pump();
  std::optional<std::uint64_t> next_piece(bool& ahead);
  std::optional<std::uint64_t> next_demanded(Clock::time_point now);
  std::optional<std::uint64_t> next_ahead(Clock::time_point now);
  std::optional<std::uint64_t> next_in_order();
  bool idle(std::uint64_t piece) const { return !layout_.zero(piece) && !entries_.contains(piece); }
  bool load_from_cache(std::uint64_t piece);
  void fetch(Worker& worker, std::uint64_t piece);
  void take_answer(Worker& worker, std::uint64_t piece, HttpAnswer answer);
  std::string check(const HttpAnswer& answer, std::uint64_t piece) const;
  void keep(std::uint64_t piece, std::vector<std::uint8_t> bytes, std::uint64_t HttpDiskStatus::*counter);
  void attempt_failed(std::uint64_t piece, const std::string& problem, std::chrono::seconds retry_after);
  void give_up(std::uint64_t piece, const std::string& sentence, Clock::time_point now);
  void forget(std::uint64_t piece);
  void limit_memory();
  void sleep_until_next_attempt();
  void record_order();
  void write_order();
  void warn(std::string sentence);
  std::string sentence_on(std::uint64_t piece, const std::string& problem) const;

  const HttpLayout layout_;
  const HttpDiskOptions options_;
  const std::shared_ptr<HttpDiskMonitor> monitor_;
  const std::string id_;  // of the manifest; empty without one
  std::unique_ptr<HttpClient> client_;

  std::mutex mutex_;  // of what follows
  std::unordered_map<std::uint64_t, Entry> entries_;  // bounded by memory_limit() and by what is asked for
  std::list<std::uint64_t> recent_;                   // pieces that are ready, latest use first
  std::vector<std::uint64_t> demand_;                 // pieces of the latest request that are not ready
  std::size_t request_pieces_ = 0;                    // of the latest request
  std::deque<std::uint64_t> ahead_;                   // at most kMaxAhead
  std::map<std::uint64_t, Failure> failures_;         // at most kMaxFailures
  std::uint64_t last_piece_ = 0, run_ = 0;            // sequence: end of the latest request, requests before it that were next to each other
  std::vector<bool> used_, loaded_;                   // of each piece, since the disk was opened
  std::vector<std::uint64_t> order_, record_;         // of an earlier run, and of this one; at most PieceCache::kMaxOrder
  std::size_t order_next_ = 0, order_unused_ = 0;
  Clock::time_point opened_, ahead_not_before_;
  std::vector<std::string> warnings_;
  std::size_t warnings_made_ = 0;
  std::atomic<bool> has_warnings_ = false, woken_ = false;

  // Of the loading thread.
  PieceCache cache_;
  asio::steady_timer retry_timer_, record_timer_;
  std::size_t recorded_ = 0;  // length of the order that was written
  std::array<Worker, 4> workers_;
  std::size_t worker_count_;
  std::thread thread_;
};

}  // namespace tuxarium::net
