#include "session.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <span>
#include <utility>

#include <tuxarium/inspect.hpp>

#include "console.hpp"
#include "sentences.hpp"

namespace tuxarium::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kWallSlice = 5ms;
constexpr std::uint64_t kCycleSlice = 500'000;
constexpr auto kLongestRest = 1s;
constexpr auto kStdoutPatience = 5s;
constexpr std::size_t kInputChunk = 4096;
constexpr std::size_t kOutputHigh = 64 * 1024;
constexpr std::size_t kOutputWrite = 4096;  // a pipe that poll() calls writable takes this much without blocking
constexpr unsigned kQuietIdles = 2;         // `$` holds after so many

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span{text}); }

/// The machine checks the image but does not know which file it came from.
Error about_image(Error error, const std::string& boot) {
  if (error.code == ErrorCode::bad_image || error.code == ErrorCode::unsupported) error.message = "cannot boot " + in_quotes(boot) + ": " + error.message;
  return error;
}

bool ready(int descriptor, short events) {
  pollfd entry{descriptor, events, 0};
  return ::poll(&entry, 1, 0) > 0;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(RunOptions options) {
  auto script = Script::make(options.steps);
  if (!script) return script.error();
  const LogSink log = [verbose = options.verbose](LogLevel level, std::string_view line) {
    if (level >= LogLevel::warning || verbose) say(line);
  };
  if (const auto window = terminal_window()) options.machine.set_window(*window);
  auto config = options.machine.build(options.serial2.kind != SerialLinkSpec::Kind::none, log);
  if (!config) return config.error();
  auto clipboard = ClipboardFiles::open(options.clipboard_in, options.clipboard_out);
  if (!clipboard) return clipboard.error();
  std::optional<OutputFile> log_file;
  if (options.port_log) {
    auto file = OutputFile::open(options.port_log->file);
    if (!file) return file.error();
    log_file = std::move(file).value();
  }
  auto serial2 = SerialLink::open(options.serial2, [](const std::string& sentence) { say(sentence); });
  if (!serial2) return serial2.error();

  std::unique_ptr<Session> session{
      new Session{std::move(options), std::move(script).value(), std::move(clipboard).value(), std::move(serial2).value()}};
  config->clipboard = session->clipboard_.buffer();
  if (config->network != nullptr) session->network_.emplace(config->network);
  auto machine = Machine::create(std::move(config).value());
  if (!machine) return about_image(machine.error(), session->options_.machine.boot());
  session->machine_ = std::move(machine).value();
  if (log_file) session->port_log_.emplace(std::move(*log_file), *session->options_.port_log);
  return session;
}

int Session::run() {
  start();
  loop();
  return finish();
}

void Session::start() {
  if (script_.has_steps()) stdin_open_ = ::isatty(STDIN_FILENO) == 0;
  else terminal_.emplace();
  if (terminal_ && terminal_->active()) say("Ctrl-A x leaves, Ctrl-A h shows help");
  serial2_.start();
  if (port_log_) port_log_->start(*machine_);
  stats_.emplace();
  if (options_.timeout) deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(*options_.timeout);
}

void Session::loop() {
  while (!ending_) {
    read_stdin();
    type_at_console();
    if (!ending_ && output_.size() < kOutputHigh) {
      after_slice(machine_->run(slice()));
    } else {
      wait(kLongestRest, false);
    }
    show_output();
    check_limits();
  }
}

Budget Session::slice() const {
  Budget budget;
  if (options_.machine.time_source() == TimeSource::cycles) budget.cycles = kCycleSlice;
  else budget.wall = kWallSlice;
  if (options_.max_cycles != 0) {
    const std::uint64_t left = options_.max_cycles - cycles_;
    budget.cycles = budget.cycles == 0 ? left : std::min(budget.cycles, left);
  }
  return budget;
}

void Session::after_slice(const RunResult& result) {
  cycles_ += result.cycles;
  const bool said_something = drain_console();
  pump_files();
  bool moved_in = false;
  if (network_) {
    if (const auto news = network_news_.of(network_->link().status())) say(*news);
  } else {
    const auto link = serial2_.pump(machine_->serial(1), moved_in);
    if (!link) end({"error", kFailed, link.error().message});
  }

  quiet_idles_ = result.reason == StopReason::idle && !said_something ? quiet_idles_ + 1 : 0;
  if (quiet_idles_ >= kQuietIdles) script_.pause();
  if (script_.has_steps() && script_.finished()) return end({"script_done", kDone, {}});

  switch (result.reason) {
    case StopReason::power_off: return end_of_guest("power_off", "the guest has switched itself off");
    case StopReason::reset:
    case StopReason::triple_fault: {
      const std::string what =
          result.reason == StopReason::reset ? "the guest has reset the machine" : "the processor has shut down (triple fault)";
      if (options_.no_reboot) return end_of_guest("reset", what);
      return say(what + "; it boots again");
    }
    case StopReason::idle:
      if (!type_at_console() && !moved_in) rest(result);
      return;
    case StopReason::budget_spent:
    case StopReason::stop_requested: return;
  }
}

/// The guest is done by itself. That is a success unless a script still waits for something.
void Session::end_of_guest(std::string_view reason, std::string_view what) {
  script_.pause();
  if (script_.finished()) return end({reason, kDone, reason == "power_off" ? std::string{} : std::string{what}});
  end({reason, kFailed, std::string{what} + " while the script waited for " + script_.waiting_for()});
}

void Session::end(Ending ending) {
  if (!ending_) ending_ = std::move(ending);
}

void Session::check_limits() {
  if (signals_.received() != 0) end({"signal", kFailed, {}});
  const auto ending = [this](std::string_view reason, std::string sentence) {
    const std::string waiting = script_.waiting_for();
    if (!waiting.empty()) sentence += "; it still waited for " + waiting;
    end({reason, kLimit, std::move(sentence)});
  };
  if (options_.max_cycles != 0 && cycles_ >= options_.max_cycles) {
    ending("max_cycles", "the run has ended after " + std::to_string(cycles_) + " instructions");
  }
  if (Clock::now() >= deadline_) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g", options_.timeout->count());
    ending("timeout", std::string{"the run has ended after "} + seconds + " seconds");
  }
}

