#include "pattern.hpp"

#include <algorithm>

namespace tuxarium::vt {
namespace {

char32_t folded(char32_t c) {
  const bool upper = (c >= U'A' && c <= U'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F);
  return upper ? c + 32 : c;
}

bool word(char32_t c) { return c == U'_' || (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || c >= 0xC0; }

}  // namespace

// Recursive descent; every part leaves its steps at the end of the program and falls through to what comes next.
class PatternCompiler {
 public:
  PatternCompiler(std::u32string_view text, bool ignore_case) : text_{text} { pattern_.ignore_case_ = ignore_case; }

  std::optional<Pattern> run(std::string& error) {
    alternatives(0);
    if (error_.empty() && at_ < text_.size()) fail("There is a ) without its (.");
    emit({Pattern::Op::match});
    error = error_;
    if (!error_.empty()) return std::nullopt;
    return std::move(pattern_);
  }

 private:
  using Op = Pattern::Op;
  using Step = Pattern::Step;

  void fail(const char* why) {
    if (error_.empty()) error_ = why;
    at_ = text_.size();
  }
  bool more() const { return at_ < text_.size(); }
  bool take(char32_t c) {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::size_t here() const { return pattern_.steps_.size(); }
  void emit(Step step) {
    if (here() >= Pattern::kMaxSteps) return fail("The expression is too large.");
    pattern_.steps_.push_back(step);
  }

  // Puts a step before the part that begins at `at`. What led to the part leads to the step; what within it led to its begin still does.
  void insert(std::size_t at, Step step) {
    if (here() >= Pattern::kMaxSteps) return fail("The expression is too large.");
    auto& steps = pattern_.steps_;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].op != Op::split && steps[i].op != Op::jump) continue;
      for (std::size_t* target : {&steps[i].first, &steps[i].second}) {
        if (*target > at || (*target == at && i >= at)) ++*target;
      }
    }
    steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(at), step);
  }

  void alternatives(int depth) {
    if (depth > Pattern::kMaxDepth) return fail("The parentheses are too deep.");
    const std::size_t begin = here();
    sequence(depth);
    if (!take(U'|')) return;
    insert(begin, {Op::split, 0, begin + 1, 0});
    const std::size_t jump = here();
    emit({Op::jump});
    const std::size_t second = here();
    alternatives(depth + 1);
    if (!error_.empty()) return;
    pattern_.steps_[begin].second = second;
    pattern_.steps_[jump].first = here();
  }

  void sequence(int depth) {
    while (more() && text_[at_] != U'|' && text_[at_] != U')') repeated(depth);
  }

  void repeated(int depth) {
    const std::size_t begin = here(), source = at_;
    atom(depth);
    const std::size_t source_end = at_;
    while (more() && error_.empty()) {
      int least = 0, most = 0;
      if (take(U'*')) {
        most = -1;
      } else if (take(U'+')) {
        least = 1, most = -1;
      } else if (take(U'?')) {
        most = 1;
      } else if (text_[at_] == U'{' && braces(least, most)) {
        // Numbers are read.
      } else {
        return;
      }
      const bool lazy = take(U'?');
      repeat(begin, source, source_end, least, most, lazy, depth);
      if (source_end != at_ && more() && (text_[at_] == U'*' || text_[at_] == U'+' || text_[at_] == U'{')) return fail("A repetition follows another.");
    }
  }

  bool braces(int& least, int& most) {
    std::size_t i = at_ + 1;
    const auto number = [&](int& value) {
      const std::size_t from = i;
      for (value = 0; i < text_.size() && text_[i] >= U'0' && text_[i] <= U'9'; ++i) value = std::min(value * 10 + static_cast<int>(text_[i] - U'0'), 1000);
      return i > from;
    };
    if (!number(least)) return false;
    most = least;
    if (i < text_.size() && text_[i] == U',') {
      ++i;
      if (!number(most)) most = -1;
    }
    if (i >= text_.size() || text_[i] != U'}') return false;
    at_ = i + 1;
    if (least > Pattern::kMaxRepeat || most > Pattern::kMaxRepeat || (most >= 0 && most < least)) fail("The numbers in { } are wrong or too large.");
    return true;
  }

