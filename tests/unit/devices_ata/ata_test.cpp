#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/state_visitor.hpp"
#include "devices/ata_channel.hpp"

using namespace tuxarium;
using devices::AtaChannel;
using devices::DriveIdentity;
using Bytes = std::vector<std::byte>;

namespace {

enum : std::uint16_t { kData, kError, kCount, kLow, kMid, kHigh, kDevice, kStatus, kControl };
constexpr std::uint8_t kReady = 0x50, kDataReady = 0x58, kFailed = 0x51, kBusy = 0xd0;

class Disk final : public BlockDevice {
 public:
  explicit Disk(std::uint64_t sectors) : image(static_cast<std::size_t>(sectors * kSectorSize)) {
    std::uint32_t x = 1;
    for (std::byte& b : image) b = static_cast<std::byte>((x = x * 1664525u + 1013904223u) >> 24);
  }
  std::uint64_t sector_count() const override { return announced != 0 ? announced : image.size() / kSectorSize; }
  bool read_only() const override { return locked; }
  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override {
    if (const BlockStatus s = answer(first, out.size()); s != BlockStatus::done) return s;
    std::copy_n(image.begin() + offset(first), out.size(), out.begin());
    return BlockStatus::done;
  }
  BlockStatus write(std::uint64_t first, std::span<const std::byte> data) override {
    if (const BlockStatus s = answer(first, data.size()); s != BlockStatus::done) return s;
    std::copy(data.begin(), data.end(), image.begin() + offset(first));
    return BlockStatus::done;
  }
  BlockStatus flush() override {
    if (pending > 0) return --pending, BlockStatus::pending;
    ++flushes;
    return flush_fails ? BlockStatus::error : BlockStatus::done;
  }
  std::string last_error() const override { return "Bad sector."; }

  Bytes sectors(std::size_t first, std::size_t count) const {
    return {image.begin() + offset(first), image.begin() + offset(first + count)};
  }

  Bytes image;
  std::uint64_t announced = 0;
  std::set<std::uint64_t> bad;
  int pending = 0;  // so many requests are answered `pending`
  int flushes = 0;
  bool locked = false, flush_fails = false;

 private:
  static std::ptrdiff_t offset(std::uint64_t sector) { return static_cast<std::ptrdiff_t>(sector * kSectorSize); }
  BlockStatus answer(std::uint64_t first, std::size_t bytes) {
    if (pending > 0) return --pending, BlockStatus::pending;
    const auto hit = bad.lower_bound(first);
    return hit != bad.end() && *hit < first + bytes / kSectorSize ? BlockStatus::error : BlockStatus::done;
  }
};

struct Line final : bus::IrqSink {
  void set_irq(unsigned, bool now) override {
    rises += now && !level;
    level = now;
  }
  bool level = false;
  int rises = 0;
};

struct ManualTime final : time::TimeBase {
  time::Nanoseconds elapsed() override { return at; }
  time::Nanoseconds at = 0;
};

struct Rig {
  explicit Rig(std::uint64_t sectors0 = 4096, std::uint64_t sectors1 = 0, DriveIdentity identity = {}) {
    if (sectors0 != 0) disk0 = std::make_unique<Disk>(sectors0);
    if (sectors1 != 0) disk1 = std::make_unique<Disk>(sectors1);
    ata = std::make_unique<AtaChannel>(
        bus::IrqLine{line, 14}, clock, disk0.get(), disk1.get(), [this](LogLevel, std::string_view text) { log.emplace_back(text); },
        std::move(identity));
  }

  std::uint8_t in(std::uint16_t port) { return static_cast<std::uint8_t>(ata->io_read(port, 1)); }
  void out(std::uint16_t port, unsigned value) { ata->io_write(port, 1, value); }
  std::uint8_t status() { return in(kStatus); }

