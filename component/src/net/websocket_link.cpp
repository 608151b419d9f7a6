// The link: frames between two queues and a websocket, which is made anew whenever it ends.
//
// On the machine's thread are send() and receive(), which touch a queue and counters; everything else is on the link's own, which runs
// the event loop. The first frame in an empty queue wakes that loop.
#include <tuxarium/websocket_link.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "base/quiet_thread.hpp"
#include "net/backoff.hpp"
#include "net/beast.hpp"
#include "net/frame_queue.hpp"
#include "net/name_lookup.hpp"
#include "net/tls_context.hpp"
#include "net/url.hpp"
#include "net/websocket_channel.hpp"
#include "wire/frame_stream.hpp"

namespace tuxarium::net {

namespace {

using Clock = asio::steady_timer::clock_type;

constexpr std::chrono::milliseconds kGoodbyeTime{250};
/// A connection that lasts this many first waits ends the doubling of the waits.
constexpr int kSettledWaits = 10;
/// Relays keep their clients awake with text messages `ping:...`, to be answered by `pong:...` (what jor1k's client does).
constexpr std::string_view kRelayPing = "ping:", kRelayPong = "pong:";
constexpr std::size_t kLongestRelayPing = 125;
constexpr std::size_t kLongestToken = 4096;

/// Memory for one handler at a time, so that waking the event loop allocates nothing.
class HandlerMemory {
 public:
  void* take(std::size_t size) {
    if (taken_ || size > sizeof storage_) return ::operator new(size);
    taken_ = true;
    return &storage_;
  }
  void give_back(void* memory) {
    if (memory != &storage_) return ::operator delete(memory);
    taken_ = false;
  }

 private:
  alignas(std::max_align_t) std::array<std::byte, 256> storage_;
  bool taken_ = false;
};

template <class T>
struct HandlerAllocator {
  using value_type = T;
  HandlerMemory* memory;

  explicit HandlerAllocator(HandlerMemory* from) : memory{from} {}
  template <class U>
  HandlerAllocator(const HandlerAllocator<U>& other) : memory{other.memory} {}
  T* allocate(std::size_t count) { return static_cast<T*>(memory->take(count * sizeof(T))); }
  void deallocate(T* at, std::size_t) { memory->give_back(at); }
  template <class U>
  bool operator==(const HandlerAllocator<U>& other) const {
    return memory == other.memory;
  }
};

class WebsocketLink final : public NetworkLink, private ChannelPeer {
 public:
  WebsocketLink(const WebsocketLinkOptions& options, Url url, std::optional<asio::ssl::context> tls)
      : options_{options},
        url_{std::move(url)},
        tls_{std::move(tls)},
        outgoing_{options.send_queue},
        incoming_{options.receive_queue},
        timer_{io_},
        write_watch_{io_},
        backoff_{options.first_retry, options.longest_retry, std::random_device{}()} {}
  WebsocketLink(const WebsocketLink&) = delete;
  WebsocketLink& operator=(const WebsocketLink&) = delete;
  ~WebsocketLink() override;

  /// Throws std::system_error when there is no thread to be had.
  void start();

  bool send(std::span<const std::byte> frame) override;
  std::size_t receive(std::span<std::byte> out) override;
  LinkStatus status() const override;
  void on_receivable(std::function<void()> wake) override;

 private:
  struct Wake {
    using allocator_type = HandlerAllocator<void*>;
    WebsocketLink* link;
    allocator_type get_allocator() const noexcept { return allocator_type{&link->wake_memory_}; }
    void operator()() const {
      link->wake_under_way_.store(false);
      link->write_next();
    }
  };

  // The connection.
  void run();
  void connect();
  void looked_up(std::vector<tcp::endpoint> found, const std::string& problem);
  void on_open() override;
  void on_ended(const std::string& why) override;
  void down(const std::string& why);
  void watch_writes();
  void leave();

  // The frames.
  void on_data(std::span<const std::byte> data, bool is_text, bool end) override;
  void take_frame_message(std::span<const std::byte> data, bool end);
  void take_text(std::span<const std::byte> data, bool end);
  void deliver(std::span<const std::byte> frame);
  void tell_receivable();
  void on_written() override;
  void write_next();
  std::span<const std::byte> next_pong();
  std::span<const std::byte> next_frame();
  void drop_outgoing();

