// The user-mode network on libslirp (4.1 or newer): the TCP/IP stack that the guest's frames end in.
//
// libslirp speaks ARP, DHCP, IPv4, IPv6, TCP, UDP and ICMP with the guest, and sockets with the host. Its TFTP server, its commands behind ports and its
// saved state are not used. It lives on one thread of ours; what the guest sends and gets passes through two queues.
#include <tuxarium/user_network.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <slirp/libslirp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "base/quiet_thread.hpp"
#include "net/fragment_assembler.hpp"
#include "net/frame_queue.hpp"
#include "net/user_network_guard.hpp"
#include "net/user_network_signal.hpp"

namespace tuxarium {

namespace {

using namespace net;
using Clock = std::chrono::steady_clock;

/// With so many bytes for the guest waiting, the host's sockets are left alone until fewer wait: their senders then slow down, and nothing is dropped.
constexpr std::size_t kHighWater = 64u << 10, kLowWater = 16u << 10;
constexpr int kFramesAtOnce = 64;  // of the guest's between two looks at the sockets
constexpr unsigned kLeastConnections = 8;

/// libslirp keeps its clock and the name server's address in variables of the process. All that runs it holds this lock, and gives it one clock.
std::mutex& library_lock() {
  static std::mutex lock;
  return lock;
}

std::int64_t clock_nanoseconds() { return std::chrono::nanoseconds{Clock::now().time_since_epoch()}.count(); }

in_addr address_of(std::uint32_t number) { return in_addr{htonl(number)}; }

/// A forward with its addresses read.
struct Forward {
  bool udp;
  in_addr host, guest;
  std::uint16_t host_port, guest_port;
};

Error wrong(const std::string& sentence) { return Error{ErrorCode::invalid_argument, sentence}; }

std::string name_of(const PortForward& forward) {
  return std::string{forward.protocol == PortForward::Protocol::udp ? "udp" : "tcp"} + " " + forward.host_address + ":" + std::to_string(forward.host_port);
}

Result<Forward> read_forward(const PortForward& forward) {
  Forward read{forward.protocol == PortForward::Protocol::udp, {}, {}, forward.host_port, forward.guest_port};
  if (inet_pton(AF_INET, forward.host_address.c_str(), &read.host) != 1) {
    return wrong("cannot forward " + name_of(forward) + ": \"" + forward.host_address + "\" is not an IPv4 address");
  }
  if (inet_pton(AF_INET, forward.guest_address.c_str(), &read.guest) != 1 || (ntohl(read.guest.s_addr) & kUserNetmask) != kUserNetwork) {
    return wrong("cannot forward " + name_of(forward) + ": the guest's address \"" + forward.guest_address + "\" is not in 10.0.2.0/24");
  }
  if (forward.host_port == 0 || forward.guest_port == 0) return wrong("cannot forward " + name_of(forward) + ": a port is 1 to 65535");
  return read;
}

GuestFrameGuard::Options guard_options(const UserNetworkOptions& options, const std::vector<Forward>& forwards) {
  GuestFrameGuard::Options guard{.host_loopback = options.host_loopback, .ipv6 = options.ipv6, .udp_forwards = {}};
  for (const Forward& forward : forwards) {
    if (forward.udp) guard.udp_forwards.push_back({ntohl(forward.guest.s_addr), forward.guest_port});
  }
  return guard;
}

class UserNetwork final : public NetworkLink {
 public:
  static Result<std::shared_ptr<NetworkLink>> make(const UserNetworkOptions& options);

  UserNetwork(const UserNetworkOptions& options, const std::vector<Forward>& forwards);
  ~UserNetwork() override;

  bool send(std::span<const std::byte> frame) override;
  std::size_t receive(std::span<std::byte> out) override;
  LinkStatus status() const override;
  void on_receivable(std::function<void()> wake) override;

 private:
  struct Timer {
    SlirpTimerCb expired;
    void* argument;
    std::int64_t at_ms = std::numeric_limits<std::int64_t>::max();
  };

  Result<void> open(const UserNetworkOptions& options, const std::vector<Forward>& forwards);
  Result<void> listen(const std::vector<Forward>& forwards, const std::vector<PortForward>& names);

  // On the link's thread.
  void work();
  int prepare();
  void turn(bool polled);
  void take_from_guest(int most);
  void take_frame(std::span<const std::byte> frame);
  bool give_to_stack(std::span<const std::byte> frame);
  void expire_timers();
  void wake_guest();
  bool has_room(GuestFrameGuard::Verdict verdict) const;
  bool is_full_listener(int descriptor) const;
  int add_poll(int descriptor, int events);
  int events_at(int index) const;
  void deliver(std::span<const std::byte> frame);
  static SlirpCb callbacks();

