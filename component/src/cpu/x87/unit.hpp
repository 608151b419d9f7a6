// The x87 floating-point unit of an i686: Intel SDM vol. 1 chapter 8 and the instruction pages of vol. 2.
//
// Modelled: all instructions of an i686, and FISTTP of SSE3, with the undocumented aliases, stack faults, masked and unmasked responses to all
// six exceptions, precision and rounding control, C0-C3, the tag word, environment and state images in four layouts, last instruction
// and operand pointers. The unit knows no memory, no prefixes and no faults: the CPU fetches operands, asks error_pending() before
// waiting instructions, and records the pointers. Not modelled: the pointers' dependence on the processor generation; C0, C2, C3 where
// the manual leaves them undefined (they keep their value, as on hardware).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "cpu/x87/arithmetic_choice.hpp"
#include "cpu/x87/float80.hpp"

namespace tuxarium::cpu::x87 {

/// Bits of the status word, as FNSTSW gives them.
namespace status {
inline constexpr unsigned kInvalid = 0x01, kDenormal = 0x02, kZeroDivide = 0x04, kOverflow = 0x08, kUnderflow = 0x10, kPrecision = 0x20;
inline constexpr unsigned kExceptions = 0x3f, kPreComputation = 0x07;
inline constexpr unsigned kStackFault = 0x40, kErrorSummary = 0x80, kBusy = 0x8000;
inline constexpr unsigned kC0 = 0x100, kC1 = 0x200, kC2 = 0x400, kC3 = 0x4000;
}  // namespace status

/// What a register-form instruction exchanges with the integer unit.
struct RegisterIo {
  std::uint16_t ax = 0;      ///< written by FNSTSW AX only
  std::uint32_t eflags = 0;  ///< FCMOVcc reads CF, PF, ZF; F(U)COMI(P) writes ZF, PF, CF and clears OF, SF, AF; others leave it alone
};

enum class Outcome : std::uint8_t { ok, invalid_opcode };

/// What the CPU must know of a register-form encoding before it runs it.
struct RegisterForm {
  bool valid = false;
  bool waiting = true;   ///< check error_pending() first
  bool control = false;  ///< a control instruction: leaves the last instruction and operand pointers alone
  bool reads_eflags = false;
  bool writes_eflags = false;
  bool writes_ax = false;
};

enum class MemoryKind : std::uint8_t {
  invalid,
  load,
  store,
  load_environment,
  store_environment,
  load_state,
  save_state,
  load_control,
  store_control
};

struct MemoryForm {
  MemoryKind kind = MemoryKind::invalid;
  std::uint8_t bytes = 0;  ///< size of the memory operand: 2, 4, 8, 10, 14, 28, 94 or 108
};

/// Which of the four images of SDM vol. 1, figures 8-9 to 8-12.
struct EnvLayout {
  bool wide = true;            ///< 32-bit operand size
  bool protected_mode = true;  ///< false in real and virtual-8086 mode
};

/// A store that was computed but is not visible yet. `size` 0: an unmasked exception suppresses the memory write; commit all the same.
struct StagedStore {
  std::uint64_t bits = 0;       ///< low 8 bytes of a value of up to 10 bytes, little-endian
  std::uint16_t high_bits = 0;  ///< bytes 8 and 9
  std::uint8_t size = 0;
  std::uint8_t pops = 0;     ///< 0 or 1
  std::uint16_t raised = 0;  ///< bits of the status word to set; C1 is replaced
  enum class Effect : std::uint8_t { value, none, mask_exceptions, initialise } effect = Effect::value;
};

/// `Arithmetic` computes on register images; see arithmetic.hpp. One thread at a time; copyable.
template <class Arithmetic>
class BasicUnit {
 public:
  struct State {
    std::array<Float80, 8> registers{};  ///< physical R0-R7; ST(i) is R[(top + i) & 7]
    std::uint16_t control = 0x0040;
    std::uint16_t status = 0;  ///< exception flags, SF, C0-C3; TOP, ES and B are composed by status_word()
    std::uint8_t top = 0;
    std::uint8_t valid = 0xff;      ///< bit n: physical register n is not empty (the abridged tag word of FXSAVE)
    std::uint16_t last_opcode = 0;  ///< (escape << 8 | modrm), 11 bits
    std::uint16_t instruction_selector = 0, operand_selector = 0;
    std::uint32_t instruction_offset = 0, operand_offset = 0;
  };

  using RegisterHandler = void (*)(BasicUnit&, unsigned rm, RegisterIo&);
  using LoadHandler = void (*)(BasicUnit&, std::uint64_t value);
  using StoreHandler = StagedStore (*)(const BasicUnit&);

  /// Power-on state: registers +0 and tagged valid, control word 0x0040. FNINIT is fninit().
  void reset() { state_ = State{}; }
  void fninit();

  // --- decoding: `escape` is the opcode byte & 7 (D8-DF), `modrm` the whole byte, `reg` its bits 5-3 -------------------------------
  /// Precondition: modrm >= 0xc0.
  static RegisterForm register_form(unsigned escape, unsigned modrm);
  static MemoryForm memory_form(unsigned escape, unsigned reg, bool wide = true);
  /// False for the FN... instructions, register (modrm >= 0xc0) and memory forms alike.
  static bool is_waiting(unsigned escape, unsigned modrm);
  /// Control instructions do not change the last instruction and operand pointers.
  static bool is_control(unsigned escape, unsigned modrm);

