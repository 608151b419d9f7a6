// The clipboard and boot-time port of JSLinux: a text buffer that guest and host exchange, and a millisecond counter.
//
// There is no data sheet; the registers (32-bit at offsets 0, 4, 8, 12; offset 8 also takes bytes):
//   0 read: takes a snapshot of the host's text into the buffer and gives its length; write: truncates the buffer
//   4 position of the next read
//   8 read: bytes at the position, which moves on, zeros past the end; write: appends to the buffer
//  12 read: milliseconds since power-on; write: hands the buffer to the host
// Bytes are passed as they are, both ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <tuxarium/clipboard.hpp>
#include <tuxarium/log.hpp>

#include "bus/port_device.hpp"
#include "time/guest_clock.hpp"

namespace tuxarium::devices {

class ClipboardPort final : public bus::PortDevice {
 public:
  /// `clipboard` and `clock` must outlive the port. The buffer holds at most `limit` bytes: what the guest appends beyond it is dropped
  /// (and logged once for each text), and a longer host text is cut there.
  ClipboardPort(tuxarium::Clipboard& clipboard, time::GuestClock& clock, std::size_t limit, tuxarium::LogSink log = {})
      : clipboard_{&clipboard}, clock_{&clock}, limit_{limit}, log_{std::move(log)} {}

  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;

  void reset();

  struct State {
    std::string text;
    std::uint32_t position = 0;
    bool overflow_logged = false;
  };

  const State& state() const { return state_; }
  State& state() { return state_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(static_cast<std::uint64_t>(state_.text.size()));
    for (const char c : state_.text) v(c);
    v(state_.position);
    v(state_.overflow_logged);
  }

 private:
  std::uint32_t snapshot();
  std::uint32_t read_text(unsigned width);
  void append(unsigned width, std::uint32_t value);

  tuxarium::Clipboard* clipboard_;
  time::GuestClock* clock_;
  std::size_t limit_;
  tuxarium::LogSink log_;
  State state_;
};

}  // namespace tuxarium::devices
