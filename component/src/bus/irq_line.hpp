// A wire from a device to an interrupt controller input.
#pragma once

namespace tuxarium::bus {

/// The controller's side: inputs numbered from 0.
class IrqSink {
 public:
  virtual void set_irq(unsigned input, bool level) = 0;
  /// The input goes low and high again.
  virtual void pulse_irq(unsigned input) { set_irq(input, false), set_irq(input, true); }

 protected:
  ~IrqSink() = default;
};

/// The device's side: one output. Copyable; does not own the sink. Setting the level it already has is harmless.
class IrqLine {
 public:
  IrqLine() = default;
  IrqLine(IrqSink& sink, unsigned input) : sink_{&sink}, input_{input} {}
  void set(bool level) {
    if (sink_ != nullptr) sink_->set_irq(input_, level);
  }
  /// The level goes low and high again: an edge of its own, also when it was high.
  void pulse() {
    if (sink_ != nullptr) sink_->pulse_irq(input_);
  }

 private:
  IrqSink* sink_ = nullptr;
  unsigned input_ = 0;
};

}  // namespace tuxarium::bus
