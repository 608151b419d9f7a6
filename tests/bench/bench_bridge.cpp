// tuxarium-bridge under load: clients in pairs send each other frames over /ethernet at a steady rate. Prints a table: frames lost; the
// time from one client's send() to the other's recv(); what of that the bridge adds to the way between two TAP devices on the same kernel
// bridge; processor time and memory of the bridge.
//
// usage: bench_bridge TUXARIUM_BRIDGE [CLIENTS [FRAMES_A_SECOND [SECONDS [BYTES]]]]. Needs root: it works in a network namespace of its
// own.
//
// Time starts when every client has heard its partner, so that all addresses are learnt and nothing is flooded. A frame counts when it
// comes to the client that it is for with a number that has not come before.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <atomic>
#include <optional>
#include <utility>

#include "bench/bridge_network.hpp"
#include "bench/figures.hpp"
#include "bench/process.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kHeader = 14;   // of Ethernet; then number and time
constexpr std::uint64_t kWarmUp = 0;  // the number of a frame that does not count

std::int64_t now_ns() { return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count(); }

struct Stamp {
  std::uint64_t number = 0;
  std::int64_t time = 0;
};

/// An Ethernet frame of an experimental type, from station `from` to station `to`.
class Frame {
 public:
  Frame(unsigned from, unsigned to, const Stamp& stamp, std::size_t size) : bytes_(size) {
    put_address(0, to);
    put_address(6, from);
    bytes_[12] = 0x88, bytes_[13] = 0xb5;
    std::memcpy(bytes_.data() + kHeader, &stamp, sizeof stamp);
  }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

  /// What a frame for station `to` says; false for other frames.
  static bool read(std::span<const std::uint8_t> frame, unsigned to, Stamp& stamp) {
    if (frame.size() < kHeader + sizeof stamp || frame[12] != 0x88 || frame[13] != 0xb5) return false;
    if (frame[0] != 0x02 || (unsigned{frame[4]} << 8 | frame[5]) != to) return false;
    std::memcpy(&stamp, frame.data() + kHeader, sizeof stamp);
    return true;
  }

 private:
  void put_address(std::size_t at, unsigned station) {
    bytes_[at] = 0x02;
    bytes_[at + 4] = static_cast<std::uint8_t>(station >> 8), bytes_[at + 5] = static_cast<std::uint8_t>(station);
  }
  std::vector<std::uint8_t> bytes_;
};

class Client {
 public:
  explicit Client(unsigned station) : station_{station}, link_{bench::open_websocket("/ethernet")} { ::fcntl(link_, F_SETFL, O_NONBLOCK); }
  Client(Client&& other) noexcept : station_{other.station_}, link_{std::exchange(other.link_, -1)} {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (link_ >= 0) ::close(link_);
  }

  int link() const { return link_; }
  unsigned station() const { return station_; }

  /// False, and the frame is not sent, while the socket has not taken all of the one before.
  bool send(unsigned to, std::uint64_t number, std::size_t size) {
    if (!flush()) return false;
    bench::append_message(waiting_, bench::Opcode::binary, Frame{station_, to, {number, now_ns()}, size}.bytes());
    flush();
    return true;
  }

  /// Takes what has come; calls `take` for each frame that is for this client.
  template <class Take>
  void receive(Take take) {
    flush();
    std::array<std::uint8_t, 65536> chunk;
    for (ssize_t count; (count = ::recv(link_, chunk.data(), chunk.size(), 0)) > 0;)
      bytes_.insert(bytes_.end(), chunk.begin(), chunk.begin() + count);
    bench::take_messages(bytes_, [&](bench::Opcode opcode, std::span<const std::uint8_t> payload) {
      Stamp stamp;
      if (opcode == bench::Opcode::binary && Frame::read(payload, station_, stamp)) take(stamp);
    });
  }

  /// Of frames for this client.
  std::vector<bool> seen;
  bool heard = false;

 private:
  bool flush() {
    if (waiting_.empty()) return true;
    const ssize_t count = ::send(link_, waiting_.data(), waiting_.size(), MSG_NOSIGNAL);
    if (count > 0) waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    return waiting_.empty();
  }

  unsigned station_;
  int link_;
  std::vector<std::uint8_t> bytes_, waiting_;
};

/// Clients 2n and 2n + 1 send each other frames.
class Load {
 public:
  Load(unsigned clients, std::size_t bytes) : bytes_{bytes}, epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
    for (unsigned i = 0; i < clients; ++i) {
      clients_.emplace_back(i);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back().link(), &event);
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { ::close(epoll_); }

