#include <doctest/doctest.h>

#include <algorithm>

#include "dhcp.hpp"
#include "network.hpp"

using namespace tuxarium::bridge;

TEST_CASE("rules of --masquerade: only the guests' network gets out, and nothing new gets in") {
  NetworkOptions options;
  options.bridge = "br-1";
  options.address = "10.1.2.3/16";
  const std::string rules = masquerade_rules(options);
  CHECK(rules.starts_with("table inet tuxarium_br_1 {\n"));
  CHECK(rules.find("ip saddr 10.1.0.0/16 oifname != \"br-1\" masquerade") != std::string::npos);
  CHECK(rules.find("oifname \"br-1\" drop") != std::string::npos);
  CHECK(rules.find("iifname \"br-1\" oifname \"br-1\" accept") != std::string::npos);
  options.isolate = true;
  CHECK(masquerade_rules(options).find("iifname \"br-1\" oifname \"br-1\" drop") != std::string::npos);
}

TEST_CASE("the network of an address") {
  CHECK(subnet_of("10.0.2.1/24").value() == "10.0.2.0/24");
  for (const char* wrong : {"", "10.0.2.1", "10.0.2.1/33", "10.0.2/24", "::1/64", "10.0.2.1/24 drop"}) {
    CAPTURE(wrong);
    CHECK_FALSE(subnet_of(wrong));
  }
}

namespace {

bool has(const Command& command, const std::string& word) { return std::find(command.begin(), command.end(), word) != command.end(); }

}  // namespace

TEST_CASE("dnsmasq: addresses, gateway, MTU and names as asked for") {
  DhcpOptions options;
  options.dhcp = true;
  Command command = dnsmasq_command(options, "br1", "10.0.2.1/24", 1450, "nobody").value();
  CHECK(has(command, "--interface=br1"));
  CHECK(has(command, "--port=0"));
  CHECK(has(command, "--dhcp-range=10.0.2.20,10.0.2.254,255.255.255.0,1h"));
  CHECK(has(command, "--dhcp-option=option:mtu,1450"));
  CHECK(has(command, "--dhcp-option=option:router,10.0.2.1"));
  options.dns = true;
  options.servers = {"192.0.2.53", "192.0.2.54"};
  options.first = "10.0.2.100";
  options.last = "10.0.2.110";
  command = dnsmasq_command(options, "br1", "10.0.2.1/24", 1500, "nobody").value();
  CHECK_FALSE(has(command, "--port=0"));
  CHECK(has(command, "--server=192.0.2.54"));
  CHECK(has(command, "--dhcp-option=option:dns-server,10.0.2.1"));
  CHECK(has(command, "--dhcp-range=10.0.2.100,10.0.2.110,255.255.255.0,1h"));
  options.dns = false;
  CHECK(has(dnsmasq_command(options, "br1", "10.0.2.1/24", 1500, "nobody").value(), "--dhcp-option=option:dns-server,192.0.2.53,192.0.2.54"));
}

TEST_CASE("running programs") {
  CHECK(run_program({"cat"}, "text"));
  CHECK(run_program({"false"}).error().message.starts_with("false failed"));
  CHECK(run_program({"sh", "-c", "echo went wrong; exit 3"}).error().message == "sh failed: went wrong ");
  CHECK(run_program({"no-such-program-anywhere"}).error().message.find("there is no such program") != std::string::npos);
}
