// National Semiconductor PC16550D (16550A) or Texas Instruments TL16C750 UART at the end of a null-modem cable that is always plugged in.
//
// Sources: National Semiconductor PC16550D data sheet, section 8 "Registers"; Texas Instruments TL16C750 data sheet (SLLS191C), "Principles
// of operation".
// Modelled: all registers, FIFO and character mode, trigger levels, interrupt priorities with the THRE interrupt's latch, loopback, break
// in loopback, modem inputs with deltas, the PC's gating of the interrupt by OUT2; of the TL16C750 also the FIFOs of 64 bytes and automatic
// flow control: with it the wire stands still while the guest has RTS off. (The chip would also drop RTS by itself at the trigger level; here
// that is never needed, see below.) Not modelled: the speed of the wire. A byte that the guest writes is at the host at once; a byte that
// the host writes has arrived and has waited its four character times, so that below the trigger level the time-out interrupt comes at once.
// While bytes wait in the receive queue the FIFO is filled up again at each read, so that a burst is taken in one interrupt and nothing ever
// overruns. A break is not told to the host. Sleep and low-power modes store their bits alone. DMA pins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tuxarium/serial_port.hpp>

#include "base/byte_ring.hpp"
#include "bus/irq_line.hpp"
#include "bus/port_device.hpp"

namespace tuxarium::devices {

enum class UartModel : std::uint8_t { pc16550d, tl16c750 };

/// Port offsets 0-7 as in the data sheet. As a SerialPort it is the host's end of the wire; its calls may change the interrupt line.
/// writable() counts everything that the guest has not taken, FIFO included: it is at its greatest when nothing waits.
class Uart16550a final : public bus::PortDevice, public tuxarium::SerialPort {
 public:
  /// Bytes each way. A full transmit queue keeps the guest's transmitter waiting; a full receive queue makes write() accept less.
  static constexpr std::size_t kQueueBytes = 64 * 1024;
  static constexpr std::size_t kFifoBytes = 16;       ///< the PC16550D's, and the TL16C750's unless told otherwise
  static constexpr std::size_t kLargeFifoBytes = 64;  ///< the TL16C750's in its other mode

  explicit Uart16550a(bus::IrqLine irq, UartModel model = UartModel::pc16550d)
      : irq_{irq}, model_{model}, transmit_queue_(kQueueBytes), receive_queue_(kQueueBytes) {}

  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;

  std::size_t read(std::span<std::byte> out) override;
  std::size_t write(std::span<const std::byte> data) override;
  std::size_t readable() const override { return transmit_queue_.size(); }
  std::size_t writable() const override;
  std::uint64_t bytes_from_guest() const override { return bytes_from_guest_; }
  std::uint64_t bytes_to_guest() const override { return bytes_to_guest_; }

  /// The guest's RTS tells whether it takes bytes: the chip's automatic flow control is on. Whatever is written arrives then, however fast.
  bool flow_controlled() const { return auto_flow() && fifo_enabled(); }

  /// The MR pin. What waits for the guest is dropped; what the guest has sent stays for the host to read.
  void reset();

  struct State {
    std::array<std::uint8_t, kLargeFifoBytes> receive_fifo{};    // a ring from receive_head on
    std::array<std::uint8_t, kLargeFifoBytes> receive_errors{};  // PE, FE, BI of each byte, at their LSR places; 0 where no byte is
    std::array<std::uint8_t, kLargeFifoBytes> transmit_fifo{};
    std::uint8_t receive_head = 0;
    std::uint8_t receive_count = 0;
    std::uint8_t erroneous = 0;       // bytes in the receive FIFO with errors that LSR has not shown yet
    std::uint8_t transmit_count = 0;  // bytes that found the transmit queue full
    std::uint8_t last_received = 0;   // what an empty RBR reads
    std::uint8_t ier = 0, fcr = 0, lcr = 0, mcr = 0, scr = 0;
    std::uint8_t line_errors = 0;      // OE, PE, FE, BI as LSR shows them
    std::uint8_t modem_inputs = 0xb0;  // CTS, DSR, RI, DCD at their MSR places
    std::uint8_t modem_deltas = 0;
    std::uint16_t divisor = 12;
    bool thre_pending = false;  // the THRE interrupt's latch
  };

  const State& state() const { return state_; }
  State& state() { return state_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.receive_fifo);
    v(state_.receive_errors);
    v(state_.transmit_fifo);
    v(state_.receive_head);
    v(state_.receive_count);
    v(state_.erroneous);
    v(state_.transmit_count);
    v(state_.last_received);
    v(state_.ier);
    v(state_.fcr);
    v(state_.lcr);
    v(state_.mcr);
    v(state_.scr);
    v(state_.line_errors);
    v(state_.modem_inputs);
    v(state_.modem_deltas);
    v(state_.divisor);
    v(state_.thre_pending);
    v(transmit_queue_);
    v(receive_queue_);
  }

 private:
  bool divisor_access() const { return (state_.lcr & 0x80) != 0; }
  bool fifo_enabled() const { return (state_.fcr & 0x01) != 0; }
  bool loopback() const { return (state_.mcr & 0x10) != 0; }
  bool transmitter_empty() const { return state_.transmit_count == 0; }
  bool large_fifo() const { return (state_.fcr & 0x20) != 0; }
  bool auto_flow() const { return (state_.mcr & 0x20) != 0; }
  /// The wire moves: not in loopback, and not against the guest's RTS.
  bool receiving() const { return !loopback() && (!auto_flow() || (state_.mcr & 0x02) != 0); }
  std::size_t fifo_depth() const { return !fifo_enabled() ? 1 : large_fifo() ? kLargeFifoBytes : kFifoBytes; }
  std::size_t fifo_index(unsigned offset) const { return (state_.receive_head + offset) % kLargeFifoBytes; }
  unsigned trigger_level() const;

  std::uint8_t read_rbr();
  std::uint8_t read_iir();
  std::uint8_t read_lsr();
  std::uint8_t read_msr();
  void write_thr(std::uint8_t value);
  void write_ier(std::uint8_t value);
  void write_fcr(std::uint8_t value);
  void write_lcr(std::uint8_t value);
  void write_mcr(std::uint8_t value);

  void drain_transmitter();
  void refill_receiver();
  void receive(std::uint8_t byte, std::uint8_t errors);
  void show_errors_of_top();
  void empty_receiver();
  void clear_receiver();
  void clear_transmitter();
  void update_modem_inputs();
  std::uint8_t large_fifo_bit(std::uint8_t value) const;
  std::uint8_t interrupt_id() const;
  bool interrupting() const;
  void update_irq();
  void pulse_irq();

  bus::IrqLine irq_;
  UartModel model_;
  bool irq_level_ = false;  // what irq_ was set to last
  base::ByteRing transmit_queue_;  // guest to host
  base::ByteRing receive_queue_;   // host to guest, behind the FIFO
  std::uint64_t bytes_from_guest_ = 0;
  std::uint64_t bytes_to_guest_ = 0;
  State state_;
};

}  // namespace tuxarium::devices