/// The guest waits for an interrupt. With instructions as its clock nothing is gained by waiting with it, unless somebody watches.
void Session::rest(const RunResult& result) {
  const bool watched = !script_.has_steps() && options_.max_cycles == 0;
  if (options_.machine.time_source() == TimeSource::host_clock || watched) return wait(result.idle_for, true);
  // Nothing has run at all: the guest waits for a disk, which has its own time.
  if (result.cycles == 0) wait(std::min<std::chrono::nanoseconds>(result.idle_for, 1ms), true);
}

void Session::wait(std::chrono::nanoseconds longest, bool for_input) {
  std::vector<pollfd> list;
  if (signals_.descriptor() >= 0) list.push_back({signals_.descriptor(), POLLIN, 0});
  if (stdout_open_ && !output_.empty()) list.push_back({STDOUT_FILENO, POLLOUT, 0});
  if (for_input && stdin_open_ && input_.empty()) list.push_back({STDIN_FILENO, POLLIN, 0});
  if (for_input) serial2_.add_poll(list);
  if (for_input && network_) list.push_back({network_->descriptor(), POLLIN, 0});
  std::chrono::nanoseconds span = std::clamp<std::chrono::nanoseconds>(longest, 0ns, kLongestRest);
  if (deadline_ != Clock::time_point::max()) span = std::min(span, std::max<std::chrono::nanoseconds>(deadline_ - Clock::now(), 0ns));
  timespec time{};
  time.tv_sec = static_cast<time_t>(span / 1s);
  time.tv_nsec = static_cast<long>((span % 1s).count());
  (void)::ppoll(list.data(), list.size(), &time, nullptr);
  if (for_input && network_) network_->clear();
}

