#include "time/guest_clock.hpp"

#include <algorithm>

namespace tuxarium::time {

Nanoseconds GuestClock::now() {
  const Nanoseconds target = base_->elapsed() + offset_;
  now_ = std::max(now_, std::min(target, next_));
  return now_;
}

Nanoseconds GuestClock::lag() { return base_->elapsed() + offset_ - now(); }

void GuestClock::schedule(EventSlot slot, Nanoseconds at) {
  deadlines_[static_cast<std::size_t>(slot)] = at;
  next_ = *std::min_element(deadlines_.begin(), deadlines_.end());
}

std::optional<EventSlot> GuestClock::take_due() {
  if (now() < next_) return std::nullopt;
  const auto it = std::min_element(deadlines_.begin(), deadlines_.end());
  const auto slot = static_cast<EventSlot>(it - deadlines_.begin());
  cancel(slot);
  return slot;
}

void GuestClock::skip(Nanoseconds span) {
  const Nanoseconds limit = next_ == kNever ? span : std::max<Nanoseconds>(next_ - now(), 0);
  offset_ += std::min(span, limit);
}

void GuestClock::reset() {
  deadlines_.fill(kNever);
  next_ = kNever;
  offset_ -= base_->elapsed() + offset_;
  now_ = 0;
}

}  // namespace tuxarium::time
