#include "admission.hpp"

#include <algorithm>

namespace tuxarium::bridge {
namespace {

using Kind = Admission::Kind;

Admission refused(unsigned status, std::string sentence) {
  Admission admission;
  admission.status = status;
  admission.sentence = std::move(sentence);
  return admission;
}

/// A request without Origin comes from no web page. One with it may come from any page that a person on this network looks at.
bool origin_is_allowed(const AccessRules& rules, const RequestView& request) {
  if (!request.has_origin) return true;
  const auto allowed = [&](const std::string& origin) { return origin == "*" || origin == request.origin; };
  if (std::any_of(rules.origins.begin(), rules.origins.end(), allowed)) return true;
  const std::size_t scheme = request.origin.find("://");
  return scheme != std::string_view::npos && !request.host.empty() && request.origin.substr(scheme + 3) == request.host;
}

/// Checks the token. True also when nobody needs one.
bool token_is_right(const AccessRules& rules, const RequestView& request, const Subprotocols& subprotocols, std::string& name) {
  if (rules.tokens.empty()) return true;
  std::optional<std::string> secret = secret_of_authorization(request.authorization);
  if (!secret) secret = subprotocols.secret;
  const auto found = secret ? rules.tokens.name_of(*secret) : std::nullopt;
  if (found) name = *found;
  return found.has_value();
}

Kind kind_of(std::string_view path, WireFormat& format) {
  if (path == "/tap" || path == "/ethernet") {
    format = path == "/tap" ? WireFormat::stream : WireFormat::ethernet;
    return Kind::websocket;
  }
  if (path == "/healthz") return Kind::healthz;
  if (path == "/metrics") return Kind::metrics;
  if (path == "/") return Kind::status_page;
  return path == "/status.json" ? Kind::status_json : Kind::refused;
}

}  // namespace

Admission admit(const AccessRules& rules, const RequestView& request) {
  Admission admission;
  admission.kind = kind_of(request.target.substr(0, request.target.find('?')), admission.format);
  if (admission.kind == Kind::refused) return refused(404, "There is nothing here. Networks are at /tap and /ethernet.");
  if (request.method != "GET") return refused(405, "Only GET is understood here.");
  if (admission.kind == Kind::healthz) return admission;
  if (admission.kind == Kind::websocket && !request.is_upgrade) return refused(426, "This is a websocket: connect with a websocket client.");
  if (!origin_is_allowed(rules, request)) return refused(403, "Web pages of this origin may not connect. The bridge's --origin allows others.");
  const Subprotocols subprotocols = read_subprotocols(request.subprotocols);
  if (!token_is_right(rules, request, subprotocols, admission.token)) return refused(401, "The token is missing or wrong.");
  admission.subprotocol = subprotocols.answer;
  return admission;
}

}  // namespace tuxarium::bridge
