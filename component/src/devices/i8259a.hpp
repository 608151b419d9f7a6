// Two Intel 8259A programmable interrupt controllers, cascaded as in the PC/AT (slave on the master's IR2).
//
// Source: Intel 8259A data sheet (order 231468), sections "Initialization command words", "Operation command words",
// "Priority" and "Cascade mode".
// Modelled: ICW1-ICW4, edge and level triggering, fully nested, special fully nested and special mask modes, automatic and specific
// rotation, automatic end of interrupt, poll, register reads, default IR7, the second byte of an MCS-80 sequence.
// Not modelled: buffered mode (no bus drivers to steer), the ELCR of later chip sets.
#pragma once

#include <array>
#include <cstdint>

#include "bus/irq_line.hpp"
#include "bus/port_device.hpp"

namespace tuxarium::devices {

/// The processor's INTR input, as the controller drives it.
class IntrPin {
 public:
  virtual void set_intr(bool level) = 0;

 protected:
  ~IntrPin() = default;
};

/// One chip: eight inputs, one output, two addresses.
class I8259a {
 public:
  /// The level of the SP pin: master or slave.
  enum class Role : std::uint8_t { master, slave };

  explicit I8259a(Role role) : role_{role} {}

  /// What happens at an INTA sequence.
  struct Acknowledge {
    std::uint8_t level = 7;   ///< input that was taken; 7 when none was (default IR7)
    std::uint8_t vector = 0;  ///< what the chip puts on the bus
    bool cascaded = false;    ///< ICW3 says that a slave puts the vector on the bus
  };

  struct State {
    std::uint8_t irr = 0;     // requests
    std::uint8_t isr = 0;     // in service
    std::uint8_t imr = 0;     // masks
    std::uint8_t lines = 0;   // levels at the inputs
    std::uint8_t lowest = 7;  // input with the lowest priority
    std::uint8_t icw1 = 0, icw2 = 0, icw3 = 0, icw4 = 0;
    std::uint8_t next_icw = 0;  // 2, 3 or 4 while an initialization sequence waits for it, otherwise 0
    bool initialized = false;   // a sequence has been completed; before that nothing is requested
    bool special_mask = false;
    bool rotate_on_aeoi = false;
    bool read_isr = false;  // OCW3: reads give ISR, not IRR
    bool poll = false;      // OCW3: the next read is an acknowledge
  };

  void set_ir(unsigned input, bool level);
  std::uint8_t read(bool a0);
  void write(bool a0, std::uint8_t value);

  /// Level of the INT output.
  bool int_out() const;

  /// A whole INTA sequence.
  Acknowledge acknowledge();

  /// The slave's identity from ICW3.
  unsigned slave_id() const { return state_.icw3 & 7u; }

  const State& state() const { return state_; }
  State& state() { return state_; }
  void reset() { state_ = State{}; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.irr);
    v(state_.isr);
    v(state_.imr);
    v(state_.lines);
    v(state_.lowest);
    v(state_.icw1);
    v(state_.icw2);
    v(state_.icw3);
    v(state_.icw4);
    v(state_.next_icw);
    v(state_.initialized);
    v(state_.special_mask);
    v(state_.rotate_on_aeoi);
    v(state_.read_isr);
    v(state_.poll);
  }

 private:
  bool level_triggered() const { return (state_.icw1 & 0x08) != 0; }
  bool single() const { return (state_.icw1 & 0x02) != 0; }
  bool x86_mode() const { return (state_.icw4 & 0x01) != 0; }
  bool auto_eoi() const { return (state_.icw4 & 0x02) != 0; }
  bool special_fully_nested() const { return (state_.icw4 & 0x10) != 0; }
  unsigned rank(unsigned level) const { return (level - state_.lowest - 1u) & 7u; }  // 0 = highest priority
  unsigned highest(std::uint8_t bits) const;                                         // rank order; 8 = none
  unsigned requested() const;                                                        // level to serve now; 8 = none
  std::uint8_t vector_for(unsigned level) const;
  void take(unsigned level);
  void write_icw1(std::uint8_t value);
  void write_next_icw(std::uint8_t value);
  void write_ocw2(std::uint8_t value);
  void write_ocw3(std::uint8_t value);

  Role role_;
  State state_;
};

/// The pair on the board. Interrupt inputs 0-7 are the master's, 8-15 the slave's; input 2 is taken by the cascade and ignored.
/// Port offsets: 0, 1 master; 2, 3 slave.
class I8259aPair final : public bus::PortDevice, public bus::IrqSink {
 public:
  I8259aPair() = default;

  /// `pin` must outlive the pair; it is called when the output changes.
  explicit I8259aPair(IntrPin& pin) : pin_{&pin} {}

  std::uint32_t io_read(std::uint16_t offset, unsigned width) override;
  void io_write(std::uint16_t offset, unsigned width, std::uint32_t value) override;
  void set_irq(unsigned input, bool level) override;
  void pulse_irq(unsigned input) override;

  /// Level of the processor's INTR input.
  bool intr() const { return intr_; }

  /// The processor's INTA sequence: the vector. With nothing requested it is the one of the default IR7.
  std::uint8_t acknowledge();

  /// Whether a request waits at an input (its IRR bit), masked or not.
  bool irq_pending(unsigned input) const;

  /// Whether a request waits at an input and no mask holds it back: only the processor or an interrupt in service does.
  bool irq_waiting(unsigned input) const;

  void reset();

  I8259a& master() { return master_; }
  I8259a& slave() { return slave_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    master_.visit_state(v);
    slave_.visit_state(v);
  }

 private:
  static constexpr unsigned kCascadeInput = 2;
  void update();

  I8259a master_{I8259a::Role::master};
  I8259a slave_{I8259a::Role::slave};
  IntrPin* pin_ = nullptr;
  bool intr_ = false;  // level last told to the pin, follows from the two states
};

}  // namespace tuxarium::devices
