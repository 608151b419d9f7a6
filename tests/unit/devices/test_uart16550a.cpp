// Against the data sheets of the National Semiconductor PC16550D and, below, the Texas Instruments TL16C750.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "devices/uart16550a.hpp"
#include "unit/devices/pins.hpp"

using tuxarium::devices::Uart16550a;
using tuxarium::devices::UartModel;

namespace {

struct Uart {
  explicit Uart(UartModel model = UartModel::pc16550d) : uart{irq.line(), model} {}

  void write(std::uint16_t offset, unsigned value) { uart.io_write(offset, 1, value); }
  unsigned read(std::uint16_t offset) { return uart.io_read(offset, 1); }
  std::size_t send(const std::string& text) { return uart.write(std::as_bytes(std::span(text))); }
  std::string receive(std::size_t most = 1 << 20) {
    std::string text(most, '\0');
    text.resize(uart.read(std::as_writable_bytes(std::span(text))));
    return text;
  }
  /// FIFO on with a trigger level code, interrupts `ier`, OUT2.
  void open(unsigned ier, unsigned trigger = 2) {
    write(2, 0x07 | trigger << 6);
    write(4, 0x0b);
    write(1, ier);
  }

  tuxarium::test::IrqProbe irq;
  Uart16550a uart;
};

/// A TL16C750 with its FIFOs of 64 bytes, as Linux opens it: the divisor latch is accessible while FCR is written.
struct LargeUart : Uart {
  explicit LargeUart(unsigned ier = 0x01, unsigned trigger = 2, unsigned mcr = 0x0b) : Uart{UartModel::tl16c750} {
    write(3, 0x80);
    write(2, 0x21 | trigger << 6);
    write(3, 0x03);
    write(4, mcr);
    write(1, ier);
  }
};

/// Linux's 8250 handler: works until IIR says that nothing is pending; gives what it received.
std::string service(Uart& u, std::string& to_send) {
  std::string got;
  for (;;) {
    const unsigned iir = u.read(2);
    if ((iir & 1) != 0) return got;
    unsigned lsr = u.read(5);
    while ((lsr & 1) != 0) {
      got.push_back(static_cast<char>(u.read(0)));
      lsr = u.read(5);
    }
    u.read(6);
    if ((lsr & 0x20) == 0) continue;
    for (int i = 0; i < 16 && !to_send.empty(); ++i) {
      u.write(0, static_cast<unsigned char>(to_send.front()));
      to_send.erase(0, 1);
    }
    if (to_send.empty()) u.write(1, 0x05);
  }
}

}  // namespace

TEST_CASE("16550A: registers after reset") {
  Uart u;
  CHECK(u.read(0) == 0);
  CHECK(u.read(1) == 0);
  CHECK(u.read(2) == 0x01);
  CHECK(u.read(3) == 0);
  CHECK(u.read(4) == 0);
  CHECK(u.read(5) == 0x60);
  CHECK(u.read(6) == 0xb0);
}

TEST_CASE("16550A: register widths, divisor latch, scratch") {
  Uart u;
  u.write(1, 0xff);
  CHECK(u.read(1) == 0x0f);
  u.write(4, 0xef);
  CHECK(u.read(4) == 0x0f);
  u.write(7, 0xa5);
  CHECK(u.read(7) == 0xa5);
  u.write(3, 0x83);
  u.write(0, 0x34);
  u.write(1, 0x12);
  CHECK(u.read(0) == 0x34);
  CHECK(u.read(1) == 0x12);
  CHECK(u.uart.state().divisor == 0x1234);
  u.write(3, 0x03);
  CHECK(u.read(3) == 0x03);
  CHECK(u.read(1) == 0x0f);
  CHECK(u.receive().empty());
  u.write(5, 0x00);
  CHECK(u.read(5) == 0x60);
}

TEST_CASE("16550A: Linux 2.6.20 finds a 16550A, not an XScale or a 16750") {
  Uart u;
  u.write(1, 0);
  u.write(4, 0x1a);
  CHECK((u.read(6) & 0xf0) == 0x90);
  u.write(4, 0);
  u.write(2, 0x01);
  CHECK((u.read(2) >> 6) == 3);
  u.write(3, 0x80);
  u.write(2, 0x21);
  CHECK((u.read(2) & 0x20) == 0);
  u.write(3, 0x00);
  u.write(1, 0x40);
  CHECK((u.read(1) & 0x40) == 0);
}

