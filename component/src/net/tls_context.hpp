// TLS for clients: what is trusted, and whose certificate a connection must see.
#pragma once

#include <filesystem>
#include <string>

#include <tuxarium/result.hpp>

#include "net/beast.hpp"
#include "net/url.hpp"

namespace tuxarium::net {

/// A context for clients: TLS 1.2 or newer, and the server's certificate must come from an authority in the PEM file `ca_file`, or when that is
/// empty, from one that the system trusts.
Result<asio::ssl::context> make_tls_context(const std::filesystem::path& ca_file);

/// Before the handshake of a connection to the host of `url`: its certificate must be for that name or address, and a name is sent along
/// (SNI). False when OpenSSL refuses, which it does for lack of memory only.
bool expect_host(SSL* connection, const Url& url);

/// Why a handshake has failed, as part of a sentence: what is wrong with the certificate if that was it, otherwise the message of `code`.
std::string handshake_problem(const SSL* connection, const error_code& code);

}  // namespace tuxarium::net
