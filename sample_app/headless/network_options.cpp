#include "network_options.hpp"

#include <charconv>
#include <fstream>
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

#ifdef TUXARIUM_HAS_NET
Result<std::shared_ptr<NetworkLink>> user_network(const UserNetworkOptions& options) { return make_user_network(options); }
Result<std::shared_ptr<NetworkLink>> websocket_link(const WebsocketLinkOptions& options) { return make_websocket_link(options); }
#else
Error without_networks() { return {ErrorCode::unsupported, "--net: this program was built without networks"}; }
Result<std::shared_ptr<NetworkLink>> user_network(const UserNetworkOptions&) { return without_networks(); }
Result<std::shared_ptr<NetworkLink>> websocket_link(const WebsocketLinkOptions&) { return without_networks(); }
#endif

}  // namespace

Result<NetSpec> parse_net_spec(std::string_view text) {
  if (text == "none") return NetSpec{};
  if (text.starts_with("ws://") || text.starts_with("wss://")) return NetSpec{.kind = NetSpec::Kind::websocket, .url = std::string{text}};
  const std::vector<std::string> words = split(text, ',');
  NetSpec spec{.kind = NetSpec::Kind::user};
  bool known = words.front() == "user";
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "host-loopback") spec.host_loopback = true;
    else if (words[i] == "ipv6") spec.ipv6 = true;
    else known = false;
  }
  if (known) return spec;
  return usage_error("--net: " + in_quotes(text) + " is not none, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH, or user with ,host-loopback or ,ipv6 behind it");
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
                 "(servers on this host's 127.0.0.1 are 10.0.2.2 for the guest), user,ipv6 (IPv6 too), ws://HOST:PORT/tap or wss://HOST:PORT/tap (a tuxarium-bridge, which joins guests), none. Without --net it is user, but none with "
                 "--serial2 and with --clock cycles")
      ->type_name("NET")
      ->group(group);
  app.add_option("--forward", forwards_,
                 "with --net user: connections to a port of this host go to a port of the guest, such as tcp:127.0.0.1:2222:22, tcp:2222:22 or "
                 "udp:0.0.0.0:5000:10.0.2.15:5000; may be repeated")
      ->type_name("PROTOCOL:[ADDRESS:]PORT:[GUEST:]PORT")
      ->take_all()
      ->group(group);
  app.add_option("--net-token", token_, "what the server of --net wants to see; other users of this host can read it in the list of processes")
      ->type_name("TOKEN")
      ->group(group);
  app.add_option("--net-token-file", token_file_, "file whose first line is that token")->type_name("FILE")->group(group);
  app.add_option("--net-format", format_,
                 "messages to the server of --net: length (each frame behind its length, as tuxarium-bridge's /tap and jslinux-tap have it; the "
                 "default), raw (the frame alone, as its /ethernet and the relays of v86 have it)")
      ->type_name("length|raw")
      ->check(CLI::IsMember({"length", "raw"}))
      ->group(group);
  app.add_option("--net-ca", ca_file_, "with wss://: PEM file with the authorities to trust, instead of the system's")->type_name("FILE")->group(group);
  app.add_flag("--net-insecure", insecure_, "with wss://: takes any certificate, also one of somebody in between")->group(group);
}

Result<NetSpec> NetworkOptions::spec(bool by_default) const {
  if (!net_.empty()) return parse_net_spec(net_);
  return NetSpec{.kind = by_default && default_user_network() ? NetSpec::Kind::user : NetSpec::Kind::none};
}

/// Options that would say nothing to this kind of network.
Result<void> NetworkOptions::check_belonging(const NetSpec& spec) const {
  const bool websocket = spec.kind == NetSpec::Kind::websocket, secure = websocket && spec.url.starts_with("wss://");
  constexpr const char* kWebsocket = "with a ws:// or wss:// address";
  constexpr const char* kSecure = "with a wss:// address";
  struct Row {
    const char* option;
    bool given, fits;
    const char* to;
  };
  for (const Row& row : {Row{"--forward", !forwards_.empty(), spec.kind == NetSpec::Kind::user, "user"},
                         Row{"--net-token", !token_.empty(), websocket, kWebsocket}, Row{"--net-token-file", !token_file_.empty(), websocket, kWebsocket},
                         Row{"--net-format", !format_.empty(), websocket, kWebsocket}, Row{"--net-ca", !ca_file_.empty(), secure, kSecure},
                         Row{"--net-insecure", insecure_, secure, kSecure}}) {
    if (row.given && !row.fits) return usage_error(std::string{row.option} + " needs --net " + row.to);
  }
  if (!token_.empty() && !token_file_.empty()) return usage_error("--net-token and --net-token-file are two tokens; one is needed");
  if (insecure_ && !ca_file_.empty()) return usage_error("--net-insecure takes any certificate, so --net-ca says nothing");
  return {};
}

Result<std::string> NetworkOptions::token() const {
  if (token_file_.empty()) return token_;
  std::ifstream file{token_file_};
  std::string line;
  if (!file || !std::getline(file, line)) return Error{ErrorCode::not_found, "cannot read a token from " + in_quotes(token_file_)};
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return Error{ErrorCode::invalid_argument, "the first line of " + in_quotes(token_file_) + ", which should be a token, is empty"};
  return line;
}

Result<UserNetworkOptions> NetworkOptions::user_options(const NetSpec& spec) const {
  UserNetworkOptions options{.host_loopback = spec.host_loopback, .ipv6 = spec.ipv6};
  for (const std::string& text : forwards_) {
    auto forward = parse_forward(text);
    if (!forward) return forward.error();
    options.forwards.push_back(std::move(*forward));
  }
  return options;
}

Result<WebsocketLinkOptions> NetworkOptions::websocket_options(const NetSpec& spec) const {
  auto secret = token();
  if (!secret) return secret.error();
  WebsocketLinkOptions options;
  options.url = spec.url;
  options.token = std::move(*secret);
  options.tls = {.verify = !insecure_, .ca_file = ca_file_};
  options.format = format_ == "raw" ? WireFormat::raw : WireFormat::length;
  return options;
}

Result<std::shared_ptr<NetworkLink>> NetworkOptions::build(bool by_default) const {
  const auto wanted = spec(by_default);
  if (!wanted) return wanted.error();
  // A malformed option is told before one that is out of place.
  const auto user = user_options(*wanted);
  if (!user) return user.error();
  if (const auto fits = check_belonging(*wanted); !fits) return fits.error();
  switch (wanted->kind) {
    case NetSpec::Kind::user: return user_network(*user);
    case NetSpec::Kind::websocket: {
      const auto websocket = websocket_options(*wanted);
      if (!websocket) return websocket.error();
      return websocket_link(*websocket);
    }
    case NetSpec::Kind::none: break;
  }
  return std::shared_ptr<NetworkLink>{};
}

}  // namespace tuxarium::app
