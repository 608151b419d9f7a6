#include "bridge_program.hpp"

#include <signal.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <thread>

#include "attachers.hpp"
#include "caretaker.hpp"
#include "listener.hpp"
#include "privileges.hpp"
#include "rootless.hpp"

namespace tuxarium::bridge {
namespace {

constexpr auto kStopTime = std::chrono::seconds{5};
constexpr auto kProgramStart = std::chrono::milliseconds{200};  // one that cannot do its work has ended by then
constexpr const char* kUnprivileged = "nobody";

/// While nobody listens to them: a stop in the middle of setting up would leave things behind.
void hold_stop_signals(bool hold) {
  sigset_t stops;
  ::sigemptyset(&stops);
  ::sigaddset(&stops, SIGTERM);
  ::sigaddset(&stops, SIGINT);
  ::sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &stops, nullptr);
}

Result<std::vector<tcp::acceptor>> listen_everywhere(asio::io_context& io, const BridgeOptions& options, Log& log) {
  std::vector<tcp::acceptor> sockets;
  for (const HostAndPort& at : options.listen) {
    auto socket = listen_on(io, at.host, at.port);
    if (!socket) return socket.error();
    const auto where = socket->local_endpoint();
    log.say(std::string{"listening on "} + (options.tls_key.empty() ? "ws" : "wss") + "://" + (where.address().is_v6() ? "[" + where.address().to_string() + "]" : where.address().to_string()) + ":" +
            std::to_string(where.port()) + "/tap");
    if (!is_loopback(at.host) && options.tls_key.empty()) log.say("tokens and frames pass over the network in the clear; --tls-cert and --tls-key protect them");
    sockets.push_back(std::move(socket).value());
  }
  return sockets;
}

Result<pid_t> start_dnsmasq(const BridgeOptions& options) {
  const std::string user = options.rootless == Rootless::no ? kUnprivileged : "root";
  const auto command = dnsmasq_command(options.dhcp, options.network.bridge, options.network.address, options.network.mtu, user);
  if (!command) return command.error();
  const auto process = start_program(*command);
  if (!process) return process;
  std::this_thread::sleep_for(kProgramStart);
  if (!still_runs(*process)) return Error{ErrorCode::io, "dnsmasq, which gives guests addresses and names, ended at once; it says why above"};
  return process;
}

/// Whom to become. Root may stay root where nobody else may open /dev/net/tun.
std::string user_for(const BridgeOptions& options, Log& log) {
  if (options.rootless != Rootless::no || ::geteuid() != 0 || options.user == "root") return {};
  if (!options.user.empty()) return options.user;
  if (options.network.type == BridgeType::ovs) {
    log.say("staying root, with CAP_NET_ADMIN alone: Open vSwitch's database is root's");
    return {};
  }
  if (may_open_tun(kUnprivileged)) return kUnprivileged;
  log.say(std::string{"staying root, with CAP_NET_ADMIN alone: "} + kUnprivileged + " may not open /dev/net/tun");
  return {};
}

/// Serves until told to stop. The log line is what a script waits for.
void serve(asio::io_context& io, std::vector<tcp::acceptor> sockets, std::shared_ptr<ssl::context> tls, const BridgeOptions& options,
           const MacAddress& bridge_address, Log& log) {
  TapPorts ports{io, make_attacher(options.network)};
  Server server{io, options.access, options.limits, ports, log, options.network.bridge};
  server.reserve_address(bridge_address);
  Listener listener{io, std::move(sockets), std::move(tls), options.http, server, log};
  auto working = asio::make_work_guard(io);
  asio::steady_timer hurry{io};
  asio::signal_set signals{io, SIGTERM, SIGINT};
  signals.async_wait([&](error_code, int number) {
    log.say(std::string{"stopping: "} + (number == SIGTERM ? "SIGTERM" : "SIGINT"));
    listener.stop();
    hurry.expires_after(kStopTime);
    hurry.async_wait([&io](error_code error) {
      if (!error) io.stop();
    });
    server.stop([&io] { io.stop(); });
  });
  hold_stop_signals(false);
  log.say("ready: " + std::to_string(options.limits.max_clients) + " clients may connect");
  io.run();
  hold_stop_signals(true);  // a second one does not interrupt the cleaning up
}

class Run {
 public:
  Run(BridgeOptions options, Log& log) : options_{std::move(options)}, log_{&log} {}

  Result<void> go() {
    std::shared_ptr<ssl::context> tls;
    if (!options_.tls_key.empty()) {
      auto loaded = load_tls(options_.tls_certificate, options_.tls_key);
      if (!loaded) return loaded.error();
      tls = std::move(loaded).value();
    }
    raise_file_limit();
    hold_stop_signals(true);
    (void)::signal(SIGPIPE, SIG_IGN);
    asio::io_context io{1};
    auto sockets = listen_everywhere(io, options_, *log_);
    if (!sockets) return sockets.error();
    if (const auto ready = enter_network(); !ready) return ready;
    auto network = Network::set_up(options_.network, *log_);
    if (!network) return network.error();
    auto caretaker = start_programs(*network);
    if (!caretaker) return caretaker.error();
    const std::string user = user_for(options_, *log_);
    if (const auto dropped = drop_privileges(user); !dropped) return dropped;
    if (!user.empty()) log_->say("running as the user " + user + " with CAP_NET_ADMIN alone");
    serve(io, std::move(sockets).value(), std::move(tls), options_, network->address(), *log_);
    return {};
  }

 private:
  Result<void> enter_network() {
    if (options_.rootless == Rootless::no) return {};
    const auto uplink = enter_own_network(options_.rootless);
    if (!uplink) return uplink.error();
    if (*uplink) programs_.push_back(**uplink);
    log_->say("in a user and network namespace of its own");
    // Says now, and not to the first guest, that TAP devices cannot be made here.
    const auto tap = open_tap();
    if (!tap) return tap.error();
    return {};
  }

  /// The caretaker's `clean` also runs when what follows here fails.
  Result<Caretaker> start_programs(const Network& network) {
    Result<void> started;
    if (options_.dhcp.wanted()) {
      const auto dnsmasq = start_dnsmasq(options_);
      if (dnsmasq) programs_.push_back(*dnsmasq);
      else started = dnsmasq.error();
    }
    auto caretaker = Caretaker::start(programs_, network.name_descriptor(), [made = network.made(), log = log_] { undo_network(made, *log); });
    if (!caretaker) undo_network(network.made(), *log_);
    if (!started) return started.error();
    return caretaker;
  }

  BridgeOptions options_;
  Log* log_;
  std::vector<pid_t> programs_;
};

}  // namespace

int run_bridge(BridgeOptions options, Log& log) {
  Run run{std::move(options), log};
  const auto ended = run.go();
  if (ended) {
    log.say("stopped, and everything is cleaned up");
    return kDone;
  }
  log.say(ended.error().message);
  return ended.error().code == ErrorCode::invalid_argument ? kWrongUsage : kFailed;
}

}  // namespace tuxarium::bridge
