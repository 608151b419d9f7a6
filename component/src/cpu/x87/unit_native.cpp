// The unit on the host's own x87.
#include "cpu/x87/arithmetic_native.hpp"
#include "cpu/x87/unit_members.hpp"

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
template class tuxarium::cpu::x87::BasicUnit<tuxarium::cpu::x87::NativeArithmetic>;
#endif
