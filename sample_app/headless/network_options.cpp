#include "network_options.hpp"

#include <charconv>
#include <utility>

#include <CLI/CLI.hpp>

#include "sentences.hpp"

namespace tuxarium::app {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool read_port(const std::string& text, std::uint16_t& port) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && rest == end && port != 0;
}

bool default_user_network() {
#ifdef TUXARIUM_HAS_NET
  return has_user_network();
#else
  return false;
#endif
}

Result<std::shared_ptr<NetworkLink>> user_network([[maybe_unused]] const UserNetworkOptions& options) {
#ifdef TUXARIUM_HAS_NET
  return make_user_network(options);
#else
  return Error{ErrorCode::unsupported, "--net user: this program was built without networks"};
#endif
}

}  // namespace

Result<NetSpec> parse_net_spec(std::string_view text) {
  if (text == "none") return NetSpec{};
  const std::vector<std::string> words = split(text, ',');
  NetSpec spec{.kind = NetSpec::Kind::user};
  bool known = words.front() == "user";
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "host-loopback") spec.host_loopback = true;
    else if (words[i] == "ipv6") spec.ipv6 = true;
    else known = false;
  }
  if (known) return spec;
  return usage_error("--net: " + in_quotes(text) + " is not none or user, with ,host-loopback or ,ipv6 behind user");
}

Result<PortForward> parse_forward(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  const std::size_t count = parts.size();
  PortForward forward;
  const bool udp = parts[0] == "udp";
  forward.protocol = udp ? PortForward::Protocol::udp : PortForward::Protocol::tcp;
  bool good = (udp || parts[0] == "tcp") && count >= 3 && count <= 5;
  if (good && count > 3) forward.host_address = parts[1];
  if (good && count == 5) forward.guest_address = parts[3];
  good = good && read_port(parts[count == 3 ? 1 : 2], forward.host_port) && read_port(parts[count - 1], forward.guest_port);
  if (good) return forward;
  return usage_error("--forward: " + in_quotes(text) + " is not tcp:[ADDRESS:]PORT:[GUEST:]PORT or udp:..., such as tcp:127.0.0.1:2222:22");
}

void NetworkOptions::add_to(CLI::App& app, const std::string& group) {
  app.add_option("--net", net_,
                 "network of the guest on ttyS1: user (this program's own connections, with DHCP and name server; no rights needed), user,host-loopback "
                 "(servers on this host's 127.0.0.1 are 10.0.2.2 for the guest), user,ipv6 (IPv6 too), none. Without --net it is user, but none with "
                 "--serial2 and with --clock cycles")
      ->type_name("NET")
      ->group(group);
  app.add_option("--forward", forwards_,
                 "with --net user: connections to a port of this host go to a port of the guest, such as tcp:127.0.0.1:2222:22, tcp:2222:22 or "
                 "udp:0.0.0.0:5000:10.0.2.15:5000; may be repeated")
      ->type_name("PROTOCOL:[ADDRESS:]PORT:[GUEST:]PORT")
      ->take_all()
      ->group(group);
}

Result<std::shared_ptr<NetworkLink>> NetworkOptions::build(bool by_default) const {
  NetSpec spec{.kind = by_default && default_user_network() ? NetSpec::Kind::user : NetSpec::Kind::none};
  if (!net_.empty()) {
    const auto parsed = parse_net_spec(net_);
    if (!parsed) return parsed.error();
    spec = *parsed;
  }
  UserNetworkOptions options{.host_loopback = spec.host_loopback, .ipv6 = spec.ipv6};
  for (const std::string& text : forwards_) {
    auto forward = parse_forward(text);
    if (!forward) return forward.error();
    options.forwards.push_back(std::move(*forward));
  }
  if (spec.kind == NetSpec::Kind::user) return user_network(options);
  if (!forwards_.empty()) return usage_error("--forward needs --net user");
  return std::shared_ptr<NetworkLink>{};
}

}  // namespace tuxarium::app
