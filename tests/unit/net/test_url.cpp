#include "net/url.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace tuxarium;
using net::parse_url;
using net::Scheme;
using net::Url;

namespace {

Url good(const std::string& text) {
  const auto url = parse_url(text);
  INFO(text << (url ? std::string{} : url.error().message));
  REQUIRE(url.has_value());
  return *url;
}

std::string refusal(const std::string& text) {
  const auto url = parse_url(text);
  INFO(text);
  REQUIRE_FALSE(url.has_value());
  CHECK(url.error().message.ends_with("."));
  return url.error().message;
}

std::string resolved(const std::string& base, const std::string& reference) {
  const auto url = net::resolve_reference(good(base), reference);
  return url ? url->text() : url.error().message;
}

bool says(const std::string& sentence, const std::string& words) { return sentence.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("url: scheme, host, port and target") {
  const Url url = good("HTTP://Disks.Example:8080/a%20b/?x=1");
  CHECK(url.scheme == Scheme::http);
  CHECK(url.host == "disks.example");
  CHECK(url.port == 8080);
  CHECK(url.target == "/a%20b/?x=1");
  CHECK_FALSE(url.secure());
  CHECK(url.text() == "http://disks.example:8080/a%20b/?x=1");
}

TEST_CASE("url: default ports and an empty path") {
  CHECK(good("http://h").port == 80);
  CHECK(good("ws://h").port == 80);
  CHECK(good("https://h").port == 443);
  CHECK(good("wss://h:443/").authority() == "h");
  CHECK(good("wss://h:444/").authority() == "h:444");
  CHECK(good("http://h?q").target == "/?q");
  CHECK(good("wss://h").secure());
}

TEST_CASE("url: addresses") {
  const Url url = good("ws://[2001:DB8::1]:81/x");
  CHECK(url.host == "2001:db8::1");
  CHECK(url.authority() == "[2001:db8::1]:81");
  CHECK(url.text() == "ws://[2001:db8::1]:81/x");
  CHECK(url.host_is_address());
  CHECK(good("http://127.0.0.1/").host_is_address());
  CHECK_FALSE(good("http://127.0.0.1.example/").host_is_address());
}

TEST_CASE("url: what is wrong is named") {
  CHECK(says(refusal(""), "does not begin with"));
  CHECK(says(refusal("ftp://h/"), "does not begin with"));
  CHECK(says(refusal("http:/h/"), "does not begin with"));
  CHECK(says(refusal("http://"), "names no host"));
  CHECK(says(refusal("http:///path"), "names no host"));
  CHECK(says(refusal("http://:80/"), "names no host"));
  CHECK(says(refusal("http://me:secret@h/"), "user name"));
  CHECK(says(refusal("http://h:0/"), "port"));
  CHECK(says(refusal("http://h:65536/"), "port"));
  CHECK(says(refusal("http://h:/"), "port"));
  CHECK(says(refusal("http://h:8a/"), "port"));
  CHECK(says(refusal("http://h:-1/"), "port"));
  CHECK(says(refusal("http://1::2/"), "port"));
  CHECK(says(refusal("http://[::1/"), "no ]"));
  CHECK(says(refusal("http://[h]/"), "no IPv6 address"));
  CHECK(says(refusal("http://[fe80::1%25eth0]/"), "no IPv6 address"));
  CHECK(says(refusal("http://[::1]80/"), "follows its IPv6 address"));
  CHECK(says(refusal("http://h%41/"), "character"));
  CHECK(says(refusal("http://h/#part"), "fragment"));
  CHECK(says(refusal("http://h/a b"), "blank"));
  CHECK(says(refusal("http://h/\r\nX: y"), "blank"));
  CHECK(says(refusal("http://h/\xc3\xa4"), "ASCII"));
  CHECK(says(refusal("http://" + std::string(300, 'a') + "/"), "character"));
  CHECK(says(refusal("http://h/" + std::string(net::kMaxUrl, 'a')), "more than 2048"));
  CHECK(refusal("http://h\x1b[2J/").find('\x1b') == std::string::npos);
}

TEST_CASE("url: references of a redirect (examples of RFC 3986, section 5.4)") {
  const std::string base = "http://a/b/c/d;p?q";
  CHECK(resolved(base, "g") == "http://a/b/c/g");
  CHECK(resolved(base, "./g") == "http://a/b/c/g");
  CHECK(resolved(base, "g/") == "http://a/b/c/g/");
  CHECK(resolved(base, "/g") == "http://a/g");
  CHECK(resolved(base, "//g") == "http://g/");
  CHECK(resolved(base, "?y") == "http://a/b/c/d;p?y");
  CHECK(resolved(base, "g?y") == "http://a/b/c/g?y");
  CHECK(resolved(base, "g#s") == "http://a/b/c/g");
  CHECK(resolved(base, "..") == "http://a/b/");
  CHECK(resolved(base, "../g") == "http://a/b/g");
  CHECK(resolved(base, "../../../g") == "http://a/g");
  CHECK(resolved(base, "https://x:8443/y") == "https://x:8443/y");
  CHECK(says(resolved(base, "javascript:alert(1)"), "does not begin with"));
  CHECK(says(resolved(base, "http://u@x/"), "user name"));
}

TEST_CASE("url: random texts are refused or come out the same again") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 engine{seed};
  const auto random = [&engine] { return static_cast<unsigned>(engine()); };
  const std::string alphabet = "htpsw:/.[]@?#%aF0129-_ \n\x7f";
  for (int i = 0; i < 20000; ++i) {
    std::string text = random() % 4 != 0 ? "http://" : "";
    for (unsigned n = random() % 24; n > 0; --n) text += alphabet[random() % alphabet.size()];
    const auto url = parse_url(text);
    if (!url) continue;
    const auto again = parse_url(url->text());
    REQUIRE(again.has_value());
    CHECK(again->text() == url->text());
    CHECK(net::resolve_reference(*url, url->text()).has_value());
  }
}
