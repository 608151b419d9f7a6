#include "devices/ata_drive.hpp"

#include <cassert>
#include <cstring>
#include <utility>

#include "devices/ata_identify.hpp"

namespace tuxarium::devices {

namespace {

constexpr std::uint32_t kMaxCapacity = (1u << 28) - 1;
constexpr unsigned kMaxReports = 16;  // lines logged for one drive
constexpr std::uint8_t kReady = ata::kDrdy | ata::kDsc;

enum Command : std::uint8_t {
  kRecalibrate = 0x10,  // to 0x1F
  kReadSectors = 0x20,
  kReadSectorsNoRetry = 0x21,
  kWriteSectors = 0x30,
  kWriteSectorsNoRetry = 0x31,
  kReadVerify = 0x40,
  kReadVerifyNoRetry = 0x41,
  kSeek = 0x70,  // to 0x7F
  kInitializeParameters = 0x91,
  kStandbyImmediateOld = 0x94,
  kIdleImmediateOld = 0x95,
  kStandbyOld = 0x96,
  kIdleOld = 0x97,
  kCheckPowerModeOld = 0x98,
  kSleepOld = 0x99,
  kReadMultiple = 0xc4,
  kWriteMultiple = 0xc5,
  kSetMultiple = 0xc6,
  kStandbyImmediate = 0xe0,
  kIdleImmediate = 0xe1,
  kStandby = 0xe2,
  kIdle = 0xe3,
  kCheckPowerMode = 0xe5,
  kSleep = 0xe6,
  kFlushCache = 0xe7,
  kIdentifyDevice = 0xec,
  kSetFeatures = 0xef,
  kReadNativeMax = 0xf8,
};

enum Feature : std::uint8_t {
  kEnableWriteCache = 0x02,
  kSetTransferMode = 0x03,
  kDisableLookAhead = 0x55,
  kDisableWriteCache = 0x82,
  kEnableLookAhead = 0xaa,
};

}  // namespace

AtaDrive::AtaDrive(BlockDevice* device, DriveIdentity identity, std::string name, LogSink log)
    : device_{device}, identity_{std::move(identity)}, name_{std::move(name)}, log_{std::move(log)} {
  if (device_ != nullptr) capacity_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(device_->sector_count(), kMaxCapacity));
}

// --- Reset ---

void AtaDrive::reset() { state_ = State{}; }

void AtaDrive::soft_reset() {
  State fresh;
  fresh.multiple = state_.multiple;
  fresh.heads = state_.heads;
  fresh.sectors_per_track = state_.sectors_per_track;
  fresh.write_cache = state_.write_cache;
  fresh.look_ahead = state_.look_ahead;
  state_ = fresh;
}

void AtaDrive::hold_in_reset() {
  soft_reset();
  state_.phase = Phase::reset;
  state_.status = ata::kBsy;
}

// --- Registers ---

std::uint8_t AtaDrive::read_register(AtaRegister which) const {
  switch (which) {
    case AtaRegister::error:
      return state_.error;
    case AtaRegister::sector_count:
      return state_.sector_count;
    case AtaRegister::lba_low:
      return state_.lba_low;
    case AtaRegister::lba_mid:
      return state_.lba_mid;
    case AtaRegister::lba_high:
      return state_.lba_high;
    case AtaRegister::device:
      return state_.device | ata::kObsolete;
    case AtaRegister::data:
    case AtaRegister::status:
    case AtaRegister::device_control:
      return state_.status;
  }
  return 0xff;
}

void AtaDrive::write_register(AtaRegister which, std::uint8_t value) {
  if ((state_.status & ata::kBsy) != 0) return;
  switch (which) {
    case AtaRegister::error:
      state_.features = value;
      break;
    case AtaRegister::sector_count:
      state_.sector_count = value;
      break;
    case AtaRegister::lba_low:
      state_.lba_low = value;
      break;
    case AtaRegister::lba_mid:
      state_.lba_mid = value;
      break;
    case AtaRegister::lba_high:
      state_.lba_high = value;
      break;
    case AtaRegister::device:
      state_.device = value;
      break;
    case AtaRegister::data:
    case AtaRegister::status:
    case AtaRegister::device_control:
      break;
  }
}

// --- The life of a command ---

void AtaDrive::end_transfer() {
  state_.phase = Phase::idle;
  state_.status = kReady;
  state_.buffer_size = state_.buffer_position = 0;
  state_.block_sectors = state_.remaining = 0;
}

void AtaDrive::complete() {
  end_transfer();
  state_.error = 0;
  state_.interrupt = true;
}

