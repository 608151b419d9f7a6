// An ATA channel: two drives on one cable, their shared registers and interrupt wire.
//
// Documents: ATA-3 (X3.298-1997) and ATA/ATAPI-4 (NCITS 317-1998): device selection, device control register, software reset, interrupt
// rules. Not modelled: DMA, PDIAG/DASP timing; a software reset ends when the host clears SRST.
//
// Absent drives: with no drive at all every register reads 0xFF, as a floating bus does. With drive 1 absent all of its registers read
// 0: a host sees "no drive" at its first look at the device or status register.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bus/irq_line.hpp"
#include "bus/port_device.hpp"
#include "devices/ata_drive.hpp"
#include "time/guest_clock.hpp"

namespace tuxarium::devices {

class AtaChannel final : public bus::PortDevice {
 public:
  /// Offsets 0-7 are the command block (0x1F0-0x1F7), offset 8 the device control register (0x3F6). A null drive is absent; others must
  /// outlive the channel. Uses EventSlot::disk.
  AtaChannel(bus::IrqLine irq, time::GuestClock& clock, BlockDevice* drive0, BlockDevice* drive1, LogSink log = {},
             DriveIdentity identity0 = {}, DriveIdentity identity1 = {});

  /// Power-on: drops transfers, lowers the interrupt. Disks keep their content.
  void reset();

  /// EventSlot::disk has come due.
  void on_event();

  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;
  /// At the data register all that leaves the buffer neither full nor empty: the last access is one of its own, since much may follow from it.
  std::size_t io_block(std::uint16_t offset, unsigned width) const override;
  void io_read_block(std::uint16_t offset, unsigned width, std::span<std::byte> data) override;
  void io_write_block(std::uint16_t offset, unsigned width, std::span<const std::byte> data) override;

  /// True while a drive waits for a block device that has answered `pending`; asked again by on_event().
  bool waiting() const { return drives_[0].waiting() || drives_[1].waiting(); }

  /// Bytes moved between the disks and the guest since the channel was made, over both drives; a reset does not clear them.
  std::uint64_t bytes_read() const { return drives_[0].bytes_read() + drives_[1].bytes_read(); }
  std::uint64_t bytes_written() const { return drives_[0].bytes_written() + drives_[1].bytes_written(); }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.selected);
    v(state_.control);
    for (AtaDrive& drive : drives_) drive.visit_state(v);
  }

 private:
  /// How long a drive waits before it asks a pending block device again.
  static constexpr time::Nanoseconds kRetryInterval = 1'000'000;

  struct State {
    std::uint8_t selected = 0;
    std::uint8_t control = 0;
  };

  AtaDrive& selected() { return drives_[state_.selected & 1]; }
  const AtaDrive& selected() const { return drives_[state_.selected & 1]; }
  std::uint8_t absent_value() const { return drives_[0].present() || drives_[1].present() ? 0x00 : 0xff; }
  std::uint8_t read_register(AtaRegister which);
  void write_register(AtaRegister which, std::uint8_t value);
  void write_device(std::uint8_t value);
  void write_command(std::uint8_t code);
  void write_control(std::uint8_t value);
  std::uint32_t read_data(unsigned width);
  void write_data(unsigned width, std::uint32_t value);
  void update();

  bus::IrqLine irq_;
  time::GuestClock* clock_;
  std::array<AtaDrive, 2> drives_;
  State state_;
};

}  // namespace tuxarium::devices
