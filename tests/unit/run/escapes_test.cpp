#include "escapes.hpp"

#include <doctest/doctest.h>

#include <string>

using tuxarium::app::unescape;

namespace {
std::string bytes(std::string_view text) {
  auto result = unescape(text);
  REQUIRE_MESSAGE(result.has_value(), text);
  return result.value();
}
}  // namespace

TEST_CASE("escapes become their bytes") {
  CHECK(bytes("") == "");
  CHECK(bytes("plain text") == "plain text");
  CHECK(bytes("a\\nb\\rc\\td") == "a\nb\rc\td");
  CHECK(bytes("\\e[A\\a\\b\\f\\v") == "\x1b[A\a\b\f\v");
  CHECK(bytes("\\\\ \\\" \\' \\?") == "\\ \" ' ?");
}

TEST_CASE("numbers: two hexadecimal digits, three octal ones, never more") {
  CHECK(bytes("\\x41") == "A");
  CHECK(bytes("\\x4z") == "\x04z");
  CHECK(bytes("\\x414") == "A4");
  CHECK(bytes("\\0") == std::string(1, '\0'));
  CHECK(bytes("\\0123") == "\n3");
  CHECK(bytes("\\101\\377") == "A\xff");
  CHECK(bytes("\\08") == std::string("\0" "8", 2));
}

TEST_CASE("a malformed escape is an error that names it") {
  for (const char* text : {"\\", "abc\\", "\\x", "\\xg", "\\q", "\\9", "\\400"}) {
    const auto result = unescape(text);
    REQUIRE_MESSAGE(!result.has_value(), text);
    CHECK(result.error().message.find(text) != std::string::npos);
  }
}
