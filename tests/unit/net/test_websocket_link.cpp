#include <tuxarium/websocket_link.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "unit/run/temporary_folder.hpp"
#include "unit/wire/frame_record.hpp"
#include "websocket_server.hpp"

namespace tuxarium::net {
namespace {

using namespace std::chrono_literals;
using tuxarium::test::record_of;
using test::Server;
using test::Websocket;
using Bytes = std::vector<std::byte>;

/// Against a test that hangs; what is waited for comes at once.
constexpr auto kPatience = 120s;

template <class Condition>
bool wait_until(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

WebsocketLinkOptions options_for(const std::string& url) {
  WebsocketLinkOptions options;
  options.url = url;
  options.connect_timeout = 60s;
  options.silence = 60s;
  options.first_retry = 5ms;
  options.longest_retry = 20ms;
  return options;
}

std::shared_ptr<NetworkLink> link_to(const WebsocketLinkOptions& options) {
  auto link = make_websocket_link(options);
  REQUIRE_MESSAGE(link.has_value(), (link ? "" : link.error().message));
  return std::move(link).value();
}

bool comes_up(const NetworkLink& link, std::uint64_t connections = 1) {
  return wait_until([&] { return link.status().state == LinkState::up && link.status().connections >= connections; });
}

/// Waits until the link's last error has `part` in it; what it is in the end.
std::string error_with(const NetworkLink& link, const std::string& part) {
  (void)wait_until([&] { return link.status().last_error.find(part) != std::string::npos; });
  return link.status().last_error;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// An IPv4 frame whose bytes depend on `number`.
Bytes frame_of(unsigned number, std::size_t size) {
  Bytes frame(size);
  for (std::size_t i = 0; i < size; ++i) frame[i] = std::byte((number * 31 + i) & 0xff);
  frame[6] = std::byte{2};
  frame[12] = std::byte{8};
  frame[13] = std::byte{0};
  return frame;
}

/// The next frame for the guest; empty when none comes.
Bytes next_frame(NetworkLink& link) {
  Bytes frame(NetworkLink::kMaxFrame);
  std::size_t size = 0;
  (void)wait_until([&] { return (size = link.receive(frame)) != 0; });
  frame.resize(size);
  return frame;
}

void send_and_expect(NetworkLink& link, const Bytes& frame) {
  REQUIRE(link.send(frame));
  CHECK(next_frame(link) == frame);
}

/// Reads and throws away until the other side goes.
void drain(Websocket& stream) {
  for (beast::flat_buffer buffer;; buffer.clear()) stream.read(buffer);
}

/// Waits until the other side goes, without reading its messages.
void never_read(tcp::socket& socket) {
  pollfd gone{socket.native_handle(), POLLRDHUP, 0};
  while (::poll(&gone, 1, -1) < 0) {
  }
}

TEST_CASE("websocket link: frames of every size go up as one message each and come back") {
  for (const WireFormat format : {WireFormat::length, WireFormat::raw}) {
    std::atomic<bool> right{true};
    Server server{test::talking([&](Websocket& stream) {
      for (;;) {
        beast::flat_buffer buffer;
        stream.read(buffer);
        const auto bytes = static_cast<const unsigned char*>(buffer.cdata().data());
        const bool prefixed = buffer.size() > 2 && static_cast<std::size_t>(bytes[0] << 8 | bytes[1]) == buffer.size() - 2;
        if (!stream.got_binary() || prefixed != (format == WireFormat::length)) right = false;
        stream.write(buffer.cdata());
      }
    })};
    auto options = options_for(server.url());
    options.format = format;
    const auto link = link_to(options);
    REQUIRE(comes_up(*link));
    unsigned number = 0;
    std::uint64_t bytes = 0;
    for (const std::size_t size : {14u, 15u, 60u, 125u, 126u, 127u, 1442u, 1514u, 1522u}) {
      send_and_expect(*link, frame_of(++number, size));
      bytes += size;
    }
    CHECK(right);
    REQUIRE(wait_until([&] { return link->status().frames_sent == number; }));
    const LinkStatus status = link->status();
    CHECK(status.bytes_sent == bytes);
    CHECK(status.frames_received == number);
    CHECK(status.bytes_received == bytes);
    CHECK(status.dropped_sent + status.dropped_received == 0);
    CHECK(status.connections == 1);
    CHECK(status.last_error.empty());
  }
}

TEST_CASE("websocket link: what is no frame is not sent") {
  Server server{test::talking(test::echo<Websocket>)};
  const auto link = link_to(options_for(server.url()));
  REQUIRE(comes_up(*link));
  CHECK_FALSE(link->send(Bytes(13)));
  CHECK_FALSE(link->send(Bytes(1523)));
  CHECK_FALSE(link->send({}));
  CHECK(link->status().dropped_sent == 3);
  send_and_expect(*link, frame_of(1, 60));
}

TEST_CASE("websocket link: the server may cut its stream anywhere") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::vector<Bytes> frames;
  std::mt19937 random{seed};
  for (unsigned i = 0; i < 200; ++i) frames.push_back(frame_of(i, 14 + random() % 1509));
  Server server{test::talking([&](Websocket& stream) {
    Bytes all;
    for (const Bytes& frame : frames) {
      const Bytes record = record_of(frame);
      all.insert(all.end(), record.begin(), record.end());
    }
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t count = std::min<std::size_t>(all.size() - at, random() % 3 == 0 ? random() % 4 : random() % 5000);
      // The last piece of a message or one in its middle.
      stream.write_some(random() % 2 == 0 || at + count == all.size(), asio::const_buffer{all.data() + at, count});
      at += count;
    }
    drain(stream);
  })};
  auto options = options_for(server.url());
  options.receive_queue = 1u << 20;
  const auto link = link_to(options);
  unsigned wrong = 0;
  for (const Bytes& frame : frames) wrong += next_frame(*link) != frame;
  CHECK(wrong == 0);
  CHECK(link->status().dropped_received == 0);
}

TEST_CASE("websocket link: raw messages that are no frame are dropped, relays get their pongs") {
  std::atomic<bool> ponged{false};
  Server server{test::talking([&](Websocket& stream) {
    const auto say = [&stream](const Bytes& message) { stream.write(asio::buffer(message)); };
    say(Bytes(13));
    say(Bytes(1523));
    say(Bytes(200'000));
    say({});
    say(frame_of(1, 14));
    stream.text(true);
    stream.write(asio::buffer(std::string{"hello"}));
    stream.write(asio::buffer("ping:" + std::string(5000, 'x')));
    stream.write(asio::buffer(std::string{"ping:12 34"}));
    beast::flat_buffer buffer;
    stream.read(buffer);
    ponged = stream.got_text() && std::string_view{static_cast<const char*>(buffer.cdata().data()), buffer.size()} == "pong:12 34";
    stream.binary(true);
    say(frame_of(2, 1522));
    drain(stream);
  })};
  auto options = options_for(server.url());
  options.format = WireFormat::raw;
  const auto link = link_to(options);
  CHECK(next_frame(*link) == frame_of(1, 14));
  CHECK(next_frame(*link) == frame_of(2, 1522));
  CHECK(ponged);
  CHECK(link->status().dropped_received == 5);
}

TEST_CASE("websocket link: garbage costs frames and no more") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  for (const WireFormat format : {WireFormat::length, WireFormat::raw}) {
    Server server{test::talking([&](Websocket& stream) {
      std::mt19937 random{seed};
      bool is_text = false, end = true;
      for (int i = 0; i < 300; ++i) {
        Bytes junk(random() % 3000);
        if (end) is_text = random() % 4 == 0;
        for (std::byte& byte : junk) byte = std::byte(random() & (is_text ? 0x7f : 0xff));  // other text is no websocket's
        stream.text(is_text);
        end = random() % 4 != 0;
        stream.write_some(end, asio::buffer(junk));
      }
      if (!end) stream.write_some(true, asio::const_buffer{});
      stream.binary(true);
      // Enough to be found again, even by somebody who takes the first for a part of something longer.
      for (int i = 0; i < 40; ++i) stream.write(asio::buffer(format == WireFormat::raw ? frame_of(7, 60) : record_of(frame_of(7, 60))));
      drain(stream);
    })};
    auto options = options_for(server.url());
    options.format = format;
    const auto link = link_to(options);
    Bytes frame(NetworkLink::kMaxFrame);
    const Bytes good = frame_of(7, 60);
    CHECK(wait_until([&] {
      const std::size_t size = link->receive(frame);
      return size == good.size() && std::equal(good.begin(), good.end(), frame.begin());
    }));
    CHECK(link->status().connections == 1);
    CHECK(link->status().dropped_received > 0);
  }
}

TEST_CASE("websocket link: bytes that are no websocket end the connection alone") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  Server server{[&](tcp::socket socket) {
    Websocket stream{std::move(socket)};
    if (random() % 4 != 0) stream.accept();
    Bytes junk(1 + random() % 5000);
    for (std::byte& byte : junk) byte = std::byte(random() & 0xff);
    asio::write(stream.next_layer(), asio::buffer(junk));
    stream.next_layer().shutdown(tcp::socket::shutdown_send);
    never_read(stream.next_layer());
  }};
  const auto link = link_to(options_for(server.url()));
  CHECK(wait_until([&] { return server.connections() >= 100; }));
  CHECK_FALSE(link->status().last_error.empty());
}

TEST_CASE("websocket link: a message without end ends the connection") {
  Server server{test::talking([](Websocket& stream) {
    const Bytes piece(60'000);
    for (;;) stream.write_some(false, asio::buffer(piece));
  })};
  auto options = options_for(server.url());
  options.format = WireFormat::raw;
  const auto link = link_to(options);
  CHECK(holds(error_with(*link, "bytes"), "sent a message of more than 1048576 bytes."));
}

TEST_CASE("websocket link: the token is sent, and its refusal told") {
  Server server{[](tcp::socket socket) {
    Websocket stream{std::move(socket)};
    const bool accepted = test::accept(stream, [](const http::request<http::empty_body>& request) {
      return request[http::field::authorization] == "Bearer s3cret" ? "" : "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno\n";
    });
    if (accepted) test::echo(stream);
  }};
  const std::string where = "The server at 127.0.0.1:" + std::to_string(server.port());
  auto options = options_for(server.url());
  CHECK(error_with(*link_to(options), "401") == where + " wants a token (HTTP 401).");
  options.token = "wrong";
  CHECK(error_with(*link_to(options), "401") == where + " refused the token (HTTP 401).");
  options.token = "s3cret";
  const auto link = link_to(options);
  REQUIRE(comes_up(*link));
  send_and_expect(*link, frame_of(1, 60));
}

TEST_CASE("websocket link: other answers than yes are told in words") {
  struct Row {
    const char* answer;
    const char* words;
  };
  for (const Row& row : {Row{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "has no network at the path /tap (HTTP 404)."},
                         Row{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "does not let this client in (HTTP 403)."},
                         Row{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "takes no more clients at the moment (HTTP 503)."},
                         Row{"HTTP/1.1 301 Moved\r\nLocation: ws://else.where/\r\nContent-Length: 0\r\n\r\n",
                             "says that the network is at ws://else.where/ instead (HTTP 301)."},
                         Row{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "is no websocket at the path /tap (HTTP 200)."},
                         Row{"SSH-2.0-OpenSSH_9.2\r\n", "is no websocket: "}}) {
    Server server{[&](tcp::socket socket) {
      Websocket stream{std::move(socket)};
      (void)test::accept(stream, [&](const auto&) { return row.answer; });
    }};
    const auto link = link_to(options_for(server.url()));
    const std::string said = error_with(*link, row.words);
    CHECK_MESSAGE(holds(said, row.words), said);
    CHECK(link->status().connections == 0);
  }
}

TEST_CASE("websocket link: nobody there, and a server that hangs up") {
  std::uint16_t port = 0;
  {
    Server gone{[](tcp::socket) {}};
    port = gone.port();
    CHECK(holds(error_with(*link_to(options_for(gone.url())), "hung up"), " hung up without an answer."));
  }
  CHECK(holds(error_with(*link_to(options_for("ws://127.0.0.1:" + std::to_string(port))), "Nothing"), "Nothing answers at 127.0.0.1:"));
}

TEST_CASE("websocket link: host names are looked up") {
  Server server{test::talking(test::echo<Websocket>)};
  const auto link = link_to(options_for("ws://localhost:" + std::to_string(server.port()) + "/tap"));
  REQUIRE(comes_up(*link));
  send_and_expect(*link, frame_of(1, 60));
}

TEST_CASE("websocket link: TLS") {
  const TemporaryFolder folder;
  const test::Identity identity = test::make_identity("DNS:localhost,IP:127.0.0.1"), other = test::make_identity("DNS:else.where");
  folder.write("trusted.pem", identity.certificate);
  folder.write("other.pem", other.certificate);
  Server server{test::talking_tls(identity, test::echo<test::TlsWebsocket>)};
  const std::string by_name = "wss://localhost:" + std::to_string(server.port()) + "/tap";

  SUBCASE("a certificate from a trusted authority, by name and by address") {
    for (const std::string& url : {by_name, server.url("wss")}) {
      auto options = options_for(url);
      options.tls.ca_file = folder / "trusted.pem";
      const auto link = link_to(options);
      REQUIRE(comes_up(*link));
      for (unsigned i = 0; i < 50; ++i) send_and_expect(*link, frame_of(i, 14 + 30 * i));
    }
  }
  SUBCASE("a certificate from nobody") {
    const auto link = link_to(options_for(by_name));
    const std::string said = error_with(*link, "certificate");
    CHECK_MESSAGE(holds(said, "There is no safe connection to localhost:"), said);
    CHECK(link->status().connections == 0);
  }
  SUBCASE("a trusted certificate for somebody else") {
    Server wrong{test::talking_tls(other, test::echo<test::TlsWebsocket>)};
    auto options = options_for("wss://localhost:" + std::to_string(wrong.port()));
    options.tls.ca_file = folder / "other.pem";
    const auto link = link_to(options);
    const std::string said = error_with(*link, "certificate");
    CHECK_MESSAGE(holds(said, "ostname mismatch"), said);
    CHECK(link->status().connections == 0);
  }
  SUBCASE("anything goes without verification") {
    auto options = options_for(by_name);
    options.tls.verify = false;
    CHECK(comes_up(*link_to(options)));
  }
  SUBCASE("a server without TLS") {
    Server plain{[](tcp::socket socket) {
      asio::write(socket, asio::buffer(std::string{"HTTP/1.1 400 Bad Request\r\n\r\n"}));
      never_read(socket);
    }};
    CHECK(holds(error_with(*link_to(options_for(plain.url("wss"))), "safe"), "There is no safe connection to"));
  }
}

TEST_CASE("websocket link: a server that goes and comes back") {
  std::uint16_t port = 0;
  std::shared_ptr<NetworkLink> link;
  {
    Server server{test::talking(test::echo<Websocket>)};
    port = server.port();
    link = link_to(options_for(server.url()));
    REQUIRE(comes_up(*link));
    send_and_expect(*link, frame_of(1, 60));
    server.cut();
    REQUIRE(comes_up(*link, 2));
    send_and_expect(*link, frame_of(2, 60));
  }
  REQUIRE(wait_until([&] { return link->status().state != LinkState::up; }));
  const std::uint64_t dropped = link->status().dropped_sent;
  CHECK_FALSE(link->send(frame_of(3, 60)));
  CHECK(link->status().dropped_sent == dropped + 1);
  CHECK_FALSE(error_with(*link, ".").empty());
  Server server{test::talking(test::echo<Websocket>), port};
  REQUIRE(comes_up(*link, 3));
  send_and_expect(*link, frame_of(4, 60));
}

TEST_CASE("websocket link: the server's reason to close is told, without its control characters") {
  Server server{test::talking([](Websocket& stream) { stream.close({websocket::close_code::policy_error, "spoofed \x1b[31m address"}); })};
  const auto link = link_to(options_for(server.url()));
  CHECK(holds(error_with(*link, "1008"), " closed the connection: spoofed  [31m address (code 1008)."));
}

TEST_CASE("websocket link: a server that never reads") {
  Server server{test::talking([](Websocket& stream) { never_read(stream.next_layer()); })};
  auto options = options_for(server.url());
  options.send_queue = 16u << 10;
  SUBCASE("costs the queue and then frames") {
    const auto link = link_to(options);
    REQUIRE(comes_up(*link));
    CHECK(wait_until([&] { return !link->send(frame_of(1, 1500)); }));
    CHECK(link->status().state == LinkState::up);
    CHECK(link->status().dropped_sent >= 1);
  }
  SUBCASE("is given up after the time of silence") {
    options.silence = 300ms;
    const auto link = link_to(options);
    REQUIRE(comes_up(*link));
    CHECK(holds(error_with(*link, "has said nothing"), "has said nothing for 0.3 seconds."));
  }
}

TEST_CASE("websocket link: a server that talks but never reads is given up") {
  Server server{test::talking([](Websocket& stream) {
    const Bytes record = record_of(frame_of(1, 60));
    for (;;) {
      stream.write(asio::buffer(record));
      std::this_thread::sleep_for(5ms);
    }
  })};
  auto options = options_for(server.url());
  options.silence = 300ms;
  const auto link = link_to(options);
  REQUIRE(comes_up(*link));
  CHECK(wait_until([&] {
    (void)link->send(frame_of(1, 1500));
    return holds(link->status().last_error, "takes no more frames.");
  }));
}

TEST_CASE("websocket link: an idle server that answers pings stays") {
  Server server{test::talking(drain)};
  auto options = options_for(server.url());
  options.silence = 200ms;
  const auto link = link_to(options);
  REQUIRE(comes_up(*link));
  std::this_thread::sleep_for(1s);
  CHECK(link->status().connections == 1);
}

TEST_CASE("websocket link: a server that stalls") {
  SUBCASE("in the handshake is given up in time") {
    Server server{[](tcp::socket socket) { never_read(socket); }};
    auto options = options_for(server.url());
    options.connect_timeout = 200ms;
    CHECK(holds(error_with(*link_to(options), "did not answer"), "did not answer within 0.2 seconds."));
    options.url = server.url("wss");
    CHECK(holds(error_with(*link_to(options), "did not answer"), "did not answer within 0.2 seconds."));
  }
  SUBCASE("does not hold up the end of the link") {
    Server server{[](tcp::socket socket) { never_read(socket); }};
    for (const char* scheme : {"ws", "wss"}) {
      auto options = options_for(server.url(scheme));
      options.connect_timeout = std::chrono::hours{1};
      const unsigned before = server.connections();
      const auto link = link_to(options);
      CHECK(wait_until([&] { return server.connections() > before; }));
    }
  }
  SUBCASE("nor does one that does not say good-bye, or a look-up that takes long") {
    Server server{test::talking([](Websocket& stream) { never_read(stream.next_layer()); })};
    auto options = options_for(server.url());
    CHECK(comes_up(*link_to(options)));
    options.url = "ws://there-is-no-such-host.invalid/tap";
    options.connect_timeout = std::chrono::hours{1};
    (void)link_to(options);
  }
}

TEST_CASE("websocket link: a guest that takes nothing costs the queue and then frames") {
  constexpr unsigned kFrames = 500;
  Server server{test::talking([](Websocket& stream) {
    const Bytes record = record_of(frame_of(1, 1500));
    for (unsigned i = 0; i < kFrames; ++i) stream.write(asio::buffer(record));
    drain(stream);
  })};
  auto options = options_for(server.url());
  options.receive_queue = 64u << 10;
  const auto link = link_to(options);
  constexpr std::size_t kFit = (64u << 10) / 1502;
  CHECK(wait_until([&] { return link->status().dropped_received == kFrames - kFit; }));
  for (std::size_t i = 0; i < kFit; ++i) CHECK(next_frame(*link) == frame_of(1, 1500));
  Bytes none(NetworkLink::kMaxFrame);
  CHECK(link->receive(none) == 0);
}

TEST_CASE("websocket link: the host is woken when frames have come") {
  Server server{test::talking(test::echo<Websocket>)};
  const auto link = link_to(options_for(server.url()));
  std::mutex mutex;
  std::condition_variable changed;
  unsigned wakes = 0;
  link->on_receivable([&] {
    const std::lock_guard lock{mutex};
    ++wakes;
    changed.notify_one();
  });
  REQUIRE(comes_up(*link));
  Bytes out(NetworkLink::kMaxFrame);
  for (unsigned i = 0; i < 100; ++i) {
    REQUIRE(link->send(frame_of(i, 60)));
    std::unique_lock lock{mutex};
    REQUIRE(changed.wait_for(lock, kPatience, [&] { return wakes > i; }));
    CHECK(link->receive(out) == 60);
  }
  link->on_receivable({});
  REQUIRE(link->send(frame_of(1, 60)));
  CHECK(next_frame(*link) == frame_of(1, 60));
  CHECK(wakes == 100);
}

TEST_CASE("websocket link: many frames both ways at once, in order") {
  Server server{test::talking(test::echo<Websocket>)};
  auto options = options_for(server.url());
  options.send_queue = options.receive_queue = 4u << 20;
  const auto link = link_to(options);
  REQUIRE(comes_up(*link));
  constexpr unsigned kFrames = 5000;
  unsigned sent = 0, received = 0, wrong = 0;
  Bytes out(NetworkLink::kMaxFrame);
  CHECK(wait_until([&] {
    for (int i = 0; i < 20 && sent < kFrames; ++i, ++sent) wrong += !link->send(frame_of(sent, 14 + sent % 1500));
    while (const std::size_t size = link->receive(out)) {
      const Bytes expected = frame_of(received, 14 + received % 1500);
      wrong += size != expected.size() || !std::equal(expected.begin(), expected.end(), out.begin());
      ++received;
    }
    return received == kFrames;
  }));
  CHECK(wrong == 0);
  CHECK(link->status().dropped_sent + link->status().dropped_received == 0);
}

TEST_CASE("websocket link: options that cannot work are told before anything starts") {
  const TemporaryFolder folder;
  folder.write("junk.pem", "no certificate");
  const auto message = [](auto change) {
    auto options = options_for("wss://127.0.0.1:1/tap");
    change(options);
    const auto link = make_websocket_link(options);
    return link ? std::string{} : link.error().message;
  };
  CHECK(holds(message([](auto& o) { o.url = "http://127.0.0.1/"; }), "ws://"));
  CHECK(holds(message([](auto& o) { o.url = "nonsense"; }), "nonsense"));
  CHECK(holds(message([](auto& o) { o.token = "a\r\nX: y"; }), "token"));
  CHECK(holds(message([](auto& o) { o.token = std::string(5000, 'x'); }), "token"));
  CHECK(holds(message([&](auto& o) { o.tls.ca_file = folder / "junk.pem"; }), "junk.pem"));
  CHECK(holds(message([&](auto& o) { o.tls.ca_file = folder / "none.pem"; }), "none.pem"));
  CHECK(holds(message([](auto& o) { o.send_queue = std::size_t{1} << 40; }), "64 MiB"));
  CHECK(holds(message([](auto& o) { o.silence = 0ms; }), "above zero"));
}

}  // namespace
}  // namespace tuxarium::net
