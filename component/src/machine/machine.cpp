#include <tuxarium/machine.hpp>

#include <algorithm>
#include <cassert>
#include <ctime>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include <tuxarium/disk.hpp>

#include "disk/shared_disk.hpp"
#include "machine/machine_impl.hpp"
#include "machine/port_map.hpp"

namespace tuxarium {

namespace {

using Clock = std::chrono::steady_clock;

// The wall clock and the events are looked at once a slice: short enough that a budget of a millisecond is kept.
constexpr std::int64_t kSliceCycles = 10'000;
// Near the end of a budget the slices are shorter: cold code and page walks can take a hundred times as long as warm code.
constexpr std::int64_t kLastSliceCycles = 2'000;
constexpr std::chrono::nanoseconds kNearEnd = std::chrono::milliseconds{1};

// While the guest catches up with the host's clock, it gets this many instructions between two timer ticks: enough that what waits for time to
// pass (work queued for the next tick, the pacing of frames) finds that the guest has done something in it ...
constexpr std::uint64_t kCyclesBetweenLateTicks = 50'000;
// ... and this many to take a tick that waits, before the next one is given.
constexpr std::uint64_t kCyclesToTakeTick = 50'000;
constexpr time::Nanoseconds kLate = 1'000'000;

// An answer from the same host comes in a fraction of this; a guest that idles meanwhile would get it only in the host's next frame.
constexpr std::chrono::nanoseconds kAnswerWait = std::chrono::milliseconds{2};

constexpr std::int64_t kDeterministicStart = 1'593'604'800;  // 2020-07-01 12:00:00 UTC

Result<void> check(const Config& config) {
  const auto bad = [](std::string message) { return Error{ErrorCode::invalid_argument, std::move(message)}; };
  if (std::holds_alternative<std::monostate>(config.boot)) return bad("The machine has no boot source: set Config::boot.");
  if (config.ram_bytes < (1u << 20) || config.ram_bytes > (std::uint64_t{3} << 30) || config.ram_bytes % memory::kPageSize != 0) {
    return bad("The RAM size of " + std::to_string(config.ram_bytes) + " bytes is not a multiple of 4096 from 1 MiB to 3 GiB.");
  }
  if (config.cycles_per_second < 1'000'000 || config.cycles_per_second > 10'000'000'000) {
    return bad("The rate of " + std::to_string(config.cycles_per_second) + " cycles a second is not from 1000000 to 10000000000.");
  }
  return {};
}

/// Gives a machine without a first drive the disk that came with its kernel.
Result<void> attach_root_disk(Config& config) {
  const auto* linux_boot = std::get_if<LinuxBoot>(&config.boot);
  if (linux_boot == nullptr || linux_boot->root_disk == nullptr || config.hda != nullptr) return {};
  auto base = disk::make_shared_disk(linux_boot->root_disk);
  if (!base) return base.error();
  config.hda = make_memory_overlay(std::move(base).value());
  return {};
}

std::uint64_t seed_of(const Config& config) {
  if (config.seed) return *config.seed;
  if (config.time == TimeSource::cycles) return 0;
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

Machine::Impl::Impl(Config config, std::uint64_t seed)
    : config_{std::move(config)},
      clipboard_{config_.clipboard != nullptr ? config_.clipboard : std::make_shared<ClipboardBuffer>()},
      board_{config_, std::move(config_.hda), std::move(config_.hdb), clipboard_, seed} {}

std::int64_t Machine::Impl::rtc_time() const {
  if (config_.rtc_start) return *config_.rtc_start;
  return board_.deterministic() ? kDeterministicStart : static_cast<std::int64_t>(std::time(nullptr));
}

Result<void> Machine::Impl::power_on() {
  auto plan = machine::make_boot_plan(config_.boot, config_.ram_bytes);
  if (!plan) return plan.error();
  guest_time_before_ += board_.clock().now();
  board_.power_on(*plan, rtc_time());
  set_registers(plan->registers);
  powered_off_ = false;
  disk_holds_time_ = false;
  waiting_ = false;
  last_tick_cycle_ = board_.cpu().retired();
  return {};
}

void Machine::Impl::restart() {
  ++resets_;
  // The same source was planned when the machine was made.
  [[maybe_unused]] const Result<void> again = power_on();
  assert(again.has_value());
}

bool Machine::Impl::must_hold_events() {
  if (board_.deterministic()) return false;
  const std::uint64_t since = board_.cpu().retired() - last_tick_cycle_;
  if (board_.pic().irq_waiting(machine::kIrqTimer) && since < kCyclesToTakeTick) return true;
  return !board_.cpu().halted() && since < kCyclesBetweenLateTicks && board_.clock().lag() >= kLate;
}

void Machine::Impl::take_due_events() {
  while (board_.clock().now() >= board_.clock().next_deadline() && !must_hold_events()) {
    const auto slot = board_.clock().take_due();
    if (!slot) return;
    board_.take_event(*slot);
    if (*slot == time::EventSlot::disk && board_.deterministic() && board_.disk_waiting()) {
      disk_holds_time_ = true;
      return;
    }
    if (*slot == time::EventSlot::pit_channel0 && board_.pic().irq_waiting(machine::kIrqTimer)) last_tick_cycle_ = board_.cpu().retired();
  }
}

Machine::Impl::Slice Machine::Impl::next_slice(const Budget& budget, std::uint64_t done, bool near_end) {
  Slice slice{.cycles = near_end ? kLastSliceCycles : kSliceCycles, .exact = board_.deterministic()};
  if (budget.cycles != 0 && budget.cycles - done <= static_cast<std::uint64_t>(slice.cycles)) {
    slice = {.cycles = static_cast<std::int64_t>(budget.cycles - done), .exact = true};
  }
  if (board_.deterministic() && board_.clock().next_deadline() != time::kNever) {
    const std::int64_t left = board_.cycle_time().cycles_until(board_.clock().base_time(board_.clock().next_deadline()));
    slice.cycles = std::clamp<std::int64_t>(left, 1, slice.cycles);
  }
  return slice;
}

RunResult Machine::Impl::finish(StopReason reason, std::uint64_t start) const {
  return {.reason = reason, .cycles = board_.cpu().retired() - start, .idle_for = std::chrono::nanoseconds{0}};
}

RunResult Machine::Impl::idle_result(std::uint64_t start) {
  RunResult result = finish(StopReason::idle, start);
  const time::Nanoseconds deadline = board_.clock().next_deadline();
  constexpr std::chrono::nanoseconds kLongest = std::chrono::hours{1};
  result.idle_for = deadline == time::kNever ? kLongest : std::chrono::nanoseconds{std::max<std::int64_t>(deadline - board_.clock().now(), 0)};
  waiting_ = true;
  return result;
}

/// With a clock of instructions a guest would run into its own time limit for a drive in no time, when the disk is slow in the host's. So
/// its time stops when a drive has asked in vain, until the drive has its answer.
bool Machine::Impl::disk_holds_time() {
  if (!disk_holds_time_) return false;
  board_.take_event(time::EventSlot::disk);
  disk_holds_time_ = board_.disk_waiting();
  return disk_holds_time_;
}

RunResult Machine::Impl::held_result(std::uint64_t start) const {
  RunResult result = finish(StopReason::idle, start);
  result.idle_for = std::chrono::milliseconds{1};
  return result;
}

bool Machine::Impl::wakes_now() {
  board_.pump_network();
  board_.processor_idle();
  take_due_events();
  return board_.pic().intr();
}

bool Machine::Impl::answer_comes(Clock::time_point end) {
  wire::LinkPump& link = board_.link_pump();
  if (board_.deterministic() || !link.expects_answer()) return false;
  end = std::min(end, Clock::now() + kAnswerWait);
  const std::uint64_t received = link.received();
  while (!stop_requested_.load(std::memory_order_relaxed)) {
    const bool wakes = wakes_now();
    if (link.received() != received) link.waited(true);
    if (wakes) return true;
    if (Clock::now() >= end) break;
    std::this_thread::yield();  // to the link's thread
  }
  link.waited(false);
  return false;
}

RunResult Machine::Impl::run(const Budget& budget) {
  const std::uint64_t start = board_.cpu().retired();
  if (powered_off_) return finish(StopReason::power_off, start);
  const bool timed = budget.wall.count() > 0;
  const Clock::time_point end = timed ? Clock::now() + budget.wall : Clock::time_point{};
  bool near_end = timed && budget.wall <= kNearEnd;
  if (std::exchange(waiting_, false) && board_.deterministic() && !board_.pic().intr() && board_.clock().next_deadline() != time::kNever) {
    board_.clock().skip(board_.clock().next_deadline() - board_.clock().now());
  }
  for (;;) {
    if (stop_requested_.exchange(false, std::memory_order_relaxed)) return finish(StopReason::stop_requested, start);
    if (disk_holds_time()) return held_result(start);
    board_.pump_network();
    take_due_events();
    if (disk_holds_time_) return held_result(start);
    const std::uint64_t done = board_.cpu().retired() - start;
    if (budget.cycles != 0 && done >= budget.cycles) return finish(StopReason::budget_spent, start);
    const Slice slice = next_slice(budget, done, near_end);
    const cpu::Exit exit = board_.cpu().run(slice.cycles, slice.exact);
    if (board_.take_request() == machine::BoardRequest::reset) {
      const RunResult result = finish(StopReason::reset, start);
      restart();
      return result;
    }
    if (exit == cpu::Exit::shut_down) {
      const RunResult result = finish(StopReason::triple_fault, start);
      restart();
      return result;
    }
    if (exit == cpu::Exit::halted) {
      if (!board_.cpu().interrupts_enabled() || board_.interrupts_masked()) {
        powered_off_ = true;
        return finish(StopReason::power_off, start);
      }
      const bool wakes = wakes_now();
      if (disk_holds_time_) return held_result(start);
      if (!wakes && !(timed && answer_comes(end))) return idle_result(start);
    }
    if (timed) {
      const Clock::time_point now = Clock::now();
      if (now >= end) return finish(StopReason::budget_spent, start);
      near_end = end - now <= kNearEnd;
    }
  }
}

Counters Machine::Impl::counters() const {
  auto& board = const_cast<machine::Board&>(board_);
  Counters c;
  c.cycles = board.cpu().retired();
  c.guest_time = std::chrono::nanoseconds{guest_time_before_ + board.clock().now()};
  c.interrupts = board.cpu().interrupts();
  c.exceptions = board.cpu().exceptions();
  c.disk_bytes_read = board.disk_bytes_read();
  c.disk_bytes_written = board.disk_bytes_written();
  c.resets = resets_;
  return c;
}

Result<std::unique_ptr<Machine>> Machine::create(Config config) {
  if (const Result<void> checked = check(config); !checked) return checked.error();
  if (const Result<void> attached = attach_root_disk(config); !attached) return attached.error();
  const std::uint64_t seed = seed_of(config);
  auto impl = std::make_unique<Impl>(std::move(config), seed);
  if (!impl->ok()) return Error{ErrorCode::io, "The host has no memory for the guest's RAM."};
  if (const Result<void> started = impl->power_on(); !started) return started.error();
  return std::unique_ptr<Machine>{new Machine{std::move(impl)}};
}

Machine::Machine(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Machine::~Machine() = default;

RunResult Machine::run(Budget budget) { return impl_->run(budget); }
void Machine::request_stop() noexcept { impl_->request_stop(); }

void Machine::reset() { impl_->restart(); }

SerialPort& Machine::serial(unsigned index) { return impl_->board().serial(index); }
Clipboard& Machine::clipboard() { return impl_->clipboard(); }
ClipboardBuffer* Machine::clipboard_buffer() { return dynamic_cast<ClipboardBuffer*>(&impl_->clipboard()); }
bool Machine::powered_off() const { return impl_->powered_off(); }
Counters Machine::counters() const { return impl_->counters(); }
MachineFacts Machine::facts() const { return impl_->facts(); }

}  // namespace tuxarium
