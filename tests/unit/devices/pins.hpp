// Pins that write down what happens to them.
#pragma once

#include "bus/irq_line.hpp"
#include "devices/i8042.hpp"
#include "devices/i8259a.hpp"

namespace tuxarium::test {

/// An interrupt input: its level and how often it rose.
class IrqProbe final : public bus::IrqSink {
 public:
  void set_irq(unsigned, bool new_level) override {
    if (new_level && !level) ++rises;
    level = new_level;
  }
  bus::IrqLine line() { return bus::IrqLine{*this, 0}; }
  bool level = false;
  int rises = 0;
};

class IntrProbe final : public devices::IntrPin {
 public:
  void set_intr(bool new_level) override {
    level = new_level;
    ++changes;
  }
  bool level = false;
  int changes = 0;
};

class ResetProbe final : public devices::ResetPin {
 public:
  void request_reset() override { ++requests; }
  int requests = 0;
};

}  // namespace tuxarium::test
