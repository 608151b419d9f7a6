#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "bus/irq_line.hpp"
#include "bus/port_bus.hpp"

using namespace tuxarium::bus;

namespace {

/// Answers with its tag and the offset; writes down what it is asked.
class Probe final : public PortDevice {
 public:
  explicit Probe(std::uint32_t tag = 0) : tag_{tag} {}
  std::uint32_t io_read(std::uint16_t offset, unsigned width) override {
    log += "r" + std::to_string(width) + "@" + std::to_string(offset) + " ";
    return tag_ + offset;
  }
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override {
    log += "w" + std::to_string(width) + "@" + std::to_string(offset) + "=" + std::to_string(value) + " ";
  }
  std::string log;

 private:
  std::uint32_t tag_;
};

struct Seen {
  std::uint16_t port;
  unsigned width;
  bool write;
  std::uint32_t value;
  bool operator==(const Seen&) const = default;
};

}  // namespace

TEST_CASE("an unclaimed port reads as ones in every width and ignores writes") {
  PortBus bus;
  CHECK(bus.read(0x123, 1) == 0xff);
  CHECK(bus.read(0x123, 2) == 0xffff);
  CHECK(bus.read(0x123, 4) == 0xffffffff);
  CHECK(bus.read(0xffff, 4) == 0xffffffff);
  bus.write(0x123, 4, 1);
}

TEST_CASE("a device sees offsets from its range") {
  PortBus bus;
  Probe probe{0x40};
  CHECK(bus.map({.first = 0xa0, .count = 2, .max_width = 1, .offset = 2}, probe));
  CHECK(bus.read(0xa1, 1) == 0x43);
  bus.write(0xa0, 1, 0x1ff);
  CHECK(probe.log == "r1@3 w1@2=255 ");
}

TEST_CASE("wide accesses are split into bytes across devices, low byte first") {
  PortBus bus;
  Probe narrow{0x10}, wide{0x80};
  CHECK(bus.map({.first = 0x100, .count = 2, .max_width = 1, .offset = 0}, narrow));
  CHECK(bus.map({.first = 0x102, .count = 2, .max_width = 4, .offset = 0}, wide));
  CHECK(bus.read(0x100, 4) == 0x81801110);
  bus.write(0x101, 2, 0xbbaa);
  CHECK(narrow.log == "r1@0 r1@1 w1@1=170 ");
  CHECK(wide.log == "r1@0 r1@1 w1@0=187 ");
  wide.log.clear();
  CHECK(bus.read(0x102, 4) == 0x80);
  CHECK(wide.log == "r4@0 ");
}

TEST_CASE("an overlap, an empty range and one beyond the last port are refused and change nothing") {
  PortBus bus;
  Probe a{1}, b{2};
  CHECK(bus.map({.first = 0x100, .count = 8, .max_width = 1, .offset = 0}, a));
  CHECK_FALSE(bus.map({.first = 0x107, .count = 2, .max_width = 1, .offset = 0}, b));
  CHECK_FALSE(bus.map({.first = 0x200, .count = 0, .max_width = 1, .offset = 0}, b));
  CHECK_FALSE(bus.map({.first = 0xffff, .count = 2, .max_width = 1, .offset = 0}, b));
  CHECK(bus.read(0x108, 1) == 0xff);
  CHECK(bus.map({.first = 0xffff, .count = 1, .max_width = 1, .offset = 0}, b));
  CHECK(bus.read(0xffff, 1) == 2);
  CHECK(bus.read(0xffff, 2) == 0xff02);  // the next port is 0
}

TEST_CASE("a watch sees reads and writes in its range only") {
  PortBus bus;
  Probe probe{0x30};
  CHECK(bus.map({.first = 0x100, .count = 4, .max_width = 2, .offset = 0}, probe));
  std::vector<Seen> seen;
  bus.set_watch(0x101, 0x102, [&](std::uint16_t port, unsigned width, bool write, std::uint32_t value) {
    seen.push_back({port, width, write, value});
  });
  bus.read(0x100, 1);
  bus.read(0x101, 1);
  bus.write(0x102, 2, 0x12345);
  bus.write(0x103, 1, 0);
  CHECK(seen == std::vector<Seen>{{0x101, 1, false, 0x31}, {0x102, 2, true, 0x2345}});
  std::array<std::byte, 4> data{};
  bus.read_block(0x102, 2, data);
  CHECK(seen.size() == 4);
  bus.set_watch(0, 0, {});
  bus.read(0x101, 1);
  CHECK(seen.size() == 4);
}

TEST_CASE("blocks are single accesses in order, also to nobody and in a width that must be split") {
  PortBus bus;
  Probe probe{0x1234};
  CHECK(bus.map({.first = 0x1f0, .count = 1, .max_width = 2, .offset = 0}, probe));
  std::array<std::byte, 5> data{};
  bus.read_block(0x1f0, 2, data);  // the odd byte is left alone
  CHECK(data[0] == std::byte{0x34});
  CHECK(data[3] == std::byte{0x12});
  CHECK(data[4] == std::byte{0});
  const std::array<std::byte, 4> out{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  bus.write_block(0x1f0, 2, out);
  CHECK(probe.log == "r2@0 r2@0 w2@0=513 w2@0=1027 ");
  bus.read_block(0x300, 4, data);
  CHECK(data[3] == std::byte{0xff});
  probe.log.clear();
  bus.write_block(0x1f0, 4, out);
  CHECK(probe.log == "w1@0=1 ");
}

TEST_CASE("an unconnected interrupt line does nothing, a connected one tells its input") {
  struct Sink final : IrqSink {
    void set_irq(unsigned number, bool high) override { input = number, level = high; }
    unsigned input = 0;
    bool level = false;
  } sink;
  IrqLine{}.set(true);
  IrqLine line{sink, 5};
  line.set(true);
  CHECK(sink.input == 5);
  CHECK(sink.level);
}
