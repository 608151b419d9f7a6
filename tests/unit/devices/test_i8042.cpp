// Against the IBM PC/AT Technical Reference, "Keyboard controller".
#include <doctest/doctest.h>

#include "unit/devices/pins.hpp"

using tuxarium::devices::I8042;

namespace {

struct Keyboard {
  void command(unsigned value) { chip.io_write(4, 1, value); }
  void data(unsigned value) { chip.io_write(0, 1, value); }
  unsigned status() { return chip.io_read(4, 1); }
  unsigned read() { return chip.io_read(0, 1); }
  unsigned ask(unsigned value) {
    command(value);
    CHECK((status() & 0x21) == 0x01);
    return read();
  }

  tuxarium::test::IrqProbe irq;
  tuxarium::test::ResetProbe reset;
  I8042 chip{irq.line(), reset};
};

}  // namespace

TEST_CASE("8042: self tests and the system flag") {
  Keyboard k;
  CHECK(k.status() == 0x10);
  CHECK(k.ask(0xaa) == 0x55);
  CHECK(k.status() == 0x1c);
  CHECK(k.ask(0xab) == 0x00);
  CHECK(k.ask(0xa9) != 0x00);
  CHECK(k.ask(0xc0) == 0x80);
  CHECK(k.ask(0xe0) == 0x00);
  CHECK(k.ask(0xa4) == 0xf1);
}

TEST_CASE("8042: the command byte and the other RAM bytes can be read back") {
  Keyboard k;
  k.command(0x60);
  CHECK((k.status() & 0x08) == 0x08);
  k.data(0x65);
  CHECK((k.status() & 0x09) == 0x00);
  CHECK(k.ask(0x20) == 0x65);
  k.command(0x7f);
  k.data(0x99);
  CHECK(k.ask(0x3f) == 0x99);
  k.command(0xad);
  CHECK(k.ask(0x20) == 0x75);
  k.command(0xae);
  k.command(0xa8);
  CHECK(k.ask(0x20) == 0x45);
  k.command(0xa7);
  CHECK(k.ask(0x20) == 0x65);
}

TEST_CASE("8042: a byte for the absent keyboard times out") {
  Keyboard k;
  k.data(0xf2);
  CHECK((k.status() & 0x61) == 0x41);
  CHECK(k.read() == 0xfe);
  CHECK((k.status() & 0x61) == 0x00);
  CHECK_FALSE(k.irq.level);
  k.command(0xd4);
  k.data(0xff);
  CHECK((k.status() & 0x61) == 0x61);
  CHECK(k.read() == 0xfe);
}

TEST_CASE("8042: IRQ 1 follows the output buffer when the command byte allows it") {
  Keyboard k;
  k.command(0x60);
  k.data(0x01);
  k.command(0xd2);
  k.data(0x1c);
  CHECK(k.irq.level);
  CHECK(k.read() == 0x1c);
  CHECK_FALSE(k.irq.level);
  k.command(0xd3);  // the mouse's loopback answers on the keyboard's side: there is no mouse
  k.data(0x5a);
  CHECK((k.status() & 0x21) == 0x01);
}

TEST_CASE("8042: the output port has A20 and the reset line") {
  Keyboard k;
  CHECK(k.chip.a20());
  k.command(0xd1);
  k.data(0xdd);
  CHECK_FALSE(k.chip.a20());
  CHECK(k.ask(0xd0) == 0xcd);
  k.command(0xd1);
  k.data(0xdf);
  CHECK(k.chip.a20());
  CHECK(k.reset.requests == 0);
  k.command(0xd1);
  k.data(0xde);
  CHECK(k.reset.requests == 1);
}

TEST_CASE("8042: a pulse resets when it includes bit 0") {
  Keyboard k;
  for (unsigned value = 0xf0; value <= 0xff; ++value) k.command(value);
  CHECK(k.reset.requests == 8);
}

TEST_CASE("8042: the old kernel's reboot") {
  Keyboard k;
  for (int i = 0; i < 10; ++i) {
    CHECK((k.status() & 0x02) == 0);
    k.command(0x60);
    k.data(0x14);
    k.command(0xfe);
  }
  CHECK(k.reset.requests == 10);
  k.chip.reset();
  CHECK(k.status() == 0x10);
}
