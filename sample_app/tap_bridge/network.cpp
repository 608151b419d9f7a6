#include "network.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/ip/network_v4.hpp>
#include <chrono>
#include <cstring>
#include <thread>

#include "child_process.hpp"
#include "headless/sentences.hpp"
#include "tap_ports.hpp"

namespace tuxarium::bridge {
namespace {

constexpr const char* kAlias = "made by tuxarium-bridge";
constexpr const char* kForwarding = "/proc/sys/net/ipv4/ip_forward";
constexpr auto kWaitForPredecessor = std::chrono::seconds{10};
constexpr unsigned kVxlanOverhead = 50;  // outer IPv4, UDP and VXLAN headers and the inner Ethernet header

std::string vxlan_name(const std::string& bridge) { return "vx" + bridge.substr(0, 13); }

Result<char> read_forwarding() {
  const Descriptor file{::open(kForwarding, O_RDONLY | O_CLOEXEC)};
  char value = 0;
  if (!file || ::read(file.get(), &value, 1) != 1) return app::io_error("cannot read " + std::string{kForwarding} + ": " + app::errno_text());
  return value;
}

Result<void> write_forwarding(char value) {
  const Descriptor file{::open(kForwarding, O_WRONLY | O_CLOEXEC)};
  if (!file || ::write(file.get(), &value, 1) != 1) return app::io_error("cannot write " + std::string{kForwarding} + ": " + app::errno_text());
  return {};
}

void remove_link(Netlink& netlink, const std::string& name, Log& log) {
  const auto found = netlink.find(name);
  if (!found) return log.say(found.error().message);
  if (!*found) return;
  if (const auto removed = netlink.remove((**found).index); !removed) log.say(removed.error().message);
}

}  // namespace

void undo_network(const MadeNetwork& made, Log& log) {
  const auto check = [&log](const Result<void>& done) {
    if (!done) log.say(done.error().message);
  };
  if (!made.nft_table.empty()) check(run_program({"nft", "delete", "table", "inet", made.nft_table}));
  if (made.forwarding) check(write_forwarding('0'));
  auto netlink = Netlink::open();
  if (!netlink) return log.say(netlink.error().message);
  if (!made.vxlan.empty()) remove_link(*netlink, made.vxlan, log);
  if (made.bridge.empty()) return;
  if (made.type == BridgeType::ovs) check(run_program({"ovs-vsctl", "--timeout=10", "--if-exists", "del-br", made.bridge}));
  else remove_link(*netlink, made.bridge, log);
}

Result<Network> Network::set_up(const NetworkOptions& options, Log& log) {
  Network network;
  if (const auto taken = network.take_name(options.bridge); !taken) return taken.error();
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  network.netlink_ = std::move(netlink).value();
  network.remove_stale_taps(log);
  auto done = network.find_or_make_bridge(options, log);
  if (done && options.vxlan) done = network.make_vxlan(options, log);
  if (done && options.masquerade) done = network.make_rules(options, log);
  if (done) return network;
  undo_network(network.made_, log);
  return done.error();
}

Result<void> Network::take_name(const std::string& bridge) {
  name_ = Descriptor{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const std::string name = "tuxarium-bridge " + bridge;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const auto until = std::chrono::steady_clock::now() + kWaitForPredecessor;
  while (::bind(name_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    if (errno != EADDRINUSE) return app::io_error("cannot take the name of the bridge: " + app::errno_text());
    if (std::chrono::steady_clock::now() > until) return app::io_error("another tuxarium-bridge serves " + bridge + " here");
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return {};
}

void Network::remove_stale_taps(Log& log) {
  const auto links = netlink_->all();
  if (!links) return log.say(links.error().message);
  for (const Netlink::Link& link : *links)
    for (const char* const start : TapPorts::kNameStarts)
      if (link.name.starts_with(start) && remove_stale_tap(link.name)) log.say("removed the device " + link.name + ", which nobody used any more");
}

Result<void> Network::find_or_make_bridge(const NetworkOptions& options, Log& log) {
  made_.type = options.type;
  auto found = netlink_->find(options.bridge);
  if (!found) return found.error();
  const bool ovs = options.type == BridgeType::ovs;
  const bool left_over = *found && (**found).alias == kAlias;
  if (!*found) {
    made_.bridge = options.bridge;
    if (ovs) {
      Command command{"ovs-vsctl", "--timeout=10", "add-br", options.bridge};
      if (!options.ovs_datapath.empty()) command.insert(command.end(), {"--", "set", "bridge", options.bridge, "datapath_type=" + options.ovs_datapath});
      if (const auto made = run_program(command); !made) return made.error();
    } else {
      const auto made = netlink_->add_bridge({options.bridge, kAlias, options.mac, options.stp, options.mtu});
      if (!made) return made.error();
    }
    found = netlink_->find(options.bridge);
    if (!found) return found.error();
    if (!*found) return app::io_error("the bridge " + options.bridge + " was made and is not there");
  } else if (left_over) {
    made_.bridge = options.bridge;
    log.say("found the bridge " + options.bridge + " left over from an earlier run that was killed; it goes at the end of this one");
  } else if (!ovs && (**found).kind != "bridge") {
    return app::usage_error("the device " + options.bridge + " is no bridge");
  }
  bridge_index_ = (**found).index;
  address_ = (**found).address;
  if (!made_.bridge.empty() && !options.address.empty())
    if (const auto given = netlink_->add_address(bridge_index_, options.address); !given) return given.error();
  if (const auto up = netlink_->set_up(bridge_index_); !up) return up.error();
  log.say((made_.bridge.empty() ? "using the bridge " : "made the bridge ") + options.bridge + ", address " + to_string(address_) +
          (made_.bridge.empty() || options.address.empty() ? "" : ", " + options.address));
  return {};
}

Result<void> Network::make_vxlan(const NetworkOptions& options, Log& log) {
  const std::string name = vxlan_name(options.bridge);
  remove_link(*netlink_, name, log);
  const auto index = netlink_->add_vxlan({name, kAlias, options.vxlan->local, options.vxlan->remote, options.vxlan->id, options.vxlan->port});
  if (!index) return index.error();
  made_.vxlan = name;
  if (const auto prepared = netlink_->prepare_port(*index, options.mtu, 1000); !prepared) return prepared;
  if (options.type == BridgeType::ovs) {
    if (const auto added = run_program({"ovs-vsctl", "--timeout=10", "add-port", options.bridge, name}); !added) return added;
  } else if (const auto attached = netlink_->attach(*index, bridge_index_); !attached) {
    return attached;
  }
  if (const auto up = netlink_->set_up(*index); !up) return up;
  log.say("joined to " + options.vxlan->remote + " by VXLAN " + std::to_string(options.vxlan->id) + "; frames grow by " + std::to_string(kVxlanOverhead) + " bytes on the way");
  return {};
}

Result<void> Network::make_rules(const NetworkOptions& options, Log& log) {
  const std::string table = rules_table(options.bridge);
  (void)run_program({"nft", "delete", "table", "inet", table});  // of an earlier run that was killed
  if (const auto loaded = run_program({"nft", "-f", "-"}, masquerade_rules(options)); !loaded) return loaded;
  made_.nft_table = table;
  const auto forwarding = read_forwarding();
  if (!forwarding) return forwarding.error();
  if (*forwarding == '0') {
    if (const auto on = write_forwarding('1'); !on) return on;
    made_.forwarding = true;
    log.say("switched on IPv4 forwarding on this host");
  }
  log.say("guests reach out under this host's addresses (nftables table inet " + table + ")");
  return {};
}

std::string rules_table(const std::string& bridge) {
  std::string table = "tuxarium_" + bridge;
  for (char& c : table)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '_';
  return table;
}

std::string masquerade_rules(const NetworkOptions& options) {
  const std::string subnet = subnet_of(options.address).value(), bridge = app::in_quotes(options.bridge);
  return "table inet " + rules_table(options.bridge) +
         " {\n"
         "  chain out {\n"
         "    type nat hook postrouting priority srcnat; policy accept;\n"
         "    ip saddr " + subnet + " oifname != " + bridge + " masquerade\n"
         "  }\n"
         "  chain through {\n"
         "    type filter hook forward priority filter; policy accept;\n"
         "    iifname " + bridge + " oifname " + bridge + (options.isolate ? " drop\n" : " accept\n") +
         "    iifname " + bridge + " ip saddr != " + subnet + " drop\n"
         "    iifname " + bridge + " accept\n"
         "    oifname " + bridge + " ct state established,related accept\n"
         "    oifname " + bridge + " drop\n"
         "  }\n"
         "}\n";
}

Result<std::string> subnet_of(const std::string& address) {
  boost::system::error_code error;
  const auto network = boost::asio::ip::make_network_v4(address, error);
  if (error) return app::usage_error(app::in_quotes(address) + " is no IPv4 address with a prefix length such as 10.0.2.1/24");
  return network.canonical().to_string();
}

}  // namespace tuxarium::bridge