void AtaDrive::fail(std::uint8_t error_bits) {
  end_transfer();
  state_.error = error_bits;
  state_.status = kReady | ata::kErr;
  state_.interrupt = true;
}

void AtaDrive::fail_at(std::uint32_t sector, std::uint8_t error_bits) {
  state_.sector_count = static_cast<std::uint8_t>(state_.remaining - (sector - state_.next_sector));
  set_address(sector);
  fail(error_bits);
}

void AtaDrive::begin_data(Phase direction, std::uint32_t bytes) {
  assert(bytes <= kBufferBytes);
  state_.phase = direction;
  state_.error = 0;
  state_.status = kReady | ata::kDrq;
  state_.buffer_size = bytes;
  state_.buffer_position = 0;
}

void AtaDrive::wait(Phase phase) {
  state_.phase = phase;
  state_.status = kReady | ata::kBsy;
}

void AtaDrive::retry() {
  switch (state_.phase) {
    case Phase::wait_read:
      continue_read();
      break;
    case Phase::wait_write:
      continue_write();
      break;
    case Phase::wait_verify:
      continue_verify();
      break;
    case Phase::wait_flush:
      continue_flush();
      break;
    case Phase::idle:
    case Phase::data_in:
    case Phase::data_out:
    case Phase::reset:
      break;
  }
}

// --- Addresses ---

bool AtaDrive::address(std::uint32_t& sector) const {
  const State& s = state_;
  const std::uint32_t head = s.device & 0x0fu;
  const std::uint32_t middle = static_cast<std::uint32_t>(s.lba_high) << 8 | s.lba_mid;
  if ((s.device & ata::kLba) != 0) {
    sector = head << 24 | middle << 8 | s.lba_low;
  } else {
    if (s.lba_low == 0 || s.lba_low > s.sectors_per_track || head >= s.heads) return false;
    sector = (middle * s.heads + head) * s.sectors_per_track + s.lba_low - 1;
  }
  return sector < capacity_;
}

void AtaDrive::set_address(std::uint32_t sector) {
  State& s = state_;
  std::uint32_t head = sector >> 24, middle = sector >> 8, low = sector;
  if ((s.device & ata::kLba) == 0) {
    low = sector % s.sectors_per_track + 1;
    head = sector / s.sectors_per_track % s.heads;
    middle = sector / s.sectors_per_track / s.heads;
  }
  s.lba_low = static_cast<std::uint8_t>(low);
  s.lba_mid = static_cast<std::uint8_t>(middle);
  s.lba_high = static_cast<std::uint8_t>(middle >> 8);
  s.device = static_cast<std::uint8_t>((s.device & 0xf0) | (head & 0x0f));
}

/// Starts a command on the sectors of the task file; false when it has failed instead.
bool AtaDrive::begin_sectors(std::uint32_t sectors_per_block) {
  std::uint32_t first = 0;
  if (!address(first)) {
    fail(ata::kIdnf);
    return false;
  }
  state_.next_sector = first;
  state_.remaining = state_.sector_count == 0 ? 256 : state_.sector_count;
  state_.sectors_per_block = sectors_per_block;
  state_.standby = false;
  if (state_.remaining > capacity_ - first) {
    fail_at(capacity_, ata::kIdnf);
    return false;
  }
  return true;
}

/// The block in work is done: the task file shows what is left, at the end the last sector.
void AtaDrive::advance() {
  state_.next_sector += state_.block_sectors;
  state_.remaining -= state_.block_sectors;
  state_.sector_count = static_cast<std::uint8_t>(state_.remaining);
  set_address(state_.remaining != 0 ? state_.next_sector : state_.next_sector - 1);
}

// --- Transfers ---

/// Reads the block in work; after an error sector by sector, to find the one that fails.
BlockStatus AtaDrive::read_block(std::uint32_t& failed_sector) {
  const auto bytes = std::as_writable_bytes(std::span{buffer_});
  const BlockStatus whole = device_->read(state_.next_sector, bytes.first(state_.block_sectors * kSectorSize));
  if (whole != BlockStatus::error) return whole;
  for (std::uint32_t i = 0; i < state_.block_sectors; ++i) {
    const BlockStatus one = device_->read(state_.next_sector + i, bytes.subspan(i * kSectorSize, kSectorSize));
    if (one == BlockStatus::pending) return one;
    if (one == BlockStatus::error) {
      failed_sector = state_.next_sector + i;
      report("read", failed_sector);
      return one;
    }
  }
  return BlockStatus::done;
}

