#include "wire/frame_pacer.hpp"

#include <algorithm>
#include <array>

namespace tuxarium::wire {

std::size_t PacedSerialPort::write(std::span<const std::byte> data) {
  const std::size_t accepted = queue_.push(data);
  if (accepted == 0) return 0;
  if (flow_controlled_) {
    pass_through();
  } else {
    pump(clock_->now());
  }
  return accepted;
}

void PacedSerialPort::guest_idle() {
  if (queue_.empty() && state_.in_flight == 0) return;
  if (flow_controlled_) {
    if (!port_empty()) return;
    open_window();
    return pass_through();
  }
  const time::Nanoseconds now = clock_->now();
  observe(now);
  if (state_.emptied_at != time::kNever) {
    if (state_.progress == Progress::ticked || now - state_.emptied_at >= kSettleTime) {
      open_window();
    } else {
      state_.progress = Progress::idle;
    }
  }
  pump(now);
}

// The clock is not asked: while the guest catches up, it would be ahead of this event.
void PacedSerialPort::on_event() {
  if (state_.event_at != time::kNever && !flow_controlled_) pump(state_.event_at);
}

void PacedSerialPort::reset() {
  queue_.clear();
  state_ = State{};
  clock_->cancel(slot_);
}

/// Notes when the guest has emptied the port, and opens a new window once that was long ago.
void PacedSerialPort::observe(time::Nanoseconds now) {
  if (state_.in_flight == 0 || !port_empty()) return;
  if (state_.emptied_at == time::kNever) state_.emptied_at = now;
  if (now - state_.emptied_at >= kBusyTime) open_window();
}

void PacedSerialPort::open_window() {
  state_.in_flight = 0;
  state_.emptied_at = time::kNever;
  state_.progress = Progress::nothing;
}

void PacedSerialPort::continue_window(std::uint64_t cycles) {
  if (!port_empty()) {
    state_.busy_since = cycles;
  } else if (cycles - state_.busy_since >= kFlowCycles) {
    open_window();
    pass_through();
  }
}

/// Hands on what the window allows, whole frames or not.
void PacedSerialPort::pass_through() {
  if (state_.in_flight < kFlowWindow) release_raw(std::min(queue_.size(), kFlowWindow - static_cast<std::size_t>(state_.in_flight)));
  state_.piece_since = time::kNever;
  if (state_.event_at == time::kNever) return;
  state_.event_at = time::kNever;
  clock_->cancel(slot_);
}

PacedSerialPort::Head PacedSerialPort::classify(std::size_t& length) const {
  if (queue_.empty()) return Head::nothing;
  if (queue_.size() < kLengthBytes) return Head::incomplete;
  length = std::size_t{queue_.peek(0)} << 8 | queue_.peek(1);
  if (length < kMinFrame || length > kMaxFrame) return Head::raw;
  return queue_.size() < kLengthBytes + length ? Head::incomplete : Head::frame;
}

void PacedSerialPort::pump(time::Nanoseconds now) {
  observe(now);
  for (bool moved = true; moved;) {
    std::size_t length = 0;
    const Head head = classify(length);
    if (head == Head::incomplete) {
      if (state_.piece_since == time::kNever) state_.piece_since = now;
      moved = now - state_.piece_since >= kPieceTimeout && release_raw(queue_.size());
    } else {
      state_.piece_since = time::kNever;
      moved = head == Head::frame ? release_frame(kLengthBytes + length) : head == Head::raw && release_raw(1);
    }
  }
  schedule(now);
}

/// Hands on a header and its frame, whole or not at all.
bool PacedSerialPort::release_frame(std::size_t length) {
  if (state_.in_flight + length > kWindow || port_->writable() < length) return false;
  return release_raw(length);
}

/// Hands on up to `count` bytes, whatever they are; false when none fitted.
bool PacedSerialPort::release_raw(std::size_t count) {
  bool moved = false;
  while (count != 0) {
    std::array<std::byte, kLengthBytes + kMaxFrame> piece;
    const std::size_t size = std::min({count, piece.size(), port_->writable()});
    if (size == 0) break;
    queue_.pop(std::span(piece).first(size));
    port_->write(std::span<const std::byte>(piece).first(size));
    state_.in_flight += size;
    state_.emptied_at = time::kNever;
    state_.progress = Progress::nothing;
    count -= size;
    moved = true;
  }
  return moved;
}

void PacedSerialPort::schedule(time::Nanoseconds now) {
  time::Nanoseconds at = time::kNever;
  if (!queue_.empty()) at = now + kBusyTime;  // what waits for the guest is looked at from time to time
  // The port may have filled again by itself (loopback); a look that is overdue is not asked for again.
  if (!queue_.empty() && state_.emptied_at != time::kNever) {
    if (state_.emptied_at + kBusyTime > now) at = state_.emptied_at + kBusyTime;
    if (state_.emptied_at + kSettleTime > now) at = state_.emptied_at + kSettleTime;
  }
  if (state_.piece_since != time::kNever && state_.piece_since + kPieceTimeout > now) at = std::min(at, state_.piece_since + kPieceTimeout);
  state_.event_at = at;
  clock_->schedule(slot_, at);
}

}  // namespace tuxarium::wire
