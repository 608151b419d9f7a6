#include "network_words.hpp"

#include <array>
#include <cstdio>

namespace tuxarium::imgui {
namespace {

const char* word_of(LinkState state) {
  switch (state) {
    case LinkState::down: return "down";
    case LinkState::connecting: return "connecting";
    case LinkState::up: return "up";
  }
  return "";
}

std::string direction(const char* name, std::uint64_t frames, std::uint64_t bytes, std::uint64_t dropped) {
  return std::string{name} + ": " + std::to_string(frames) + " frames, " + byte_count(bytes) + ", " + std::to_string(dropped) + " dropped\n";
}

}  // namespace

std::string byte_count(std::uint64_t bytes) {
  std::array<char, 32> text{};
  const auto value = static_cast<double>(bytes);
  if (bytes < 10'000) {
    std::snprintf(text.data(), text.size(), "%u B", static_cast<unsigned>(bytes));
  } else if (value < 10e6) {
    std::snprintf(text.data(), text.size(), "%.0f KiB", value / 1024);
  } else {
    std::snprintf(text.data(), text.size(), "%.1f MiB", value / (1024 * 1024));
  }
  return text.data();
}

std::string network_line(const LinkStatus& status) {
  if (status.state == LinkState::up) return "network  out " + byte_count(status.bytes_sent) + "  in " + byte_count(status.bytes_received);
  std::string line = std::string{"network "} + word_of(status.state);
  if (!status.last_error.empty()) line += ": " + status.last_error;
  return line;
}

std::string network_details(const LinkStatus& status) {
  std::string text = std::string{"The network is "} + word_of(status.state) + ".\n";
  text += direction("out", status.frames_sent, status.bytes_sent, status.dropped_sent);
  text += direction("in", status.frames_received, status.bytes_received, status.dropped_received);
  text += "connections: " + std::to_string(status.connections);
  if (!status.last_error.empty()) text += (status.state == LinkState::up ? "\nThe last time it was down: " : "\n") + status.last_error;
  return text;
}

}  // namespace tuxarium::imgui
