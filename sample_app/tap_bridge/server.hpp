// The clients of one bridge.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "admission.hpp"
#include "session.hpp"

namespace tuxarium::bridge {

struct ServerLimits {
  SessionLimits session;
  TrafficLimit::Rates total;      ///< all clients, both directions
  std::size_t max_clients = 250;  ///< at once
};

/// What there is to see of the server; for the pages.
struct ServerView {
  struct Client {
    ClientInfo info;
    std::string port, address;  ///< address: empty while unknown
    double seconds = 0;         ///< since it connected
    Counters counters;
  };
  std::string bridge;
  double seconds = 0;  ///< since the start
  std::vector<Client> clients;
  Counters total;  ///< of all clients there ever were
  std::uint64_t connected = 0, refused = 0;
  std::map<unsigned, std::uint64_t> refused_by_status;
  std::size_t max_clients = 0;
};

/// Owns the sessions. Everything happens on the thread that runs `io`.
class Server {
 public:
  /// `io`, `ports` and `log` must outlive the server; its destruction cuts every client off.
  Server(asio::io_context& io, AccessRules access, const ServerLimits& limits, PortFactory& ports, Log& log, std::string bridge);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// The bridge's own address, which no client may use.
  void reserve_address(const MacAddress& address) { table_.reserve(address); }

  /// Decides about a request; refusals are counted and told.
  Admission admit(const RequestView& request, const std::string& peer);
  /// Whether one more client may come now.
  bool has_room() const { return sessions_.size() + joining_ < limits_.max_clients; }
  /// Takes over a websocket that has been accepted: makes its port and its session, or closes it with a reason.
  void join(std::unique_ptr<Transport> transport, const Admission& admission, const std::string& peer);
  /// Says good-bye to everybody; `done` is called when all have gone.
  void stop(std::function<void()> done);

  const AccessRules& access() const { return access_; }
  const SessionLimits& session_limits() const { return limits_.session; }
  std::size_t clients() const { return sessions_.size(); }
  /// Takes the system about a millisecond for some hundreds of clients.
  ServerView view() const;

 private:
  class Leaving;
  void refuse(Admission& admission, const std::string& peer);
  void joined(std::unique_ptr<Transport> transport, ClientInfo info, Result<std::unique_ptr<Port>> port);
  void ended(ClientId id, const std::string& why);
  void dismiss(std::unique_ptr<Transport> transport, CloseCode code, const std::string& reason);
  void left(Leaving* leaving);
  void sweep();
  void check_stopped();

  asio::io_context* io_;
  AccessRules access_;
  ServerLimits limits_;
  PortFactory* ports_;
  Log* log_;
  std::string bridge_;
  AddressTable table_;
  TrafficLimit total_limit_;
  asio::steady_timer sweep_timer_;
  Clock::time_point started_at_;
  ClientId last_id_ = 0;
  std::size_t joining_ = 0;
  std::map<ClientId, std::shared_ptr<Session>> sessions_;
  std::map<Leaving*, std::unique_ptr<Leaving>> leaving_;
  Counters gone_;  // of clients that have left
  std::uint64_t connected_ = 0, refused_ = 0;
  std::map<unsigned, std::uint64_t> refused_by_status_;
  std::function<void()> stopped_;
  std::shared_ptr<Server*> self_;  // for callbacks that may come after the end
};

}  // namespace tuxarium::bridge
