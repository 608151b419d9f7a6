#include "machine/board.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "base/state_visitor.hpp"
#include "cpu/flags.hpp"
#include "machine/port_map.hpp"

namespace tuxarium::machine {

namespace {

/// One step of SplitMix64: spreads a seed over 64 bits.
std::uint64_t spread(std::uint64_t seed) {
  if (seed == 0) return 0;
  std::uint64_t z = seed + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

devices::Mc146818::Setup rtc_setup(const Config& config, std::uint64_t seed) {
  devices::Mc146818::Setup setup;
  setup.unix_time = config.rtc_start.value_or(0);
  setup.phase = static_cast<time::Nanoseconds>(spread(seed) % time::kNanosecondsPerSecond);
  setup.ram_bytes = config.ram_bytes;
  return setup;
}

cpu::Model model_of(CpuModel model) {
  switch (model) {
    case CpuModel::jslinux: return cpu::Model::jslinux;
    case CpuModel::i486: return cpu::Model::i486;
    case CpuModel::pentium: return cpu::Model::pentium;
    case CpuModel::i686: return cpu::Model::i686;
    case CpuModel::full: break;
  }
  return cpu::Model::full;
}

devices::DriveIdentity identity_of(const Config& config) {
  devices::DriveIdentity identity;
  if (std::holds_alternative<JslinuxBoot>(config.boot)) {
    identity.model = "JSLinux HARDDISK";
    identity.announce_write_cache = false;
  }
  return identity;
}

/// The old kernels take a TL16C750 for one too, but the old system's port 1 is known as a chip without flow control.
devices::UartModel uart_model(const Config& config) {
  return std::holds_alternative<JslinuxBoot>(config.boot) ? devices::UartModel::pc16550d : devices::UartModel::tl16c750;
}

}  // namespace

Board::Board(const Config& config, std::unique_ptr<BlockDevice> hda, std::unique_ptr<BlockDevice> hdb, std::shared_ptr<Clipboard> clipboard,
             std::uint64_t seed)
    : deterministic_{config.time == TimeSource::cycles},
      seed_{seed},
      ram_{static_cast<std::uint32_t>(config.ram_bytes)},
      cpu_{ram_, *this, model_of(config.cpu), {.sse3 = config.cpu_extensions.sse3, .popcnt = config.cpu_extensions.popcnt}},
      cycle_time_{*this, config.cycles_per_second},
      clock_{deterministic_ ? static_cast<time::TimeBase&>(cycle_time_) : host_time_},
      hda_{std::move(hda)},
      hdb_{std::move(hdb)},
      clipboard_{std::move(clipboard)},
      pic_{*this},
      pit_{bus::IrqLine{pic_, kIrqTimer}, clock_, kPitFrequency},
      system_control_{pit_, clock_},
      rtc_{bus::IrqLine{pic_, kIrqRtc}, clock_, rtc_setup(config, seed)},
      keyboard_{bus::IrqLine{}, *this},
      serial0_{bus::IrqLine{pic_, kIrqSerial0}, uart_model(config)},
      serial1_{bus::IrqLine{pic_, kIrqSerial1}, uart_model(config)},
      paced_serial1_{serial1_, clock_, time::EventSlot::serial1_framing},
      link_pump_{paced_serial1_, config.network.get()},
      ata_{bus::IrqLine{pic_, kIrqIde}, clock_, hda_.get(), hdb_.get(), config.log, identity_of(config), {}},
      clipboard_port_{*clipboard_, clock_, config.clipboard_limit, config.log} {
  wire_ports();
}

void Board::wire_ports() {
  [[maybe_unused]] const bool no_overlap =
      ports_.map(kPicMasterPorts, pic_) && ports_.map(kPicSlavePorts, pic_) && ports_.map(kPitPorts, pit_) &&
      ports_.map(kSystemControlPort, system_control_) && ports_.map(kKeyboardDataPort, keyboard_) &&
      ports_.map(kKeyboardCommandPort, keyboard_) && ports_.map(kRtcPorts, rtc_) && ports_.map(kPostPort, post_) &&
      ports_.map(kIdeCommandPorts, ata_) && ports_.map(kIdeControlPort, ata_) && ports_.map(kSerial0Ports, serial0_) &&
      ports_.map(kSerial1Ports, serial1_) && ports_.map(kClipboardPorts, clipboard_port_);
  assert(no_overlap);
}

void Board::map_rom(std::span<const std::byte> rom) {
  rom_.clear();
  cpu_.map_rom({});
  if (rom.empty()) return;
  // Whole pages, with the image at the end.
  const std::size_t padded = (rom.size() + memory::kPageSize - 1) & ~std::size_t{memory::kPageSize - 1};
  rom_.assign(padded, std::byte{0xff});
  std::copy(rom.begin(), rom.end(), rom_.end() - static_cast<std::ptrdiff_t>(rom.size()));
  cpu_.map_rom(rom_);
  const std::size_t shadow = std::min<std::size_t>(rom.size(), 0x20000);
  std::memcpy(ram_.data() + (0x100000 - shadow), rom.data() + (rom.size() - shadow), shadow);
}

void Board::power_on(const BootPlan& plan, std::int64_t unix_time) {
  ram_.clear();
  cycles_at_power_on_ = cpu_.retired();
  clock_.reset();
  request_ = BoardRequest::none;
  pic_.reset();
  pit_.reset();
  system_control_.reset();
  rtc_.reset(unix_time);
  keyboard_.reset();
  serial0_.reset();
  serial1_.reset();
  paced_serial1_.reset();
  link_pump_.reset();
  ata_.reset();
  clipboard_port_.reset();
  post_.reset();
  cpu_.reset();
  if (plan.rom.empty()) cpu_.cache_all_memory();
  map_rom(plan.rom);
  for (const Placement& placement : plan.placements) {
    std::memcpy(ram_.data() + placement.address(), placement.bytes().data(), placement.bytes().size());
  }
}

const std::byte* Board::memory_at(std::uint32_t address, std::size_t count) const {
  if (ram_.contains(address, count)) return ram_.data() + address;
  const std::size_t from_end = std::size_t{~address} + 1;  // of the 4 GiB
  if (from_end > rom_.size() || count > from_end) return nullptr;
  return rom_.data() + (rom_.size() - from_end);
}

std::uint64_t Board::time_stamp() { return static_cast<std::uint64_t>(clock_.now()) + (spread(seed_) >> 32); }

std::uint32_t Board::memory_read(std::uint32_t, unsigned) { return 0xffffffffu; }

void Board::memory_write(std::uint32_t, unsigned, std::uint32_t) {}

void Board::fpu_error(bool level) { pic_.set_irq(kIrqFpuError, level); }

void Board::request_reset() {
  request_ = BoardRequest::reset;
  cpu_.request_break();
}

BoardRequest Board::take_request() { return std::exchange(request_, BoardRequest::none); }

void Board::take_event(time::EventSlot slot) {
  switch (slot) {
    case time::EventSlot::pit_channel0:
      pit_.on_event();
      if (pic_.irq_waiting(kIrqTimer)) paced_serial1_.timer_tick();
      break;
    case time::EventSlot::rtc: rtc_.on_event(); break;
    case time::EventSlot::serial1_framing: paced_serial1_.on_event(); break;
    case time::EventSlot::disk: ata_.on_event(); break;
    case time::EventSlot::serial0:
    case time::EventSlot::serial1:
    case time::EventSlot::count: break;
  }
}

std::uint64_t Board::state_hash() {
  base::HashVisitor hash;
  clock_.now();  // when the time was last asked for makes no difference
  cpu::CpuState state = cpu_.state();
  // The same flags can be kept in several ways.
  const std::uint32_t eflags = cpu::get_eflags(state);
  cpu::load_arithmetic_flags(state, eflags);
  hash(state);
  hash(cpu_.x87_digest());
  hash(clock_), hash(pic_), hash(pit_), hash(system_control_), hash(rtc_), hash(keyboard_), hash(serial0_), hash(serial1_);
  hash(paced_serial1_), hash(link_pump_), hash(ata_), hash(clipboard_port_), hash(post_);
  std::uint64_t ram = 0;
  for (std::uint32_t at = 0; at < ram_.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, ram_.data() + at, sizeof(word));
    ram = (ram ^ word) * 0x9e3779b97f4a7c15u;
    ram ^= ram >> 29;
  }
  hash(ram);
  return hash.digest();
}

}  // namespace tuxarium::machine
