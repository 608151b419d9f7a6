#include "serial_link.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>

#include "sentences.hpp"

namespace tuxarium::app {
namespace {

constexpr int kConnectSeconds = 10;

bool set_nonblocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool would_wait(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

void drop_front(std::vector<std::byte>& bytes, std::size_t count) {
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

/// Waits for a connection that was started; 0 or what went wrong.
int finish_connect(int descriptor) {
  pollfd wait{descriptor, POLLOUT, 0};
  const int ready = ::poll(&wait, 1, kConnectSeconds * 1000);
  if (ready == 0) return ETIMEDOUT;
  if (ready < 0) return errno;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

/// A connected, non-blocking socket, or -1 with `error` set.
int connect_to(const addrinfo& address, int& error) {
  const int descriptor = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol);
  if (descriptor < 0) {
    error = errno;
    return -1;
  }
  error = ::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) error = finish_connect(descriptor);
  if (error == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

}  // namespace

Result<SerialLinkSpec> parse_serial_link(std::string_view text) {
  using Kind = SerialLinkSpec::Kind;
  if (text == "none") return SerialLinkSpec{};
  if (text == "pty") return SerialLinkSpec{Kind::pty, {}, {}};
  const Error malformed = usage_error("--serial2: " + in_quotes(text) + " is not one of none, pty, tcp:HOST:PORT, file:PATH");
  if (text.starts_with("file:") && text.size() > 5) return SerialLinkSpec{Kind::file, std::string{text.substr(5)}, {}};
  if (!text.starts_with("tcp:")) return malformed;
  std::string_view host = text.substr(4);
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == host.size()) return malformed;
  const std::string_view service = host.substr(colon + 1);
  host = host.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return SerialLinkSpec{Kind::tcp, std::string{host}, std::string{service}};
}

Result<SerialLink> SerialLink::open(const SerialLinkSpec& spec, Say say) {
  SerialLink link{std::move(say)};
  Result<void> opened;
  switch (spec.kind) {
    case SerialLinkSpec::Kind::none: break;
    case SerialLinkSpec::Kind::pty: opened = link.open_pty(); break;
    case SerialLinkSpec::Kind::tcp: opened = link.connect(spec.target, spec.service); break;
    case SerialLinkSpec::Kind::file: {
      auto file = OutputFile::open(spec.target);
      if (!file) return file.error();
      link.file_ = std::move(file).value();
      break;
    }
  }
  if (!opened) return opened.error();
  return link;
}

SerialLink::SerialLink(SerialLink&& other) noexcept
    : say_{std::move(other.say_)},
      file_{std::move(other.file_)},
      descriptor_{std::exchange(other.descriptor_, -1)},
      slave_{std::exchange(other.slave_, -1)},
      peer_done_{other.peer_done_},
      name_{std::move(other.name_)},
      out_{std::move(other.out_)},
      in_{std::move(other.in_)} {}

SerialLink::~SerialLink() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (slave_ >= 0) ::close(slave_);
}

Result<void> SerialLink::open_pty() {
  const auto failed = [] { return io_error("cannot make a pseudo-terminal for the second serial port: " + errno_text()); };
  descriptor_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (descriptor_ < 0 || ::grantpt(descriptor_) != 0 || ::unlockpt(descriptor_) != 0) return failed();
  const char* const slave_name = ::ptsname(descriptor_);
  if (slave_name == nullptr) return failed();
  name_ = slave_name;
  slave_ = ::open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios modes{};
  if (slave_ < 0 || ::tcgetattr(slave_, &modes) != 0) return failed();
  ::cfmakeraw(&modes);
  if (::tcsetattr(slave_, TCSANOW, &modes) != 0 || !set_nonblocking(descriptor_)) return failed();
  say_("the second serial port is " + name_);
  return {};
}

Result<void> SerialLink::connect(const std::string& host, const std::string& service) {
  name_ = host + " port " + service;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  if (failure != 0) return io_error("cannot connect the second serial port to " + name_ + ": " + ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
  int error = ECONNREFUSED;
  for (const addrinfo* address = found; address != nullptr && descriptor_ < 0; address = address->ai_next) descriptor_ = connect_to(*address, error);
  if (descriptor_ < 0) return io_error("cannot connect the second serial port to " + name_ + ": " + errno_text(error));
  const int on = 1;
  (void)::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {};
}

void SerialLink::start() {
  if (file_) file_->start();
}

void SerialLink::hang_up(const std::string& why) {
  say_("the second serial port's connection to " + name_ + " has ended (" + why + "); what the guest sends there is dropped from now on");
  ::close(std::exchange(descriptor_, -1));
  out_.clear();
}

Result<void> SerialLink::pump(SerialPort& port, bool& moved_in) {
  const auto sent = guest_to_peer(port);
  moved_in = peer_to_guest(port);
  return sent;
}

Result<void> SerialLink::guest_to_peer(SerialPort& port) {
  std::array<std::byte, 16 * 1024> chunk;
  while (port.readable() != 0 && out_.size() < kBuffer) {
    const std::size_t count = port.read(std::span{chunk}.first(std::min(chunk.size(), kBuffer - out_.size())));
    if (count == 0) break;
    const std::span<const std::byte> bytes{chunk.data(), count};
    if (file_) {
      const auto written = file_->write(bytes);
      if (!written) return written;
    } else if (descriptor_ >= 0) {
      out_.insert(out_.end(), bytes.begin(), bytes.end());
      send_out();
    }
  }
  send_out();
  return {};
}

void SerialLink::send_out() {
  while (descriptor_ >= 0 && !out_.empty()) {
    const ssize_t count =
        slave_ >= 0 ? ::write(descriptor_, out_.data(), out_.size()) : ::send(descriptor_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (!would_wait(errno)) hang_up(errno_text());
      return;
    }
    drop_front(out_, static_cast<std::size_t>(count));
  }
}

bool SerialLink::peer_to_guest(SerialPort& port) {
  bool moved = false;
  for (;;) {
    if (in_.empty() && descriptor_ >= 0 && !peer_done_) {
      in_.resize(kBuffer);
      const ssize_t count = ::read(descriptor_, in_.data(), in_.size());
      const int error = errno;
      in_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
      if (count == 0) {
        peer_done_ = true;
        say_("the second serial port's peer " + name_ + " will send no more");
      } else if (count < 0 && !would_wait(error)) {
        hang_up(errno_text(error));
      }
    }
    if (in_.empty()) return moved;
    const std::size_t taken = port.write(in_);
    if (taken == 0) return moved;
    drop_front(in_, taken);
    moved = true;
  }
}

void SerialLink::add_poll(std::vector<pollfd>& list) const {
  if (descriptor_ < 0) return;
  short events = 0;
  if (in_.empty() && !peer_done_) events |= POLLIN;
  if (!out_.empty()) events |= POLLOUT;
  if (events != 0) list.push_back({descriptor_, events, 0});
}

Result<void> SerialLink::finish(SerialPort& port) {
  for (;;) {
    const auto sent = guest_to_peer(port);
    if (!sent || descriptor_ < 0 || (out_.empty() && port.readable() == 0)) return sent;
    pollfd wait{descriptor_, POLLOUT, 0};
    if (::poll(&wait, 1, 2000) <= 0) {
      say_("the second serial port's peer did not take the last " + std::to_string(out_.size() + port.readable()) + " bytes");
      return {};
    }
  }
}

}  // namespace tuxarium::app
