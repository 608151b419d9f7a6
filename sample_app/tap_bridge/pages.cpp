#include "pages.hpp"

#include <cstdio>

#include "status_page.hpp"

namespace tuxarium::bridge {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

class Metrics {
 public:
  void head(const std::string& name, const char* type, const char* help) {
    text_ += "# HELP " + full(name) + " " + help + "\n# TYPE " + full(name) + " " + type + "\n";
  }
  void value(const std::string& name, const std::string& labels, std::uint64_t count) {
    text_ += full(name) + labels + " " + std::to_string(count) + "\n";
  }
  void value(const std::string& name, const std::string& labels, const std::string& count) { text_ += full(name) + labels + " " + count + "\n"; }
  std::string take() { return std::move(text_); }

 private:
  static std::string full(const std::string& name) { return "tuxarium_bridge_" + name; }
  std::string text_;
};

/// Between quotation marks, for JSON and for the labels of metrics.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c < ' ' ? '?' : c;
  }
  return out + '"';
}

std::string labels_of(const ServerView::Client& client, const char* direction) {
  return "{client=\"" + std::to_string(client.info.id) + "\",token=" + json_text(client.info.token) + ",port=" + json_text(client.port) + ",direction=\"" +
         direction + "\"}";
}

void add_clients(Metrics& out, const ServerView& view) {
  out.head("client_frames_total", "counter", "Frames of a connected client; up is from it, down is to it.");
  for (const auto& client : view.clients) {
    out.value("client_frames_total", labels_of(client, "up"), client.counters.frames_up);
    out.value("client_frames_total", labels_of(client, "down"), client.counters.frames_down);
  }
  out.head("client_bytes_total", "counter", "Bytes of a connected client's frames.");
  for (const auto& client : view.clients) {
    out.value("client_bytes_total", labels_of(client, "up"), client.counters.bytes_up);
    out.value("client_bytes_total", labels_of(client, "down"), client.counters.bytes_down);
  }
  out.head("client_drops_total", "counter", "Frames of a connected client that were dropped; up for a reason of ours, down because it reads too slowly.");
  for (const auto& client : view.clients) {
    out.value("client_drops_total", labels_of(client, "up"), client.counters.dropped_up());
    out.value("client_drops_total", labels_of(client, "down"), client.counters.missed_down);
  }
}

const char* format_name(WireFormat format) { return format == WireFormat::stream ? "/tap" : "/ethernet"; }

std::string json_of(const Counters& c) {
  std::string text = "\"frames_up\":" + std::to_string(c.frames_up) + ",\"bytes_up\":" + std::to_string(c.bytes_up) +
                     ",\"frames_down\":" + std::to_string(c.frames_down) + ",\"bytes_down\":" + std::to_string(c.bytes_down) +
                     ",\"missed_down\":" + std::to_string(c.missed_down) + ",\"skipped_bytes\":" + std::to_string(c.skipped_bytes) + ",\"pauses\":" + std::to_string(c.pauses) + ",\"dropped\":{";
  for (std::size_t i = 0; i < kDropReasons; ++i)
    text += (i == 0 ? "\"" : ",\"") + std::string{kDropNames[i]} + "\":" + std::to_string(c.dropped[i]);
  return text + "}";
}

}  // namespace

std::string metrics_text(const ServerView& view) {
  Metrics out;
  out.head("uptime_seconds", "gauge", "Seconds since the start.");
  out.value("uptime_seconds", "", number(view.seconds));
  out.head("clients", "gauge", "Clients that are connected.");
  out.value("clients", "", view.clients.size());
  out.head("clients_limit", "gauge", "Clients that may be connected.");
  out.value("clients_limit", "", view.max_clients);
  out.head("connections_total", "counter", "Clients that have connected.");
  out.value("connections_total", "", view.connected);
  out.head("refused_total", "counter", "Requests that were refused, by HTTP status.");
  for (const auto& [status, count] : view.refused_by_status) out.value("refused_total", "{status=\"" + std::to_string(status) + "\"}", count);
  out.head("frames_total", "counter", "Frames of all clients; up is from them, down is to them.");
  out.value("frames_total", "{direction=\"up\"}", view.total.frames_up);
  out.value("frames_total", "{direction=\"down\"}", view.total.frames_down);
  out.head("bytes_total", "counter", "Bytes of the frames of all clients.");
  out.value("bytes_total", "{direction=\"up\"}", view.total.bytes_up);
  out.value("bytes_total", "{direction=\"down\"}", view.total.bytes_down);
  out.head("dropped_frames_total", "counter", "Frames from clients that went no further, by reason.");
  for (std::size_t i = 0; i < kDropReasons; ++i) out.value("dropped_frames_total", std::string{"{reason=\""} + kDropNames[i] + "\"}", view.total.dropped[i]);
  out.head("missed_frames_total", "counter", "Frames to clients that were dropped because the client reads too slowly.");
  out.value("missed_frames_total", "", view.total.missed_down);
  out.head("skipped_bytes_total", "counter", "Bytes from clients that belonged to no frame.");
  out.value("skipped_bytes_total", "", view.total.skipped_bytes);
  out.head("pauses_total", "counter", "Times that a limit made a client wait.");
  out.value("pauses_total", "", view.total.pauses);
  add_clients(out, view);
  return out.take();
}

std::string status_json(const ServerView& view) {
  std::string text = "{\"bridge\":" + json_text(view.bridge) + ",\"seconds\":" + number(view.seconds) + ",\"max_clients\":" + std::to_string(view.max_clients) +
                     ",\"connected\":" + std::to_string(view.connected) + ",\"refused\":" + std::to_string(view.refused) + ",\"total\":{" +
                     json_of(view.total) + "},\"clients\":[";
  bool first = true;
  for (const auto& client : view.clients) {
    text += std::string{first ? "" : ","} + "{\"id\":" + std::to_string(client.info.id) + ",\"peer\":" + json_text(client.info.peer) +
            ",\"token\":" + json_text(client.info.token) + ",\"path\":\"" + format_name(client.info.format) + "\",\"port\":" + json_text(client.port) +
            ",\"mac\":" + json_text(client.address) + ",\"seconds\":" + number(client.seconds) + "," + json_of(client.counters) + "}";
    first = false;
  }
  return text + "]}\n";
}

Page page_for(const Admission& admission, const Server& server) {
  using Kind = Admission::Kind;
  switch (admission.kind) {
    case Kind::healthz: return {200, "ok\n", {}, {}};
    case Kind::metrics: return {200, metrics_text(server.view()), "text/plain; version=0.0.4; charset=utf-8", {}};
    case Kind::status_json: return {200, status_json(server.view()), "application/json", {}};
    case Kind::status_page: return {200, kStatusPage, "text/html; charset=utf-8", kStatusPolicy};
    case Kind::websocket:
    case Kind::refused: break;
  }
  return {admission.status, admission.sentence + "\n", {}, {}};
}

}  // namespace tuxarium::bridge
