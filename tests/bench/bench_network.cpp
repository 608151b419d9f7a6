// How fast TCP is between the default guest and this host through ttyS1, and how long a ping to its gateway takes: with the user-mode
// network, and with a websocket to a tuxarium-bridge where one is given.
//
// usage: bench_network [MEGABYTES [TUXARIUM_BRIDGE]]     (default: 8; with a bridge as root, in a network namespace of its own)

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/user_network.hpp>
#include <tuxarium/websocket_link.hpp>

#include "bench/bridge_network.hpp"
#include "bench/figures.hpp"
#include "bench/guest_session.hpp"
#include "bench/tcp_server.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using bench::Direction;
constexpr double kLimit = 180;

/// A network and the ways to its servers.
struct Place {
  const char* name;
  tuxarium::Result<std::shared_ptr<tuxarium::NetworkLink>> (*make_link)();
  const char* gateway;  // as the guest calls it
  const char* server;   // the same, as the host calls it
  const char* net_up;
};

const Place kUserNetwork{"user-mode network", [] { return tuxarium::make_user_network({.host_loopback = true}); }, "10.0.2.2", "127.0.0.1",
                         "net-up"};
tuxarium::Result<std::shared_ptr<tuxarium::NetworkLink>> make_link_to_bridge() {
  tuxarium::WebsocketLinkOptions options;
  options.url = "ws://127.0.0.1:3000/tap";
  return tuxarium::make_websocket_link(options);
}

const Place kBridge{"websocket and bridge", make_link_to_bridge, bench::kBridgeAddress, bench::kBridgeAddress, "net-up 10.0.2.20"};

/// How the host calls run().
enum class Pace { frames, events };

class Guest {
 public:
  Guest(const Place& place, Pace pace) : place_{place}, pace_{pace} {
    auto network = place.make_link();
    if (!network) bench::give_up(network.error().message);
    network_ = *network;
    network_->on_receivable([this] {
      const std::lock_guard lock{lock_};
      woken_ = true;
      changed_.notify_one();
    });
    tuxarium::Config config;
    config.boot = tuxarium::default_guest();
    config.network = network_;
    auto machine = tuxarium::Machine::create(std::move(config));
    if (!machine) bench::give_up(machine.error().message);
    machine_ = std::move(*machine);
    run_until("/root # ");
    command(place.net_up);
  }
  ~Guest() { network_->on_receivable({}); }

  /// Types a shell command; returns what the console shows up to the next prompt.
  std::string command(const std::string& text) {
    type(text);
    return run_until("/root # ");
  }

  void type(const std::string& text) {
    const std::string line = text + "\n";
    machine_->serial(0).write(std::as_bytes(std::span{line}));
  }

  std::string run_until(std::string_view end) {
    std::string output;
    const double start = bench::wall_seconds();
    while (output.find(end) == std::string::npos) {
      if (bench::wall_seconds() - start > kLimit) bench::give_up("the guest does not answer: " + output);
      turn(output);
    }
    return output;
  }

  const Place& place() const { return place_; }
  const tuxarium::NetworkLink& network() const { return *network_; }

 private:
  void turn(std::string& output) {
    const auto frame_end = Clock::now() + 16667us;
    const auto result = machine_->run({.cycles = 0, .wall = 4ms});
    std::array<std::byte, 4096> buffer;
    while (const std::size_t count = machine_->serial(0).read(buffer)) output.append(reinterpret_cast<const char*>(buffer.data()), count);
    if (pace_ == Pace::frames) return std::this_thread::sleep_until(frame_end);
    if (result.reason != tuxarium::StopReason::idle) return;
    std::unique_lock lock{lock_};
    changed_.wait_for(lock, std::min<std::chrono::nanoseconds>(result.idle_for, 100ms), [this] { return woken_; });
    woken_ = false;
  }

  Place place_;
  Pace pace_;
  std::shared_ptr<tuxarium::NetworkLink> network_;
  std::unique_ptr<tuxarium::Machine> machine_;
  std::mutex lock_;
  std::condition_variable changed_;
  bool woken_ = false;
};

void measure_rate(Guest& guest, const char* name, std::size_t mebibytes, Direction direction) {
  const bench::TcpServer server{guest.place().server};
  auto seconds = std::async(std::launch::async, [&] { return server.transfer(mebibytes << 20, direction); });
  const double cpu = bench::cpu_seconds();
  guest.command(bench::transfer_command(direction, guest.place().gateway, server.port(), mebibytes));
  const double wall = seconds.get();
  std::printf("%-40s %6.2f Mbit/s (%.0f %% of the thread's time on the CPU)\n", name, static_cast<double>(mebibytes << 20) * 8e-6 / wall,
              100 * (bench::cpu_seconds() - cpu) / wall);
}

void measure_ping(Guest& guest, const char* name) {
  const auto times = bench::ping_times(guest.command(std::string{"ping -c 60 -i 0.1 "} + guest.place().gateway));
  std::printf("%-40s median %.2f ms, 90 %% within %.2f ms, %zu of 60 answered\n", name, bench::median(times), bench::quantile(times, .9),
              times.size());
}

void measure(const Place& place, Pace pace, const char* host, std::size_t mebibytes) {
  Guest guest{place, pace};
  std::printf("-- %s; %s\n", place.name, host);
  measure_ping(guest, "ping of the gateway");
  measure_rate(guest, "TCP, host to guest", mebibytes, Direction::to_guest);
  measure_rate(guest, "TCP, guest to host", mebibytes, Direction::from_guest);
  const tuxarium::LinkStatus status = guest.network().status();
  std::printf("%-40s %llu and %llu\n", "frames dropped from and to the guest", static_cast<unsigned long long>(status.dropped_sent),
              static_cast<unsigned long long>(status.dropped_received));
}

void measure_both(const Place& place, std::size_t mebibytes) {
  measure(place, Pace::events, "the host waits for events, as tuxarium-run does", mebibytes);
  measure(place, Pace::frames, "the host calls run() at 60 frames a second, 4 ms each", mebibytes);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mebibytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 8;
  if (tuxarium::has_user_network()) measure_both(kUserNetwork, mebibytes);
  if (argc < 3) return 0;
  bench::enter_own_network();
  const bench::BridgeProcess bridge{{argv[2]}};
  measure_both(kBridge, mebibytes);
  return 0;
}
