#include "dhcp.hpp"

#include <boost/asio/ip/network_v4.hpp>

#include "headless/sentences.hpp"

namespace tuxarium::bridge {
namespace {

namespace ip = boost::asio::ip;
constexpr std::uint32_t kFixed = 19;  // addresses at the start of the network that are left for other uses
constexpr const char* kLease = "1h";

Result<std::string> range_of(const DhcpOptions& options, const ip::network_v4& network) {
  const std::string mask = network.netmask().to_string();
  boost::system::error_code error;
  ip::address_v4 first, last;
  if (options.first.empty()) {
    const std::uint32_t base = network.network().to_uint(), end = network.broadcast().to_uint();
    if (end - base < 4) return app::usage_error("--dhcp: the network " + network.canonical().to_string() + " is too small");
    first = ip::address_v4{end - base > 2 * kFixed ? base + kFixed + 1 : base + 2};
    last = ip::address_v4{end - 1};
  } else {
    first = ip::make_address_v4(options.first, error);
    if (!error) last = ip::make_address_v4(options.last, error);
    const auto inside = [&](const ip::address_v4& a) { return (a.to_uint() & network.netmask().to_uint()) == network.network().to_uint(); };
    if (error || last < first || !inside(first) || !inside(last))
      return app::usage_error("--dhcp: " + app::in_quotes(options.first + "," + options.last) + " are not two addresses in " +
                              network.canonical().to_string() + ", the lower first");
  }
  return first.to_string() + "," + last.to_string() + "," + mask + "," + kLease;
}

}  // namespace

Result<Command> dnsmasq_command(const DhcpOptions& options, const std::string& bridge, const std::string& address, unsigned mtu, const std::string& user) {
  boost::system::error_code error;
  const ip::network_v4 network = ip::make_network_v4(address, error);
  if (error) return app::usage_error("--dhcp and --dns need an IPv4 --address of the bridge");
  const std::string own = network.address().to_string();
  // Nothing of this host's own configuration is read, and nothing is written.
  Command command{"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--leasefile-ro", "--bind-interfaces", "--except-interface=lo",
                  "--interface=" + bridge, "--listen-address=" + own, "--log-facility=-", "--pid-file=", "--user=" + user, "--group="};
  if (options.dns) {
    for (const std::string& server : options.servers) command.push_back("--server=" + server);
    if (!options.servers.empty()) command.push_back("--no-resolv");
    command.insert(command.end(), {"--domain-needed", "--bogus-priv", "--stop-dns-rebind", "--cache-size=1000"});
  } else {
    command.push_back("--port=0");
  }
  if (options.dhcp) {
    const auto range = range_of(options, network);
    if (!range) return range.error();
    command.insert(command.end(), {"--dhcp-range=" + *range, "--dhcp-option=option:router," + own, "--dhcp-option=option:mtu," + std::to_string(mtu),
                                   "--dhcp-authoritative", "--dhcp-lease-max=1000"});
    std::string servers = options.dns ? "," + own : "";
    if (!options.dns)
      for (const std::string& server : options.servers) servers += "," + server;
    if (!servers.empty()) command.push_back("--dhcp-option=option:dns-server" + servers);
  }
  return command;
}

}  // namespace tuxarium::bridge
