// One websocket connection (RFC 6455) of a client, plain or TLS, from its TCP connection to its end.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "net/beast.hpp"
#include "net/url.hpp"

namespace tuxarium::net {

/// Is told what happens on a channel; always from the event loop, never out of a call of the channel.
class ChannelPeer {
 public:
  virtual void on_open() = 0;
  /// The next bytes of a message of either kind, as they come; `end`: its last.
  virtual void on_data(std::span<const std::byte> data, bool is_text, bool end) = 0;
  /// The write is over; its bytes may change.
  virtual void on_written() = 0;
  /// The connection is over, or has never come about; nothing else is called after this. `why` is a sentence.
  virtual void on_ended(const std::string& why) = 0;

 protected:
  ~ChannelPeer() = default;
};

struct ChannelSetup {
  Url url;
  std::string token;                   ///< empty: none is sent
  asio::ssl::context* tls = nullptr;   ///< of a secure URL; must outlive the channel
  std::chrono::milliseconds connect_timeout{};  ///< from TCP's first packet to the open websocket
  std::chrono::milliseconds silence{};          ///< as in WebsocketLinkOptions
};

/// Used on the thread of its io_context. Its operations keep it alive; nobody is told anything after detach().
class Channel {
 public:
  static constexpr std::size_t kMaxMessage = 1u << 20;  ///< a longer message of the server ends the connection

  virtual ~Channel() = default;

  /// Tries the addresses, of which there is one at least, in turn; on_open() or on_ended() follows.
  virtual void open(std::vector<tcp::endpoint> addresses) = 0;
  /// Sends one message. `data` must stay as it is until on_written(); one write at a time.
  virtual void write(std::span<const std::byte> data, bool is_text) = 0;
  /// Says good-bye; on_ended() follows, late if the server is slow.
  virtual void close() = 0;
  /// Cuts the connection without a word to the peer, who is not called again.
  virtual void detach() = 0;
};

/// `peer` and `io` must live until on_ended() or detach().
std::shared_ptr<Channel> make_channel(asio::io_context& io, ChannelSetup setup, ChannelPeer& peer);

}  // namespace tuxarium::net
