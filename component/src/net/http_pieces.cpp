#include "net/http_pieces.hpp"

#include <algorithm>
#include <cassert>
#include <random>
#include <span>
#include <system_error>
#include <utility>

#include "base/quiet_thread.hpp"

namespace tuxarium::net {

namespace {

std::string id_of(const HttpLayout& layout) {
  if (!layout.manifest) return {};
  const std::string text = disk::format_manifest(*layout.manifest);
  return disk::to_hex(disk::sha256(std::as_bytes(std::span{text})));
}

}  // namespace

HttpPieces::HttpPieces(std::unique_ptr<HttpClient> client, HttpLayout layout, HttpDiskOptions options)
    : layout_{std::move(layout)},
      options_{std::move(options)},
      monitor_{options_.monitor != nullptr ? options_.monitor : std::make_shared<HttpDiskMonitor>()},
      id_{id_of(layout_)},
      client_{std::move(client)},
      used_(static_cast<std::size_t>(layout_.pieces)),
      loaded_(static_cast<std::size_t>(layout_.pieces)),
      opened_{Clock::now()},
      // Without a digest nothing tells one disk's piece from another's.
      cache_{layout_.manifest ? options_.cache_directory : std::filesystem::path{}, options_.cache_bytes,
             [this](const std::string& sentence) {
               const std::lock_guard lock{mutex_};
               warn(sentence);
             }},
      retry_timer_{client_->context},
      record_timer_{client_->context},
      worker_count_{std::clamp<std::size_t>(options_.connections, 1, workers_.size())} {
  for (std::size_t i = 0; i < worker_count_; ++i) workers_[i].connection = std::make_unique<HttpConnection>(client_->context, client_->tls);
  std::uint64_t zero = 0;
  for (std::uint64_t piece = 0; piece < layout_.pieces; ++piece) zero += layout_.zero(piece) ? 1 : 0;
  monitor_->update([&](HttpDiskStatus& s) { s = {.pieces = layout_.pieces, .pieces_loaded = zero, .last_error = {}}; });
  if (!layout_.manifest) {
    warn("The disk \"" + layout_.name() + "\" has no " + std::string{disk::kManifestName} + ": only the sizes of its pieces can be checked, and none is kept.");
  }
}

HttpPieces::~HttpPieces() {
  client_->context.stop();
  if (thread_.joinable()) thread_.join();
  write_order();
}

Result<void> HttpPieces::start() {
  order_ = cache_.load_order(id_, layout_.pieces);
  client_->context.restart();
  asio::post(client_->context, [this] {
    pump();
    record_order();
  });
  try {
    thread_ = start_quiet_thread([&context = client_->context] {
      const auto until_stopped = asio::make_work_guard(context);
      context.run();
    });
  } catch (const std::system_error& error) {
    return Error{ErrorCode::io, "Cannot open the disk \"" + layout_.name() + "\": the host has no thread for it: " + error.code().message() + "."};
  }
  return {};
}

// --- The guest's side ---

BlockStatus HttpPieces::ask(std::uint64_t first, std::uint64_t last, std::vector<Piece>& pieces, std::string& problem) {
  assert(first <= last && last < layout_.pieces);
  const auto now = Clock::now();
  const std::lock_guard lock{mutex_};
  pieces.clear();
  request_pieces_ = static_cast<std::size_t>(last - first + 1);
  if (const Failure* failure = failure_in(first, last, now)) {
    problem = failure->sentence;
    drop_demand();
    return BlockStatus::error;
  }
  drop_demand_outside(first, last);
  note_sequence(first, last);
  for (std::uint64_t piece = first; piece <= last; ++piece) {
    if (layout_.zero(piece)) {
      pieces.push_back(nullptr);
      continue;
    }
    const auto found = entries_.find(piece);
    if (found != entries_.end() && found->second.state == Entry::State::ready) {
      note_use(piece, found->second);
      pieces.push_back(found->second.bytes);
    } else {
      demand(piece, now);
    }
  }
  const std::size_t waited = demand_.size();
  monitor_->update([&](HttpDiskStatus& s) { s.pieces_waited = waited; });
  if (waited == 0) return BlockStatus::done;
  wake();
  return BlockStatus::pending;
}

/// The guest wants what it asks for now: of what it wanted before, nothing that has not begun is loaded for its sake.
void HttpPieces::drop_demand_outside(std::uint64_t first, std::uint64_t last) {
  for (const std::uint64_t piece : demand_) {
    const auto found = entries_.find(piece);
    if ((piece >= first && piece <= last) || found == entries_.end()) continue;
    found->second.demanded = false;
    if (found->second.state == Entry::State::wanted) entries_.erase(found);
  }
  demand_.clear();
}

void HttpPieces::drop_demand() { drop_demand_outside(layout_.pieces, layout_.pieces); }

void HttpPieces::demand(std::uint64_t piece, Clock::time_point now) {
  demand_.push_back(piece);
  Entry& entry = entries_[piece];
  if (entry.demanded) return;
  entry.demanded = true;
  entry.since = now;
  entry.not_before = now;
  entry.attempts = 0;
  entry.backoff.emplace(options_.first_backoff, kLongestBackoff, std::random_device{}());
}

void HttpPieces::note_use(std::uint64_t piece, Entry& entry) {
  recent_.splice(recent_.begin(), recent_, entry.used);
  if (std::exchange(entry.from_order, false)) --order_unused_;
  const auto at = static_cast<std::size_t>(piece);
  if (used_[at]) return;
  used_[at] = true;
  if (record_.size() < PieceCache::kMaxOrder && Clock::now() - opened_ < kRecordTime) record_.push_back(piece);
  if (order_next_ < order_.size()) wake();
}

/// Requests that follow each other let the pieces behind them be loaded, more with each.
void HttpPieces::note_sequence(std::uint64_t first, std::uint64_t last) {
  if (last == last_piece_) return;
  run_ = first == last_piece_ || first == last_piece_ + 1 ? std::min<std::uint64_t>(run_ + 1, kMaxSequence / 2) : 0;
  last_piece_ = last;
  for (std::uint64_t piece = last + 1; piece <= last + 2 * run_ && piece < layout_.pieces && ahead_.size() < kMaxAhead; ++piece) {
    if (idle(piece) && std::ranges::find(ahead_, piece) == ahead_.end()) ahead_.push_back(piece);
  }
  if (run_ != 0) wake();
}

const HttpPieces::Failure* HttpPieces::failure_in(std::uint64_t first, std::uint64_t last, Clock::time_point now) {
  std::erase_if(failures_, [now](const auto& failure) { return failure.second.until <= now; });
  const auto found = failures_.lower_bound(first);
  return found != failures_.end() && found->first <= last ? &found->second : nullptr;
}

void HttpPieces::wake() {
  if (woken_.exchange(true)) return;
  asio::post(client_->context, [this] {
    woken_ = false;
    pump();
  });
}

std::vector<std::string> HttpPieces::take_warnings() {
  if (!has_warnings_.exchange(false)) return {};
  const std::lock_guard lock{mutex_};
  return std::exchange(warnings_, {});
}

void HttpPieces::warn(std::string sentence) {
  if (warnings_made_ > kMaxWarnings) return;
  if (warnings_made_++ == kMaxWarnings) sentence = "Further trouble with the disk \"" + layout_.name() + "\" is not logged.";
  warnings_.push_back(std::move(sentence));
  has_warnings_ = true;
}

// --- What to load next ---

/// Gives work to the workers that have none.
void HttpPieces::pump() {
  for (std::size_t i = 0; i < worker_count_; ++i) {
    Worker& worker = workers_[i];
    if (worker.busy) continue;
    const auto piece = next_piece(worker.ahead);
    if (!piece) break;
    if (load_from_cache(*piece)) {
      wake();  // others have their turn
      return;
    }
    worker.busy = true;
    fetch(worker, *piece);
  }
  sleep_until_next_attempt();
}

std::optional<std::uint64_t> HttpPieces::next_piece(bool& ahead) {
  const auto now = Clock::now();
  const std::lock_guard lock{mutex_};
  ahead = false;
  auto piece = next_demanded(now);
  if (!piece) {
    ahead = true;
    piece = next_ahead(now);
  }
  if (piece) entries_[*piece].state = Entry::State::loading;
  return piece;
}

std::optional<std::uint64_t> HttpPieces::next_demanded(Clock::time_point now) {
  for (const std::uint64_t piece : demand_) {
    const auto found = entries_.find(piece);
    if (found != entries_.end() && found->second.state == Entry::State::wanted && found->second.not_before <= now) return piece;
  }
  return std::nullopt;
}

/// One connection stays free for the guest; with a single one nothing is read ahead while the guest waits.
std::optional<std::uint64_t> HttpPieces::next_ahead(Clock::time_point now) {
  if (now < ahead_not_before_) return std::nullopt;
  const auto busy = std::ranges::count_if(workers_, [](const Worker& w) { return w.busy && w.ahead; });
  if (static_cast<std::size_t>(busy) + 1 >= worker_count_ && (worker_count_ > 1 || !demand_.empty())) return std::nullopt;
  while (!ahead_.empty()) {
    const std::uint64_t piece = ahead_.front();
    ahead_.pop_front();
    if (idle(piece)) return piece;
  }
  return next_in_order();
}

/// At most half of the memory is filled with what an earlier run wanted and this one has not used yet.
std::optional<std::uint64_t> HttpPieces::next_in_order() {
  for (; order_next_ < order_.size(); ++order_next_) {
    const std::uint64_t piece = order_[order_next_];
    if (!idle(piece) || used_[static_cast<std::size_t>(piece)]) continue;
    if ((order_unused_ + 1) * layout_.piece_bytes > options_.memory_bytes / 2) return std::nullopt;
    ++order_next_;
    ++order_unused_;
    entries_[piece].from_order = true;
    return piece;
  }
  return std::nullopt;
}

void HttpPieces::sleep_until_next_attempt() {
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  const auto consider = [&](Clock::time_point time) { next = time > now ? std::min(next, time) : next; };
  {
    const std::lock_guard lock{mutex_};
    for (const std::uint64_t piece : demand_) {
      const auto found = entries_.find(piece);
      if (found != entries_.end() && found->second.state == Entry::State::wanted) consider(found->second.not_before);
    }
    if (!ahead_.empty() || order_next_ < order_.size()) consider(ahead_not_before_);
  }
  if (next == Clock::time_point::max()) return;
  retry_timer_.expires_at(next);
  retry_timer_.async_wait([this](const error_code& code) {
    if (!code) pump();
  });
}

// --- Loading ---

bool HttpPieces::load_from_cache(std::uint64_t piece) {
  const disk::Sha256Digest* digest = layout_.digest(piece);
  if (digest == nullptr) return false;
  auto bytes = cache_.load(*digest, layout_.piece_bytes);
  if (bytes) keep(piece, std::move(*bytes), &HttpDiskStatus::bytes_cached);
  return bytes.has_value();
}

void HttpPieces::fetch(Worker& worker, std::uint64_t piece) {
  auto timeout = options_.attempt_timeout;
  bool again = false;
  {
    const std::lock_guard lock{mutex_};
    const Entry& entry = entries_.at(piece);
    again = entry.attempts != 0;
    if (entry.demanded) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(entry.since + options_.piece_timeout - Clock::now());
      timeout = std::clamp(left, std::chrono::milliseconds{1}, timeout);
    }
  }
  worker.connection->send({.url = layout_.url_of(piece), .past_caches = again, .body_limit = layout_.piece_bytes, .timeout = timeout},
                          [this, &worker, piece](HttpAnswer answer) { take_answer(worker, piece, std::move(answer)); });
}

