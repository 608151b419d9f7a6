// How the state of a part is walked: the same function lists the fields for saving, loading and hashing.
//
// A part has a plain nested `State` and a function template `visit(Visitor&, State&)` that names every field once, in a fixed
// order: `v(s.ier); v(s.fifo); ...`. A visitor accepts integers, bool, enums, std::array of those, and anything with its own
// `visit_state(Visitor&)` member.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace tuxarium::base {

/// Digests every visited field: FNV-1a over the little-endian bytes of each value, 64 bits.
class HashVisitor {
 public:
  template <class T>
    requires std::integral<T> || std::is_enum_v<T>
  void operator()(const T& value) {
    auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      mix(static_cast<std::uint8_t>(bits));
      bits >>= 8;
    }
  }
  template <class T, std::size_t N>
  void operator()(const std::array<T, N>& values) {
    for (const T& value : values) (*this)(value);
  }
  template <class T>
    requires requires(T& t, HashVisitor& v) { t.visit_state(v); }
  void operator()(T& part) {
    part.visit_state(*this);
  }

  void mix(std::uint8_t byte) { digest_ = (digest_ ^ byte) * 0x100000001b3u; }
  std::uint64_t digest() const { return digest_; }

 private:
  std::uint64_t digest_ = 0xcbf29ce484222325u;
};

}  // namespace tuxarium::base
