#include "stub_machine.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace tuxarium {

class Machine::Impl {
 public:
  std::array<stub::Port, 2> serial;
  ClipboardBuffer clipboard;
};

Machine::Machine(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Machine::~Machine() = default;
Result<std::unique_ptr<Machine>> Machine::create(Config) { return std::unique_ptr<Machine>{new Machine{std::make_unique<Impl>()}}; }
RunResult Machine::run(Budget) { return {}; }
void Machine::request_stop() noexcept {}
void Machine::reset() {}
SerialPort& Machine::serial(unsigned index) { return impl_->serial[index]; }
Clipboard& Machine::clipboard() { return impl_->clipboard; }
ClipboardBuffer* Machine::clipboard_buffer() { return &impl_->clipboard; }
bool Machine::powered_off() const { return false; }
Counters Machine::counters() const { return {}; }

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

Port& port(Machine& machine, unsigned index) { return static_cast<Port&>(machine.serial(index)); }

}  // namespace stub
}  // namespace tuxarium