  // Compiles the part once more, from its text.
  void again(std::size_t source, std::size_t source_end, int depth) {
    const std::u32string_view all = text_;
    const std::size_t after = at_;
    text_ = all.substr(0, source_end);
    at_ = source;
    if (depth > Pattern::kMaxDepth) fail("The parentheses are too deep.");
    atom(depth + 1);
    text_ = all;
    at_ = error_.empty() ? after : text_.size();
  }

  void repeat(std::size_t begin, std::size_t source, std::size_t source_end, int least, int most, bool lazy, int depth) {
    const auto split = [lazy](std::size_t into, std::size_t past) {
      return lazy ? Step{Op::split, 0, past, into} : Step{Op::split, 0, into, past};
    };
    if (least == 0 && most == 0) {
      pattern_.steps_.resize(begin);
      return;
    }
    for (int i = 1; i < least && error_.empty(); ++i) {
      begin = here();
      again(source, source_end, depth);
    }
    if (most < 0) {
      if (least == 0) {
        insert(begin, {});
        emit({Op::jump, 0, begin, 0});
        if (error_.empty()) pattern_.steps_[begin] = split(begin + 1, here());
      } else {
        emit(split(begin, here() + 1));
      }
      return;
    }
    for (int i = std::max(least, 1); i <= most && error_.empty(); ++i) {
      const bool first = least == 0 && i == 1;
      if (!first && i == least) continue;
      const std::size_t at = first ? begin : here();
      if (first) {
        insert(begin, {});
      } else {
        emit({});
        again(source, source_end, depth);
      }
      if (error_.empty()) pattern_.steps_[at] = split(at + 1, here());
    }
  }

  void atom(int depth) {
    if (!more()) return fail("The expression ends too early.");
    const char32_t c = text_[at_++];
    switch (c) {
      case U'(':
        if (at_ + 1 < text_.size() && text_[at_] == U'?' && text_[at_ + 1] == U':') at_ += 2;
        alternatives(depth + 1);
        if (!take(U')')) fail("There is a ( without its ).");
        break;
      case U'.': emit({Op::any}); break;
      case U'^': emit({Op::line_start}); break;
      case U'$': emit({Op::line_end}); break;
      case U'[': set(); break;
      case U'\\': escaped(); break;
      case U'*': case U'+': case U'?': fail("There is nothing to repeat."); break;
      default: emit({Op::character, pattern_.ignore_case_ ? folded(c) : c}); break;
    }
  }

  static bool class_ranges(char32_t letter, Pattern::Set& set) {
    switch (letter) {
      case U'd': set.ranges.insert(set.ranges.end(), {{U'0', U'9'}}); return true;
      case U's': set.ranges.insert(set.ranges.end(), {{U'\t', U'\r'}, {U' ', U' '}, {0xA0, 0xA0}}); return true;
      case U'w': set.ranges.insert(set.ranges.end(), {{U'0', U'9'}, {U'a', U'z'}, {U'A', U'Z'}, {U'_', U'_'}, {0xC0, 0x10FFFF}}); return true;
      default: return false;
    }
  }

  void emit_set(Pattern::Set set) {
    pattern_.sets_.push_back(std::move(set));
    emit({Op::set, 0, pattern_.sets_.size() - 1, 0});
  }

  void escaped() {
    if (!more()) return fail("The expression ends with \\.");
    const char32_t c = text_[at_++];
    Pattern::Set set;
    if (c == U'b') {
      emit({Op::word_edge});
    } else if (c == U't') {
      emit({Op::character, U'\t'});
    } else if (class_ranges(c, set)) {
      emit_set(std::move(set));
    } else if ((c == U'D' || c == U'S' || c == U'W') && class_ranges(c + 32, set)) {
      set.negated = true;
      emit_set(std::move(set));
    } else {
      emit({Op::character, pattern_.ignore_case_ ? folded(c) : c});
    }
  }

