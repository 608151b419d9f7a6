#include <tuxarium/machine_thread.hpp>

#include <algorithm>
#include <system_error>

#include "base/quiet_thread.hpp"

namespace tuxarium {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kLongestSleep = 1s;

}  // namespace

Result<std::unique_ptr<MachineThread>> MachineThread::start(Config config, MachineThreadOptions options) {
  if (options.slice <= 0ns) return Error{ErrorCode::invalid_argument, "MachineThreadOptions::slice must be longer than nothing."};
  std::shared_ptr<NetworkLink> network = config.network;
  auto machine = Machine::create(std::move(config));
  if (!machine) return machine.error();
  std::unique_ptr<MachineThread> made{new MachineThread{std::move(machine).value(), std::move(network), std::move(options)}};
  try {
    made->thread_ = start_quiet_thread([thread = made.get()] { thread->run(); });
  } catch (const std::system_error& problem) {
    return Error{ErrorCode::io, std::string{"The host gives no thread for the machine: "} + problem.what() + "."};
  }
  if (made->network_ != nullptr) {
    made->network_->on_receivable([thread = made.get()] { thread->wake(); });
  }
  return made;
}

MachineThread::MachineThread(std::unique_ptr<Machine> machine, std::shared_ptr<NetworkLink> network, MachineThreadOptions options)
    : options_{std::move(options)}, network_{std::move(network)}, machine_{std::move(machine)}, paused_{options_.paused} {}

MachineThread::~MachineThread() {
  if (!thread_.joinable()) return;
  if (network_ != nullptr) network_->on_receivable({});
  over_ = true;
  machine_->request_stop();
  wake();
  thread_.join();
}

void MachineThread::pause() noexcept {
  paused_ = true;
  machine_->request_stop();
}

void MachineThread::resume() {
  paused_ = false;
  wake();
}

void MachineThread::wake() {
  {
    const std::lock_guard lock{wake_lock_};
    awake_ = true;
  }
  woken_.notify_one();
}

void MachineThread::sleep(std::chrono::nanoseconds longest) {
  std::unique_lock lock{wake_lock_};
  woken_.wait_for(lock, std::min(longest, kLongestSleep), [this] { return awake_; });
  awake_ = false;
}

void MachineThread::run() {
  while (!over_) {
    // Whoever visits wakes this thread when leaving.
    const auto rest = visitors_ == 0 ? slice() : kLongestSleep;
    if (rest > 0ns) sleep(rest);
  }
}

/// Returns for how long there is nothing to do.
std::chrono::nanoseconds MachineThread::slice() {
  const std::lock_guard lock{machine_lock_};
  if (paused_ || machine_->powered_off()) return kLongestSleep;
  const RunResult result = machine_->run({.wall = options_.slice});
  switch (result.reason) {
    case StopReason::idle:
      return std::max<std::chrono::nanoseconds>(result.idle_for, 1us);
    case StopReason::reset:
    case StopReason::triple_fault:
    case StopReason::power_off:
      if (options_.on_stop) options_.on_stop(*machine_, result.reason);
      return 0ns;
    case StopReason::budget_spent:
    case StopReason::stop_requested:
      break;
  }
  return 0ns;
}

MachineThread::Visit::Visit(MachineThread& thread) : thread_{thread} {
  ++thread_.visitors_;
  thread_.machine_->request_stop();
  lock_ = std::unique_lock{thread_.machine_lock_};
}

MachineThread::Visit::~Visit() {
  lock_.unlock();
  --thread_.visitors_;
  thread_.wake();
}

}  // namespace tuxarium
