#include "bridge_options.hpp"

#include <CLI/CLI.hpp>

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <tuxarium/version.hpp>

#include "headless/sentences.hpp"
#include "wire/frame_stream.hpp"

namespace tuxarium::bridge {
namespace {

constexpr const char* kDescription =
    "Joins Tuxarium's guests into one network: each client's websocket becomes a TAP device on a bridge of this host. Paths: /tap (frames with "
    "lengths, also as the old JSLinux clients send them), /ethernet (one frame a message), / (status page), /metrics, /healthz.";

constexpr const char* kFooter = R"(Without options it listens on this machine alone, makes the bridge br1 with the address 10.0.2.1/24 and removes it when it ends. It needs
CAP_NET_ADMIN (or --rootless) and /dev/net/tun.

Status:
  0  told to stop by SIGTERM or SIGINT; everything is cleaned up
  1  something could not be set up, or failed later
  2  wrong usage: nothing was set up

Examples:
  tuxarium-bridge
  tuxarium-bridge --masquerade --dhcp --dns --rootless slirp4netns
  tuxarium-bridge --listen 0.0.0.0:3000 --tls-cert chain.pem --tls-key key.pem --token-file tokens --masquerade --dhcp --dns)";

constexpr std::size_t kBridgePorts = 1023;  // of a Linux bridge (BR_MAX_PORTS less one)
constexpr unsigned kSmallestMtu = 576;
constexpr double kSmallestByteRate = 16 * 1024;  // a longest message is paid for in a few seconds

struct RawTexts {
  std::vector<std::string> listen{"127.0.0.1:3000"};
  std::string token, token_file, mac, type = "linux", vxlan, rootless, range;
  double ping_time = 30, slow_time = 60;
};

void add_listening(CLI::App& app, BridgeOptions& options, RawTexts& raw) {
  app.add_option("--listen", raw.listen, "where to listen; may be repeated")->type_name("HOST:PORT")->capture_default_str()->group("Listening");
  app.add_option("--tls-cert", options.tls_certificate, "certificate and chain, PEM: wss:// and https:// only")->type_name("FILE")->group("Listening");
  app.add_option("--tls-key", options.tls_key, "its key, PEM")->type_name("FILE")->group("Listening");
  app.add_option("--token", raw.token, "a secret that clients must show (seen by everybody who can list processes; better --token-file)")
      ->type_name("SECRET")
      ->group("Listening");
  app.add_option("--token-file", raw.token_file, "a name and a secret on each line; any of them will do")->type_name("FILE")->group("Listening");
  app.add_flag("--allow-anyone-without-token", options.allow_anyone, "listen beyond this machine although no token is asked for")->group("Listening");
  app.add_option("--origin", options.access.origins, "a web page's origin that may connect, such as https://example.org; may be repeated; * allows all")
      ->type_name("ORIGIN")
      ->group("Listening");
}

void add_network(CLI::App& app, BridgeOptions& options, RawTexts& raw) {
  NetworkOptions& network = options.network;
  app.add_option("--bridge", network.bridge, "the bridge; made, and removed at the end, if it is not there")->type_name("NAME")->capture_default_str()->group("Network");
  app.add_option("--bridge-type", raw.type, "linux, or ovs for Open vSwitch")->check(CLI::IsMember({"linux", "ovs"}))->capture_default_str()->group("Network");
  app.add_option("--ovs-datapath", network.ovs_datapath, "datapath_type of a new Open vSwitch bridge, such as netdev")->type_name("TYPE")->group("Network");
  app.add_option("--address", network.address, "of a new bridge; none for no address")->type_name("ADDRESS/BITS")->capture_default_str()->group("Network");
  app.add_option("--mac", raw.mac, "of a new bridge (default " + to_string(network.mac) + ")")->type_name("MAC")->group("Network");
  app.add_flag("--stp", network.stp, "spanning tree on a new bridge: a guest then waits 4 seconds for its first frame")->group("Network");
  app.add_option("--mtu", network.mtu, "of the guests' devices")->type_name("BYTES")->check(CLI::Range(kSmallestMtu, 1500u))->capture_default_str()->group("Network");
  app.add_flag("--isolate", network.isolate, "guests reach the bridge and what is behind it, but not each other")->group("Network");
  app.add_flag("--masquerade", network.masquerade, "guests reach other networks under this host's address (nftables)")->group("Network");
  app.add_flag("--dhcp", options.dhcp.dhcp, "give guests addresses (dnsmasq)")->group("Network");
  app.add_option("--dhcp-range", raw.range, "addresses for --dhcp (default: most of the bridge's network)")->type_name("FIRST,LAST")->group("Network");
  app.add_flag("--dns", options.dhcp.dns, "answer the guests' questions for names (dnsmasq)")->group("Network");
  app.add_option("--dns-server", options.dhcp.servers, "who knows the names (default: whom this host asks); may be repeated")->type_name("ADDRESS")->group("Network");
  app.add_option("--vxlan", raw.vxlan, "join the bridge of another host: id=N,local=ADDRESS,remote=ADDRESS[,port=N]")->type_name("SPEC")->group("Network");
}

void add_limits(CLI::App& app, BridgeOptions& options, RawTexts& raw) {
  const auto rate = [&app](const char* name, double& value, const char* text) {
    app.add_option(name, value, text)->type_name("N")->check(CLI::NonNegativeNumber)->capture_default_str()->group("Limits");
  };
  ServerLimits& limits = options.limits;
  app.add_option("--max-clients", limits.max_clients, "clients at once")->type_name("N")->check(CLI::Range(std::size_t{1}, std::size_t{65535}))->capture_default_str()->group("Limits");
  rate("--client-frames", limits.session.traffic.frames, "frames a second of one client, each way; 0: any number");
  rate("--client-bytes", limits.session.traffic.bytes, "bytes a second of one client, each way; 0: any number");
  rate("--total-frames", limits.total.frames, "frames a second of all clients together; 0: any number");
  rate("--total-bytes", limits.total.bytes, "bytes a second of all clients together; 0: any number");
  rate("--storm-frames", limits.session.gate.storm_rate, "broadcast and multicast frames a second of one client; 0: any number");
  app.add_flag("!--any-mac", limits.session.gate.lock_mac, "a client may use several MAC addresses (a guest with a bridge of its own)")->group("Limits");
  app.add_option("--ping-time", raw.ping_time, "a client that says nothing for so long is gone; it is pinged at half of it")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str()
      ->group("Limits");
  app.add_option("--slow-time", raw.slow_time, "a client that takes nothing for so long is cut off")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str()
      ->group("Limits");
}

void add_rights(CLI::App& app, BridgeOptions& options, RawTexts& raw) {
  app.add_option("--user", options.user, "whom to become after the start when run as root (default: nobody, if nobody may open /dev/net/tun; root: stay)")
      ->type_name("NAME")
      ->group("Rights");
  app.add_option("--rootless", raw.rootless, "no root needed: everything in a network of its own, joined to the host by slirp4netns or pasta; none: not joined")
      ->type_name("UPLINK")
      ->check(CLI::IsMember({"slirp4netns", "pasta", "none"}))
      ->group("Rights");
  app.set_config("--config", "", "a file with options, name=value on each line");
}

Result<void> finish_listening(BridgeOptions& options, const RawTexts& raw) {
  for (const std::string& text : raw.listen) {
    auto parsed = parse_listen(text);
    if (!parsed) return parsed.error();
    options.listen.push_back(std::move(parsed).value());
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) return app::usage_error("--tls-cert and --tls-key go together");
  if (!raw.token_file.empty())
    if (const auto added = options.access.tokens.add_file(raw.token_file); !added) return added;
  if (!raw.token.empty())
    if (const auto added = options.access.tokens.add("token", raw.token); !added) return added;
  if (!options.access.tokens.empty() || options.allow_anyone) return {};
  for (const HostAndPort& at : options.listen)
    if (!is_loopback(at.host))
      return app::usage_error("refusing to listen on " + at.host + " without a token: anybody there could join this network. Use --token-file, or say "
                              "--allow-anyone-without-token");
  return {};
}

Result<void> finish_network(BridgeOptions& options, const RawTexts& raw) {
  NetworkOptions& network = options.network;
  if (network.bridge.empty() || network.bridge.size() > 15 || network.bridge.find_first_of("/ \t\n\"%:") != std::string::npos)
    return app::usage_error("--bridge: " + app::in_quotes(network.bridge) + " is no name of a device (up to 15 characters)");
  if (network.address == "none") network.address.clear();
  network.type = raw.type == "ovs" ? BridgeType::ovs : BridgeType::linux_bridge;
  if (!raw.mac.empty()) {
    const auto mac = parse_mac(raw.mac);
    if (!mac) return mac.error();
    if (mac->is_group() || mac->is_zero()) return app::usage_error("--mac: " + raw.mac + " is not the address of one station");
    network.mac = *mac;
  }
  if (!raw.vxlan.empty()) {
    const auto vxlan = parse_vxlan(raw.vxlan);
    if (!vxlan) return vxlan.error();
    network.vxlan = *vxlan;
  }
  if (network.masquerade)
    if (const auto subnet = subnet_of(network.address); !subnet) return app::usage_error("--masquerade needs an --address: " + subnet.error().message);
  if (network.isolate && network.type == BridgeType::ovs) return app::usage_error("--isolate is for Linux bridges; Open vSwitch has flows for that");
  if (network.type == BridgeType::linux_bridge && options.limits.max_clients > kBridgePorts)
    return app::usage_error("--max-clients: a Linux bridge has " + std::to_string(kBridgePorts) + " ports; see the README for more guests than that");
  if (!raw.range.empty()) {
    const std::size_t comma = raw.range.find(',');
    options.dhcp.dhcp = true;
    options.dhcp.first = raw.range.substr(0, comma);
    options.dhcp.last = comma == std::string::npos ? "" : raw.range.substr(comma + 1);
  }
  if (!options.dhcp.wanted()) return {};
  const auto command = dnsmasq_command(options.dhcp, network.bridge, network.address, network.mtu, {});
  if (!command) return command.error();
  return {};
}

Result<void> finish_limits(BridgeOptions& options, const RawTexts& raw) {
  const auto milliseconds = [](double seconds) { return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)}; };
  SessionLimits& session = options.limits.session;
  for (const double bytes : {session.traffic.bytes, options.limits.total.bytes})
    if (bytes != 0 && bytes < kSmallestByteRate) return app::usage_error("--client-bytes and --total-bytes start at 16384");
  session.gate.storm_burst = 2 * session.gate.storm_rate;
  session.gate.max_frame = std::min(options.network.mtu + kEthernetHeader + kVlanTag, wire::kMaxFrame);
  session.slow_after = milliseconds(raw.slow_time);
  options.http.ping_time = milliseconds(raw.ping_time);
  if (raw.rootless == "slirp4netns") options.rootless = Rootless::slirp4netns;
  if (raw.rootless == "pasta") options.rootless = Rootless::pasta;
  if (raw.rootless == "none") options.rootless = Rootless::no_uplink;
  if (options.rootless != Rootless::no && options.network.type == BridgeType::ovs) return app::usage_error("--rootless makes a Linux bridge; --bridge-type ovs needs root");
  return {};
}