  /// Until every client has heard its partner, and what was flooded meanwhile has run off.
  void introduce() {
    const auto all_heard = [&] { return std::all_of(clients_.begin(), clients_.end(), [](const Client& client) { return client.heard; }); };
    for (int rounds = 0; !all_heard(); ++rounds) {
      if (rounds == 300) bench::give_up("Some clients do not hear their partners.");
      for (Client& client : clients_) {
        if (!clients_[client.station() ^ 1u].heard || !client.heard) client.send(client.station() ^ 1u, kWarmUp, bytes_);
        collect(0);
      }
      for (int i = 0; i < 10; ++i) collect(10);
    }
    while (collect(300) != 0) {
    }
  }

  void run(double rate, double seconds) {
    const auto start = Clock::now();
    const auto total = static_cast<std::uint64_t>(rate * seconds);
    for (std::uint64_t next = 0; next < total;) {
      const std::chrono::duration<double> passed = Clock::now() - start;
      const auto due = std::min(total, static_cast<std::uint64_t>(passed.count() * rate));
      for (; next < due; ++next) {
        Client& client = clients_[next % clients_.size()];
        ++(client.send(client.station() ^ 1u, next + 1, bytes_) ? sent : not_taken);
      }
      collect(1);
    }
    while (microseconds.size() < sent && collect(1000) != 0) {
    }
  }

  std::uint64_t sent = 0;
  std::uint64_t not_taken = 0;  // by a client's socket, which was full
  std::uint64_t twice = 0;
  std::vector<double> microseconds;  // of each frame, from send() to recv()

 private:
  int collect(int milliseconds) {
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < count; ++i) take(clients_[events[static_cast<std::size_t>(i)].data.u32]);
    return count;
  }

  void take(Client& client) {
    client.receive([&](const Stamp& stamp) {
      client.heard = true;
      if (stamp.number == kWarmUp) return;
      if (client.seen.size() <= stamp.number) client.seen.resize(stamp.number + 1);
      if (client.seen[stamp.number]) return void(++twice);
      client.seen[stamp.number] = true;
      microseconds.push_back(static_cast<double>(now_ns() - stamp.time) / 1000);
    });
  }

  std::size_t bytes_;
  int epoll_;
  std::vector<Client> clients_;
};

/// Sends single frames in turn on two ways, both over the same kernel bridge: between two clients of tuxarium-bridge, and between two TAP
/// devices of its own.
class Probe {
 public:
  static constexpr unsigned kStation = 60000;  // and the three after it

  explicit Probe(std::size_t bytes)
      : bytes_{bytes},
        from_{kStation},
        to_{kStation + 1},
        tap_from_{bench::open_tap_on_bridge("bench0")},
        tap_to_{bench::open_tap_on_bridge("bench1")} {}
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() { ::close(tap_from_), ::close(tap_to_); }

  void introduce() {
    for (int i = 0; !through_bridge() || !back_through_bridge() || !over_taps(tap_from_, tap_to_, kStation + 2) ||
                    !over_taps(tap_to_, tap_from_, kStation + 3);
         ++i)
      if (i == 100) bench::give_up("The probes do not hear each other.");
  }

