#include "network_words.hpp"

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
  return std::string{name} + ": " + std::to_string(frames) + " frames, " + byte_count(bytes).c_str() + ", " + std::to_string(dropped) + " dropped\n";
}

}  // namespace

TextLine network_line(const LinkStatus& status) {
  TextLine line{"network "};
  if (status.state == LinkState::up) {
    return line.add(" out ").add(byte_count(status.bytes_sent).view()).add("  in ").add(byte_count(status.bytes_received).view());
  }
  line.add(word_of(status.state));
  if (!status.last_error.empty()) line.add(": ").add(status.last_error);
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
