#include <doctest/doctest.h>

#include <sstream>

#include "pages.hpp"

using namespace tuxarium::bridge;

namespace {

ServerView some_view() {
  ServerView view;
  view.bridge = "br1";
  view.max_clients = 5;
  view.connected = 2;
  view.refused = 3;
  view.refused_by_status[401] = 3;
  ServerView::Client client;
  client.info = {7, "192.0.2.1:4000", "a\"b\\c", WireFormat::stream};
  client.port = "websockettunt0";
  client.address = "02:00:00:00:00:01";
  client.counters.frames_up = 11;
  client.counters.drop(Drop::storm);
  client.counters.missed_down = 5;
  view.clients.push_back(client);
  view.total = client.counters;
  return view;
}

}  // namespace

TEST_CASE("metrics: every line is a comment or a name, labels and a number; every name has its type first") {
  const std::string text = metrics_text(some_view());
  std::istringstream lines{text};
  std::string line, typed;
  while (std::getline(lines, line)) {
    CAPTURE(line);
    if (line.starts_with("# TYPE ")) typed = line.substr(7, line.find(' ', 7) - 7);
    if (line.starts_with("#")) continue;
    CHECK(line.substr(0, line.find_first_of("{ ")) == typed);
    std::size_t used = 0;
    const std::string value = line.substr(line.rfind(' ') + 1);
    (void)std::stod(value, &used);
    CHECK(used == value.size());
  }
  CHECK(text.find("tuxarium_bridge_clients 1\n") != std::string::npos);
  CHECK(text.find("tuxarium_bridge_refused_total{status=\"401\"} 3\n") != std::string::npos);
  CHECK(text.find("tuxarium_bridge_dropped_frames_total{reason=\"storm\"} 1\n") != std::string::npos);
  CHECK(text.find("tuxarium_bridge_client_frames_total{client=\"7\",token=\"a\\\"b\\\\c\",port=\"websockettunt0\",direction=\"up\"} 11\n") != std::string::npos);
  CHECK(text.find("tuxarium_bridge_missed_frames_total 5\n") != std::string::npos);
  CHECK(text.find("tuxarium_bridge_client_drops_total{client=\"7\",token=\"a\\\"b\\\\c\",port=\"websockettunt0\",direction=\"up\"} 1\n") != std::string::npos);
  CHECK(text.find("tuxarium_bridge_client_drops_total{client=\"7\",token=\"a\\\"b\\\\c\",port=\"websockettunt0\",direction=\"down\"} 5\n") != std::string::npos);
}

TEST_CASE("status as JSON") {
  const std::string text = status_json(some_view());
  CHECK(text.starts_with("{\"bridge\":\"br1\","));
  CHECK(text.find("\"token\":\"a\\\"b\\\\c\",\"path\":\"/tap\"") != std::string::npos);
  CHECK(text.find("\"storm\":1") != std::string::npos);
  CHECK(text.find("\"missed_down\":5,") != std::string::npos);
  CHECK(text.ends_with("]}\n"));
}
