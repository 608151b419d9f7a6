// Addresses of servers: the URLs (RFC 3986) of the schemes http, https, ws and wss.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tuxarium/result.hpp>

namespace tuxarium::net {

enum class Scheme : std::uint8_t { http, https, ws, wss };

/// An absolute URL. A user name, a password or a fragment is no part of it.
struct Url {
  Scheme scheme = Scheme::http;
  std::string host;           ///< in lower case: a name, an IPv4 address, or an IPv6 address without its brackets
  std::uint16_t port = 80;    ///< the scheme's own (80 or 443) unless the URL says otherwise
  std::string target = "/";   ///< path and query as in a request, percent-encoded as given; begins with a slash

  bool secure() const { return scheme == Scheme::https || scheme == Scheme::wss; }

  /// True when `host` is a number and no name.
  bool host_is_address() const;

  /// What a Host field holds: brackets around an IPv6 address, the port unless it is the scheme's own.
  std::string authority() const;

  /// The whole URL, for people and for parse_url().
  std::string text() const;
};

inline constexpr std::size_t kMaxUrl = 2048;  ///< longest URL that is accepted, in bytes

/// Reads an absolute URL; the error sentence names it and what is wrong with it.
Result<Url> parse_url(std::string_view text);

/// What the Location field `reference` of an answer to a request for `base` leads to: an absolute URL, `//host/path`, `/path`, `?query` or a
/// path beside the one of `base`. A fragment is dropped; dot segments are removed.
Result<Url> resolve_reference(const Url& base, std::string_view reference);

}  // namespace tuxarium::net
