// How fast frames pass through ttyS1 of the default guest, and how long one takes there and back: with a link of the benchmark's own, so that
// nothing but the machine is measured.
//
// usage: bench_wire [KERNEL [DISK]]     (default: the default guest's own)

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <tuxarium/default_guest.hpp>

#include "bench/guest_session.hpp"

namespace {

constexpr double kLimit = 120;
constexpr char kPrompt[] = "/root # ";

using Clock = std::chrono::steady_clock;
using Frame = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, 6> kOurMac{0x02, 0, 0, 0, 0, 1};
constexpr std::array<std::uint8_t, 4> kOurAddress{10, 0, 2, 1}, kGuestAddress{10, 0, 2, 15};

std::uint16_t checksum(const std::uint8_t* bytes, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < size; i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (size % 2 != 0) sum += static_cast<std::uint32_t>(bytes[size - 1] << 8);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void put_word(Frame& frame, std::size_t at, std::uint16_t value) {
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value & 0xff);
}

/// The other station on the wire: answers ARP and ping after a delay, and sends what it is told to.
class Peer final : public tuxarium::NetworkLink {
 public:
  enum class Flood { none, echo, one_way };

  bool send(std::span<const std::byte> bytes) override {
    Frame frame(bytes.size());
    std::memcpy(frame.data(), bytes.data(), bytes.size());
    ++frames_up;
    bytes_up += frame.size();
    if (frame.size() >= 42 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 1) answer_arp(std::move(frame));
    else if (frame.size() >= 42 && frame[12] == 0x08 && frame[13] == 0x00 && frame[23] == 1) take_icmp(std::move(frame));
    return true;
  }

  std::size_t receive(std::span<std::byte> out) override {
    if (!waiting_.empty() && waiting_.front().due <= Clock::now()) {
      const Frame frame = std::move(waiting_.front().frame);
      waiting_.pop_front();
      return hand_over(frame, out);
    }
    if (flood == Flood::none || (flood == Flood::echo && outstanding >= window)) return 0;
    ++outstanding;
    return hand_over(flood_frame_, out);
  }

  tuxarium::LinkStatus status() const override { return {}; }
  void on_receivable(std::function<void()>) override {}

  /// Makes the frame that floods: an echo request, or the same as a reply that nobody asked for.
  void prepare(std::size_t size) {
    flood_frame_.assign(size, 0x55);
    std::copy(guest_mac.begin(), guest_mac.end(), flood_frame_.begin());
    std::copy(kOurMac.begin(), kOurMac.end(), flood_frame_.begin() + 6);
    put_word(flood_frame_, 12, 0x0800);
    const std::array<std::uint8_t, 12> head{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 1, 0, 0};
    std::copy(head.begin(), head.end(), flood_frame_.begin() + 14);
    put_word(flood_frame_, 16, static_cast<std::uint16_t>(size - 14));
    std::copy(kOurAddress.begin(), kOurAddress.end(), flood_frame_.begin() + 26);
    std::copy(kGuestAddress.begin(), kGuestAddress.end(), flood_frame_.begin() + 30);
    put_word(flood_frame_, 24, checksum(&flood_frame_[14], 20));
    flood_frame_[34] = flood == Flood::one_way ? 0 : 8;
    flood_frame_[35] = 0;
    put_word(flood_frame_, 36, 0);
    put_word(flood_frame_, 36, checksum(&flood_frame_[34], size - 34));
    outstanding = 0;
  }

  Flood flood = Flood::none;
  std::size_t window = 8, outstanding = 0;
  std::chrono::nanoseconds delay{0};
  std::uint64_t frames_up = 0, bytes_up = 0, frames_down = 0, bytes_down = 0, echoes = 0;
  std::array<std::uint8_t, 6> guest_mac{};

 private:
  struct Waiting {
    Frame frame;
    Clock::time_point due;
  };

  std::size_t hand_over(const Frame& frame, std::span<std::byte> out) {
    std::memcpy(out.data(), frame.data(), frame.size());
    ++frames_down;
    bytes_down += frame.size();
    return frame.size();
  }