  void lba(std::uint32_t sector, unsigned count, unsigned drive = 0) {
    out(kDevice, 0xe0 | drive << 4 | sector >> 24);
    out(kCount, count);
    out(kLow, sector & 0xff);
    out(kMid, sector >> 8 & 0xff);
    out(kHigh, sector >> 16 & 0xff);
  }
  std::uint32_t lba_now() { return in(kLow) + 0x100u * in(kMid) + 0x10000u * in(kHigh) + 0x1000000u * (in(kDevice)&0x0fu); }
  void command(unsigned code) { out(kStatus, code); }
  void command(unsigned code, std::uint32_t sector, unsigned count) {
    lba(sector, count);
    command(code);
  }
  Bytes take(std::size_t bytes, unsigned width = 4) {
    Bytes data(bytes);
    ata->io_read_block(kData, width, data);
    return data;
  }
  void give(const Bytes& data, unsigned width = 4) { ata->io_write_block(kData, width, data); }
  std::array<std::uint16_t, 256> identify() {
    command(0xec);
    CHECK(status() == kDataReady);
    std::array<std::uint16_t, 256> words{};
    for (std::uint16_t& word : words) word = static_cast<std::uint16_t>(ata->io_read(kData, 2));
    CHECK(status() == kReady);
    return words;
  }
  /// Lets guest time pass and delivers the disk event; false when none was due.
  bool tick(time::Nanoseconds span = 1'000'000) {
    time_base.at += span;
    const auto due = clock.take_due();
    if (due != time::EventSlot::disk) return false;
    ata->on_event();
    return true;
  }
  std::uint64_t hash() {
    base::HashVisitor v;
    ata->visit_state(v);
    return v.digest();
  }

  std::unique_ptr<Disk> disk0, disk1;
  Line line;
  ManualTime time_base;
  time::GuestClock clock{time_base};
  std::vector<std::string> log;
  std::unique_ptr<AtaChannel> ata;
};

std::string text_of(const std::array<std::uint16_t, 256>& words, std::size_t first, std::size_t count) {
  std::string text;
  for (std::size_t i = first; i < first + count; ++i) {
    text += static_cast<char>(words[i] >> 8);
    text += static_cast<char>(words[i] & 0xff);
  }
  return text;
}

Bytes some_data(std::size_t sectors, unsigned seed) {
  Bytes data(sectors * kSectorSize);
  std::mt19937 random{seed};
  for (std::byte& b : data) b = static_cast<std::byte>(random() & 0xff);
  return data;
}

void check_signature(Rig& rig) {
  CHECK(rig.in(kError) == 0x01);
  CHECK(rig.in(kCount) == 1);
  CHECK(rig.in(kLow) == 1);
  CHECK(rig.in(kMid) == 0);
  CHECK(rig.in(kHigh) == 0);
  CHECK((rig.in(kDevice)&0x5f) == 0);
}

}  // namespace

TEST_CASE("power-on: ready, the signature of an ATA disk, no interrupt") {
  Rig rig;
  check_signature(rig);
  CHECK(rig.in(kControl) == kReady);
  CHECK(rig.status() == kReady);
  CHECK(rig.line.rises == 0);
}

TEST_CASE("identify: the geometry and capabilities of the old system's disk") {
  Rig rig{116736, 0, {.model = "JSLinux HARDDISK", .serial = "", .firmware = "", .announce_write_cache = false}};
  const auto w = rig.identify();
  CHECK(rig.line.rises == 1);
  CHECK(w[0] == 0x0040);
  CHECK(w[1] == 115);
  CHECK(w[3] == 16);
  CHECK(w[4] == 0x7e00);
  CHECK(w[5] == 0x0200);
  CHECK(w[6] == 63);
  CHECK(w[10] == 0);
  CHECK(w[20] == 3);
  CHECK(w[21] == 0x0200);
  CHECK(text_of(w, 27, 20) == "JSLinux HARDDISK                        ");
  CHECK(w[47] == 0x8080);
  CHECK(w[48] == 1);
  CHECK((w[49] & 0x0300) == 0x0200);
  CHECK(w[54] == 115);
  CHECK((w[57] | w[58] << 16) == 115 * 16 * 63);
  CHECK(w[59] == 0x0180);
  CHECK((w[60] | w[61] << 16) == 116736);
  CHECK(w[83] == 0x4000);
  CHECK(w[86] == 0);
}

