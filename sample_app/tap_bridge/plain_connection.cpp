#include "http_connection.hpp"

namespace tuxarium::bridge {

void serve_plain(tcp::socket socket, const std::string& peer, const HttpLimits& limits, Server& server, std::shared_ptr<WaitingList> waiting) {
  std::make_shared<HttpConnection<PlainStream>>(PlainStream{std::move(socket)}, peer, limits, server, std::move(waiting))->start();
}

}  // namespace tuxarium::bridge
