// The machine behind the public face: the board, its boot source and the run loop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include <tuxarium/inspect.hpp>
#include <tuxarium/machine.hpp>

#include "machine/board.hpp"
#include "machine/boot_plan.hpp"

namespace tuxarium {

class Machine::Impl {
 public:
  Impl(Config config, std::uint64_t seed);

  bool ok() const { return board_.ok(); }
  Result<void> power_on();
  RunResult run(const Budget& budget);
  /// Power-cycles.
  void restart();
  void request_stop() noexcept { stop_requested_.store(true, std::memory_order_relaxed); }

  machine::Board& board() { return board_; }
  bool powered_off() const { return powered_off_; }
  Counters counters() const;
  MachineFacts facts() const { return {.cpu = config_.cpu, .ram_bytes = config_.ram_bytes, .time = config_.time}; }
  void set_registers(const Registers& registers);
  Clipboard& clipboard() { return *clipboard_; }

 private:
  struct Slice {
    std::int64_t cycles = 0;
    bool exact = false;
  };
  void take_due_events();
  bool must_hold_events();
  Slice next_slice(const Budget& budget, std::uint64_t done, bool near_end);
  RunResult finish(StopReason reason, std::uint64_t start) const;
  RunResult idle_result(std::uint64_t start);
  bool disk_holds_time();
  RunResult held_result(std::uint64_t start) const;
  /// True when the guest goes on at once.
  bool wakes_now();
  /// Waits, no longer than until `end`, for the answer to a frame that the guest has just sent; true when the guest goes on.
  bool answer_comes(std::chrono::steady_clock::time_point end);
  std::int64_t rtc_time() const;

  Config config_;
  std::shared_ptr<Clipboard> clipboard_;
  machine::Board board_;
  std::atomic<bool> stop_requested_{false};
  bool powered_off_ = false;
  bool disk_holds_time_ = false;   // cycles: a drive waits for its block device, and guest time stands still meanwhile
  bool waiting_ = false;           // the last run() ended with `idle`
  std::uint64_t resets_ = 0;
  std::uint64_t last_tick_cycle_ = 0;
  std::int64_t guest_time_before_ = 0;  // of earlier power-ons
};

}  // namespace tuxarium
