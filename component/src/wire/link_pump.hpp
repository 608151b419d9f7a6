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

  /// After a reset of the port: the rest of a half-sent frame will not come.
  void reset() { assembler_.reset(); }

  template <class Visitor>
  void visit_state(Visitor& v) {
    assembler_.visit_state(v);
  }

 private:
  void from_guest();
  void to_guest();

  SerialPort* port_;
  NetworkLink* link_;
  FrameAssembler assembler_;
};

}  // namespace tuxarium::wire
