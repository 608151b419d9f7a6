// Against the Intel 8259A data sheet.
#include <doctest/doctest.h>

#include "unit/devices/pins.hpp"

using tuxarium::devices::I8259aPair;
using tuxarium::test::IntrProbe;

namespace {

struct Pics {
  /// Base vectors 0x20 and 0x28, as Linux programs them, unless `icw1`/`icw4` say otherwise.
  explicit Pics(unsigned icw1 = 0x11, unsigned icw4 = 0x01) {
    for (std::uint16_t chip = 0; chip < 4; chip = static_cast<std::uint16_t>(chip + 2)) {
      write(chip, icw1);
      write(chip + 1, chip == 0 ? 0x20 : 0x28);
      if ((icw1 & 2) == 0) write(chip + 1, chip == 0 ? 0x04 : 0x02);
      if ((icw1 & 1) != 0) write(chip + 1, icw4);
    }
  }
  void write(int offset, unsigned value) { pair.io_write(static_cast<std::uint16_t>(offset), 1, value); }
  unsigned read(int offset) { return pair.io_read(static_cast<std::uint16_t>(offset), 1); }
  unsigned irr(int chip = 0) {
    write(chip, 0x0a);
    return read(chip);
  }
  unsigned isr(int chip = 0) {
    write(chip, 0x0b);
    return read(chip);
  }
  void raise(unsigned input) { pair.set_irq(input, true); }
  void lower(unsigned input) { pair.set_irq(input, false); }
  void pulse(unsigned input) {
    lower(input);
    raise(input);
  }

  IntrProbe pin;
  I8259aPair pair{pin};
};

}  // namespace

TEST_CASE("8259A: nothing is requested before the initialization sequence is complete") {
  IntrProbe pin;
  I8259aPair pair{pin};
  pair.set_irq(0, true);
  CHECK_FALSE(pair.intr());
  pair.io_write(0, 1, 0x11);
  pair.io_write(1, 1, 0x20);
  pair.io_write(1, 1, 0x04);
  pair.set_irq(1, true);
  CHECK_FALSE(pair.intr());
  pair.io_write(1, 1, 0x01);
  CHECK(pin.level);
  CHECK(pair.acknowledge() == 0x21);  // input 0 rose before ICW1: it needs a new edge
}

TEST_CASE("8259A: an edge requests once, the mask holds it back") {
  Pics p;
  p.write(1, 0xff);
  CHECK(p.read(1) == 0xff);
  p.raise(4);
  CHECK_FALSE(p.pair.intr());
  CHECK(p.irr() == 0x10);
  CHECK(p.pair.irq_pending(4));
  CHECK_FALSE(p.pair.irq_waiting(4));
  p.write(1, 0xef);
  CHECK(p.pin.level);
  CHECK(p.pair.acknowledge() == 0x24);
  CHECK_FALSE(p.pin.level);
  CHECK(p.isr() == 0x10);
  CHECK(p.irr() == 0);
  p.write(0, 0x64);
  CHECK(p.isr() == 0);
  CHECK_FALSE(p.pair.intr());  // the input is still high
  p.pulse(4);
  CHECK(p.pair.intr());
}

TEST_CASE("8259A: the lowest number is the highest priority, and only a higher one interrupts a service") {
  Pics p;
  p.raise(5);
  p.raise(3);
  CHECK(p.pair.acknowledge() == 0x23);
  CHECK_FALSE(p.pair.intr());
  p.raise(0);
  CHECK(p.pair.intr());
  CHECK(p.pair.acknowledge() == 0x20);
  CHECK(p.isr() == 0x09);
  p.write(0, 0x20);
  CHECK(p.isr() == 0x08);  // non-specific: the highest in service
  p.write(0, 0x20);
  CHECK(p.pair.acknowledge() == 0x25);
}

TEST_CASE("8259A: a request that goes away before INTA is answered with the default IR7 and not put in service") {
  Pics p;
  p.raise(4);
  p.lower(4);
  CHECK_FALSE(p.pair.intr());
  CHECK(p.pair.acknowledge() == 0x27);
  CHECK(p.isr() == 0);
}

TEST_CASE("8259A: the slave's requests come through IR2 and its default is vector 15") {
  Pics p;
  p.raise(14);
  CHECK(p.pair.intr());
  CHECK(p.irr() == 0x04);
  CHECK(p.pair.irq_pending(14));
  CHECK(p.pair.irq_waiting(14));
  p.write(1, 0x04);
  CHECK_FALSE(p.pair.irq_waiting(14));
  p.write(1, 0x00);
  CHECK(p.pair.acknowledge() == 0x2e);
  CHECK(p.isr() == 0x04);
  CHECK(p.isr(2) == 0x40);
  p.raise(8);  // the slave asks again, the master has IR2 in service
  CHECK_FALSE(p.pair.intr());
  p.write(2, 0x66);
  p.write(0, 0x62);
  CHECK(p.pair.intr());
  CHECK(p.pair.acknowledge() == 0x28);
  p.write(2, 0x20);
  p.write(0, 0x20);
  p.raise(2);  // taken by the cascade on this board
  CHECK_FALSE(p.pair.intr());
}

