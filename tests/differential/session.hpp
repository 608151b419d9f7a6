// Runs cases on both sides and counts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "case.hpp"
#include "compare.hpp"
#include "interpreted.hpp"
#include "native.hpp"

namespace tuxarium::differential {

/// Of one form.
struct FormCounts {
  std::uint64_t completed = 0, faulted = 0, different = 0;
  std::uint64_t run() const { return completed + faulted; }
};

struct Counts {
  explicit Counts(std::size_t forms) : form(forms), excused(deviations().size()) {}

  std::vector<FormCounts> form;
  std::vector<std::uint64_t> excused;  // by known deviation
  std::uint64_t cases = 0, faults = 0, incomparable = 0, unsteady = 0, different = 0;

  void add(const Counts& other);
  /// All numbers in a fixed order, to hand them to another process.
  template <class Visitor>
  void visit(Visitor v) {
    for (FormCounts& f : form) v(f.completed), v(f.faulted), v(f.different);
    for (std::uint64_t& n : excused) v(n);
    v(cases), v(faults), v(incomparable), v(unsteady), v(different);
  }
};

class Session {
 public:
  Session(Native& native, const std::vector<Form>& forms) : counts{forms.size()}, native_{native}, forms_{forms} {}

  /// False when the outcomes differ in what is defined.
  bool run(const Case& c);
  /// The last case with both outcomes and the differences, if any.
  std::string report(const Case& c) const;

  Counts counts;

 private:
  Native& native_;
  Interpreted interpreted_;
  const std::vector<Form>& forms_;
  Outcome host_, here_;
  std::string differences_;
};

/// The table of what ran: each form with its counts, the known deviations that were met, and what is not run with the reasons.
std::string coverage(const Counts& counts, const std::vector<Form>& forms);
/// One line.
std::string summary(const Counts& counts, double seconds);

}  // namespace tuxarium::differential
