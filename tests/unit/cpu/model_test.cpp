// The processor models: CPUID, and that what it does not announce is not there.
#include <doctest/doctest.h>

#include "cpu_fixture.hpp"
#include "cpu/simd/vector.hpp"

using namespace tuxarium;
using namespace tuxarium::tests;

namespace {

struct Leaf {
  std::uint32_t eax, ebx, ecx, edx;
};

Leaf cpuid(Model model, std::uint32_t leaf, Extensions extensions = {}) {
  Bench b{model, extensions};
  b.flat();
  b.set(kEax, leaf);
  b.code({0x0f, 0xa2});
  CHECK(b.run() == Exit::halted);
  return {b.reg(kEax), b.reg(kEbx), b.reg(kEcx), b.reg(kEdx)};
}

constexpr std::uint32_t bits(std::initializer_list<unsigned> numbers) {
  std::uint32_t value = 0;
  for (const unsigned n : numbers) value |= 1u << n;
  return value;
}

/// Vector of the exception of an instruction at level 0, or -1.
int vector_of(Model model, std::initializer_list<unsigned> bytes) {
  Bench b{model};
  b.flat();
  b.change([](CpuState& s) {
    s.cr4 = 0;
    s.gpr[kEbx] = kData;
    s.gpr[kEcx] = 0x10;
  });
  b.code(bytes);
  return b.trap(20).vector;
}

}  // namespace

TEST_CASE("CPUID leaf 0: the last leaf, the vendor's name") {
  for (const Model model : {Model::jslinux, Model::i486, Model::pentium, Model::i686, Model::full}) {
    const Leaf leaf = cpuid(model, 0);
    CHECK(leaf.eax == (model == Model::i686 || model == Model::full ? 2 : 1));
    CHECK(leaf.ebx == 0x756e6547);
    CHECK(leaf.edx == 0x49656e69);
    CHECK(leaf.ecx == 0x6c65746e);
  }
}

TEST_CASE("CPUID leaf 2: the caches of a P6; leaves that are not there are the last one") {
  for (const Model model : {Model::i686, Model::full}) {
    for (const std::uint32_t leaf : {2u, 3u, 0x80000000u, 0x80000004u, 0xffffffffu}) {
      const Leaf got = cpuid(model, leaf);
      CHECK(got.eax == 0x03020101);
      CHECK(got.ebx == 0);
      CHECK(got.ecx == 0);
      CHECK(got.edx == 0x0c040843);
    }
  }
  for (const Model model : {Model::i486, Model::pentium}) {
    for (const std::uint32_t leaf : {2u, 0x80000000u}) {
      CHECK(cpuid(model, leaf).eax == cpuid(model, 1).eax);
      CHECK(cpuid(model, leaf).edx == cpuid(model, 1).edx);
    }
  }
}

TEST_CASE("CPUID leaf 1: signature and features") {
  // FPU VME DE PSE TSC MSR MCE CX8, then PAE SEP MTRR PGE MCA CMOV PAT MMX FXSR
  constexpr std::uint32_t kPentium = bits({0, 1, 2, 3, 4, 5, 7, 8}), kI686 = kPentium | bits({6, 11, 12, 13, 14, 15, 16, 23, 24});
  CHECK(cpuid(Model::jslinux, 1).eax == 0x543);
  CHECK(cpuid(Model::jslinux, 1).edx == 0x10);
  CHECK(cpuid(Model::i486, 1).eax == 0x480);
  CHECK(cpuid(Model::i486, 1).edx == 1);
  CHECK(cpuid(Model::pentium, 1).eax == 0x52c);
  CHECK(cpuid(Model::pentium, 1).edx == kPentium);
  CHECK(cpuid(Model::i686, 1).eax == 0x652);
  CHECK(cpuid(Model::i686, 1).edx == kI686);
  CHECK(cpuid(Model::i686, 1).ebx == 0);
  const Leaf full = cpuid(Model::full, 1);
  CHECK((full.eax >> 8 & 15) == 6);
  CHECK(full.edx == (kI686 | (simd::kHostHasSse2 ? bits({19, 25, 26}) : 0)));
  CHECK(full.ecx == 0);
  CHECK(full.ebx == (simd::kHostHasSse2 ? 0x800u : 0));
  CHECK(cpuid(Model::full, 1, {.sse3 = true, .popcnt = true}).ecx == ((simd::kHostHasSse2 ? 1u : 0) | 1u << 23));
}

