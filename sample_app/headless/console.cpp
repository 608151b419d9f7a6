#include "console.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace tuxarium::app {
namespace {

constexpr char kPrefix = '\x01';
constexpr std::array kCrashSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

// What a handler of a crash signal needs. Set while a RawTerminal is active.
termios saved_modes;
volatile sig_atomic_t modes_are_saved = 0;

void on_crash(int number) {
  restore_terminal_now();
  (void)::signal(number, SIG_DFL);
  (void)::raise(number);
}

}  // namespace

void restore_terminal_now() noexcept {
  if (modes_are_saved == 0) return;
  modes_are_saved = 0;
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &saved_modes);
}

std::optional<WindowSize> terminal_window() {
  winsize size{};
  if (::isatty(STDIN_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return WindowSize{size.ws_row, size.ws_col};
}

void say(std::string_view sentence) {
  std::fprintf(stderr, "tuxarium-run: %.*s%s", static_cast<int>(sentence.size()), sentence.data(), modes_are_saved != 0 ? "\r\n" : "\n");
}

RawTerminal::RawTerminal() {
  if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &saved_modes) != 0) return;
  for (const int number : kCrashSignals) {
    struct sigaction action {};
    action.sa_handler = on_crash;
    (void)::sigaction(number, &action, nullptr);
  }
  modes_are_saved = 1;
  termios raw = saved_modes;
  ::cfmakeraw(&raw);
  active_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void RawTerminal::restore() noexcept {
  if (active_) restore_terminal_now();
  active_ = false;
}

EscapeKeys::Command EscapeKeys::feed(std::string_view typed, std::string& out, std::size_t& used) {
  for (used = 0; used < typed.size();) {
    const char key = typed[used++];
    if (!after_prefix_) {
      after_prefix_ = key == kPrefix;
      if (!after_prefix_) out += key;
      continue;
    }
    after_prefix_ = false;
    if (key == kPrefix) out += key;
    if (key == 'x' || key == 'X') return Command::leave;
    if (key == 'h' || key == 'H' || key == '?') return Command::help;
  }
  return Command::none;
}

}  // namespace tuxarium::app