ParsedBridge ended(std::string text, int status) {
  ParsedBridge parsed;
  parsed.text = std::move(text);
  parsed.status = status;
  return parsed;
}

}  // namespace

ParsedBridge parse_bridge_options(int argc, const char* const* argv) {
  BridgeOptions options;
  options.limits.session.traffic = {20'000, 12.5e6};
  options.limits.total = {200'000, 125e6};
  RawTexts raw;
  CLI::App app{kDescription, "tuxarium-bridge"};
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", "tuxarium-bridge " TUXARIUM_VERSION);
  add_listening(app, options, raw);
  add_network(app, options, raw);
  add_limits(app, options, raw);
  add_rights(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return ended(app.help(), kDone);
  } catch (const CLI::CallForVersion& version) {
    return ended(std::string{version.what()} + "\n", kDone);
  } catch (const CLI::ParseError& error) {
    return ended(std::string{error.what()} + " (--help lists the options)", kWrongUsage);
  }
  for (const auto finish : {finish_listening, finish_network, finish_limits})
    if (const auto finished = finish(options, raw); !finished) return ended(finished.error().message, kWrongUsage);
  ParsedBridge parsed;
  parsed.options = std::move(options);
  return parsed;
}

Result<HostAndPort> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  if (colon == std::string::npos || colon == 0 || std::from_chars(text.data() + colon + 1, end, port).ptr != end || port > 65535 || colon + 1 == text.size())
    return app::usage_error("--listen: " + app::in_quotes(text) + " is not HOST:PORT");
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos) return app::usage_error("--listen: write an IPv6 address in [ ], as in [::1]:3000");
  return HostAndPort{std::move(host), std::to_string(port)};
}

Result<VxlanOptions> parse_vxlan(const std::string& text) {
  const Error malformed = app::usage_error("--vxlan: " + app::in_quotes(text) + " is not id=N,local=ADDRESS,remote=ADDRESS[,port=N] with N from 1 to 16777215");
  VxlanOptions vxlan;
  const auto number = [](const std::string& value, auto& out) {
    const char* const end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, out);
    return read.ec == std::errc{} && read.ptr == end && out != 0;
  };
  const auto address = [](const std::string& value) {
    boost::system::error_code error;
    boost::asio::ip::make_address(value, error);
    return !error;
  };
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::string part = text.substr(start, comma - start);
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) return malformed;
    const std::string name = part.substr(0, equals), value = part.substr(equals + 1);
    bool good = false;
    if (name == "id") good = number(value, vxlan.id) && vxlan.id < 1u << 24;
    else if (name == "port") good = number(value, vxlan.port);
    else if (name == "local" || name == "remote") good = address((name == "local" ? vxlan.local : vxlan.remote) = value);
    if (!good) return malformed;
    start = comma + 1;
  }
  if (vxlan.id == 0 || vxlan.local.empty() || vxlan.remote.empty()) return malformed;
  return vxlan;
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

}  // namespace tuxarium::bridge
