// One run of tuxarium-run: the machine, what it is connected to, and the loop between them.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/machine.hpp>
#include <tuxarium/result.hpp>

#include "clipboard_files.hpp"
#include "console.hpp"
#include "network_news.hpp"
#include "network_wake.hpp"
#include "port_log.hpp"
#include "run_options.hpp"
#include "script.hpp"
#include "serial_link.hpp"
#include "signals.hpp"
#include "stats.hpp"

namespace tuxarium::app {

class Session {
 public:
  /// Reads and opens everything, and builds the machine; nothing has run, and no file has lost its content, when it fails.
  static Result<std::unique_ptr<Session>> open(RunOptions options);

  /// Runs to the end and returns the program's status. Ends the process by a signal when one asked for it.
  int run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Ending {
    std::string_view reason;  // a word, for the statistics
    int status = kDone;
    std::string sentence;     // for people; may be empty
  };

  Session(RunOptions options, Script script, ClipboardFiles clipboard, SerialLink serial2)
      : options_{std::move(options)}, script_{std::move(script)}, clipboard_{std::move(clipboard)}, serial2_{std::move(serial2)} {}

  void start();
  void loop();
  void end(Ending ending);
  void end_of_guest(std::string_view reason, std::string_view what);
  Budget slice() const;
  void after_slice(const RunResult& result);
  void check_limits();
  void rest(const RunResult& result);
  int finish();

  // The console.
  void read_stdin();
  void typed(std::string_view keys);
  bool type_at_console();
  bool drain_console();
  void show_output();
  void flush_output();
  void pump_files();

  /// Waits until a descriptor is ready or the time is over; cut short by a signal and by --timeout.
  void wait(std::chrono::nanoseconds longest, bool for_input);

  RunOptions options_;
  Script script_;
  ClipboardFiles clipboard_;
  SerialLink serial2_;
  std::optional<PortLog> port_log_;
  std::optional<NetworkWake> network_;  // when a link, and not serial2_, is at the other end of ttyS1
  NetworkNews network_news_;
  std::unique_ptr<Machine> machine_;

  StopSignals signals_;
  std::optional<RawTerminal> terminal_;
  EscapeKeys keys_;
  std::optional<StatsClock> stats_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::optional<Ending> ending_;

  std::string input_;         // typed or piped, not yet taken by the guest; refilled only when empty
  std::string output_;        // console output that stdout has not taken; while it is large the guest stands still
  bool stdin_open_ = true;
  bool stdout_open_ = true;
  unsigned quiet_idles_ = 0;  // times in a row that the guest idled without saying anything
  std::uint64_t cycles_ = 0;
};

}  // namespace tuxarium::app
