// Keeps Ethernet frames whole on their way into the guest's ttyS1.
//
// The stream from the host is [u16 big-endian length][frame]. A guest program that reads such a stream from a Linux tty loses its place
// when a frame reaches it in two pieces, or when more piles up than the tty's 4096 bytes. So frames are released whole, and no more than
// the tty holds until the guest must have taken them. That is proven by three things in this order, once the UART is empty: the processor
// goes idle (the interrupt handler is over: it has left the bytes to work that old kernels put off to the next timer tick), a timer tick,
// and the processor goes idle again (the work is done, and every program that it woke has read what there was). A guest without ticks while
// idle is given time instead, and so is one that never goes idle. Anything that does not look like a frame passes as it is, so that the line
// also serves as an ordinary terminal line.
//
// A guest that controls the flow by itself needs no whole frames: its system stops the line before it would lose a byte. But that is done by
// work which must get the processor, and a wire as fast as this one could keep the processor in the interrupt handler for ever. So it too gets
// a window at a time, and the next one as soon as it has gone idle, or has gone on for a while after it has emptied the UART.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tuxarium/serial_port.hpp>

#include "base/byte_ring.hpp"
#include "time/guest_clock.hpp"
#include "wire/frame_stream.hpp"

namespace tuxarium::wire {

/// A SerialPort in front of another one, which need not know of frames. Host to guest is paced; guest to host passes unchanged.
class PacedSerialPort final : public tuxarium::SerialPort {
 public:
  static constexpr std::size_t kWindow = 4095;                    ///< bytes released before the guest must have taken them
  static constexpr std::size_t kFlowWindow = 8192;                ///< the same for a guest that controls the flow
  static constexpr std::uint64_t kFlowCycles = 100'000;           ///< instructions with an empty UART that count as having gone idle
  static constexpr std::size_t kQueueBytes = 64 * 1024;           ///< bytes that wait; at the bound write() accepts fewer
  static constexpr time::Nanoseconds kPieceTimeout = 20'000'000;  ///< an incomplete frame waits this long, then passes as it is
  static constexpr time::Nanoseconds kSettleTime = 21'000'000;    ///< from the empty UART to an idle processor that counts without a tick
  static constexpr time::Nanoseconds kBusyTime = 100'000'000;    ///< from the empty UART until a busy guest is taken to have read

  /// `port` must be empty of bytes for the guest; its writable() must be at its greatest exactly when the guest has taken everything.
  /// `slot` is the event slot that on_event() serves. Both references must outlive this object.
  PacedSerialPort(tuxarium::SerialPort& port, time::GuestClock& clock, time::EventSlot slot)
      : port_{&port}, clock_{&clock}, slot_{slot}, empty_room_{port.writable()}, queue_(kQueueBytes) {}

  std::size_t read(std::span<std::byte> out) override { return port_->read(out); }
  std::size_t write(std::span<const std::byte> data) override;
  std::size_t readable() const override { return port_->readable(); }
  std::size_t writable() const override { return queue_.space(); }
  std::uint64_t bytes_from_guest() const override { return port_->bytes_from_guest(); }
  std::uint64_t bytes_to_guest() const override { return port_->bytes_to_guest(); }

  /// The processor has halted until the next interrupt, and has taken every earlier one.
  void guest_idle();

  /// The timer chip has interrupted.
  void timer_tick() {
    if (state_.progress == Progress::idle) state_.progress = Progress::ticked;
  }

  /// To be told once a slice. `flow_controlled`: the guest stops the line by itself; `cycles`: its instructions so far.
  void slice_begins(bool flow_controlled, std::uint64_t cycles) {
    flow_controlled_ = flow_controlled;
    if (flow_controlled && state_.in_flight != 0) continue_window(cycles);
  }

  /// The slot's deadline has come.
  void on_event();

  /// Drops what waits; call after the other port's reset.
  void reset();

  /// What has happened since the other port was seen empty.
  enum class Progress : std::uint8_t { nothing, idle, ticked };

  struct State {
    time::Nanoseconds emptied_at = time::kNever;   // when the other port was first seen empty after a release
    time::Nanoseconds piece_since = time::kNever;  // since when the head of the queue is an incomplete frame
    time::Nanoseconds event_at = time::kNever;     // what the slot is set to
    std::uint64_t in_flight = 0;                   // bytes released that the guest may not have taken yet
    std::uint64_t busy_since = 0;                  // cycles when the other port was last seen with bytes in it, with flow control
    Progress progress = Progress::nothing;
  };

  const State& state() const { return state_; }
  State& state() { return state_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.emptied_at);
    v(state_.piece_since);
    v(state_.event_at);
    v(state_.in_flight);
    v(state_.busy_since);
    v(state_.progress);
    v(queue_);
  }

 private:
  enum class Head : std::uint8_t { nothing, incomplete, frame, raw };
  Head classify(std::size_t& length) const;
  bool port_empty() const { return port_->writable() >= empty_room_; }
  void observe(time::Nanoseconds now);
  void open_window();
  void continue_window(std::uint64_t cycles);
  void pass_through();
  void pump(time::Nanoseconds now);
  bool release_frame(std::size_t length);
  bool release_raw(std::size_t count);
  void schedule(time::Nanoseconds now);

  tuxarium::SerialPort* port_;
  time::GuestClock* clock_;
  time::EventSlot slot_;
  std::size_t empty_room_;
  base::ByteRing queue_;
  bool flow_controlled_ = false;
  State state_;
};

}  // namespace tuxarium::wire