  FrameQueue from_guest_, to_guest_;
  WakeSignal signal_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> stalled_{false};  // the link's thread waits for the guest to take frames

  std::atomic<std::uint64_t> frames_sent_{0}, bytes_sent_{0}, frames_received_{0}, bytes_received_{0};
  std::atomic<std::uint64_t> refused_{0}, guarded_{0}, dropped_received_{0};

  std::mutex wake_lock_;
  std::function<void()> wake_;

  FragmentAssembler fragments_;
  GuestFrameGuard guard_;
  unsigned max_connections_;
  SlirpCb callbacks_ = callbacks();  // libslirp keeps a pointer to it
  Slirp* slirp_ = nullptr;
  std::vector<pollfd> entries_;      // the first is the signal
  std::vector<std::unique_ptr<Timer>> timers_;
  std::set<int> connections_;        // descriptors of libslirp that are no listeners
  bool delivered_first_ = false;     // a frame for a guest that had none
  std::thread thread_;
};

UserNetwork& network(void* opaque) { return *static_cast<UserNetwork*>(opaque); }

UserNetwork::UserNetwork(const UserNetworkOptions& options, const std::vector<Forward>& forwards)
    : from_guest_{options.send_queue},
      to_guest_{options.receive_queue},
      guard_{guard_options(options, forwards)},
      max_connections_{std::max(options.max_connections, kLeastConnections)} {}

Result<std::shared_ptr<NetworkLink>> UserNetwork::make(const UserNetworkOptions& options) {
  std::vector<Forward> forwards;
  for (const PortForward& forward : options.forwards) {
    auto read = read_forward(forward);
    if (!read) return read.error();
    forwards.push_back(*read);
  }
  auto link = std::make_shared<UserNetwork>(options, forwards);
  if (const auto opened = link->open(options, forwards); !opened) return opened.error();
  return std::shared_ptr<NetworkLink>{std::move(link)};
}

Result<void> UserNetwork::open(const UserNetworkOptions& options, const std::vector<Forward>& forwards) {
  const auto refused = [](int number) {
    return Error{ErrorCode::io, "cannot start the user-mode network: " + std::system_category().message(number)};
  };
  if (!signal_.valid()) return refused(errno);
  SlirpConfig config{};
  config.version = 1;
  config.in_enabled = true;
  config.vnetwork = address_of(kUserNetwork);
  config.vnetmask = address_of(kUserNetmask);
  config.vhost = address_of(kUserGateway);
  config.vdhcp_start = address_of(kUserFirstGuest);
  config.vnameserver = address_of(kUserNameServer);
  config.in6_enabled = options.ipv6;
  std::memcpy(&config.vprefix_addr6, kUserPrefix6, sizeof kUserPrefix6);
  config.vprefix_len = 8 * sizeof kUserPrefix6;
  config.vhost6 = config.vnameserver6 = config.vprefix_addr6;
  config.vhost6.s6_addr[15] = 2;
  config.vnameserver6.s6_addr[15] = 3;
  config.disable_host_loopback = !options.host_loopback && !guard_.stands_in_for_loopback_switch();
  {
    const std::lock_guard lock{library_lock()};
    slirp_ = slirp_new(&config, &callbacks_, this);
  }
  if (slirp_ == nullptr) return refused(EINVAL);
  if (auto listening = listen(forwards, options.forwards); !listening) return listening;
  try {
    thread_ = start_quiet_thread([this] { work(); });
  } catch (const std::system_error& problem) {
    return refused(problem.code().value());
  }
  return {};
}

Result<void> UserNetwork::listen(const std::vector<Forward>& forwards, const std::vector<PortForward>& names) {
  const std::lock_guard lock{library_lock()};
  for (std::size_t i = 0; i < forwards.size(); ++i) {
    const Forward& forward = forwards[i];
    if (slirp_add_hostfwd(slirp_, forward.udp, forward.host, forward.host_port, forward.guest, forward.guest_port) >= 0) continue;
    return Error{ErrorCode::io, "cannot forward " + name_of(names[i]) + " to the guest: " + std::system_category().message(errno)};
  }
  return {};
}

UserNetwork::~UserNetwork() {
  stop_.store(true);
  if (thread_.joinable()) {
    signal_.set();
    thread_.join();
  }
  if (slirp_ == nullptr) return;
  const std::lock_guard lock{library_lock()};
  slirp_cleanup(slirp_);
}

// ---- the machine's thread

bool UserNetwork::send(std::span<const std::byte> frame) {
  bool was_empty = false;
  if (frame.size() < kMinFrame || frame.size() > kMaxFrame || !from_guest_.push(frame, &was_empty)) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  if (was_empty) signal_.set();
  return true;
}

std::size_t UserNetwork::receive(std::span<std::byte> out) {
  const std::size_t size = to_guest_.pop(out);
  if (size == 0) return 0;
  frames_received_.fetch_add(1, std::memory_order_relaxed);
  bytes_received_.fetch_add(size, std::memory_order_relaxed);
  if (stalled_.load(std::memory_order_seq_cst) && to_guest_.bytes() <= kLowWater && stalled_.exchange(false)) signal_.set();
  return size;
}

LinkStatus UserNetwork::status() const {
  LinkStatus status;
  status.state = LinkState::up;
  status.frames_sent = frames_sent_.load(std::memory_order_relaxed);
  status.bytes_sent = bytes_sent_.load(std::memory_order_relaxed);
  status.frames_received = frames_received_.load(std::memory_order_relaxed);
  status.bytes_received = bytes_received_.load(std::memory_order_relaxed);
  status.dropped_sent = refused_.load(std::memory_order_relaxed) + guarded_.load(std::memory_order_relaxed);
  status.dropped_received = dropped_received_.load(std::memory_order_relaxed);
  status.connections = 1;
  return status;
}

void UserNetwork::on_receivable(std::function<void()> wake) {
  const std::lock_guard lock{wake_lock_};
  wake_ = std::move(wake);
}

// ---- the link's thread

void UserNetwork::work() {
  while (!stop_.load()) {
    const int longest = prepare();
    turn(::poll(entries_.data(), entries_.size(), longest) >= 0);
    wake_guest();
  }
  // What the guest has sent before it stopped still goes out.
  {
    const std::lock_guard lock{library_lock()};
    take_from_guest(std::numeric_limits<int>::max());
  }
  prepare();
  turn(::poll(entries_.data(), entries_.size(), 0) >= 0);
}

/// Makes the list for poll(); returns how long to sleep, in milliseconds.
int UserNetwork::prepare() {
  stalled_.store(true, std::memory_order_seq_cst);
  const bool stalled = to_guest_.bytes() > kHighWater;
  if (!stalled) stalled_.store(false, std::memory_order_relaxed);

  std::uint32_t longest = 60'000;
  entries_.assign(1, {signal_.descriptor(), POLLIN, 0});
  {
    const std::lock_guard lock{library_lock()};
    slirp_pollfds_fill(
        slirp_, &longest, [](int descriptor, int events, void* opaque) { return network(opaque).add_poll(descriptor, events); }, this);
  }
  if (stalled) entries_.resize(1);
  const std::int64_t now = clock_nanoseconds() / 1'000'000;
  std::int64_t span = longest;
  for (const auto& timer : timers_) span = std::min(span, std::max<std::int64_t>(timer->at_ms - now, 0));
  return from_guest_.empty() ? static_cast<int>(span) : 0;
}

void UserNetwork::turn(bool polled) {
  if (polled && entries_[0].revents != 0) signal_.clear();
  const std::lock_guard lock{library_lock()};
  expire_timers();
  slirp_pollfds_poll(slirp_, polled ? 0 : 1, [](int index, void* opaque) { return network(opaque).events_at(index); }, this);
  take_from_guest(kFramesAtOnce);
}

void UserNetwork::take_from_guest(int most) {
  std::array<std::byte, kMaxFrame> frame;
  for (; most > 0; --most) {
    const std::size_t size = from_guest_.pop(frame);
    if (size == 0) return;
    take_frame(std::span{frame}.first(size));
  }
}

void UserNetwork::take_frame(std::span<const std::byte> frame) {
  std::uint64_t dropped = 0;
  if (FragmentAssembler::is_fragment(frame)) {
    const std::uint64_t dropped_before = fragments_.dropped();
    const auto datagram = fragments_.take(frame, clock_nanoseconds() / 1'000'000);
    dropped = fragments_.dropped() - dropped_before;
    if (!datagram.empty() && !give_to_stack(datagram)) ++dropped;
  } else if (!give_to_stack(frame)) {
    dropped = 1;
  }
  guarded_.fetch_add(dropped, std::memory_order_relaxed);
  if (dropped != 0) return;
  frames_sent_.fetch_add(1, std::memory_order_relaxed);
  bytes_sent_.fetch_add(frame.size(), std::memory_order_relaxed);
}

/// False when the guard, or the number of connections, forbids it.
bool UserNetwork::give_to_stack(std::span<const std::byte> frame) {
  const auto verdict = guard_.judge(frame);
  if (verdict == GuestFrameGuard::Verdict::drop || !has_room(verdict)) return false;
  slirp_input(slirp_, reinterpret_cast<const std::uint8_t*>(frame.data()), static_cast<int>(frame.size()));
  return true;
}

/// An eighth of the connections is kept for name queries, so that a guest that has used up the others can still look for one.
bool UserNetwork::has_room(GuestFrameGuard::Verdict verdict) const {
  if (verdict == GuestFrameGuard::Verdict::pass) return true;
  const unsigned reserve = verdict == GuestFrameGuard::Verdict::name_query ? 0 : max_connections_ / 8;
  return connections_.size() < max_connections_ - reserve;
}

void UserNetwork::expire_timers() {
  const std::int64_t now = clock_nanoseconds() / 1'000'000;
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    if (timers_[i]->at_ms > now) continue;
    timers_[i]->at_ms = std::numeric_limits<std::int64_t>::max();
    timers_[i]->expired(timers_[i]->argument);
  }
}

void UserNetwork::wake_guest() {
  if (!std::exchange(delivered_first_, false)) return;
  const std::lock_guard lock{wake_lock_};
  if (wake_) wake_();
}

/// With no connection left, who knocks from outside waits.
bool UserNetwork::is_full_listener(int descriptor) const {
  if (has_room(GuestFrameGuard::Verdict::opens) || connections_.contains(descriptor)) return false;
  int listens = 0;
  socklen_t size = sizeof listens;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

int UserNetwork::add_poll(int descriptor, int events) {
  if (is_full_listener(descriptor)) return -1;
  constexpr std::array<std::pair<int, short>, 3> kEvents{{{SLIRP_POLL_IN, POLLIN}, {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI}}};
  pollfd entry{descriptor, 0, 0};
  for (const auto& [theirs, ours] : kEvents) {
    if ((events & theirs) != 0) entry.events = static_cast<short>(entry.events | ours);
  }
  entries_.push_back(entry);
  return static_cast<int>(entries_.size()) - 1;
}

int UserNetwork::events_at(int index) const {
  if (index < 0 || static_cast<std::size_t>(index) >= entries_.size()) return 0;
  constexpr std::array<std::pair<short, int>, 6> kEvents{{{POLLIN, SLIRP_POLL_IN},
                                                         {POLLOUT, SLIRP_POLL_OUT},
                                                         {POLLPRI, SLIRP_POLL_PRI},
                                                         {POLLERR, SLIRP_POLL_ERR},
                                                         {POLLNVAL, SLIRP_POLL_ERR},
                                                         {POLLHUP, SLIRP_POLL_HUP}}};
  int events = 0;
  for (const auto& [ours, theirs] : kEvents) {
    if ((entries_[static_cast<std::size_t>(index)].revents & ours) != 0) events |= theirs;
  }
  return events;
}

void UserNetwork::deliver(std::span<const std::byte> frame) {
  bool was_empty = false;
  if (frame.size() < kMinFrame || frame.size() > kMaxFrame || !to_guest_.push(frame, &was_empty)) {
    dropped_received_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  guard_.note_for_guest(frame);
  delivered_first_ |= was_empty;
}

/// What libslirp asks of us. All come from inside its functions.
SlirpCb UserNetwork::callbacks() {
  SlirpCb callbacks{};
  callbacks.send_packet = [](const void* data, std::size_t size, void* opaque) {
    network(opaque).deliver({static_cast<const std::byte*>(data), size});
    return static_cast<ssize_t>(size);  // also of a frame that was dropped, as on a wire
  };
  callbacks.guest_error = [](const char*, void*) {};
  callbacks.clock_get_ns = [](void*) { return clock_nanoseconds(); };
  callbacks.timer_new = [](SlirpTimerCb expired, void* argument, void* opaque) -> void* {
    return network(opaque).timers_.emplace_back(std::make_unique<Timer>(Timer{expired, argument})).get();
  };
  callbacks.timer_free = [](void* timer, void* opaque) { std::erase_if(network(opaque).timers_, [timer](const auto& each) { return each.get() == timer; }); };
  callbacks.timer_mod = [](void* timer, std::int64_t at_ms, void*) { static_cast<Timer*>(timer)->at_ms = at_ms; };
  callbacks.register_poll_fd = [](int descriptor, void* opaque) {
    if (descriptor >= 0) network(opaque).connections_.insert(descriptor);
  };
  callbacks.unregister_poll_fd = [](int descriptor, void* opaque) { network(opaque).connections_.erase(descriptor); };
  callbacks.notify = [](void*) {};
  return callbacks;
}

}  // namespace

Result<std::shared_ptr<NetworkLink>> make_user_network(const UserNetworkOptions& options) { return UserNetwork::make(options); }

bool has_user_network() noexcept { return true; }

}  // namespace tuxarium
