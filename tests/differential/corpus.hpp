// Recorded answers of a processor: cases by name, with what came of them as changes of the state before. Runs on every host.
//
// A text file. The first line has the version and the processor; then one line for each case:
//   FORM:SEED DIGEST [changes]
// DIGEST is of the case's inputs, so that a changed generator is noticed. Changes, in hexadecimal: vN exception, eN error code, cN CR2,
// iN EIP (else the instruction's end or, with an exception, its start), fN EFLAGS, rN=V register, sN=V segment register,
// xO=BYTES FXSAVE image from offset O, mO=BYTES memory from offset O into the data pages.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "case.hpp"
#include "interpreted.hpp"
#include "native.hpp"

namespace tuxarium::differential {

/// Records `per_form` cases of each form, some that complete and some that fault.
void record_corpus(std::ostream& out, const std::vector<Form>& forms, std::uint64_t seed, unsigned per_form, Native& native);

struct CorpusResult {
  std::uint64_t cases = 0, not_here = 0, different = 0;
  std::string first_error;  // of the file: empty when it was read to its end
};

/// Runs a corpus; prints each difference to stdout.
CorpusResult run_corpus(std::istream& in, const std::vector<Form>& forms, Interpreted& interpreted);

}  // namespace tuxarium::differential
