#include "network_options.hpp"

#include <poll.h>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "machine_options.hpp"
#include "network_news.hpp"
#include "network_wake.hpp"
#include "temporary_folder.hpp"

using namespace tuxarium;
using namespace tuxarium::app;

namespace {

#ifdef TUXARIUM_HAS_NET
bool user_network_built() { return has_user_network(); }
#else
bool user_network_built() { return false; }
#endif

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What becomes of a ROM with these options.
Result<Config> config_of(std::vector<std::string> arguments, bool serial1_taken = false) {
  const TemporaryFolder folder;
  folder.write("rom", std::string(4096, '\364'));
  arguments.insert(arguments.begin(), {"--boot", "rom:" + folder / "rom"});
  CLI::App app;
  MachineOptions options;
  options.add_to(app);
  app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  return options.build(serial1_taken);
}

std::string message_of(const std::vector<std::string>& arguments, bool serial1_taken = false) {
  const auto config = config_of(arguments, serial1_taken);
  return config ? std::string{} : config.error().message;
}

}  // namespace

TEST_CASE("networks") {
  CHECK(parse_net_spec("none").value().kind == NetSpec::Kind::none);
  auto spec = parse_net_spec("user").value();
  CHECK(spec.kind == NetSpec::Kind::user);
  CHECK_FALSE(spec.host_loopback);
  CHECK_FALSE(spec.ipv6);
  spec = parse_net_spec("user,ipv6,host-loopback").value();
  CHECK(spec.host_loopback);
  CHECK(spec.ipv6);
  for (const char* text : {"", "usr", "user,", "user,x", "none,ipv6", ",user", "User"}) {
    INFO(text);
    CHECK_FALSE(parse_net_spec(text));
  }
}

TEST_CASE("networks behind a websocket") {
  const auto spec = parse_net_spec("wss://a.b/tap?x=1,2").value();
  CHECK(spec.kind == NetSpec::Kind::websocket);
  CHECK(spec.url == "wss://a.b/tap?x=1,2");
  const TemporaryFolder folder;
  folder.write("token", "s3cret\r\nmore\n");
  folder.write("empty", "\n");
  const std::string url = "ws://127.0.0.1:1/tap";
  CHECK(holds(message_of({"--net", url}, true), "--serial2"));
  CHECK(holds(message_of({"--net", "user", "--net-token", "x"}), "--net-token needs --net with a ws:// or wss:// address"));
  CHECK(holds(message_of({"--net-format", "raw"}), "--net-format needs"));
  CHECK(holds(message_of({"--net", url, "--net-ca", "x"}), "--net-ca needs --net with a wss:// address"));
  CHECK(holds(message_of({"--net", url, "--net-insecure"}), "--net-insecure needs --net with a wss:// address"));
  CHECK(holds(message_of({"--net", "wss://127.0.0.1:1/", "--net-insecure", "--net-ca", "x"}), "--net-ca says nothing"));
  CHECK(holds(message_of({"--net", url, "--net-token", "x", "--net-token-file", folder / "token"}), "two tokens"));
  CHECK(holds(message_of({"--net", url, "--net-token-file", folder / "none"}), "none"));
  CHECK(holds(message_of({"--net", url, "--net-token-file", folder / "empty"}), "empty"));
  CHECK(holds(message_of({"--net", url, "--forward", "tcp:2222:22"}), "--forward needs --net user"));
#ifdef TUXARIUM_HAS_NET
  CHECK(message_of({"--net", url, "--net-token-file", folder / "token", "--net-format", "raw"}) == "");
  CHECK(message_of({"--net", "wss://127.0.0.1:1/", "--net-insecure"}) == "");
  CHECK(holds(message_of({"--net", "wss://127.0.0.1:1/", "--net-ca", folder / "token"}), "token"));
  CHECK(holds(message_of({"--net", "ws://"}), "ws://"));
#endif
}

