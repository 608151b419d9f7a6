// How fast TCP is between the default guest and this host through ttyS1 and the user-mode network, and how long a ping to its gateway takes.
//
// usage: bench_network [MEGABYTES]     (default: 8)

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/user_network.hpp>

#include "bench/guest_session.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr double kLimit = 180;

/// How the host calls run().
enum class Pace { frames, events };

class Guest {
 public:
  explicit Guest(Pace pace) : pace_{pace} {
    auto network = tuxarium::make_user_network({.host_loopback = true});
    if (!network) fail(network.error().message);
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
    if (!machine) fail(machine.error().message);
    machine_ = std::move(*machine);
    run_until("/root # ");
    command("net-up");
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
      if (bench::wall_seconds() - start > kLimit) fail("the guest does not answer: " + output);
      turn(output);
    }
    return output;
  }

  const tuxarium::NetworkLink& network() const { return *network_; }

 private:
  [[noreturn]] static void fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
  }

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

  Pace pace_;
  std::shared_ptr<tuxarium::NetworkLink> network_;
  std::unique_ptr<tuxarium::Machine> machine_;
  std::mutex lock_;
  std::condition_variable changed_;
  bool woken_ = false;
};

/// A TCP server on the loopback for one connection.
class Server {
 public:
  Server() : listener_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Server() { ::close(listener_); }
  unsigned port() const { return port_; }

  /// Sends or takes so many bytes; returns the seconds from the connection to its end at the guest.
  double transfer(std::size_t bytes, bool download) const {
    const int connection = ::accept(listener_, nullptr, nullptr);
    const double start = bench::wall_seconds();
    std::vector<char> block(65536, 'x');
    for (std::size_t left = download ? bytes : 0; left != 0;) {
      const ssize_t count = ::send(connection, block.data(), std::min(left, block.size()), MSG_NOSIGNAL);
      if (count <= 0) break;
      left -= static_cast<std::size_t>(count);
    }
    if (download) ::shutdown(connection, SHUT_WR);
    std::size_t taken = 0;
    for (ssize_t count = 1; count > 0 && (download || taken < bytes); taken += static_cast<std::size_t>(std::max<ssize_t>(count, 0))) {
      count = ::recv(connection, block.data(), block.size(), 0);
    }
    const double seconds = bench::wall_seconds() - start;
    ::close(connection);
    return seconds;
  }

 private:
  int listener_;
  unsigned port_ = 0;
};

void measure_rate(Guest& guest, const char* name, std::size_t bytes, bool download) {
  const Server server;
  auto seconds = std::async(std::launch::async, [&] { return server.transfer(bytes, download); });
  const std::string peer = "nc 10.0.2.2 " + std::to_string(server.port());
  const double cpu = bench::cpu_seconds();
  guest.command(download ? peer + " > /dev/null" : "head -c " + std::to_string(bytes) + " /dev/zero | " + peer);
  const double wall = seconds.get();
  std::printf("%-40s %6.2f Mbit/s (%.0f %% of the thread's time on the CPU)\n", name, static_cast<double>(bytes) * 8e-6 / wall,
              100 * (bench::cpu_seconds() - cpu) / wall);
}

void measure_ping(Guest& guest, const char* name) {
  const std::string output = guest.command("ping -c 60 -i 0.1 10.0.2.2");
  std::vector<double> times;
  for (std::size_t at = 0; (at = output.find("time=", at)) != std::string::npos; ++at) times.push_back(std::atof(output.c_str() + at + 5));
  std::ranges::sort(times);
  if (times.empty()) return void(std::printf("%-40s no answer\n", name));
  std::printf("%-40s median %.2f ms, 90 %% within %.2f ms, %zu of 60 answered\n", name, times[times.size() / 2], times[times.size() * 9 / 10], times.size());
}

void measure(Pace pace, const char* host, std::size_t bytes) {
  Guest guest{pace};
  std::printf("-- %s\n", host);
  measure_ping(guest, "ping of the gateway");
  measure_rate(guest, "TCP, host to guest", bytes, true);
  measure_rate(guest, "TCP, guest to host", bytes, false);
  const tuxarium::LinkStatus status = guest.network().status();
  std::printf("%-40s %llu and %llu\n", "frames dropped from and to the guest", static_cast<unsigned long long>(status.dropped_sent),
              static_cast<unsigned long long>(status.dropped_received));
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t bytes = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 8) << 20;
  measure(Pace::events, "the host waits for events, as tuxarium-run does", bytes);
  measure(Pace::frames, "the host calls run() at 60 frames a second, 4 ms each", bytes);
  return 0;
}