  struct Times {
    std::vector<double> bridge, taps;  // microseconds
    unsigned lost = 0;
  };
  /// Until told to stop.
  Times run(const std::atomic<bool>& stop) {
    Times times;
    const auto add = [&times](std::vector<double>& to, std::optional<double> time) { time ? to.push_back(*time) : void(++times.lost); };
    while (!stop) {
      add(times.bridge, through_bridge());
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
      add(times.taps, over_taps(tap_from_, tap_to_, kStation + 2));
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return times;
  }

 private:
  static constexpr int kPatience = 200;  // milliseconds

  std::optional<double> through_bridge() { return between(from_, to_); }
  std::optional<double> back_through_bridge() { return between(to_, from_); }

  std::optional<double> between(Client& from, Client& to) {
    const std::uint64_t number = ++number_;
    const std::int64_t start = now_ns();
    from.send(to.station(), number, bytes_);
    return wait(to.link(), start, [&] {
      bool found = false;
      to.receive([&](const Stamp& stamp) { found = found || stamp.number == number; });
      return found;
    });
  }

  /// From station `from` to the other one of the two.
  std::optional<double> over_taps(int write_to, int read_from, unsigned from) {
    const std::uint64_t number = ++number_;
    const unsigned to = from ^ 1u;
    const std::int64_t start = now_ns();
    const Frame frame{from, to, {number, start}, bytes_};
    (void)!::write(write_to, frame.bytes().data(), frame.bytes().size());
    return wait(read_from, start, [&] {
      std::array<std::uint8_t, 2048> buffer;
      Stamp stamp;
      for (ssize_t count; (count = ::read(read_from, buffer.data(), buffer.size())) > 0;)
        if (Frame::read(std::span{buffer}.first(static_cast<std::size_t>(count)), to, stamp) && stamp.number == number) return true;
      return false;
    });
  }

  template <class Arrived>
  static std::optional<double> wait(int descriptor, std::int64_t start, Arrived arrived) {
    for (;;) {
      pollfd ready{descriptor, POLLIN, 0};
      if (::poll(&ready, 1, kPatience) <= 0) return std::nullopt;
      if (arrived()) return static_cast<double>(now_ns() - start) / 1000;
      if (now_ns() - start > kPatience * std::int64_t{1'000'000}) return std::nullopt;
    }
  }

  std::size_t bytes_;
  Client from_, to_;
  int tap_from_, tap_to_;
  std::uint64_t number_ = 0;
};

void print_times(const char* name, const std::vector<double>& microseconds) {
  std::printf("%-46s median %5.0f, 90 %% %5.0f, 99 %% %5.0f microseconds (%zu frames)\n", name, bench::median(microseconds),
              bench::quantile(microseconds, .9), bench::quantile(microseconds, .99), microseconds.size());
}

void print_probe(const char* when, const Probe::Times& times) {
  std::printf("-- single frames in turn, %s\n", when);
  print_times("client, bridge, client", times.bridge);
  print_times("two TAP devices on the same kernel bridge", times.taps);
  std::printf("%-46s median %5.0f microseconds%s\n", "added by the bridge", bench::median(times.bridge) - bench::median(times.taps),
              times.lost == 0 ? "" : (", " + std::to_string(times.lost) + " frames lost").c_str());
}

struct Plan {
  unsigned clients;
  double rate, seconds;
  std::size_t bytes;
};

Probe::Times probe_for(Probe& probe, double seconds) {
  std::atomic<bool> stop{false};
  std::thread timer{[&] {
    std::this_thread::sleep_for(std::chrono::duration<double>{seconds});
    stop = true;
  }};
  auto times = probe.run(stop);
  timer.join();
  return times;
}

void measure(const Plan& plan, pid_t bridge) {
  const long empty = bench::resident_kb_of(bridge);
  Probe probe{plan.bytes};
  probe.introduce();
  print_probe("nothing else under way", probe_for(probe, 3));

  Load load{plan.clients, plan.bytes};
  load.introduce();
  const double before = bench::cpu_seconds_of(bridge);
  std::atomic<bool> stop{false};
  Probe::Times beside;
  std::thread prober{[&] { beside = probe.run(stop); }};
  load.run(plan.rate, plan.seconds);
  const double used = bench::cpu_seconds_of(bridge) - before;
  stop = true;
  prober.join();
  print_probe("beside the load", beside);

  const long full = bench::resident_kb_of(bridge);
  std::printf("-- %u clients, %.0f frames of %zu bytes a second in all, for %.0f s\n", plan.clients, plan.rate, plan.bytes, plan.seconds);
  std::printf("%-46s %llu sent, %zu received, %lld lost, %llu came twice, %llu not sent because a socket was full\n", "frames",
              static_cast<unsigned long long>(load.sent), load.microseconds.size(),
              static_cast<long long>(load.sent) - static_cast<long long>(load.microseconds.size()),
              static_cast<unsigned long long>(load.twice), static_cast<unsigned long long>(load.not_taken));
  print_times("client, bridge, client", load.microseconds);
  std::printf("%-46s %.1f %% of a core, %.2f %% a client, %.1f microseconds a frame\n", "processor time of the bridge",
              100 * used / plan.seconds, 100 * used / plan.seconds / plan.clients, 1e6 * used / static_cast<double>(load.sent));
  std::printf("%-46s %ld KiB, %.1f KiB a client\n", "memory of the bridge", full, static_cast<double>(full - empty) / (plan.clients + 2));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) bench::give_up("usage: bench_bridge TUXARIUM_BRIDGE [CLIENTS [FRAMES_A_SECOND [SECONDS [BYTES]]]]");
  const auto argument = [&](int at, double otherwise) { return argc > at ? std::atof(argv[at]) : otherwise; };
  const Plan plan{static_cast<unsigned>(argument(2, 200)) & ~1u, argument(3, 20'000), argument(4, 10),
                  static_cast<std::size_t>(argument(5, 200))};
  if (plan.clients < 2 || plan.clients > 1000 || plan.bytes < 60 || plan.bytes > 1514)
    bench::give_up("2 to 1000 clients, and frames of 60 to 1514 bytes.");
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  bench::enter_own_network();
  const bench::BridgeProcess bridge{{argv[1], "--max-clients", "1010", "--storm-frames", "0"}};
  measure(plan, bridge.pid());
  return 0;
}
