#include <doctest/doctest.h>

#include "terminal_fixture.hpp"
#include "vt/search.hpp"

namespace tuxarium::vt {
namespace {

std::u32string wide(std::string_view text) {
  std::u32string all;
  while (!text.empty()) all.push_back(take_utf8(text));
  return all;
}

// The part of `text` that the expression finds first; "-" for none, "?" for an expression that is wrong.
std::string found(std::string_view expression, std::string_view text, bool ignore_case = false) {
  std::string error;
  const auto pattern = Pattern::compile(wide(expression), ignore_case, error);
  if (!pattern) return error.empty() ? "no error" : "?";
  const std::u32string characters = wide(text);
  const auto match = pattern->find(characters, 0);
  if (!match) return "-";
  std::string part;
  for (std::size_t i = match->first; i < match->second; ++i) append_utf8(part, characters[i]);
  return part;
}

}  // namespace

TEST_CASE("expressions") {
  CHECK(found("b+", "aabbbc") == "bbb");
  CHECK(found("b+?", "aabbbc") == "b");
  CHECK(found("a|b|cd", "xxcd") == "cd");
  CHECK(found("(ab)*c", "xababc") == "ababc");
  CHECK(found("a.c", "abc") == "abc");
  CHECK(found("[b-d]+", "abcde") == "bcd");
  CHECK(found("[^b-d]+", "bcdefb") == "ef");
  CHECK(found("[]x]", "a]") == "]");
  CHECK(found("\\d{3}", "12 1234") == "123");
  CHECK(found("a{2,3}", "aaaa") == "aaa");
  CHECK(found("a{2,}b", "ab aaab") == "aaab");
  CHECK(found("a{0}b", "ab") == "b");
  CHECK(found("xa?b", "xb") == "xb");
  CHECK(found("^ab", "cab") == "-");
  CHECK(found("ab$", "abab") == "ab");
  CHECK(found("\\bfoo\\b", "xfoo foo") == "foo");
  CHECK(found("\\.", "a.b") == ".");
  CHECK(found("grün", "GRÜN", true) == "GRÜN");
  CHECK(found("[A-C]+", "xabcx", true) == "abc");
  CHECK(found("(?:a|ab)(c|bcd)", "abcd") == "abcd");
  CHECK(found("x*", "aaa") == "-");
  CHECK(found("漢.", "a漢字") == "漢字");
  CHECK(found("(a{3}){2}", "aaaaaaa") == "aaaaaa");
  CHECK(found("error|warn(ing)?", "a warning") == "warning");
  for (const char* wrong : {"(", ")", "[", "*", "a**", "\\", "[z-a]", "a{3,2}", "a{101}"}) CHECK(found(wrong, "a") == "?");
}

TEST_CASE("no expression takes long or much") {
  CHECK(found("(a*)*b", std::string(20000, 'a')) == "-");
  CHECK(found("(a+)+$", std::string(20000, 'a') + "b") == "-");
  CHECK(found(std::string(200, '(') + "a" + std::string(200, ')'), "a") == "?");
  CHECK(found("((((((a{100}){100}){100}){100}){100}){100})", "a") == "?");
  CHECK(found("(((((()*)*)*)*)*)*x", "x") == "x");
}

TEST_CASE("matches on the screen, over the end of a row too") {
  Terminal t{{.rows = 4, .columns = 10}};
  write(t, "one two Two\r\nthree two");
  Search search;
  search.set("two", false, false);
  std::vector<CellRange> ranges;
  const auto top = t.buffer().screen_line();
  search.matches(t.buffer(), top, top + 4, ranges);
  REQUIRE(ranges.size() == 3);
  CHECK(ranges[0] == CellRange{{top, 4}, {top, 6}});
  CHECK(ranges[1] == CellRange{{top, 8}, {top + 1, 0}});
  CHECK(ranges[2] == CellRange{{top + 2, 6}, {top + 2, 8}});
  search.set("Two", false, true);
  search.matches(t.buffer(), top, top + 4, ranges);
  CHECK(ranges.size() == 1);
  search.set("t[a-z", true, false);
  CHECK_FALSE(search.active());
  CHECK_FALSE(search.error().empty());
}

TEST_CASE("next and previous go around, in bounded steps") {
  Terminal t{{.rows = 4, .columns = 10, .scrollback_lines = 9000}};
  for (int i = 0; i < 9000; ++i) write(t, i % 3000 == 100 ? "needle\r\n" : "hay\r\n");
  Search search;
  search.set("needle", false, false);
  const auto first = t.buffer().first_line();
  const auto next = [&](bool up) {
    search.start(up, {t.buffer().end_line() - 1, 0});
    int steps = 0;
    while (!search.step(t.buffer())) ++steps;
    CHECK(steps < 10);
    return search.current() ? static_cast<int>(search.current()->first.line - first) : -1;
  };
  CHECK(next(true) == 6100);
  CHECK(next(true) == 3100);
  CHECK(next(true) == 100);
  CHECK(next(true) == 6100);
  CHECK(next(false) == 100);
  search.set("nothing", false, false);
  CHECK(next(false) == -1);
  CHECK(search.failed());
}

TEST_CASE("addresses under the mouse") {
  Terminal t{{.rows = 4, .columns = 30}};
  write(t, "see (https://a.example/x?y=1).\r\nand http://");
  const auto top = t.buffer().screen_line();
  const auto address = address_at(t.buffer(), {top, 10});
  REQUIRE(address);
  CHECK(address->text == "https://a.example/x?y=1");
  CHECK(address->cells == CellRange{{top, 5}, {top, 27}});
  CHECK_FALSE(address_at(t.buffer(), {top, 1}));
  CHECK_FALSE(address_at(t.buffer(), {top, 28}));
  CHECK_FALSE(address_at(t.buffer(), {top + 1, 6}));
  CHECK_FALSE(address_at(t.buffer(), {top + 3, 6}));
}

}  // namespace tuxarium::vt
