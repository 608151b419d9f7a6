// The two-operand operations of the arithmetic unit: result and flags. `S` holds flag_result and flag_carries (flags.hpp).
#pragma once

#include <cstdint>

#include "cpu/memory_access.hpp"

namespace tuxarium::cpu {

struct Add {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    const T r = static_cast<T>(a + b);
    s.flag_carries = place_carries<T>(static_cast<std::uint32_t>((a & b) | ((a | b) & ~r)));
    set_result(s, r);
    return r;
  }
};

struct Adc {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    const T r = static_cast<T>(a + b + (flag_cf(s) ? 1 : 0));
    s.flag_carries = place_carries<T>(static_cast<std::uint32_t>((a & b) | ((a | b) & ~r)));
    set_result(s, r);
    return r;
  }
};

struct Sub {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    const T r = static_cast<T>(a - b);
    s.flag_carries = place_carries<T>(static_cast<std::uint32_t>((~a & b) | ((~a | b) & r)));
    set_result(s, r);
    return r;
  }
};

struct Cmp : Sub {
  static constexpr bool kWrites = false;
};

struct Sbb {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    const T r = static_cast<T>(a - b - (flag_cf(s) ? 1 : 0));
    s.flag_carries = place_carries<T>(static_cast<std::uint32_t>((~a & b) | ((~a | b) & r)));
    set_result(s, r);
    return r;
  }
};

template <class T, class S>
TUXARIUM_HOT T logic_result(S& s, T r) {
  s.flag_carries = 0;
  set_result(s, r);
  return r;
}

struct And {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    return logic_result(s, static_cast<T>(a & b));
  }
};
struct Test : And {
  static constexpr bool kWrites = false;
};
struct Or {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    return logic_result(s, static_cast<T>(a | b));
  }
};
struct Xor {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    return logic_result(s, static_cast<T>(a ^ b));
  }
};

}  // namespace tuxarium::cpu
