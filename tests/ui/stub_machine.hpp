// A Machine without a processor: a test says what its ports hold. It takes the place of the library's Machine in this program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tuxarium/machine.hpp>

namespace tuxarium::stub {

struct Port final : SerialPort {
  std::size_t read(std::span<std::byte> out) override;
  std::size_t write(std::span<const std::byte> data) override;
  std::size_t readable() const override { return from_guest.size() - taken; }
  std::size_t writable() const override { return room; }
  std::uint64_t bytes_from_guest() const override { return taken; }
  std::uint64_t bytes_to_guest() const override { return to_guest.size(); }

  std::string from_guest;
  std::size_t taken = 0;
  std::string to_guest;
  std::size_t room = SIZE_MAX;  // what write() still accepts
};

/// What a stub answers, and what it was asked.
struct Behaviour {
  StopReason reason = StopReason::budget_spent;
  std::uint64_t cycles_a_run = 0;  // less where the budget says so
  bool powered_off = false;
  Counters counters;
  std::vector<Budget> budgets;
};

std::unique_ptr<Machine> make_machine();

Behaviour& behaviour(Machine& machine);

/// Serial port 0 or 1 of a stub.
Port& port(Machine& machine, unsigned index);

}  // namespace tuxarium::stub
