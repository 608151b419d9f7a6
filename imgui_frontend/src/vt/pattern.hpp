// Regular expressions whose search takes time in proportion to the text: a nondeterministic automaton, simulated one character at a time (Thompson 1968).
// Understood: . [] [^] ranges, \d \w \s \D \W \S \b \t, ( ) and (?: ), |, * + ? {m} {m,} {m,n} and their lazy forms, ^ $, and \ before any
// other character. Not understood: back references and looking around.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tuxarium::vt {

class Pattern {
 public:
  static constexpr std::size_t kMaxSteps = 2000;  ///< size of a compiled expression
  static constexpr int kMaxRepeat = 100;          ///< largest number in { }
  static constexpr int kMaxDepth = 50;            ///< of parentheses

  /// Nothing, and a sentence in `error`, for an expression that is wrong or too large.
  static std::optional<Pattern> compile(std::u32string_view expression, bool ignore_case, std::string& error);
  /// The text itself.
  static Pattern literal(std::u32string_view text, bool ignore_case);

  /// The first match that begins at `from` or later: where it begins and ends. Matches of nothing do not count.
  std::optional<std::pair<std::size_t, std::size_t>> find(std::u32string_view text, std::size_t from) const;

 private:
  friend class PatternCompiler;

  enum class Op : std::uint8_t { character, any, set, split, jump, line_start, line_end, word_edge, match };
  struct Step {
    Op op = Op::match;
    char32_t character = 0;
    std::size_t first = 0, second = 0;  // where to go; for a split, the one preferred first; for a set, its index
  };
  struct Set {
    bool negated = false;
    std::vector<std::pair<char32_t, char32_t>> ranges;
  };
  struct Thread {
    std::size_t step, start;
  };

  bool matches(const Step& step, char32_t c) const;
  void follow(std::vector<Thread>& threads, std::vector<std::size_t>& seen, std::size_t mark, Thread thread, std::u32string_view text,
              std::size_t at) const;

  std::vector<Step> steps_;
  std::vector<Set> sets_;
  bool ignore_case_ = false;
};

}  // namespace tuxarium::vt
