// The command-line options that say where the guest's frames go: `--net` and what belongs to it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/network_link.hpp>
#include <tuxarium/result.hpp>
#include <tuxarium/user_network.hpp>
#include <tuxarium/websocket_link.hpp>

namespace CLI {
class App;
}

namespace tuxarium::app {

/// `none`, `user` with `,host-loopback` and `,ipv6` behind it, or a URL that begins with `ws://` or `wss://`.
struct NetSpec {
  enum class Kind : std::uint8_t { none, user, websocket };
  Kind kind = Kind::none;
  std::string url = {};
  bool host_loopback = false;
  bool ipv6 = false;
};
Result<NetSpec> parse_net_spec(std::string_view text);

/// `PROTOCOL:[ADDRESS:]PORT:[GUEST:]PORT`, such as `tcp:127.0.0.1:2222:22`; GUEST only behind an ADDRESS.
Result<PortForward> parse_forward(std::string_view text);

class NetworkOptions {
 public:
  void add_to(CLI::App& app, const std::string& group);

  /// Whether the command line itself asks for a network.
  bool asked_for() const { return !net_.empty() && net_ != "none"; }

  /// Makes the link; nullptr for none. Without `--net` it is the user-mode network when `by_default` says so and this program has one.
  Result<std::shared_ptr<NetworkLink>> build(bool by_default) const;

 private:
  Result<NetSpec> spec(bool by_default) const;
  Result<void> check_belonging(const NetSpec& spec) const;
  Result<UserNetworkOptions> user_options(const NetSpec& spec) const;
  Result<WebsocketLinkOptions> websocket_options(const NetSpec& spec) const;
  Result<std::string> token() const;

  std::string net_;
  std::vector<std::string> forwards_;
  std::string token_, token_file_, format_, ca_file_;
  bool insecure_ = false;
};

}  // namespace tuxarium::app
