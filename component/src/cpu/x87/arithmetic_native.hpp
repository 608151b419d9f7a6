// Arithmetic by the host's own x87, through inline assembly: results, flags and C1 are those of the hardware, bit for bit.
//
// With all exceptions masked an operation runs once on whatever sticky flags the host has; if nothing shows beyond what the guest's status
// word has anyway, that is the answer. Otherwise the host's flags are cleared and the operation runs again, which makes them exact.
// With an exception unmasked the operation runs under the guest's very control word: the host raises no trap, because FNCLEX clears the
// flags before any waiting instruction. The host's control word is restored, and its register stack is left empty.
#pragma once

#include "cpu/x87/arithmetic.hpp"
#include "cpu/x87/arithmetic_choice.hpp"

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)

namespace tuxarium::cpu::x87 {

struct NativeArithmetic {
  /// Sets precision and rounding of the host for a scope, all exceptions masked.
  class HostControl {
   public:
    explicit HostControl(std::uint16_t guest) : wanted_(static_cast<std::uint16_t>((guest & 0x0f00u) | 0x7fu)) {
      asm volatile("fnstcw %0" : "=m"(saved_));
      if (saved_ != wanted_) [[unlikely]]
        load(wanted_);
    }
    ~HostControl() {
      if (saved_ != wanted_) [[unlikely]]
        load(saved_);
    }
    HostControl(const HostControl&) = delete;
    HostControl& operator=(const HostControl&) = delete;
    const std::uint16_t& masked() const { return wanted_; }

   private:
    static void load(const std::uint16_t& word) { asm volatile("fldcw %0" : : "m"(word)); }
    std::uint16_t saved_ = 0, wanted_;
  };

  static bool all_masked(Environment env) { return (env.control & 0x3fu) == 0x3f; }
  static bool settled(std::uint16_t host_status, Environment env) { return (host_status & 0x3fu & ~unsigned{env.quiet}) == 0; }

// Runs `loads` and `operation`, stores the top of the stack with `store` and empties the stack with `drop`.
// `outputs` is the operand that `store` or `operation` writes, the rest are input operands.
#define TUXARIUM_X87_RUN(loads, operation, store, drop, outputs, ...)                                                       \
  std::uint16_t host_status;                                                                                                \
  const HostControl host(env.control);                                                                                      \
  const std::uint16_t guest_control = env.control;                                                                          \
  if (all_masked(env)) [[likely]] {                                                                                         \
    asm volatile(loads operation "\n\tfnstsw %%ax\n\t" store drop                                                           \
                 : "=&a"(host_status), outputs:__VA_ARGS__                                                                  \
                 : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "memory");                          \
    if (!settled(host_status, env)) [[unlikely]] {                                                                          \
      asm volatile("fnclex\n\t" loads operation "\n\tfnstsw %%ax\n\t" store drop                                            \
                   : "=&a"(host_status), outputs:__VA_ARGS__                                                                \
                   : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "memory");                        \
    }                                                                                                                       \
  } else {                                                                                                                  \
    asm volatile("fnclex\n\t" loads "fldcw %[guest]\n\t" operation "\n\tfnstsw %%ax\n\tfnclex\n\tfldcw %[masked]\n\t" store \
                 "fninit\n\tfldcw %[masked]"                                                                                \
                 : "=&a"(host_status), outputs                                                                              \
                 : __VA_ARGS__, [guest] "m"(guest_control), [masked] "m"(host.masked())                                     \
                 : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "memory");                          \
  }                                                                                                                         \
  result.status = host_status & 0x473fu

#define TUXARIUM_X87_BINARY(operation)                                                      \
  TUXARIUM_X87_RUN("fldt %[source]\n\tfldt %[target]\n\t", operation, "fstpt %[value]\n\t", \
                   "fstp %%st(0)", [value] "=m"(result.value), [target] "m"(a), [source] "m"(b))

