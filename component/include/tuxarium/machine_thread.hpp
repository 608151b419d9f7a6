// A machine on a thread of its own, for hosts without a frame loop or with frames too long or too rare for a guest.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <tuxarium/machine.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium {

struct MachineThreadOptions {
  std::chrono::nanoseconds slice = std::chrono::milliseconds{5};  ///< how long the guest runs at one go at most, above 0
  bool paused = false;                                            ///< the guest does not run before resume()

  /// The guest has stopped: `reset` and `triple_fault` (it boots again by itself) or `power_off` (it stays so until Machine::reset()).
  /// Called on the machine's thread between two slices; may use the machine and pause(), and must not call with_machine(). Empty: nobody is
  /// told.
  std::function<void(Machine&, StopReason)> on_stop = {};
};

/// Runs a machine on a thread: in slices while the guest has something to do, asleep while it has not.
///
/// Threading: every function may be called from any thread, other than the destructor, which no other call may overlap. The thread blocks
/// all signals.
class MachineThread {
 public:
  /// Makes the machine as Machine::create() does, and starts it. Fails as that does, with `config` for a slice that is not above 0, and
  /// with `io` when the host gives no thread. Takes NetworkLink::on_receivable() of `config.network` for itself.
  static Result<std::unique_ptr<MachineThread>> start(Config config, MachineThreadOptions options = {});

  MachineThread(const MachineThread&) = delete;
  MachineThread& operator=(const MachineThread&) = delete;
  /// Ends the slice that runs, the thread, and the machine. A guest that stays in use is told nothing: let it power off first.
  ~MachineThread();

  /// Holds the guest still, calls `task(Machine&)` on the calling thread and returns what that returns; then the guest goes on. This is how
  /// to read and write its serial ports and clipboard, look at its counters, and reset it. Waits for the guest's running slice, which it
  /// cuts short within microseconds, and for other callers. The task must not keep references to the machine, call with_machine() or take
  /// long.
  template <class Task>
  decltype(auto) with_machine(Task&& task) {
    const Visit visit{*this};
    return std::forward<Task>(task)(*machine_);
  }

  /// The guest stands still from the end of the running slice, which is cut short, until resume(). Host-clock time goes on for it
  /// meanwhile.
  void pause() noexcept;
  void resume();
  bool paused() const noexcept { return paused_; }

  /// Makes a sleeping guest look at the world, for hosts that feed it from somewhere else than with_machine().
  void wake();

 private:
  class Visit {
   public:
    explicit Visit(MachineThread& thread);
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit();

   private:
    MachineThread& thread_;
    std::unique_lock<std::mutex> lock_;
  };

  MachineThread(std::unique_ptr<Machine> machine, std::shared_ptr<NetworkLink> network, MachineThreadOptions options);
  void run();
  std::chrono::nanoseconds slice();
  void sleep(std::chrono::nanoseconds longest);

  MachineThreadOptions options_;
  std::shared_ptr<NetworkLink> network_;
  std::unique_ptr<Machine> machine_;
  std::mutex machine_lock_;            // held by whoever uses machine_
  std::atomic<unsigned> visitors_{0};  // who want machine_lock_: the thread lets them go first
  std::atomic<bool> paused_;
  std::atomic<bool> over_{false};
  std::mutex wake_lock_;
  std::condition_variable woken_;
  bool awake_ = false;  // guarded by wake_lock_
  std::thread thread_;
};

}  // namespace tuxarium
