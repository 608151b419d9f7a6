#include "net/websocket_channel.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>
#include <type_traits>
#include <utility>

#include <openssl/ssl.h>

#include <tuxarium/version.hpp>

#include "net/tls_context.hpp"

namespace tuxarium::net {

namespace {

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

/// What a server says, for people: cut, and without anything that a terminal might obey.
std::string printable(std::string_view text) {
  constexpr std::size_t kMostShown = 200;
  std::string out;
  for (const char c : text.substr(0, kMostShown)) out += c >= ' ' && c <= '~' ? c : ' ';
  out.erase(std::find_if(out.rbegin(), out.rend(), [](char c) { return c != ' '; }).base(), out.end());
  return out;
}

std::string seconds(std::chrono::milliseconds time) {
  const auto tenths = time.count() / 100;
  return tenths % 10 == 0 ? std::to_string(tenths / 10) + " seconds" : std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " seconds";
}

/// The server's answer to the request for a websocket, when it is not yes.
std::string refusal(const std::string& server, const Url& url, bool has_token, const websocket::response_type& answer) {
  const std::string code = " (HTTP " + std::to_string(answer.result_int()) + ").";
  switch (answer.result_int()) {
    case 401: return server + (has_token ? " refused the token" : " wants a token") + code;
    case 403: return server + " does not let this client in" + code;
    case 404: return server + " has no network at the path " + printable(url.target.substr(0, url.target.find('?'))) + code;
    case 429:
    case 503: return server + " takes no more clients at the moment" + code;
    default: break;
  }
  const auto location = answer.find(http::field::location);
  if (answer.result_int() / 100 == 3 && location != answer.end()) {
    return server + " says that the network is at " + printable({location->value().data(), location->value().size()}) + " instead" + code;
  }
  return server + " is no websocket at the path " + printable(url.target.substr(0, url.target.find('?'))) + code;
}

template <class Stream>
class WebsocketChannel final : public Channel, public std::enable_shared_from_this<WebsocketChannel<Stream>> {
 public:
  static constexpr bool kSecure = std::is_same_v<Stream, TlsStream>;

  WebsocketChannel(asio::io_context& io, ChannelSetup setup, ChannelPeer& peer)
      : setup_{std::move(setup)}, peer_{&peer}, server_{"The server at " + setup_.url.authority()}, deadline_{io}, stream_{make_stream(io)} {
    stream_.auto_fragment(false);
    stream_.read_message_max(kMaxMessage);
  }

  void open(std::vector<tcp::endpoint> addresses) override {
    assert(!addresses.empty());
    addresses_ = std::move(addresses);
    deadline_.expires_after(setup_.connect_timeout);
    deadline_.async_wait([weak = this->weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (self && !error) self->fail(self->server_ + " did not answer within " + seconds(self->setup_.connect_timeout) + ".");
    });
    connect_next({});
  }

  void write(std::span<const std::byte> data, bool is_text) override {
    stream_.text(is_text);
    stream_.async_write(asio::const_buffer{data.data(), data.size()}, [self = this->shared_from_this()](error_code error, std::size_t) {
      if (error) return self->fail(self->lost(error));
      if (self->peer_ != nullptr) self->peer_->on_written();
    });
  }

  void close() override {
    stream_.async_close(websocket::close_code::going_away, [self = this->shared_from_this()](error_code) { self->fail("The connection was closed."); });
  }

  void detach() override {
    peer_ = nullptr;
    deadline_.cancel();
    tcp_layer().close();
  }

 private:
  websocket::stream<Stream> make_stream(asio::io_context& io) {
    if constexpr (kSecure) return websocket::stream<Stream>{beast::tcp_stream{io}, *setup_.tls};
    else return websocket::stream<Stream>{io};
  }

  beast::tcp_stream& tcp_layer() { return beast::get_lowest_layer(stream_); }

  /// An address that swallows everything must leave time for the next one.
  void connect_next(error_code last) {
    if (peer_ == nullptr) return;
    if (next_address_ == addresses_.size()) return fail("Nothing answers at " + setup_.url.authority() + ": " + last.message() + ".");
    const tcp::endpoint address = addresses_[next_address_++];
    tcp_layer().expires_after(setup_.connect_timeout / static_cast<int>(addresses_.size()));
    tcp_layer().async_connect(address, [self = this->shared_from_this()](error_code error) {
      if (self->peer_ == nullptr) return;
      if (error) return self->connect_next(error);
      self->connected();
    });
  }

  void connected() {
    error_code ignored;
    tcp_layer().socket().set_option(tcp::no_delay{true}, ignored);
    tcp_layer().expires_never();
    if constexpr (kSecure) {
      if (!expect_host(stream_.next_layer().native_handle(), setup_.url)) return fail("There is no memory for a TLS connection.");
      stream_.next_layer().async_handshake(asio::ssl::stream_base::client, [self = this->shared_from_this()](error_code error) {
        if (error) return self->fail("There is no safe connection to " + self->setup_.url.authority() + ": " + self->tls_problem(error) + ".");
        if (self->peer_ != nullptr) self->ask();
      });
    } else {
      ask();
    }
  }

  std::string tls_problem(error_code error) {
    if constexpr (kSecure) return handshake_problem(stream_.next_layer().native_handle(), error);
    else return error.message();
  }

  /// The deadline of open() covers the handshake.
  void ask() {
    stream_.set_option(websocket::stream_base::timeout{websocket::stream_base::none(), setup_.silence, true});
    stream_.set_option(websocket::stream_base::decorator{[token = setup_.token](websocket::request_type& request) {
      request.set(http::field::user_agent, "tuxarium/" TUXARIUM_VERSION);
      if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    }});
    stream_.async_handshake(answer_, setup_.url.authority(), setup_.url.target, [self = this->shared_from_this()](error_code error) { self->answered(error); });
  }

  void answered(error_code error) {
    if (peer_ == nullptr) return;
    if (error == websocket::error::upgrade_declined) return fail(refusal(server_, setup_.url, !setup_.token.empty(), answer_));
    if (error == asio::error::eof || error == http::error::end_of_stream || error == http::error::partial_message) {
      return fail(server_ + " hung up without an answer.");
    }
    if (error) return fail(server_ + " is no websocket: " + error.message() + ".");
    deadline_.cancel();
    answer_ = {};
    peer_->on_open();
    read();
  }

  void read() {
    if (peer_ == nullptr) return;
    stream_.async_read_some(asio::buffer(in_), [self = this->shared_from_this()](error_code error, std::size_t count) {
      if (error) return self->fail(self->lost(error));
      if (self->peer_ != nullptr) self->peer_->on_data(std::span{self->in_}.first(count), self->stream_.got_text(), self->stream_.is_message_done());
      self->read();
    });
  }

  std::string lost(error_code error) {
    if (error == websocket::error::closed) {
      const websocket::close_reason& said = stream_.reason();
      const std::string words = printable({said.reason.data(), said.reason.size()});
      return server_ + " closed the connection" + (words.empty() ? "" : ": " + words) + " (code " + std::to_string(said.code) + ").";
    }
    if (error == beast::error::timeout) return server_ + " has said nothing for " + seconds(setup_.silence) + ".";
    if (error == websocket::error::message_too_big) return server_ + " sent a message of more than " + std::to_string(kMaxMessage) + " bytes.";
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) return server_ + " hung up.";
    return "The connection to " + setup_.url.authority() + " was lost: " + error.message() + ".";
  }

  /// Only the first time counts.
  void fail(const std::string& why) {
    ChannelPeer* const peer = std::exchange(peer_, nullptr);
    if (peer == nullptr) return;
    detach();
    peer->on_ended(why);
  }

  ChannelSetup setup_;
  ChannelPeer* peer_;
  std::string server_;
  std::vector<tcp::endpoint> addresses_;
  std::size_t next_address_ = 0;
  asio::steady_timer deadline_;
  websocket::stream<Stream> stream_;
  websocket::response_type answer_;
  std::array<std::byte, 16 * 1024> in_;
};

}  // namespace

std::shared_ptr<Channel> make_channel(asio::io_context& io, ChannelSetup setup, ChannelPeer& peer) {
  if (setup.url.secure()) return std::make_shared<WebsocketChannel<TlsStream>>(io, std::move(setup), peer);
  return std::make_shared<WebsocketChannel<PlainStream>>(io, std::move(setup), peer);
}

}  // namespace tuxarium::net
