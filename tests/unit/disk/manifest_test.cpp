#include "disk/manifest.hpp"

#include <doctest/doctest.h>

#include <string>

#include "disk/sha256.hpp"

using namespace tuxarium;
using namespace tuxarium::disk;

namespace {

std::string digest_of(const std::string& text) { return to_hex(sha256(std::as_bytes(std::span{text}))); }

const std::string kDigest(64, 'a');
const std::string kGood = "tuxarium-disk 1\npiece-size 1024\nsectors 5\npieces 3\n" + kDigest + "\nzero\n" + kDigest + "\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string problem(const std::string& text) {
  const auto manifest = parse_manifest(text, "\"m\"");
  REQUIRE(!manifest.has_value());
  CHECK(manifest.error().code == ErrorCode::bad_image);
  return manifest.error().message;
}

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("SHA-256: the examples of FIPS 180-4 and lengths around a block") {
  CHECK(digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest_of(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  CHECK(digest_of(std::string(55, 'a')) == "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  CHECK(digest_of(std::string(56, 'a')) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  CHECK(digest_of(std::string(64, 'a')) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

TEST_CASE("manifest: text and value are each other's image") {
  const auto manifest = parse_manifest(kGood, "m");
  REQUIRE(manifest.has_value());
  CHECK(manifest->piece_bytes == 1024);
  CHECK(manifest->sectors == 5);
  REQUIRE(manifest->pieces.size() == 3);
  CHECK(!manifest->pieces[0].zero);
  CHECK(manifest->pieces[0].digest[31] == 0xaa);
  CHECK(manifest->pieces[1].zero);
  CHECK(format_manifest(*manifest) == kGood);
}

TEST_CASE("manifest: every deviation is refused with the line") {
  CHECK(has(problem(""), "line 1"));
  CHECK(has(problem(replaced(kGood, "disk 1", "disk 2")), "line 1"));
  CHECK(has(problem(replaced(kGood, "1024", "1000")), "power of two"));
  CHECK(has(problem(replaced(kGood, "1024", "256")), "power of two"));
  CHECK(has(problem(replaced(kGood, "1024", "33554432")), "power of two"));
  CHECK(has(problem(replaced(kGood, "1024", "01024")), "decimal"));
  CHECK(has(problem(replaced(kGood, "1024", "+1024")), "decimal"));
  CHECK(has(problem(replaced(kGood, "1024", "1024 ")), "decimal"));
  CHECK(has(problem(replaced(kGood, "1024", "")), "decimal"));
  CHECK(has(problem(replaced(kGood, "sectors 5", "sectors 99999999999999999999999")), "decimal"));
  CHECK(has(problem(replaced(kGood, "sectors 5", "sectors 4")), "do not fit"));
  CHECK(has(problem(replaced(kGood, "sectors 5", "sectors 7")), "do not fit"));
  CHECK(has(problem(replaced(kGood, "sectors", "sector")), "line 3"));
  CHECK(has(problem(replaced(kGood, "pieces 3", "pieces 0")), "number of pieces"));
  CHECK(has(problem(replaced(kGood, "pieces 3", "pieces 18446744073709551615")), "number of pieces"));
  CHECK(has(problem(replaced(kGood, "zero", "Zero")), "piece 1"));
  CHECK(has(problem(replaced(kGood, "aaaa", "aaaA")), "piece 0"));
  CHECK(has(problem(replaced(kGood, "aaaa", "aaa")), "piece 0"));
  CHECK(has(problem(kGood + "\n"), "line 8"));
  CHECK(has(problem(kGood + "x"), "more after"));
  CHECK(has(problem(replaced(kGood, "\n", "\r\n")), "line 1"));
}

TEST_CASE("manifest: every truncation is refused") {
  for (std::size_t length = 0; length < kGood.size(); ++length) {
    CAPTURE(length);
    CHECK(!parse_manifest(kGood.substr(0, length), "m").has_value());
  }
}
