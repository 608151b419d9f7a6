#include <doctest/doctest.h>

#include "fakes.hpp"
#include "server.hpp"

using namespace tuxarium::bridge;
using namespace tuxarium::bridge::test;

namespace {

struct Fixture {
  explicit Fixture(std::size_t max_clients = 3) {
    limits.max_clients = max_clients;
    server.emplace(io, AccessRules{}, limits, ports, log, "br1");
  }

  RequestView request(std::string_view path = "/ethernet") {
    RequestView view;
    view.method = "GET";
    view.target = path;
    view.is_upgrade = true;
    return view;
  }

  std::shared_ptr<Wire> join() {
    auto wire = std::make_shared<Wire>();
    Admission admission;
    admission.kind = Admission::Kind::websocket;
    admission.format = WireFormat::ethernet;
    server->join(std::make_unique<FakeTransport>(io, wire), admission, "192.0.2.1:4000");
    settle(io);
    return wire;
  }

  asio::io_context io;
  std::vector<std::string> lines;
  Log log{[this](const std::string& line) { lines.push_back(line); }};
  FakePorts ports{io};
  ServerLimits limits;
  std::optional<Server> server;
};

}  // namespace

TEST_CASE("server: clients come and go with their ports") {
  Fixture f;
  const auto first = f.join(), second = f.join();
  CHECK(f.server->clients() == 2);
  CHECK(first->say(frame(mac(9), mac(1))));
  first->end("it said good-bye");
  settle(f.io);
  CHECK(f.server->clients() == 1);
  CHECK(f.ports.segments[0]->gone);
  CHECK_FALSE(f.ports.segments[1]->gone);
  const ServerView view = f.server->view();
  CHECK(view.connected == 2);
  REQUIRE(view.clients.size() == 1);
  CHECK(view.clients[0].port == "fake1");
}

TEST_CASE("server: counters of clients that have left stay in the total") {
  Fixture f;
  const auto wire = f.join();
  wire->say(frame(mac(9), mac(1)));
  settle(f.io);
  wire->end("gone");
  settle(f.io);
  CHECK(f.server->view().total.frames_up == 1);
}

TEST_CASE("server: frames that a slow client misses are counted for it, and stay in the total when it has left") {
  Fixture f;
  const auto first = f.join(), second = f.join();
  f.ports.segments[0]->dropped = 40;
  f.ports.segments[1]->dropped = 2;
  ServerView view = f.server->view();
  REQUIRE(view.clients.size() == 2);
  CHECK(view.clients[0].counters.missed_down == 40);
  CHECK(view.clients[1].counters.missed_down == 2);
  CHECK(view.total.missed_down == 42);
  f.ports.segments[0]->dropped = 50;
  first->end("it said good-bye");
  settle(f.io);
  view = f.server->view();
  REQUIRE(view.clients.size() == 1);
  CHECK(view.total.missed_down == 52);
  CHECK(f.lines.back().ends_with("dropped 0 and 50"));
}

TEST_CASE("server: beyond the limit, 503 before the upgrade and a close code after it") {
  Fixture f{1};
  CHECK(f.server->admit(f.request(), "x").kind == Admission::Kind::websocket);
  const auto first = f.join();
  CHECK(f.server->admit(f.request(), "x").status == 503);
  CHECK(f.server->view().refused_by_status.at(503) == 1);
  CHECK(f.server->admit(f.request("/healthz"), "x").kind == Admission::Kind::healthz);
  const auto second = f.join();
  CHECK(second->code == CloseCode::try_again_later);
  CHECK(second->gone);
  first->end("gone");
  settle(f.io);
  CHECK(f.server->admit(f.request(), "x").kind == Admission::Kind::websocket);
}

TEST_CASE("server: without a port the client gets a close code") {
  Fixture f;
  f.ports.problem = "no devices today";
  const auto wire = f.join();
  CHECK(wire->code == CloseCode::internal);
  CHECK(wire->gone);
  CHECK(f.server->clients() == 0);
  CHECK(f.lines.back().find("no devices today") != std::string::npos);
}

TEST_CASE("server: a contested address is the newcomer's once the silent holder is cut off") {
  Fixture f;
  const auto old = f.join(), fresh = f.join();
  old->say(frame(mac(9), mac(1)));
  settle(f.io);
  fresh->say(frame(mac(9), mac(1)));
  settle(f.io);
  CHECK(f.ports.segments[1]->sent.empty());
  CHECK(old->pings == 1);
  old->end("cut off");
  settle(f.io);
  fresh->say(frame(mac(9), mac(1)));
  settle(f.io);
  CHECK(f.ports.segments[1]->sent.size() == 1);
}

TEST_CASE("server: stop says good-bye to everybody, then is done") {
  Fixture f;
  const auto first = f.join(), second = f.join();
  int done = 0;
  f.server->stop([&] { ++done; });
  CHECK(f.server->admit(f.request(), "x").status == 503);
  settle(f.io);
  CHECK(done == 1);
  CHECK(first->code == CloseCode::going_away);
  CHECK(second->gone);
  const auto late = f.join();
  CHECK(late->closed);
}

TEST_CASE("server: its end with clients still there lets go of everything") {
  Fixture f;
  const auto first = f.join();
  f.server.reset();
  CHECK(first->gone);
  CHECK(f.ports.segments[0]->gone);
}
