// A machine's figures over the last minute.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tuxarium::imgui {

class TrafficHistory {
 public:
  using Clock = std::chrono::steady_clock;

  enum Series : std::size_t { instructions, disk_read, disk_written, network_out, network_in, console_out, kSeries };
  using Totals = std::array<std::uint64_t, kSeries>;

  static constexpr std::size_t kSamples = 240;
  static constexpr std::chrono::milliseconds kInterval{250};

  /// Whether it is time for the next sample.
  bool due(Clock::time_point now) const { return now - taken_ >= kInterval; }
  /// Takes a sample of each series, once it is due. The first call only says where the totals begin.
  void observe(const Totals& totals, Clock::time_point now);

  /// Rate a second; `age` counts samples back from the latest. 0 before there was one.
  float rate(Series series, std::size_t age = 0) const { return rates_[series][(next_ + kSamples - 1 - age) % kSamples]; }
  float highest(Series series) const;

 private:
  Totals totals_{};
  Clock::time_point taken_{};
  std::array<std::array<float, kSamples>, kSeries> rates_{};
  std::size_t next_ = 0;
};

}  // namespace tuxarium::imgui
