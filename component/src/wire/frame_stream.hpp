// Ethernet frames in a byte stream: [u16 big-endian length][frame], as they pass through ttyS1, the websocket and the old server.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <tuxarium/network_link.hpp>

namespace tuxarium::wire {

inline constexpr std::size_t kLengthBytes = 2;
inline constexpr std::size_t kMinFrame = NetworkLink::kMinFrame;
inline constexpr std::size_t kMaxFrame = NetworkLink::kMaxFrame;

/// The length field of a frame of `size` bytes.
inline std::array<std::byte, kLengthBytes> length_field(std::size_t size) { return {std::byte(size >> 8 & 0xff), std::byte(size & 0xff)}; }

/// Takes a stream apart into its frames, whatever the chunks it comes in.
///
/// A length that no frame has means that the place in the stream is lost. Then bytes are skipped up to the first place that looks like a frame
/// of a protocol found on nearly every wire (IPv4, ARP, IPv6, VLAN) from a station that can exist; from there on the lengths are believed again.
/// Memory is one frame.
class FrameAssembler {
 public:
  /// Takes all of `data` and calls `sink(std::span<const std::byte> frame)` for each frame that it completes; the span lives for that call.
  template <class Sink>
  void feed(std::span<const std::byte> data, Sink&& sink) {
    while (!data.empty()) {
      const std::size_t count = std::min(wanted_ - filled_, data.size());
      std::memcpy(buffer_.data() + filled_, data.data(), count);
      filled_ += count;
      data = data.subspan(count);
      if (filled_ == wanted_ && advance()) {
        ++frames_;
        sink(std::span<const std::byte>(buffer_).subspan(kLengthBytes, filled_ - kLengthBytes));
        begin();
      }
    }
  }

  /// Forgets a frame that has come in part.
  void reset() {
    begin();
    lost_ = false;
  }

  std::uint64_t frames() const { return frames_; }
  /// Bytes that belonged to no frame.
  std::uint64_t skipped() const { return skipped_; }
  /// True between a wrong length and the next frame.
  bool lost() const { return lost_; }
  /// True while part of a frame waits for the rest.
  bool partial() const { return filled_ != 0; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    for (std::size_t i = 0; i < filled_; ++i) v(buffer_[i]);
    v(filled_), v(wanted_), v(lost_), v(frames_), v(skipped_);
  }

 private:
  void begin() {
    filled_ = 0;
    wanted_ = kLengthBytes;
  }

  /// Looks at the `wanted_` bytes that are there; true when they are a length and its frame, whole.
  bool advance();
  bool looks_like_frame() const;

  std::array<std::byte, kLengthBytes + kMaxFrame> buffer_{};
  std::size_t filled_ = 0;
  std::size_t wanted_ = kLengthBytes;
  bool lost_ = false;
  std::uint64_t frames_ = 0, skipped_ = 0;
};

}  // namespace tuxarium::wire
