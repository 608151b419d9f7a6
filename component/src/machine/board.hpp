// The board: owns the processor, the RAM and every device, and wires them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <tuxarium/machine.hpp>

#include "bus/port_bus.hpp"
#include "cpu/cpu.hpp"
#include "devices/ata_channel.hpp"
#include "devices/clipboard_port.hpp"
#include "devices/i8042.hpp"
#include "devices/i8254.hpp"
#include "devices/i8259a.hpp"
#include "devices/mc146818.hpp"
#include "devices/post_port.hpp"
#include "devices/uart16550a.hpp"
#include "machine/boot_plan.hpp"
#include "memory/guest_ram.hpp"
#include "time/guest_clock.hpp"
#include "time/time_bases.hpp"
#include "wire/frame_pacer.hpp"
#include "wire/link_pump.hpp"

namespace tuxarium::machine {

/// What the run loop has to act on after the processor came back.
enum class BoardRequest : std::uint8_t { none, reset };

class Board final : private cpu::CpuBus, private devices::IntrPin, private devices::ResetPin, private time::CycleCounter {
 public:
  /// `config` is complete and checked; `boot`, `hda` and `hdb` in it have been moved out by the caller as needed.
  Board(const Config& config, std::unique_ptr<BlockDevice> hda, std::unique_ptr<BlockDevice> hdb, std::shared_ptr<Clipboard> clipboard,
        std::uint64_t seed);

  /// False when the host had no memory for the RAM.
  bool ok() const { return ram_.ok(); }

  /// Power-on: RAM cleared, devices reset, `plan` placed.
  void power_on(const BootPlan& plan, std::int64_t unix_time);

  cpu::Cpu& cpu() { return cpu_; }
  const cpu::Cpu& cpu() const { return cpu_; }
  memory::GuestRam& ram() { return ram_; }
  /// RAM or ROM at a guest-physical address, or nullptr when not all of it is memory.
  const std::byte* memory_at(std::uint32_t address, std::size_t count) const;
  bus::PortBus& ports() { return ports_; }
  time::GuestClock& clock() { return clock_; }
  devices::I8259aPair& pic() { return pic_; }
  const time::CycleTimeBase& cycle_time() const { return cycle_time_; }
  bool deterministic() const { return deterministic_; }

  SerialPort& serial(unsigned index) { return index == 0 ? static_cast<SerialPort&>(serial0_) : paced_serial1_; }
  Clipboard& clipboard() { return *clipboard_; }
  bool disk_waiting() const { return ata_.waiting(); }
  std::uint64_t disk_bytes_read() const { return ata_.bytes_read(); }
  std::uint64_t disk_bytes_written() const { return ata_.bytes_written(); }

  /// Delivers an event whose deadline has come.
  void take_event(time::EventSlot slot);
  /// Every input of the master interrupt controller is masked: a halted processor stays halted.
  bool interrupts_masked() { return pic_.master().state().imr == 0xff; }
  /// The processor has halted until the next interrupt.
  void processor_idle() { paced_serial1_.guest_idle(); }
  /// Moves frames between ttyS1 and the network link.
  void pump_network() {
    paced_serial1_.slice_begins(serial1_.flow_controlled(), retired_cycles());
    link_pump_.pump();
  }
  wire::LinkPump& link_pump() { return link_pump_; }
  /// What devices asked for since the last call.
  BoardRequest take_request();

  std::uint64_t state_hash();

 private:
  // Pins of the processor.
  std::uint32_t port_read(std::uint16_t port, unsigned width) override { return ports_.read(port, width); }
  void port_write(std::uint16_t port, unsigned width, std::uint32_t value) override { ports_.write(port, width, value); }
  std::size_t port_block(std::uint16_t port, unsigned width) override { return ports_.block(port, width); }
  void port_read_block(std::uint16_t port, unsigned width, std::span<std::byte> data) override { ports_.read_block(port, width, data); }
  void port_write_block(std::uint16_t port, unsigned width, std::span<const std::byte> data) override {
    ports_.write_block(port, width, data);
  }
  std::uint8_t acknowledge_interrupt() override { return pic_.acknowledge(); }
  std::uint64_t time_stamp() override;
  std::uint32_t memory_read(std::uint32_t address, unsigned width) override;
  void memory_write(std::uint32_t address, unsigned width, std::uint32_t value) override;
  void fpu_error(bool level) override;

  // Pins of the devices.
  void set_intr(bool level) override { cpu_.set_intr(level); }
  void request_reset() override;
  std::uint64_t retired_cycles() const override { return cpu_.retired() - cycles_at_power_on_; }

  void wire_ports();
  void map_rom(std::span<const std::byte> rom);

  bool deterministic_;
  std::uint64_t seed_;
  std::uint64_t cycles_at_power_on_ = 0;
  BoardRequest request_ = BoardRequest::none;

  memory::GuestRam ram_;
  std::vector<std::byte> rom_;
  cpu::Cpu cpu_;
  time::HostTimeBase host_time_;
  time::CycleTimeBase cycle_time_;
  time::GuestClock clock_;
  bus::PortBus ports_;
  std::unique_ptr<BlockDevice> hda_, hdb_;
  std::shared_ptr<Clipboard> clipboard_;

  devices::I8259aPair pic_;
  devices::I8254 pit_;
  devices::SystemControlPort system_control_;
  devices::Mc146818 rtc_;
  devices::I8042 keyboard_;
  devices::Uart16550a serial0_, serial1_;
  wire::PacedSerialPort paced_serial1_;
  wire::LinkPump link_pump_;
  devices::AtaChannel ata_;
  devices::ClipboardPort clipboard_port_;
  devices::PostPort post_;
};

}  // namespace tuxarium::machine
