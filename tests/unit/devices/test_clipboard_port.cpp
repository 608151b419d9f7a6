#include <doctest/doctest.h>

#include <string>

#include "devices/clipboard_port.hpp"
#include "devices/post_port.hpp"
#include "unit/time/fake_time.hpp"

using namespace tuxarium;
using devices::ClipboardPort;

namespace {

struct Clip {
  explicit Clip(std::size_t limit = 1000) : port{text, t.clock, limit, [this](LogLevel, std::string_view) { ++logged; }} {}
  unsigned read(std::uint16_t offset, unsigned width = 4) { return port.io_read(offset, width); }
  void write(std::uint16_t offset, unsigned value, unsigned width = 4) { port.io_write(offset, width, value); }

  test::FakeClock t;
  ClipboardBuffer text;
  int logged = 0;
  ClipboardPort port;
};

}  // namespace

TEST_CASE("clipboard: the guest reads the host's text in words and bytes, zeros past the end") {
  Clip c;
  c.text.set_text("Hällo!");
  CHECK(c.read(0) == 7);
  c.write(4, 0);
  CHECK(c.read(8) == 0x6ca4c348);
  CHECK(c.read(4) == 4);
  CHECK(c.read(8, 1) == 'l');
  CHECK(c.read(8) == 0x0000216f);
  CHECK(c.read(8) == 0);
  CHECK(c.read(4) == 13);
}

TEST_CASE("clipboard: the guest's text replaces the host's when it is handed over, byte for byte") {
  Clip c;
  c.text.set_text("old");
  c.write(0, 0);
  c.write(8, 0xac82e2);
  c.write(0, 3);
  c.write(8, '!', 1);
  c.write(8, 0x3231, 2);
  CHECK(c.text.text() == "old");
  c.write(12, 0);
  CHECK(c.text.text() == "€!12");
  CHECK(c.text.guest_writes() == 1);
}

TEST_CASE("clipboard: what the guest reads is the snapshot of its last look at the length") {
  Clip c;
  c.text.set_text("abcd");
  c.read(0);
  c.text.set_text("xyz");
  CHECK(c.read(8) == 0x64636261);
  CHECK(c.read(0) == 3);
}

TEST_CASE("clipboard: any position is survived and wraps") {
  Clip c;
  c.text.set_text("abcd");
  c.read(0);
  for (unsigned position : {5u, 0x7fffffffu, 0x80000000u, 0xfffffffdu, 0xffffffffu}) {
    c.write(4, position);
    CHECK(c.read(8) == 0);
    CHECK(c.read(4) == position + 4);
  }
}

TEST_CASE("clipboard: the limit drops the rest, logs once a text, and a huge length makes nothing longer") {
  Clip c{6};
  c.write(0, 0xffffffff);
  CHECK(c.port.state().text.empty());
  for (int i = 0; i < 5; ++i) c.write(8, 0x64636261);
  c.write(12, 0);
  CHECK(c.text.text() == "abcdab");
  CHECK(c.logged == 1);
  c.write(0, 0);
  for (int i = 0; i < 5; ++i) c.write(8, 0x64636261);
  CHECK(c.logged == 2);
  c.text.set_text("0123456789");
  CHECK(c.read(0) == 6);
}

TEST_CASE("clipboard: other widths and offsets read as ones and do nothing") {
  Clip c;
  c.text.set_text("abc");
  for (std::uint16_t offset = 0; offset < 16; ++offset) {
    if (offset != 8) CHECK(c.read(offset, 1) == 0xff);
    if (offset != 8) CHECK(c.read(offset, 2) == 0xffff);
    if (offset % 4 != 0) CHECK(c.read(offset, 4) == 0xffffffff);
    c.write(offset == 8 ? 9 : offset, 0, 1);
  }
  CHECK(c.text.text() == "abc");
}

TEST_CASE("clipboard: boot time in milliseconds, reset") {
  Clip c;
  c.t.base.value = 1'234'567'890;
  CHECK(c.read(12) == 1234);
  c.write(8, 'x', 1);
  c.port.reset();
  CHECK(c.read(4) == 0);
  CHECK(c.port.state().text.empty());
}

TEST_CASE("the diagnostic port gives its last byte back") {
  devices::PostPort post;
  CHECK(post.io_read(0, 1) == 0);
  post.io_write(0, 1, 0xa5);
  CHECK(post.io_read(0, 1) == 0xa5);
  post.reset();
  CHECK(post.io_read(0, 1) == 0);
}