void HttpPieces::take_answer(Worker& worker, std::uint64_t piece, HttpAnswer answer) {
  worker.busy = false;
  const std::string problem = check(answer, piece);
  if (problem.empty()) {
    if (const disk::Sha256Digest* digest = layout_.digest(piece)) cache_.store(*digest, answer.body);
    keep(piece, std::move(answer.body), &HttpDiskStatus::bytes_received);
  } else {
    attempt_failed(piece, problem, answer.retry_after);
  }
  wake();
}

/// What is wrong with an answer; empty when it holds the piece.
std::string HttpPieces::check(const HttpAnswer& answer, std::uint64_t piece) const {
  if (!answer.problem.empty()) return answer.problem;
  if (answer.status != 200) return "the server answered " + std::to_string(answer.status) + " " + answer.reason;
  if (answer.body.size() != layout_.piece_bytes) {
    return "the server sent " + std::to_string(answer.body.size()) + " bytes instead of " + std::to_string(layout_.piece_bytes);
  }
  const disk::Sha256Digest* digest = layout_.digest(piece);
  if (digest != nullptr && disk::sha256(std::as_bytes(std::span{answer.body})) != *digest) {
    return "what the server sent does not have the checksum of the manifest";
  }
  return {};
}

void HttpPieces::keep(std::uint64_t piece, std::vector<std::uint8_t> bytes, std::uint64_t HttpDiskStatus::*counter) {
  const std::lock_guard lock{mutex_};
  Entry& entry = entries_.at(piece);
  const std::size_t size = bytes.size();
  entry.bytes = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  entry.state = Entry::State::ready;
  entry.demanded = false;
  entry.backoff.reset();
  recent_.push_front(piece);
  entry.used = recent_.begin();
  const bool first = !loaded_[static_cast<std::size_t>(piece)];
  loaded_[static_cast<std::size_t>(piece)] = true;
  monitor_->update([&](HttpDiskStatus& s) {
    s.*counter += size;
    s.pieces_loaded += first ? 1 : 0;
  });
  limit_memory();
}

