#include "ethernet.hpp"

#include <charconv>
#include <cstdio>

#include "headless/sentences.hpp"

namespace tuxarium::bridge {

Result<MacAddress> parse_mac(std::string_view text) {
  const Error malformed = app::usage_error(app::in_quotes(text) + " is no MAC address such as 02:54:55:58:00:01");
  MacAddress address;
  if (text.size() != 17) return malformed;
  for (std::size_t i = 0; i < address.octets.size(); ++i) {
    const char* const first = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(first, first + 2, address.octets[i], 16);
    if (error != std::errc{} || end != first + 2 || (i != 5 && first[2] != ':')) return malformed;
  }
  return address;
}

std::string to_string(const MacAddress& address) {
  char text[18];
  const auto& o = address.octets;
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2], o[3], o[4], o[5]);
  return text;
}

}  // namespace tuxarium::bridge
