#include <doctest/doctest.h>

#include "base64.hpp"
#include "fakes.hpp"

using namespace tuxarium::bridge;
using test::bytes_of;

namespace {

std::string decoded(std::string_view text) {
  std::vector<std::byte> out = bytes_of("x");
  if (!decode_base64(text, out)) {
    CHECK(out == bytes_of("x"));
    return "wrong";
  }
  std::string as_text;
  for (const std::byte byte : out) as_text += static_cast<char>(byte);
  return as_text;
}

}  // namespace

TEST_CASE("base64: the examples of RFC 4648 section 10") {
  CHECK(decoded("") == "x");
  CHECK(decoded("Zg==") == "xf");
  CHECK(decoded("Zm8=") == "xfo");
  CHECK(decoded("Zm9v") == "xfoo");
  CHECK(decoded("Zm9vYmFy") == "xfoobar");
  CHECK(decoded("+/+/") == "x\xfb\xff\xbf");
}

TEST_CASE("base64: what is not whole is refused and leaves the output alone") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg=a", "====", "Z===", "Zm 9", "Zm9v\n", "Zm9-", "Zg==Zg=="}) {
    CAPTURE(text);
    CHECK(decoded(text) == "wrong");
  }
}