  const WebsocketLinkOptions options_;
  const Url url_;
  std::optional<asio::ssl::context> tls_;

  // Between the threads.
  FrameQueue outgoing_, incoming_;
  std::atomic<bool> wake_under_way_{false};
  HandlerMemory wake_memory_;  // of who has set wake_under_way_
  std::atomic<LinkState> state_{LinkState::connecting};
  struct {
    std::atomic<std::uint64_t> frames_sent{0}, bytes_sent{0}, frames_received{0}, bytes_received{0};
    std::atomic<std::uint64_t> dropped_sent{0}, dropped_received{0}, connections{0};
  } totals_;
  mutable std::mutex error_mutex_;
  std::string last_error_;
  std::mutex wake_mutex_;  // held while the host's function runs
  std::function<void()> wake_host_;

  // The link's own thread.
  asio::io_context io_{1};
  asio::steady_timer timer_;        // the next attempt, or the end of a look-up's or a good-bye's time
  asio::steady_timer write_watch_;
  Backoff backoff_;
  std::shared_ptr<NameLookup> lookup_;
  std::shared_ptr<Channel> channel_;
  Clock::time_point up_since_{};
  bool leaving_ = false;

  std::array<std::byte, wire::kLengthBytes + wire::kMaxFrame> out_;
  bool write_under_way_ = false;
  std::size_t frame_under_way_ = 0;  // its size, or 0 while a pong is under way
  std::uint64_t writes_ = 0, writes_seen_ = 0;
  std::string pong_, pong_under_way_;

  wire::FrameAssembler assembler_;             // WireFormat::length
  std::array<std::byte, wire::kMaxFrame> in_;  // WireFormat::raw
  std::size_t in_filled_ = 0;                  // beyond the size of in_: the message is too long
  std::string text_;                           // the beginning of a text message
  bool delivered_ = false;                     // by the message that is being looked at

  std::thread thread_;
};

// On the machine's thread, or any.

WebsocketLink::~WebsocketLink() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] { leave(); });
  thread_.join();
}

void WebsocketLink::start() {
  thread_ = start_quiet_thread([this] { run(); });
}