TEST_CASE("identify: strings, flush, cache and multiple follow the drive") {
  Rig rig{4096, 0, {.model = std::string(50, 'M'), .serial = "S1", .firmware = "v\n2"}};
  auto w = rig.identify();
  CHECK(text_of(w, 27, 20) == std::string(40, 'M'));
  CHECK(text_of(w, 10, 10) == "S1                  ");
  CHECK(text_of(w, 23, 4) == "v?2     ");
  CHECK((w[83] & 0xd000) == 0x5000);
  CHECK((w[86] & 0x1000) == 0x1000);
  CHECK((w[82] & 0x0060) == 0x0060);
  CHECK((w[85] & 0x0060) == 0x0040);
  CHECK(w[53] == 3);
  CHECK(w[64] == 3);
  CHECK(w[68] == 120);
  rig.out(kError, 0x02);
  rig.command(0xef);
  CHECK((rig.identify()[85] & 0x0060) == 0x0060);
  rig.out(kError, 0x82);
  rig.command(0xef);
  rig.out(kError, 0x55);
  rig.command(0xef);
  rig.command(0xc6, 0, 16);
  w = rig.identify();
  CHECK((w[85] & 0x0060) == 0);
  CHECK(w[59] == 0x0110);
}

TEST_CASE("identify: a very large disk is cut to 28 bits and 16383 cylinders") {
  Rig rig{16};
  rig.disk0->announced = std::uint64_t{1} << 33;
  rig.ata = std::make_unique<AtaChannel>(bus::IrqLine{rig.line, 14}, rig.clock, rig.disk0.get(), nullptr);
  const auto w = rig.identify();
  CHECK(w[1] == 16383);
  CHECK((w[60] | w[61] << 16) == 0x0fffffff);
}

TEST_CASE("read sectors: an interrupt for each sector, data by 16 and 32 bits") {
  Rig rig;
  for (const unsigned width : {2u, 4u}) {
    CAPTURE(width);
    rig.command(0x20, 100, 3);
    const int before = rig.line.rises;
    Bytes data;
    for (unsigned sector = 0; sector < 3; ++sector) {
      CHECK(rig.line.level);
      CHECK(rig.in(kControl) == kDataReady);
      CHECK(rig.line.level);  // the alternate status leaves it
      CHECK(rig.status() == kDataReady);
      CHECK(!rig.line.level);
      for (unsigned i = 0; i < 512; i += width) {
        const std::uint32_t value = rig.ata->io_read(kData, width);
        for (unsigned b = 0; b < width; ++b) data.push_back(static_cast<std::byte>(value >> (8 * b) & 0xff));
      }
    }
    CHECK(data == rig.disk0->sectors(100, 3));
    CHECK(rig.line.rises == before + 2);
    CHECK(!rig.line.level);  // none after the last word
    CHECK(rig.status() == kReady);
    CHECK(rig.lba_now() == 102);
    CHECK(rig.in(kCount) == 0);
  }
  CHECK(rig.ata->bytes_read() == 6 * 512);
}

TEST_CASE("read multiple: blocks of the set size, the last one shorter") {
  Rig rig;
  rig.command(0xc6, 0, 8);
  CHECK(rig.status() == kReady);
  rig.command(0xc4, 200, 20);
  Bytes data;
  for (const std::size_t sectors : {8u, 8u, 4u}) {
    CHECK(rig.line.level);
    CHECK(rig.status() == kDataReady);
    const Bytes block = rig.take(sectors * 512);
    data.insert(data.end(), block.begin(), block.end());
  }
  CHECK(data == rig.disk0->sectors(200, 20));
  CHECK(rig.status() == kReady);
  CHECK(rig.line.rises == 4);
}

TEST_CASE("a count of 0 is 256 sectors, one block read spans DRQ blocks") {
  Rig rig;
  rig.command(0xc4, 1000, 0);
  CHECK(rig.take(256 * 512) == rig.disk0->sectors(1000, 256));
  CHECK(rig.status() == kReady);
  CHECK(rig.take(4) == Bytes(4, std::byte{0xff}));  // nothing left
}