TEST_CASE("16550A: bytes both ways, with totals") {
  Uart u;
  u.write(0, 'o');
  u.write(0, 'k');
  CHECK(u.uart.readable() == 2);
  CHECK(u.receive() == "ok");
  CHECK(u.send("hi") == 2);
  CHECK(u.read(5) == 0x61);
  CHECK(u.read(0) == 'h');
  CHECK(u.read(0) == 'i');
  CHECK(u.read(5) == 0x60);
  CHECK(u.read(0) == 'i');
  CHECK(u.uart.bytes_from_guest() == 2);
  CHECK(u.uart.bytes_to_guest() == 2);
}

TEST_CASE("16550A: the interrupt needs OUT2") {
  Uart u;
  u.write(1, 0x01);
  u.send("x");
  CHECK_FALSE(u.irq.level);
  u.write(4, 0x08);
  CHECK(u.irq.level);
  u.write(4, 0x18);
  CHECK_FALSE(u.irq.level);
}

TEST_CASE("16550A: received data above the trigger level, time-out below it") {
  Uart u;
  u.open(0x01);  // 8 bytes
  u.send("1234567");
  CHECK(u.irq.level);
  CHECK(u.read(2) == 0xcc);
  u.send("8");
  CHECK(u.read(2) == 0xc4);
  u.read(0);
  CHECK(u.read(2) == 0xcc);
  for (int i = 0; i < 7; ++i) u.read(0);
  CHECK(u.read(2) == 0xc1);
  CHECK_FALSE(u.irq.level);
  for (unsigned code = 0; code < 4; ++code) {
    constexpr unsigned kLevels[] = {1, 4, 8, 14};
    u.open(0x01, code);
    u.send(std::string(kLevels[code], 'x'));
    CHECK(u.read(2) == 0xc4);
    u.read(0);
    CHECK(u.read(2) == (code == 0 ? 0xc1 : 0xcc));
  }
  Uart single;  // character mode has no time-out
  single.write(4, 0x08);
  single.write(1, 0x01);
  single.send("x");
  CHECK(single.read(2) == 0x04);
}

TEST_CASE("16550A: a burst of any length is taken in one interrupt, each byte with an edge of its own") {
  Uart u;
  u.open(0x05);
  std::string burst(3000, 'a');
  burst.back() = 'z';
  const int before = u.irq.rises;
  CHECK(u.send(burst) == burst.size());
  CHECK(u.irq.rises == before + 1);
  std::string nothing;
  CHECK(service(u, nothing) == burst);
  CHECK_FALSE(u.irq.level);
  CHECK(u.irq.rises == before + 3000);
}

TEST_CASE("16550A: a handler that leaves early is called again by an edge") {
  Uart u;
  u.open(0x01);
  u.send(std::string(100, 'a'));
  for (int i = 0; i < 100; ++i) {
    const int before = u.irq.rises;
    u.read(0);
    CHECK(u.irq.rises == before + (i < 99 ? 1 : 0));
  }
}

TEST_CASE("16550A: the THRE interrupt is a latch") {
  Uart u;
  u.open(0x00);
  u.write(1, 0x02);  // enabling it while the transmitter is empty interrupts
  CHECK(u.irq.level);
  CHECK(u.read(2) == 0xc2);
  CHECK_FALSE(u.irq.level);
  CHECK(u.read(2) == 0xc1);  // reading cleared it
  u.write(0, 'x');
  CHECK(u.irq.level);  // sent at once: empty again
  CHECK(u.read(2) == 0xc2);
  u.write(1, 0x02);  // no change, no interrupt
  CHECK(u.read(2) == 0xc1);
  u.write(1, 0x00);
  u.write(1, 0x02);
  CHECK(u.read(2) == 0xc2);
}