TEST_CASE("EDX after a reset is the signature") {
  for (const auto& [model, signature] : {std::pair{Model::i486, 0x480u}, {Model::pentium, 0x52cu}, {Model::i686, 0x652u}, {Model::full, 0x653u}}) {
    Bench b{model};
    b.cpu.reset();
    CHECK(b.reg(kEdx) == signature);
  }
}

TEST_CASE("instructions that a model lacks are undefined") {
  struct Probe {
    std::initializer_list<unsigned> bytes;
    Model first;  // the earliest that has it
  };
  const Probe kProbes[] = {
      {{0x0f, 0xa2}, Model::i486},              // CPUID
      {{0x0f, 0xc8}, Model::i486},              // BSWAP
      {{0x0f, 0xb1, 0x03}, Model::i486},        // CMPXCHG
      {{0x0f, 0x31}, Model::pentium},           // RDTSC
      {{0x0f, 0x32}, Model::pentium},           // RDMSR
      {{0x0f, 0xc7, 0x0b}, Model::pentium},     // CMPXCHG8B
      {{0x0f, 0x20, 0xe0}, Model::pentium},     // MOV EAX, CR4
      {{0x0f, 0x44, 0xc1}, Model::i686},        // CMOVE
      {{0xda, 0xc9}, Model::i686},              // FCMOVE
      {{0xdb, 0xc9}, Model::i686},              // FCMOVNE
      {{0xdb, 0xf1}, Model::i686},              // FCOMI
      {{0xdb, 0xe9}, Model::i686},              // FUCOMI
      {{0xdf, 0xf1}, Model::i686},              // FCOMIP
      {{0xdf, 0xe9}, Model::i686},              // FUCOMIP
      {{0x0f, 0x1f, 0xc0}, Model::i686},        // NOP r/m
      {{0x0f, 0x18, 0x03}, Model::i686},        // PREFETCHNTA
      {{0x0f, 0xef, 0xc0}, Model::i686},        // PXOR mm
      {{0x0f, 0xae, 0x03}, Model::i686},        // FXSAVE
      {{0x0f, 0x57, 0xc0}, Model::full},        // XORPS: #UD also for CR4.OSFXSR
  };
  constexpr Model kModels[] = {Model::i486, Model::pentium, Model::i686};
  for (const Probe& p : kProbes) {
    for (const Model model : kModels) {
      CAPTURE(static_cast<int>(model));
      CAPTURE(*std::next(p.bytes.begin()));
      CHECK((vector_of(model, p.bytes) == kInvalidOpcode) == (model < p.first));
    }
  }
  // SYSENTER is there, but the selector is 0.
  CHECK(vector_of(Model::i686, {0x0f, 0x34}) == kGeneralProtection);
  CHECK(vector_of(Model::pentium, {0x0f, 0x34}) == kInvalidOpcode);
}

TEST_CASE("CR4 has the bits of the model") {
  const auto defined = [](Model model) {
    std::uint32_t bits_taken = 0;
    for (unsigned bit = 0; bit < 32; ++bit) {
      Bench b{model};
      b.flat();
      b.set(kEax, 1u << bit);
      b.code({0x0f, 0x22, 0xe0});
      if (b.trap(20).vector < 0) bits_taken |= 1u << bit;
    }
    return bits_taken;
  };
  constexpr std::uint32_t kPentium = kCr4Vme | kCr4Pvi | kCr4Tsd | kCr4De | kCr4Pse | kCr4Mce, kI686 = kPentium | kCr4Pae | kCr4Pge | kCr4Pce | kCr4Osfxsr;
  CHECK(defined(Model::i486) == 0);
  CHECK(defined(Model::pentium) == kPentium);
  CHECK(defined(Model::i686) == kI686);
  CHECK(defined(Model::full) == (kI686 | (simd::kHostHasSse2 ? kCr4Osxmmexcpt : 0)));
}
