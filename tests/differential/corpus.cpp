#include "corpus.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <istream>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>

#include "compare.hpp"
#include "cpu/cpu_state.hpp"
#include "cpu/simd/vector.hpp"
#include "dice.hpp"

namespace tuxarium::differential {

namespace {

constexpr const char* kVersion = "tuxarium-differential-corpus-1";

/// The state of a case before it runs, as an outcome that changed nothing.
void nothing_changed(const Case& c, int vector, Outcome& o) {
  o = Outcome{};
  o.gpr = c.gpr;
  o.eip = c.eip() + (vector == kCompleted ? c.length : 0u);
  o.eflags = c.eflags | 0x202;
  o.segment = c.segment;
  o.vector = vector;
  if (c.fpu) o.fx = c.fx;
  initial_memory(c, o.memory);
}

class Line {
 public:
  explicit Line(std::string text) : text_{std::move(text)} {}
  void number(char kind, std::uint32_t value) { add(" %c%x", kind, value); }
  void indexed(char kind, unsigned index, std::uint32_t value) { add(" %c%x=%x", kind, index, value); }
  /// The runs of bytes that differ.
  void bytes(char kind, const std::uint8_t* before, const std::uint8_t* after, std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      if (before[n] == after[n]) continue;
      add(" %c%x=", kind, static_cast<unsigned>(n));
      // A short equal stretch costs less than a new run.
      std::size_t last = n;
      for (std::size_t k = n; k < count && k <= last + 3; ++k) {
        if (before[k] != after[k]) last = k;
      }
      for (; n <= last; ++n) add("%02x", after[n]);
    }
  }
  const std::string& text() const { return text_; }

 private:
  template <class... Args>
  void add(const char* format, Args... args) {
    char piece[32];
    std::snprintf(piece, sizeof piece, format, args...);
    text_ += piece;
  }
  std::string text_;
};

std::string digest_text(const Case& c) {
  char text[20];
  std::snprintf(text, sizeof text, " %08x", static_cast<unsigned>(case_digest(c) >> 32));
  return text;
}

std::string encode(const Case& c, const Outcome& after) {
  auto before = std::make_unique<Outcome>();
  nothing_changed(c, after.vector, *before);
  Line line{case_name(c) + digest_text(c)};
  if (after.vector != kCompleted) {
    line.number('v', static_cast<std::uint32_t>(after.vector));
    if (after.error != 0) line.number('e', after.error);
    if (after.cr2 != 0) line.number('c', after.cr2);
  }
  if (after.eip != before->eip) line.number('i', after.eip);
  if (after.eflags != before->eflags) line.number('f', after.eflags);
  for (unsigned r = 0; r < 8; ++r) {
    if (after.gpr[r] != before->gpr[r]) line.indexed('r', r, after.gpr[r]);
  }
  for (unsigned s = 0; s < 6; ++s) {
    if (after.segment[s] != before->segment[s]) line.indexed('s', s, after.segment[s]);
  }
  if (c.fpu) line.bytes('x', before->fx.data(), after.fx.data(), kFxUsed);
  line.bytes('m', before->memory.data(), after.memory.data(), kWritableSize);
  return line.text();
}

/// BYTES into `to` at `offset`. False when they do not fit or are no bytes.
bool decode_bytes(const std::string& digits, std::size_t offset, std::span<std::uint8_t> to) {
  if (digits.size() % 2 != 0 || offset + digits.size() / 2 > to.size()) return false;
  for (std::size_t n = 0; n < digits.size(); n += 2) {
    char* end = nullptr;
    const std::string two = digits.substr(n, 2);
    to[offset + n / 2] = static_cast<std::uint8_t>(std::strtoul(two.c_str(), &end, 16));
    if (*end != 0) return false;
  }
  return true;
}

bool apply(const std::string& change, Outcome& o) {
  const std::size_t equals = change.find('=');
  char* end = nullptr;
  const auto number = static_cast<std::uint32_t>(std::strtoul(change.c_str() + 1, &end, 16));
  if (end == change.c_str() + 1 || (*end != 0 && *end != '=')) return false;
  const std::string text = equals == std::string::npos ? "" : change.substr(equals + 1);
  const auto value = static_cast<std::uint32_t>(std::strtoul(text.c_str(), nullptr, 16));
  switch (change[0]) {
    case 'v': return true;
    case 'e': o.error = number; return true;
    case 'c': o.cr2 = number; return true;
    case 'i': o.eip = number; return true;
    case 'f': o.eflags = number; return true;
    case 'r': return number < 8 && (o.gpr[number] = value, true);
    case 's': return number < 6 && (o.segment[number] = static_cast<std::uint16_t>(value), true);
    case 'x': return decode_bytes(text, number, o.fx);
    case 'm': return decode_bytes(text, number, o.memory);
    default: return false;
  }
}

/// False when the rest of a line is not what encode() writes.
bool decode_changes(std::istream& in, const Case& c, Outcome& out) {
  std::vector<std::string> changes;
  for (std::string change; in >> change;) changes.push_back(change);
  int vector = kCompleted;
  if (!changes.empty() && changes[0][0] == 'v') vector = static_cast<int>(std::strtoul(changes[0].c_str() + 1, nullptr, 16));
  nothing_changed(c, vector, out);
  return std::all_of(changes.begin(), changes.end(), [&](const std::string& change) { return apply(change, out); });
}

bool runs_here(const Form& f) {
  const bool sse = f.row->feature == cpu::Feature::sse || f.row->feature == cpu::Feature::sse2 || f.row->feature == cpu::Feature::sse3;
  return cpu::simd::kHostHasSse2 || !sse;
}

}  // namespace

