#include <doctest/doctest.h>

#include "base/state_visitor.hpp"

using tuxarium::base::HashVisitor;

namespace {

enum class Colour : std::uint8_t { red, green };

struct Part {
  std::uint32_t a = 0;
  std::array<std::uint16_t, 2> b{};
  bool c = false;
  Colour colour = Colour::red;

  template <class Visitor>
  void visit_state(Visitor& v) {
    v(a);
    v(b);
    v(c);
    v(colour);
  }
};

std::uint64_t hash(Part part) {
  HashVisitor v;
  v(part);
  return v.digest();
}

}  // namespace

TEST_CASE("the digest depends on every kind of field and on their order") {
  const std::uint64_t empty = hash({});
  CHECK(hash({}) == empty);
  CHECK(hash({.a = 0x01000000}) != empty);
  CHECK(hash({.b = {1, 0}}) != hash({.b = {0, 1}}));
  CHECK(hash({.c = true}) != empty);
  CHECK(hash({.colour = Colour::green}) != empty);
}

TEST_CASE("the digest of nothing and of one zero byte are FNV-1a's") {
  HashVisitor v;
  CHECK(v.digest() == 0xcbf29ce484222325u);
  v(std::uint8_t{'a'});
  CHECK(v.digest() == 0xaf63dc4c8601ec8cu);
}
