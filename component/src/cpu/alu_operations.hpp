// The two-operand operations of the arithmetic unit: result and flags. `S` holds flag_result and flag_carries (flags.hpp).
#pragma once

#include <cstdint>

#include "cpu/memory_access.hpp"

namespace tuxarium::cpu {

/// a + b + carry.
template <class T, class S>
TUXARIUM_HOT T add_result(S& s, T a, T b, bool carry) {
  const T r = static_cast<T>(a + b + (carry ? 1 : 0));
  s.flag_carries = place_carries<T>(static_cast<std::uint32_t>((a & b) | ((a | b) & ~r)));
  set_result(s, r);
  return r;
}

/// a - b - borrow.
template <class T, class S>
TUXARIUM_HOT T subtract_result(S& s, T a, T b, bool borrow) {
  const T r = static_cast<T>(a - b - (borrow ? 1 : 0));
  s.flag_carries = place_carries<T>(static_cast<std::uint32_t>((~a & b) | ((~a | b) & r)));
  set_result(s, r);
  return r;
}

struct Add {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    return add_result(s, a, b, false);
  }
};
struct Adc {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    return add_result(s, a, b, flag_cf(s));
  }
};
struct Sub {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    return subtract_result(s, a, b, false);
  }
};
struct Cmp : Sub {
  static constexpr bool kWrites = false;
};
struct Sbb {
  static constexpr bool kWrites = true;
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, T b) {
    return subtract_result(s, a, b, flag_cf(s));
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
