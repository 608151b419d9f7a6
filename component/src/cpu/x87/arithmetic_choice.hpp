// Which arithmetic the unit uses on this host.
#pragma once

#include <type_traits>

namespace tuxarium::cpu::x87 {

struct NativeArithmetic;
struct SoftArithmetic;

/// The host has an x87 that inline assembly can reach.
inline constexpr bool kHostHasX87 =
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
    true;
#else
    false;
#endif

using HostArithmetic = std::conditional_t<kHostHasX87, NativeArithmetic, SoftArithmetic>;

}  // namespace tuxarium::cpu::x87