bool WebsocketLink::send(std::span<const std::byte> frame) {
  bool was_empty = false;
  const bool is_frame = frame.size() >= wire::kMinFrame && frame.size() <= wire::kMaxFrame;
  if (!is_frame || state_.load() != LinkState::up || !outgoing_.push(frame, &was_empty)) {
    totals_.dropped_sent.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  if (was_empty && !wake_under_way_.exchange(true)) asio::post(io_, Wake{this});
  return true;
}

std::size_t WebsocketLink::receive(std::span<std::byte> out) {
  const std::size_t size = incoming_.pop(out);
  if (size == 0) return 0;
  totals_.frames_received.fetch_add(1, std::memory_order_relaxed);
  totals_.bytes_received.fetch_add(size, std::memory_order_relaxed);
  return size;
}

LinkStatus WebsocketLink::status() const {
  LinkStatus status;
  status.state = state_.load();
  status.frames_sent = totals_.frames_sent;
  status.bytes_sent = totals_.bytes_sent;
  status.frames_received = totals_.frames_received;
  status.bytes_received = totals_.bytes_received;
  status.dropped_sent = totals_.dropped_sent;
  status.dropped_received = totals_.dropped_received;
  status.connections = totals_.connections;
  const std::lock_guard lock{error_mutex_};
  status.last_error = last_error_;
  return status;
}

void WebsocketLink::on_receivable(std::function<void()> wake) {
  const std::lock_guard lock{wake_mutex_};
  wake_host_ = std::move(wake);
}

// On the link's own thread from here on.

void WebsocketLink::run() {
  const auto work = asio::make_work_guard(io_);
  try {
    watch_writes();
    connect();
    io_.run();
  } catch (const std::exception& problem) {
    down(std::string{"The network link has given up: "} + problem.what() + ".");
  }
}

void WebsocketLink::connect() {
  if (leaving_) return;
  state_ = LinkState::connecting;
  lookup_ = NameLookup::start(io_, url_, [this](std::vector<tcp::endpoint> found, const std::string& problem) { looked_up(std::move(found), problem); });
  timer_.expires_after(options_.connect_timeout);
  timer_.async_wait([this](error_code error) {
    // There is only ever one look-up: it is waited for.
    if (!error && lookup_ != nullptr) down("The name " + url_.host + " has not been resolved yet.");
  });
}

void WebsocketLink::looked_up(std::vector<tcp::endpoint> found, const std::string& problem) {
  lookup_.reset();
  timer_.cancel();
  if (leaving_) return;
  if (found.empty()) return on_ended("The name " + url_.host + " could not be resolved: " + problem + ".");
  state_ = LinkState::connecting;
  channel_ = make_channel(io_, {url_, options_.token, tls_ ? &*tls_ : nullptr, options_.connect_timeout, options_.silence}, *this);
  channel_->open(std::move(found));
}

void WebsocketLink::on_open() {
  if (leaving_) return;
  assembler_.reset();
  in_filled_ = 0;
  text_.clear();
  drop_outgoing();
  up_since_ = Clock::now();
  ++totals_.connections;
  state_ = LinkState::up;
  write_next();
}

void WebsocketLink::on_ended(const std::string& why) {
  channel_.reset();
  if (leaving_) return io_.stop();
  if (state_ == LinkState::up && Clock::now() - up_since_ >= kSettledWaits * options_.first_retry) backoff_.reset();
  down(why);
  if (std::exchange(frame_under_way_, 0) != 0) ++totals_.dropped_sent;
  write_under_way_ = false;
  pong_.clear();
  drop_outgoing();
  timer_.expires_after(backoff_.next());
  timer_.async_wait([this](error_code error) {
    if (!error) connect();
  });
}

void WebsocketLink::down(const std::string& why) {
  {
    const std::lock_guard lock{error_mutex_};
    last_error_ = why;
  }
  state_ = LinkState::down;
}

/// A server that talks but does not read would otherwise keep the connection for ever.
void WebsocketLink::watch_writes() {
  if (write_under_way_ && writes_ == writes_seen_) {
    channel_->detach();
    on_ended("The server at " + url_.authority() + " takes no more frames.");
  }
  writes_seen_ = writes_;
  write_watch_.expires_after(options_.silence);
  write_watch_.async_wait([this](error_code error) {
    if (!error) watch_writes();
  });
}

void WebsocketLink::leave() {
  leaving_ = true;
  if (lookup_ != nullptr) lookup_->abandon();
  if (state_ != LinkState::up) return io_.stop();
  channel_->close();
  timer_.expires_after(kGoodbyeTime);
  timer_.async_wait([this](error_code) { io_.stop(); });
}

void WebsocketLink::on_data(std::span<const std::byte> data, bool is_text, bool end) {
  if (leaving_) return;
  delivered_ = false;
  if (is_text) {
    take_text(data, end);
  } else if (options_.format == WireFormat::raw) {
    take_frame_message(data, end);
  } else {
    const std::uint64_t skipped = assembler_.skipped();
    assembler_.feed(data, [this](std::span<const std::byte> frame) { deliver(frame); });
    if (assembler_.skipped() != skipped) ++totals_.dropped_received;
  }
  if (delivered_) tell_receivable();
}

void WebsocketLink::take_frame_message(std::span<const std::byte> data, bool end) {
  const std::size_t room = in_.size() - std::min(in_filled_, in_.size());
  std::copy_n(data.begin(), std::min(data.size(), room), in_.end() - static_cast<std::ptrdiff_t>(room));
  in_filled_ += data.size();
  if (!end) return;
  const std::size_t size = std::exchange(in_filled_, 0);
  if (size >= wire::kMinFrame && size <= wire::kMaxFrame) deliver(std::span<const std::byte>(in_).first(size));
  else if (size != 0) ++totals_.dropped_received;
}

void WebsocketLink::take_text(std::span<const std::byte> data, bool end) {
  const std::size_t room = kLongestRelayPing + 1 - std::min(text_.size(), kLongestRelayPing + 1);
  text_.append(reinterpret_cast<const char*>(data.data()), std::min(data.size(), room));
  if (!end) return;
  const std::string text = std::exchange(text_, {});
  if (options_.format == WireFormat::raw && text.starts_with(kRelayPing) && text.size() <= kLongestRelayPing) {
    pong_ = std::string{kRelayPong} + text.substr(kRelayPing.size());
    write_next();
  } else {
    ++totals_.dropped_received;
  }
}

void WebsocketLink::deliver(std::span<const std::byte> frame) {
  if (incoming_.push(frame)) delivered_ = true;
  else ++totals_.dropped_received;
}

void WebsocketLink::tell_receivable() {
  const std::lock_guard lock{wake_mutex_};
  if (wake_host_) wake_host_();
}

void WebsocketLink::write_next() {
  if (write_under_way_ || leaving_ || state_ != LinkState::up) return;
  std::span<const std::byte> message = next_pong();
  const bool is_text = !message.empty();
  if (message.empty()) message = next_frame();
  if (message.empty()) return;
  write_under_way_ = true;
  ++writes_;
  channel_->write(message, is_text);
}

std::span<const std::byte> WebsocketLink::next_pong() {
  pong_under_way_ = std::exchange(pong_, {});
  return std::as_bytes(std::span{pong_under_way_});
}

std::span<const std::byte> WebsocketLink::next_frame() {
  frame_under_way_ = outgoing_.pop(std::span{out_}.subspan(wire::kLengthBytes));
  if (frame_under_way_ == 0) return {};
  const auto length = wire::length_field(frame_under_way_);
  std::copy(length.begin(), length.end(), out_.begin());
  const std::span<const std::byte> record = std::span{out_}.first(wire::kLengthBytes + frame_under_way_);
  return options_.format == WireFormat::raw ? record.subspan(wire::kLengthBytes) : record;
}

void WebsocketLink::on_written() {
  write_under_way_ = false;
  if (const std::size_t size = std::exchange(frame_under_way_, 0); size != 0) {
    ++totals_.frames_sent;
    totals_.bytes_sent += size;
  }
  write_next();
}

void WebsocketLink::drop_outgoing() { totals_.dropped_sent += outgoing_.clear(); }

Error wrong(const std::string& what) { return {ErrorCode::invalid_argument, what}; }

/// Nothing that could end the header's line.
bool fits_a_header(std::string_view token) {
  return std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; });
}

