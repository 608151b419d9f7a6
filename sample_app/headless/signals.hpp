// The signals that ask the program to end.
#pragma once

namespace tuxarium::app {

/// Catches SIGINT, SIGTERM, SIGHUP and SIGQUIT while it lives, unless they were ignored, and ignores SIGPIPE. The first signal is noted
/// and makes descriptor() readable; a second one gives the terminal back and ends the program at once. One object in a process.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  /// The number of the signal that came, or 0.
  int received() const;

  /// For poll(): readable once a signal has come. -1 if the system refused a pipe.
  int descriptor() const;
};

/// Ends the process the way `number` ends one by default, so that the parent sees which signal it was.
[[noreturn]] void end_by_signal(int number);

}  // namespace tuxarium::app
