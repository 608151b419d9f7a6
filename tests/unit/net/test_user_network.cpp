#include <tuxarium/user_network.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include "guest_packets.hpp"
#include "net/fragment_assembler.hpp"

namespace tuxarium {
namespace {

using namespace guest_packets;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 60s;  // against a test that hangs, not against a slow machine

/// A socket of the host on its loopback, closed at the end.
class HostSocket {
 public:
  explicit HostSocket(int type) : descriptor_{::socket(AF_INET, type | SOCK_CLOEXEC, 0)} {
    sockaddr_in address = loopback(0);
    REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  explicit HostSocket(const HostSocket& listener, int accepted) : descriptor_{accepted}, port_{listener.port_} {}
  HostSocket(const HostSocket&) = delete;
  HostSocket& operator=(const HostSocket&) = delete;
  ~HostSocket() { ::close(descriptor_); }

  static sockaddr_in loopback(unsigned port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }

  unsigned port() const { return port_; }
  int descriptor() const { return descriptor_; }
  void listen() const { REQUIRE(::listen(descriptor_, 16) == 0); }
  void connect(unsigned port) const {
    const sockaddr_in address = loopback(port);
    REQUIRE(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  bool readable(std::chrono::milliseconds longest = kPatience) const {
    pollfd entry{descriptor_, POLLIN, 0};
    return ::poll(&entry, 1, static_cast<int>(longest.count())) == 1;
  }
  void send(std::string_view text) const { REQUIRE(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())); }
  std::string read() const {
    std::array<char, 2000> buffer;
    REQUIRE(readable());
    const ssize_t size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string{};
  }

 private:
  int descriptor_;
  unsigned port_ = 0;
};

unsigned free_port(int type) { return HostSocket{type}.port(); }

/// The guest's end of a link. It answers ARP requests for its address.
class Guest {
 public:
  explicit Guest(const UserNetworkOptions& options = {}) {
    auto made = make_user_network(options);
    REQUIRE_MESSAGE(made, made.error().message);
    link_ = std::move(made).value();
    send(arp(1, kGuest, kGateway));
    REQUIRE(wait([](const Seen& frame) { return frame.is_arp_reply_from(kGateway); }));
  }

  NetworkLink& link() { return *link_; }
  void close() { link_.reset(); }
  bool send(const Bytes& frame) { return link_->send(frame); }

  /// The next frame that `wanted` likes; others are dropped.
  std::optional<Bytes> wait(const std::function<bool(const Seen&)>& wanted, Clock::duration longest = kPatience) {
    const auto end = Clock::now() + longest;
    Bytes frame(NetworkLink::kMaxFrame);
    while (Clock::now() < end) {
      const std::size_t size = link_->receive(frame);
      if (size == 0) {
        std::this_thread::sleep_for(1ms);
        continue;
      }
      const Seen seen{std::span{frame}.first(size)};
      if (seen.is_arp_request_for(kGuest)) send(arp(2, kGuest, kGateway));
      else if (wanted(seen)) return Bytes(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    }
    return std::nullopt;
  }

  std::optional<Bytes> wait_tcp(unsigned port, unsigned flags, Clock::duration longest = kPatience) {
    return wait([=](const Seen& frame) { return frame.is(6) && frame.to_port() == port && (frame.flags() & flags) == flags; }, longest);
  }

 private:
  std::shared_ptr<NetworkLink> link_;
};

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, std::filesystem::directory_iterator{}));
}

#define NEEDS_USER_NETWORK()                             \
  if (!has_user_network()) {                             \
    MESSAGE("skipped: built without libslirp");          \
    return;                                              \
  }

TEST_CASE("user network: without libslirp there is a sentence") {
  if (has_user_network()) return;
  const auto made = make_user_network({});
  REQUIRE_FALSE(made);
  CHECK(made.error().code == ErrorCode::unsupported);
  CHECK(made.error().message.find("libslirp") != std::string::npos);
}

TEST_CASE("user network: DHCP and the gateway") {
  NEEDS_USER_NETWORK();
  Guest guest;
  guest.send(dhcp_discover());
  const auto offer = guest.wait([](const Seen& frame) { return frame.is(17) && frame.to_port() == 68; });
  REQUIRE(offer);
  CHECK(get32(*offer, 14 + 20 + 8 + 16) == kGuest);
  guest.send(echo_request(kGateway, "are you there"));
  const auto answer = guest.wait([](const Seen& frame) { return frame.is(1) && frame.from() == kGateway && get8(frame.frame, 34) == 0; });
  REQUIRE(answer);
  CHECK(Seen{*answer}.text() == "are you there");
  CHECK(guest.link().status().state == LinkState::up);
  CHECK(guest.link().status().frames_sent >= 3);
  CHECK(guest.link().status().frames_received >= 3);
}

namespace {

/// Opens a connection of the guest's port 1000, which has sent 100, with a server on the host; returns what the server sends next.
std::uint32_t shake_hands(Guest& guest, const HostSocket& server) {
  guest.send(tcp(1000, kGateway, server.port(), 100, 0, kSyn));
  const auto answer = guest.wait_tcp(1000, kSyn | kAck);
  REQUIRE(answer);
  CHECK(Seen{*answer}.acknowledged() == 101);
  const std::uint32_t next = Seen{*answer}.sequence() + 1;
  guest.send(tcp(1000, kGateway, server.port(), 101, next, kAck));
  return next;
}

}  // namespace

TEST_CASE("user network: a ping that needs fragments is answered, the last fragment first") {
  NEEDS_USER_NETWORK();
  Guest guest;
  const std::string text(4000, 'x');
  std::vector<Bytes> parts = fragments_of(echo_request(kGateway, text), 1480);
  REQUIRE(parts.size() == 3);
  std::reverse(parts.begin(), parts.end());
  for (const Bytes& part : parts) guest.send(part);
  net::FragmentAssembler assembler;
  std::size_t answer = 0;
  for (int fragments = 0; fragments < 3; ++fragments) {
    const auto frame = guest.wait([](const Seen& seen) { return seen.is(1); });
    REQUIRE(frame);
    REQUIRE(net::FragmentAssembler::is_fragment(*frame));
    answer = assembler.take(*frame, 0).size();
  }
  CHECK(answer == 14 + 20 + 8 + text.size());
  CHECK(guest.link().status().dropped_sent == 0);
}

TEST_CASE("user network: a server on the host's loopback, when the guest may") {
  NEEDS_USER_NETWORK();
  Guest guest{{.host_loopback = true}};
  HostSocket server{SOCK_STREAM};
  server.listen();
  const std::uint32_t theirs = shake_hands(guest, server);
  guest.send(tcp(1000, kGateway, server.port(), 101, theirs, kAck | kPush, "from the guest"));
  REQUIRE(server.readable());
  const HostSocket accepted{server, ::accept(server.descriptor(), nullptr, nullptr)};
  CHECK(accepted.read() == "from the guest");
  accepted.send("from the host");
  const auto data = guest.wait([](const Seen& frame) { return frame.is(6) && !frame.text().empty(); });
  REQUIRE(data);
  CHECK(Seen{*data}.text() == "from the host");

  HostSocket echo{SOCK_DGRAM};
  guest.send(udp(kGuest, 2000, kGateway, echo.port(), "datagram"));
  CHECK(echo.read() == "datagram");
}

TEST_CASE("user network: a server on the host's loopback, when the guest may not") {
  NEEDS_USER_NETWORK();
  const unsigned forwarded = free_port(SOCK_DGRAM);
  const PortForward forward{PortForward::Protocol::udp, "127.0.0.1", static_cast<std::uint16_t>(forwarded), "10.0.2.15", 5000};
  for (const bool with_forward : {false, true}) {
    INFO(with_forward);
    UserNetworkOptions options;
    if (with_forward) options.forwards.push_back(forward);
    Guest guest{options};
    HostSocket server{SOCK_STREAM}, datagrams{SOCK_DGRAM};
    server.listen();
    for (const std::uint32_t to : {kGateway, 0x7f000001u, 0u, 0xffffffffu, kNameServer}) {
      guest.send(tcp(1000, to, server.port(), 100, 0, kSyn));
      guest.send(udp(kGuest, 5000, to, datagrams.port(), "no"));
    }
    // Frames are handled in order: with the answer to this one the others have been dealt with.
    guest.send(echo_request(kGateway, "done"));
    REQUIRE(guest.wait([](const Seen& frame) { return frame.is(1) && frame.text() == "done"; }));
    CHECK_FALSE(server.readable(200ms));
    CHECK_FALSE(datagrams.readable(0ms));
  }
}

TEST_CASE("user network: a connection from the host to a port of the guest") {
  NEEDS_USER_NETWORK();
  const unsigned port = free_port(SOCK_STREAM);
  Guest guest{{.forwards = {{PortForward::Protocol::tcp, "127.0.0.1", static_cast<std::uint16_t>(port), "10.0.2.15", 22}}}};
  HostSocket client{SOCK_STREAM};
  client.connect(port);
  const auto syn = guest.wait_tcp(22, kSyn);
  REQUIRE(syn);
  CHECK(Seen{*syn}.from() == kGateway);
  const unsigned from_port = Seen{*syn}.from_port();
  guest.send(tcp(22, kGateway, from_port, 500, Seen{*syn}.sequence() + 1, kSyn | kAck));
  REQUIRE(guest.wait_tcp(22, kAck));
  client.send("knock");
  const auto data = guest.wait([](const Seen& frame) { return frame.is(6) && !frame.text().empty(); });
  REQUIRE(data);
  CHECK(Seen{*data}.text() == "knock");
  guest.send(tcp(22, kGateway, from_port, 501, Seen{*data}.sequence() + 5, kAck | kPush, "who is there"));
  CHECK(client.read() == "who is there");
}

TEST_CASE("user network: datagrams from the host to a port of the guest, and the answers") {
  NEEDS_USER_NETWORK();
  const unsigned port = free_port(SOCK_DGRAM);
  Guest guest{{.forwards = {{PortForward::Protocol::udp, "127.0.0.1", static_cast<std::uint16_t>(port), "10.0.2.15", 5000}}}};
  HostSocket client{SOCK_DGRAM}, stranger{SOCK_DGRAM};
  client.connect(port);
  client.send("question");
  const auto question = guest.wait([](const Seen& frame) { return frame.is(17) && frame.to_port() == 5000; });
  REQUIRE(question);
  CHECK(Seen{*question}.text() == "question");
  CHECK(Seen{*question}.from() == kGateway);
  guest.send(udp(kGuest, 5000, kGateway, stranger.port(), "not for you"));
  guest.send(udp(kGuest, 5000, kGateway, Seen{*question}.from_port(), "answer"));
  CHECK(client.read() == "answer");
  CHECK_FALSE(stranger.readable(0ms));
}

TEST_CASE("user network: forwards that cannot be") {
  NEEDS_USER_NETWORK();
  HostSocket taken{SOCK_STREAM}, taken_udp{SOCK_DGRAM};
  taken.listen();
  const auto complaint = [](PortForward forward) {
    const auto made = make_user_network({.forwards = {std::move(forward)}});
    return made ? std::string{"none"} : made.error().message;
  };
  const auto number = [](unsigned port) { return static_cast<std::uint16_t>(port); };
  CHECK(complaint({PortForward::Protocol::tcp, "127.0.0.1", number(taken.port()), "10.0.2.15", 22}) ==
        "cannot forward tcp 127.0.0.1:" + std::to_string(taken.port()) + " to the guest: Address already in use");
  CHECK(complaint({PortForward::Protocol::udp, "127.0.0.1", number(taken_udp.port()), "10.0.2.15", 22}) ==
        "cannot forward udp 127.0.0.1:" + std::to_string(taken_udp.port()) + " to the guest: Address already in use");
  CHECK(complaint({PortForward::Protocol::tcp, "localhost", 1, "10.0.2.15", 22}) ==
        "cannot forward tcp localhost:1: \"localhost\" is not an IPv4 address");
  CHECK(complaint({PortForward::Protocol::tcp, "127.0.0.1", 1, "10.0.3.15", 22}) ==
        "cannot forward tcp 127.0.0.1:1: the guest's address \"10.0.3.15\" is not in 10.0.2.0/24");
  CHECK(complaint({PortForward::Protocol::tcp, "127.0.0.1", 0, "10.0.2.15", 22}) == "cannot forward tcp 127.0.0.1:0: a port is 1 to 65535");
  // What was opened before the failure is closed again.
  const unsigned port = free_port(SOCK_STREAM);
  const PortForward good{PortForward::Protocol::tcp, "127.0.0.1", number(port), "10.0.2.15", 22};
  CHECK_FALSE(make_user_network({.forwards = {good, {PortForward::Protocol::tcp, "127.0.0.1", number(taken.port()), "10.0.2.15", 22}}}));
  CHECK(make_user_network({.forwards = {good}}));
}

TEST_CASE("user network: every frame is sent or counted as dropped") {
  NEEDS_USER_NETWORK();
  Guest guest{{.send_queue = 4096}};
  const std::uint64_t before = guest.link().status().frames_sent;
  CHECK_FALSE(guest.send(Bytes(13)));
  CHECK_FALSE(guest.send(Bytes(NetworkLink::kMaxFrame + 1)));
  const Bytes pings[]{echo_request(kGateway, std::string(1400, 'x')), Bytes(60, std::byte{1})};
  std::uint64_t refused = 2;
  constexpr std::uint64_t kFrames = 2000;
  for (std::uint64_t i = 0; i < kFrames; ++i) refused += guest.send(pings[i % 2]) ? 0 : 1;
  const auto end = Clock::now() + kPatience;
  LinkStatus status;
  do {
    status = guest.link().status();
    std::this_thread::sleep_for(1ms);
  } while (status.frames_sent - before + status.dropped_sent < kFrames + 2 && Clock::now() < end);
  CHECK(status.frames_sent - before + status.dropped_sent == kFrames + 2);
  CHECK(status.dropped_sent >= refused);
  CHECK(status.dropped_sent >= kFrames / 2);  // those that are no frame of a known protocol
}

TEST_CASE("user network: the host is woken when a frame comes to a guest that had none") {
  NEEDS_USER_NETWORK();
  Guest guest;
  std::atomic<int> woken{0};
  std::atomic<bool> elsewhere{false};
  const auto here = std::this_thread::get_id();
  guest.link().on_receivable([&] {
    elsewhere = std::this_thread::get_id() != here;
    ++woken;
  });
  for (int round = 1; round <= 20; ++round) {
    guest.send(echo_request(kGateway, "x"));
    const auto end = Clock::now() + kPatience;
    while (woken < round && Clock::now() < end) std::this_thread::yield();
    REQUIRE(woken == round);
    REQUIRE(guest.wait([](const Seen& frame) { return frame.is(1); }));
  }
  CHECK(elsewhere);
  guest.link().on_receivable({});
  guest.send(echo_request(kGateway, "x"));
  REQUIRE(guest.wait([](const Seen& frame) { return frame.is(1); }));
  CHECK(woken == 20);
}

TEST_CASE("user network: what the guest sent last still goes out, and nothing is left behind") {
  NEEDS_USER_NETWORK();
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    HostSocket server{SOCK_DGRAM};
    Guest guest{{.host_loopback = true}};
    for (unsigned k = 0; k < 20; ++k) guest.send(udp(kGuest, 3000 + k, kGateway, server.port(), "last words"));
    guest.close();
    for (unsigned k = 0; k < 20; ++k) REQUIRE(server.read() == "last words");
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("user network: a guest cannot use up the host's descriptors") {
  NEEDS_USER_NETWORK();
  HostSocket server{SOCK_STREAM};
  server.listen();
  Guest guest{{.host_loopback = true, .max_connections = 16}};
  const std::size_t before = open_descriptors();
  for (unsigned i = 0; i < 100; ++i) {
    guest.send(tcp(1000 + i, kGateway, server.port(), 100, 0, kSyn));
    guest.send(udp(kGuest, 1000 + i, kGateway, server.port(), "x"));
  }
  guest.send(echo_request(kGateway, "done"));
  REQUIRE(guest.wait([](const Seen& frame) { return frame.is(1) && frame.text() == "done"; }));
  CHECK(open_descriptors() <= before + 16);
  CHECK(guest.link().status().dropped_sent >= 200 - 16);
}

TEST_CASE("user network: a download is held back by the guest, not dropped") {
  NEEDS_USER_NETWORK();
  Guest guest{{.host_loopback = true}};
  HostSocket server{SOCK_STREAM};
  server.listen();
  std::uint32_t next = shake_hands(guest, server);
  REQUIRE(server.readable());
  constexpr std::size_t kBytes = 4u << 20;
  std::thread host{[accepted = ::accept(server.descriptor(), nullptr, nullptr)] {
    std::string block(1u << 16, ' ');
    for (std::size_t sent = 0; sent < kBytes;) {
      for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>((sent + i) % 251);
      const ssize_t count = ::send(accepted, block.data(), std::min(block.size(), kBytes - sent), MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    ::close(accepted);
  }};
  std::size_t received = 0;
  bool right = true;
  while (received < kBytes) {
    const auto frame = guest.wait([&](const Seen& seen) { return seen.is(6) && !seen.text().empty() && seen.sequence() == next; });
    if (!frame) break;
    for (const char byte : Seen{*frame}.text()) right = right && byte == static_cast<char>(received++ % 251);
    next += static_cast<std::uint32_t>(Seen{*frame}.text().size());
    guest.send(tcp(1000, kGateway, server.port(), 101, next, kAck));
  }
  host.join();
  CHECK(received == kBytes);
  CHECK(right);
  CHECK(guest.link().status().dropped_received == 0);
}

TEST_CASE("user network: several at once") {
  NEEDS_USER_NETWORK();
  HostSocket server{SOCK_DGRAM};
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      auto made = make_user_network({.host_loopback = true, .ipv6 = true});
      if (!made) return;
      Bytes frame(NetworkLink::kMaxFrame);
      for (unsigned i = 0; i < 50; ++i) {
        made.value()->send(arp(1, kGuest, kGateway));
        made.value()->send(udp(kGuest, 1000 + i, kGateway, server.port(), "x"));
        const auto end = Clock::now() + kPatience;
        while (Clock::now() < end) {
          const std::size_t size = made.value()->receive(frame);
          if (size != 0 && Seen{std::span{frame}.first(size)}.is_arp_reply_from(kGateway)) {
            ++answered;
            break;
          }
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == 200);
}

TEST_CASE("user network: hostile frames") {
  NEEDS_USER_NETWORK();
  std::mt19937 random{11};
  Guest guest{{.host_loopback = true, .ipv6 = true, .max_connections = 16}};
  const Bytes seeds[]{tcp(1000, kGateway, 9, 1, 0, kSyn), udp(kGuest, 1000, kGateway, 67, "x"), dhcp_discover(), arp(1, kGuest, kGateway),
                      echo_request(kGateway, "x")};
  for (int i = 0; i < 20'000; ++i) {
    Bytes frame = seeds[random() % std::size(seeds)];
    for (unsigned changes = random() % 4; changes != 0; --changes) frame[random() % frame.size()] = std::byte(random() & 0xff);
    frame.resize(14 + random() % (NetworkLink::kMaxFrame - 13));
    guest.send(frame);
    if (i % 100 == 0) std::this_thread::sleep_for(1ms);
  }
  guest.send(echo_request(kGateway, "still there"));
  CHECK(guest.wait([](const Seen& frame) { return frame.is(1) && frame.text() == "still there"; }));
}

}  // namespace
}  // namespace tuxarium
