// The terminal that tuxarium-run is started in, as the guest's console.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "machine_options.hpp"

namespace tuxarium::app {

/// Puts the terminal on stdin into raw mode and gives it back as it was: in the destructor, and when the process dies of a signal that
/// means a crash. Only one may be active in a process, since signal handlers have nothing else to find it by.
class RawTerminal {
 public:
  /// Does nothing unless stdin is a terminal.
  RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() { restore(); }

  bool active() const { return active_; }

  /// Gives the terminal back. Safe in a signal handler, and more than once.
  void restore() noexcept;

 private:
  bool active_ = false;
};

/// What RawTerminal::restore() does, for the handler of a signal that ends the process.
void restore_terminal_now() noexcept;

/// The size of the terminal, when stdin and stdout are one that says it.
std::optional<WindowSize> terminal_window();

/// Prints a line on stderr behind the program's name, also when the terminal is raw.
void say(std::string_view sentence);

/// Finds the commands of the person at the terminal among what is typed: Ctrl-A x leaves, Ctrl-A Ctrl-A is one Ctrl-A for the guest, Ctrl-A h
/// shows help. Ctrl-A and anything else is dropped.
class EscapeKeys {
 public:
  enum class Command : std::uint8_t { none, leave, help };

  /// Appends what is for the guest to `out`. Stops behind a command and sets `used`.
  Command feed(std::string_view typed, std::string& out, std::size_t& used);

 private:
  bool after_prefix_ = false;
};

inline constexpr std::string_view kKeyHelp =
    "\r\n  Ctrl-A x       leave (the guest is switched off)\r\n  Ctrl-A Ctrl-A  send Ctrl-A to the guest\r\n  Ctrl-A h       this help\r\n";

}  // namespace tuxarium::app
