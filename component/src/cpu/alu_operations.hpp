// The operations of the arithmetic unit and the shifter: result and flags. `S` holds flag_result and flag_carries (flags.hpp).
#pragma once

#include <bit>
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

// With one operand.

struct Inc {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a) {
    const T r = static_cast<T>(a + 1);
    const bool of = r == static_cast<T>(T{1} << (kBits<T> - 1));
    const std::uint32_t cf = s.flag_carries & 0x80000000u;
    s.flag_carries = cf | ((cf >> 1) ^ (of ? 0x40000000u : 0)) | ((r & 15) == 0 ? 8u : 0);
    set_result(s, r);
    return r;
  }
};
struct Dec {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a) {
    const T r = static_cast<T>(a - 1);
    const bool of = a == static_cast<T>(T{1} << (kBits<T> - 1));
    const std::uint32_t cf = s.flag_carries & 0x80000000u;
    s.flag_carries = cf | ((cf >> 1) ^ (of ? 0x40000000u : 0)) | ((r & 15) == 15 ? 8u : 0);
    set_result(s, r);
    return r;
  }
};
struct Not {
  template <class T, class S>
  TUXARIUM_HOT static T run(S&, T a) {
    return static_cast<T>(~a);
  }
};
struct Neg {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a) {
    return Sub::run(s, T{0}, a);
  }
};

// Rotates and shifts. Flags that the manual leaves undefined follow what the shifter of i686 processors gives: OF is computed as for a count of
// 1, AF is cleared.

template <class T>
constexpr bool msb(T value) {
  return (value >> (kBits<T> - 1)) != 0;
}

/// CF and OF change, the other flags stay.
template <class S>
void set_rotate_flags(S& s, bool cf, bool of) {
  s.flag_carries = (s.flag_carries & 8) | (cf ? 1u << 31 : 0) | (cf != of ? 1u << 30 : 0);
}

// `n` is 1 to 31.
struct Rol {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, unsigned n) {
    const T r = std::rotl(a, static_cast<int>(n % kBits<T>));
    set_rotate_flags(s, (r & 1) != 0, msb(r) != ((r & 1) != 0));
    return r;
  }
};

struct Ror {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, unsigned n) {
    const T r = std::rotr(a, static_cast<int>(n % kBits<T>));
    set_rotate_flags(s, msb(r), msb(r) != msb(static_cast<T>(r << 1)));
    return r;
  }
};

struct Rcl {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, unsigned n) {
    n %= kBits<T> + 1;
    if (n == 0) return a;
    const std::uint64_t wide = std::uint64_t{a} | std::uint64_t{flag_cf(s)} << kBits<T>;
    const std::uint64_t turned = (wide << n) | (wide >> (kBits<T> + 1 - n));
    const T r = static_cast<T>(turned);
    const bool cf = (turned >> kBits<T> & 1) != 0;
    set_rotate_flags(s, cf, msb(r) != cf);
    return r;
  }
};

struct Rcr {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, unsigned n) {
    n %= kBits<T> + 1;
    if (n == 0) return a;
    const std::uint64_t wide = std::uint64_t{a} | std::uint64_t{flag_cf(s)} << kBits<T>;
    const std::uint64_t turned = (wide >> n) | (wide << (kBits<T> + 1 - n));
    const T r = static_cast<T>(turned);
    set_rotate_flags(s, (turned >> kBits<T> & 1) != 0, msb(r) != msb(static_cast<T>(r << 1)));
    return r;
  }
};

struct Shl {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, unsigned n) {
    const std::uint64_t wide = std::uint64_t{a} << n;
    const T r = static_cast<T>(wide);
    const bool cf = (wide >> kBits<T> & 1) != 0;
    set_cf_of(s, cf, msb(r) != cf);
    set_result(s, r);
    return r;
  }
};

struct Shr {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, unsigned n) {
    const T r = static_cast<T>(std::uint64_t{a} >> n);
    set_cf_of(s, (std::uint64_t{a} >> (n - 1) & 1) != 0, msb(r) != msb(static_cast<T>(r << 1)));
    set_result(s, r);
    return r;
  }
};

struct Sar {
  template <class T, class S>
  TUXARIUM_HOT static T run(S& s, T a, unsigned n) {
    const std::int64_t wide = sign_extend(a);
    const T r = static_cast<T>(wide >> n);
    set_cf_of(s, (wide >> (n - 1) & 1) != 0, false);
    set_result(s, r);
    return r;
  }
};

}  // namespace tuxarium::cpu
