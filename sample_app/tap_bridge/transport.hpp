// The websocket as the session sees it: whole messages, one read and one write at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ethernet.hpp"

namespace tuxarium::bridge {

/// Close codes (RFC 6455 section 7.4.1).
enum class CloseCode : std::uint16_t {
  going_away = 1001,
  unsupported_data = 1003,
  bad_payload = 1007,
  policy = 1008,
  too_big = 1009,
  internal = 1011,
  try_again_later = 1013,
};

class TransportPeer {
 public:
  /// `message` lives until the next read().
  virtual void on_message(Bytes message, bool is_text) = 0;
  /// The write is over; its bytes may change.
  virtual void on_written() = 0;
  /// The other side is alive: a message or an answer to a ping has come.
  virtual void on_alive() = 0;
  /// The connection is over; nothing else is called after this. Called once.
  virtual void on_ended(const std::string& why) = 0;

 protected:
  ~TransportPeer() = default;
};

/// Every callback comes later, from the event loop, never out of one of these calls. Used on one thread.
class Transport {
 public:
  static constexpr std::size_t kHead = 2;
  virtual ~Transport() = default;

  /// The peer must live until on_ended() or until detach().
  virtual void attach(TransportPeer& peer) = 0;
  virtual void detach() = 0;
  /// Reads one message. At most one read at a time.
  virtual void read() = 0;
  /// Writes `head` and `body` as one binary message. `head`, at most kHead bytes, is copied; `body` must stay until on_written(). At most one
  /// write at a time.
  virtual void write(Bytes head, Bytes body) = 0;
  virtual void ping() = 0;
  /// Starts to close, with a reason of at most 123 bytes; the connection is cut when the other side takes too long. on_ended() follows.
  virtual void close(CloseCode code, std::string_view reason) = 0;
  /// Cuts the connection. on_ended() follows.
  virtual void abort() = 0;
};

}  // namespace tuxarium::bridge
