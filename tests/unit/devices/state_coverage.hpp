// Proves that visit_state leaves no field of a State out: changes each byte of it in turn and looks for a change of the digest.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/state_visitor.hpp"

namespace tuxarium::test {

template <class Part>
std::uint64_t state_digest(Part& part) {
  base::HashVisitor v;
  part.visit_state(v);
  return v.digest();
}

/// Offsets of the bytes of `state`, a part of `part`, that the digest does not depend on. Padding is left out where the compiler can
/// tell (g++); elsewhere the answer is empty.
template <class Part, class State>
std::vector<std::size_t> unvisited_bytes([[maybe_unused]] Part& part, [[maybe_unused]] State& state) {
  static_assert(std::is_trivially_copyable_v<State>);
  std::vector<std::size_t> result;
#if defined(__GNUC__) && !defined(__clang__)
  State mask;
  std::memset(static_cast<void*>(&mask), 0xff, sizeof mask);
  __builtin_clear_padding(&mask);
  const auto* used = reinterpret_cast<const unsigned char*>(&mask);
  auto* bytes = reinterpret_cast<unsigned char*>(&state);
  std::memset(static_cast<void*>(&state), 0, sizeof state);
  const std::uint64_t before = state_digest(part);
  for (std::size_t i = 0; i < sizeof state; ++i) {
    if (used[i] == 0) continue;
    bytes[i] = 1;  // also a valid bool
    if (state_digest(part) == before) result.push_back(i);
    bytes[i] = 0;
  }
#endif
  return result;
}

}  // namespace tuxarium::test