TEST_CASE("8259A: two slave requests are two interrupts") {
  Pics p;
  p.raise(15);
  p.raise(14);
  CHECK(p.pair.acknowledge() == 0x2e);
  p.write(2, 0x20);
  p.write(0, 0x20);
  CHECK(p.pair.acknowledge() == 0x2f);
  p.write(2, 0x20);
  p.write(0, 0x20);
  CHECK_FALSE(p.pair.intr());
}

TEST_CASE("8259A: a slave with another identity leaves the bus floating") {
  Pics p;
  p.write(2, 0x11);
  p.write(3, 0x28);
  p.write(3, 0x05);
  p.write(3, 0x01);
  p.raise(9);
  CHECK(p.pair.acknowledge() == 0xff);
}

TEST_CASE("8259A: special fully nested mode lets a higher request of the same slave through") {
  Pics p{0x11, 0x11};
  p.raise(14);
  CHECK(p.pair.acknowledge() == 0x2e);
  p.raise(9);
  CHECK(p.pair.intr());
  CHECK(p.pair.acknowledge() == 0x29);
  p.raise(5);
  CHECK_FALSE(p.pair.intr());  // lower than the slave's input
}

TEST_CASE("8259A: level triggering asks again as long as the line is high") {
  Pics p{0x19};
  p.raise(5);
  CHECK(p.pair.acknowledge() == 0x25);
  CHECK(p.irr() == 0x20);
  p.write(0, 0x20);
  CHECK(p.pair.intr());
  p.lower(5);
  CHECK_FALSE(p.pair.intr());
}

TEST_CASE("8259A: automatic end of interrupt leaves nothing in service") {
  Pics p{0x11, 0x03};
  p.raise(1);
  p.raise(12);
  CHECK(p.pair.acknowledge() == 0x21);
  CHECK(p.isr() == 0);
  CHECK(p.pair.acknowledge() == 0x2c);
  CHECK(p.isr(2) == 0);
  CHECK_FALSE(p.pair.intr());
}

TEST_CASE("8259A: rotation makes the level just served the lowest") {
  Pics p;
  p.raise(0);
  p.raise(1);
  CHECK(p.pair.acknowledge() == 0x20);
  p.write(0, 0xa0);  // rotate on non-specific EOI
  p.pulse(0);
  CHECK(p.pair.acknowledge() == 0x21);
  p.write(0, 0xe1);  // rotate on specific EOI
  p.write(0, 0xc4);  // set priority: 4 lowest, 5 highest
  p.raise(5);
  p.raise(4);
  CHECK(p.pair.acknowledge() == 0x25);
  p.write(0, 0x20);
  CHECK(p.pair.acknowledge() == 0x20);
}

TEST_CASE("8259A: rotation in automatic EOI mode can be set and cleared") {
  Pics p{0x11, 0x03};
  p.write(0, 0x80);
  p.raise(3);
  CHECK(p.pair.acknowledge() == 0x23);
  p.pulse(3);
  p.raise(7);
  CHECK(p.pair.acknowledge() == 0x27);
  p.write(0, 0x00);
  CHECK(p.pair.acknowledge() == 0x23);
  p.pulse(3);
  p.pulse(0);
  CHECK(p.pair.acknowledge() == 0x20);
}

TEST_CASE("8259A: special mask mode lets lower levels through a masked service") {
  Pics p;
  p.raise(1);
  CHECK(p.pair.acknowledge() == 0x21);
  p.raise(6);
  CHECK_FALSE(p.pair.intr());
  p.write(1, 0x02);
  CHECK_FALSE(p.pair.intr());
  p.write(0, 0x68);
  CHECK(p.pair.intr());
  CHECK(p.pair.acknowledge() == 0x26);
  p.write(0, 0x20);
  CHECK(p.isr() == 0x02);  // the masked level is passed over
  p.write(0, 0x48);
  p.raise(7);
  CHECK_FALSE(p.pair.intr());
}

TEST_CASE("8259A: a poll is an acknowledge without INTA") {
  Pics p;
  p.write(0, 0x0c);
  CHECK(p.read(0) == 0);
  p.raise(6);
  p.write(0, 0x0c);
  CHECK(p.read(0) == 0x86);
  CHECK(p.isr() == 0x40);
  CHECK_FALSE(p.pin.level);
}

TEST_CASE("8259A: OCW3 chooses the register until told otherwise, ICW1 goes back to IRR and clears the mask") {
  Pics p;
  p.raise(3);
  p.pair.acknowledge();
  p.write(0, 0x0b);
  p.write(0, 0x08);
  CHECK(p.read(0) == 0x08);
  p.write(1, 0x55);
  p.write(0, 0x13);
  CHECK(p.read(1) == 0);
  CHECK(p.read(0) == 0);
}

TEST_CASE("8259A: without ICW4 the chip is in MCS-80 mode and has no automatic EOI") {
  Pics p{0x16, 0};  // single, interval 4
  p.raise(3);
  CHECK(p.pair.acknowledge() == (0x00 | 3 << 2));
  CHECK(p.isr() == 0x08);
}

TEST_CASE("8259A: the pin is told of changes only, and reset lowers it") {
  Pics p;
  p.pin.changes = 0;
  p.raise(1);
  p.raise(2);
  p.raise(3);
  CHECK(p.pin.changes == 1);
  p.pair.reset();
  CHECK(p.pin.changes == 2);
  CHECK_FALSE(p.pair.intr());
}