BlockStatus AtaDrive::write_block(std::uint32_t& failed_sector) {
  const auto bytes = std::as_bytes(std::span{buffer_});
  const BlockStatus whole = device_->write(state_.next_sector, bytes.first(state_.block_sectors * kSectorSize));
  if (whole != BlockStatus::error) return whole;
  for (std::uint32_t i = 0; i < state_.block_sectors; ++i) {
    const BlockStatus one = device_->write(state_.next_sector + i, bytes.subspan(i * kSectorSize, kSectorSize));
    if (one == BlockStatus::pending) return one;
    if (one == BlockStatus::error) {
      failed_sector = state_.next_sector + i;
      report("write", failed_sector);
      return one;
    }
  }
  return BlockStatus::done;
}

void AtaDrive::continue_read() {
  state_.block_sectors = std::min(state_.remaining, state_.sectors_per_block);
  std::uint32_t failed = 0;
  switch (read_block(failed)) {
    case BlockStatus::pending:
      wait(Phase::wait_read);
      break;
    case BlockStatus::error:
      fail_at(failed, ata::kUnc);
      break;
    case BlockStatus::done:
      bytes_read_ += state_.block_sectors * kSectorSize;
      begin_data(Phase::data_in, state_.block_sectors * kSectorSize);
      state_.interrupt = true;
      break;
  }
}

void AtaDrive::next_write_block() {
  state_.block_sectors = std::min(state_.remaining, state_.sectors_per_block);
  begin_data(Phase::data_out, state_.block_sectors * kSectorSize);
}

void AtaDrive::continue_write() {
  std::uint32_t failed = 0;
  switch (write_block(failed)) {
    case BlockStatus::pending:
      wait(Phase::wait_write);
      return;
    case BlockStatus::error:
      fail_at(failed, ata::kAbrt);
      return;
    case BlockStatus::done:
      break;
  }
  bytes_written_ += state_.block_sectors * kSectorSize;
  advance();
  if (state_.remaining != 0) {
    next_write_block();
    state_.interrupt = true;
  } else if (!state_.write_cache) {
    continue_flush();
  } else {
    complete();
  }
}

void AtaDrive::continue_verify() {
  while (state_.remaining != 0) {
    state_.block_sectors = std::min(state_.remaining, state_.sectors_per_block);
    std::uint32_t failed = 0;
    switch (read_block(failed)) {
      case BlockStatus::pending:
        wait(Phase::wait_verify);
        return;
      case BlockStatus::error:
        fail_at(failed, ata::kUnc);
        return;
      case BlockStatus::done:
        advance();
        break;
    }
  }
  complete();
}

void AtaDrive::continue_flush() {
  switch (device_->flush()) {
    case BlockStatus::pending:
      wait(Phase::wait_flush);
      break;
    case BlockStatus::error:
      report("flush", 0);
      fail(ata::kAbrt);
      break;
    case BlockStatus::done:
      complete();
      break;
  }
}

std::size_t AtaDrive::read_data(std::span<std::byte> out) {
  std::size_t moved = 0;
  while (moved < out.size() && state_.phase == Phase::data_in) {
    const std::size_t count = std::min<std::size_t>(out.size() - moved, state_.buffer_size - state_.buffer_position);
    std::memcpy(out.data() + moved, buffer_.data() + state_.buffer_position, count);
    moved += count;
    state_.buffer_position += static_cast<std::uint32_t>(count);
    if (state_.buffer_position < state_.buffer_size) break;
    if (state_.block_sectors != 0) advance();
    if (state_.remaining != 0) {
      continue_read();
    } else {
      end_transfer();
    }
  }
  return moved;
}

std::size_t AtaDrive::write_data(std::span<const std::byte> data) {
  std::size_t moved = 0;
  while (moved < data.size() && state_.phase == Phase::data_out) {
    const std::size_t count = std::min<std::size_t>(data.size() - moved, state_.buffer_size - state_.buffer_position);
    std::memcpy(buffer_.data() + state_.buffer_position, data.data() + moved, count);
    moved += count;
    state_.buffer_position += static_cast<std::uint32_t>(count);
    if (state_.buffer_position == state_.buffer_size) continue_write();
  }
  return moved;
}

// --- Commands ---

