// A client's session in the bridge: the input is messages, text and binary, of any content, with the network's answers and failures in between.
// Whatever comes, no frame that the gate forbids reaches the port, and every session ends once.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "unit/tap_bridge/fakes.hpp"
#include "session.hpp"
#include "tokens.hpp"

namespace {

using namespace tuxarium::bridge;
using namespace tuxarium::bridge::test;

class Fuzzed {
 public:
  explicit Fuzzed(WireFormat format) {
    table_.reserve(mac(1));
    SessionLimits limits;
    limits.gate.storm_rate = 5;
    limits.gate.storm_burst = 10;
    session_ = std::make_shared<Session>(io_, ClientInfo{1, "peer", "token", format}, limits, total_, table_, log_, std::make_unique<FakeTransport>(io_, wire_),
                                         std::make_unique<FakePort>(io_, segment_, "fake0"), [this](ClientId, const std::string&) {
                                           ++ends_;
                                           session_.reset();
                                         });
    session_->start();
    settle(io_);
  }

  void step(std::uint8_t what, const ByteString& bytes) {
    switch (what % 8) {
      case 5: segment_->deliver(bytes); break;
      case 6: segment_->refuses = !segment_->refuses; break;
      case 7: wire_->takes_writes = !wire_->takes_writes; break;
      default: wire_->say(bytes, what % 2 == 0);
    }
    settle(io_);
    if (wire_->writing && wire_->takes_writes) wire_->finish_write();
    settle(io_);
  }

  void check() {
    for (const ByteString& frame : segment_->sent) {
      if (frame.size() < kEthernetHeader || frame.size() > 1518) std::abort();
      const MacAddress source = source_of(frame);
      if (source.is_group() || source.is_zero() || source == mac(1) || destination_of(frame).is_link_local()) std::abort();
    }
    wire_->end("over");
    settle(io_);
    if (ends_ != 1 || session_ || !segment_->gone || !wire_->gone) std::abort();
  }

 private:
  asio::io_context io_;
  Log log_{[](const std::string&) {}};
  AddressTable table_;
  TrafficLimit total_;
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  std::shared_ptr<Segment> segment_ = std::make_shared<Segment>();
  int ends_ = 0;
  std::shared_ptr<Session> session_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Fuzzed fuzzed{data[0] % 2 == 0 ? WireFormat::stream : WireFormat::ethernet};
  const std::string text{reinterpret_cast<const char*>(data), size};
  (void)secret_of_authorization(text);
  (void)read_subprotocols(text);
  (void)parse_mac(text);
  for (std::size_t at = 1; at + 2 < size;) {
    const std::uint8_t what = data[at];
    const std::size_t length = std::min<std::size_t>(data[at + 1] * 8u, size - at - 2);
    ByteString bytes;
    for (std::size_t i = 0; i < length; ++i) bytes.push_back(static_cast<std::byte>(data[at + 2 + i]));
    fuzzed.step(what, bytes);
    at += 2 + length;
  }
  fuzzed.check();
  return 0;
}
