// The guest's clock and its event slots.
//
// Guest time is a count of nanoseconds since power-on. It never runs backwards and never passes an event that has not been taken: while
// the guest is behind (a late frame, a hidden window), time stands at the next event until the machine has taken it, so that every timer
// tick happens. Where time comes from is a TimeBase's business.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace tuxarium::time {

/// Guest time or a span of it, in nanoseconds.
using Nanoseconds = std::int64_t;

inline constexpr Nanoseconds kNever = std::numeric_limits<Nanoseconds>::max();

/// Everything that can happen at a time of its own. One slot each: scheduling again replaces.
enum class EventSlot : std::uint8_t {
  pit_channel0,     ///< 8254 channel 0 output changes
  rtc,              ///< MC146818 periodic, alarm or update interrupt
  serial0,          ///< 16550A at 0x3F8: receive timeout
  serial1,          ///< 16550A at 0x2F8: receive timeout
  serial1_framing,  ///< a piece of a frame for ttyS1 has waited long enough
  disk,             ///< the drive asks a pending block device again
  count,
};

/// Raw time since power-on, in nanoseconds: the host's clock or retired instructions.
class TimeBase {
 public:
  virtual Nanoseconds elapsed() = 0;

 protected:
  ~TimeBase() = default;
};

class GuestClock {
 public:
  explicit GuestClock(TimeBase& base) : base_{&base} { deadlines_.fill(kNever); }

  /// Guest time now: follows the base, but stops at the earliest deadline until take_due() has delivered it.
  Nanoseconds now();

  /// How far the base is ahead of guest time: above 0 while events wait to be taken.
  Nanoseconds lag();

  /// Sets the deadline of a slot; one that is already past is due at once.
  void schedule(EventSlot slot, Nanoseconds at);
  void cancel(EventSlot slot) { schedule(slot, kNever); }
  Nanoseconds deadline(EventSlot slot) const { return deadlines_[static_cast<std::size_t>(slot)]; }
  Nanoseconds next_deadline() const { return next_; }

  /// The earliest slot whose deadline has come, cleared; nothing when none has. Of equal deadlines the lower slot is first.
  std::optional<EventSlot> take_due();

  /// What the base reads when guest time is `at`, as long as nothing is skipped.
  Nanoseconds base_time(Nanoseconds at) const { return at - offset_; }

  /// Moves guest time forward at once, at most to the next deadline: the processor was halted (only for a base that stands still then).
  void skip(Nanoseconds span);

  void reset();

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(deadlines_);
    v(now_);
  }

 private:
  TimeBase* base_;
  std::array<Nanoseconds, static_cast<std::size_t>(EventSlot::count)> deadlines_{};
  Nanoseconds next_ = kNever;   // earliest of deadlines_
  Nanoseconds now_ = 0;         // latest time that was told
  Nanoseconds offset_ = 0;      // guest time = base + offset_
};

}  // namespace tuxarium::time
