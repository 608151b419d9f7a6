// `--stats json`: what a run came to, as one line of JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tuxarium/machine.hpp>

namespace tuxarium::app {

struct RunStats {
  Counters counters;
  double wall_seconds = 0;        ///< since the guest was started
  double cpu_seconds = 0;         ///< user and system time of this process in that span
  long max_rss_kib = 0;           ///< largest resident set of this process
  std::uint64_t serial0_from_guest = 0, serial0_to_guest = 0, serial1_from_guest = 0, serial1_to_guest = 0;
  std::optional<LinkStatus> network;
  std::string_view reason;        ///< why the run ended: a word
  int status = 0;
};

/// Measures the process from its construction on.
class StatsClock {
 public:
  StatsClock();
  RunStats take(Machine& machine, std::string_view reason, int status) const;

 private:
  std::chrono::steady_clock::time_point start_;
  double cpu_start_;
};

std::string to_json(const RunStats& stats);

}  // namespace tuxarium::app