TEST_CASE("16550A: a higher source hides THRE and reading IIR then does not clear it") {
  Uart u;
  u.open(0x03, 0);
  u.send("x");
  CHECK(u.read(2) == 0xc4);
  CHECK(u.read(2) == 0xc4);
  u.read(0);
  CHECK(u.read(2) == 0xc2);
}

TEST_CASE("16550A: a full transmit queue keeps the transmitter waiting and loses nothing") {
  Uart u;
  u.open(0x00);
  std::string sent;
  while ((u.read(5) & 0x20) != 0) {
    const auto byte = static_cast<unsigned char>(sent.size() * 7);
    u.write(0, byte);
    sent.push_back(static_cast<char>(byte));
  }
  CHECK(sent.size() == Uart16550a::kQueueBytes + 1);
  CHECK((u.read(5) & 0x60) == 0x00);
  for (int i = 0; i < 15; ++i) {
    u.write(0, static_cast<unsigned>(i));
    sent.push_back(static_cast<char>(i));
  }
  u.write(0, 'L');  // the FIFO is full: the guest was told
  u.write(1, 0x02);
  CHECK_FALSE(u.irq.level);
  std::string got = u.receive(10);
  CHECK((u.read(5) & 0x60) == 0x00);
  CHECK_FALSE(u.irq.level);
  got += u.receive(10);
  CHECK((u.read(5) & 0x60) == 0x60);
  CHECK(u.irq.level);
  CHECK(u.read(2) == 0xc2);
  CHECK(got + u.receive() == sent);
  CHECK(u.uart.bytes_from_guest() == sent.size());
}

