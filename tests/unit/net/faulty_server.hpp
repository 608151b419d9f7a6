// A web server that serves files from memory and does wrong things on demand. A thread for each connection, all ended by the destructor.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/beast.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace tuxarium::net::test {

enum class Fault : std::uint8_t {
  none,
  close_at_once,     // no answer
  close_in_header,
  close_in_body,     // a part of what was announced
  short_body,        // a good answer with too few bytes
  short_unannounced, // a part, without a length, then the end of the connection
  wrong_bytes,       // the right size
  oversized,         // announced
  oversized_endless, // not announced
  not_found,
  unavailable,       // 503
  stall,             // nothing comes for as long as the server lives
  stall_in_body,
  dribble,           // a few bytes at a time, for ever
  redirect_loop,
  redirect_away,     // to a port where nobody listens
  redirect_nowhere,  // something that is no URL
  garbage,           // no HTTP
  long_header,
  compressed,
  partial_content,   // 206
  // The right content in unusual ways.
  chunked,
  unannounced,       // without a length, then the end of the connection
  redirect,          // to where it is
  closed_after,      // Connection: close
  slowly,
};
inline constexpr int kFaults = static_cast<int>(Fault::slowly) + 1;
constexpr bool is_good(Fault fault) { return fault == Fault::none || fault >= Fault::chunked; }

class FaultyServer {
 public:
  using Files = std::map<std::string, std::string>;  // by path, such as /disk/hda.manifest
  /// Which fault the next request for `path` meets. Called from several threads, one at a time.
  using Decide = std::function<Fault(const std::string& path)>;

