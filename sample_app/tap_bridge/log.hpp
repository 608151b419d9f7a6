// Lines for the person who runs the bridge, on stderr.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "rate_limit.hpp"

namespace tuxarium::bridge {

/// Writes one line an event. What clients cause is bounded: more than kClientLines a second on average are counted instead, and the count is
/// told with the next line.
class Log {
 public:
  static constexpr double kClientLines = 20, kClientBurst = 200;
  using Write = std::function<void(const std::string& line)>;

  explicit Log(Write write) : write_{std::move(write)}, client_lines_{kClientLines, kClientBurst, Clock::now()} {}

  /// For what the program itself does.
  void say(const std::string& line) { write_(line); }
  /// For what a client causes.
  void say_of_client(const std::string& line);

 private:
  Write write_;
  TokenBucket client_lines_;
  std::uint64_t untold_ = 0;
};

/// Writes to stderr, with the time in front unless a journal adds it.
void write_log_line(const std::string& line);

/// Text from outside made fit for a log line: at most `longest` bytes, anything but printable ASCII as '?'.
std::string printable(std::string_view text, std::size_t longest = 80);

}  // namespace tuxarium::bridge
