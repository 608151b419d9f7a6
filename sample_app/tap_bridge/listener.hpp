// Accepts connections.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tuxarium/result.hpp>

#include "connections.hpp"
#include "log.hpp"
#include "server.hpp"

namespace tuxarium::bridge {

/// A socket that listens; made at once, so that it belongs to the network namespace and has the rights of the moment.
Result<tcp::acceptor> listen_on(asio::io_context& io, const std::string& host, const std::string& port);

/// A certificate with its chain and its key, both PEM.
Result<std::shared_ptr<ssl::context>> load_tls(const std::string& certificate_file, const std::string& key_file);

/// Accepts on every socket for as long as it lives; a failed accept is tried again.
class Listener {
 public:
  static constexpr std::chrono::milliseconds kRetryAfter{200};

  /// `tls` may be empty: plain. `server` and `log` must outlive the io_context's run.
  Listener(asio::io_context& io, std::vector<tcp::acceptor> sockets, std::shared_ptr<ssl::context> tls, const HttpLimits& limits, Server& server, Log& log);

  /// Stops to accept and cuts off who has not got anywhere yet.
  void stop();

 private:
  struct Socket {
    tcp::acceptor acceptor;
    asio::steady_timer retry;
  };
  void accept(const std::shared_ptr<Socket>& socket);
  void accepted(tcp::socket socket);

  std::vector<std::shared_ptr<Socket>> sockets_;
  std::shared_ptr<ssl::context> tls_;
  HttpLimits limits_;
  Server* server_;
  Log* log_;
  std::shared_ptr<WaitingList> waiting_;
  bool told_ = false;
};

}  // namespace tuxarium::bridge
