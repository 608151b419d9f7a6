// A regular expression that is matched against a stream, a byte at a time.
//
// Syntax of ECMAScript without look-ahead and back-references, over bytes: alternatives, groups `( )` and `(?: )`, classes with ranges and
// negation, `. \d \D \w \W \s \S \b \B`, quantifiers `* + ? {n} {n,} {n,m}` (a lazy `?` behind them is taken and changes nothing, since the
// earliest end wins), escapes `\n \r \t \f \v \0 \xHH \uHHHH \cX`, `^` at the start of a line, `$` before the end of a line or where the
// stream pauses. A UTF-8 character outside a class stands for its bytes.
//
// All states are followed at once (Thompson's construction): time per byte is bounded by the size of the expression and no input, however
// long, costs memory. So there is no window: a match may span any distance.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <tuxarium/result.hpp>

namespace tuxarium::app {

class StreamRegex {
 public:
  /// Fails with a sentence that names what is wrong with the expression. One that grows beyond 20,000 states is refused.
  static Result<StreamRegex> compile(std::string_view expression);

  /// Forgets what was seen. `at_line_start` says whether `^` holds before the first byte.
  void restart(bool at_line_start);

  /// Takes bytes of the stream. Returns true when a match is complete, and sets `used` to the bytes up to its end; what is behind them
  /// has not been looked at. After true, only restart() may follow.
  bool feed(std::string_view bytes, std::size_t& used);

  /// True when a match ends here because the stream pauses: `$` and `\b` hold, as at the end of a text.
  bool matches_at_pause();

 private:
  friend class RegexCompiler;
  enum class Op : std::uint8_t { set, split, jump, line_start, line_end, word_boundary, no_word_boundary, accept };
  struct Node {
    Op op = Op::jump;
    std::uint32_t next = 0;   // follower
    std::uint32_t other = 0;  // split: second follower; set: index of the class
  };
  using ByteSet = std::bitset<256>;
  static constexpr int kEdge = -1;  // no byte: start of the stream, or its pause

  StreamRegex() = default;

  /// Follows jumps from every waiting node, and assertions too when the next byte is known (then also from a fresh start of the
  /// expression). Leaves what waits for a byte in `waiting_`; true when the end of the expression is reached.
  bool follow(std::optional<int> next_byte);
  void consume(unsigned char byte);
  bool assertion_holds(Op op, int next_byte) const;
  void add(std::vector<std::uint32_t>& list, std::uint32_t node);

  std::vector<Node> nodes_;
  std::vector<ByteSet> sets_;
  std::uint32_t start_ = 0;
  std::vector<std::uint32_t> waiting_;  // nodes that wait for the next byte
  std::vector<std::uint32_t> scratch_;
  std::vector<std::uint64_t> mark_;     // generation in which a node was last added to a list
  std::uint64_t generation_ = 0;
  int previous_ = kEdge;
  bool at_line_start_ = true;
};

}  // namespace tuxarium::app