  explicit FaultyServer(Files files, Decide decide = {}, asio::ssl::context* tls = nullptr)
      : files_{std::move(files)}, decide_{std::move(decide)}, tls_{tls}, acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}} {
    port_ = acceptor_.local_endpoint().port();
    thread_ = std::thread{[this] { accept(); }};
  }

  ~FaultyServer() {
    stopping_ = true;
    {
      const std::lock_guard lock{mutex_};
      for (Connection& connection : connections_) ::shutdown(connection.fd, SHUT_RDWR);
    }
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
    for (Connection& connection : connections_) {
      connection.thread.join();
      ::close(connection.fd);
    }
  }

  std::string url(const std::string& path, const std::string& host = "127.0.0.1") const {
    return std::string{tls_ != nullptr ? "https" : "http"} + "://" + host + ":" + std::to_string(port_) + path;
  }

  unsigned requests() const { return requests_; }
  unsigned connections() const { return accepted_; }
  std::vector<std::string> paths() const {
    const std::lock_guard lock{mutex_};
    return paths_;
  }
  void replace(const std::string& path, std::string content) {
    const std::lock_guard lock{mutex_};
    files_[path] = std::move(content);
  }

 private:
  struct Connection {
    int fd = -1;
    std::thread thread;
  };

  void accept() {
    while (!stopping_) {
      error_code code;
      auto socket = std::make_shared<tcp::socket>(io_);
      acceptor_.accept(*socket, code);
      if (code) continue;
      ++accepted_;
      const std::lock_guard lock{mutex_};
      if (stopping_) return;
      Connection& connection = connections_.emplace_back();
      connection.fd = ::dup(socket->native_handle());
      connection.thread = std::thread{[this, socket] { serve(socket); }};
    }
  }

  void serve(const std::shared_ptr<tcp::socket>& socket) {
    if (tls_ == nullptr) return converse(*socket);
    asio::ssl::stream<tcp::socket&> stream{*socket, *tls_};
    error_code code;
    stream.handshake(asio::ssl::stream_base::server, code);
    if (!code) converse(stream);
  }

  template <class Stream>
  void converse(Stream& stream) {
    std::string buffer;
    while (!stopping_) {
      error_code code;
      const std::size_t end = asio::read_until(stream, asio::dynamic_buffer(buffer, 64 * 1024), "\r\n\r\n", code);
      if (code) break;
      const std::string header = buffer.substr(0, end);
      buffer.erase(0, end);
      const std::size_t space = header.find(' '), second = header.find(' ', space + 1);
      const std::string path = header.substr(space + 1, second - space - 1);
      if (!answer(stream, path, header.starts_with("HEAD "))) break;
    }
    error_code ignored;
    beast::get_lowest_layer(stream).shutdown(tcp::socket::shutdown_both, ignored);
  }

  template <class Stream>
  bool put(Stream& stream, const std::string& text) {
    error_code code;
    asio::write(stream, asio::buffer(text), code);
    return !code;
  }

  void rest(std::chrono::milliseconds time) const {
    for (; time.count() > 0 && !stopping_; time -= std::chrono::milliseconds{10}) std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }

  static std::string head(const std::string& status, std::size_t length, const std::string& more = {}) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(length) + "\r\n" + more + "\r\n";
  }

  /// False: the connection is closed.
  template <class Stream>
  bool answer(Stream& stream, std::string path, bool is_head) {
    std::optional<std::string> content;
    Fault fault = Fault::none;
    {
      const std::lock_guard lock{mutex_};
      ++requests_;
      paths_.push_back(path);
      if (path.starts_with("/moved/")) path.erase(0, 6);
      else if (decide_) fault = decide_(path);
      if (const auto found = files_.find(path); found != files_.end()) content = found->second;
    }
    if (!content) return put(stream, head("404 Not Found", 4) + (is_head ? "" : "gone"));
    if (is_head && fault == Fault::none) return put(stream, head("200 OK", content->size()));
    return misbehave(stream, fault, path, *content);
  }

  template <class Stream>
  bool misbehave(Stream& stream, Fault fault, const std::string& path, std::string& content) {
    const std::size_t size = content.size();
    switch (fault) {
      case Fault::none: return put(stream, head("200 OK", size) + content);
      case Fault::close_at_once: return false;
      case Fault::close_in_header: return put(stream, "HTTP/1.1 200 OK\r\nContent-Le"), false;
      case Fault::close_in_body: return put(stream, head("200 OK", size) + content.substr(0, size / 2)), false;
      case Fault::short_body: return put(stream, head("200 OK", size / 2) + content.substr(0, size / 2));
      case Fault::short_unannounced: return put(stream, "HTTP/1.1 200 OK\r\n\r\n" + content.substr(0, size / 2)), false;
      case Fault::wrong_bytes:
        content[size / 3] = static_cast<char>(content[size / 3] ^ 0x10);
        return put(stream, head("200 OK", size) + content);
      case Fault::oversized: return put(stream, head("200 OK", size + 512) + content + std::string(512, 'x'));
      case Fault::oversized_endless: {
        bool open = put(stream, "HTTP/1.1 200 OK\r\n\r\n" + content);
        while (open && !stopping_) open = put(stream, std::string(64 * 1024, 'x'));
        return false;
      }
      case Fault::not_found: return put(stream, head("404 Not Found", 3) + "no\n");
      case Fault::unavailable: return put(stream, head("503 Service Unavailable", 5, "Retry-After: 0\r\n") + "later");
      case Fault::stall: return rest(std::chrono::hours{1}), false;
      case Fault::stall_in_body: return put(stream, head("200 OK", size) + content.substr(0, size / 2)), rest(std::chrono::hours{1}), false;
      case Fault::dribble: {
        bool open = put(stream, head("200 OK", size));
        for (std::size_t at = 0; open && at < size && !stopping_; ++at) {
          open = put(stream, content.substr(at, 1));
          rest(std::chrono::milliseconds{10});
        }
        return false;
      }
      case Fault::redirect_loop: return put(stream, head("302 Found", 0, "Location: " + path + "\r\n"));
      case Fault::redirect_away: return put(stream, head("302 Found", 0, "Location: http://127.0.0.1:1/\r\n"));
      case Fault::redirect_nowhere: return put(stream, head("302 Found", 0, "Location: ftp://u@%%%/\r\n"));
      case Fault::garbage: return put(stream, "220 mail.example ESMTP\r\n\r\n" + content), false;
      case Fault::long_header: return put(stream, "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"), false;
      case Fault::compressed: return put(stream, head("200 OK", size, "Content-Encoding: gzip\r\n") + content);
      case Fault::partial_content: return put(stream, head("206 Partial Content", size) + content);
      case Fault::chunked: {
        char length[20];
        std::snprintf(length, sizeof length, "%zx", size / 2);
        std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string{length} + "\r\n" + content.substr(0, size / 2);
        std::snprintf(length, sizeof length, "%zx", size - size / 2);
        return put(stream, text + "\r\n" + length + "\r\n" + content.substr(size / 2) + "\r\n0\r\n\r\n");
      }
      case Fault::unannounced: return put(stream, "HTTP/1.1 200 OK\r\n\r\n" + content), false;
      case Fault::redirect: return put(stream, head("307 Temporary Redirect", 0, "Location: /moved" + path + "\r\n"));
      case Fault::closed_after: return put(stream, head("200 OK", size, "Connection: close\r\n") + content), false;
      case Fault::slowly: {
        rest(std::chrono::milliseconds{20});
        bool open = put(stream, head("200 OK", size) + content.substr(0, size / 2));
        rest(std::chrono::milliseconds{20});
        return open && put(stream, content.substr(size / 2));
      }
    }
    return false;
  }

  asio::io_context io_;
  mutable std::mutex mutex_;
  Files files_;
  Decide decide_;
  asio::ssl::context* tls_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::list<Connection> connections_;
  std::vector<std::string> paths_;
  std::atomic<bool> stopping_ = false;
  std::atomic<unsigned> requests_ = 0, accepted_ = 0;
  std::thread thread_;
};

}  // namespace tuxarium::net::test
