#include "server.hpp"

namespace tuxarium::bridge {
namespace {

constexpr std::chrono::seconds kSweepEvery{1};

std::string seconds_text(Clock::duration span) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(span).count()) + " s";
}

}  // namespace

/// Holds a websocket that got no session until its close has gone out.
class Server::Leaving final : public TransportPeer {
 public:
  Leaving(Server& server, std::unique_ptr<Transport> transport) : server_{&server}, transport_{std::move(transport)} { transport_->attach(*this); }
  ~Leaving() { transport_->detach(); }

  void close(CloseCode code, const std::string& reason) { transport_->close(code, reason); }

 private:
  void on_message(Bytes, bool) override {}
  void on_written() override {}
  void on_alive() override {}
  void on_ended(const std::string&) override { server_->left(this); }

  Server* server_;
  std::unique_ptr<Transport> transport_;
};

Server::Server(asio::io_context& io, AccessRules access, const ServerLimits& limits, PortFactory& ports, Log& log, std::string bridge)
    : io_{&io},
      access_{std::move(access)},
      limits_{limits},
      ports_{&ports},
      log_{&log},
      bridge_{std::move(bridge)},
      total_limit_{limits.total, Clock::now()},
      sweep_timer_{io},
      started_at_{Clock::now()},
      self_{std::make_shared<Server*>(this)} {
  sweep();
}

Server::~Server() { *self_ = nullptr; }

Admission Server::admit(const RequestView& request, const std::string& peer) {
  Admission admission = bridge::admit(access_, request);
  if (admission.kind == Admission::Kind::websocket && (stopped_ || !has_room())) {
    admission = {};
    admission.status = 503;
    admission.sentence = stopped_ ? "The bridge is stopping." : "All places are taken: " + std::to_string(limits_.max_clients) + " clients are connected.";
  }
  if (admission.kind == Admission::Kind::refused) refuse(admission, peer);
  return admission;
}

void Server::refuse(Admission& admission, const std::string& peer) {
  ++refused_;
  ++refused_by_status_[admission.status];
  log_->say_of_client(peer + ": refused with " + std::to_string(admission.status) + ": " + admission.sentence);
}

void Server::join(std::unique_ptr<Transport> transport, const Admission& admission, const std::string& peer) {
  if (stopped_ || !has_room()) return dismiss(std::move(transport), CloseCode::try_again_later, "all places are taken");
  ++joining_;
  ClientInfo info{++last_id_, peer, admission.token, admission.format};
  ports_->open([self = self_, shared = std::make_shared<std::unique_ptr<Transport>>(std::move(transport)), info](Result<std::unique_ptr<Port>> port) {
    if (*self != nullptr) (*self)->joined(std::move(*shared), info, std::move(port));
  });
}

void Server::joined(std::unique_ptr<Transport> transport, ClientInfo info, Result<std::unique_ptr<Port>> port) {
  --joining_;
  if (!port) {
    log_->say(info.peer + ": got no place on the network: " + port.error().message);
    return dismiss(std::move(transport), CloseCode::internal, "no network device could be made");
  }
  if (stopped_) {
    return dismiss(std::move(transport), CloseCode::going_away, "the bridge is stopping");
  }
  const ClientId id = info.id;
  auto session = std::make_shared<Session>(*io_, std::move(info), limits_.session, total_limit_, table_, *log_, std::move(transport),
                                           std::move(port).value(), [this](ClientId gone, const std::string& why) { ended(gone, why); });
  session->on_contest([this](ClientId holder) {
    const auto found = sessions_.find(holder);
    if (found != sessions_.end()) found->second->probe();
  });
  ++connected_;
  log_->say_of_client(session->description() + ": connected to " + (session->info().format == WireFormat::stream ? "/tap" : "/ethernet") + ", " +
                      std::to_string(sessions_.size() + 1) + " of " + std::to_string(limits_.max_clients));
  sessions_.emplace(id, session);
  session->start();
}

void Server::dismiss(std::unique_ptr<Transport> transport, CloseCode code, const std::string& reason) {
  auto leaving = std::make_unique<Leaving>(*this, std::move(transport));
  leaving->close(code, reason);
  leaving_.emplace(leaving.get(), std::move(leaving));
}

void Server::left(Leaving* leaving) {
  leaving_.erase(leaving);
  check_stopped();
}

void Server::ended(ClientId id, const std::string& why) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const Session& session = *found->second;
  const Counters& c = session.counters();
  gone_ += c;
  log_->say_of_client(session.description() + ": left after " + seconds_text(Clock::now() - session.started_at()) + " (" + why + "); frames up " +
                      std::to_string(c.frames_up) + ", down " + std::to_string(c.frames_down) + ", dropped " + std::to_string(c.dropped_up()) + " and " + std::to_string(c.missed_down));
  sessions_.erase(found);
  check_stopped();
}

void Server::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  sweep_timer_.cancel();
  for (const auto& [id, session] : sessions_) session->close(CloseCode::going_away, "the bridge is stopping");
  check_stopped();
}

void Server::check_stopped() {
  if (stopped_ && sessions_.empty() && leaving_.empty() && joining_ == 0) asio::post(*io_, stopped_);
}

void Server::sweep() {
  sweep_timer_.expires_after(kSweepEvery);
  sweep_timer_.async_wait([self = self_](error_code error) {
    Server* const server = *self;
    if (error || server == nullptr || server->stopped_) return;
    const auto now = Clock::now();
    for (const auto& [id, session] : server->sessions_) session->check_time(now);
    server->sweep();
  });
}

ServerView Server::view() const {
  ServerView view;
  const auto now = Clock::now();
  const auto seconds = [now](Clock::time_point since) { return std::chrono::duration<double>{now - since}.count(); };
  view.bridge = bridge_;
  view.seconds = seconds(started_at_);
  view.total = gone_;
  view.connected = connected_;
  view.refused = refused_;
  view.refused_by_status = refused_by_status_;
  view.max_clients = limits_.max_clients;
  const DeviceDrops drops = ports_->dropped();
  for (const auto& [id, session] : sessions_) {
    Counters counters = session->counters();
    if (const auto found = drops.find(session->port_name()); found != drops.end()) counters.missed_down = found->second;
    view.clients.push_back({session->info(), session->port_name(), session->address() ? to_string(*session->address()) : "",
                            seconds(session->started_at()), counters});
    view.total += counters;
  }
  return view;
}

}  // namespace tuxarium::bridge
