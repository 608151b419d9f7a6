#include "stream_regex.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "sentences.hpp"

namespace tuxarium::app {
namespace {

constexpr std::size_t kMostNodes = 20'000;
constexpr unsigned kDeepestNesting = 100;
constexpr unsigned kMostRepeats = 1'000;

bool is_word(int byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

}  // namespace

/// Recursive descent over the expression. Each construct becomes nodes whose open end is the next node to be made, so a piece of an
/// expression is the range of nodes it made, and a repetition copies that range.
class RegexCompiler {
 public:
  explicit RegexCompiler(std::string_view text) : text_{text} {}

  Result<StreamRegex> compile() {
    alternatives();
    if (!error_ && at_ < text_.size()) fail("has a ) without its (");
    emit(Op::accept);
    if (error_) return usage_error("the expression " + in_quotes(text_) + " " + *error_);
    regex_.mark_.assign(regex_.nodes_.size(), 0);
    regex_.restart(true);
    return std::move(regex_);
  }

 private:
  using Op = StreamRegex::Op;
  using ByteSet = StreamRegex::ByteSet;

  void fail(std::string what) {
    if (!error_) error_ = std::move(what);
    at_ = text_.size();
  }
  bool more() const { return at_ < text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(char c) {
    if (!more() || peek() != c) return false;
    ++at_;
    return true;
  }
  std::uint32_t here() const { return static_cast<std::uint32_t>(regex_.nodes_.size()); }

  /// A node that is followed by the next one to be made.
  std::uint32_t emit(Op op, std::uint32_t other = 0) {
    if (regex_.nodes_.size() >= kMostNodes) fail("is too large");
    const std::uint32_t index = here();
    regex_.nodes_.push_back({op, index + 1, other});
    return index;
  }
  StreamRegex::Node& node(std::uint32_t index) { return regex_.nodes_[index]; }

  void emit_set(const ByteSet& set) {
    regex_.sets_.push_back(set);
    emit(Op::set, static_cast<std::uint32_t>(regex_.sets_.size() - 1));
  }
  void emit_byte(unsigned char byte) {
    ByteSet set;
    set.set(byte);
    emit_set(set);
  }

  /// Opens a place for one node before everything from `first` on; links inside the moved part are moved along.
  void insert_before(std::uint32_t first, Op op) {
    if (regex_.nodes_.size() >= kMostNodes) return fail("is too large");
    regex_.nodes_.insert(regex_.nodes_.begin() + first, {op, first + 1, 0});
    for (std::uint32_t i = first + 1; i < here(); ++i) shift_links(node(i), first, 1);
  }
  static void shift_links(StreamRegex::Node& n, std::uint32_t from, std::uint32_t by) {
    if (n.next >= from) n.next += by;
    if (n.op == Op::split && n.other >= from) n.other += by;
  }

  void alternatives() {
    if (++depth_ > kDeepestNesting) return fail("nests its groups too deeply");
    const std::uint32_t first = here();
    sequence();
    std::vector<std::uint32_t> ends;
    std::uint32_t branch = first;
    while (take('|')) {
      insert_before(branch, Op::split);
      if (error_) return;
      ends.push_back(emit(Op::jump));
      node(branch).other = here();
      branch = here();
      sequence();
    }
    for (const std::uint32_t end : ends) node(end).next = here();
    --depth_;
  }

  void sequence() {
    while (more() && peek() != '|' && peek() != ')') {
      const std::uint32_t first = here();
      const bool repeatable = atom();
      if (error_) return;
      quantifier(first, repeatable);
    }
  }

  /// Returns whether a quantifier may follow.
  bool atom() {
    const char c = text_[at_++];
    switch (c) {
      case '^': emit(Op::line_start); return false;
      case '$': emit(Op::line_end); return false;
      case '(': group(); return true;
      case '[': emit_set(bracket()); return true;
      case '.': emit_set(any_but_line_end()); return true;
      case '\\': return escape();
      case '*':
      case '+':
      case '?': fail(std::string{"has a "} + c + " with nothing before it to repeat"); return false;
      case '{': fail("has a { with nothing before it to repeat (write \\{ for the character)"); return false;
      default: character(c); return true;
    }
  }

  /// One character: a byte, or all bytes of a UTF-8 sequence as one piece, so that a quantifier repeats the whole.
  void character(char c) {
    emit_byte(static_cast<unsigned char>(c));
    if (static_cast<unsigned char>(c) < 0xc0) return;
    while (more() && (static_cast<unsigned char>(peek()) & 0xc0) == 0x80) emit_byte(static_cast<unsigned char>(text_[at_++]));
  }

  void group() {
    if (take('?')) {
      if (more() && (peek() == '=' || peek() == '!' || peek() == '<')) return fail("uses look-ahead or a named group, which is not supported");
      if (!take(':')) return fail("has an unknown kind of group after (?");
    }
    alternatives();
    if (!error_ && !take(')')) fail("has a ( without its )");
  }

  static ByteSet any_but_line_end() {
    ByteSet set;
    set.set();
    set.reset('\n');
    set.reset('\r');
    return set;
  }

  static ByteSet class_of(char letter) {
    ByteSet set;
    for (int b = 0; b < 256; ++b) {
      const bool digit = b >= '0' && b <= '9';
      const bool space = b == ' ' || (b >= '\t' && b <= '\r');
      const char lower = static_cast<char>(letter | 0x20);
      const bool in = lower == 'd' ? digit : lower == 's' ? space : is_word(b);
      set[static_cast<std::size_t>(b)] = in != (letter < 'a');
    }
    return set;
  }

  bool escape() {
    if (!more()) {
      fail("ends in a lone backslash");
      return false;
    }
    const char c = peek();
    if (c == 'b' || c == 'B') {
      ++at_;
      emit(c == 'b' ? Op::word_boundary : Op::no_word_boundary);
      return false;
    }
    if (std::string_view{"dDwWsS"}.find(c) != std::string_view::npos) {
      ++at_;
      emit_set(class_of(c));
      return true;
    }
    if (c >= '1' && c <= '9') {
      fail("uses a back-reference, which is not supported");
      return false;
    }
    for (const char byte : escaped_character()) emit_byte(static_cast<unsigned char>(byte));
    return true;
  }

  std::optional<unsigned> hexadecimal(std::size_t digits) {
    unsigned value = 0;
    if (text_.size() - at_ < digits) return std::nullopt;
    const char* const first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, first + digits, value, 16);
    if (error != std::errc{} || end != first + digits) return std::nullopt;
    at_ += digits;
    return value;
  }

