// The command line of tuxarium-bridge.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "admission.hpp"
#include "dhcp.hpp"
#include "http_limits.hpp"
#include "network.hpp"
#include "server.hpp"

namespace tuxarium::bridge {

/// Statuses that the program ends with.
enum ExitStatus : int {
  kDone = 0,        ///< told to stop, and everything was cleaned up
  kFailed = 1,      ///< something could not be set up, or failed later
  kWrongUsage = 2,  ///< wrong usage: nothing was set up
};

struct HostAndPort {
  std::string host, port;
};

enum class Rootless : std::uint8_t { no, slirp4netns, pasta, no_uplink };

struct BridgeOptions {
  std::vector<HostAndPort> listen;
  bool allow_anyone = false;
  std::string tls_certificate, tls_key;
  AccessRules access;
  ServerLimits limits;
  HttpLimits http;
  NetworkOptions network;
  DhcpOptions dhcp;
  Rootless rootless = Rootless::no;
  std::string user;  ///< to become; empty: stay who we are
};

/// Options to run with, or a text to print and a status to end with.
struct ParsedBridge {
  std::optional<BridgeOptions> options;
  std::string text;
  int status = kDone;
};

ParsedBridge parse_bridge_options(int argc, const char* const* argv);

/// "HOST:PORT", an IPv6 address in [ ].
Result<HostAndPort> parse_listen(const std::string& text);
/// "id=42,local=192.0.2.1,remote=192.0.2.2[,port=4789]"
Result<VxlanOptions> parse_vxlan(const std::string& text);
/// True for the names and numbers of this machine's own interface to itself.
bool is_loopback(const std::string& host);

}  // namespace tuxarium::bridge
