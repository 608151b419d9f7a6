// One HTTP/1.1 connection to a server, kept open between requests (RFC 9110, RFC 9112), with or without TLS.
//
// GET and HEAD; redirects. Not there: pipelining, content codings, authentication, cookies, proxies.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/beast.hpp"
#include "net/name_lookup.hpp"
#include "net/url.hpp"

namespace tuxarium::net {

struct HttpRequest {
  Url url;
  bool head = false;            ///< HEAD: no body is wanted
  bool past_caches = false;     ///< ask caches on the way to look again
  std::uint64_t body_limit = 0; ///< a longer body is a problem
  std::chrono::milliseconds timeout{0};  ///< for the whole answer, redirects and connecting included
};

struct HttpAnswer {
  std::string problem;  ///< why there is no answer, without a full stop; empty: all else holds
  unsigned status = 0;
  std::string reason;                          ///< the words behind the status
  std::vector<std::uint8_t> body;              ///< with status 200
  std::optional<std::uint64_t> content_length; ///< as announced
  std::chrono::seconds retry_after{0};         ///< asked for by the server
  Url url;                                     ///< where the redirects led
};

/// Threading: everything happens on the thread that runs the io_context. Destroyed when nothing runs that any more.
class HttpConnection {
 public:
  static constexpr unsigned kMaxRedirects = 5;
  static constexpr std::uint32_t kMaxHeader = 16 * 1024;

  using Done = std::function<void(HttpAnswer)>;

  HttpConnection(asio::io_context& context, asio::ssl::context& tls);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection();

  /// Sends a request; `done` is called once, never from inside send(). One request at a time.
  void send(HttpRequest request, Done done);

 private:
  using PlainStream = beast::tcp_stream;
  using TlsStream = beast::ssl_stream<beast::tcp_stream>;
  using Parser = http::response_parser<http::vector_body<std::uint8_t>>;

  // The life of a request, in order; each step starts the next.
  void begin();
  void resolve();
  void connect(const std::vector<tcp::endpoint>& addresses);
  void handshake();
  void write();
  void read_header();
  void read_body();
  void finish_response();
  void redirect();

  void finish(std::string problem);
  bool failed(const error_code& code, const char* doing);
  std::string words_for(const error_code& code, const char* doing) const;
  void close();
  void abandon_lookup();
  bool same_server() const;
  std::string host() const { return url_.authority(); }
  beast::tcp_stream& socket() { return tls_ ? beast::get_lowest_layer(*tls_) : *plain_; }

  /// Calls `f` with the stream in use.
  template <class F>
  void with_stream(const F& f) {
    if (tls_) f(*tls_);
    else f(*plain_);
  }

  asio::io_context& context_;
  asio::ssl::context& tls_context_;
  asio::steady_timer timer_;

  // The connection. At most one stream is there.
  std::optional<PlainStream> plain_;
  std::optional<TlsStream> tls_;
  Url server_;         // scheme, host and port that it leads to
  bool open_ = false;  // it may take a request
  bool fresh_ = true;  // it has not answered one yet
  beast::flat_buffer buffer_{4 * kMaxHeader};

  // The request.
  HttpRequest request_;
  Done done_;
  Url url_;  // after redirects
  unsigned redirects_ = 0;
  bool timed_out_ = false;
  std::shared_ptr<NameLookup> lookup_;  // while it is under way
  std::uint64_t number_ = 0;  // of the request: what belongs to an earlier one is ignored
  std::optional<http::request<http::empty_body>> message_;
  std::optional<Parser> parser_;
};

}  // namespace tuxarium::net