  /// The bytes of an escape that stands for one character; `at_` is behind the backslash.
  std::string escaped_character() {
    const char c = text_[at_++];
    switch (c) {
      case 'n': return "\n";
      case 'r': return "\r";
      case 't': return "\t";
      case 'f': return "\f";
      case 'v': return "\v";
      case 'e': return "\x1b";
      case '0': return std::string(1, '\0');
      case 'c':
        if (more() && ((peek() | 0x20) >= 'a' && (peek() | 0x20) <= 'z')) return std::string(1, static_cast<char>(text_[at_++] & 0x1f));
        fail("has \\c without a letter");
        return {};
      case 'x':
        if (const auto value = hexadecimal(2)) return std::string(1, static_cast<char>(*value));
        fail("has \\x without two hexadecimal digits");
        return {};
      case 'u':
        if (const auto value = hexadecimal(4)) return utf8(*value);
        fail("has \\u without four hexadecimal digits");
        return {};
      default:
        if (is_word(static_cast<unsigned char>(c))) fail(std::string{"has the unknown escape \\"} + c);
        return std::string(1, c);
    }
  }

  static std::string utf8(unsigned value) {
    std::string out;
    if (value < 0x80) return std::string(1, static_cast<char>(value));
    if (value < 0x800) {
      out += static_cast<char>(0xc0 | (value >> 6));
    } else {
      out += static_cast<char>(0xe0 | (value >> 12));
      out += static_cast<char>(0x80 | ((value >> 6) & 0x3f));
    }
    return out += static_cast<char>(0x80 | (value & 0x3f));
  }

  /// One member of a class: a byte, or a whole class such as \d (then nothing is returned and `set` has got it).
  std::optional<unsigned char> class_member(ByteSet& set) {
    const char c = text_[at_++];
    if (c != '\\') return static_cast<unsigned char>(c);
    if (!more()) {
      fail("ends in a lone backslash");
      return std::nullopt;
    }
    if (std::string_view{"dDwWsS"}.find(peek()) != std::string_view::npos) {
      set |= class_of(text_[at_++]);
      return std::nullopt;
    }
    if (take('b')) return std::uint8_t{'\b'};
    const std::string bytes = escaped_character();
    if (bytes.size() != 1) {
      for (const char byte : bytes) set.set(static_cast<unsigned char>(byte));
      return std::nullopt;
    }
    return static_cast<unsigned char>(bytes[0]);
  }

  ByteSet bracket() {
    ByteSet set;
    const bool negated = take('^');
    while (more() && peek() != ']') {
      const auto low = class_member(set);
      if (error_) return set;
      const bool range = low && at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']';
      if (!range) {
        if (low) set.set(*low);
        continue;
      }
      ++at_;
      const auto high = class_member(set);
      if (error_) return set;
      if (!high || *high < *low) {
        fail("has a range in [ ] whose end is before its start");
        return set;
      }
      for (unsigned b = *low; b <= *high; ++b) set.set(b);
    }
    if (!take(']') && !error_) fail("has a [ without its ]");
    return negated ? ~set : set;
  }

  std::optional<unsigned> number() {
    unsigned value = 0;
    const char* const first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), value);
    if (error != std::errc{}) return std::nullopt;
    at_ += static_cast<std::size_t>(end - first);
    return value;
  }

