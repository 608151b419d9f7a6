// The processor models. Intel AP-485 and SDM volume 2, CPUID. CPUID says what is there and nothing else.

#include "cpu/model.hpp"

#include <array>

#include "cpu/instruction.hpp"
#include "cpu/simd/vector.hpp"

namespace tuxarium::cpu {

namespace {

constexpr auto all = [](auto... features) { return (feature_bit(features) | ...); };

using enum Feature;
constexpr std::uint32_t kJslinux = all(base, i486, tsc, cmov, de, pse, mce, pge);
constexpr std::uint32_t kI486 = all(base, i486, fpu);
constexpr std::uint32_t kPentium = kI486 | all(vme, de, pse, tsc, msr, mce, cx8);
constexpr std::uint32_t kI686 = kPentium | all(cmov, sep, p6, pae, pge, mtrr, mca, pat, mmx, fxsr);

struct FeatureFlag {
  Feature feature;
  std::uint8_t bit;
};

constexpr FeatureFlag kEdxFlags[] = {{fpu, 0},  {vme, 1},  {de, 2},   {pse, 3},   {tsc, 4},  {msr, 5},  {pae, 6},   {mce, 7},   {cx8, 8},  {sep, 11}, {mtrr, 12},
                                     {pge, 13}, {mca, 14}, {cmov, 15}, {pat, 16}, {mmx, 23}, {fxsr, 24}, {sse, 25}, {sse2, 19} /* CLFLUSH */, {sse2, 26}};
constexpr FeatureFlag kEcxFlags[] = {{sse3, 0}, {popcnt, 23}};

template <std::size_t N>
std::uint32_t flags(const FeatureFlag (&table)[N], std::uint32_t features) {
  std::uint32_t bits = 0;
  for (const FeatureFlag& f : table) {
    if ((features & feature_bit(f.feature)) != 0) bits |= 1u << f.bit;
  }
  return bits;
}

constexpr std::uint32_t kClflushLine = 0x0800;  // 8 quadwords

/// Translation caches for instructions: 4 KiB pages 4-way, 32 entries (01), 4 MiB pages, 2 entries (02); for data: 4 KiB pages 4-way, 64 entries
/// (03), 4 MiB pages 4-way, 8 entries (04). Caches: 16 KiB of instructions (08), 16 KiB of data (0C), 512 KiB (43).
constexpr CpuidResult kP6Caches = {.eax = 0x03020101, .ebx = 0, .ecx = 0, .edx = 0x0c040843};

}  // namespace

std::uint32_t features_of(Model model, Extensions extensions) {
  switch (model) {
    case Model::jslinux: return kJslinux;
    case Model::i486: return kI486;
    case Model::pentium: return kPentium;
    case Model::i686: return kI686;
    case Model::full: break;
  }
  std::uint32_t features = kI686;
  if (simd::kHostHasSse2) features |= all(sse, sse2);
  if (simd::kHostHasSse2 && extensions.sse3) features |= all(sse3);
  if (extensions.popcnt) features |= all(popcnt);
  return features;
}

std::uint32_t signature_of(Model model) {
  switch (model) {
    case Model::jslinux: return 0x543;
    case Model::i486: return 0x480;
    case Model::pentium: return 0x52c;
    case Model::i686: return 0x652;
    case Model::full: break;
  }
  return 0x653;
}

CpuidResult cpuid_of(Model model, std::uint32_t features, std::uint32_t leaf) {
  const bool p6 = (features & feature_bit(Feature::p6)) != 0;
  if (leaf == 0) return {.eax = p6 ? 2u : 1u, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69};  // "GenuineIntel"
  // The old program gave leaf 1 for every other one.
  if (model == Model::jslinux) return {.eax = signature_of(model), .ebx = 0x800, .ecx = 0, .edx = 0x10};
  // None of them has extended leaves: for what is beyond the last leaf a processor gives that one.
  if (p6 && leaf != 1) return kP6Caches;
  return {.eax = signature_of(model),
          .ebx = (features & feature_bit(sse2)) != 0 ? kClflushLine : 0,
          .ecx = flags(kEcxFlags, features),
          .edx = flags(kEdxFlags, features)};
}

}  // namespace tuxarium::cpu
