#include "devices/ata_channel.hpp"

#include <algorithm>
#include <utility>

namespace tuxarium::devices {

namespace {
constexpr std::uint8_t kExecuteDiagnostic = 0x90;
constexpr std::uint16_t kDataOffset = 0, kLastCommandOffset = 7;
}  // namespace

AtaChannel::AtaChannel(bus::IrqLine irq, time::GuestClock& clock, BlockDevice* drive0, BlockDevice* drive1, LogSink log,
                       DriveIdentity identity0, DriveIdentity identity1)
    : irq_{irq},
      clock_{&clock},
      drives_{AtaDrive{drive0, std::move(identity0), "hda", log}, AtaDrive{drive1, std::move(identity1), "hdb", log}} {}

void AtaChannel::reset() {
  state_ = State{};
  for (AtaDrive& drive : drives_) drive.reset();
  update();
}

void AtaChannel::on_event() {
  for (AtaDrive& drive : drives_) drive.retry();
  update();
}

/// Sets the interrupt wire and the retry event to what the drives want now. Only the selected drive drives the wire.
void AtaChannel::update() {
  irq_.set(selected().present() && selected().interrupt() && (state_.control & ata::kNien) == 0);
  const bool scheduled = clock_->deadline(time::EventSlot::disk) != time::kNever;
  if (waiting() && !scheduled) clock_->schedule(time::EventSlot::disk, clock_->now() + kRetryInterval);
  if (!waiting() && scheduled) clock_->cancel(time::EventSlot::disk);
}

// --- Registers ---

std::uint8_t AtaChannel::read_register(AtaRegister which) {
  AtaDrive& drive = selected();
  if (!drive.present()) return absent_value();
  const std::uint8_t value = drive.read_register(which);
  if (which == AtaRegister::status) {
    drive.set_interrupt(false);
    update();
  }
  return value;
}

void AtaChannel::write_register(AtaRegister which, std::uint8_t value) {
  switch (which) {
    case AtaRegister::data:
      break;
    case AtaRegister::device:
      return write_device(value);
    case AtaRegister::status:
      return write_command(value);
    case AtaRegister::device_control:
      return write_control(value);
    default:
      for (AtaDrive& drive : drives_) drive.write_register(which, value);
  }
}

void AtaChannel::write_device(std::uint8_t value) {
  for (AtaDrive& drive : drives_) drive.write_register(AtaRegister::device, value);
  state_.selected = (value & ata::kDev) != 0 ? 1 : 0;
  update();
}

void AtaChannel::write_command(std::uint8_t code) {
  if (selected().present() && (selected().status() & ata::kBsy) != 0) return;
  selected().set_interrupt(false);
  update();  // the wire drops before the command can raise it: the interrupt controller sees an edge
  if (code == kExecuteDiagnostic) {
    for (AtaDrive& drive : drives_) drive.soft_reset();
    state_.selected = 0;
    drives_[0].set_interrupt(true);
  } else if (selected().present()) {
    selected().command(code);
  }
  update();
}

/// A software reset lasts as long as SRST is held; then both drives show their signature and drive 0 is selected.
void AtaChannel::write_control(std::uint8_t value) {
  const bool was_in_reset = (state_.control & ata::kSrst) != 0;
  const bool in_reset = (value & ata::kSrst) != 0;
  state_.control = value;
  if (in_reset && !was_in_reset) {
    for (AtaDrive& drive : drives_) drive.hold_in_reset();
  }
  if (!in_reset && was_in_reset) {
    for (AtaDrive& drive : drives_) drive.soft_reset();
    state_.selected = 0;
  }
  update();
}

// --- Data register ---

std::uint32_t AtaChannel::read_data(unsigned width) {
  std::array<std::byte, 4> bytes;
  io_read_block(kDataOffset, std::max(width, 2u), std::span{bytes}.first(std::max(width, 2u)));
  std::uint32_t value = 0;
  for (unsigned i = 0; i < width; ++i) value |= std::to_integer<std::uint32_t>(bytes[i]) << (8 * i);
  return value;
}

void AtaChannel::write_data(unsigned width, std::uint32_t value) {
  std::array<std::byte, 4> bytes;
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
  io_write_block(kDataOffset, std::max(width, 2u), std::span{bytes}.first(std::max(width, 2u)));
}

// --- Port accesses. The data register is 16 bits wide, so an access of 8 bits also takes a word of the stream. ---

std::uint32_t AtaChannel::io_read(std::uint16_t offset, unsigned width) {
  if (offset == kDataOffset) return read_data(width);
  std::uint32_t value = 0;
  for (unsigned i = 0; i < width; ++i) {
    const unsigned at = offset + i;
    const bool mapped = i == 0 || at <= kLastCommandOffset;
    value |= static_cast<std::uint32_t>(mapped ? read_register(static_cast<AtaRegister>(at)) : 0xff) << (8 * i);
  }
  return value;
}

void AtaChannel::io_write(std::uint16_t offset, unsigned width, std::uint32_t value) {
  if (offset == kDataOffset) return write_data(width, value);
  for (unsigned i = 0; i < width && (i == 0 || offset + i <= kLastCommandOffset); ++i) {
    write_register(static_cast<AtaRegister>(offset + i), static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

std::size_t AtaChannel::io_block(std::uint16_t offset, unsigned width) const {
  if (offset != kDataOffset || width == 1 || !selected().present()) return 0;
  const std::size_t bytes = selected().data_bytes();
  return bytes > width ? (bytes - 1) / width : 0;
}

void AtaChannel::io_read_block(std::uint16_t offset, unsigned width, std::span<std::byte> data) {
  if (offset != kDataOffset || width == 1) return PortDevice::io_read_block(offset, width, data);
  AtaDrive& drive = selected();
  const std::size_t moved = drive.present() ? drive.read_data(data) : 0;
  const auto filler = static_cast<std::byte>(drive.present() ? 0xff : absent_value());
  std::fill(data.begin() + static_cast<std::ptrdiff_t>(moved), data.end(), filler);
  if (moved != 0) update();
}

void AtaChannel::io_write_block(std::uint16_t offset, unsigned width, std::span<const std::byte> data) {
  if (offset != kDataOffset || width == 1) return PortDevice::io_write_block(offset, width, data);
  if (selected().present() && selected().write_data(data) != 0) update();
}

}  // namespace tuxarium::devices
