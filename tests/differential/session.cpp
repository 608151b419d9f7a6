#include "session.hpp"

#include <cstdio>

namespace tuxarium::differential {

namespace {

using Number = unsigned long long;

std::string mnemonic_of(const Form& f) {
  std::string name = f.row->name;
  if (name.ends_with('_')) name.pop_back();
  return name;
}

}  // namespace

void Counts::add(const Counts& other) {
  Counts copy = other;
  std::vector<std::uint64_t> numbers;
  copy.visit([&](std::uint64_t n) { numbers.push_back(n); });
  std::size_t at = 0;
  visit([&](std::uint64_t& n) { n += numbers[at++]; });
}

bool Session::run(const Case& c) {
  FormCounts& form = counts.form[static_cast<std::size_t>(c.form - forms_.data())];
  differences_.clear();
  ++counts.cases;
  interpreted_.run(c, here_);
  if (enters_64bit_code(here_)) {
    ++counts.incomparable;
    return true;
  }
  native_.run(c, host_);
  if (host_.vector == kCompleted) {
    ++form.completed;
  } else {
    ++form.faulted;
    ++counts.faults;
  }
  if (incomparable(host_)) {
    ++counts.incomparable;
    return true;
  }
  Verdict verdict = compare(c, host_, here_, true);
  // A switch to another process in the middle of a case loses what the host's kernel does not save: run it again.
  for (unsigned n = 0; n < 3 && !verdict.differences.empty(); ++n) {
    native_.run(c, host_);
    verdict = compare(c, host_, here_, true);
    if (verdict.differences.empty()) ++counts.unsteady;
  }
  if (verdict.excused != nullptr) ++counts.excused[static_cast<std::size_t>(verdict.excused - deviations().data())];
  if (verdict.differences.empty()) return true;
  ++form.different;
  ++counts.different;
  differences_ = std::move(verdict.differences);
  return false;
}

std::string Session::report(const Case& c) const {
  std::string text = describe(c, &host_, &here_);
  if (!differences_.empty()) text += "  differences:\n" + differences_;
  return text + "  again: differential --replay " + case_name(c) + "\n";
}

std::string coverage(const Counts& counts, const std::vector<Form>& forms) {
  std::string text = "form             mnemonic      operand  size      completed        faulted\n";
  char line[200];
  std::uint64_t covered = 0, complete = 0, excluded = 0;
  for (std::size_t n = 0; n < forms.size(); ++n) {
    const Form& f = forms[n];
    const FormCounts& k = counts.form[n];
    if (f.not_run != nullptr) ++excluded;
    if (k.run() != 0) ++covered;
    if (k.completed != 0) ++complete;
    if (f.not_run != nullptr) continue;
    std::snprintf(line, sizeof line, "%-16s %-13s %-8s %4u %14llu %14llu\n", f.key.c_str(), mnemonic_of(f).c_str(), f.memory ? "memory" : "register",
                  f.operand_size * 8u, static_cast<Number>(k.completed), static_cast<Number>(k.faulted));
    text += line;
  }
  text += "\nnot run:\n";
  for (const Form& f : forms) {
    if (f.not_run == nullptr) continue;
    std::snprintf(line, sizeof line, "%-16s %-13s %s\n", f.key.c_str(), mnemonic_of(f).c_str(), f.not_run);
    text += line;
  }
  text += "\nforms that never complete (privileged, undefined, or a trap or jump by nature):\n";
  for (std::size_t n = 0; n < forms.size(); ++n) {
    if (counts.form[n].completed == 0 && counts.form[n].faulted != 0) text += forms[n].key + " " + mnemonic_of(forms[n]) + "\n";
  }
  text += "\nknown deviations met:\n";
  for (std::size_t n = 0; n < counts.excused.size(); ++n) {
    const Deviation& d = deviations()[n];
    std::snprintf(line, sizeof line, "%10llu  %s\n", static_cast<Number>(counts.excused[n]), d.what);
    text += line;
    text += std::string{"            "} + d.reason + "\n";
  }
  std::snprintf(line, sizeof line, "\n%zu forms of %zu rows: %llu run, of which %llu complete; %llu not run\n", forms.size(), cpu::instruction_table().size() - 1,
                static_cast<Number>(covered), static_cast<Number>(complete), static_cast<Number>(excluded));
  return text + line;
}

std::string summary(const Counts& counts, double seconds) {
  std::uint64_t excused = 0;
  for (const std::uint64_t n : counts.excused) excused += n;
  char line[240];
  std::snprintf(line, sizeof line, "%llu cases (%llu faults): %llu different; %llu by known deviations, %llu incomparable, %llu unsteady; %.0f cases/s\n",
                static_cast<Number>(counts.cases), static_cast<Number>(counts.faults), static_cast<Number>(counts.different), static_cast<Number>(excused),
                static_cast<Number>(counts.incomparable), static_cast<Number>(counts.unsteady),
                seconds > 0 ? static_cast<double>(counts.cases) / seconds : 0.0);
  return line;
}

}  // namespace tuxarium::differential