  void quantifier(std::uint32_t first, bool repeatable) {
    if (!more()) return;
    unsigned least = 0;
    std::optional<unsigned> most;
    const char c = peek();
    if (c != '*' && c != '+' && c != '?' && c != '{') return;
    if (!repeatable) return fail(std::string{"has a "} + c + " with nothing before it to repeat");
    ++at_;
    if (c == '+') least = 1;
    if (c == '?') most = 1;
    if (c == '{') {
      const auto low = number();
      if (!low) return fail("has a { that is not {n}, {n,} or {n,m} (write \\{ for the character)");
      least = *low;
      most = least;
      if (take(',')) most = number();
      if (!take('}')) return fail("has a { that is not {n}, {n,} or {n,m} (write \\{ for the character)");
      if (least > kMostRepeats || (most && *most > kMostRepeats)) return fail("repeats something more than 1000 times");
      if (most && *most < least) return fail("has a {n,m} whose m is below n");
    }
    (void)take('?');
    repeat(first, least, most);
    if (!error_ && more() && (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{')) {
      fail(std::string{"has a "} + peek() + " with nothing before it to repeat");
    }
  }

  /// Makes of the piece [first, here) its repetition: `least` copies, then optional ones, or a loop when `most` is open.
  void repeat(std::uint32_t first, unsigned least, std::optional<unsigned> most) {
    const std::uint32_t last = here();
    if (most && *most == 0) {
      regex_.nodes_.resize(first);
      return;
    }
    std::vector<StreamRegex::Node> piece(regex_.nodes_.begin() + first, regex_.nodes_.begin() + last);
    regex_.nodes_.resize(first);
    const auto paste = [&] {
      const std::uint32_t at = here();
      for (StreamRegex::Node copy : piece) {
        if (regex_.nodes_.size() >= kMostNodes) return fail("is too large");
        copy.next += at - first;
        if (copy.op == Op::split) copy.other += at - first;
        regex_.nodes_.push_back(copy);
      }
    };
    for (unsigned i = 0; i < least && !error_; ++i) paste();
    if (!most) {
      const std::uint32_t loop = emit(Op::split);
      paste();
      const std::uint32_t back = emit(Op::jump);
      if (error_) return;
      node(back).next = loop;
      node(loop).other = here();
      return;
    }
    std::vector<std::uint32_t> skips;
    for (unsigned i = least; i < *most && !error_; ++i) {
      skips.push_back(emit(Op::split));
      paste();
    }
    if (error_) return;
    for (const std::uint32_t skip : skips) node(skip).other = here();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned depth_ = 0;
  std::optional<std::string> error_;
  StreamRegex regex_;
};

Result<StreamRegex> StreamRegex::compile(std::string_view expression) {
  if (expression.empty()) return usage_error("the expression is empty");
  return RegexCompiler{expression}.compile();
}

void StreamRegex::restart(bool at_line_start) {
  waiting_.clear();
  previous_ = kEdge;
  at_line_start_ = at_line_start;
}

bool StreamRegex::assertion_holds(Op op, int next_byte) const {
  switch (op) {
    case Op::line_start: return previous_ == kEdge ? at_line_start_ : previous_ == '\n' || previous_ == '\r';
    case Op::line_end: return next_byte == kEdge || next_byte == '\n' || next_byte == '\r';
    case Op::word_boundary: return is_word(previous_) != is_word(next_byte);
    case Op::no_word_boundary: return is_word(previous_) == is_word(next_byte);
    default: return false;
  }
}

void StreamRegex::add(std::vector<std::uint32_t>& list, std::uint32_t node) {
  if (mark_[node] == generation_) return;
  mark_[node] = generation_;
  list.push_back(node);
}

bool StreamRegex::follow(std::optional<int> next_byte) {
  ++generation_;
  std::vector<std::uint32_t>& work = scratch_;
  work.clear();
  for (const std::uint32_t node : waiting_) add(work, node);
  if (next_byte) add(work, start_);
  waiting_.clear();
  bool accepted = false;
  for (std::size_t i = 0; i < work.size(); ++i) {
    const Node& node = nodes_[work[i]];
    switch (node.op) {
      case Op::set: waiting_.push_back(work[i]); break;
      case Op::accept: accepted = true; break;
      case Op::jump: add(work, node.next); break;
      case Op::split:
        add(work, node.next);
        add(work, node.other);
        break;
      default:
        if (!next_byte) waiting_.push_back(work[i]);
        else if (assertion_holds(node.op, *next_byte)) add(work, node.next);
    }
  }
  return accepted;
}

void StreamRegex::consume(unsigned char byte) {
  ++generation_;
  std::vector<std::uint32_t>& reached = scratch_;
  reached.clear();
  for (const std::uint32_t index : waiting_) {
    const Node& node = nodes_[index];
    if (sets_[node.other][byte]) add(reached, node.next);
  }
  std::swap(waiting_, scratch_);
  previous_ = byte;
}

bool StreamRegex::feed(std::string_view bytes, std::size_t& used) {
  for (used = 0; used < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[used]);
    if (follow(byte)) return true;
    consume(byte);
    ++used;
    if (follow(std::nullopt)) return true;
  }
  return false;
}

bool StreamRegex::matches_at_pause() {
  const std::vector<std::uint32_t> keep = waiting_;
  const bool accepted = follow(kEdge);
  waiting_ = keep;
  return accepted;
}

}  // namespace tuxarium::app
