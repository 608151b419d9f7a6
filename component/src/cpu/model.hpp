// Processor models: what CPUID says and which instructions, control bits and model-specific registers exist.
#pragma once

#include <cstdint>

namespace tuxarium::cpu {

enum class Model : std::uint8_t {
  jslinux,  // what JSLinux reported: a Pentium without FPU, with CMOV, whose only feature bit is the TSC
  i486,     // 80486DX4: x87, CPUID, no CR4
  pentium,  // P54C: CMPXCHG8B, TSC, MSRs, CR4 with VME, DE, PSE and MCE
  i686,     // Pentium II: CMOV, SYSENTER, PAE, global pages, MTRR, PAT, MCA, MMX, FXSAVE
  full,     // the same with SSE and SSE2 where the host has them
};

/// What Model::full has on request. SSE, SSE2 and SSE3 need an x86-64 host.
struct Extensions {
  bool sse3 = false;
  bool popcnt = false;
};

/// The feature_bit()s of a model on this host.
std::uint32_t features_of(Model model, Extensions extensions);

/// Family, model and stepping as in EAX of CPUID leaf 1 and EDX after a reset.
std::uint32_t signature_of(Model model);

struct CpuidResult {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};
CpuidResult cpuid_of(Model model, std::uint32_t features, std::uint32_t leaf);

}  // namespace tuxarium::cpu
