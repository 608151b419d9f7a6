#include "wire/link_pump.hpp"

#include <deque>
#include <vector>

#include <doctest/doctest.h>

#include "unit/wire/frame_record.hpp"

namespace tuxarium::wire {
namespace {

using Bytes = std::vector<std::byte>;
using test::record_of;

class Port final : public SerialPort {
 public:
  std::size_t read(std::span<std::byte> out) override {
    const std::size_t count = std::min(out.size(), from_guest.size());
    std::copy_n(from_guest.begin(), count, out.begin());
    from_guest.erase(from_guest.begin(), from_guest.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }
  std::size_t write(std::span<const std::byte> data) override {
    const std::size_t count = std::min(data.size(), room - to_guest.size());
    to_guest.insert(to_guest.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }
  std::size_t readable() const override { return from_guest.size(); }
  std::size_t writable() const override { return room - to_guest.size(); }
  std::uint64_t bytes_from_guest() const override { return 0; }
  std::uint64_t bytes_to_guest() const override { return 0; }

  Bytes from_guest, to_guest;
  std::size_t room = 64 * 1024;
};

class Link final : public NetworkLink {
 public:
  bool send(std::span<const std::byte> frame) override {
    sent.emplace_back(frame.begin(), frame.end());
    return true;
  }
  std::size_t receive(std::span<std::byte> out) override {
    if (waiting.empty()) return 0;
    const Bytes frame = waiting.front();
    waiting.pop_front();
    std::copy(frame.begin(), frame.end(), out.begin());
    return frame.size();
  }
  LinkStatus status() const override { return {}; }
  void on_receivable(std::function<void()>) override {}

  std::vector<Bytes> sent;
  std::deque<Bytes> waiting;
};

TEST_CASE("link pump: frames pass in both directions") {
  Port port;
  Link link;
  LinkPump pump{port, &link};
  const Bytes frame(100, std::byte{5});
  port.from_guest = record_of(frame);
  const Bytes half(port.from_guest.begin() + 50, port.from_guest.end());
  port.from_guest.resize(50);
  pump.pump();
  CHECK(link.sent.empty());
  port.from_guest = half;
  link.waiting.push_back(frame);
  pump.pump();
  CHECK(link.sent == std::vector<Bytes>{frame});
  CHECK(port.to_guest == record_of(frame));
}

TEST_CASE("link pump: what the guest has no room for stays with the link") {
  Port port;
  Link link;
  LinkPump pump{port, &link};
  port.room = 2000;
  for (int i = 0; i < 5; ++i) link.waiting.emplace_back(1000, std::byte{1});
  pump.pump();
  CHECK(link.waiting.size() == 4);
  CHECK(port.to_guest.size() == 1002);
  port.to_guest.clear();
  pump.pump();
  CHECK(link.waiting.size() == 3);
}

TEST_CASE("link pump: an answer is expected to a frame for one station, and after eight waits in vain to one in four") {
  Port port;
  Link link;
  LinkPump pump{port, &link};
  const auto expected_after = [&](unsigned receiver) {
    Bytes frame(60, std::byte{0});
    frame[0] = static_cast<std::byte>(receiver);
    port.from_guest = record_of(frame);
    pump.pump();
    return pump.expects_answer();
  };
  CHECK_FALSE(pump.expects_answer());
  CHECK_FALSE(expected_after(0x33));
  for (int i = 0; i < 8; ++i) {
    CHECK(expected_after(0x02));
    CHECK_FALSE(pump.expects_answer());
    pump.waited(false);
  }
  int expected = 0;
  for (int i = 0; i < 40; ++i) {
    if (!expected_after(0x02)) continue;
    ++expected;
    pump.waited(false);
  }
  CHECK(expected == 10);
  pump.waited(true);
  CHECK(expected_after(0x02));
  CHECK(expected_after(0x02));
  link.waiting.emplace_back(60, std::byte{1});
  pump.pump();
  CHECK(pump.received() == 1);
}

TEST_CASE("link pump: without a link nothing is read") {
  Port port;
  LinkPump pump{port, nullptr};
  port.from_guest.resize(10);
  pump.pump();
  CHECK(port.from_guest.size() == 10);
}

}  // namespace
}  // namespace tuxarium::wire
