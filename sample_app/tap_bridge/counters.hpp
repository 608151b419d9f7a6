// What is counted for each client, and in all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace tuxarium::bridge {

/// Why a frame from a client went no further.
enum class Drop : std::uint8_t {
  malformed,   ///< shorter than a header or longer than the network's MTU
  spoofed,     ///< its source is not the address that the client has shown
  taken,       ///< its source is another client's or the bridge's own
  storm,       ///< beyond the limit of broadcast and multicast frames
  link_local,  ///< for the bridge itself: spanning tree, pause
  refused,     ///< the network device did not take it
};
inline constexpr std::size_t kDropReasons = 6;
inline constexpr std::array<const char*, kDropReasons> kDropNames{"malformed", "spoofed", "taken", "storm", "link_local", "refused"};

/// `up` is from the client, `down` is to the client.
struct Counters {
  std::uint64_t frames_up = 0, bytes_up = 0, frames_down = 0, bytes_down = 0;
  std::uint64_t missed_down = 0;    ///< frames to the client that its network device dropped, because the client reads too slowly
  std::uint64_t skipped_bytes = 0;  ///< of the client's stream that belonged to no frame
  std::uint64_t pauses = 0;         ///< times that a limit made the client wait
  std::array<std::uint64_t, kDropReasons> dropped{};

  void drop(Drop reason) { ++dropped[static_cast<std::size_t>(reason)]; }
  std::uint64_t dropped_for(Drop reason) const { return dropped[static_cast<std::size_t>(reason)]; }
  std::uint64_t dropped_up() const { return std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0}); }

  Counters& operator+=(const Counters& other) {
    frames_up += other.frames_up, bytes_up += other.bytes_up, frames_down += other.frames_down, bytes_down += other.bytes_down;
    missed_down += other.missed_down, skipped_bytes += other.skipped_bytes, pauses += other.pauses;
    for (std::size_t i = 0; i < kDropReasons; ++i) dropped[i] += other.dropped[i];
    return *this;
  }
};

}  // namespace tuxarium::bridge