TEST_CASE("16550A: Linux's handler sends 10,000 bytes against a slow host without losing an interrupt") {
  Uart u;
  u.open(0x05);
  std::string text(200'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 3);
  std::string rest = text, got;
  u.write(1, 0x07);
  int last_rises = -1;
  for (int frame = 0; frame < 100 && got.size() < text.size(); ++frame) {
    if (u.irq.rises != last_rises) {
      last_rises = u.irq.rises;
      service(u, rest);
    }
    got += u.receive(5000);
  }
  CHECK(got == text);
}

TEST_CASE("16550A: a full receive queue accepts no more, and writable tells when all is taken") {
  Uart u;
  u.open(0x01);
  CHECK(u.uart.writable() == Uart16550a::kQueueBytes);
  CHECK(u.send(std::string(100'000, 'x')) == Uart16550a::kQueueBytes);
  CHECK(u.uart.writable() == 0);
  CHECK(u.send("y") == 0);
  for (std::size_t i = 0; i + 1 < Uart16550a::kQueueBytes; ++i) u.read(0);
  CHECK(u.uart.writable() == Uart16550a::kQueueBytes - 1);
  u.read(0);
  CHECK(u.uart.writable() == Uart16550a::kQueueBytes);
  CHECK((u.read(5) & 0x03) == 0);
}

TEST_CASE("16550A: FCR clears the FIFOs, only with its enable bit, and a mode change clears both") {
  Uart u;
  u.send("abc");
  u.write(2, 0x02);
  CHECK((u.read(5) & 1) == 1);
  u.write(2, 0x01);
  CHECK((u.read(5) & 1) == 0);
  u.send("abc");
  u.write(2, 0x81);
  CHECK((u.read(5) & 1) == 1);
  u.write(2, 0x83);
  CHECK((u.read(5) & 1) == 0);
  u.send("abc");
  u.write(2, 0x00);
  CHECK((u.read(5) & 1) == 0);
  CHECK(u.read(2) == 0x01);
}

TEST_CASE("16550A: loopback moves bytes and modem lines inside, and keeps the wire's bytes waiting") {
  Uart u;
  u.write(2, 0x01);
  u.write(4, 0x10);
  CHECK(u.read(6) == 0x0b);  // CTS, DSR and DCD fell
  CHECK(u.read(6) == 0x00);
  u.write(4, 0x11);
  CHECK(u.read(6) == 0x22);
  u.write(4, 0x12);
  CHECK(u.read(6) == 0x13);
  u.write(4, 0x14);
  CHECK(u.read(6) == 0x41);
  u.write(4, 0x18);
  CHECK(u.read(6) == 0x8c);  // RI ended, DCD rose
  u.send("w");
  u.write(0, 'L');
  CHECK(u.read(5) == 0x61);
  CHECK(u.read(0) == 'L');
  CHECK(u.read(5) == 0x60);
  u.write(4, 0x08);
  CHECK(u.read(0) == 'w');
  CHECK(u.receive().empty());
}

TEST_CASE("16550A: modem status interrupt") {
  Uart u;
  u.open(0x08);
  CHECK(u.read(2) == 0xc1);
  u.write(4, 0x18);
  CHECK(u.read(2) == 0xc0);
  CHECK_FALSE(u.irq.level);  // OUT2 is inactive in loopback
  u.write(4, 0x08);
  CHECK(u.irq.level);
  CHECK((u.read(6) & 0x0f) != 0);
  CHECK_FALSE(u.irq.level);
}

TEST_CASE("16550A: overrun and break in loopback are line status") {
  Uart u;
  u.write(2, 0x01);
  u.write(4, 0x10);
  u.write(1, 0x04);
  for (unsigned i = 0; i < 17; ++i) u.write(0, i);
  CHECK(u.read(2) == 0xc6);
  CHECK(u.read(5) == 0x63);
  CHECK(u.read(5) == 0x61);
  CHECK(u.read(2) == 0xc1);
  for (unsigned i = 0; i < 15; ++i) CHECK(u.read(0) == i);
  u.write(3, 0x40);
  CHECK((u.read(5) & 0x98) == 0x80);  // the break is not at the top yet
  CHECK(u.read(0) == 15);
  CHECK((u.read(5) & 0x98) == 0x98);
  CHECK((u.read(5) & 0x98) == 0x00);
  CHECK(u.read(0) == 0);
  u.write(2, 0x00);  // character mode: the newer byte replaces the older
  u.write(3, 0x00);
  u.write(0, 'a');
  u.write(0, 'b');
  CHECK(u.read(5) == 0x63);
  CHECK(u.read(0) == 'b');
}

TEST_CASE("16550A: reset keeps for the host what the guest has sent") {
  Uart u;
  u.open(0x03);
  u.write(0, 'x');
  u.send("y");
  u.uart.reset();
  CHECK_FALSE(u.irq.level);
  CHECK(u.read(5) == 0x60);
  CHECK(u.receive() == "x");
}

TEST_CASE("TL16C750: Linux 6.1 finds a 16750") {
  Uart u{UartModel::tl16c750};
  u.write(3, 0xbf);
  CHECK(u.read(2) != 0);  // no enhanced feature register
  u.write(2, 0);
  u.write(3, 0);
  u.write(2, 0x21);
  CHECK((u.read(2) >> 5) == 6);  // protected: the divisor latch is not accessible
  u.write(2, 0x01);
  u.write(3, 0x80);
  u.write(2, 0x21);
  CHECK((u.read(2) >> 5) == 7);
  u.write(3, 0);
  u.write(2, 0x01);  // protected too
  CHECK((u.read(2) >> 5) == 7);
  u.write(3, 0x80);
  u.write(2, 0x01);
  CHECK((u.read(2) >> 5) == 6);
  u.write(2, 0x21);
  u.write(2, 0x00);
  CHECK((u.read(2) >> 5) == 0);
  u.write(2, 0x01);
  CHECK((u.read(2) >> 5) == 6);
}

TEST_CASE("TL16C750: register widths: sleep, low power and flow control are stored") {
  Uart u{UartModel::tl16c750};
  u.write(1, 0xff);
  CHECK(u.read(1) == 0x3f);
  u.write(4, 0xef);
  CHECK(u.read(4) == 0x2f);
}

TEST_CASE("TL16C750: trigger levels of the large FIFO, of which a block read takes that many bytes") {
  for (unsigned code = 0; code < 4; ++code) {
    constexpr std::size_t kLevels[] = {1, 16, 32, 56};
    LargeUart u{0x01, code};
    u.send(std::string(kLevels[code] - 1, 'a'));
    if (code != 0) CHECK(u.read(2) == 0xec);
    u.send("bcd");
    CHECK(u.read(2) == 0xe4);
    std::vector<std::byte> piece(kLevels[code]);
    u.uart.io_read_block(0, 1, piece);
    CHECK(piece.back() == std::byte{'b'});
    CHECK(u.read(2) == (code == 0 ? 0xe4 : 0xec));
    CHECK(u.read(0) == 'c');
    CHECK(u.read(0) == 'd');
    CHECK(u.read(2) == 0xe1);
    CHECK_FALSE(u.irq.level);
  }
}

TEST_CASE("TL16C750: 64 bytes fit in the transmitter that waits for the host, and 16 after a change of mode") {
  LargeUart u{0x00};
  for (std::size_t i = 0; i < Uart16550a::kQueueBytes; ++i) u.write(0, 'x');
  for (unsigned i = 0; i < 64; ++i) u.write(0, i);
  u.write(0, 'L');
  CHECK((u.read(5) & 0x60) == 0);
  std::string got = u.receive(Uart16550a::kQueueBytes);
  got += u.receive();
  CHECK(got.size() == Uart16550a::kQueueBytes + 64);
  CHECK(got.back() == 63);
  u.send(std::string(40, 'r'));
  u.write(3, 0x80);
  u.write(2, 0x81);  // a change of mode clears
  u.write(3, 0x03);
  CHECK((u.read(5) & 0x01) == 0);
  u.write(1, 0x01);
  u.send(std::string(8, 'r'));
  CHECK(u.read(2) == 0xc4);  // 8 bytes, not 32
}

TEST_CASE("TL16C750: with automatic flow control the wire stands still while RTS is off, and nothing is lost") {
  LargeUart u{0x01, 2, 0x2b};
  CHECK(u.uart.flow_controlled());
  std::string sent(1000, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7);
  CHECK(u.send(sent) == sent.size());
  std::string got, nothing;
  for (int i = 0; i < 100; ++i) got.push_back(static_cast<char>(u.read(0)));
  u.write(4, 0x29);  // RTS off: what is in the FIFO is still to be had
  CHECK(u.uart.flow_controlled());
  got += service(u, nothing);
  CHECK(got.size() == 164);
  CHECK_FALSE(u.irq.level);
  u.write(4, 0x2b);
  CHECK(u.irq.level);
  got += service(u, nothing);
  CHECK(got == sent);
}

TEST_CASE("TL16C750: without automatic flow control RTS says nothing") {
  LargeUart u{0x01, 2, 0x09};
  CHECK_FALSE(u.uart.flow_controlled());
  u.send(std::string(1000, 'x'));
  std::string nothing;
  CHECK(service(u, nothing).size() == 1000);
}

TEST_CASE("TL16C750: with automatic flow control a change of CTS does not interrupt") {
  LargeUart u{0x08, 2, 0x0b};
  u.read(6);
  for (const unsigned flow : {0x00u, 0x20u}) {
    u.write(4, 0x1d | flow);  // loopback: DTR, OUT1 and OUT2 as before, RTS off
    u.read(6);
    u.write(4, 0x1f | flow);
    CHECK(u.read(2) == (flow == 0 ? 0xe0 : 0xe1));
    CHECK(u.read(6) == 0xf1);
    u.write(4, 0x0b | flow);
    u.read(6);
  }
}

TEST_CASE("TL16C750: errors in a FIFO that has gone round are told with their byte") {
  LargeUart u{0x00};
  u.send(std::string(50, 'x'));
  for (int i = 0; i < 50; ++i) u.read(0);
  u.write(4, 0x10);  // loopback
  for (unsigned i = 0; i < 20; ++i) u.write(0, i);
  u.write(3, 0x43);  // a break behind them
  u.write(3, 0x03);
  u.write(0, 'z');
  for (unsigned i = 0; i < 20; ++i) {
    CHECK((u.read(5) & 0x98) == 0x80);
    CHECK(u.read(0) == i);
  }
  CHECK((u.read(5) & 0x98) == 0x98);
  CHECK((u.read(5) & 0x98) == 0x00);
  CHECK(u.read(0) == 0);
  CHECK((u.read(5) & 0x81) == 0x01);
  CHECK(u.read(0) == 'z');
}
