// tuxarium-bridge under load: clients in pairs send each other frames over /ethernet at a steady rate. Prints a table: frames lost, the time from one
// client's send() to the other's recv() (twice through the bridge, once through the kernel's), processor time and memory of the bridge for each client.
//
// bench_bridge PROGRAM [CLIENTS [FRAMES_A_SECOND [SECONDS [BYTES]]]]. Needs root: it works in a network namespace of its own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint16_t kPort = 3000;
constexpr std::size_t kHeader = 14;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_bridge: %s\n", why.c_str());
  std::exit(1);
}

std::int64_t now_ns() { return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count(); }

pid_t start_bridge(const char* program) {
  const pid_t process = ::fork();
  if (process == 0) {
    const int quiet = ::open("/dev/null", O_RDWR);
    ::dup2(quiet, STDERR_FILENO);
    ::execl(program, program, "--max-clients", "1000", "--storm-frames", "0", nullptr);
    ::_exit(127);
  }
  return process;
}

int connect_to_bridge() {
  const int link = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 200; ++i) {
    if (::connect(link, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return link;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  give_up("the bridge does not listen");
}

class Client {
 public:
  explicit Client(unsigned number) : number_{number}, link_{connect_to_bridge()} {
    const int on = 1;
    ::setsockopt(link_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::string hello =
        "GET /ethernet HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n";
    if (::write(link_, hello.data(), hello.size()) != static_cast<ssize_t>(hello.size())) give_up("the bridge takes no request");
    std::string answer;
    char c;
    while (!answer.ends_with("\r\n\r\n") && ::read(link_, &c, 1) == 1) answer += c;
    if (!answer.starts_with("HTTP/1.1 101")) give_up("the bridge refuses: " + answer.substr(0, 40));
    ::fcntl(link_, F_SETFL, O_NONBLOCK);
  }

  int link() const { return link_; }

  /// A frame with the time in it, to client `to`, or to nobody in particular to be learned.
  void send(unsigned to, std::size_t bytes) {
    std::vector<std::uint8_t> message(8 + bytes, 0);
    message[0] = 0x82;
    message[1] = 0x80 | 126;
    message[2] = static_cast<std::uint8_t>(bytes >> 8);
    message[3] = static_cast<std::uint8_t>(bytes & 0xff);
    std::uint8_t* const frame = message.data() + 8;
    put_address(frame, to);
    put_address(frame + 6, number_);
    frame[12] = 0x88, frame[13] = 0xb5;
    const std::int64_t time = now_ns();
    std::memcpy(frame + kHeader, &time, sizeof time);
    if (::send(link_, message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size())) ++refused;
  }

  /// Takes what has come; adds the age of each frame.
  void receive(std::vector<std::int64_t>& ages) {
    std::array<std::uint8_t, 65536> chunk;
    for (;;) {
      const ssize_t count = ::recv(link_, chunk.data(), chunk.size(), 0);
      if (count <= 0) break;
      bytes_.insert(bytes_.end(), chunk.begin(), chunk.begin() + count);
    }
    const std::int64_t time = now_ns();
    std::size_t at = 0;
    while (bytes_.size() - at >= 4) {
      const bool is_long = bytes_[at + 1] == 126;
      const std::size_t head = is_long ? 4 : 2, length = is_long ? std::size_t{bytes_[at + 2]} << 8 | bytes_[at + 3] : bytes_[at + 1];
      if (bytes_.size() - at < head + length) break;
      const std::uint8_t* const frame = bytes_.data() + at + head;
      if ((bytes_[at] & 15) == 2 && length >= kHeader + 8 && frame[12] == 0x88 && frame[13] == 0xb5 && frame[0] == 0x02) {
        std::int64_t sent;
        std::memcpy(&sent, frame + kHeader, sizeof sent);
        ages.push_back(time - sent);
      }
      at += head + length;
    }
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  std::uint64_t refused = 0;

 private:
  static void put_address(std::uint8_t* at, unsigned number) {
    const std::array<std::uint8_t, 6> address{0x02, 0, 0, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number & 0xff)};
    if (number == 0) std::memset(at, 0xff, 6);
    else std::memcpy(at, address.data(), address.size());
  }

  unsigned number_;
  int link_;
  std::vector<std::uint8_t> bytes_;
};

double processor_seconds(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string word;
  double ticks = 0;
  for (int i = 1; file >> word && i <= 15; ++i)
    if (i >= 14) ticks += std::stod(word);
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

long resident_kb(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/statm"};
  long pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

class Load {
 public:
  Load(unsigned clients, std::size_t bytes) : bytes_{bytes}, epoll_{::epoll_create1(0)} {
    for (unsigned i = 1; i <= clients; ++i) {
      clients_.emplace_back(i);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = i - 1;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back().link(), &event);
    }
  }

  void introduce() {
    for (Client& client : clients_) {
      client.send(0, bytes_);
      collect(5);
    }
    for (int i = 0; i < 20; ++i) collect(50);
    ages.clear();
  }

  void run(double rate, double seconds) {
    const auto start = Clock::now();
    const auto total = static_cast<std::uint64_t>(rate * seconds);
    while (sent < total) {
      const std::chrono::duration<double> passed = Clock::now() - start;
      const auto due = std::min(total, static_cast<std::uint64_t>(passed.count() * rate));
      for (; sent < due; ++sent) {
        const auto from = static_cast<unsigned>(sent % clients_.size());
        clients_[from].send((from ^ 1u) + 1, bytes_);
      }
      collect(1);
    }
    for (int i = 0; i < 20 && ages.size() < sent; ++i) collect(100);
  }

  std::uint64_t refused() const {
    std::uint64_t count = 0;
    for (const Client& client : clients_) count += client.refused;
    return count;
  }

  std::uint64_t sent = 0;
  std::vector<std::int64_t> ages;

 private:
  void collect(int milliseconds) {
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < count; ++i) clients_[events[static_cast<std::size_t>(i)].data.u32].receive(ages);
  }

  std::size_t bytes_;
  int epoll_;
  std::vector<Client> clients_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) give_up("usage: bench_bridge PROGRAM [CLIENTS [FRAMES_A_SECOND [SECONDS [BYTES]]]]");
  const auto argument = [&](int at, double otherwise) { return argc > at ? std::atof(argv[at]) : otherwise; };
  const auto clients = static_cast<unsigned>(argument(2, 200)) & ~1u;
  const double rate = argument(3, 20'000), seconds = argument(4, 10);
  const auto bytes = static_cast<std::size_t>(argument(5, 200));
  if (clients < 2 || bytes < 126 || bytes > 1514) give_up("two clients at least, and frames of 126 to 1514 bytes");
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (::unshare(CLONE_NEWNET) != 0 || std::system("ip link set lo up") != 0) give_up("no network namespace: root is needed");
  const pid_t bridge = start_bridge(argv[1]);
  ::close(connect_to_bridge());
  const long empty = resident_kb(bridge);
  {
    Load load{clients, bytes};
    load.introduce();
    const double before = processor_seconds(bridge);
    load.run(rate, seconds);
    const double used = processor_seconds(bridge) - before;
    std::sort(load.ages.begin(), load.ages.end());
    const auto at = [&](double part) { return load.ages.empty() ? 0.0 : static_cast<double>(load.ages[static_cast<std::size_t>(part * static_cast<double>(load.ages.size() - 1))]) / 1000; };
    std::printf("clients                        %u\nframes a second, in all         %.0f of %zu bytes for %.0f s\n", clients, rate, bytes, seconds);
    std::printf("sent, received, lost           %llu, %zu, %lld\n", static_cast<unsigned long long>(load.sent), load.ages.size(),
                static_cast<long long>(load.sent) - static_cast<long long>(load.ages.size()));
    std::printf("client to client, microseconds median %.0f, 90 %% %.0f, 99 %% %.0f\n", at(.5), at(.9), at(.99));
    std::printf("processor time of the bridge   %.1f %% of a core, %.1f microseconds a frame\n", 100 * used / seconds, 1e6 * used / static_cast<double>(load.sent));
    const long full = resident_kb(bridge);
    std::printf("memory of the bridge           %ld KiB, %.1f KiB a client\n", full, static_cast<double>(full - empty) / clients);
  }
  ::kill(bridge, SIGTERM);
  ::waitpid(bridge, nullptr, 0);
  return 0;
}