  /// `a` op `b`, where `a` is the destination of the instruction.
  template <BinaryOp op>
  static Result binary(const Float80& a, const Float80& b, Environment env) {
    Result result;
    // As bytes, "op st, st(1)": assemblers disagree on the names of the reversed forms.
    if constexpr (op == BinaryOp::add) {
      TUXARIUM_X87_BINARY(".byte 0xd8, 0xc1");
    } else if constexpr (op == BinaryOp::mul) {
      TUXARIUM_X87_BINARY(".byte 0xd8, 0xc9");
    } else if constexpr (op == BinaryOp::sub) {
      TUXARIUM_X87_BINARY(".byte 0xd8, 0xe1");
    } else if constexpr (op == BinaryOp::sub_reversed) {
      TUXARIUM_X87_BINARY(".byte 0xd8, 0xe9");
    } else if constexpr (op == BinaryOp::div) {
      TUXARIUM_X87_BINARY(".byte 0xd8, 0xf1");
    } else {
      TUXARIUM_X87_BINARY(".byte 0xd8, 0xf9");
    }
    return result;
  }

#define TUXARIUM_X87_MEMORY(operation)                                                 \
  TUXARIUM_X87_RUN("fldt %[target]\n\t", operation " %[source]", "fstpt %[value]\n\t", \
                   "", [value] "=m"(result.value), [target] "m"(a), [source] "m"(b))

  template <BinaryOp op>
  static Result binary_f32(const Float80& a, std::uint32_t b, Environment env) {
    Result result;
    if constexpr (op == BinaryOp::add) {
      TUXARIUM_X87_MEMORY("fadds");
    } else if constexpr (op == BinaryOp::mul) {
      TUXARIUM_X87_MEMORY("fmuls");
    } else if constexpr (op == BinaryOp::sub) {
      TUXARIUM_X87_MEMORY("fsubs");
    } else if constexpr (op == BinaryOp::sub_reversed) {
      TUXARIUM_X87_MEMORY("fsubrs");
    } else if constexpr (op == BinaryOp::div) {
      TUXARIUM_X87_MEMORY("fdivs");
    } else {
      TUXARIUM_X87_MEMORY("fdivrs");
    }
    return result;
  }

  template <BinaryOp op>
  static Result binary_f64(const Float80& a, std::uint64_t b, Environment env) {
    Result result;
    if constexpr (op == BinaryOp::add) {
      TUXARIUM_X87_MEMORY("faddl");
    } else if constexpr (op == BinaryOp::mul) {
      TUXARIUM_X87_MEMORY("fmull");
    } else if constexpr (op == BinaryOp::sub) {
      TUXARIUM_X87_MEMORY("fsubl");
    } else if constexpr (op == BinaryOp::sub_reversed) {
      TUXARIUM_X87_MEMORY("fsubrl");
    } else if constexpr (op == BinaryOp::div) {
      TUXARIUM_X87_MEMORY("fdivl");
    } else {
      TUXARIUM_X87_MEMORY("fdivrl");
    }
    return result;
  }

#define TUXARIUM_X87_STORE(operation, bits)                                                                   \
  TUXARIUM_X87_RUN("fldt %[value]\n\t", operation " %[memory]", "", "", [memory] "=m"(bits), [value] "m"(a)); \
  result.bits = bits

  template <unsigned bytes>
  static ValueResult to_float(const Float80& a, Environment env) {
    ValueResult result;
    if constexpr (bytes == 4) {
      std::uint32_t bits = 0;
      TUXARIUM_X87_STORE("fstps", bits);
    } else {
      std::uint64_t bits = 0;
      TUXARIUM_X87_STORE("fstpl", bits);
    }
    return result;
  }

  static Result square_root(const Float80& st0, Environment env);
  static Result round_to_integer(const Float80& st0, Environment env);
  static Result exp2_minus_1(const Float80& st0, Environment env);
  static Result sine(const Float80& st0, Environment env);
  static Result cosine(const Float80& st0, Environment env);

  static Result scale(const Float80& st0, const Float80& st1, Environment env);
  static Result remainder_truncating(const Float80& st0, const Float80& st1, Environment env);
  static Result remainder_nearest(const Float80& st0, const Float80& st1, Environment env);
  static Result log2_times(const Float80& st0, const Float80& st1, Environment env);
  static Result log2_plus_1_times(const Float80& st0, const Float80& st1, Environment env);
  static Result arctangent(const Float80& st0, const Float80& st1, Environment env);

  static PairResult tangent(const Float80& st0, Environment env);
  static PairResult sine_cosine(const Float80& st0, Environment env);
  static PairResult extract(const Float80& st0, Environment env);
};

#ifndef TUXARIUM_X87_KEEP_MACROS
#undef TUXARIUM_X87_RUN
#endif
#undef TUXARIUM_X87_BINARY
#undef TUXARIUM_X87_MEMORY
#undef TUXARIUM_X87_STORE

}  // namespace tuxarium::cpu::x87

#endif
