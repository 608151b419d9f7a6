// A websocket server for tests that does what a test tells it, one connection after another, on a thread of its own.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "net/beast.hpp"
#include "certificates.hpp"

namespace tuxarium::net::test {

class Server {
 public:
  using Behaviour = std::function<void(tcp::socket)>;

  /// `behaviour` gets each connection; it may throw boost's system_error, and blocks until the other side or the server's end lets it go.
  explicit Server(Behaviour behaviour, std::uint16_t port = 0)
      : acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), port}, true}, behaviour_{std::move(behaviour)}, port_{acceptor_.local_endpoint().port()} {
    thread_ = std::thread{[this] { serve(); }};
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    stopping_ = true;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    cut();
    thread_.join();
  }

  /// Cuts the connection of the moment.
  void cut() {
    const std::lock_guard lock{mutex_};
    if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
  }

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& scheme = "ws", const std::string& path = "/tap") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
  }
  unsigned connections() const { return connections_; }

 private:
  void serve() {
    while (!stopping_) {
      error_code error;
      tcp::socket socket = acceptor_.accept(error);
      if (error) continue;
      ++connections_;
      // A duplicate: the behaviour closes the other one, whose number may then be somebody else's.
      const int held = ::dup(socket.native_handle());
      hold(held);
      if (!stopping_) {
        try {
          behaviour_(std::move(socket));
        } catch (const boost::system::system_error&) {
        }
      }
      hold(-1);
      ::close(held);
    }
  }

  void hold(int descriptor) {
    const std::lock_guard lock{mutex_};
    current_ = descriptor;
  }

  asio::io_context io_;
  tcp::acceptor acceptor_;
  Behaviour behaviour_;
  std::uint16_t port_;
  std::mutex mutex_;
  int current_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<unsigned> connections_{0};
  std::thread thread_;
};

using Websocket = websocket::stream<tcp::socket>;
using TlsWebsocket = websocket::stream<asio::ssl::stream<tcp::socket>>;

/// Reads the request and refuses it with this HTTP answer, or accepts it when the answer is empty.
inline bool accept(Websocket& stream, const std::function<std::string(const http::request<http::empty_body>&)>& answer) {
  beast::flat_buffer buffer;
  http::request<http::empty_body> request;
  http::read(stream.next_layer(), buffer, request);
  const std::string refusal = answer(request);
  if (refusal.empty()) {
    stream.accept(request);
    return true;
  }
  asio::write(stream.next_layer(), asio::buffer(refusal));
  return false;
}

/// A websocket behaviour: accepts, then calls `talk`.
inline Server::Behaviour talking(std::function<void(Websocket&)> talk) {
  return [talk = std::move(talk)](tcp::socket socket) {
    Websocket stream{std::move(socket)};
    stream.accept();
    stream.binary(true);
    talk(stream);
  };
}

/// The same over TLS.
inline Server::Behaviour talking_tls(const Identity& identity, std::function<void(TlsWebsocket&)> talk) {
  return [identity, talk = std::move(talk)](tcp::socket socket) {
    asio::ssl::context context{asio::ssl::context::tls_server};
    context.use_certificate(asio::buffer(identity.certificate), asio::ssl::context::pem);
    context.use_private_key(asio::buffer(identity.key), asio::ssl::context::pem);
    TlsWebsocket stream{std::move(socket), context};
    stream.next_layer().handshake(asio::ssl::stream_base::server);
    stream.accept();
    stream.binary(true);
    talk(stream);
  };
}

/// Sends every message back.
template <class Stream>
void echo(Stream& stream) {
  for (;;) {
    beast::flat_buffer buffer;
    stream.read(buffer);
    stream.binary(stream.got_binary());
    stream.write(buffer.cdata());
  }
}

}  // namespace tuxarium::net::test
