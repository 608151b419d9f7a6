// Wakes a thread that sleeps in poll().
#pragma once

#include <array>

namespace tuxarium::net {

class WakeSignal {
 public:
  /// Without descriptors, when the system has none: see valid().
  WakeSignal();
  WakeSignal(const WakeSignal&) = delete;
  WakeSignal& operator=(const WakeSignal&) = delete;
  ~WakeSignal();

  bool valid() const { return ends_[0] >= 0; }

  /// Readable from set() to clear().
  int descriptor() const { return ends_[0]; }

  /// From any thread; never blocks.
  void set();
  void clear();

 private:
  std::array<int, 2> ends_{-1, -1};  // a pipe
};

}  // namespace tuxarium::net
