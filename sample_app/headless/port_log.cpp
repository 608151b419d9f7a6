#include "port_log.hpp"

#include <charconv>

#include "sentences.hpp"

namespace tuxarium::app {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port, base);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return port;
}

}  // namespace

Result<PortLogSpec> parse_port_log(std::string_view text) {
  const Error malformed = usage_error("--port-log: " + in_quotes(text) + " is not FILE:PORT or FILE:PORT-PORT with ports such as 0x2f8 or 760");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return malformed;
  const std::string_view ports = text.substr(colon + 1);
  const std::size_t dash = ports.find('-');
  const auto first = parse_port(ports.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(ports.substr(dash + 1));
  if (!first || !last || *last < *first) return malformed;
  return PortLogSpec{std::string{text.substr(0, colon)}, *first, *last};
}

void PortLog::start(Machine& machine) {
  file_.start();
  Inspector{machine}.watch_ports(spec_.first, spec_.last, [this](const PortAccess& access) { note(access); });
}

void PortLog::note(const PortAccess& access) {
  if (!access.write) return;
  for (unsigned i = 0; i < access.width; ++i) buffer_.push_back(static_cast<std::byte>((access.value >> (8 * i)) & 0xff));
}

Result<void> PortLog::flush() {
  if (buffer_.empty()) return {};
  const auto written = file_.write(buffer_);
  buffer_.clear();
  return written;
}

}  // namespace tuxarium::app