Result<void> check(const WebsocketLinkOptions& options, const Url& url) {
  constexpr std::size_t kLargestQueue = 64u << 20;
  if (url.scheme != Scheme::ws && url.scheme != Scheme::wss) return wrong("The URL \"" + url.text() + "\" is no network: it must begin with ws:// or wss://.");
  if (!fits_a_header(options.token)) return wrong("The token for the network holds a blank, a control character or one outside ASCII.");
  if (options.token.size() > kLongestToken) return wrong("The token for the network has more than " + std::to_string(kLongestToken) + " characters.");
  if (std::max(options.send_queue, options.receive_queue) > kLargestQueue) return wrong("A queue of the network is to have more than 64 MiB.");
  const auto shortest = std::min({options.connect_timeout, options.silence, options.first_retry, options.longest_retry});
  if (shortest <= std::chrono::milliseconds::zero()) return wrong("A time of the network is not above zero.");
  return {};
}

Result<std::optional<asio::ssl::context>> tls_for(const Url& url, const TlsOptions& options) {
  if (!url.secure()) return std::optional<asio::ssl::context>{};
  auto context = make_tls_context(options.ca_file);
  if (!context) return context.error();
  if (!options.verify) context->set_verify_mode(asio::ssl::verify_none);
  return std::optional{std::move(context).value()};
}

}  // namespace

}  // namespace tuxarium::net

namespace tuxarium {

Result<std::shared_ptr<NetworkLink>> make_websocket_link(const WebsocketLinkOptions& options) {
  auto url = net::parse_url(options.url);
  if (!url) return url.error();
  if (const auto checked = net::check(options, *url); !checked) return checked.error();
  auto tls = net::tls_for(*url, options.tls);
  if (!tls) return tls.error();
  try {
    auto link = std::make_shared<net::WebsocketLink>(options, std::move(*url), std::move(*tls));
    link->start();
    return std::shared_ptr<NetworkLink>{std::move(link)};
  } catch (const std::system_error& error) {
    return Error{ErrorCode::io, "The network link cannot be started: " + error.code().message() + "."};
  }
}

}  // namespace tuxarium