  void answer(Frame frame) { waiting_.push_back({std::move(frame), Clock::now() + delay}); }

  void answer_arp(Frame frame) {
    std::copy_n(frame.begin() + 6, 6, guest_mac.begin());
    if (!std::equal(kOurAddress.begin(), kOurAddress.end(), frame.begin() + 38)) return;
    std::copy_n(frame.begin() + 22, 10, frame.begin() + 32);
    std::copy_n(frame.begin() + 6, 6, frame.begin());
    std::copy(kOurMac.begin(), kOurMac.end(), frame.begin() + 6);
    std::copy(kOurMac.begin(), kOurMac.end(), frame.begin() + 22);
    std::copy(kOurAddress.begin(), kOurAddress.end(), frame.begin() + 28);
    frame[21] = 2;
    answer(std::move(frame));
  }

  void take_icmp(Frame frame) {
    if (frame[34] == 0) {
      ++echoes;
      if (outstanding != 0) --outstanding;
      return;
    }
    if (frame[34] != 8) return;
    std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
    std::swap_ranges(frame.begin() + 26, frame.begin() + 30, frame.begin() + 30);
    frame[34] = 0;
    put_word(frame, 36, 0);
    put_word(frame, 36, checksum(&frame[34], frame.size() - 34));
    answer(std::move(frame));
  }

