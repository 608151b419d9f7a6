#include "stub_machine.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace tuxarium {

class Machine::Impl {
 public:
  std::array<stub::Port, 2> serial;
  ClipboardBuffer clipboard;
  stub::Behaviour behaviour;
};

Machine::Machine(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Machine::~Machine() = default;
Result<std::unique_ptr<Machine>> Machine::create(Config) { return std::unique_ptr<Machine>{new Machine{std::make_unique<Impl>()}}; }
RunResult Machine::run(Budget budget) {
  stub::Behaviour& b = impl_->behaviour;
  b.budgets.push_back(budget);
  const std::uint64_t cycles = budget.cycles != 0 ? std::min(budget.cycles, b.cycles_a_run) : b.cycles_a_run;
  b.counters.cycles += cycles;
  return {.reason = b.reason, .cycles = cycles, .idle_for = {}};
}
void Machine::request_stop() noexcept {}
void Machine::reset() {
  ++impl_->behaviour.counters.resets;
  impl_->behaviour.powered_off = false;
}
SerialPort& Machine::serial(unsigned index) { return impl_->serial[index]; }
Clipboard& Machine::clipboard() { return impl_->clipboard; }
ClipboardBuffer* Machine::clipboard_buffer() { return &impl_->clipboard; }
bool Machine::powered_off() const { return impl_->behaviour.powered_off; }
Counters Machine::counters() const { return impl_->behaviour.counters; }
MachineFacts Machine::facts() const { return {.cpu = CpuModel::i486, .ram_bytes = 24u << 20, .time = TimeSource::host_clock}; }

/// The way to a stub's inside: the library's Machine has it for Inspector.
class Inspector {
 public:
  static stub::Behaviour& behaviour(Machine& machine) { return machine.impl_->behaviour; }
};

namespace stub {

std::size_t Port::read(std::span<std::byte> out) {
  const std::size_t count = std::min(out.size(), readable());
  std::memcpy(out.data(), from_guest.data() + taken, count);
  taken += count;
  return count;
}

std::size_t Port::write(std::span<const std::byte> data) {
  const std::size_t count = std::min(data.size(), room);
  to_guest.append(reinterpret_cast<const char*>(data.data()), count);
  room -= count;
  return count;
}

std::unique_ptr<Machine> make_machine() { return std::move(Machine::create({}).value()); }

Behaviour& behaviour(Machine& machine) { return Inspector::behaviour(machine); }

Port& port(Machine& machine, unsigned index) { return static_cast<Port&>(machine.serial(index)); }

}  // namespace stub
}  // namespace tuxarium
