#include <doctest/doctest.h>

#include <random>

#include "fakes.hpp"
#include "session.hpp"

using namespace tuxarium::bridge;
using namespace tuxarium::bridge::test;
using namespace std::chrono_literals;

namespace {

/// A session between a fake websocket and a fake port.
struct Joined {
  explicit Joined(WireFormat format, SessionLimits limits = {}) {
    session = std::make_shared<Session>(io, ClientInfo{1, "192.0.2.1:4000", "alice", format}, limits, total, table, log,
                                        std::make_unique<FakeTransport>(io, wire), std::make_unique<FakePort>(io, segment, "fake0"),
                                        [this](ClientId, const std::string& why) {
                                          ended_because = why;
                                          session.reset();
                                        });
    session->start();
    settle(io);
  }

  bool say(const ByteString& message, bool is_text = false) {
    const bool heard = wire->say(message, is_text);
    settle(io);
    return heard;
  }
  bool deliver(const ByteString& bytes) {
    const bool taken = segment->deliver(bytes);
    settle(io);
    return taken;
  }

  asio::io_context io;
  std::vector<std::string> lines;
  Log log{[this](const std::string& line) { lines.push_back(line); }};
  AddressTable table;
  TrafficLimit total;
  std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  std::shared_ptr<Segment> segment = std::make_shared<Segment>();
  std::string ended_because;
  std::shared_ptr<Session> session;
};

const ByteString kFrame = frame(mac(9), mac(1));

ByteString stream_of(int frames) {
  ByteString stream;
  for (int i = 0; i < frames; ++i) stream = stream + with_length(kFrame);
  return stream;
}

}  // namespace

TEST_CASE("session: /ethernet passes one frame a message both ways") {
  Joined joined{WireFormat::ethernet};
  CHECK(joined.say(kFrame));
  REQUIRE(joined.segment->sent.size() == 1);
  CHECK(joined.segment->sent[0] == kFrame);
  CHECK(joined.deliver(frame(mac(1), mac(9))));
  REQUIRE(joined.wire->written.size() == 1);
  CHECK(joined.wire->written[0] == frame(mac(1), mac(9)));
  CHECK(joined.session->counters().frames_up == 1);
  CHECK(joined.session->counters().bytes_down == 60);
  CHECK(joined.session->address() == mac(1));
}

TEST_CASE("session: /tap takes frames cut anywhere, in text and in binary, and sends each with its length") {
  std::random_device device;
  const unsigned seed = device();
  CAPTURE(seed);
  std::mt19937 random{seed};
  Joined joined{WireFormat::stream};
  std::vector<ByteString> frames;
  ByteString stream;
  for (unsigned i = 0; i < 50; ++i) {
    frames.push_back(frame(mac(9), mac(1), 14 + random() % 1500));
    stream = stream + with_length(frames.back());
  }
  // "WlpaWg==" style pieces: three bytes make four digits, so that text pieces are multiples of three bytes here.
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t at = 0; at < stream.size();) {
    const bool as_text = random() % 2 == 0 && stream.size() - at >= 3;
    const std::size_t count = as_text ? 3 : std::min<std::size_t>(1 + random() % 200, stream.size() - at);
    ByteString piece{stream.begin() + static_cast<std::ptrdiff_t>(at), stream.begin() + static_cast<std::ptrdiff_t>(at + count)};
    if (as_text) {
      const unsigned bits = std::to_integer<unsigned>(piece[0]) << 16 | std::to_integer<unsigned>(piece[1]) << 8 | std::to_integer<unsigned>(piece[2]);
      piece = bytes_of(std::string{digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63], digits[bits & 63]});
    }
    REQUIRE(joined.say(piece, as_text));
    at += count;
  }
  CHECK(joined.say({}, true));
  CHECK(joined.segment->sent == frames);
  joined.deliver(kFrame);
  CHECK(joined.wire->written.back() == with_length(kFrame));
}

TEST_CASE("session: between the portions of a long message others have their turn") {
  Joined joined{WireFormat::stream};
  REQUIRE(joined.wire->say(stream_of(400)));
  joined.io.restart();
  CHECK(joined.io.poll_one() == 1);
  CHECK(joined.segment->sent.size() < 40);
  bool others = false;
  asio::post(joined.io, [&] { others = joined.segment->sent.size() < 100; });
  settle(joined.io);
  CHECK(others);
  CHECK(joined.segment->sent.size() == 400);
  CHECK(joined.wire->reads == 1);
}

