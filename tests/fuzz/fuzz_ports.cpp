// Random port accesses, host bytes and passing time into all chips of the board.
//
// Input: a string of 4-byte commands [what][place][value][value]. Besides the absence of crashes it checks what holds for any guest:
// time does not run backwards, event slots do not flood, queues keep their bounds.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include <tuxarium/clipboard.hpp>

#include "base/state_visitor.hpp"
#include "bus/port_bus.hpp"
#include "devices/clipboard_port.hpp"
#include "devices/i8042.hpp"
#include "devices/i8254.hpp"
#include "devices/i8259a.hpp"
#include "devices/mc146818.hpp"
#include "devices/post_port.hpp"
#include "devices/uart16550a.hpp"
#include "machine/port_map.hpp"
#include "time/guest_clock.hpp"
#include "wire/frame_pacer.hpp"

namespace {

using namespace tuxarium;

void require(bool condition) {
  if (!condition) std::abort();
}

class FuzzTime final : public time::TimeBase {
 public:
  time::Nanoseconds elapsed() override { return value_; }
  void advance(time::Nanoseconds span) { value_ += span; }

 private:
  time::Nanoseconds value_ = 0;
};

class NoReset final : public devices::ResetPin {
 public:
  void request_reset() override {}
};

class Board {
 public:
  Board() {
    const auto map = [&](bus::PortRange range, bus::PortDevice& device) { require(bus_.map(range, device)); };
    map(machine::kPicMasterPorts, pic_);
    map(machine::kPicSlavePorts, pic_);
    map(machine::kPitPorts, pit_);
    map(machine::kSystemControlPort, control_);
    map(machine::kKeyboardDataPort, keyboard_);
    map(machine::kKeyboardCommandPort, keyboard_);
    map(machine::kRtcPorts, rtc_);
    map(machine::kPostPort, post_);
    map(machine::kSerial1Ports, serial1_);
    map(machine::kClipboardPorts, clipboard_port_);
    map(machine::kSerial0Ports, serial0_);
  }

  void command(std::uint8_t what, std::uint8_t place, std::uint16_t value) {
    switch (what % 8) {
      case 0:
      case 1:
      case 2:
        bus_.write(port(place), 1, value & 0xffu);
        break;
      case 3:
        bus_.write(port(place), 1u << (value % 3), value * 0x01010101u);
        break;
      case 4:
        bus_.read(port(place), 1u << (value % 3));
        break;
      case 5:
        pass_time(std::int64_t{value} * (place % 4 == 0 ? 1'000'003 : 997));
        break;
      case 6:
        host(place, value);
        break;
      default:
        pic_.acknowledge();
    }
    require(serial0_.readable() <= devices::Uart16550a::kQueueBytes);
    require(paced_.writable() <= wire::PacedSerialPort::kQueueBytes);
  }

  std::uint64_t digest() {
    base::HashVisitor v;
    pic_.visit_state(v);
    pit_.visit_state(v);
    control_.visit_state(v);
    keyboard_.visit_state(v);
    rtc_.visit_state(v);
    post_.visit_state(v);
    serial0_.visit_state(v);
    serial1_.visit_state(v);
    clipboard_port_.visit_state(v);
    paced_.visit_state(v);
    return v.digest();
  }

 private:
  static std::uint16_t port(std::uint8_t place) {
    static constexpr std::array<bus::PortRange, 11> kRanges{
        machine::kPicMasterPorts,   machine::kPicSlavePorts,       machine::kPitPorts,    machine::kSystemControlPort,
        machine::kKeyboardDataPort, machine::kKeyboardCommandPort, machine::kRtcPorts,    machine::kPostPort,
        machine::kSerial1Ports,     machine::kClipboardPorts,      machine::kSerial0Ports};
    const bus::PortRange range = kRanges[place % kRanges.size()];
    return static_cast<std::uint16_t>(range.first + place / kRanges.size() % range.count);
  }

  void host(std::uint8_t place, std::uint16_t value) {
    std::array<std::byte, 300> bytes;
    bytes.fill(static_cast<std::byte>(value));
    bytes[0] = std::byte{0};
    const auto piece = std::span(bytes).first(value % bytes.size());
    switch (place % 6) {
      case 0:
        serial0_.write(piece);
        break;
      case 1:
        serial0_.read(piece);
        break;
      case 2:
        paced_.write(piece);
        break;
      case 3:
        paced_.read(piece);
        break;
      case 4:
        paced_.guest_idle();
        break;
      default:
        pic_.set_irq(value % 16u, (value & 0x100) != 0);
    }
  }

  /// At most `kMostEvents` events: the fastest legal timer has one each two input clocks.
  void pass_time(time::Nanoseconds span) {
    constexpr int kMostEvents = 2000;
    base_.advance(span);
    for (int i = 0; i < kMostEvents; ++i) {
      const time::Nanoseconds deadline = clock_.next_deadline();
      const auto slot = clock_.take_due();
      if (!slot) return;
      if (*slot == time::EventSlot::pit_channel0) pit_.on_event();
      if (*slot == time::EventSlot::rtc) rtc_.on_event();
      if (*slot == time::EventSlot::serial1_framing) paced_.on_event();
      require(clock_.deadline(*slot) > deadline);
      require(clock_.now() >= deadline);
    }
  }

  FuzzTime base_;
  time::GuestClock clock_{base_};
  bus::PortBus bus_;
  NoReset no_reset_;
  ClipboardBuffer clipboard_;
  devices::I8259aPair pic_;
  devices::I8254 pit_{bus::IrqLine{pic_, machine::kIrqTimer}, clock_, machine::kPitFrequency};
  devices::SystemControlPort control_{pit_, clock_};
  devices::I8042 keyboard_{bus::IrqLine{pic_, 1}, no_reset_};
  devices::Mc146818 rtc_{bus::IrqLine{pic_, machine::kIrqRtc}, clock_, {.unix_time = 1'593'604'800, .phase = 0, .ram_bytes = 16u << 20}};
  devices::PostPort post_;
  devices::Uart16550a serial0_{bus::IrqLine{pic_, machine::kIrqSerial0}};
  devices::Uart16550a serial1_{bus::IrqLine{pic_, machine::kIrqSerial1}};
  wire::PacedSerialPort paced_{serial1_, clock_, time::EventSlot::serial1_framing};
  devices::ClipboardPort clipboard_port_{clipboard_, clock_, 10'000};
};

std::uint64_t run(std::span<const std::uint8_t> input) {
  Board board;
  for (; input.size() >= 4; input = input.subspan(4)) {
    board.command(input[0], input[1], static_cast<std::uint16_t>(input[2] | input[3] << 8));
  }
  return board.digest();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span input(data, size);
  require(run(input) == run(input));
  return 0;
}
