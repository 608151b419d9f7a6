#include "prelude.hpp"

#include "cpu/cpu_state.hpp"

namespace tuxarium::differential {

namespace {

using cpu::kAf;

class Maker {
 public:
  Maker(Dice& dice, unsigned registers) : dice_{dice} {
    for (unsigned r = 0; r < 8; ++r) {
      if ((registers >> r & 1) == 0) continue;
      wide_.push_back(static_cast<std::uint8_t>(r));
      if (r < 4) low_.push_back(static_cast<std::uint8_t>(r)), low_.push_back(static_cast<std::uint8_t>(r + 4));
    }
    eax_ = (registers & 1) != 0;
  }

  Prelude make(bool all_defined) {
    for (unsigned n = 1 + dice_.below(5); n != 0; --n) instruction();
    if (all_defined && undefined_ != 0) compare();
    return {std::move(bytes_), undefined_};
  }

 private:
  void emit(unsigned b) { bytes_.push_back(static_cast<std::uint8_t>(b)); }
  void operand_size() {
    if (dice_.one_in(3)) emit(0x66);
  }
  /// ModRM of a register that may be written, and any other.
  void registers(bool byte, bool reg_is_target) {
    const unsigned target = byte ? dice_.pick(low_) : dice_.pick(wide_), other = dice_.below(8);
    emit(0xc0 | (reg_is_target ? target << 3 | other : other << 3 | target));
  }
  /// ModRM with a number in place of the register.
  void group(bool byte, unsigned number) { emit(0xc0 | number << 3 | (byte ? dice_.pick(low_) : dice_.pick(wide_))); }

  void compare() {
    const bool byte = dice_.one_in(3);
    if (!byte) operand_size();
    emit(byte ? 0x38 : 0x39);
    emit(0xc0 | dice_.below(64));
    undefined_ = 0;
  }

  void arithmetic() {
    static constexpr std::uint8_t kNumbers[] = {0, 2, 3, 5, 7, 1, 4, 6};  // ADD ADC SBB SUB CMP OR AND XOR
    const unsigned number = dice_.pick(kNumbers);
    const bool byte = !low_.empty() && dice_.one_in(3);
    if (!byte) operand_size();
    if (dice_.one_in(3)) {
      emit(byte ? 0x80 : 0x83);
      group(byte, number);
      emit(dice_.byte());
    } else {
      const bool reg_is_target = dice_.one_in(2);
      emit(number << 3 | (reg_is_target ? 2 : 0) | (byte ? 0 : 1));
      registers(byte, reg_is_target);
    }
    const bool logic = number == 1 || number == 4 || number == 6;
    undefined_ = logic ? kAf : 0;
  }

  void unary() {
    const bool byte = !low_.empty() && dice_.one_in(3);
    if (!byte) operand_size();
    switch (dice_.below(5)) {
      case 0: emit(byte ? 0xfe : 0xff), group(byte, 0), undefined_ = 0; break;   // INC
      case 1: emit(byte ? 0xfe : 0xff), group(byte, 1), undefined_ = 0; break;   // DEC
      case 2: emit(byte ? 0xf6 : 0xf7), group(byte, 3), undefined_ = 0; break;   // NEG
      case 3: emit(byte ? 0xf6 : 0xf7), group(byte, 2); break;                   // NOT
      default: emit(byte ? 0x84 : 0x85), registers(byte, true), undefined_ = kAf; break;  // TEST
    }
  }

  /// By one, which leaves no flag undefined but AF; rotates leave that alone.
  void shift() {
    static constexpr std::uint8_t kNumbers[] = {0, 1, 2, 3, 4, 5, 7};
    const unsigned number = dice_.pick(kNumbers);
    const bool byte = !low_.empty() && dice_.one_in(3);
    if (!byte) operand_size();
    emit(byte ? 0xd0 : 0xd1);
    group(byte, number);
    if (number >= 4) undefined_ = kAf;
  }

  void conditional() {
    // All conditions look at defined flags: AF is in none.
    const unsigned condition = dice_.below(16);
    const bool set = !low_.empty() && dice_.one_in(2);
    if (!set) operand_size();
    emit(0x0f);
    emit((set ? 0x90 : 0x40) | condition);
    registers(set, !set);
  }

  void flags() {
    static constexpr std::uint8_t kCarry[] = {0xf5, 0xf8, 0xf9};
    if (!eax_ || dice_.one_in(2)) {
      emit(dice_.pick(kCarry));
    } else if (dice_.one_in(2)) {
      emit(0x9e), undefined_ = 0;  // SAHF
    } else if (undefined_ == 0) {
      emit(0x9f);  // LAHF
    }
  }

  void move() {
    operand_size();
    switch (dice_.below(3)) {
      case 0: emit(0x8b), registers(false, true); break;
      case 1: emit(0x0f), emit(dice_.one_in(2) ? 0xb7 : 0xbf), registers(false, true); break;
      default: emit(0x0f), emit(0xc1), emit(0xc0u | unsigned{dice_.pick(wide_)} << 3 | dice_.pick(wide_)), undefined_ = 0; break;  // XADD
    }
  }

  void instruction() {
    if (wide_.empty()) return compare();
    switch (dice_.below(8)) {
      case 0: unary(); break;
      case 1: shift(); break;
      case 2: conditional(); break;
      case 3: flags(); break;
      case 4: move(); break;
      case 5: compare(); break;
      default: arithmetic(); break;
    }
  }

  Dice& dice_;
  std::vector<std::uint8_t> wide_, low_, bytes_;
  std::uint32_t undefined_ = 0;
  bool eax_ = false;
};

}  // namespace

Prelude make_prelude(Dice& dice, unsigned registers, bool all_defined) { return Maker{dice, registers}.make(all_defined); }

}  // namespace tuxarium::differential
