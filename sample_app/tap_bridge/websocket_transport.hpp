// A Transport on a Beast websocket, plain or TLS.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "beast.hpp"
#include "transport.hpp"

namespace tuxarium::bridge {

/// The websocket and what is under way on it. Lives on while an operation has not come back.
template <class Stream>
class WebsocketCore final : public std::enable_shared_from_this<WebsocketCore<Stream>> {
 public:
  static constexpr std::chrono::seconds kCloseTime{3};  ///< for the other side's half of the closing handshake

  explicit WebsocketCore(std::unique_ptr<websocket::stream<Stream>> stream)
      : stream_{std::move(stream)}, cut_timer_{stream_->get_executor()} {
    stream_->binary(true);
    stream_->auto_fragment(false);
    stream_->control_callback([this](websocket::frame_type, beast::string_view) {
      if (peer_ != nullptr) peer_->on_alive();
    });
  }

  void attach(TransportPeer* peer) { peer_ = peer; }

  void read() {
    buffer_.consume(buffer_.size());
    stream_->async_read(buffer_, [self = this->shared_from_this()](error_code error, std::size_t) { self->have_read(error); });
  }

  void write(Bytes head, Bytes body) {
    std::copy(head.begin(), head.end(), head_.begin());
    const std::array buffers{asio::const_buffer{head_.data(), head.size()}, asio::const_buffer{body.data(), body.size()}};
    stream_->async_write(buffers, [self = this->shared_from_this()](error_code error, std::size_t) {
      if (error) return self->finish(error.message());
      if (self->peer_ != nullptr) self->peer_->on_written();
    });
  }

  void ping() {
    stream_->async_ping({}, [self = this->shared_from_this()](error_code) {});
  }

  void close(CloseCode code, std::string_view reason) {
    closed_as_ = reason;
    const websocket::close_reason what{static_cast<websocket::close_code>(code), beast::string_view{reason.data(), std::min<std::size_t>(reason.size(), 123)}};
    stream_->async_close(what, [self = this->shared_from_this()](error_code) { self->finish(self->closed_as_); });
    cut_timer_.expires_after(kCloseTime);
    cut_timer_.async_wait([weak = this->weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (self && !error) self->finish(self->closed_as_);
    });
  }

  void abort(std::string why) {
    asio::post(stream_->get_executor(), [self = this->shared_from_this(), why = std::move(why)] { self->finish(why); });
  }

 private:
  void have_read(error_code error) {
    if (error) return finish(reading_ended(error));
    if (peer_ == nullptr) return;
    peer_->on_alive();
    const auto data = buffer_.cdata();
    if (peer_ != nullptr) peer_->on_message({static_cast<const std::byte*>(data.data()), data.size()}, stream_->got_text());
  }

  std::string reading_ended(error_code error) const {
    if (!closed_as_.empty()) return closed_as_;
    if (error == websocket::error::closed) return "it said good-bye";
    if (error == asio::error::eof || error == ssl::error::stream_truncated || error == asio::error::connection_reset) return "its connection ended";
    if (error == beast::error::timeout) return "it answers no ping";
    if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) return "its message was too long";
    return error.message();
  }

  /// Safe to call again: only the first time counts.
  void finish(const std::string& why) {
    if (finished_) return;
    finished_ = true;
    cut_timer_.cancel();
    error_code ignored;
    beast::get_lowest_layer(*stream_).socket().close(ignored);
    beast::get_lowest_layer(*stream_).close();
    asio::post(stream_->get_executor(), [self = this->shared_from_this(), why] {
      if (self->peer_ != nullptr) self->peer_->on_ended(why);
    });
  }

  std::unique_ptr<websocket::stream<Stream>> stream_;
  beast::flat_buffer buffer_;
  std::array<std::byte, Transport::kHead> head_{};
  asio::steady_timer cut_timer_;
  TransportPeer* peer_ = nullptr;
  std::string closed_as_;
  bool finished_ = false;
};

template <class Stream>
class WebsocketTransport final : public Transport {
 public:
  /// `stream` has been accepted.
  explicit WebsocketTransport(std::unique_ptr<websocket::stream<Stream>> stream)
      : core_{std::make_shared<WebsocketCore<Stream>>(std::move(stream))} {}
  ~WebsocketTransport() override {
    core_->attach(nullptr);
    core_->abort({});
  }

  void attach(TransportPeer& peer) override { core_->attach(&peer); }
  void detach() override { core_->attach(nullptr); }
  void read() override { core_->read(); }
  void write(Bytes head, Bytes body) override { core_->write(head, body); }
  void ping() override { core_->ping(); }
  void close(CloseCode code, std::string_view reason) override { core_->close(code, reason); }
  void abort() override { core_->abort("cut off"); }

 private:
  std::shared_ptr<WebsocketCore<Stream>> core_;
};

}  // namespace tuxarium::bridge
