// The host's end of a TCP transfer from or to a guest.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/guest_session.hpp"

namespace bench {

enum class Direction { to_guest, from_guest };

/// The guest's end, a shell command. (Not `head -c`: busybox copies that byte by byte, which takes more of the guest's time than the
/// network.)
inline std::string transfer_command(Direction direction, const std::string& address, unsigned port, std::size_t mebibytes) {
  const std::string peer = "nc " + address + " " + std::to_string(port);
  if (direction == Direction::to_guest) return peer + " > /dev/null";
  return "dd if=/dev/zero bs=64k count=" + std::to_string(16 * mebibytes) + " 2> /dev/null | " + peer;
}

/// The times in the output of ping, in milliseconds.
inline std::vector<double> ping_times(const std::string& output) {
  std::vector<double> times;
  for (std::size_t at = 0; (at = output.find("time=", at)) != std::string::npos; ++at) times.push_back(std::atof(output.c_str() + at + 5));
  return times;
}

/// A TCP server for one connection.
class TcpServer {
 public:
  explicit TcpServer(const char* address) : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    ::inet_pton(AF_INET, address, &name.sin_addr);
    socklen_t size = sizeof name;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&name), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
  }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;
  ~TcpServer() { ::close(listener_); }
  unsigned port() const { return port_; }

  /// Sends or takes so many bytes; returns the seconds from the connection to its end at the guest. 0: it broke off.
  double transfer(std::size_t bytes, Direction direction) const {
    const bool to_guest = direction == Direction::to_guest;
    const int connection = ::accept(listener_, nullptr, nullptr);
    const double start = wall_seconds();
    std::vector<char> block(65536, 'x');
    std::size_t left = bytes;
    while (to_guest && left != 0) {
      const ssize_t count = ::send(connection, block.data(), std::min(left, block.size()), MSG_NOSIGNAL);
      if (count <= 0) break;
      left -= static_cast<std::size_t>(count);
    }
    if (to_guest) ::shutdown(connection, SHUT_WR);
    while (to_guest || left != 0) {
      const ssize_t count = ::recv(connection, block.data(), block.size(), 0);
      if (count <= 0) break;
      left -= std::min(left, static_cast<std::size_t>(count));
    }
    const double seconds = wall_seconds() - start;
    ::close(connection);
    return left == 0 ? seconds : 0;
  }

 private:
  int listener_;
  unsigned port_ = 0;
};

}  // namespace bench
