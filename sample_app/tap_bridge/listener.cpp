#include "listener.hpp"

#include <fcntl.h>

#include <boost/asio/ip/v6_only.hpp>

#include "headless/sentences.hpp"

namespace tuxarium::bridge {
namespace {

constexpr int kSendBuffer = 256 * 1024;  // what the kernel holds for a client that does not read

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

}  // namespace

Result<tcp::acceptor> listen_on(asio::io_context& io, const std::string& host, const std::string& port) {
  const auto failed = [&](error_code error) { return app::io_error("cannot listen on " + host + " port " + port + ": " + error.message()); };
  error_code error;
  const auto found = tcp::resolver{io}.resolve(host, port, tcp::resolver::passive, error);
  if (error) return failed(error);
  tcp::acceptor acceptor{io};
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only{true}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  (void)::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  return acceptor;
}

Result<std::shared_ptr<ssl::context>> load_tls(const std::string& certificate_file, const std::string& key_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  error_code error;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                           ssl::context::no_tlsv1_1 | ssl::context::single_dh_use,
                       error);
  if (!error) context->use_certificate_chain_file(certificate_file, error);
  if (error) return app::usage_error("cannot use " + app::in_quotes(certificate_file) + " as a certificate in PEM form: " + error.message());
  context->use_private_key_file(key_file, ssl::context::pem, error);
  if (error) return app::usage_error("cannot use " + app::in_quotes(key_file) + " as the key of the certificate: " + error.message());
  return context;
}

Listener::Listener(asio::io_context& io, std::vector<tcp::acceptor> sockets, std::shared_ptr<ssl::context> tls, const HttpLimits& limits, Server& server,
                   Log& log)
    : tls_{std::move(tls)}, limits_{limits}, server_{&server}, log_{&log}, waiting_{std::make_shared<WaitingList>()} {
  for (tcp::acceptor& acceptor : sockets) {
    sockets_.push_back(std::make_shared<Socket>(Socket{std::move(acceptor), asio::steady_timer{io}}));
    accept(sockets_.back());
  }
}

void Listener::stop() {
  for (const auto& socket : sockets_) {
    error_code ignored;
    socket->acceptor.close(ignored);
    socket->retry.cancel();
  }
  while (!waiting_->empty()) waiting_->front()->cut();
}

void Listener::accept(const std::shared_ptr<Socket>& socket) {
  socket->acceptor.async_accept([this, socket](error_code error, tcp::socket peer) {
    if (error == asio::error::operation_aborted) return;
    if (!error) accepted(std::move(peer));
    if (!error || error == asio::error::connection_aborted) return accept(socket);
    if (!std::exchange(told_, true)) log_->say("cannot accept a connection, trying again: " + error.message());
    socket->retry.expires_after(kRetryAfter);
    socket->retry.async_wait([this, socket](error_code cancelled) {
      if (!cancelled) accept(socket);
    });
  });
}

void Listener::accepted(tcp::socket socket) {
  told_ = false;
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;
  socket.set_option(tcp::no_delay{true}, error);
  socket.set_option(asio::socket_base::send_buffer_size{kSendBuffer}, error);
  if (waiting_->size() >= limits_.waiting) waiting_->front()->cut();
  if (tls_) serve_tls(std::move(socket), *tls_, text_of(peer), limits_, *server_, waiting_);
  else serve_plain(std::move(socket), text_of(peer), limits_, *server_, waiting_);
}

}  // namespace tuxarium::bridge
