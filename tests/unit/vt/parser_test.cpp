#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "vt/parser.hpp"

namespace tuxarium::vt {
namespace {

// What the parser said, one line for each call; text of neighbouring calls on one line.
struct Recorder {
  std::string log;
  bool in_text = false;

  void text(std::string_view t) {
    if (!in_text) log += "'";
    in_text = true;
    log += t;
  }
  void line(const std::string& t) {
    if (in_text) log += "'\n";
    in_text = false;
    log += t + "\n";
  }
  void on_ascii(std::string_view t) { text(t); }
  void on_character(char32_t c) {
    std::string bytes;
    append_utf8(bytes, c);
    text(bytes);
  }
  void on_control(unsigned char c) { line("C0 " + std::to_string(c)); }
  void on_escape(char intermediate, char final_byte) {
    line(std::string{"ESC "} + (intermediate != 0 ? std::string(1, intermediate) : "") + final_byte);
  }
  static std::string words(const ControlSequence& s) {
    std::string all;
    if (s.leader != 0) all += s.leader;
    for (std::size_t i = 0; i < s.count; ++i) {
      if (i > 0) all += s.more[i - 1] ? ":" : ";";
      if (s.argument[i] >= 0) all += std::to_string(s.argument[i]);
    }
    if (s.intermediate != 0) all += s.intermediate;
    return all + s.final_byte;
  }
  void on_control_sequence(const ControlSequence& s) { line("CSI " + words(s)); }
  void on_operating_system_command(std::string_view t) { line("OSC " + std::string{t}); }
  void on_device_control_string(const ControlSequence& s, std::string_view t) { line("DCS " + words(s) + " " + std::string{t}); }
  void on_vt52(char final_byte, int row, int column) {
    line(std::string{"VT52 "} + final_byte + " " + std::to_string(row) + " " + std::to_string(column));
  }
  bool interrupted() const { return false; }
};

std::string parsed_in_pieces(std::string_view input, std::size_t piece, bool vt52) {
  Parser<Recorder> parser;
  parser.set_vt52(vt52);
  Recorder sink;
  for (std::size_t at = 0; at < input.size(); at += piece) parser.write(std::as_bytes(std::span{input.substr(at, piece)}), sink);
  if (sink.in_text) sink.log += "'\n";
  return sink.log;
}

std::string parsed(std::string_view input, bool vt52 = false) {
  const auto whole = parsed_in_pieces(input, 1u << 21, vt52);
  for (const std::size_t piece : {1u, 2u, 3u}) REQUIRE(parsed_in_pieces(input, piece, vt52) == whole);
  return whole;
}

}  // namespace

TEST_CASE("text and controls") {
  CHECK(parsed("hello\r\n") == "'hello'\nC0 13\nC0 10\n");
  CHECK(parsed("grün 漢字 🐧") == "'grün 漢字 🐧'\n");
  CHECK(parsed(std::string_view{"a\0b\x7f", 4}) == "'ab'\n");
}

TEST_CASE("malformed UTF-8 becomes the replacement character") {
  CHECK(parsed("\xff") == "'\uFFFD'\n");
  CHECK(parsed("\xc3(") == "'\uFFFD('\n");
  CHECK(parsed("\xc0\xaf") == "'\uFFFD\uFFFD'\n");
  CHECK(parsed("\xe0\x80\x80") == "'\uFFFD\uFFFD\uFFFD'\n");
  CHECK(parsed("\xed\xa0\x80") == "'\uFFFD\uFFFD\uFFFD'\n");
  CHECK(parsed("\xf4\x90\x80\x80") == "'\uFFFD\uFFFD\uFFFD\uFFFD'\n");
  CHECK(parsed("\xe2\x82\x1b[m") == "'\uFFFD'\nCSI m\n");
}

TEST_CASE("C1 controls in UTF-8 are their escape sequences") {
  CHECK(parsed("\xc2\x9b" "31m\xc2\x84\xc2\x9d" "2;t\xc2\x9c\x07") == "CSI 31m\nESC D\nOSC 2;t\xc2\x9c\n");
}

TEST_CASE("control sequences") {
  CHECK(parsed("\x1b[1;31mx") == "CSI 1;31m\n'x'\n");
  CHECK(parsed("\x1b[;5H") == "CSI ;5H\n");
  CHECK(parsed("\x1b[0005m") == "CSI 5m\n");
  CHECK(parsed("\x1b[?25l") == "CSI ?25l\n");
  CHECK(parsed("\x1b[2 q") == "CSI 2 q\n");
  CHECK(parsed("\x1b[38:2:1:2:3m") == "CSI 38:2:1:2:3m\n");
  CHECK(parsed("\x1b[99999999999999999999B") == "CSI 65535B\n");
  CHECK(parsed("\x1b[1?2m!") == "'!'\n");
  CHECK(parsed("\x1b[1$2m!") == "'!'\n");
}

TEST_CASE("more arguments than fit are dropped") {
  std::string many = "\x1b[", kept = "CSI 7";
  for (int i = 0; i < 500; ++i) many += "7;";
  for (std::size_t i = 1; i < ControlSequence::kMaxArguments; ++i) kept += ";7";
  CHECK(parsed(many + "5m!") == kept + "m\n'!'\n");
}

TEST_CASE("controls inside a sequence act at once, CAN, SUB and ESC end it") {
  CHECK(parsed("\x1b[3\n1m") == "C0 10\nCSI 31m\n");
  CHECK(parsed("\x1b[3\x18" "1m") == "'1m'\n");
  CHECK(parsed("\x1b[3\x1b[4m") == "CSI 4m\n");
}

TEST_CASE("escape sequences") {
  CHECK(parsed("\x1b" "7\x1b(0\x1b#8\x1b=") == "ESC 7\nESC (0\nESC #8\nESC =\n");
  CHECK(parsed("\x1b((((((0x") == "'x'\n");
}

TEST_CASE("control strings") {
  CHECK(parsed("a\x1b]0;hi\x07" "b\x1b]2;there\x1b\\c") == "'a'\nOSC 0;hi\n'b'\nOSC 2;there\n'c'\n");
  CHECK(parsed("a\x1bP1$qm\x1b\\b") == "'a'\nDCS 1$q m\n'b'\n");
  CHECK(parsed("a\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\b") == "'ab'\n");
  CHECK(parsed("a\x1b]0;title\x1b[mb") == "'a'\nCSI m\n'b'\n");
  CHECK(parsed("a\x1b]0;title\x18" "b") == "'ab'\n");
  CHECK(parsed("a\x1b]Pfff0000b\x1b]Rc") == "'abc'\n");
}

TEST_CASE("a control string beyond the bound is dropped whole") {
  const auto log = parsed_in_pieces("\x1b]2;" + std::string((1u << 20) + 1, 'x') + "\x07" "after\x1b]2;short\x07", 1u << 22, false);
  CHECK(log == "'after'\nOSC 2;short\n");
}

TEST_CASE("VT52") {
  CHECK(parsed("x\x1b" "A\x1bY&*y\x1b[\x1b<", true) == "'x'\nVT52 A 0 0\nVT52 Y 6 10\n'y'\nVT52 [ 0 0\nVT52 < 0 0\n");
}

TEST_CASE("random bytes in random pieces give the same as in one piece") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 200; ++round) {
    std::string input;
    const std::string_view favourites = "\x1b[]P;:?0123m\x07\\\xc2\xe2\x82\xacHJ";
    for (int i = 0; i < 300; ++i) {
      input.push_back(random() % 2 != 0 ? favourites[random() % favourites.size()] : static_cast<char>(random()));
    }
    const auto whole = parsed_in_pieces(input, input.size(), false);
    Parser<Recorder> parser;
    Recorder pieces;
    for (std::size_t at = 0; at < input.size();) {
      const std::size_t n = 1 + random() % 9;
      parser.write(std::as_bytes(std::span{std::string_view{input}.substr(at, n)}), pieces);
      at += n;
    }
    if (pieces.in_text) pieces.log += "'\n";
    REQUIRE(pieces.log == whole);
  }
}

}  // namespace tuxarium::vt
