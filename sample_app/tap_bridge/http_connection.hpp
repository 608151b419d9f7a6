// One TCP connection until it has become a websocket or has got its answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "beast.hpp"
#include "connections.hpp"
#include "http_limits.hpp"
#include "pages.hpp"
#include "server.hpp"
#include "websocket_transport.hpp"

namespace tuxarium::bridge {

template <class Stream>
class HttpConnection final : public std::enable_shared_from_this<HttpConnection<Stream>>, private WaitingConnection {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;
  static constexpr std::chrono::seconds kAnswerTime{10}, kDrainTime{1};

  /// `server` and `waiting` must outlive every connection, that is the io_context's run.
  HttpConnection(Stream stream, std::string peer, const HttpLimits& limits, Server& server, std::shared_ptr<WaitingList> waiting)
      : stream_{std::in_place, std::move(stream)},
        peer_{std::move(peer)},
        limits_{limits},
        server_{&server},
        waiting_{std::move(waiting)},
        buffer_{limits.header_bytes + 1024} {
    place_ = waiting_->insert(waiting_->end(), this);
    parser_.emplace();
    parser_->header_limit(limits.header_bytes);
    parser_->body_limit(0);
  }
  ~HttpConnection() { stop_waiting(); }

  void start() {
    beast::get_lowest_layer(*stream_).expires_after(limits_.header_time);
    if constexpr (kTls) {
      stream_->async_handshake(ssl::stream_base::server, [self = this->shared_from_this()](error_code error) {
        if (!error) self->read_header();
      });
    } else {
      read_header();
    }
  }

 private:
  void cut() override {
    waiting_->erase(*place_);
    place_.reset();
    beast::get_lowest_layer(*stream_).close();
  }

  void stop_waiting() {
    if (place_) waiting_->erase(*place_);
    place_.reset();
  }

  void read_header() {
    http::async_read_header(*stream_, buffer_, *parser_, [self = this->shared_from_this()](error_code error, std::size_t) { self->have_header(error); });
  }

  void have_header(error_code error) {
    stop_waiting();
    if (error == http::error::header_limit || error == http::error::buffer_overflow) return answer({431, "The request's header is too long.", {}, {}});
    if (error.category() == make_error_code(http::error::bad_method).category() && error != http::error::end_of_stream &&
        error != http::error::partial_message)
      return answer({400, "This is not HTTP.", {}, {}});
    if (error) return;
    const Admission admission = server_->admit(view(), peer_);
    if (admission.kind == Admission::Kind::websocket) return upgrade(admission);
    answer(page_for(admission, *server_));
  }

  std::string_view field(http::field name) const {
    const auto text = parser_->get()[name];
    return {text.data(), text.size()};
  }

  RequestView view() const {
    const auto& request = parser_->get();
    RequestView view;
    view.method = {request.method_string().data(), request.method_string().size()};
    view.target = {request.target().data(), request.target().size()};
    view.host = field(http::field::host);
    view.origin = field(http::field::origin);
    view.has_origin = request.find(http::field::origin) != request.end();
    view.authorization = field(http::field::authorization);
    view.subprotocols = field(http::field::sec_websocket_protocol);
    view.is_upgrade = websocket::is_upgrade(request) && buffer_.size() == 0;
    return view;
  }

  void upgrade(const Admission& admission) {
    beast::get_lowest_layer(*stream_).expires_never();
    auto accepted = std::make_unique<websocket::stream<Stream>>(std::move(*stream_));
    stream_.reset();
    websocket::stream<Stream>& stream = *accepted;
    stream.set_option(websocket::stream_base::timeout{limits_.header_time, limits_.ping_time, true});
    stream.set_option(websocket::stream_base::decorator([protocol = admission.subprotocol](websocket::response_type& response) {
      response.set(http::field::server, kServerName);
      if (!protocol.empty()) response.set(http::field::sec_websocket_protocol, protocol);
    }));
    const bool one_frame = admission.format == WireFormat::ethernet;
    stream.read_message_max(one_frame ? server_->session_limits().gate.max_frame : limits_.max_message);
    const auto request = std::make_shared<http::request<http::empty_body>>(parser_->release());
    stream.async_accept(*request, [self = this->shared_from_this(), request, admission,
                                   shared = std::make_shared<std::unique_ptr<websocket::stream<Stream>>>(std::move(accepted))](error_code error) {
      if (!error) self->server_->join(std::make_unique<WebsocketTransport<Stream>>(std::move(*shared)), admission, self->peer_);
    });
  }

  void answer(Page page) {
    response_.result(page.status);
    response_.version(11);
    response_.set(http::field::server, kServerName);
    response_.set(http::field::content_type, page.content_type.empty() ? "text/plain; charset=utf-8" : page.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    if (!page.policy.empty()) response_.set("Content-Security-Policy", page.policy);
    if (page.status == 401) response_.set(http::field::www_authenticate, "Basic realm=\"tuxarium-bridge: any name, and a token as the password\", Bearer");
    if (page.status == 426) {
      response_.set(http::field::upgrade, "websocket");
      response_.set(http::field::connection, "Upgrade, close");
    } else {
      response_.keep_alive(false);
    }
    if (page.status == 503) response_.set(http::field::retry_after, "10");
    if (page.status == 405) response_.set(http::field::allow, "GET");
    response_.body() = page.body.empty() ? std::string{} : std::move(page.body);
    response_.prepare_payload();
    beast::get_lowest_layer(*stream_).expires_after(kAnswerTime);
    http::async_write(*stream_, response_, [self = this->shared_from_this()](error_code error, std::size_t) {
      if (!error) self->say_end();
    });
  }

  void say_end() {
    if constexpr (kTls) {
      stream_->async_shutdown([self = this->shared_from_this()](error_code) { self->drain(); });
    } else {
      drain();
    }
  }

  /// A close with unread bytes would take the answer back: reads on for a moment.
  void drain() {
    error_code ignored;
    auto& socket = beast::get_lowest_layer(*stream_);
    socket.socket().shutdown(tcp::socket::shutdown_send, ignored);
    socket.expires_after(kDrainTime);
    drain_some(16);
  }

  void drain_some(int reads) {
    if (reads == 0) return;
    buffer_.consume(buffer_.size());
    beast::get_lowest_layer(*stream_).async_read_some(buffer_.prepare(1024), [self = this->shared_from_this(), reads](error_code error, std::size_t) {
      if (!error) self->drain_some(reads - 1);
    });
  }

  std::optional<Stream> stream_;
  std::string peer_;
  HttpLimits limits_;
  Server* server_;
  std::shared_ptr<WaitingList> waiting_;
  std::optional<WaitingList::iterator> place_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
};

}  // namespace tuxarium::bridge