void HttpPieces::limit_memory() {
  const std::size_t most = std::max({options_.memory_bytes / layout_.piece_bytes, std::size_t{4}, request_pieces_});
  while (recent_.size() > most) forget(recent_.back());
}

/// Lets go of a piece in whatever state.
void HttpPieces::forget(std::uint64_t piece) {
  const auto found = entries_.find(piece);
  if (found == entries_.end()) return;
  if (found->second.from_order) --order_unused_;
  if (found->second.state == Entry::State::ready) recent_.erase(found->second.used);
  entries_.erase(found);
}

void HttpPieces::attempt_failed(std::uint64_t piece, const std::string& problem, std::chrono::seconds retry_after) {
  const auto now = Clock::now();
  const std::lock_guard lock{mutex_};
  Entry& entry = entries_.at(piece);
  const std::string sentence = sentence_on(piece, problem);
  monitor_->update([&](HttpDiskStatus& s) {
    ++s.retries;
    s.last_error = sentence;
  });
  if (!entry.demanded) {
    ahead_not_before_ = now + kAheadPause;
    return forget(piece);
  }
  const auto pause = std::max<std::chrono::milliseconds>(entry.backoff->next(), retry_after);
  if (++entry.attempts >= options_.attempts || now + pause - entry.since >= options_.piece_timeout) return give_up(piece, sentence, now);
  if (entry.attempts == 1) warn(sentence + " It is tried again.");
  entry.state = Entry::State::wanted;
  entry.not_before = now + pause;
}

