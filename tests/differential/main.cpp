// The differential tester: random instructions here and on the host processor. README.md says how to use it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "case.hpp"
#include "corpus.hpp"
#include "dice.hpp"
#include "native.hpp"
#include "session.hpp"
#include "workers.hpp"

using namespace tuxarium;
using namespace tuxarium::differential;

namespace {

constexpr int kDifferent = 1, kUsage = 2;

constexpr const char* kHelp =
    "usage: differential [--seed N] [--cases N | --seconds N | --forever] [--jobs N] [--row MNEMONIC or FORM] [--show N] [--coverage]\n"
    "       differential --replay CASE\n"
    "       differential --corpus FILE\n"
    "       differential --record FILE [--seed N] [--per-form N]\n";

struct Options {
  std::uint64_t seed = 20261123;
  std::uint64_t cases = 1'000'000;
  std::uint64_t seconds = 0;  // 0: no limit
  unsigned jobs = 1, show = 10, per_form = 3;
  bool coverage = false;
  std::string row, replay, corpus, record;
};

int usage(const std::string& wrong) {
  std::fprintf(stderr, "differential: %s\n%s", wrong.c_str(), kHelp);
  return kUsage;
}

/// What is wrong with the command line; empty when nothing is.
std::string parse(int argc, char** argv, Options& o) {
  for (int n = 1; n < argc; ++n) {
    const std::string name = argv[n];
    if (name == "--forever") {
      o.cases = UINT64_MAX;
      continue;
    }
    if (name == "--coverage") {
      o.coverage = true;
      continue;
    }
    if (n + 1 >= argc) return name + " needs a value or is no option";
    const char* value = argv[++n];
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(value, &end, 0);
    const bool is_number = *value != 0 && *end == 0;
    if (name == "--row") o.row = value;
    else if (name == "--replay") o.replay = value;
    else if (name == "--corpus") o.corpus = value;
    else if (name == "--record") o.record = value;
    else if (!is_number) return name + " takes a number, not \"" + value + "\"";
    else if (name == "--seed") o.seed = number;
    else if (name == "--cases") o.cases = number;
    else if (name == "--seconds") o.seconds = number, o.cases = UINT64_MAX;
    else if (name == "--jobs") o.jobs = static_cast<unsigned>(number);
    else if (name == "--show") o.show = static_cast<unsigned>(number);
    else if (name == "--per-form") o.per_form = static_cast<unsigned>(number);
    else return name + " is no option";
  }
  if (o.jobs == 0 || o.jobs > 256) return "--jobs takes 1 to 256";
  return {};
}

bool matches(const Form& f, const std::string& wanted) {
  std::string name = f.row->name;
  if (name.ends_with('_')) name.pop_back();
  return wanted.empty() || wanted == name || f.key.starts_with(wanted);
}

int skipped(const std::string& why_not) {
  std::printf("skipped: %s\n", why_not.c_str());
  return 0;
}

int replay(const std::vector<Form>& forms, const std::string& name) {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string::npos) return usage("--replay takes FORM:SEED, not \"" + name + "\"");
  for (const Form& f : forms) {
    if (f.key != name.substr(0, colon)) continue;
    std::string why_not;
    const auto native = Native::create(why_not);
    if (native == nullptr) return skipped(why_not);
    const auto session = std::make_unique<Session>(*native, forms);
    const Case c = make_case(f, std::strtoull(name.c_str() + colon + 1, nullptr, 16));
    const bool same = session->run(c);
    std::printf("%s", session->report(c).c_str());
    return same ? 0 : kDifferent;
  }
  return usage("no form of the instruction table is called \"" + name.substr(0, colon) + "\"");
}

int record(const std::vector<Form>& forms, const Options& o) {
  std::string why_not;
  const auto native = Native::create(why_not);
  if (native == nullptr) return skipped(why_not);
  std::ofstream out{o.record};
  record_corpus(out, forms, o.seed, o.per_form, *native);
  out.flush();
  if (!out) return usage("\"" + o.record + "\" cannot be written");
  return 0;
}