  std::deque<Waiting> waiting_;
  Frame flood_frame_;
};

std::string drain(tuxarium::Machine& machine) {
  std::string text;
  std::byte buffer[4096];
  while (const std::size_t count = machine.serial(0).read(buffer)) text.append(reinterpret_cast<const char*>(buffer), count);
  return text;
}

void type(tuxarium::Machine& machine, std::string command) {
  command += '\n';
  machine.serial(0).write(std::as_bytes(std::span{command}));
}

/// False when the console does not show `text` in time.
bool wait_for(tuxarium::Machine& machine, const char* text) {
  std::string shown;
  for (const double end = bench::wall_seconds() + kLimit; bench::wall_seconds() < end; shown += drain(machine)) {
    machine.run({.cycles = 0, .wall = std::chrono::milliseconds{4}});
    if (shown.find(text) != std::string::npos) return true;
  }
  return false;
}

std::string run_for(tuxarium::Machine& machine, double seconds) {
  std::string text;
  for (const double end = bench::wall_seconds() + seconds; bench::wall_seconds() < end; text += drain(machine)) {
    machine.run({.cycles = 0, .wall = std::chrono::milliseconds{4}});
  }
  return text;
}

void measure_rate(tuxarium::Machine& machine, Peer& peer, const char* name, Peer::Flood flood, std::size_t size, std::size_t window) {
  peer.flood = flood;
  peer.window = window;
  peer.prepare(size);
  run_for(machine, 1);
  const std::uint64_t up = peer.bytes_up, down = machine.serial(1).bytes_to_guest(), echoes = peer.echoes, cycles = machine.counters().cycles;
  const double wall = bench::wall_seconds(), cpu = bench::cpu_seconds();
  run_for(machine, 4);
  const double seconds = bench::wall_seconds() - wall, busy = bench::cpu_seconds() - cpu;
  const double bytes = static_cast<double>(machine.serial(1).bytes_to_guest() - down + peer.bytes_up - up);
  const double retired = static_cast<double>(machine.counters().cycles - cycles);
  std::printf("%-34s %7.0f answers/s  to guest %7.2f Mbit/s  from guest %7.2f Mbit/s  (CPU time: both %.2f)  %5.0f instructions a byte, %4.0f MIPS\n", name,
              static_cast<double>(peer.echoes - echoes) / seconds, static_cast<double>(machine.serial(1).bytes_to_guest() - down) * 8e-6 / seconds,
              static_cast<double>(peer.bytes_up - up) * 8e-6 / seconds, bytes * 8e-6 / busy, retired / std::max(bytes, 1.0), retired * 1e-6 / busy);
  peer.flood = Peer::Flood::none;
  run_for(machine, 1);
}

/// Pings from the guest; the host calls run() `rate` times a second, or whenever the guest has something to do when that is 0.
void measure_latency(tuxarium::Machine& machine, Peer& peer, const char* name, double rate) {
  peer.delay = std::chrono::microseconds{200};
  std::string text;
  type(machine, "ping -c 40 -i 0.11 10.0.2.1");
  const double start = bench::wall_seconds(), cpu = bench::cpu_seconds();
  int calls = 0;
  while (text.find("min/avg/max") == std::string::npos && bench::wall_seconds() - start < 60) {
    const auto next = Clock::now() + std::chrono::nanoseconds{rate == 0 ? 50'000 : static_cast<std::int64_t>(1e9 / rate)};
    machine.run({.cycles = 0, .wall = std::chrono::milliseconds{4}});
    ++calls;
    text += drain(machine);
    std::this_thread::sleep_until(next);
  }
  std::vector<double> times;
  for (std::size_t at = 0; (at = text.find("time=", at)) != std::string::npos; ++at) times.push_back(std::atof(text.c_str() + at + 5));
  if (times.empty()) {
    std::printf("%-34s no answer\n%s\n", name, text.c_str());
    return;
  }
  std::sort(times.begin(), times.end());
  std::printf("%-34s %zu answers, ms: median %.3f, 90%% %.3f, max %.3f; CPU %.3f s in %d calls\n", name, times.size(), times[times.size() / 2],
              times[times.size() * 9 / 10], times.back(), bench::cpu_seconds() - cpu, calls);
}

std::vector<std::byte> content(const char* name) {
  std::ifstream file{name, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

std::unique_ptr<tuxarium::Machine> new_machine(const char* kernel, const char* disk, std::shared_ptr<Peer> peer) {
  tuxarium::Config config;
  config.boot = tuxarium::default_guest();
  config.ram_bytes = 64u << 20;
  config.network = std::move(peer);
  auto& boot = std::get<tuxarium::LinuxBoot>(config.boot);
  if (kernel != nullptr) boot.kernel = content(kernel);
  if (disk != nullptr) boot.root_disk = std::make_shared<const std::vector<std::byte>>(content(disk));
  auto machine = tuxarium::Machine::create(std::move(config));
  if (!machine) {
    std::fprintf(stderr, "%s\n", machine.error().message.c_str());
    return nullptr;
  }
  return std::move(*machine);
}

}  // namespace

int main(int argc, char** argv) {
  const auto peer = std::make_shared<Peer>();
  const auto machine = new_machine(argc > 1 ? argv[1] : nullptr, argc > 2 ? argv[2] : nullptr, peer);
  if (machine == nullptr) return 2;
  if (!wait_for(*machine, kPrompt)) {
    std::fprintf(stderr, "The guest did not reach its prompt.\n");
    return 1;
  }
  type(*machine, "cat /proc/tty/driver/serial | head -3; net-up 10.0.2.15; ping -c 1 10.0.2.1; stty -a -F /dev/ttyS1 | head -2");
  std::printf("%s\n", run_for(*machine, 8).c_str());
  measure_latency(*machine, *peer, "ping, host at 60 frames a second", 60);
  measure_latency(*machine, *peer, "ping, host waits for events", 0);
  measure_rate(*machine, *peer, "echo, 1514 bytes, 8 on the way", Peer::Flood::echo, 1514, 8);
  measure_rate(*machine, *peer, "echo, 98 bytes, 8 on the way", Peer::Flood::echo, 98, 8);
  measure_rate(*machine, *peer, "flood to the guest, 1514 bytes", Peer::Flood::one_way, 1514, 0);
  type(*machine, "cat /proc/tty/driver/serial | tail -1; cat /sys/class/net/tap0/statistics/rx_packets; cat /proc/interrupts; dmesg | tail -3");
  std::printf("%s\n", run_for(*machine, 1).c_str());
  return 0;
}
