// One ATA hard disk in programmed I/O: its task file, its commands, its sector buffer.
//
// Documents: ATA-3 (X3.298-1997) and ATA/ATAPI-4 (NCITS 317-1998), chapters "Interface register definitions", "Command descriptions" and
// "Protocol". Modelled: LBA28 and CHS addressing, PIO transfers with READ/WRITE MULTIPLE up to 128 sectors, power modes without timers, a
// write cache. Not modelled: DMA, LBA48, packet commands, security, SMART, host protected area, mechanical delays (a command takes no guest
// time unless the BlockDevice answers `pending`).
//
// The write cache is the BlockDevice's and is off at power-on: the BlockDevice is flushed before a write command completes, so what the
// guest was told is written is durable. Off, because a guest's file system need not send FLUSH CACHE when its user says `sync` (Linux's
// ext2 sends one for fsync() alone), and Linux of 2007 sends none to this drive. A guest that does may switch the cache on with SET
// FEATURES; then FLUSH CACHE makes its writes durable. A reset by software keeps the setting.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <tuxarium/block_device.hpp>
#include <tuxarium/log.hpp>

namespace tuxarium::devices {

/// What IDENTIFY DEVICE says of a drive. Longer strings are cut, others padded with spaces; only printable ASCII is kept. An empty string
/// leaves its words 0.
struct DriveIdentity {
  std::string model = "TUXARIUM HARDDISK";  ///< at most 40 characters
  std::string serial;                       ///< at most 20 characters
  std::string firmware;                     ///< at most 8 characters
  bool announce_write_cache = true;         ///< words 82-86 list the write cache and FLUSH CACHE; the commands work in either case
};

/// Offsets of the command block registers from 0x1F0, and of the control block register as the board maps it.
enum class AtaRegister : std::uint8_t {
  data,
  error,  ///< features when written
  sector_count,
  lba_low,
  lba_mid,
  lba_high,
  device,
  status,          ///< command when written
  device_control,  ///< 0x3F6; alternate status when read
};

namespace ata {
// Status register.
inline constexpr std::uint8_t kErr = 0x01, kDrq = 0x08, kDsc = 0x10, kDf = 0x20, kDrdy = 0x40, kBsy = 0x80;
// Error register.
inline constexpr std::uint8_t kAbrt = 0x04, kIdnf = 0x10, kUnc = 0x40;
// Device register.
inline constexpr std::uint8_t kDev = 0x10, kLba = 0x40, kObsolete = 0xa0;
// Device control register.
inline constexpr std::uint8_t kNien = 0x02, kSrst = 0x04;
}  // namespace ata

class AtaDrive {
 public:
  /// `device` may be null (no drive); otherwise it must outlive the drive. Sectors beyond 2^28 - 1 are not reachable.
  AtaDrive(BlockDevice* device, DriveIdentity identity, std::string name, LogSink log);

  bool present() const { return device_ != nullptr; }

  /// Power-on.
  void reset();

  /// The task file and status after SRST, EXECUTE DEVICE DIAGNOSTIC or power-on; keeps what a software reset keeps.
  void soft_reset();

  /// Sets BSY for as long as SRST is held.
  void hold_in_reset();

  // Registers. Writes are ignored while BSY is set.
  std::uint8_t read_register(AtaRegister which) const;
  void write_register(AtaRegister which, std::uint8_t value);
  std::uint8_t status() const { return state_.status; }

  /// The command register.
  void command(std::uint8_t code);

  /// Bytes until the buffer is empty or full; 0 without DRQ.
  std::size_t data_bytes() const {
    return state_.phase == Phase::data_in || state_.phase == Phase::data_out ? state_.buffer_size - state_.buffer_position : 0;
  }

  // Data register, as a stream of bytes in transfer order. Both return how many bytes were moved: fewer than asked when DRQ ends.
  std::size_t read_data(std::span<std::byte> out);
  std::size_t write_data(std::span<const std::byte> data);

  /// True while an interrupt is pending in this drive.
  bool interrupt() const { return state_.interrupt; }
  void set_interrupt(bool level) { state_.interrupt = level; }

