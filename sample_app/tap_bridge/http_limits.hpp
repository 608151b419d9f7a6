// How much patience a connection finds.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tuxarium::bridge {

struct HttpLimits {
  std::uint32_t header_bytes = 8 * 1024;
  std::chrono::seconds header_time{10};  ///< from the connection to the end of the header, TLS included
  std::chrono::milliseconds ping_time{30'000};  ///< a silent client is pinged after half of it and given up after the whole
  std::size_t max_message = 64 * 1024;   ///< bytes of a message from a client of /tap
  std::size_t waiting = 64;              ///< connections that have sent no whole header yet; one more cuts off the oldest
};

}  // namespace tuxarium::bridge