void Session::read_stdin() {
  if (!stdin_open_ || !input_.empty() || !ready(STDIN_FILENO, POLLIN)) return;
  std::array<char, kInputChunk> chunk;
  const ssize_t count = ::read(STDIN_FILENO, chunk.data(), chunk.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) return typed({chunk.data(), static_cast<std::size_t>(count)});
  stdin_open_ = false;
  if (terminal_ && terminal_->active()) end({"leave", kDone, {}});  // the terminal has gone
}

void Session::typed(std::string_view keys) {
  if (!terminal_ || !terminal_->active()) {
    input_.append(keys);
    return;
  }
  while (!keys.empty()) {
    std::size_t used = 0;
    const auto command = keys_.feed(keys, input_, used);
    keys.remove_prefix(used);
    if (command == EscapeKeys::Command::help) output_ += kKeyHelp;
    if (command == EscapeKeys::Command::leave) return end({"leave", kDone, {}});
  }
}

/// Gives the guest what the script sends and then what was typed, as much as it takes. True when it took some.
bool Session::type_at_console() {
  SerialPort& console = machine_->serial(0);
  const std::size_t from_script = script_.input().empty() ? 0 : console.write(bytes_of(script_.input()));
  script_.take_input(from_script);
  std::size_t from_stdin = 0;
  if (script_.input().empty() && !input_.empty()) {
    from_stdin = console.write(bytes_of(input_));
    input_.erase(0, from_stdin);
  }
  return from_script + from_stdin != 0;
}

bool Session::drain_console() {
  std::array<std::byte, 16 * 1024> chunk;
  bool any = false;
  while (const std::size_t count = machine_->serial(0).read(chunk)) {
    const std::string_view text{reinterpret_cast<const char*>(chunk.data()), count};
    script_.output(text);
    if (stdout_open_) output_.append(text);
    any = true;
  }
  return any;
}

void Session::show_output() {
  while (!output_.empty() && ready(STDOUT_FILENO, POLLOUT)) {
    const ssize_t count = ::write(STDOUT_FILENO, output_.data(), std::min(output_.size(), kOutputWrite));
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {
      end({"error", kFailed, "cannot write the console to stdout: " + errno_text()});
      stdout_open_ = false;
      output_.clear();
      return;
    }
    output_.erase(0, static_cast<std::size_t>(count));
  }
}

void Session::pump_files() {
  const auto clipboard = clipboard_.pump();
  if (!clipboard) end({"error", kFailed, clipboard.error().message});
  if (!port_log_) return;
  const auto log = port_log_->flush();
  if (!log) end({"error", kFailed, log.error().message});
}

/// Waits for whoever reads stdout, as long as it takes some now and then.
void Session::flush_output() {
  deadline_ = Clock::time_point::max();
  auto patience = Clock::now() + kStdoutPatience;
  while (!output_.empty() && Clock::now() < patience) {
    const std::size_t before = output_.size();
    show_output();
    if (output_.size() != before) patience = Clock::now() + kStdoutPatience;
    else wait(100ms, false);
  }
}

int Session::finish() {
  const Ending& ending = *ending_;
  RunStats stats = stats_->take(*machine_, ending.reason, ending.status);
  if (network_) stats.network = network_->link().status();
  drain_console();
  pump_files();
  const auto link = network_ ? Result<void>{} : serial2_.finish(machine_->serial(1));
  if (!link) say(link.error().message);
  flush_output();
  if (terminal_) {
    const bool was_raw = terminal_->active();
    terminal_->restore();
    if (was_raw) std::fputc('\n', stderr);
  }
  if (!ending.sentence.empty()) say(ending.sentence);
  if (options_.hash) std::fprintf(stderr, "state_hash=%016" PRIx64 "\n", Inspector{*machine_}.state_hash());
  if (options_.stats) std::fprintf(stderr, "%s\n", to_json(stats).c_str());
  // A link says good-bye when it goes, which it would not do when a signal ends the process.
  network_.reset();
  machine_.reset();
  if (signals_.received() != 0) end_by_signal(signals_.received());
  return ending.status;
}

}  // namespace tuxarium::app