int check_corpus(const std::vector<Form>& forms, const std::string& path) {
  std::ifstream in{path};
  if (!in) return usage("\"" + path + "\" cannot be read");
  const auto interpreted = std::make_unique<Interpreted>();
  const CorpusResult result = run_corpus(in, forms, *interpreted);
  std::printf("%llu recorded cases, %llu different, %llu not for this host\n", static_cast<unsigned long long>(result.cases),
              static_cast<unsigned long long>(result.different), static_cast<unsigned long long>(result.not_here));
  if (!result.first_error.empty()) return usage(path + ": " + result.first_error);
  return result.different == 0 && result.cases != 0 ? 0 : kDifferent;
}

/// The order in which forms take their turns: encodings that are only ever #UD come seldom.
std::vector<const Form*> schedule(const std::vector<Form>& forms, const std::string& row) {
  constexpr unsigned kRounds = 8;
  std::vector<const Form*> order;
  for (unsigned round = 0; round < kRounds; ++round) {
    for (const Form& f : forms) {
      if (f.not_run == nullptr && matches(f, row) && (f.assigned || round == 0)) order.push_back(&f);
    }
  }
  return order;
}

/// One worker's share of the cases: those whose number is `worker` modulo the number of workers.
Counts run_share(const std::vector<Form>& forms, const std::vector<const Form*>& chosen, const Options& o, unsigned worker, Native& native) {
  const auto begin = std::chrono::steady_clock::now();
  const auto session = std::make_unique<Session>(native, forms);
  unsigned shown = 0;
  for (std::uint64_t n = worker; n < o.cases; n += o.jobs) {
    if (o.seconds != 0 && n / o.jobs % 4096 == 0 && std::chrono::steady_clock::now() - begin >= std::chrono::seconds(o.seconds)) break;
    const Form& form = *chosen[n % chosen.size()];
    const Case c = make_case(form, scatter(o.seed) + n);
    if (session->run(c)) continue;
    // One of each form: the others are mostly the same again.
    if (session->counts.form[static_cast<std::size_t>(&form - forms.data())].different > 1 || ++shown > o.show) continue;
    std::printf("%s\n", session->report(c).c_str());
  }
  return session->counts;
}

int compare_with_host(const std::vector<Form>& forms, const Options& o) {
  const std::vector<const Form*> chosen = schedule(forms, o.row);
  if (chosen.empty()) return usage("no row that is run is called \"" + o.row + "\"");
  std::string why_not;
  if (Native::create(why_not) == nullptr) return skipped(why_not);
  std::printf("seed %llu\n", static_cast<unsigned long long>(o.seed));
  std::fflush(stdout);
  const auto begin = std::chrono::steady_clock::now();
  Counts counts{forms.size()};
  const bool all_ended = run_workers(o.jobs, counts, [&](unsigned worker) {
    std::string ignored;
    const auto native = Native::create(ignored);
    return run_share(forms, chosen, o, worker, *native);
  });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (std::size_t n = 0; n < forms.size(); ++n) {
    const FormCounts& k = counts.form[n];
    if (k.different == 0) continue;
    std::printf("%-16s %-10s %llu of %llu differ\n", forms[n].key.c_str(), forms[n].row->name, static_cast<unsigned long long>(k.different),
                static_cast<unsigned long long>(k.run()));
  }
  if (o.coverage) std::printf("%s\n", coverage(counts, forms).c_str());
  std::printf("%s", summary(counts, seconds).c_str());
  return counts.different == 0 && all_ended ? 0 : kDifferent;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  if (const std::string wrong = parse(argc, argv, o); !wrong.empty()) return usage(wrong);
  const std::vector<Form> forms = all_forms();
  if (!o.replay.empty()) return replay(forms, o.replay);
  if (!o.record.empty()) return record(forms, o);
  if (!o.corpus.empty()) return check_corpus(forms, o.corpus);
  return compare_with_host(forms, o);
}
