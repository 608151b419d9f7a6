#include <doctest/doctest.h>

#include "admission.hpp"

using namespace tuxarium::bridge;
using Kind = Admission::Kind;

namespace {

const std::string kSecret = "secret-0123456789";

RequestView websocket_to(std::string_view target) {
  RequestView request;
  request.method = "GET";
  request.target = target;
  request.host = "bridge.example:3000";
  request.is_upgrade = true;
  return request;
}

AccessRules with_token() {
  AccessRules rules;
  REQUIRE(rules.tokens.add("alice", kSecret));
  return rules;
}

}  // namespace

TEST_CASE("admission: paths") {
  const AccessRules open;
  CHECK(admit(open, websocket_to("/tap")).kind == Kind::websocket);
  CHECK(admit(open, websocket_to("/tap?x=y")).format == WireFormat::stream);
  CHECK(admit(open, websocket_to("/ethernet")).format == WireFormat::ethernet);
  CHECK(admit(open, websocket_to("/")).kind == Kind::status_page);
  CHECK(admit(open, websocket_to("/metrics")).kind == Kind::metrics);
  for (const char* nowhere : {"", "/TAP", "/tap/", "/tap/x", "//tap", "*", "http://x/tap"}) {
    CAPTURE(nowhere);
    CHECK(admit(open, websocket_to(nowhere)).status == 404);
  }
  RequestView plain = websocket_to("/tap");
  plain.is_upgrade = false;
  CHECK(admit(open, plain).status == 426);
  plain.method = "POST";
  CHECK(admit(open, plain).status == 405);
}

TEST_CASE("admission: a token is asked for everywhere but at /healthz") {
  const AccessRules rules = with_token();
  for (const char* path : {"/tap", "/ethernet", "/", "/metrics", "/status.json"}) {
    CAPTURE(path);
    RequestView request = websocket_to(path);
    CHECK(admit(rules, request).status == 401);
    request.authorization = "Bearer wrong-0123456789";
    CHECK(admit(rules, request).status == 401);
    const std::string right = "Bearer " + kSecret;
    request.authorization = right;
    CHECK(admit(rules, request).kind != Kind::refused);
    CHECK(admit(rules, request).token == "alice");
  }
  CHECK(admit(rules, websocket_to("/healthz")).kind == Kind::healthz);
}

TEST_CASE("admission: a token as a subprotocol; a wrong header is not made good by it") {
  const AccessRules rules = with_token();
  RequestView request = websocket_to("/tap");
  const std::string protocols = "tuxarium, bearer." + kSecret;
  request.subprotocols = protocols;
  CHECK(admit(rules, request).kind == Kind::websocket);
  CHECK(admit(rules, request).subprotocol == "tuxarium");
  request.authorization = "Bearer wrong-0123456789";
  CHECK(admit(rules, request).status == 401);
}

TEST_CASE("admission: pages of other origins may not connect unless they are named") {
  AccessRules rules;
  RequestView request = websocket_to("/tap");
  request.has_origin = true;
  for (const char* foreign : {"", "null", "https://evil.example", "http://bridge.example:3001", "http://bridge.example:3000.evil.example", "bridge.example:3000"}) {
    CAPTURE(foreign);
    request.origin = foreign;
    CHECK(admit(rules, request).status == 403);
  }
  request.origin = "http://bridge.example:3000";
  CHECK(admit(rules, request).kind == Kind::websocket);
  request.origin = "https://friend.example";
  rules.origins = {"https://friend.example"};
  CHECK(admit(rules, request).kind == Kind::websocket);
  request.origin = "null";
  CHECK(admit(rules, request).status == 403);
  rules.origins = {"*"};
  CHECK(admit(rules, request).kind == Kind::websocket);
}
