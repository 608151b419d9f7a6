#include "http_connection.hpp"

namespace tuxarium::bridge {

void serve_tls(tcp::socket socket, ssl::context& tls, const std::string& peer, const HttpLimits& limits, Server& server, std::shared_ptr<WaitingList> waiting) {
  std::make_shared<HttpConnection<TlsStream>>(TlsStream{PlainStream{std::move(socket)}, tls}, peer, limits, server, std::move(waiting))->start();
}

}  // namespace tuxarium::bridge
