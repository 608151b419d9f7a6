#include "net/http_connection.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <string_view>
#include <system_error>

#include <tuxarium/version.hpp>

#include "net/tls_context.hpp"

namespace tuxarium::net {

namespace {

constexpr std::uint64_t kMaxErrorBody = 64 * 1024;  // of an answer that is no success; it is dropped
constexpr std::chrono::seconds kLongestRetryAfter{60};

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, number);
  if (code != std::errc{} || rest != end) return std::nullopt;
  return number;
}

bool is_redirect(unsigned status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

/// Words of a stranger's for a sentence: short, and nothing that a terminal might obey.
std::string harmless(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string out{text.substr(0, kMost)};
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

}  // namespace

HttpConnection::HttpConnection(asio::io_context& context, asio::ssl::context& tls)
    : context_{context}, tls_context_{tls}, timer_{context} {}

HttpConnection::~HttpConnection() { abandon_lookup(); }

void HttpConnection::abandon_lookup() {
  if (lookup_ != nullptr) lookup_->abandon();
  lookup_.reset();
}

void HttpConnection::send(HttpRequest request, Done done) {
  assert(!done_);
  request_ = std::move(request);
  done_ = std::move(done);
  url_ = request_.url;
  redirects_ = 0;
  timed_out_ = false;
  ++number_;
  timer_.expires_after(request_.timeout);
  timer_.async_wait([this, number = number_](const error_code& code) {
    if (code || number != number_ || !done_) return;
    timed_out_ = true;
    if (lookup_ != nullptr) return finish(words_for({}, "looking for"));
    if (plain_ || tls_) socket().close();
  });
  asio::post(context_, [this, number = number_] {
    if (number == number_ && done_) begin();
  });
}

bool HttpConnection::same_server() const {
  return server_.scheme == url_.scheme && server_.host == url_.host && server_.port == url_.port;
}

void HttpConnection::begin() {
  if (open_ && same_server()) return write();
  close();
  resolve();
}

void HttpConnection::close() {
  open_ = false;
  tls_.reset();
  plain_.reset();
  buffer_.clear();
}

// --- Connecting ---

void HttpConnection::resolve() {
  server_ = url_;
  lookup_ = NameLookup::start(context_, url_, [this](const std::vector<tcp::endpoint>& found, const std::string& problem) {
    lookup_.reset();
    if (found.empty()) return finish("the host " + url_.host + " is not found: " + problem);
    connect(found);
  });
}

void HttpConnection::connect(const std::vector<tcp::endpoint>& addresses) {
  fresh_ = true;
  if (url_.secure()) tls_.emplace(context_, tls_context_);
  else plain_.emplace(context_);
  socket().async_connect(addresses, [this](const error_code& code, const tcp::endpoint&) {
    if (failed(code, "connecting to")) return;
    error_code ignored;
    socket().socket().set_option(tcp::no_delay{true}, ignored);
    if (tls_) handshake();
    else write();
  });
}

void HttpConnection::handshake() {
  if (!expect_host(tls_->native_handle(), url_)) return finish("there is no memory for TLS");
  tls_->async_handshake(asio::ssl::stream_base::client, [this](const error_code& code) {
    if (code && !timed_out_) {
      return finish("no TLS connection with " + host() + ": " + handshake_problem(tls_->native_handle(), code));
    }
    if (!failed(code, "connecting to")) write();
  });
}

// --- Request and response ---

void HttpConnection::write() {
  open_ = false;  // until the answer says that it stays
  message_.emplace(request_.head ? http::verb::head : http::verb::get, url_.target, 11);
  message_->set(http::field::host, url_.authority());
  message_->set(http::field::user_agent, "tuxarium/" TUXARIUM_VERSION);
  message_->set(http::field::accept, "*/*");
  if (request_.past_caches) message_->set(http::field::cache_control, "no-cache");
  with_stream([this](auto& stream) {
    http::async_write(stream, *message_, [this](const error_code& code, std::size_t) {
      // A server that answers before it has read everything is read all the same.
      if (timed_out_) failed(code, "asking");
      else read_header();
    });
  });
}

void HttpConnection::read_header() {
  parser_.emplace();
  parser_->header_limit(kMaxHeader);
  parser_->body_limit(std::max(request_.body_limit, kMaxErrorBody));
  parser_->skip(request_.head);
  with_stream([this](auto& stream) {
    http::async_read_header(stream, buffer_, *parser_, [this](const error_code& code, std::size_t count) {
      // The server may have closed a connection that was kept just when the request was on its way.
      if (code && !timed_out_ && !fresh_ && count == 0 && code != http::error::body_limit) {
        close();
        return resolve();
      }
      if (!failed(code, "waiting for an answer of")) read_body();
    });
  });
}

void HttpConnection::read_body() {
  if (parser_->is_done()) return finish_response();
  with_stream([this](auto& stream) {
    http::async_read(stream, buffer_, *parser_, [this](const error_code& code, std::size_t) {
      if (!failed(code, "reading an answer of")) finish_response();
    });
  });
}

void HttpConnection::finish_response() {
  fresh_ = false;
  open_ = parser_->keep_alive() && buffer_.size() == 0;
  if (!open_) close();
  const unsigned status = parser_->get().result_int();
  if (is_redirect(status)) return redirect();
  if (status == 200 && parser_->get().body().size() > request_.body_limit && !request_.head) {
    return finish(host() + " sent more than the " + std::to_string(request_.body_limit) + " bytes that were expected");
  }
  const std::string_view coding = view(parser_->get()[http::field::content_encoding]);
  if (status == 200 && !coding.empty() && coding != "identity") return finish(host() + " sent a compressed answer, which was not asked for");
  finish({});
}

void HttpConnection::redirect() {
  if (++redirects_ > kMaxRedirects) return finish(host() + " redirected more than " + std::to_string(kMaxRedirects) + " times");
  const std::string_view location = view(parser_->get()[http::field::location]);
  if (location.empty()) return finish(host() + " redirected to nowhere");
  auto next = resolve_reference(url_, location);
  if (!next) return finish(host() + " redirected to something that is no URL of a web server");
  if (next->scheme != Scheme::http && next->scheme != Scheme::https) return finish(host() + " redirected to something that is no web server");
  if (url_.secure() && !next->secure()) return finish(host() + " redirected from https to http");
  url_ = std::move(*next);
  begin();
}

// --- The end ---

void HttpConnection::finish(std::string problem) {
  HttpAnswer answer;
  if (!problem.empty()) {
    answer.problem = std::move(problem);
    // Aborted operations of these streams have been waited for, except during a look-up, when there are none.
    close();
  } else {
    auto& message = parser_->get();
    answer.status = message.result_int();
    answer.reason = harmless(view(message.reason()));
    if (answer.status == 200) answer.body = std::move(message.body());
    answer.content_length = parse_number<std::uint64_t>(view(message[http::field::content_length]));
    const auto seconds = parse_number<unsigned>(view(message[http::field::retry_after])).value_or(0);
    answer.retry_after = std::min(std::chrono::seconds{seconds}, kLongestRetryAfter);
  }
  answer.url = url_;
  parser_.reset();
  message_.reset();
  abandon_lookup();
  ++number_;
  timer_.cancel();
  const Done done = std::exchange(done_, nullptr);
  done(std::move(answer));
}

/// True when the request has ended with a problem.
bool HttpConnection::failed(const error_code& code, const char* doing) {
  if (!code && !timed_out_) return false;
  finish(words_for(code, doing));
  return true;
}

std::string HttpConnection::words_for(const error_code& code, const char* doing) const {
  if (timed_out_) return std::string{doing} + " " + host() + " took longer than " + std::to_string(request_.timeout.count()) + " ms";
  if (code == http::error::body_limit) return host() + " sent more than the " + std::to_string(request_.body_limit) + " bytes that were expected";
  if (code == http::error::header_limit || code == http::error::buffer_overflow) return host() + " sent a header that is too long";
  if (code == http::error::partial_message) return host() + " broke off in the middle of an answer";
  if (code == http::error::end_of_stream) return host() + " closed the connection without an answer";
  if (code.category() == make_error_code(http::error::bad_version).category()) return host() + " sent something that is no HTTP: " + code.message();
  return std::string{doing} + " " + host() + ": " + code.message();
}

}  // namespace tuxarium::net
