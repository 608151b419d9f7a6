// A websocket and a port without a kernel: what the bridge does with them is written down, and what they report is posted to the event loop.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "asio.hpp"
#include "port.hpp"
#include "transport.hpp"

namespace tuxarium::bridge::test {

using ByteString = std::vector<std::byte>;

inline ByteString bytes_of(std::string_view text) {
  ByteString bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

inline ByteString operator+(ByteString a, const ByteString& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline MacAddress mac(unsigned number) {
  return MacAddress{{0x02, 0, 0, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)}};
}
inline constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

inline ByteString frame(const MacAddress& to, const MacAddress& from, std::size_t size = 60, unsigned type = 0x0800) {
  ByteString bytes(size, std::byte{0x5a});
  std::memcpy(bytes.data(), to.octets.data(), 6);
  std::memcpy(bytes.data() + 6, from.octets.data(), 6);
  bytes[12] = static_cast<std::byte>(type >> 8);
  bytes[13] = static_cast<std::byte>(type & 0xff);
  return bytes;
}

inline ByteString with_length(const ByteString& bytes) {
  return ByteString{static_cast<std::byte>(bytes.size() >> 8), static_cast<std::byte>(bytes.size() & 0xff)} + bytes;
}

/// The other end of a FakeTransport.
struct Wire {
  TransportPeer* peer = nullptr;
  asio::io_context* io = nullptr;
  int reads = 0;                  // asked for and not answered
  bool takes_writes = true;       // a client that reads
  bool writing = false;
  std::vector<ByteString> written;
  ByteString held;  // what was said last, until the next read
  int pings = 0;
  CloseCode code{};
  std::string reason;
  bool closed = false, aborted = false, gone = false;

  /// Gives the bridge a message, if it reads.
  bool say(const ByteString& message, bool is_text = false) {
    if (reads == 0 || peer == nullptr) return false;
    --reads;
    held = message;
    asio::post(*io, [this, is_text] {
      if (peer != nullptr) peer->on_message(held, is_text);
    });
    return true;
  }
  void finish_write() {
    writing = false;
    asio::post(*io, [this] {
      if (peer != nullptr) peer->on_written();
    });
  }
  void end(const std::string& why) {
    asio::post(*io, [this, why] {
      if (peer != nullptr) peer->on_ended(why);
    });
  }
};

class FakeTransport final : public Transport {
 public:
  FakeTransport(asio::io_context& io, std::shared_ptr<Wire> wire) : wire_{std::move(wire)} { wire_->io = &io; }
  ~FakeTransport() override {
    wire_->peer = nullptr;
    wire_->gone = true;
  }
  void attach(TransportPeer& peer) override { wire_->peer = &peer; }
  void detach() override { wire_->peer = nullptr; }
  void read() override {
    ++wire_->reads;
    wire_->held = {};
  }
  void write(Bytes head, Bytes body) override {
    wire_->written.push_back(ByteString{head.begin(), head.end()} + ByteString{body.begin(), body.end()});
    wire_->writing = true;
    if (wire_->takes_writes) wire_->finish_write();
  }
  void ping() override { ++wire_->pings; }
  void close(CloseCode code, std::string_view reason) override {
    wire_->code = code;
    wire_->reason = reason;
    wire_->closed = true;
    wire_->end(wire_->reason);
  }
  void abort() override {
    wire_->aborted = true;
    wire_->end("cut off");
  }

 private:
  std::shared_ptr<Wire> wire_;
};

/// The network behind a FakePort.
struct Segment {
  PortSink* sink = nullptr;
  asio::io_context* io = nullptr;
  int requests = 0;
  bool refuses = false, gone = false;
  std::uint64_t dropped = 0;  // frames that nobody asked for in time
  std::vector<ByteString> sent;  // by the client

  /// A frame for the client, if the session asks for one.
  bool deliver(ByteString bytes) {
    if (requests == 0 || sink == nullptr) return false;
    --requests;
    held = std::move(bytes);
    asio::post(*io, [this] {
      if (sink != nullptr) sink->port_frame(held);
    });
    return true;
  }
  ByteString held;
};

class FakePort final : public Port {
 public:
  FakePort(asio::io_context& io, std::shared_ptr<Segment> segment, std::string name) : segment_{std::move(segment)}, name_{std::move(name)} {
    segment_->io = &io;
  }
  ~FakePort() override {
    segment_->sink = nullptr;
    segment_->gone = true;
  }
  const std::string& name() const override { return name_; }
  void attach(PortSink& sink) override { segment_->sink = &sink; }
  void request_frame() override { ++segment_->requests; }
  bool send(Bytes bytes) override {
    if (segment_->refuses) return false;
    segment_->sent.emplace_back(bytes.begin(), bytes.end());
    return true;
  }
  std::uint64_t dropped() const override { return segment_->dropped; }

 private:
  std::shared_ptr<Segment> segment_;
  std::string name_;
};

class FakePorts final : public PortFactory {
 public:
  explicit FakePorts(asio::io_context& io) : io_{&io} {}
  void open(Done done) override {
    asio::post(*io_, [this, done = std::move(done)] {
      if (!problem.empty()) return done(Error{ErrorCode::io, problem});
      segments.push_back(std::make_shared<Segment>());
      done(std::unique_ptr<Port>{std::make_unique<FakePort>(*io_, segments.back(), "fake" + std::to_string(segments.size() - 1))});
    });
  }
  DeviceDrops dropped() const override {
    DeviceDrops drops;
    for (std::size_t i = 0; i < segments.size(); ++i)
      if (!segments[i]->gone) drops["fake" + std::to_string(i)] = segments[i]->dropped;
    return drops;
  }
  std::string problem;
  std::vector<std::shared_ptr<Segment>> segments;

 private:
  asio::io_context* io_;
};

/// Runs what is ready, without waiting for timers.
inline void settle(asio::io_context& io) {
  io.restart();
  while (io.poll() != 0) {}
}

}  // namespace tuxarium::bridge::test