TEST_CASE("data port: 16- and 32-bit accesses mix, also over the end of a block") {
  Rig rig;
  rig.command(0x20, 7, 2);
  Bytes data;
  const auto word = [&](unsigned width) {
    const std::uint32_t value = rig.ata->io_read(kData, width);
    for (unsigned b = 0; b < width; ++b) data.push_back(static_cast<std::byte>(value >> (8 * b) & 0xff));
  };
  word(2);
  for (int i = 0; i < 255; ++i) word(4);
  word(2);
  CHECK(data == rig.disk0->sectors(7, 2));
  CHECK(rig.status() == kReady);
}

TEST_CASE("write sectors: no interrupt before the first block, one after each") {
  Rig rig;
  const Bytes data = some_data(3, 1);
  rig.command(0x30, 50, 3);
  CHECK(!rig.line.level);
  CHECK(rig.status() == kDataReady);
  for (std::size_t i = 0; i < 3; ++i) {
    rig.give({data.begin() + static_cast<std::ptrdiff_t>(512 * i), data.begin() + static_cast<std::ptrdiff_t>(512 * (i + 1))}, 2);
    CHECK(rig.line.level);
    CHECK(rig.status() == (i < 2 ? kDataReady : kReady));
    CHECK(!rig.line.level);
  }
  CHECK(rig.disk0->sectors(50, 3) == data);
  CHECK(rig.lba_now() == 52);
  CHECK(rig.ata->bytes_written() == 3 * 512);
  CHECK(rig.line.rises == 3);
}

TEST_CASE("write multiple: as one run and by single accesses") {
  Rig rig;
  const Bytes data = some_data(200, 2);
  rig.command(0xc5, 300, 200);
  rig.give(data);
  CHECK(rig.status() == kReady);
  CHECK(rig.disk0->sectors(300, 200) == data);
  rig.command(0xc5, 600, 2);
  for (std::size_t i = 0; i < 1024; i += 4) {
    std::uint32_t value = 0;
    for (std::size_t b = 0; b < 4; ++b) value |= std::to_integer<std::uint32_t>(data[i + b]) << (8 * b);
    rig.ata->io_write(kData, 4, value);
  }
  CHECK(rig.status() == kReady);
  CHECK(rig.disk0->sectors(600, 2) == Bytes(data.begin(), data.begin() + 1024));
}

TEST_CASE("addresses by cylinder, head and sector") {
  Rig rig;
  const auto chs = [&](unsigned cylinder, unsigned head, unsigned sector, unsigned count) {
    rig.out(kDevice, 0xa0 | head);
    rig.out(kCount, count);
    rig.out(kLow, sector);
    rig.out(kMid, cylinder & 0xff);
    rig.out(kHigh, cylinder >> 8);
    rig.command(0x20);
  };
  chs(1, 2, 3, 2);
  const std::size_t sector = (1 * 16 + 2) * 63 + 2;
  CHECK(rig.take(1024) == rig.disk0->sectors(sector, 2));
  CHECK(rig.in(kLow) == 4);
  CHECK(rig.in(kMid) == 1);
  CHECK((rig.in(kDevice)&15) == 2);
  for (const auto& [head, s] : {std::pair{2u, 0u}, std::pair{2u, 64u}}) {
    chs(1, head, s, 1);
    CHECK(rig.status() == kFailed);
    CHECK(rig.in(kError) == 0x10);
  }
  rig.out(kCount, 9);  // 4 heads, 9 sectors
  rig.out(kDevice, 0xa3);
  rig.command(0x91);
  CHECK(rig.status() == kReady);
  chs(5, 3, 9, 1);
  CHECK(rig.take(512) == rig.disk0->sectors((5 * 4 + 3) * 9 + 8, 1));
  chs(5, 4, 1, 1);
  CHECK(rig.in(kError) == 0x10);
  const auto w = rig.identify();
  CHECK(w[55] == 4);
  CHECK(w[56] == 9);
  rig.out(kCount, 0);
  rig.command(0x91);
  CHECK(rig.in(kError) == 0x04);
}

