// What carries the guest's Ethernet frames: the other end of its second serial port.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace tuxarium {

/// How a link is doing.
enum class LinkState : std::uint8_t {
  down,        ///< not connected; it tries again by itself unless last_error says that it has given up
  connecting,  ///< on the way
  up,          ///< frames pass
};

/// Totals of a link since it was made; sizes are those of the Ethernet frames alone.
struct LinkStatus {
  LinkState state = LinkState::down;
  std::uint64_t frames_sent = 0;       ///< from the guest, handed to the wire
  std::uint64_t bytes_sent = 0;
  std::uint64_t frames_received = 0;   ///< for the guest, taken by it
  std::uint64_t bytes_received = 0;
  std::uint64_t dropped_sent = 0;      ///< frames of the guest that were dropped: queue full, or not connected
  std::uint64_t dropped_received = 0;  ///< frames for the guest that were dropped: queue full, or no frame at all
  std::uint64_t connections = 0;       ///< how often the link came up
  std::string last_error;              ///< one sentence, or empty: why the link is or was last down
};

/// Carries Ethernet frames (IEEE 802.3 from the destination address on, no preamble and no check sequence; 14 to 1522 bytes).
///
/// Threading: send() and receive() are called by the machine's thread inside Machine::run() and never block, allocate or take long: an idle link
/// costs nanoseconds, for both are called many times a second. status() and on_receivable() may be called from any thread.
class NetworkLink {
 public:
  static constexpr std::size_t kMinFrame = 14;    ///< an Ethernet header
  static constexpr std::size_t kMaxFrame = 1522;  ///< 1500 bytes of payload, a VLAN tag, a check sequence

  virtual ~NetworkLink() = default;

  /// Offers a frame of the guest. False: it was dropped, as on a wire, and counted.
  virtual bool send(std::span<const std::byte> frame) = 0;

  /// Moves the next frame for the guest into `out`, which holds at least kMaxFrame bytes, and returns its size; 0 when there is none.
  virtual std::size_t receive(std::span<std::byte> out) = 0;

  virtual LinkStatus status() const = 0;

  /// `wake` is called, from a thread of the link's own, when frames for the guest have come: a host that sleeps while its guest idles then calls
  /// Machine::run() at once instead of at RunResult::idle_for. It must not block and not call the link. An empty function ends that; once this
  /// returns, the earlier function is neither running nor called again.
  virtual void on_receivable(std::function<void()> wake) = 0;

 protected:
  NetworkLink() = default;
  NetworkLink(const NetworkLink&) = default;
  NetworkLink& operator=(const NetworkLink&) = default;
};

}  // namespace tuxarium
