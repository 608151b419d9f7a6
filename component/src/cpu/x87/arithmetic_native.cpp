// The less frequent operations of the host's x87; see arithmetic_native.hpp.
#define TUXARIUM_X87_KEEP_MACROS
#include "cpu/x87/arithmetic_native.hpp"

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)

namespace tuxarium::cpu::x87 {

#define TUXARIUM_X87_UNARY(operation)                                                                                   \
  Result result;                                                                                                        \
  TUXARIUM_X87_RUN("fldt %[st0]\n\t", operation, "fstpt %[value]\n\t", "", [value] "=m"(result.value), [st0] "m"(st0)); \
  return result

Result NativeArithmetic::square_root(const Float80& st0, Environment env) { TUXARIUM_X87_UNARY("fsqrt"); }
Result NativeArithmetic::round_to_integer(const Float80& st0, Environment env) { TUXARIUM_X87_UNARY("frndint"); }
Result NativeArithmetic::exp2_minus_1(const Float80& st0, Environment env) { TUXARIUM_X87_UNARY("f2xm1"); }
Result NativeArithmetic::sine(const Float80& st0, Environment env) { TUXARIUM_X87_UNARY("fsin"); }
Result NativeArithmetic::cosine(const Float80& st0, Environment env) { TUXARIUM_X87_UNARY("fcos"); }

#define TUXARIUM_X87_TWO_OPERANDS(operation, drop)                                    \
  Result result;                                                                      \
  TUXARIUM_X87_RUN("fldt %[st1]\n\tfldt %[st0]\n\t", operation, "fstpt %[value]\n\t", \
                   drop, [value] "=m"(result.value), [st0] "m"(st0), [st1] "m"(st1)); \
  return result

Result NativeArithmetic::scale(const Float80& st0, const Float80& st1, Environment env) {
  TUXARIUM_X87_TWO_OPERANDS("fscale", "fstp %%st(0)");
}
Result NativeArithmetic::remainder_truncating(const Float80& st0, const Float80& st1, Environment env) {
  TUXARIUM_X87_TWO_OPERANDS("fprem", "fstp %%st(0)");
}
Result NativeArithmetic::remainder_nearest(const Float80& st0, const Float80& st1, Environment env) {
  TUXARIUM_X87_TWO_OPERANDS("fprem1", "fstp %%st(0)");
}
Result NativeArithmetic::log2_times(const Float80& st0, const Float80& st1, Environment env) { TUXARIUM_X87_TWO_OPERANDS("fyl2x", ""); }
Result NativeArithmetic::log2_plus_1_times(const Float80& st0, const Float80& st1, Environment env) {
  TUXARIUM_X87_TWO_OPERANDS("fyl2xp1", "");
}
Result NativeArithmetic::arctangent(const Float80& st0, const Float80& st1, Environment env) { TUXARIUM_X87_TWO_OPERANDS("fpatan", ""); }

// Out of range, FPTAN and FSINCOS push nothing: the second store then finds an empty stack, and FNINIT clears up after it.
#define TUXARIUM_X87_PAIR(operation)                                                                                                \
  PairResult result;                                                                                                                \
  TUXARIUM_X87_RUN("fldt %[st0]\n\t", operation, "fstpt %[pushed]\n\tfstpt (%[deeper])\n\tfninit\n\tfldcw %[host_control]\n\t",     \
                   "", [pushed] "=m"(result.top), [st0] "m"(st0), [deeper] "r"(&result.deeper), [host_control] "m"(host.masked())); \
  return result

PairResult NativeArithmetic::tangent(const Float80& st0, Environment env) { TUXARIUM_X87_PAIR("fptan"); }
PairResult NativeArithmetic::sine_cosine(const Float80& st0, Environment env) { TUXARIUM_X87_PAIR("fsincos"); }
PairResult NativeArithmetic::extract(const Float80& st0, Environment env) { TUXARIUM_X87_PAIR("fxtract"); }

}  // namespace tuxarium::cpu::x87

#endif