  /// True while the block device has answered `pending`; call retry() later.
  bool waiting() const { return state_.phase >= Phase::wait_read; }
  void retry();

  /// Bytes moved between the block device and the guest since the drive was made.
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    State& s = state_;
    v(s.features), v(s.error), v(s.sector_count), v(s.lba_low), v(s.lba_mid), v(s.lba_high), v(s.device), v(s.status);
    v(s.phase), v(s.interrupt), v(s.sleeping), v(s.standby), v(s.write_cache), v(s.look_ahead);
    v(s.multiple), v(s.heads), v(s.sectors_per_track);
    v(s.next_sector), v(s.remaining), v(s.block_sectors), v(s.sectors_per_block);
    v(s.buffer_size), v(s.buffer_position);
    s.buffer_size = std::min<std::uint32_t>(s.buffer_size, kBufferBytes);
    for (std::uint32_t i = 0; i < s.buffer_size; ++i) v(buffer_[i]);
  }

 private:
  static constexpr std::uint32_t kMaxMultiple = 128;
  static constexpr std::uint32_t kBufferBytes = kMaxMultiple * 512;

  enum class Phase : std::uint8_t {
    idle,
    data_in,   // DRQ, the host reads the buffer
    data_out,  // DRQ, the host fills the buffer
    reset,     // SRST is held
    // BSY, the block device is asked again:
    wait_read,
    wait_write,
    wait_verify,
    wait_flush,
  };

  struct State {
    std::uint8_t features = 0, error = 1, sector_count = 1, lba_low = 1, lba_mid = 0, lba_high = 0, device = 0;
    std::uint8_t status = ata::kDrdy | ata::kDsc;
    Phase phase = Phase::idle;
    bool interrupt = false;
    bool sleeping = false;  // only a reset wakes it
    bool standby = false;
    bool write_cache = false, look_ahead = true;
    std::uint8_t multiple = kMaxMultiple;             // sectors in a block of READ/WRITE MULTIPLE; 0: not enabled
    std::uint8_t heads = 16, sectors_per_track = 63;  // current CHS translation
    std::uint32_t next_sector = 0;                    // first sector of the block in work, or of the next one
    std::uint32_t remaining = 0;                      // sectors of the command that are not done, the block in work included
    std::uint32_t block_sectors = 0;                  // of the block in work
    std::uint32_t sectors_per_block = 1;              // 1, or `multiple`
    std::uint32_t buffer_size = 0, buffer_position = 0;
  };

  // The life of a command.
  void complete();
  void fail(std::uint8_t error_bits);
  void fail_at(std::uint32_t sector, std::uint8_t error_bits);
  void begin_data(Phase direction, std::uint32_t bytes);
  void end_transfer();

  // Addresses: between the task file and sector numbers.
  bool address(std::uint32_t& sector) const;
  void set_address(std::uint32_t sector);
  bool begin_sectors(std::uint32_t sectors_per_block);
  void advance();

  // Transfers: each asks the block device once and moves to the next phase by its answer.
  void continue_read();
  void continue_write();
  void continue_verify();
  void continue_flush();
  void next_write_block();
  BlockStatus read_block(std::uint32_t& failed_sector);
  BlockStatus write_block(std::uint32_t& failed_sector);
  void wait(Phase phase);

  // Commands.
  void read_sectors(std::uint32_t sectors_per_block);
  void write_sectors(std::uint32_t sectors_per_block);
  void read_verify();
  void identify();
  void initialize_parameters();
  void set_multiple();
  void set_features();
  void seek();
  void read_native_max();
  void check_power();

  void report(const char* what, std::uint32_t sector);

  BlockDevice* device_;
  DriveIdentity identity_;
  std::string name_;
  LogSink log_;
  std::uint32_t capacity_ = 0;  // sectors, at most 2^28 - 1
  State state_;
  alignas(8) std::array<std::uint8_t, kBufferBytes> buffer_{};  // the block in work: state_.buffer_size bytes are valid
  std::uint64_t bytes_read_ = 0, bytes_written_ = 0;
  unsigned reports_ = 0;  // lines logged
};

}  // namespace tuxarium::devices