void record_corpus(std::ostream& out, const std::vector<Form>& forms, std::uint64_t seed, unsigned per_form, Native& native) {
  constexpr unsigned kAttempts = 300;
  const std::string processor = host_processor();
  out << kVersion << ' ' << processor << '\n';
  auto first = std::make_unique<Outcome>(), second = std::make_unique<Outcome>();
  for (const Form& f : forms) {
    if (f.not_run != nullptr) continue;
    unsigned taken = 0;
    std::map<int, unsigned> of_vector;
    for (unsigned n = 0; n < kAttempts && taken < per_form; ++n) {
      const Case c = make_case(f, scatter(scatter(seed) + n));
      native.run(c, *first);
      native.run(c, *second);
      if (incomparable(*first) || first->vector == kHung || encode(c, *first) != encode(c, *second)) continue;
      // Faults are for the last place, as long as anything else can be had.
      const bool last = taken + 1 >= per_form;
      const bool wanted = first->vector == kCompleted ? !last || n > kAttempts / 2 : last && of_vector[first->vector] == 0;
      if (!wanted && n < kAttempts * 2 / 3) continue;
      ++of_vector[first->vector];
      ++taken;
      out << encode(c, *first) << '\n';
    }
  }
}

CorpusResult run_corpus(std::istream& in, const std::vector<Form>& forms, Interpreted& interpreted) {
  CorpusResult result;
  std::map<std::string, const Form*> by_key;
  for (const Form& f : forms) by_key[f.key] = &f;
  std::string version, processor;
  std::string text;
  std::getline(in, text);
  std::istringstream head{text};
  head >> version >> processor;
  if (version != kVersion) {
    result.first_error = "this is not a corpus of this version";
    return result;
  }
  const bool same_processor = processor == host_processor();
  auto recorded = std::make_unique<Outcome>(), here = std::make_unique<Outcome>();
  while (std::getline(in, text)) {
    std::istringstream line{text};
    std::string name, digest;
    line >> name >> digest;
    const std::size_t colon = name.rfind(':');
    const auto form = colon == std::string::npos ? by_key.end() : by_key.find(name.substr(0, colon));
    if (form == by_key.end()) {
      result.first_error = "the instruction table has no form \"" + name + "\"; record the corpus anew";
      return result;
    }
    if (!runs_here(*form->second)) {
      ++result.not_here;
      continue;
    }
    const Case c = make_case(*form->second, std::strtoull(name.c_str() + colon + 1, nullptr, 16));
    if (digest_text(c) != " " + digest || !decode_changes(line, c, *recorded)) {
      result.first_error = "the case \"" + name + "\" is no longer what was recorded; record the corpus anew";
      return result;
    }
    interpreted.run(c, *here);
    ++result.cases;
    const Verdict verdict = compare(c, *recorded, *here, same_processor);
    if (verdict.differences.empty()) continue;
    ++result.different;
    std::printf("%s  differences:\n%s\n", describe(c, recorded.get(), here.get()).c_str(), verdict.differences.c_str());
  }
  return result;
}

}  // namespace tuxarium::differential
