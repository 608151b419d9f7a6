// The differential tester: random instructions here and on the host processor. README.md says how to use it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "case.hpp"
#include "compare.hpp"
#include "dice.hpp"
#include "interpreted.hpp"
#include "native.hpp"

using namespace tuxarium;
using namespace tuxarium::differential;

namespace {

constexpr int kDifferent = 1, kUsage = 2;

struct Options {
  std::uint64_t seed = 20261123;
  std::uint64_t cases = 1'000'000;
  bool forever = false, coverage = false;
  unsigned show = 10;
  std::string row, replay;
};

int usage(const char* wrong) {
  std::fprintf(stderr, "differential: %s\nusage: differential [--seed N] [--cases N | --forever] [--row MNEMONIC or FORM] [--show N] [--coverage] [--replay CASE]\n",
               wrong);
  return kUsage;
}

struct Counts {
  std::uint64_t run = 0, faulted = 0, different = 0;
};

struct Totals {
  std::uint64_t cases = 0, faults = 0, incomparable = 0, unsteady = 0, different = 0;
  std::map<const Deviation*, std::uint64_t> excused;
};

class Session {
 public:
  Session(Native& native, Interpreted& interpreted) : native_{native}, interpreted_{interpreted} {}

  /// False when the outcomes differ.
  bool run(const Case& c, Counts& counts) {
    native_.run(c, host_);
    interpreted_.run(c, here_);
    ++totals.cases;
    ++counts.run;
    if (host_.vector != kCompleted) ++totals.faults, ++counts.faulted;
    if (incomparable(host_)) {
      ++totals.incomparable;
      return true;
    }
    Verdict verdict = compare(c, host_, here_, true);
    // A switch to another process in the middle of a case loses what the host's kernel does not save: run it again.
    for (unsigned n = 0; n < 3 && !verdict.differences.empty(); ++n) {
      native_.run(c, host_);
      verdict = compare(c, host_, here_, true);
      if (verdict.differences.empty()) ++totals.unsteady;
    }
    if (verdict.excused != nullptr) ++totals.excused[verdict.excused];
    if (verdict.differences.empty()) return true;
    ++totals.different, ++counts.different;
    differences_ = verdict.differences;
    return false;
  }
  std::string report(const Case& c) {
    return describe(c, &host_, &here_) + "  differences:\n" + differences_ + "  again: differential --replay " + case_name(c) + "\n";
  }
  std::string facts(const Case& c) { return describe(c, &host_, &here_); }

  Totals totals;

 private:
  Native& native_;
  Interpreted& interpreted_;
  Outcome host_, here_;
  std::string differences_;
};

bool matches(const Form& f, const std::string& wanted) {
  std::string name = f.row->name;
  if (name.ends_with('_')) name.pop_back();
  return wanted.empty() || wanted == name || f.key.starts_with(wanted);
}

int replay(Session& session, const std::vector<Form>& forms, const std::string& name) {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string::npos) return usage("--replay takes FORM:SEED");
  for (const Form& f : forms) {
    if (f.key != name.substr(0, colon)) continue;
    const Case c = make_case(f, std::strtoull(name.c_str() + colon + 1, nullptr, 16));
    Counts counts;
    const bool same = session.run(c, counts);
    std::printf("%s", same ? session.facts(c).c_str() : session.report(c).c_str());
    return same ? 0 : kDifferent;
  }
  return usage("no form of the instruction table has this name");
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  for (int n = 1; n < argc; ++n) {
    const std::string_view a = argv[n];
    const bool more = n + 1 < argc;
    if (a == "--seed" && more) o.seed = std::strtoull(argv[++n], nullptr, 0);
    else if (a == "--cases" && more) o.cases = std::strtoull(argv[++n], nullptr, 0);
    else if (a == "--forever") o.forever = true;
    else if (a == "--row" && more) o.row = argv[++n];
    else if (a == "--show" && more) o.show = static_cast<unsigned>(std::strtoul(argv[++n], nullptr, 0));
    else if (a == "--coverage") o.coverage = true;
    else if (a == "--replay" && more) o.replay = argv[++n];
    else return usage(argv[n]);
  }
  const std::vector<Form> forms = all_forms();
  std::string why_not;
  const auto native = Native::create(why_not);
  if (native == nullptr) {
    std::printf("skipped: %s\n", why_not.c_str());
    return 0;
  }
  const auto interpreted = std::make_unique<Interpreted>();
  Session session{*native, *interpreted};
  if (!o.replay.empty()) return replay(session, forms, o.replay);

  std::vector<const Form*> chosen;
  for (const Form& f : forms) {
    if (f.not_run == nullptr && matches(f, o.row)) chosen.push_back(&f);
  }
  if (chosen.empty()) return usage("--row names no row that is run");
  std::printf("seed %llu, %zu forms\n", static_cast<unsigned long long>(o.seed), chosen.size());
  const auto begin = std::chrono::steady_clock::now();
  std::map<const Form*, Counts> counts;
  unsigned shown = 0;
  for (std::uint64_t n = 0; o.forever || n < o.cases; ++n) {
    const Form& f = *chosen[n % chosen.size()];
    const Case c = make_case(f, scatter(o.seed) + n);
    Counts& k = counts[&f];
    if (session.run(c, k)) continue;
    if (k.different <= 1 && shown < o.show) {
      ++shown;
      std::printf("%s\n", session.report(c).c_str());
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const Totals& t = session.totals;
  for (const auto& [form, k] : counts) {
    if (k.different != 0) std::printf("%-16s %-10s %llu of %llu differ\n", form->key.c_str(), form->row->name, static_cast<unsigned long long>(k.different), static_cast<unsigned long long>(k.run));
  }
  for (const auto& [deviation, count] : t.excused) std::printf("known: %s: %llu\n", deviation->what, static_cast<unsigned long long>(count));
  std::printf("%llu cases, %llu faults, %llu incomparable, %llu unsteady, %llu different, %.0f cases/s\n", static_cast<unsigned long long>(t.cases),
              static_cast<unsigned long long>(t.faults), static_cast<unsigned long long>(t.incomparable), static_cast<unsigned long long>(t.unsteady),
              static_cast<unsigned long long>(t.different), static_cast<double>(t.cases) / seconds);
  return t.different == 0 ? 0 : kDifferent;
}
