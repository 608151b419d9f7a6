// DAA, DAS, AAA, AAS, AAM, AAD over all their inputs, against the pseudo-code of the Intel SDM, volume 2.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

struct Result {
  std::uint32_t ax = 0;
  bool cf = false, af = false;
};

Result daa(std::uint32_t ax, bool cf, bool af) {
  const std::uint32_t old_al = ax & 0xff;
  const bool old_cf = cf;
  std::uint32_t al = old_al;
  cf = false;
  if ((al & 0xf) > 9 || af) {
    cf = old_cf || al + 6 > 0xff;
    al = (al + 6) & 0xff;
    af = true;
  } else {
    af = false;
  }
  if (old_al > 0x99 || old_cf) {
    al = (al + 0x60) & 0xff;
    cf = true;
  } else {
    cf = false;
  }
  return {(ax & 0xff00) | al, cf, af};
}

Result das(std::uint32_t ax, bool cf, bool af) {
  const std::uint32_t old_al = ax & 0xff;
  const bool old_cf = cf;
  std::uint32_t al = old_al;
  cf = false;
  if ((al & 0xf) > 9 || af) {
    cf = old_cf || al < 6;
    al = (al - 6) & 0xff;
    af = true;
  } else {
    af = false;
  }
  if (old_al > 0x99 || old_cf) {
    al = (al - 0x60) & 0xff;
    cf = true;
  }
  return {(ax & 0xff00) | al, cf, af};
}

Result aaa(std::uint32_t ax, bool, bool af) {
  const bool adjust = (ax & 0xf) > 9 || af;
  if (adjust) ax = (ax + 0x106) & 0xffff;
  return {ax & 0xff0f, adjust, adjust};
}

Result aas(std::uint32_t ax, bool, bool af) {
  const bool adjust = (ax & 0xf) > 9 || af;
  if (adjust) {
    ax = (ax - 6) & 0xffff;
    ax = ((ax - 0x100) & 0xff00) | (ax & 0xff);
  }
  return {ax & 0xff0f, adjust, adjust};
}

bool even_parity(std::uint32_t value) {
  bool even = true;
  for (unsigned bit = 0; bit < 8; ++bit) even ^= (value >> bit & 1) != 0;
  return even;
}

bool result_flags(std::uint32_t flags, std::uint32_t al) {
  return ((flags & kZf) != 0) == (al == 0) && ((flags & kSf) != 0) == (al >= 0x80) && ((flags & kPf) != 0) == even_parity(al);
}

class Decimal {
 public:
  explicit Decimal(std::initializer_list<unsigned> bytes) {
    bench_.flat();
    bench_.code(bytes);
    start_ = bench_.state();
  }
  /// The upper half of EAX must stay.
  bool run(std::uint32_t ax, std::uint32_t flags, std::uint32_t& new_ax, std::uint32_t& new_flags) {
    CpuState s = start_;
    s.gpr[kEax] = 0xabcd0000u | ax;
    set_eflags(s, flags);
    bench_.cpu.set_state(s);
    if (bench_.cpu.run(2, true) != Exit::halted) return false;
    new_ax = bench_.reg(kEax) & 0xffff;
    new_flags = bench_.eflags();
    return bench_.reg(kEax) >> 16 == 0xabcd;
  }
  Bench& bench() { return bench_; }

 private:
  Bench bench_;
  CpuState start_;
};

template <class Reference>
unsigned differences(unsigned opcode, Reference reference, std::uint32_t most_ax, bool defines_result_flags) {
  Decimal decimal{opcode};
  unsigned different = 0;
  for (std::uint32_t ax = 0; ax <= most_ax; ++ax) {
    for (unsigned in = 0; in < 4; ++in) {
      const bool cf = (in & 1) != 0, af = (in & 2) != 0;
      const Result expected = reference(ax, cf, af);
      std::uint32_t got = 0, flags = 0;
      const bool ran = decimal.run(ax, (cf ? kCf : 0) | (af ? kAf : 0), got, flags);
      const bool right = ran && got == expected.ax && ((flags & kCf) != 0) == expected.cf && ((flags & kAf) != 0) == expected.af &&
                         (!defines_result_flags || result_flags(flags, got & 0xff));
      if (!right && ++different < 4) MESSAGE("ax " << ax << " cf " << cf << " af " << af << ": " << got << " flags " << flags);
    }
  }
  return different;
}

}  // namespace

TEST_CASE("DAA") { CHECK(differences(0x27, daa, 0xff, true) == 0); }
TEST_CASE("DAS") { CHECK(differences(0x2f, das, 0xff, true) == 0); }
TEST_CASE("AAA") { CHECK(differences(0x37, aaa, 0xffff, false) == 0); }
TEST_CASE("AAS") { CHECK(differences(0x3f, aas, 0xffff, false) == 0); }

TEST_CASE("AAM and AAD with every base") {
  unsigned different = 0;
  for (unsigned base = 1; base < 256; ++base) {
    Decimal aam{0xd4, base}, aad{0xd5, base};
    for (std::uint32_t al = 0; al < 256; ++al) {
      std::uint32_t got = 0, flags = 0;
      if (!aam.run(0x5500 | al, 0, got, flags) || got != (al / base << 8 | al % base) || !result_flags(flags, got & 0xff)) ++different;
      const std::uint32_t ah = (al * 7 + base) & 0xff;
      if (!aad.run(ah << 8 | al, 0, got, flags) || got != ((al + ah * base) & 0xff) || !result_flags(flags, got)) ++different;
    }
  }
  CHECK(different == 0);
  Bench bench;
  bench.flat();
  bench.code({0xd4, 0});
  CHECK(bench.trap().vector == kDivideError);
}