void HttpPieces::give_up(std::uint64_t piece, const std::string& sentence, Clock::time_point now) {
  if (failures_.size() >= kMaxFailures) {
    failures_.erase(std::ranges::min_element(failures_, {}, [](const auto& failure) { return failure.second.until; }));
  }
  failures_[piece] = {now + options_.failure_hold, sentence};
  forget(piece);
  monitor_->update([](HttpDiskStatus& s) { ++s.failures; });
}

std::string HttpPieces::sentence_on(std::uint64_t piece, const std::string& problem) const {
  return "Cannot load " + disk::piece_name(piece) + " of the disk \"" + layout_.name() + "\": " + problem + ".";
}

// --- The order for the next run ---

void HttpPieces::record_order() {
  if (!cache_.enabled()) return;
  write_order();
  if (Clock::now() - opened_ > kRecordTime) return;
  record_timer_.expires_after(kRecordInterval);
  record_timer_.async_wait([this](const error_code& code) {
    if (!code) record_order();
  });
}

/// A run that wanted much less than the one before it, since it was ended early, leaves that one's order.
void HttpPieces::write_order() {
  std::vector<std::uint64_t> record;
  {
    const std::lock_guard lock{mutex_};
    if (record_.size() == recorded_ || record_.size() < order_.size() / 2) return;
    record = record_;
  }
  recorded_ = record.size();
  if (record != order_) cache_.store_order(id_, record);
}

}  // namespace tuxarium::net
