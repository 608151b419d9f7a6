#include "serial_link.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <deque>
#include <string>

#include "temporary_folder.hpp"

using namespace tuxarium;
using namespace tuxarium::app;

namespace {

/// A port whose guest is the test.
class FakePort final : public SerialPort {
 public:
  std::size_t read(std::span<std::byte> out) override {
    std::size_t count = 0;
    while (count < out.size() && !from_guest.empty()) {
      out[count++] = static_cast<std::byte>(from_guest.front());
      from_guest.pop_front();
    }
    return count;
  }
  std::size_t write(std::span<const std::byte> data) override {
    std::size_t count = 0;
    while (count < data.size() && to_guest.size() < capacity) to_guest += static_cast<char>(data[count++]);
    return count;
  }
  std::size_t readable() const override { return from_guest.size(); }
  std::size_t writable() const override { return capacity - to_guest.size(); }
  std::uint64_t bytes_from_guest() const override { return 0; }
  std::uint64_t bytes_to_guest() const override { return 0; }

  void guest_sends(const std::string& text) { from_guest.insert(from_guest.end(), text.begin(), text.end()); }

  std::deque<char> from_guest;
  std::string to_guest;
  std::size_t capacity = 4096;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t value = 1;
  for (char& c : text) c = static_cast<char>((value = value * 1664525 + 1013904223) >> 24);
  return text;
}

std::string read_some(int descriptor) {
  std::string text(65536, '\0');
  const ssize_t count = ::read(descriptor, text.data(), text.size());
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

/// Sends `text` through from both ends at once, with the small steps of a slow guest, and returns what each side got.
void exchange(SerialLink& link, int peer, const std::string& text) {
  (void)::fcntl(peer, F_SETFL, ::fcntl(peer, F_GETFL) | O_NONBLOCK);
  FakePort port;
  port.guest_sends(text);
  std::string at_peer, at_guest;
  std::size_t sent = 0;
  for (int turns = 0; turns < 200'000 && (at_peer.size() < text.size() || at_guest.size() < text.size()); ++turns) {
    bool moved = false;
    REQUIRE(link.pump(port, moved).has_value());
    at_guest += port.to_guest;
    port.to_guest.clear();
    at_peer += read_some(peer);
    const ssize_t count = ::write(peer, text.data() + sent, text.size() - sent);
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  CHECK(at_peer == text);
  CHECK(at_guest == text);
}

struct Listener {
  Listener() {
    descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(descriptor, 1) == 0);
    REQUIRE(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }
  ~Listener() { ::close(descriptor); }
  SerialLinkSpec spec() const { return {SerialLinkSpec::Kind::tcp, "127.0.0.1", std::to_string(port)}; }
  int descriptor = -1;
  unsigned port = 0;
};

}  // namespace

TEST_CASE("links are parsed") {
  CHECK(parse_serial_link("none")->kind == SerialLinkSpec::Kind::none);
  CHECK(parse_serial_link("pty")->kind == SerialLinkSpec::Kind::pty);
  CHECK(parse_serial_link("file:a:b c")->target == "a:b c");
  CHECK(parse_serial_link("tcp:localhost:99")->service == "99");
  for (const char* text : {"", "x", "tcp:", "tcp:a", "tcp::1", "tcp:a:", "file:", "ptyx"}) CHECK_FALSE(parse_serial_link(text).has_value());
}

TEST_CASE("no link: what the guest sends is dropped, so that it never waits") {
  auto link = SerialLink::open({}, [](const std::string&) {});
  REQUIRE(link.has_value());
  FakePort port;
  port.guest_sends(pattern(300'000));
  bool moved = true;
  CHECK(link->pump(port, moved).has_value());
  CHECK_FALSE(moved);
  CHECK(port.readable() == 0);
}

TEST_CASE("file: every byte, from the start of the run") {
  const TemporaryFolder folder;
  folder.write("f", "old content");
  auto link = SerialLink::open({SerialLinkSpec::Kind::file, folder / "f", {}}, [](const std::string&) {});
  REQUIRE(link.has_value());
  link->start();
  FakePort port;
  const std::string text = pattern(300'000);
  port.guest_sends(text);
  CHECK(link->finish(port).has_value());
  CHECK(folder.read("f") == text);
}

TEST_CASE("pty: bytes are not changed, either way, and a flood waits") {
  std::string said;
  auto link = SerialLink::open({SerialLinkSpec::Kind::pty, {}, {}}, [&said](const std::string& s) { said = s; });
  REQUIRE(link.has_value());
  const std::string name = said.substr(said.rfind(' ') + 1);
  {
    FakePort port;
    port.guest_sends(pattern(1'000'000));
    bool moved = false;
    REQUIRE(link->pump(port, moved).has_value());
    CHECK(port.readable() > 500'000);  // nobody reads: the guest waits
  }
  auto fresh = SerialLink::open({SerialLinkSpec::Kind::pty, {}, {}}, [&said](const std::string& s) { said = s; });
  REQUIRE(fresh.has_value());
  const int peer = ::open(said.substr(said.rfind(' ') + 1).c_str(), O_RDWR | O_NOCTTY);
  REQUIRE(peer >= 0);
  exchange(*fresh, peer, pattern(200'000));
  ::close(peer);
}

TEST_CASE("tcp: bytes are not changed, either way, a peer that leaves is reported once and its guest goes on") {
  const Listener listener;
  int said = 0;
  auto link = SerialLink::open(listener.spec(), [&said](const std::string&) { ++said; });
  REQUIRE(link.has_value());
  const int peer = ::accept(listener.descriptor, nullptr, nullptr);
  REQUIRE(peer >= 0);
  exchange(*link, peer, pattern(1'000'000));
  CHECK(said == 0);
  ::close(peer);
  FakePort port;
  bool moved = false;
  for (int i = 0; i < 10; ++i) {
    port.guest_sends(pattern(200'000));
    REQUIRE(link->pump(port, moved).has_value());
    ::usleep(1000);
  }
  CHECK(port.readable() == 0);
  CHECK(said >= 1);
  CHECK(said <= 2);
}

TEST_CASE("tcp: a connection that is refused is an error that names the peer") {
  SerialLinkSpec spec;
  {
    const Listener listener;
    spec = listener.spec();
  }
  const auto link = SerialLink::open(spec, [](const std::string&) {});
  REQUIRE_FALSE(link.has_value());
  CHECK(link.error().message.find(spec.service) != std::string::npos);
}
