#include "stats.hpp"

#include <sys/resource.h>

#include <cstdio>

namespace tuxarium::app {
namespace {

double cpu_seconds_so_far(const rusage& usage) {
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

rusage usage_now() {
  rusage usage{};
  (void)::getrusage(RUSAGE_SELF, &usage);
  return usage;
}

std::string_view word_of(LinkState state) {
  switch (state) {
    case LinkState::down: return "down";
    case LinkState::connecting: return "connecting";
    case LinkState::up: return "up";
  }
  return "";
}

/// A JSON string. What ASCII does not have becomes a question mark.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  return out + '"';
}

std::string decimal(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6f", value);
  return text;
}

}  // namespace

StatsClock::StatsClock() : start_{std::chrono::steady_clock::now()}, cpu_start_{cpu_seconds_so_far(usage_now())} {}

RunStats StatsClock::take(Machine& machine, std::string_view reason, int status) const {
  const rusage usage = usage_now();
  RunStats stats;
  stats.counters = machine.counters();
  stats.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  stats.cpu_seconds = cpu_seconds_so_far(usage) - cpu_start_;
  stats.max_rss_kib = usage.ru_maxrss;
  stats.serial0_from_guest = machine.serial(0).bytes_from_guest();
  stats.serial0_to_guest = machine.serial(0).bytes_to_guest();
  stats.serial1_from_guest = machine.serial(1).bytes_from_guest();
  stats.serial1_to_guest = machine.serial(1).bytes_to_guest();
  stats.reason = reason;
  stats.status = status;
  return stats;
}

std::string to_json(const RunStats& stats) {
  std::string out = "{";
  const auto field = [&out](std::string_view name, const std::string& value) {
    if (out.size() > 1) out += ", ";
    out += '"';
    out += name;
    out += "\": " + value;
  };
  const auto count = [&field](std::string_view name, std::uint64_t value) { field(name, std::to_string(value)); };
  const double million_cycles = static_cast<double>(stats.counters.cycles) / 1e6;
  field("reason", '"' + std::string{stats.reason} + '"');
  field("status", std::to_string(stats.status));
  count("cycles", stats.counters.cycles);
  field("wall_seconds", decimal(stats.wall_seconds));
  field("cpu_seconds", decimal(stats.cpu_seconds));
  field("mips", decimal(stats.cpu_seconds > 0 ? million_cycles / stats.cpu_seconds : 0));
  field("guest_seconds", decimal(std::chrono::duration<double>(stats.counters.guest_time).count()));
  count("interrupts", stats.counters.interrupts);
  count("exceptions", stats.counters.exceptions);
  count("resets", stats.counters.resets);
  count("disk_bytes_read", stats.counters.disk_bytes_read);
  count("disk_bytes_written", stats.counters.disk_bytes_written);
  count("serial0_bytes_from_guest", stats.serial0_from_guest);
  count("serial0_bytes_to_guest", stats.serial0_to_guest);
  count("serial1_bytes_from_guest", stats.serial1_from_guest);
  count("serial1_bytes_to_guest", stats.serial1_to_guest);
  if (stats.network) {
    field("network_state", json_text(word_of(stats.network->state)));
    count("network_frames_sent", stats.network->frames_sent);
    count("network_bytes_sent", stats.network->bytes_sent);
    count("network_dropped_sent", stats.network->dropped_sent);
    count("network_frames_received", stats.network->frames_received);
    count("network_bytes_received", stats.network->bytes_received);
    count("network_dropped_received", stats.network->dropped_received);
    count("network_connections", stats.network->connections);
    field("network_last_error", json_text(stats.network->last_error));
  }
  field("max_rss_kib", std::to_string(stats.max_rss_kib));
  return out + "}";
}

}  // namespace tuxarium::app
