// A network namespace of the benchmark's own, a tuxarium-bridge in it, and plain sockets that speak to it. Needs root.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace bench {

constexpr std::uint16_t kBridgePort = 3000;
constexpr const char* kBridgeAddress = "10.0.2.1";

[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

/// Nothing that the benchmark does to the network is seen outside. Before any thread starts.
inline void enter_own_network() {
  if (::unshare(CLONE_NEWNET) != 0 || std::system("ip link set lo up") != 0) give_up("No network namespace: root is needed.");
  (void)::signal(SIGPIPE, SIG_IGN);
}

inline sockaddr_in ipv4_address(const char* address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  if (::inet_pton(AF_INET, address, &result.sin_addr) != 1) std::abort();
  return result;
}

/// The connection that the bridge takes; waits until it listens.
inline int connect_to_bridge() {
  const int link = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = ipv4_address("127.0.0.1", kBridgePort);
  for (int i = 0; i < 200; ++i) {
    if (::connect(link, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      const int on = 1;
      ::setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return link;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  give_up("The bridge does not listen.");
}

/// tuxarium-bridge with its bridge br1, from "listens" to its end.
class BridgeProcess {
 public:
  explicit BridgeProcess(std::vector<std::string> words) {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // also when this program gives up
      const int quiet = ::open("/dev/null", O_RDWR);
      ::dup2(quiet, STDERR_FILENO);
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(connect_to_bridge());
  }
  BridgeProcess(const BridgeProcess&) = delete;
  BridgeProcess& operator=(const BridgeProcess&) = delete;
  ~BridgeProcess() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

/// A connection that has become a websocket (RFC 6455).
inline int open_websocket(const std::string& path) {
  const int link = connect_to_bridge();
  const std::string hello =
      "GET " + path +
      " HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n";
  if (::write(link, hello.data(), hello.size()) != static_cast<ssize_t>(hello.size())) give_up("The bridge takes no request.");
  std::string answer;
  char c;
  while (!answer.ends_with("\r\n\r\n") && ::read(link, &c, 1) == 1) answer += c;
  if (!answer.starts_with("HTTP/1.1 101")) give_up("The bridge refuses: " + answer.substr(0, 40));
  return link;
}

enum class Opcode : std::uint8_t { binary = 2, close = 8, ping = 9, pong = 10 };

/// Appends a message under a mask of zeros.
inline void append_message(std::vector<std::uint8_t>& to, Opcode opcode, std::span<const std::uint8_t> payload) {
  to.push_back(static_cast<std::uint8_t>(0x80 | static_cast<unsigned>(opcode)));
  if (payload.size() < 126) {
    to.push_back(static_cast<std::uint8_t>(0x80 | payload.size()));
  } else if (payload.size() < 65536) {
    to.insert(to.end(), {0x80 | 126, static_cast<std::uint8_t>(payload.size() >> 8), static_cast<std::uint8_t>(payload.size() & 0xff)});
  } else {
    std::abort();
  }
  to.insert(to.end(), 4, 0);
  to.insert(to.end(), payload.begin(), payload.end());
}

/// Gives the whole messages at the start of `bytes` to `take(opcode, payload)` and removes them.
template <class Take>
void take_messages(std::vector<std::uint8_t>& bytes, Take take) {
  std::size_t at = 0;
  while (bytes.size() - at >= 4) {
    const std::uint8_t* const head = bytes.data() + at;
    const bool is_long = head[1] == 126;
    const std::size_t front = is_long ? 4 : 2, size = is_long ? std::size_t{head[2]} << 8 | head[3] : head[1];
    if (bytes.size() - at < front + size) break;
    take(static_cast<Opcode>(head[0] & 15), std::span{head + front, size});
    at += front + size;
  }
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

/// A TAP device of the benchmark's own on the bridge br1.
inline int open_tap_on_bridge(const std::string& name) {
  const int tap = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (tap < 0 || ::ioctl(tap, TUNSETIFF, &request) != 0) give_up("No TAP device can be made.");
  if (std::system(("ip link set " + name + " master br1 up").c_str()) != 0) give_up("The device " + name + " does not get onto br1.");
  return tap;
}

}  // namespace bench
