// TCP and ping between the default guest and this host through ttyS1, tapper, a websocket and tuxarium-bridge: under tuxarium-run beside
// qemu-system-i386 with software emulation (TCG). The rounds of both alternate, so that other load on the host meets both.
//
// usage: bench_tcp_peer TUXARIUM_RUN TUXARIUM_BRIDGE [ROUNDS [MEGABYTES]]. Needs root: it works in a network namespace of its own.
//
// Both run the same kernel, disk and tapper in 24 MiB (qemu_guest.hpp). QEMU's second serial port is a socket; a relay in this program
// carries it as a websocket to the bridge's /tap. QEMU writes that socket byte by byte; the relay sends a message when a frame is whole,
// with all frames that are there.
#include <poll.h>
#include <sys/un.h>

#include <atomic>
#include <future>
#include <optional>

#include "bench/bridge_network.hpp"
#include "bench/figures.hpp"
#include "bench/guest_program.hpp"
#include "bench/qemu_guest.hpp"
#include "bench/tcp_server.hpp"
#include "wire/frame_stream.hpp"

namespace {

using bench::Direction;
constexpr std::uint64_t kRamMiB = 24;
constexpr const char* kPrompt = "/root # ";
constexpr int kPings = 40;

/// Between a socket that a serial port is tied to and the bridge's /tap, on a thread of its own.
class Relay {
 public:
  explicit Relay(const std::string& path) : listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 || ::listen(listener_, 1) != 0)
      bench::give_up("Cannot listen at " + path + ".");
    thread_ = std::thread{[this] { carry(); }};
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

 private:
  static constexpr std::size_t kEnough = 65536;  // bytes that wait; then nothing more is read
  using Queue = std::vector<std::uint8_t>;

  void carry() {
    serial_ = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (serial_ < 0) return;
    bridge_ = bench::open_websocket("/tap");
    ::fcntl(bridge_, F_SETFL, O_NONBLOCK);
    while (!stopping_ && turn()) {
    }
    ::close(serial_), ::close(bridge_);
  }

  /// False when one of the two has gone.
  bool turn() {
    std::array<pollfd, 2> sides{pollfd{serial_, events(to_bridge_, to_serial_), 0}, pollfd{bridge_, events(to_serial_, to_bridge_), 0}};
    ::poll(sides.data(), sides.size(), 100);
    if (sides[0].revents & (POLLIN | POLLHUP) && !from_serial()) return false;
    if (sides[1].revents & (POLLIN | POLLHUP) && !from_bridge()) return false;
    put(serial_, to_serial_);
    put(bridge_, to_bridge_);
    return true;
  }

  static short events(const Queue& filled_by_it, const Queue& for_it) {
    return static_cast<short>((filled_by_it.size() < kEnough ? POLLIN : 0) | (for_it.empty() ? 0 : POLLOUT));
  }

