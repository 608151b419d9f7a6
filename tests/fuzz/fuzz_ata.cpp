// Port traffic at an ATA channel whose disks are slow and partly bad. The input is a list of operations: one byte that chooses, then
// its operands.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/state_visitor.hpp"
#include "devices/ata_channel.hpp"

namespace {

using namespace tuxarium;

class Disk final : public BlockDevice {
 public:
  explicit Disk(std::uint64_t sectors) : image_(static_cast<std::size_t>(sectors * kSectorSize)) {}
  std::uint64_t sector_count() const override { return image_.size() / kSectorSize; }
  bool read_only() const override { return locked; }
  BlockStatus read(std::uint64_t first, std::span<std::byte> out) override {
    const BlockStatus status = answer(first, out.size());
    if (status == BlockStatus::done)
      std::copy_n(image_.begin() + static_cast<std::ptrdiff_t>(first * kSectorSize), out.size(), out.begin());
    return status;
  }
  BlockStatus write(std::uint64_t first, std::span<const std::byte> data) override {
    if (locked) std::abort();
    const BlockStatus status = answer(first, data.size());
    if (status == BlockStatus::done) std::copy(data.begin(), data.end(), image_.begin() + static_cast<std::ptrdiff_t>(first * kSectorSize));
    return status;
  }
  BlockStatus flush() override { return answer(0, 0); }
  std::string last_error() const override { return "Bad."; }

  int pending = 0;
  std::uint64_t bad = ~std::uint64_t{0};
  bool locked = false;

 private:
  BlockStatus answer(std::uint64_t first, std::size_t bytes) {
    const std::uint64_t end = first + bytes / kSectorSize;
    if (end > sector_count() || bytes % kSectorSize != 0) std::abort();  // the drive must ask for nothing else
    if (pending > 0) return --pending, BlockStatus::pending;
    return bad >= first && bad < end ? BlockStatus::error : BlockStatus::done;
  }
  std::vector<std::byte> image_;
};

struct ManualTime final : time::TimeBase {
  time::Nanoseconds elapsed() override { return at; }
  time::Nanoseconds at = 0;
};

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_{data}, size_{size} {}
  bool empty() const { return size_ == 0; }
  std::uint32_t take() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in{data, size};
  Disk disk0{600}, disk1{3};
  disk1.locked = true;
  ManualTime base;
  time::GuestClock clock{base};
  const std::uint32_t drives = in.take();
  auto ata = std::make_unique<devices::AtaChannel>(bus::IrqLine{}, clock, (drives & 1) == 0 ? &disk0 : nullptr,
                                                   (drives & 2) == 0 ? &disk1 : nullptr);
  while (!in.empty()) {
    const std::uint32_t operation = in.take();
    const unsigned width = 1u << (operation >> 4) % 3;
    switch (operation & 7) {
      case 0:
        disk0.pending = static_cast<int>(in.take() % 4);
        break;
      case 1:
        disk0.bad = in.take() * 3;
        break;
      case 2:
        base.at += 1'000'000;
        if (clock.take_due() == time::EventSlot::disk) ata->on_event();
        break;
      case 3: {
        std::vector<std::byte> block(in.take() * 256 / width * width);
        ata->io_read_block(0, width, block);
        break;
      }
      case 4:
        ata->io_write_block(0, width, std::vector<std::byte>(in.take() * 256 / width * width));
        break;
      case 5:
        (void)ata->io_read(static_cast<std::uint16_t>(in.take() % 9), width);
        break;
      case 6: {
        const auto offset = static_cast<std::uint16_t>(in.take() % 9);
        std::uint32_t value = in.take();
        if (width > 1) value |= in.take() << 8;
        ata->io_write(offset, width, value);
        break;
      }
      default:
        ata->io_write(7, 1, in.take());
        break;
    }
  }
  base::HashVisitor hash;
  ata->visit_state(hash);
  return 0;
}