TEST_CASE("what is told of a network") {
  NetworkNews news;
  LinkStatus status;
  status.state = LinkState::connecting;
  CHECK_FALSE(news.of(status));
  status.state = LinkState::up;
  CHECK_FALSE(news.of(status));
  status.state = LinkState::down;
  CHECK_FALSE(news.of(status));
  status.last_error = "It hung up.";
  CHECK(news.of(status) == "no network: It hung up.");
  CHECK_FALSE(news.of(status));
  status.state = LinkState::connecting;
  CHECK_FALSE(news.of(status));
  status.state = LinkState::down;
  status.last_error = "Nobody is there.";
  CHECK(news.of(status) == "no network: Nobody is there.");
  status.state = LinkState::up;
  CHECK(news.of(status) == "the network is up again");
  CHECK_FALSE(news.of(status));
}

TEST_CASE("port forwards") {
  auto forward = parse_forward("tcp:127.0.0.1:2222:22").value();
  CHECK(forward.protocol == PortForward::Protocol::tcp);
  CHECK(forward.host_address == "127.0.0.1");
  CHECK(forward.host_port == 2222);
  CHECK(forward.guest_address == "10.0.2.15");
  CHECK(forward.guest_port == 22);
  forward = parse_forward("udp:5000:53").value();
  CHECK(forward.protocol == PortForward::Protocol::udp);
  CHECK(forward.host_address == "127.0.0.1");
  CHECK(forward.host_port == 5000);
  CHECK(forward.guest_port == 53);
  forward = parse_forward("tcp:0.0.0.0:65535:10.0.2.77:1").value();
  CHECK(forward.host_address == "0.0.0.0");
  CHECK(forward.guest_address == "10.0.2.77");
  for (const char* text : {"", "tcp", "tcp:", "tcp:22", "sctp:1:2", "tcp:0:22", "tcp:1:65536", "tcp:1:2:3:4:5", "tcp:a:b", "tcp:1:22x", "tcp:1:-2"}) {
    INFO(text);
    const auto bad = parse_forward(text);
    REQUIRE_FALSE(bad);
    CHECK(holds(bad.error().message, "\"" + std::string{text} + "\""));
  }
}

TEST_CASE("the network of a run: user by default, unless ttyS1 is taken or the run is to be repeatable") {
  CHECK((config_of({})->network != nullptr) == user_network_built());
  CHECK(config_of({}, true)->network == nullptr);
  CHECK(config_of({"--clock", "cycles"})->network == nullptr);
  CHECK(config_of({"--net", "none"})->network == nullptr);
  CHECK(config_of({"--net", "none"}, true)->network == nullptr);
  CHECK(holds(message_of({"--net", "user"}, true), "--serial2"));
  CHECK(holds(message_of({"--net", "telephone"}), "telephone"));
  CHECK(holds(message_of({"--net", "none", "--forward", "tcp:2222:22"}), "--forward needs --net user"));
  CHECK(holds(message_of({"--forward", "tcp:2222"}), "tcp:2222"));
  if (!user_network_built()) return;
  CHECK(config_of({"--net", "user", "--clock", "cycles"})->network != nullptr);
  CHECK(holds(message_of({"--forward", "tcp:127.0.0.256:2222:22"}), "127.0.0.256"));
}

TEST_CASE("the program's sleep ends when frames come") {
  class Link final : public NetworkLink {
   public:
    bool send(std::span<const std::byte>) override { return true; }
    std::size_t receive(std::span<std::byte>) override { return 0; }
    LinkStatus status() const override { return {}; }
    void on_receivable(std::function<void()> wake) override { wake_ = std::move(wake); }
    std::function<void()> wake_;
  };
  const auto readable = [](int descriptor) {
    pollfd entry{descriptor, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
  };
  const auto link = std::make_shared<Link>();
  {
    NetworkWake wake{link};
    CHECK_FALSE(readable(wake.descriptor()));
    for (int i = 0; i < 200; ++i) link->wake_();
    CHECK(readable(wake.descriptor()));
    wake.clear();
    CHECK_FALSE(readable(wake.descriptor()));
  }
  CHECK_FALSE(link->wake_);
  NetworkWake none{nullptr};
  none.clear();
  CHECK(none.descriptor() == -1);
}
