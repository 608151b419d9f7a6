#include "stream_regex.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <regex>
#include <string>

using tuxarium::app::StreamRegex;

namespace {

StreamRegex compiled(std::string_view expression) {
  auto regex = StreamRegex::compile(expression);
  REQUIRE_MESSAGE(regex.has_value(), expression);
  return std::move(regex).value();
}

/// Where the earliest match ends, or nothing.
std::optional<std::size_t> end_of_match(std::string_view expression, std::string_view text) {
  StreamRegex regex = compiled(expression);
  std::size_t used = 0;
  if (!regex.feed(text, used)) return std::nullopt;
  return used;
}

/// The same by the standard library: the shortest prefix that holds a match.
std::optional<std::size_t> reference_end(const std::string& expression, const std::string& text) {
  const std::regex regex{expression};
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string prefix = text.substr(0, length);
    if (std::regex_search(prefix, regex)) return length;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("plain text, classes, alternatives, quantifiers") {
  CHECK(end_of_match("b", "abc") == 2);
  CHECK(end_of_match("x", "abc") == std::nullopt);
  CHECK(end_of_match("a.c", "a\nc abc") == 7);
  CHECK(end_of_match("[0-9]+ MB", "now 12 MB") == 9);
  CHECK(end_of_match("[^a-c]", "abcd") == 4);
  CHECK(end_of_match("cat|dog|bird", "a dog") == 5);
  CHECK(end_of_match("a(b|cd)*e", "abcdbe") == 6);
  CHECK(end_of_match("x{3}", "xx xxx") == 6);
  CHECK(end_of_match("^x{2,3}y", "xxxxy\nxxy") == 9);
  CHECK(end_of_match("(?:ab){2,}c", "ababc") == 5);
  CHECK(end_of_match("colou?r", "color") == 5);
  CHECK(end_of_match("a+?b", "aab") == 3);
  CHECK(end_of_match("\\d\\s\\w\\D\\S\\W", "1 a.b ") == 6);
  CHECK(end_of_match("\\x41\\u00e9\\t\\$\\/\\.", "A\xc3\xa9\t$/.") == 7);
  CHECK(end_of_match("\xc3\xa9+!", "\xc3\xa9\xc3\xa9!") == 5);
  CHECK(end_of_match("[\\]a]b", "]b") == 2);
  CHECK(end_of_match("[a\\-z]{3}", "-az") == 3);
  CHECK(end_of_match("[-a]{2}", "a-") == 2);
}

TEST_CASE("the earliest end wins, and the bytes behind it are not taken") {
  CHECK(end_of_match("a*b", "aaabab") == 4);
  CHECK(end_of_match("ab|abc", "abc") == 2);
  CHECK(end_of_match("b.*", "abcd") == 2);
}

TEST_CASE("a match may come in any pieces") {
  StreamRegex regex = compiled("login: ?$");
  std::size_t used = 0;
  for (const char c : std::string{"welcome\r\nlogin:"}) CHECK_FALSE(regex.feed({&c, 1}, used));
  CHECK(regex.matches_at_pause());
  CHECK_FALSE(regex.feed(" ", used));
  CHECK(regex.matches_at_pause());
  CHECK_FALSE(regex.feed("x", used));
  CHECK_FALSE(regex.matches_at_pause());
}

TEST_CASE("lines: ^ and $") {
  CHECK(end_of_match("^b", "ab\nb") == 4);
  CHECK(end_of_match("^a", "ab") == 1);
  CHECK(end_of_match("b$", "ba\r\nab\r\n") == 6);
  CHECK(end_of_match("^$", "a\n\n") == 2);
  StreamRegex regex = compiled("^a");
  regex.restart(false);
  std::size_t used = 0;
  CHECK_FALSE(regex.feed("a", used));
  CHECK(regex.feed("\na", used));
}

TEST_CASE("word boundaries") {
  CHECK(end_of_match("\\bcat\\b.", "concat cat;") == 11);
  CHECK(end_of_match("\\Bcat", "cat concat") == 10);
}

TEST_CASE("agrees with the standard library on random expressions") {
  const auto seed = static_cast<std::uint32_t>(std::random_device{}());
  INFO("seed ", seed);
  std::mt19937 random{seed};
  const auto pick = [&random](unsigned below) { return static_cast<unsigned>(random() % below); };
  const auto make = [&pick](const auto& self, unsigned depth) -> std::string {
    switch (pick(depth == 0 ? 3 : 8)) {
      case 0: return "a";
      case 1: return "b";
      case 2: return "[ac]";
      case 3: return self(self, depth - 1) + self(self, depth - 1);
      case 4: return "(" + self(self, depth - 1) + "|" + self(self, depth - 1) + ")";
      case 5: return "(" + self(self, depth - 1) + ")?";
      case 6: return "(?:" + self(self, depth - 1) + "c){1,2}";
      default: return "(" + self(self, depth - 1) + "b)*";
    }
  };
  for (int i = 0; i < 400; ++i) {
    const std::string expression = make(make, 4) + "c";
    std::string text;
    for (int k = 0; k < 12; ++k) text += static_cast<char>('a' + pick(3));
    INFO(expression, " on ", text);
    CHECK(end_of_match(expression, text) == reference_end(expression, text));
  }
}

TEST_CASE("megabytes of output are no trouble, even for a greedy expression") {
  StreamRegex regex = compiled("(a|b)*[^]*(x+x+)+y");
  const std::string flood(1 << 20, 'x');
  std::size_t used = 0;
  CHECK_FALSE(regex.feed(flood, used));
  CHECK(regex.feed("y", used));
}

TEST_CASE("a malformed expression is an error that names it") {
  for (const char* text : {"", "(", ")", "a)", "[a", "*a", "a**", "a{2,1}", "a{x}", "{2}", "\\", "[z-a]", "(?=a)", "(?!a)", "(?<n>a)", "\\1", "\\xg", "\\q",
                           "^*", "a{1001}", "((a{1000}){1000})"}) {
    const auto regex = StreamRegex::compile(text);
    REQUIRE_MESSAGE(!regex.has_value(), text);
    CHECK(regex.error().message.find("expression") != std::string::npos);
  }
  CHECK_FALSE(StreamRegex::compile(std::string(100'000, '(')).has_value());
}

TEST_CASE("any bytes as expression either compile or fail") {
  const auto seed = static_cast<std::uint32_t>(std::random_device{}());
  INFO("seed ", seed);
  std::mt19937 random{seed};
  const std::string alphabet = "ab()[]{}|*+?^$.\\-,12xduwB:=";
  for (int i = 0; i < 20'000; ++i) {
    std::string expression;
    const unsigned length = static_cast<unsigned>(random() % 12);
    for (unsigned k = 0; k < length; ++k) expression += alphabet[random() % alphabet.size()];
    auto regex = StreamRegex::compile(expression);
    if (!regex) continue;
    std::size_t used = 0;
    (void)regex->feed("aab12\nxd-", used);
    CHECK(used <= 9);
    (void)regex->matches_at_pause();
  }
}