  bool from_serial() {
    const ssize_t count = ::recv(serial_, buffer_.data(), buffer_.size(), 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    Queue records;
    frames_.feed(std::as_bytes(std::span{buffer_}.first(static_cast<std::size_t>(count))), [&](std::span<const std::byte> frame) {
      const auto length = tuxarium::wire::length_field(frame.size());
      for (const auto part : {std::span<const std::byte>{length}, frame})
        for (const std::byte byte : part) records.push_back(static_cast<std::uint8_t>(byte));
    });
    if (!records.empty()) bench::append_message(to_bridge_, bench::Opcode::binary, records);
    return true;
  }

  bool from_bridge() {
    const ssize_t count = ::recv(bridge_, buffer_.data(), buffer_.size(), 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    from_bridge_.insert(from_bridge_.end(), buffer_.begin(), buffer_.begin() + count);
    bench::take_messages(from_bridge_, [&](bench::Opcode opcode, std::span<const std::uint8_t> payload) {
      if (opcode == bench::Opcode::binary) to_serial_.insert(to_serial_.end(), payload.begin(), payload.end());
      if (opcode == bench::Opcode::ping) bench::append_message(to_bridge_, bench::Opcode::pong, payload);
    });
    return true;
  }

  static void put(int to, Queue& bytes) {
    if (bytes.empty()) return;
    const ssize_t count = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) bytes.erase(bytes.begin(), bytes.begin() + count);
  }

  int listener_, serial_ = -1, bridge_ = -1;
  std::array<std::uint8_t, 32768> buffer_;
  tuxarium::wire::FrameAssembler frames_;
  Queue from_bridge_, to_bridge_, to_serial_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// One of the two, at its shell, with its figures.
class Guest {
 public:
  Guest(const char* name, const std::vector<std::string>& words, const std::string& address) : name_{name}, program_{words} {
    if (!program_.wait_for(kPrompt)) bench::give_up(name_ + ": the guest does not reach its prompt.");
    command("net-up " + address);
    int tries = 10;
    while (bench::ping_times(command("ping -c 3 10.0.2.1")).empty())
      if (--tries == 0) bench::give_up(name_ + ": the guest does not reach the bridge.");
  }

  void measure_rate(Direction direction, std::size_t mebibytes) {
    const bench::TcpServer server{bench::kBridgeAddress};
    auto seconds = std::async(std::launch::async, [&] { return server.transfer(mebibytes << 20, direction); });
    const double cpu = program_.cpu_seconds();
    command(bench::transfer_command(direction, bench::kBridgeAddress, server.port(), mebibytes));
    const double wall = seconds.get();
    if (wall == 0) bench::give_up(name_ + ": a transfer broke off.");
    auto& figures = direction == Direction::to_guest ? to_guest : from_guest;
    figures.rate.push_back(static_cast<double>(mebibytes << 20) * 8e-6 / wall);
    figures.processor.push_back(100 * (program_.cpu_seconds() - cpu) / wall);
  }

  void measure_ping() {
    const auto times = bench::ping_times(command("ping -c " + std::to_string(kPings) + " -i 0.05 10.0.2.1"));
    pings_lost += kPings - static_cast<int>(times.size());
    ping.insert(ping.end(), times.begin(), times.end());
  }

  struct Rates {
    std::vector<double> rate;       // Mbit/s
    std::vector<double> processor;  // % of a core, of the emulator with its threads
  };
  Rates to_guest, from_guest;
  std::vector<double> ping;  // milliseconds
  int pings_lost = 0;

  void print() const {
    std::printf(
        "%-18s host to guest %6.2f Mbit/s (%3.0f %% of a core)   guest to host %6.2f Mbit/s (%3.0f %% of a core)   ping %5.2f ms, 90 %% "
        "%5.2f ms, %d lost\n",
        name_.c_str(), bench::median(to_guest.rate), bench::median(to_guest.processor), bench::median(from_guest.rate),
        bench::median(from_guest.processor), bench::median(ping), bench::quantile(ping, .9), pings_lost);
  }

 private:
  std::string command(const std::string& text) {
    program_.type(text + "\n");
    auto output = program_.wait_for(kPrompt);
    if (!output) bench::give_up(name_ + ": the guest does not answer.");
    return *output;
  }

  std::string name_;
  bench::Program program_;
};

void judge(const char* what, double value, double limit, bool at_most) {
  std::printf("%-44s %7.2f  (%s %.1f)%s\n", what, value, at_most ? "at most" : "at least", limit,
              (at_most ? value <= limit : value >= limit) ? "" : " MISSED");
}

int run(const std::string& program, int rounds, std::size_t mebibytes) {
  const bench::TemporaryFolder folder;
  if (!bench::write_qemu_guest(folder.path(), kRamMiB)) return 2;
  const std::string socket = folder.path() / "ttyS1";
  std::vector<std::string> qemu = bench::qemu_command(folder.path(), kRamMiB);
  qemu.insert(qemu.end(), {"-serial", "unix:" + socket, "-nic", "none"});
  Guest here{"tuxarium-run", {program, "--ram", std::to_string(kRamMiB) + "M", "--net", "ws://127.0.0.1:3000/tap"}, "10.0.2.20"};
  std::optional<Relay> relay;
  std::optional<Guest> there;
  if (bench::has_qemu()) {
    relay.emplace(socket);
    there.emplace("qemu-system-i386", qemu, "10.0.2.30");
  } else {
    std::printf("There is no qemu-system-i386 to compare with.\n");
  }
  for (int i = 0; i < rounds; ++i) {
    for (const Direction direction : {Direction::to_guest, Direction::from_guest}) {
      here.measure_rate(direction, mebibytes);
      if (there) there->measure_rate(direction, mebibytes);
    }
    here.measure_ping();
    if (there) there->measure_ping();
  }
  std::printf("%d rounds of %zu MiB and %d pings, medians\n", rounds, mebibytes, kPings);
  here.print();
  if (there) {
    there->print();
    judge("host to guest, times QEMU's rate", bench::median(here.to_guest.rate) / bench::median(there->to_guest.rate), 1, false);
    judge("guest to host, times QEMU's rate", bench::median(here.from_guest.rate) / bench::median(there->from_guest.rate), 1, false);
  }
  judge("host to guest, Mbit/s", bench::median(here.to_guest.rate), 10, false);
  judge("guest to host, Mbit/s", bench::median(here.from_guest.rate), 10, false);
  judge("ping, ms", bench::median(here.ping), 1, true);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) bench::give_up("usage: bench_tcp_peer TUXARIUM_RUN TUXARIUM_BRIDGE [ROUNDS [MEGABYTES]]");
  const int rounds = argc > 3 ? std::max(1, std::atoi(argv[3])) : 5;
  const std::size_t mebibytes = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 4;
  bench::enter_own_network();
  const bench::BridgeProcess bridge{{argv[2]}};
  return run(argv[1], rounds, mebibytes);
}