TEST_CASE("a range beyond the end fails before any data, at the first sector that is not there") {
  Rig rig{1000};
  for (const unsigned code : {0x20u, 0xc4u, 0x30u, 0xc5u, 0x40u}) {
    CAPTURE(code);
    rig.command(code, 990, 20);
    CHECK(rig.line.level);
    CHECK(rig.status() == kFailed);
    CHECK(rig.in(kError) == 0x10);
    CHECK(rig.lba_now() == 1000);
    CHECK(rig.in(kCount) == 10);
    rig.command(code, 1000, 1);
    CHECK(rig.status() == kFailed);
    rig.command(code, 0x0fffffff, 0);
    CHECK(rig.status() == kFailed);
  }
  rig.command(0x20, 999, 1);
  CHECK(rig.take(512) == rig.disk0->sectors(999, 1));
}

TEST_CASE("a bad sector: UNC at that sector, the sectors before it were delivered") {
  Rig rig;
  rig.disk0->bad = {105};
  rig.command(0x20, 103, 5);
  CHECK(rig.take(512) == rig.disk0->sectors(103, 1));
  CHECK(rig.status() == kDataReady);
  CHECK(rig.take(512) == rig.disk0->sectors(104, 1));
  CHECK(rig.line.level);
  CHECK(rig.status() == kFailed);
  CHECK(rig.in(kError) == 0x40);
  CHECK(rig.lba_now() == 105);
  CHECK(rig.in(kCount) == 3);
  CHECK(rig.take(512) == Bytes(512, std::byte{0xff}));  // no stale data

  rig.command(0xc4, 100, 10);
  CHECK(rig.status() == kFailed);
  CHECK(rig.in(kError) == 0x40);
  CHECK(rig.lba_now() == 105);
  rig.command(0x40, 100, 10);
  CHECK(rig.status() == kFailed);
  CHECK(rig.lba_now() == 105);
  REQUIRE(!rig.log.empty());
  CHECK(rig.log[0] == "hda: read failed at sector 105: Bad sector.");
  for (int i = 0; i < 100; ++i) rig.command(0x20, 105, 1);
  CHECK(rig.log.size() < 20);  // a guest cannot flood the log
}

TEST_CASE("a write that fails says so at its sector, and the drive goes on") {
  Rig rig;
  rig.disk0->bad = {12};
  rig.command(0xc5, 10, 4);
  rig.give(some_data(4, 3));
  CHECK(rig.line.level);
  CHECK(rig.status() == kFailed);
  CHECK(rig.in(kError) == 0x04);
  CHECK(rig.lba_now() == 12);
  rig.command(0x30, 20, 1);
  rig.give(some_data(1, 4));
  CHECK(rig.status() == kReady);
}

TEST_CASE("a read-only disk aborts writes and takes no data") {
  Rig rig;
  rig.disk0->locked = true;
  const Bytes before = rig.disk0->image;
  for (const unsigned code : {0x30u, 0x31u, 0xc5u}) {
    rig.command(code, 5, 1);
    CHECK(rig.line.level);
    CHECK(rig.status() == kFailed);
    CHECK(rig.in(kError) == 0x04);
    rig.give(some_data(1, 5));
  }
  CHECK(rig.disk0->image == before);
}