  // --- execution ------------------------------------------------------------------------------------------------------------------
  Outcome execute_register(unsigned escape, unsigned modrm, RegisterIo& io);
  /// Kinds load, load_environment, load_state, load_control. `operand` has memory_form().bytes bytes; a wrong length is ignored.
  void execute_load(unsigned escape, unsigned reg, std::span<const std::byte> operand, EnvLayout layout = {});
  /// Kinds store, store_environment, save_state, store_control. Writes the bytes for memory to `out` (at least memory_form().bytes)
  /// and changes nothing else; after the memory write succeeded, commit_store() makes the effect visible.
  StagedStore prepare_store(unsigned escape, unsigned reg, std::span<std::byte> out, EnvLayout layout = {}) const;
  void commit_store(const StagedStore& staged) {
    if (staged.effect != StagedStore::Effect::value) return commit_control_store(staged);
    state_.status = static_cast<std::uint16_t>((state_.status & ~status::kC1) | staged.raised);
    if (staged.pops == 0) return;
    state_.valid = static_cast<std::uint8_t>(state_.valid & ~(1u << state_.top));
    state_.top = static_cast<std::uint8_t>((state_.top + 1u) & 7u);
  }

  // --- predecoded execution: look the handler up once, call it often ----------------------------------------------------------------
  /// Null for an invalid encoding. `rm` of the handler is modrm & 7.
  static RegisterHandler register_handler(unsigned escape, unsigned modrm) {
    return kRegisterHandlers[(escape & 7u) * 64 + (modrm & 0x3fu)];
  }
  /// For kinds load and load_control with 2, 4 or 8 bytes: the operand as a zero-extended little-endian value. Null otherwise.
  static LoadHandler load_handler(unsigned escape, unsigned reg) { return kLoadHandlers[(escape & 7u) * 8 + (reg & 7u)]; }
  /// For kinds store and store_control: stages up to 10 bytes. Null otherwise.
  static StoreHandler store_handler(unsigned escape, unsigned reg) { return kStoreHandlers[(escape & 7u) * 8 + (reg & 7u)]; }

  // --- for the CPU ------------------------------------------------------------------------------------------------------------------
  /// The error summary: an unmasked exception flag is set.
  bool error_pending() const { return (state_.status & ~state_.control & status::kExceptions) != 0; }
  void record_instruction(std::uint16_t selector, std::uint32_t offset, unsigned escape, unsigned modrm) {
    state_.instruction_selector = selector;
    state_.instruction_offset = offset;
    state_.last_opcode = static_cast<std::uint16_t>((escape & 7u) << 8 | (modrm & 0xffu));
  }
  void record_operand(std::uint16_t selector, std::uint32_t offset) {
    state_.operand_selector = selector;
    state_.operand_offset = offset;
  }

  std::uint16_t control_word() const { return state_.control; }
  void set_control_word(std::uint16_t value) { state_.control = static_cast<std::uint16_t>((value & 0x1f3fu) | 0x40u); }
  /// With TOP, ES and B.
  std::uint16_t status_word() const {
    const unsigned summary = error_pending() ? (status::kErrorSummary | status::kBusy) : 0u;
    return static_cast<std::uint16_t>(state_.status | summary | static_cast<unsigned>(state_.top) << 11);
  }
  void set_status_word(std::uint16_t value) {
    state_.top = static_cast<std::uint8_t>(value >> 11 & 7u);
    state_.status = static_cast<std::uint16_t>(value & 0x477fu);
  }
  /// Two bits a physical register: 0 valid, 1 zero, 2 special, 3 empty.
  std::uint16_t tag_word() const;
  void set_tag_word(std::uint16_t value);

  const Float80& st(unsigned i) const { return state_.registers[index(i)]; }
  bool st_empty(unsigned i) const { return (state_.valid >> index(i) & 1u) == 0; }
  const State& state() const { return state_; }
  State& state() { return state_; }

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(state_.registers);
    v(state_.control);
    v(state_.status);
    v(state_.top);
    v(state_.valid);
    v(state_.last_opcode);
    v(state_.instruction_selector);
    v(state_.operand_selector);
    v(state_.instruction_offset);
    v(state_.operand_offset);
  }

 private:
  template <class>
  friend struct Operations;

  static const std::array<RegisterHandler, 512> kRegisterHandlers;
  static const std::array<LoadHandler, 64> kLoadHandlers;
  static const std::array<StoreHandler, 64> kStoreHandlers;

  void commit_control_store(const StagedStore& staged);
  unsigned index(unsigned i) const { return (state_.top + i) & 7u; }

  State state_;
};

extern template class BasicUnit<SoftArithmetic>;
extern template class BasicUnit<HostArithmetic>;

/// The unit of this host: the host's own x87 where there is one, software elsewhere.
using Unit = BasicUnit<HostArithmetic>;

}  // namespace tuxarium::cpu::x87