TEST_CASE("session: a connection that ends amid a long message ends its frames") {
  Joined joined{WireFormat::stream};
  REQUIRE(joined.wire->say(stream_of(400)));
  joined.io.restart();
  CHECK(joined.io.poll_one() == 1);
  joined.wire->end("gone");
  settle(joined.io);
  CHECK(joined.ended_because == "gone");
  CHECK(joined.segment->sent.size() < 100);
}

TEST_CASE("session: after garbage the next ordinary frame passes") {
  Joined joined{WireFormat::stream};
  CHECK(joined.say(ByteString(2000, std::byte{0xff}) + with_length(kFrame)));
  REQUIRE(joined.segment->sent.size() == 1);
  CHECK(joined.segment->sent[0] == kFrame);
  CHECK(joined.session->counters().skipped_bytes == 2000);
}

TEST_CASE("session: what is wrong gets a close code, and the port goes at once") {
  Joined text{WireFormat::ethernet};
  text.say(kFrame, true);
  CHECK(text.wire->code == CloseCode::unsupported_data);
  CHECK(text.segment->gone);
  CHECK(text.wire->gone);
  CHECK(text.ended_because == "/ethernet takes binary messages of one frame each");
  Joined base64{WireFormat::stream};
  base64.say(bytes_of("###="), true);
  CHECK(base64.wire->code == CloseCode::bad_payload);
  CHECK(base64.segment->gone);
}

TEST_CASE("session: dropped frames are counted by reason, and the first of each is told") {
  Joined joined{WireFormat::ethernet};
  joined.say(kFrame);
  for (int i = 0; i < 3; ++i) joined.say(frame(mac(9), mac(2)));
  joined.say(ByteString(5));
  joined.segment->refuses = true;
  joined.say(kFrame);
  const Counters& counters = joined.session->counters();
  CHECK(counters.dropped_for(Drop::spoofed) == 3);
  CHECK(counters.dropped_for(Drop::malformed) == 1);
  CHECK(counters.dropped_for(Drop::refused) == 1);
  CHECK(joined.segment->sent.size() == 1);
  int told = 0;
  for (const std::string& line : joined.lines) told += line.find("spoofed") != std::string::npos;
  CHECK(told == 1);
}

TEST_CASE("session: a client that does not read is not fetched frames for, and is cut off in the end") {
  SessionLimits limits;
  limits.slow_after = 5s;
  Joined joined{WireFormat::ethernet, limits};
  joined.wire->takes_writes = false;
  CHECK(joined.deliver(kFrame));
  CHECK_FALSE(joined.deliver(kFrame));
  joined.session->check_time(Clock::now() + 4s);
  CHECK_FALSE(joined.wire->aborted);
  joined.wire->finish_write();
  settle(joined.io);
  CHECK(joined.deliver(kFrame));
  joined.session->check_time(Clock::now() + 6s);
  settle(joined.io);
  CHECK(joined.wire->aborted);
  CHECK(joined.ended_because == "cut off");
}

TEST_CASE("session: a client beyond its limit is read again when it has waited") {
  SessionLimits limits;
  limits.traffic.frames = 40;  // a reserve of ten
  Joined joined{WireFormat::ethernet, limits};
  int heard = 0;
  while (heard < 100 && joined.say(kFrame)) ++heard;
  CHECK(heard == 11);  // the eleventh on credit
  CHECK(joined.session->counters().pauses == 1);
  joined.io.restart();
  joined.io.run_for(2s);
  CHECK(joined.say(kFrame));
}

TEST_CASE("session: a contested client that is silent is cut off, one that answers stays") {
  Joined silent{WireFormat::ethernet}, alive{WireFormat::ethernet};
  for (Joined* joined : {&silent, &alive}) {
    joined->session->probe();
    CHECK(joined->wire->pings == 1);
  }
  alive.wire->peer->on_alive();
  for (Joined* joined : {&silent, &alive}) {
    joined->session->check_time(Clock::now() + 3s);
    settle(joined->io);
  }
  CHECK(silent.wire->aborted);
  CHECK_FALSE(alive.wire->aborted);
}

TEST_CASE("session: the end of the connection or of the port ends everything once") {
  Joined joined{WireFormat::ethernet};
  joined.wire->end("its connection ended");
  settle(joined.io);
  CHECK(joined.ended_because == "its connection ended");
  CHECK(joined.segment->gone);
  Joined failed{WireFormat::ethernet};
  failed.segment->sink->port_failed("the device has gone");
  settle(failed.io);
  CHECK(failed.wire->code == CloseCode::internal);
  CHECK(failed.ended_because == "the network device failed");
}
