// Serving one accepted socket, plain or TLS. Each kind is compiled in a file of its own: Beast's templates take their time.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "asio.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "http_limits.hpp"
#include "server.hpp"

namespace tuxarium::bridge {

using tcp = asio::ip::tcp;
namespace ssl = asio::ssl;

/// A connection that has not sent its whole header.
class WaitingConnection {
 public:
  virtual void cut() = 0;

 protected:
  ~WaitingConnection() = default;
};
using WaitingList = std::list<WaitingConnection*>;

/// `peer` is the address of the other side, for people. `server` and what else there is must outlive the io_context's run.
void serve_plain(tcp::socket socket, const std::string& peer, const HttpLimits& limits, Server& server, std::shared_ptr<WaitingList> waiting);
void serve_tls(tcp::socket socket, ssl::context& tls, const std::string& peer, const HttpLimits& limits, Server& server, std::shared_ptr<WaitingList> waiting);

}  // namespace tuxarium::bridge