  void set() {
    Pattern::Set set;
    set.negated = take(U'^');
    for (bool first = true; more() && (first || text_[at_] != U']'); first = false) {
      char32_t low = text_[at_++];
      if (low == U'\\' && more()) {
        low = text_[at_++];
        if (class_ranges(low, set)) continue;
      }
      char32_t high = low;
      if (at_ + 1 < text_.size() && text_[at_] == U'-' && text_[at_ + 1] != U']') {
        high = text_[at_ + 1];
        at_ += 2;
      }
      if (high < low) return fail("A range in [ ] runs backwards.");
      set.ranges.emplace_back(low, high);
      if (pattern_.ignore_case_ && low >= U'A' && high <= U'Z') set.ranges.emplace_back(low + 32, high + 32);
    }
    if (!take(U']')) return fail("There is a [ without its ].");
    emit_set(std::move(set));
  }

  std::u32string_view text_;
  std::size_t at_ = 0;
  Pattern pattern_;
  std::string error_;
};

std::optional<Pattern> Pattern::compile(std::u32string_view expression, bool ignore_case, std::string& error) {
  return PatternCompiler{expression, ignore_case}.run(error);
}

Pattern Pattern::literal(std::u32string_view text, bool ignore_case) {
  Pattern pattern;
  pattern.ignore_case_ = ignore_case;
  for (const char32_t c : text.substr(0, kMaxSteps - 1)) pattern.steps_.push_back({Op::character, ignore_case ? folded(c) : c});
  pattern.steps_.push_back({Op::match});
  return pattern;
}

bool Pattern::matches(const Step& step, char32_t c) const {
  if (step.op == Op::any) return true;
  if (ignore_case_) c = folded(c);
  if (step.op == Op::character) return step.character == c;
  const Set& set = sets_[step.first];
  const bool in = std::any_of(set.ranges.begin(), set.ranges.end(), [c](const auto& range) { return c >= range.first && c <= range.second; });
  return in != set.negated;
}

// Adds the threads that a thread becomes without a character, the preferred ones first. A worklist, so that no expression can use up the stack.
void Pattern::follow(std::vector<Thread>& threads, std::vector<std::size_t>& seen, std::size_t mark, Thread thread, std::u32string_view text,
                     std::size_t at) const {
  std::vector<std::size_t> waiting{thread.step};
  while (!waiting.empty()) {
    const std::size_t index = waiting.back();
    waiting.pop_back();
    if (seen[index] == mark) continue;
    seen[index] = mark;
    const Step& step = steps_[index];
    switch (step.op) {
      case Op::jump: waiting.push_back(step.first); break;
      case Op::split:
        waiting.push_back(step.second);
        waiting.push_back(step.first);
        break;
      case Op::line_start:
        if (at == 0) waiting.push_back(index + 1);
        break;
      case Op::line_end:
        if (at == text.size()) waiting.push_back(index + 1);
        break;
      case Op::word_edge:
        if ((at > 0 && word(text[at - 1])) != (at < text.size() && word(text[at]))) waiting.push_back(index + 1);
        break;
      default: threads.push_back({index, thread.start}); break;
    }
  }
}

std::optional<std::pair<std::size_t, std::size_t>> Pattern::find(std::u32string_view text, std::size_t from) const {
  std::optional<std::pair<std::size_t, std::size_t>> best;
  std::vector<Thread> now, next;
  std::vector<std::size_t> seen(steps_.size(), 0);
  const Step& begin = steps_.front();
  for (std::size_t at = from; at <= text.size(); ++at) {
    if (now.empty()) {
      if (best) return best;
      // Most places cannot begin a match.
      if (begin.op == Op::character || begin.op == Op::set) {
        while (at < text.size() && !matches(begin, text[at])) ++at;
        if (at == text.size()) return best;
      }
    }
    // `now` was filled with the mark of this place; a thread that begins here comes after the older ones.
    if (!best) follow(now, seen, at - from + 1, {0, at}, text, at);
    next.clear();
    for (const Thread& thread : now) {
      const Step& step = steps_[thread.step];
      if (step.op == Op::match) {
        if (at > thread.start) {
          best = {thread.start, at};
          break;
        }
        continue;
      }
      if (at < text.size() && matches(step, text[at])) follow(next, seen, at - from + 2, {thread.step + 1, thread.start}, text, at + 1);
    }
    now.swap(next);
  }
  return best;
}

}  // namespace tuxarium::vt
