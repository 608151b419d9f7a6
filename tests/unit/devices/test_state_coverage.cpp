#include <doctest/doctest.h>

#include "devices/clipboard_port.hpp"
#include "devices/i8042.hpp"
#include "devices/i8254.hpp"
#include "devices/i8259a.hpp"
#include "devices/mc146818.hpp"
#include "devices/post_port.hpp"
#include "devices/uart16550a.hpp"
#include "unit/devices/pins.hpp"
#include "unit/devices/state_coverage.hpp"
#include "unit/time/fake_time.hpp"
#include "wire/frame_pacer.hpp"

using namespace tuxarium;
using namespace tuxarium::devices;
using test::unvisited_bytes;
using None = std::vector<std::size_t>;

TEST_CASE("visit_state names every field of every chip") {
  test::FakeClock t;
  test::ResetProbe reset;
  I8259aPair pic;
  CHECK(unvisited_bytes(pic, pic.master().state()) == None{});
  CHECK(unvisited_bytes(pic, pic.slave().state()) == None{});
  I8254 pit{{}, t.clock, 1'193'182};
  CHECK(unvisited_bytes(pit, pit.state()) == None{});
  for (unsigned channel = 0; channel < 3; ++channel) CHECK(unvisited_bytes(pit, pit.counter(channel).state()) == None{});
  SystemControlPort control{pit, t.clock};
  CHECK(unvisited_bytes(control, control.state()) == None{});
  Mc146818 rtc{{}, t.clock, {}};
  CHECK(unvisited_bytes(rtc, rtc.state()) == None{});
  I8042 keyboard{{}, reset};
  CHECK(unvisited_bytes(keyboard, keyboard.state()) == None{});
  Uart16550a uart{bus::IrqLine{}};
  wire::PacedSerialPort paced{uart, t.clock, time::EventSlot::serial1_framing};
  CHECK(unvisited_bytes(paced, paced.state()) == None{});
  CHECK(unvisited_bytes(uart, uart.state()) == None{});
  PostPort post;
  CHECK(unvisited_bytes(post, post.state()) == None{});
}

TEST_CASE("visit_state covers the UART's queues and the clipboard's text") {
  Uart16550a uart{bus::IrqLine{}};
  const std::uint64_t empty = test::state_digest(uart);
  uart.io_write(0, 1, 'x');
  const std::uint64_t one = test::state_digest(uart);
  uart.io_write(0, 1, 'x');
  CHECK(one != empty);
  CHECK(test::state_digest(uart) != one);

  test::FakeClock t;
  ClipboardBuffer text;
  ClipboardPort port{text, t.clock, 100};
  const std::uint64_t start = test::state_digest(port);
  port.io_write(8, 1, 'a');
  const std::uint64_t a = test::state_digest(port);
  port.io_write(4, 4, 7);
  CHECK(a != start);
  CHECK(test::state_digest(port) != a);
  port.reset();
  CHECK(test::state_digest(port) == start);
}
