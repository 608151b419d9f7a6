#include <doctest/doctest.h>

#include "bridge_options.hpp"

using namespace tuxarium::bridge;

namespace {

ParsedBridge parse(std::vector<const char*> words) {
  words.insert(words.begin(), "tuxarium-bridge");
  return parse_bridge_options(static_cast<int>(words.size()), words.data());
}

BridgeOptions good(std::vector<const char*> words) {
  ParsedBridge parsed = parse(std::move(words));
  INFO(parsed.text);
  REQUIRE(parsed.options);
  return std::move(*parsed.options);
}

}  // namespace

TEST_CASE("bridge options: the defaults are safe") {
  const BridgeOptions options = good({});
  REQUIRE(options.listen.size() == 1);
  CHECK(is_loopback(options.listen[0].host));
  CHECK(options.network.bridge == "br1");
  CHECK(options.limits.session.gate.lock_mac);
  CHECK(options.limits.session.gate.max_frame == 1518);
  CHECK_FALSE(options.network.masquerade);
  CHECK_FALSE(options.dhcp.wanted());
}

TEST_CASE("bridge options: no listening beyond this machine without a token, unless said in as many words") {
  for (const char* where : {"0.0.0.0:3000", "[::]:3000", "192.0.2.1:80", "example.org:3000"}) {
    CAPTURE(where);
    const ParsedBridge parsed = parse({"--listen", where});
    CHECK(parsed.status == kWrongUsage);
    CHECK(parsed.text.find("--allow-anyone-without-token") != std::string::npos);
    CHECK(parse({"--listen", where, "--allow-anyone-without-token"}).options);
    CHECK(parse({"--listen", where, "--token", "secret-0123456789"}).options);
  }
  for (const char* where : {"127.0.0.1:0", "127.9.9.9:3000", "[::1]:3000", "localhost:3000"}) CHECK(parse({"--listen", where}).options);
  CHECK_FALSE(parse({"--listen", "127.0.0.1:3000", "--listen", "0.0.0.0:3000"}).options);
}

TEST_CASE("bridge options: wrong ones are refused with a sentence that names them") {
  const std::vector<std::vector<const char*>> wrong{
      {"--listen", "3000"},
      {"--listen", "127.0.0.1:"},
      {"--listen", "127.0.0.1:70000"},
      {"--listen", "::1:3000"},
      {"--token", "short"},
      {"--token-file", "/nonexistent"},
      {"--tls-cert", "cert.pem"},
      {"--bridge", ""},
      {"--bridge", "much-too-long-name"},
      {"--bridge", "a/b"},
      {"--mac", "01:00:00:00:00:01"},
      {"--mtu", "9000"},
      {"--masquerade", "--address", "none"},
      {"--masquerade", "--address", "10.0.2.1"},
      {"--dhcp", "--address", "10.0.2.1/31"},
      {"--dhcp-range", "10.0.3.5,10.0.3.9"},
      {"--dhcp-range", "10.0.2.9,10.0.2.5"},
      {"--dhcp-range", "10.0.2.5"},
      {"--vxlan", "id=1"},
      {"--vxlan", "id=0,local=192.0.2.1,remote=192.0.2.2"},
      {"--vxlan", "id=16777216,local=192.0.2.1,remote=192.0.2.2"},
      {"--vxlan", "id=1,local=here,remote=192.0.2.2"},
      {"--max-clients", "0"},
      {"--max-clients", "1024"},
      {"--client-bytes", "100"},
      {"--bridge-type", "ovs", "--isolate"},
      {"--bridge-type", "ovs", "--rootless", "pasta"},
      {"--unknown"},
  };
  for (const auto& words : wrong) {
    CAPTURE(words[0]);
    CAPTURE(words.back());
    const ParsedBridge parsed = parse(words);
    CHECK_FALSE(parsed.options);
    CHECK(parsed.status == kWrongUsage);
    CHECK(parsed.text.size() > 20);
  }
}

TEST_CASE("bridge options: VXLAN and a small MTU") {
  const BridgeOptions options = good({"--vxlan", "id=42,local=192.0.2.1,remote=192.0.2.2,port=8472", "--mtu", "1450"});
  REQUIRE(options.network.vxlan);
  CHECK(options.network.vxlan->id == 42);
  CHECK(options.network.vxlan->remote == "192.0.2.2");
  CHECK(options.network.vxlan->port == 8472);
  CHECK(options.limits.session.gate.max_frame == 1468);
}

TEST_CASE("bridge options: help and version") {
  CHECK(parse({"--help"}).status == kDone);
  CHECK(parse({"--help"}).text.find("--masquerade") != std::string::npos);
  CHECK(parse({"--version"}).text.starts_with("tuxarium-bridge "));
}
