// Whether an HTTP request gets what it asks for: decided from the request's header alone, without any state of clients.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "session.hpp"
#include "tokens.hpp"

namespace tuxarium::bridge {

/// The parts of a request that count. Views into the header that was read.
struct RequestView {
  std::string_view method, target, host, origin, authorization, subprotocols;
  bool has_origin = false;
  bool is_upgrade = false;  ///< a well-formed websocket upgrade
};

struct AccessRules {
  Tokens tokens;                     ///< none: everybody may connect
  std::vector<std::string> origins;  ///< web pages that may connect, besides those of the bridge's own host; "*": all
};

/// What to do with a request.
struct Admission {
  enum class Kind : std::uint8_t { websocket, healthz, metrics, status_page, status_json, refused };
  Kind kind = Kind::refused;
  WireFormat format = WireFormat::stream;  // websocket
  std::string token;                       // websocket: the token's name
  std::string subprotocol;                 // websocket: to answer with; empty: none
  unsigned status = 0;                     // refused: HTTP status
  std::string sentence;                    // refused: for people
};

Admission admit(const AccessRules& rules, const RequestView& request);

}  // namespace tuxarium::bridge