void AtaDrive::command(std::uint8_t code) {
  if ((state_.status & ata::kBsy) != 0 || state_.sleeping) return;
  end_transfer();
  state_.interrupt = false;
  if ((code & 0xf0) == kRecalibrate) return complete();
  if ((code & 0xf0) == kSeek) return seek();
  switch (code) {
    case kReadSectors:
    case kReadSectorsNoRetry:
      return read_sectors(1);
    case kReadMultiple:
      return read_sectors(state_.multiple);
    case kWriteSectors:
    case kWriteSectorsNoRetry:
      return write_sectors(1);
    case kWriteMultiple:
      return write_sectors(state_.multiple);
    case kReadVerify:
    case kReadVerifyNoRetry:
      return read_verify();
    case kIdentifyDevice:
      return identify();
    case kInitializeParameters:
      return initialize_parameters();
    case kSetMultiple:
      return set_multiple();
    case kSetFeatures:
      return set_features();
    case kReadNativeMax:
      return read_native_max();
    case kFlushCache:
      return continue_flush();
    case kCheckPowerMode:
    case kCheckPowerModeOld:
      return check_power();
    case kStandby:
    case kStandbyOld:
    case kStandbyImmediate:
    case kStandbyImmediateOld:
      state_.standby = true;
      return continue_flush();
    case kIdle:
    case kIdleOld:
    case kIdleImmediate:
    case kIdleImmediateOld:
      state_.standby = false;
      return complete();
    case kSleep:
    case kSleepOld:
      state_.sleeping = true;
      return continue_flush();
    default:
      return fail(ata::kAbrt);
  }
}

void AtaDrive::read_sectors(std::uint32_t sectors_per_block) {
  if (sectors_per_block == 0) return fail(ata::kAbrt);
  if (begin_sectors(sectors_per_block)) continue_read();
}

void AtaDrive::write_sectors(std::uint32_t sectors_per_block) {
  if (sectors_per_block == 0 || device_->read_only()) return fail(ata::kAbrt);
  if (begin_sectors(sectors_per_block)) next_write_block();
}

void AtaDrive::read_verify() {
  if (begin_sectors(kMaxMultiple)) continue_verify();
}

void AtaDrive::identify() {
  const AtaIdentifyFacts facts{.capacity = capacity_,
                               .current_heads = state_.heads,
                               .current_sectors_per_track = state_.sectors_per_track,
                               .max_multiple = kMaxMultiple,
                               .multiple = state_.multiple,
                               .write_cache = state_.write_cache,
                               .look_ahead = state_.look_ahead};
  std::size_t at = 0;
  for (const std::uint16_t word : ata_identify_words(identity_, facts)) {
    buffer_[at++] = static_cast<std::uint8_t>(word & 0xff);
    buffer_[at++] = static_cast<std::uint8_t>(word >> 8);
  }
  begin_data(Phase::data_in, kSectorSize);
  state_.interrupt = true;
}

void AtaDrive::initialize_parameters() {
  if (state_.sector_count == 0) return fail(ata::kAbrt);
  state_.sectors_per_track = state_.sector_count;
  state_.heads = static_cast<std::uint8_t>((state_.device & 0x0f) + 1);
  complete();
}

/// A block size that is not supported disables READ and WRITE MULTIPLE, as does 0.
void AtaDrive::set_multiple() {
  const std::uint8_t count = state_.sector_count;
  const bool supported = count <= kMaxMultiple && (count & (count - 1)) == 0;
  state_.multiple = supported ? count : std::uint8_t{0};
  if (!supported) return fail(ata::kAbrt);
  complete();
}

void AtaDrive::set_features() {
  switch (state_.features) {
    case kEnableWriteCache:
      state_.write_cache = true;
      return complete();
    case kDisableWriteCache:
      state_.write_cache = false;
      return continue_flush();
    case kEnableLookAhead:
      state_.look_ahead = true;
      return complete();
    case kDisableLookAhead:
      state_.look_ahead = false;
      return complete();
    case kSetTransferMode: {
      const bool pio_default = state_.sector_count <= 1;
      const bool pio_flow_control = state_.sector_count >= 0x08 && state_.sector_count <= 0x0c;
      return pio_default || pio_flow_control ? complete() : fail(ata::kAbrt);
    }
    default:
      return fail(ata::kAbrt);
  }
}

void AtaDrive::seek() {
  std::uint32_t sector = 0;
  return address(sector) ? complete() : fail(ata::kIdnf);
}

void AtaDrive::read_native_max() {
  set_address(capacity_ - 1);
  complete();
}

void AtaDrive::check_power() {
  state_.sector_count = state_.standby ? 0x00 : 0xff;
  complete();
}

void AtaDrive::report(const char* what, std::uint32_t sector) {
  if (!log_ || reports_ > kMaxReports) return;
  if (reports_++ == kMaxReports) return log_(LogLevel::error, name_ + ": further disk errors are not logged");
  log_(LogLevel::error, name_ + ": " + what + " failed at sector " + std::to_string(sector) + ": " + device_->last_error());
}

}  // namespace tuxarium::devices
