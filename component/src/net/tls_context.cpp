#include "net/tls_context.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace tuxarium::net {

namespace {

Error cannot_use(const std::string& what, const error_code& code) {
  return {ErrorCode::io, "Cannot use " + what + " for TLS: " + code.message() + "."};
}

}  // namespace

Result<asio::ssl::context> make_tls_context(const std::filesystem::path& ca_file) {
  asio::ssl::context context{asio::ssl::context::tls_client};
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  error_code code;
  if (ca_file.empty()) {
    context.set_default_verify_paths(code);
    if (code) return cannot_use("the system's certificates", code);
  } else {
    context.load_verify_file(ca_file.string(), code);
    if (code) return cannot_use("the certificates in \"" + ca_file.string() + "\"", code);
  }
  context.set_verify_mode(asio::ssl::verify_peer, code);
  if (code) return cannot_use("the verification of certificates", code);
  return context;
}

bool expect_host(SSL* connection, const Url& url) {
  X509_VERIFY_PARAM* const expected = SSL_get0_param(connection);
  if (url.host_is_address()) return X509_VERIFY_PARAM_set1_ip_asc(expected, url.host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, url.host.c_str(), url.host.size()) == 1 &&
         SSL_set_tlsext_host_name(connection, url.host.c_str()) == 1;
}

std::string handshake_problem(const SSL* connection, const error_code& code) {
  const long verified = SSL_get_verify_result(connection);
  if (verified == X509_V_OK) return code.message();
  return std::string{"its certificate is not accepted: "} + X509_verify_cert_error_string(verified);
}

}  // namespace tuxarium::net
