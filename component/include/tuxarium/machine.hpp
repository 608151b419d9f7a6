// The machine: an i386 PC that runs a slice at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <tuxarium/block_device.hpp>
#include <tuxarium/boot.hpp>
#include <tuxarium/clipboard.hpp>
#include <tuxarium/log.hpp>
#include <tuxarium/network_link.hpp>
#include <tuxarium/result.hpp>
#include <tuxarium/serial_port.hpp>

namespace tuxarium {

/// The processor that the guest sees.
enum class CpuModel : std::uint8_t {
  jslinux,  ///< what JSLinux reported: a Pentium without FPU whose only feature bit is the TSC
  i486,     ///< an 80486DX4: x87 and CPUID
  pentium,  ///< a Pentium: besides CMPXCHG8B, time-stamp counter, model-specific registers, 4 MiB pages, debug extensions
  i686,     ///< a Pentium II: besides CMOV, SYSENTER, PAE, global pages, MTRRs, PAT, MMX and FXSAVE
  full,     ///< everything this version has: the i686 and, on an x86-64 host, SSE and SSE2
};

/// What CpuModel::full has only on request. SSE3 needs an x86-64 host and is left out elsewhere.
struct CpuExtensions {
  bool sse3 = false;
  bool popcnt = false;
};

/// Where the guest's time comes from.
enum class TimeSource : std::uint8_t {
  host_clock,  ///< guest time follows real time; after a pause the guest catches up tick by tick
  cycles,      ///< guest time follows retired instructions: the same inputs give the same run, bit for bit
};

/// How a machine is built. Plain values; what is not set has a usable default, except `boot`.
struct Config {
  BootSource boot;                           ///< what to start
  std::uint64_t ram_bytes = 16u << 20;       ///< 1 MiB to 3 GiB, a multiple of 4096
  CpuModel cpu = CpuModel::full;             ///< processor model
  CpuExtensions cpu_extensions = {};  ///< additions to it
  TimeSource time = TimeSource::host_clock;  ///< time source
  std::uint64_t cycles_per_second = 100'000'000;  ///< `cycles` time only: instructions in a guest second, 1'000'000 to 10'000'000'000
  std::optional<std::uint64_t> seed = {};  ///< fixes what a PC leaves to chance at power-on (phase of its clocks); unset: 0 with `cycles`, random otherwise
  std::optional<std::int64_t> rtc_start = {};  ///< Unix time shown by the real-time clock at power-on; unset: the host's time, or 2020-07-01 12:00:00 UTC with `cycles`
  std::unique_ptr<BlockDevice> hda = {};  ///< first IDE drive, owned by the machine; unset: LinuxBoot::root_disk, or none
  std::unique_ptr<BlockDevice> hdb = {};  ///< second IDE drive, or none
  std::shared_ptr<Clipboard> clipboard = {};  ///< unset: the machine makes a ClipboardBuffer
  std::size_t clipboard_limit = 16u << 20;   ///< most bytes the guest may put in the clipboard; the rest of a longer write is dropped
  std::shared_ptr<NetworkLink> network = {};  ///< carries the frames of ttyS1; unset: the host reads and writes serial(1) itself
  LogSink log = {};  ///< unset: silence
};

/// How much one call of run() may do. A limit of 0 is no limit; with neither, run() returns only when the guest idles or stops.
struct Budget {
  std::uint64_t cycles = 0;             ///< retired instructions
  std::chrono::nanoseconds wall{0};     ///< real time
};

/// Why run() came back.
enum class StopReason : std::uint8_t {
  budget_spent,    ///< one of the limits was reached
  idle,            ///< the guest waits for an interrupt, or with TimeSource::cycles for a disk that is pending; see RunResult::idle_for
  stop_requested,  ///< request_stop() was called
  reset,           ///< the guest asked for a reset; the machine has been reset and reloaded, and run() boots it anew
  power_off,       ///< the guest halted for good, with interrupts off or all masked, as Linux does at power-off; only reset() brings it back
  triple_fault,    ///< the processor shut down; treated as a reset
};

/// What one call of run() did.
struct RunResult {
  StopReason reason = StopReason::budget_spent;
  std::uint64_t cycles = 0;               ///< instructions retired in this call
  std::chrono::nanoseconds idle_for{0};   ///< with `idle`: guest time until the next timer event; input may wake the guest earlier
};

/// Totals since the machine was made. Reading them costs nothing.
struct Counters {
  std::uint64_t cycles = 0;                 ///< retired instructions
  std::chrono::nanoseconds guest_time{0};   ///< guest time that has passed
  std::uint64_t interrupts = 0;             ///< hardware interrupts taken by the processor
  std::uint64_t exceptions = 0;             ///< faults and traps delivered
  std::uint64_t disk_bytes_read = 0;        ///< over both drives
  std::uint64_t disk_bytes_written = 0;
  std::uint64_t resets = 0;
};

/// What a machine is made of, as its Config said.
struct MachineFacts {
  CpuModel cpu = CpuModel::full;
  std::uint64_t ram_bytes = 0;
  TimeSource time = TimeSource::host_clock;
};

/// An i386 PC: processor, RAM, 8259A pair, 8254, MC146818 clock, 8042, two 16550A serial ports, IDE channel with two drives,
/// clipboard port.
///
/// Threading: one thread at a time may use a machine and what it hands out; only request_stop() may be called from any thread at
/// any time. Machines share nothing: each may have its own thread. No function throws for anything that the guest does.
class Machine {
 public:
  /// Builds the board, checks the boot image and loads it. The machine has not run yet.
  static Result<std::unique_ptr<Machine>> create(Config config);

  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  /// Runs the guest until the budget is spent, the guest idles, or something stops it. Never blocks and never sleeps. With
  /// Config::network and a wall budget, an idle guest that has just sent a frame gets up to 2 ms of that budget for the answer.
  RunResult run(Budget budget);

  /// Makes a running or the next run() return soon with `stop_requested`. Callable from any thread and from a signal handler.
  void request_stop() noexcept;

  /// Power-cycles the machine: devices to their power-on state, RAM cleared, boot source loaded again. Disks keep their content.
  void reset();

  /// Serial port 0 (ttyS0, the console) or 1 (ttyS1, the network). With Config::network the machine itself is at the other end of port 1: then
  /// the host may look at its counters, but not read or write.
  SerialPort& serial(unsigned index);

  /// The clipboard in use: the one of the configuration, or the machine's own.
  Clipboard& clipboard();

  /// The machine's own clipboard buffer, or the configured one when that is a ClipboardBuffer; otherwise nullptr.
  ClipboardBuffer* clipboard_buffer();

  /// True while the guest has stopped for good (StopReason::power_off).
  bool powered_off() const;

  Counters counters() const;

  MachineFacts facts() const;

 private:
  friend class Inspector;
  class Impl;
  explicit Machine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuxarium
