#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "devices/uart16550a.hpp"
#include "unit/time/fake_time.hpp"
#include "wire/frame_pacer.hpp"

using namespace tuxarium;
using wire::PacedSerialPort;
using Bytes = std::vector<std::byte>;

namespace {

constexpr time::Nanoseconds kMillisecond = 1'000'000;

/// A UART as a Linux guest uses it, with the pacer before it.
struct Line {
  Line() { uart.io_write(2, 1, 0xc1); }

  std::size_t write(const Bytes& bytes) { return paced.write(bytes); }

  /// Everything that the guest can read without waiting.
  Bytes drain() {
    Bytes bytes;
    while ((uart.io_read(5, 1) & 1) != 0) bytes.push_back(static_cast<std::byte>(uart.io_read(0, 1)));
    return bytes;
  }

  void pass(time::Nanoseconds span) {
    t.base.value += span;
    while (const auto slot = t.clock.take_due()) {
      REQUIRE(*slot == time::EventSlot::serial1_framing);
      paced.on_event();
    }
  }

  test::FakeClock t;
  devices::Uart16550a uart{bus::IrqLine{}};
  PacedSerialPort paced{uart, t.clock, time::EventSlot::serial1_framing};
};

Bytes frame(std::size_t length, unsigned fill = 0x55) {
  Bytes bytes(length + 2, static_cast<std::byte>(fill));
  bytes[0] = static_cast<std::byte>(length >> 8);
  bytes[1] = static_cast<std::byte>(length & 0xff);
  return bytes;
}

Bytes text(const std::string& s) {
  Bytes bytes;
  for (const char c : s) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("a frame passes at once, and only when it is whole") {
  Line line;
  const Bytes bytes = frame(60);
  CHECK(line.write(Bytes(bytes.begin(), bytes.begin() + 1)) == 1);
  CHECK(line.drain().empty());
  CHECK(line.write(Bytes(bytes.begin() + 1, bytes.begin() + 30)) == 29);
  CHECK(line.drain().empty());
  CHECK(line.write(Bytes(bytes.begin() + 30, bytes.end())) == bytes.size() - 30);
  CHECK(line.drain() == bytes);
}

TEST_CASE("the shortest and the longest frame are frames") {
  Line line;
  CHECK(line.write(frame(14) + frame(1522)) == 16 + 1524);
  CHECK(line.drain() == frame(14) + frame(1522));
  CHECK(line.t.clock.deadline(time::EventSlot::serial1_framing) == time::kNever);
}

TEST_CASE("no more than a tty holds is released before the guest has taken it, and never a part of a frame") {
  Line line;
  Bytes sent;
  for (unsigned i = 0; i < 20; ++i) sent = sent + frame(1442, i);
  CHECK(line.write(sent) == sent.size());
  const Bytes first = line.drain();
  CHECK(first.size() == 2 * 1444);
  line.paced.guest_idle();  // the UART is empty now
  CHECK(line.drain().empty());
  line.pass(5 * kMillisecond);
  line.paced.guest_idle();  // too early: the tty's delayed work may not have run
  CHECK(line.drain().empty());
  line.pass(16 * kMillisecond);
  line.paced.guest_idle();
  CHECK(line.drain().size() == 2 * 1444);
}

TEST_CASE("a tick between two idle moments proves that the guest has read") {
  Line line;
  for (unsigned i = 0; i < 6; ++i) line.write(frame(1442, i));
  CHECK(line.drain().size() == 2 * 1444);
  line.paced.timer_tick();  // still in the interrupt handler: proves nothing
  line.paced.guest_idle();
  line.paced.guest_idle();
  CHECK(line.drain().empty());
  line.paced.timer_tick();
  CHECK(line.drain().empty());
  line.paced.guest_idle();
  CHECK(line.drain().size() == 2 * 1444);
  line.paced.guest_idle();  // the next window begins anew
  line.paced.guest_idle();
  CHECK(line.drain().empty());
}

TEST_CASE("with flow control by the guest bytes pass as they come, a window at a time, the next one when the guest is idle") {
  Line line;
  line.paced.slice_begins(true, 0);
  Bytes sent;
  for (unsigned i = 0; i < 12; ++i) sent = sent + frame(1500, i);
  Bytes got;
  CHECK(line.write(Bytes(sent.begin(), sent.begin() + 1)) == 1);
  got = got + line.drain();
  CHECK(got.size() == 1);
  CHECK(line.write(Bytes(sent.begin() + 1, sent.end())) == sent.size() - 1);
  CHECK(line.t.clock.next_deadline() == time::kNever);
  line.paced.guest_idle();  // not all read yet
  got = got + line.drain();
  CHECK(got.size() == PacedSerialPort::kFlowWindow);
  line.paced.guest_idle();
  got = got + line.drain();
  CHECK(got.size() == 2 * PacedSerialPort::kFlowWindow);
  line.paced.guest_idle();
  got = got + line.drain();
  CHECK(got == sent);
}

TEST_CASE("with flow control by the guest a busy one gets the next window after some instructions with an empty UART") {
  Line line;
  line.paced.slice_begins(true, 0);
  CHECK(line.write(Bytes(20000, std::byte{1})) == 20000);
  line.paced.slice_begins(true, 5'000'000);  // not read: nothing more
  CHECK(line.drain().size() == PacedSerialPort::kFlowWindow);
  line.paced.slice_begins(true, 5'000'000 + PacedSerialPort::kFlowCycles - 1);
  CHECK(line.drain().empty());
  line.paced.slice_begins(true, 5'000'000 + PacedSerialPort::kFlowCycles);
  CHECK(line.drain().size() == PacedSerialPort::kFlowWindow);
}

TEST_CASE("a guest that is never idle gets the next window after a while, once it has emptied the UART") {
  Line line;
  Bytes sent;
  for (unsigned i = 0; i < 4; ++i) sent = sent + frame(1500, i);
  CHECK(line.write(sent) == sent.size());
  line.pass(500 * kMillisecond);
  CHECK(line.uart.writable() == devices::Uart16550a::kQueueBytes - 2 * 1502);  // not read: nothing more
  CHECK(line.drain().size() == 2 * 1502);
  line.pass(19 * kMillisecond);
  CHECK(line.drain().empty());
  line.pass(201 * kMillisecond);
  CHECK(line.drain().size() == 2 * 1502);
}

TEST_CASE("every byte arrives in order, a window at a time") {
  constexpr unsigned kSeed = 7;
  INFO("seed " << kSeed);
  std::mt19937 random{kSeed};
  Line line;
  Bytes sent, got;
  for (int i = 0; i < 40; ++i) sent = sent + frame(14 + random() % 1509, random() % 256);
  CHECK(line.write(sent) == sent.size());
  for (int i = 0; i < 200 && got.size() < sent.size(); ++i) {
    const Bytes window = line.drain();
    CHECK(window.size() <= PacedSerialPort::kWindow);
    got = got + window;
    line.paced.guest_idle();
    line.pass(22 * kMillisecond);
    line.paced.guest_idle();
  }
  CHECK(got == sent);
}

TEST_CASE("text that is no frame passes at once, what could begin one waits 20 ms") {
  Line line;
  line.write(text("ls\n"));
  CHECK(line.drain() == text("ls"));
  line.pass(19 * kMillisecond);
  CHECK(line.drain().empty());
  line.pass(kMillisecond);
  CHECK(line.drain() == text("\n"));
  CHECK(line.t.clock.next_deadline() == time::kNever);
}

TEST_CASE("a frame that never becomes whole passes as it is, and the next one is recognised") {
  Line line;
  Bytes piece = frame(100);
  piece.resize(50);
  line.write(piece);
  line.pass(20 * kMillisecond);
  CHECK(line.drain() == piece);
  line.write(frame(60));
  CHECK(line.drain() == frame(60));
}

TEST_CASE("at the bound write accepts fewer bytes and loses none, and waiting for a full port does not flood events") {
  Line line;
  const Bytes many(PacedSerialPort::kQueueBytes, std::byte{0xff});
  std::size_t accepted = line.write(many);
  CHECK(accepted == many.size());  // all but the last byte, which might begin a frame, are in the UART now
  accepted += line.write(many);
  accepted += line.write(many);
  CHECK(line.uart.writable() == 0);
  CHECK(line.paced.writable() == 0);
  CHECK(line.write(many) == 0);
  int events = 0;
  for (line.t.base.value += 1000 * kMillisecond; events < 1000 && line.t.clock.take_due(); ++events) line.paced.on_event();
  CHECK(events < 200);
  std::size_t got = line.drain().size();
  line.pass(120 * kMillisecond);
  got += line.drain().size();
  line.pass(120 * kMillisecond);
  got += line.drain().size();
  CHECK(got == accepted);
}

TEST_CASE("a piece of a frame that has waited long enough behind a full port does not flood events") {
  Line line;
  line.write(Bytes(devices::Uart16550a::kQueueBytes, std::byte{0xff}));
  line.pass(20 * kMillisecond);
  CHECK(line.uart.writable() == 0);
  line.write(Bytes(1, std::byte{0}));
  int events = 0;
  for (line.t.base.value += 1000 * kMillisecond; events < 1000 && line.t.clock.take_due(); ++events) line.paced.on_event();
  CHECK(events < 200);
  line.drain();
  line.pass(120 * kMillisecond);
  CHECK(line.drain() == Bytes(1, std::byte{0}));
}

TEST_CASE("a port that fills again by itself while frames wait does not flood events") {
  Line line;
  for (int i = 0; i < 4; ++i) line.write(frame(1500));
  line.drain();
  line.pass(kMillisecond);
  line.paced.guest_idle();             // the port is seen empty
  line.uart.io_write(4, 1, 0x10);      // loopback: what the guest sends comes back to it
  line.uart.io_write(0, 1, 0x41);
  unsigned events = 0;
  for (int i = 0; i < 100; ++i) {
    line.t.base.value += kMillisecond;
    while (const auto slot = line.t.clock.take_due()) {
      line.paced.on_event();
      REQUIRE(++events < 100);
    }
  }
}

TEST_CASE("the other direction and the totals are the port's own") {
  Line line;
  line.uart.io_write(0, 1, 'x');
  CHECK(line.paced.readable() == 1);
  Bytes out(4);
  CHECK(line.paced.read(out) == 1);
  CHECK(out[0] == std::byte{'x'});
  CHECK(line.paced.bytes_from_guest() == 1);
  line.write(frame(14));
  line.drain();
  CHECK(line.paced.bytes_to_guest() == 16);
}

TEST_CASE("reset drops what waits") {
  Line line;
  line.write(text("\n"));
  line.uart.reset();
  line.paced.reset();
  CHECK(line.paced.writable() == PacedSerialPort::kQueueBytes);
  CHECK(line.t.clock.next_deadline() == time::kNever);
  line.pass(100 * kMillisecond);
  CHECK(line.drain().empty());
}
