#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "vt/sequence_filter.hpp"

namespace tuxarium::vt {
namespace {

struct Recorder final : SequenceSink {
  std::string bytes;
  std::vector<std::string> titles;
  std::vector<ControlSequence> sequences;
  void on_bytes(std::string_view b) override { bytes += b; }
  void on_control_sequence(const ControlSequence& s) override { sequences.push_back(s); }
  void on_escape(char) override {}
  void on_title(std::string_view t) override { titles.emplace_back(t); }
};

Recorder filtered(std::string_view input, std::size_t piece = 1000) {
  SequenceFilter filter;
  Recorder sink;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    filter.write(std::as_bytes(std::span{input.substr(at, piece)}), sink);
  }
  return sink;
}

std::string passed(std::string_view input) {
  const auto whole = filtered(input).bytes;
  for (const std::size_t piece : {1u, 2u, 3u}) REQUIRE(filtered(input, piece).bytes == whole);
  return whole;
}

}  // namespace

TEST_CASE("text and controls pass") {
  CHECK(passed("hello\r\n\tworld\b\a") == "hello\r\n\tworld\b\a");
  CHECK(passed("grün 漢字 🐧") == "grün 漢字 🐧");
  CHECK(passed(std::string_view{"a\0b\x7f", 4}) == "ab");
}

TEST_CASE("malformed UTF-8 becomes the replacement character") {
  CHECK(passed("\xff") == "\uFFFD");
  CHECK(passed("\xc3(") == "\uFFFD(");
  CHECK(passed("\xc0\xaf") == "\uFFFD\uFFFD");
  CHECK(passed("\xe0\x80\x80") == "\uFFFD\uFFFD\uFFFD");
  CHECK(passed("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");
  CHECK(passed("\xf4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(passed("\xe2\x82\x1b[m") == "\uFFFD\x1b[m");
}

TEST_CASE("C1 code points and long runs of marks are dropped") {
  CHECK(passed("a\xc2\x9d\xc2\x80" "b") == "ab");
  std::string marks, kept;
  for (int i = 0; i < 100; ++i) marks += "\u0301";
  for (unsigned i = 0; i < SequenceFilter::kMaxZeroWidthRun; ++i) kept += "\u0301";
  CHECK(passed("e" + marks + "x" + marks) == "e" + kept + "x" + kept);
}

TEST_CASE("control sequences leave normalised") {
  CHECK(passed("\x1b[1;31mx") == "\x1b[1;31mx");
  CHECK(passed("\x1b[;5H") == "\x1b[;5H");
  CHECK(passed("\x1b[0005m") == "\x1b[5m");
  CHECK(passed("\x1b[?25l") == "\x1b[?25l");
  CHECK(passed("\x1b[2 q") == "\x1b[2 q");
  CHECK(passed("\x1b[38:2:1:2:3m") == "\x1b[38:2:1:2:3m");
  CHECK(passed("\x1b[99999999999999999999B") == "\x1b[9999B");
}

TEST_CASE("more arguments than fit are dropped") {
  std::string many = "\x1b[";
  for (int i = 0; i < 500; ++i) many += "7;";
  const auto out = passed(many + "5m!");
  CHECK(out == "\x1b[7;7;7;7;7;7;7;7;7;7;7;7;7;7;7;7m!");
}

TEST_CASE("REP becomes text, and nothing where there is nothing to repeat") {
  CHECK(passed("x\x1b[3b!") == "xxxx!");
  CHECK(passed("é\x1b[b!") == "éé!");
  CHECK(passed("\x1b[5b!") == "!");
  CHECK(passed("x\r\x1b[5b!") == "x\r!");
  CHECK(passed("x\x1b[9999b").size() == 1 + SequenceFilter::kMaxRepeat);
}

TEST_CASE("controls inside a sequence act at once, CAN, SUB and ESC end it") {
  CHECK(passed("\x1b[3\n1m") == "\n\x1b[31m");
  CHECK(passed("\x1b[3\x18" "1m") == "1m");
  CHECK(passed("\x1b[3\x1b[4m") == "\x1b[4m");
  CHECK(passed("\x1b[1?2m!") == "!");
}

TEST_CASE("escape sequences") {
  CHECK(passed("\x1b" "7\x1b" "8\x1b(0\x1b(B\x1b#8\x1b=") == "\x1b" "7\x1b" "8\x1b(0\x1b(B\x1b#8\x1b=");
  CHECK(passed("\x1bNa\x1bO\x1b\\") == "a");
  CHECK(passed("\x1b((((((0x") == "x");
}

TEST_CASE("control strings vanish, a title is reported") {
  CHECK(passed("a\x1b]0;hi\x07" "b\x1b]2;there\x1b\\c") == "abc");
  CHECK(filtered("\x1b]0;hi\x07\x1b]2;th\xff" "ere\x1b\\\x1b]1;icon\x07").titles == std::vector<std::string>{"hi", "th\uFFFDere"});
  CHECK(passed("a\x1bPq#0;1~\x07~\x1b\\b") == "ab");
  CHECK(passed("a\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\b") == "ab");
  CHECK(passed("a\x1b]0;title\x1b[mb") == "a\x1b[mb");
  CHECK(passed("a\x1b]Pfff0000b\x1b]Rc") == "abc");
}

TEST_CASE("a title is bounded on a whole character") {
  std::string text = "\x1b]2;";
  for (int i = 0; i < 200; ++i) text += "漢";
  const auto titles = filtered(text + "\x07").titles;
  REQUIRE(titles.size() == 1);
  CHECK(titles[0].size() <= SequenceFilter::kMaxTitle);
  CHECK(titles[0].size() % 3 == 0);
  CHECK(titles[0].size() > SequenceFilter::kMaxTitle - 3);
}

TEST_CASE("random bytes in random pieces give the same output as in one piece") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 200; ++round) {
    std::string input;
    const std::string_view favourites = "\x1b[]P;:?0123m\x07\\\xc2\xe2\x82\xacHJ";
    for (int i = 0; i < 300; ++i) {
      input.push_back(random() % 2 != 0 ? favourites[random() % favourites.size()] : static_cast<char>(random()));
    }
    const auto whole = filtered(input);
    SequenceFilter filter;
    Recorder pieces;
    for (std::size_t at = 0; at < input.size();) {
      const std::size_t n = 1 + random() % 9;
      filter.write(std::as_bytes(std::span{std::string_view{input}.substr(at, n)}), pieces);
      at += n;
    }
    REQUIRE(pieces.bytes == whole.bytes);
    REQUIRE(pieces.titles == whole.titles);
  }
}

}  // namespace tuxarium::vt
