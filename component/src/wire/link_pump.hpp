// Carries frames between a serial port and a network link.
#pragma once

#include <tuxarium/network_link.hpp>
#include <tuxarium/serial_port.hpp>

#include "wire/frame_stream.hpp"

namespace tuxarium::wire {

/// The host's end of ttyS1 when a network is configured.
class LinkPump {
 public:
  /// Both must outlive this object. `link` may be nullptr: then nothing happens.
  LinkPump(SerialPort& port, NetworkLink* link) : port_{&port}, link_{link} {}

  /// Moves what has come on either side, as far as there is room. Costs next to nothing when there is nothing.
  void pump() {
    if (link_ == nullptr) return;
    if (port_->readable() != 0) from_guest();
    to_guest();
  }

  /// True when the guest has sent a frame to one station since the last call and waiting for an answer is worth the host's time: after some waits in vain only
  /// one frame in many is waited for, until an answer comes.
  bool expects_answer();
  /// How such a wait ended.
  void waited(bool answered) { patience_ = answered ? kPatience : patience_ - (patience_ != 0 ? 1u : 0u); }
  /// Frames handed to the guest.
  std::uint64_t received() const { return received_; }

  /// After a reset of the port: the rest of a half-sent frame will not come.
  void reset() { assembler_.reset(); }

  template <class Visitor>
  void visit_state(Visitor& v) {
    assembler_.visit_state(v);
  }

 private:
  static constexpr unsigned kPatience = 8;         // waits in vain
  static constexpr unsigned kOneInMany = 4;        // frames

  void from_guest();
  void to_guest();

  SerialPort* port_;
  NetworkLink* link_;
  FrameAssembler assembler_;
  std::uint64_t received_ = 0;
  bool sent_ = false;
  unsigned patience_ = kPatience, passed_over_ = 0;
};

}  // namespace tuxarium::wire