TEST_CASE("pending: busy without an interrupt until the disk answers, asked every millisecond") {
  Rig rig;
  rig.disk0->pending = 3;
  rig.command(0xc4, 40, 4);
  CHECK(rig.status() == kBusy);
  CHECK(!rig.line.level);
  CHECK(rig.take(4) == Bytes(4, std::byte{0xff}));
  rig.out(kLow, 99);  // ignored while busy
  rig.command(0xec);
  CHECK(!rig.tick(999'999));
  CHECK(rig.tick(1));
  CHECK(rig.tick());
  CHECK(rig.status() == kBusy);
  CHECK(rig.tick());
  CHECK(rig.line.level);
  CHECK(rig.status() == kDataReady);
  CHECK(rig.take(2048) == rig.disk0->sectors(40, 4));
  CHECK(!rig.tick(10'000'000));  // no event is left

  const Bytes data = some_data(2, 6);
  rig.command(0x30, 60, 2);
  rig.disk0->pending = 1;
  rig.give(Bytes(data.begin(), data.begin() + 512));
  CHECK(rig.status() == kBusy);
  CHECK(rig.tick());
  CHECK(rig.line.level);
  CHECK(rig.status() == kDataReady);
  rig.give(Bytes(data.begin() + 512, data.end()));
  CHECK(rig.status() == kReady);
  CHECK(rig.disk0->sectors(60, 2) == data);

  for (const unsigned code : {0x40u, 0xe7u}) {
    rig.disk0->pending = 2;
    rig.command(code, 0, 200);
    CHECK(rig.status() == kBusy);
    while (rig.tick()) {
    }
    CHECK(rig.line.level);
    CHECK(rig.status() == kReady);
  }
}

TEST_CASE("pending after an error: the sector search waits too") {
  Rig rig;
  rig.disk0->bad = {43};
  rig.disk0->pending = 1;
  rig.command(0xc4, 40, 8);
  CHECK(rig.status() == kBusy);
  CHECK(rig.tick());
  CHECK(rig.status() == kFailed);
  CHECK(rig.lba_now() == 43);
}

TEST_CASE("software reset: busy while SRST is held, then the signature, also out of a pending request") {
  Rig rig{4096, 100};
  rig.command(0xc6, 0, 4);
  rig.disk0->pending = 1000;
  rig.command(0x20, 10, 1);
  CHECK(rig.status() == kBusy);
  rig.out(kControl, 0x04);
  CHECK((rig.in(kControl)&0x80) != 0);
  CHECK((rig.status() & 0x80) != 0);
  rig.command(0xec);
  CHECK((rig.status() & 0x80) != 0);
  rig.out(kControl, 0x04);  // again: still in reset
  rig.out(kControl, 0x00);
  CHECK(rig.status() == kReady);
  check_signature(rig);
  CHECK(!rig.line.level);
  CHECK(!rig.tick(5'000'000));
  rig.disk0->pending = 0;
  CHECK(rig.identify()[59] == 0x0104);  // settings stay
  rig.out(kDevice, 0xb0);
  CHECK(rig.status() == kReady);
  CHECK(rig.in(kCount) == 1);
}

TEST_CASE("reset in the middle of a transfer drops it") {
  Rig rig;
  const Bytes before = rig.disk0->image;
  rig.command(0x30, 10, 1);
  rig.give(Bytes(300));
  rig.out(kControl, 0x04);
  rig.out(kControl, 0x00);
  rig.give(Bytes(300));
  CHECK(rig.status() == kReady);
  CHECK(rig.disk0->image == before);
  rig.command(0x20, 0, 1);
  rig.ata->reset();
  CHECK(!rig.line.level);
  CHECK(rig.hash() == Rig{}.hash());
}

TEST_CASE("nIEN holds the interrupt back, clearing it shows a pending one") {
  Rig rig;
  rig.out(kControl, 0x02);
  rig.command(0x10);
  CHECK(!rig.line.level);
  rig.out(kControl, 0x00);
  CHECK(rig.line.level);
  CHECK(rig.status() == kReady);
  CHECK(!rig.line.level);
}

TEST_CASE("a command drops the interrupt of the one before: the line makes an edge") {
  Rig rig;
  rig.command(0x10);
  rig.command(0x10);
  CHECK(rig.line.rises == 2);
}

TEST_CASE("diagnostics: both drives pass, drive 0 is selected and interrupts") {
  Rig rig{100, 100};
  rig.lba(5, 9, 1);
  rig.command(0x90);
  CHECK(rig.line.level);
  check_signature(rig);
  CHECK(rig.status() == kReady);
}

TEST_CASE("commands without data: each ends with an interrupt and its status") {
  Rig rig;
  struct Case {
    unsigned code;
    bool works;
  };
  for (const Case c : {Case{0x00, false}, {0x10, true},  {0x1f, true},  {0x70, true},  {0x7f, true},  {0xa1, false}, {0xe0, true},
                       {0xe1, true},      {0xe2, true},  {0xe3, true},  {0xe5, true},  {0xe7, true},  {0x94, true},  {0x95, true},
                       {0x96, true},      {0x97, true},  {0x98, true},  {0xf8, true},  {0x24, false}, {0xc8, false}, {0xca, false},
                       {0xa0, false},     {0x08, false}, {0xb0, false}, {0xea, false}, {0xff, false}, {0x22, false}, {0x80, false}}) {
    CAPTURE(c.code);
    rig.command(c.code, 3, 1);
    CHECK(rig.line.level);
    CHECK(rig.status() == (c.works ? kReady : kFailed));
    CHECK(rig.in(kError) == (c.works ? 0 : 4));
  }
}

TEST_CASE("seek and native maximum") {
  Rig rig{1000};
  rig.command(0x70, 999, 0);
  CHECK(rig.status() == kReady);
  rig.command(0x70, 1000, 0);
  CHECK(rig.status() == kFailed);
  CHECK(rig.in(kError) == 0x10);
  rig.command(0xf8, 0, 0);
  CHECK(rig.lba_now() == 999);
}

TEST_CASE("power modes: standby is shown, ended by use, sleep ends only by a reset") {
  Rig rig;
  const auto mode = [&] {
    rig.command(0xe5);
    return rig.in(kCount);
  };
  CHECK(mode() == 0xff);
  rig.command(0xe0);
  CHECK(rig.disk0->flushes == 1);
  CHECK(mode() == 0x00);
  rig.command(0x40, 0, 1);
  CHECK(mode() == 0xff);
  rig.command(0xe6);
  CHECK(rig.status() == kReady);
  rig.command(0xec);
  CHECK(!rig.line.level);
  CHECK(rig.in(kControl) == kReady);
  rig.out(kControl, 0x04);
  rig.out(kControl, 0x00);
  CHECK(mode() == 0xff);
}

TEST_CASE("set multiple takes powers of two up to 128, anything else disables the mode") {
  Rig rig;
  for (const unsigned good : {1u, 2u, 64u, 128u}) {
    rig.command(0xc6, 0, good);
    CHECK(rig.status() == kReady);
  }
  for (const unsigned bad : {3u, 129u, 255u}) {
    rig.command(0xc6, 0, 8);
    rig.command(0xc6, 0, bad);
    CHECK(rig.status() == kFailed);
    rig.command(0xc4, 0, 1);
    CHECK(rig.in(kError) == 0x04);
    CHECK(rig.identify()[59] == 0);
  }
  rig.command(0xc6, 0, 0);
  CHECK(rig.status() == kReady);
  rig.command(0xc5, 0, 1);
  CHECK(rig.in(kError) == 0x04);
}

TEST_CASE("set features: cache, look-ahead, PIO modes, others abort") {
  Rig rig;
  const auto feature = [&](unsigned code, unsigned value) {
    rig.out(kCount, value);
    rig.out(kError, code);
    rig.command(0xef);
    return rig.status() == kReady;
  };
  for (const unsigned code : {0x02u, 0x82u, 0xaau, 0x55u}) CHECK(feature(code, 0));
  for (const unsigned value : {0x00u, 0x01u, 0x08u, 0x0cu}) CHECK(feature(0x03, value));
  for (const unsigned value : {0x0du, 0x20u, 0x22u, 0x44u}) CHECK(!feature(0x03, value));
  CHECK(!feature(0x05, 0));
}

TEST_CASE("from power-on every write is durable before it completes, and after one that is not it fails") {
  Rig rig;
  const auto write = [&] {
    rig.command(0x30, 5, 2);
    rig.give(some_data(1, 1));
    CHECK(rig.status() == kDataReady);
    const int flushes = rig.disk0->flushes;
    rig.give(some_data(1, 2));
    return rig.disk0->flushes - flushes;
  };
  CHECK(write() == 1);
  CHECK(rig.status() == kReady);
  rig.out(kControl, 4);
  rig.out(kControl, 0);
  CHECK(write() == 1);

  rig.disk0->flush_fails = true;
  CHECK(write() == 1);
  CHECK(rig.status() == kFailed);
  CHECK(rig.in(kError) == 0x04);
}

TEST_CASE("with the write cache only the flush command makes writes durable") {
  Rig rig;
  rig.out(kError, 0x02);
  rig.command(0xef);
  rig.out(kControl, 4);
  rig.out(kControl, 0);
  rig.command(0x30, 5, 1);
  rig.give(some_data(1, 1));
  CHECK(rig.disk0->flushes == 0);
  CHECK(rig.status() == kReady);
  rig.command(0xe7);
  CHECK(rig.disk0->flushes == 1);
  rig.command(0x30, 5, 1);
  rig.give(some_data(1, 1));
  rig.out(kError, 0x82);
  rig.command(0xef);
  CHECK(rig.disk0->flushes == 2);
  rig.disk0->flush_fails = true;
  rig.command(0xe7);
  CHECK(rig.status() == kFailed);
  CHECK(rig.in(kError) == 0x04);
}

TEST_CASE("drive 1: its own disk, task file and identity") {
  Rig rig{100, 200};
  rig.lba(150, 2, 1);
  rig.command(0x20);
  CHECK(rig.line.level);
  CHECK(rig.take(1024) == rig.disk1->sectors(150, 2));
  CHECK(rig.status() == kReady);
  rig.out(kDevice, 0xa0);
  rig.command(0xec);
  rig.out(kDevice, 0xb0);
  CHECK(!rig.line.level);  // the selected drive alone drives the line
  rig.out(kDevice, 0xa0);
  CHECK(rig.line.level);
  CHECK(rig.status() == kDataReady);
}

TEST_CASE("absent drives: a floating bus without any, zeros for drive 1 beside drive 0") {
  Rig none{0};
  for (std::uint16_t port = kError; port <= kControl; ++port) CHECK(none.in(port) == 0xff);
  CHECK(none.ata->io_read(kData, 4) == 0xffffffff);
  none.command(0xec, 0, 1);
  none.out(kControl, 4);
  none.out(kControl, 0);
  none.command(0x90);
  CHECK(none.line.rises == 0);

  Rig one;
  one.out(kDevice, 0xb0);
  for (std::uint16_t port = kError; port <= kControl; ++port) CHECK(one.in(port) == 0x00);
  one.command(0xec);
  CHECK(one.line.rises == 0);
  CHECK(one.ata->io_read(kData, 2) == 0);
  one.out(kDevice, 0xa0);
  CHECK(one.status() == kReady);
}

TEST_CASE("wide accesses to the task file are bytes, and never reach the control register") {
  Rig rig;
  rig.ata->io_write(kCount, 4, 0x04030201);
  CHECK(rig.in(kCount) == 1);
  CHECK(rig.in(kHigh) == 4);
  CHECK(rig.ata->io_read(kCount, 4) == 0x04030201);
  rig.ata->io_write(kStatus, 4, 0x04040410);
  CHECK(rig.in(kControl) == kReady);
  CHECK(rig.ata->io_read(kStatus, 2) == (0xff00 | kReady));
}

TEST_CASE("random register traffic over a disk that is slow and bad: never out of step, same inputs same state") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  const auto play = [&] {
    Rig rig{2000, 50};
    std::mt19937 engine{seed};
    const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
    rig.disk0->bad = {77, 500, 501};
    for (int i = 0; i < 20000; ++i) {
      const std::uint32_t value = random();
      switch (value % 16) {
        case 0:
          rig.disk0->pending = static_cast<int>(random() % 3);
          break;
        case 1:
          rig.tick();
          break;
        case 2: {
          Bytes block(random() % 70000 / 4 * 4);
          rig.ata->io_read_block(kData, 4, block);
          break;
        }
        case 3:
          rig.ata->io_write_block(kData, 2, Bytes(random() % 70000 / 2 * 2));
          break;
        case 4: {
          constexpr std::array<std::uint8_t, 10> kCodes{0x20, 0xc4, 0x30, 0xc5, 0x40, 0xec, 0xe7, 0xc6, 0x91, 0x90};
          rig.lba(random() % 2100, random() % 256, random() % 2);
          rig.command(kCodes[random() % kCodes.size()]);
          break;
        }
        default: {
          const unsigned width = 1u << random() % 3;
          const auto offset = static_cast<std::uint16_t>(random() % 9);
          if ((random() & 1) != 0) {
            rig.ata->io_write(offset, offset == 8 ? 1 : width, random());
          } else {
            (void)rig.ata->io_read(offset, offset == 8 ? 1 : width);
          }
        }
      }
    }
    return rig.hash();
  };
  CHECK(play() == play());
}
