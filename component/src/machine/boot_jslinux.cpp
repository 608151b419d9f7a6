// The start of JSLinux: a flat kernel and a small starter that builds the kernel's boot parameters. The processor is handed over in
// protected mode without a descriptor table: the starter uses the segments as it finds them.
#include "machine/ram_plan.hpp"

namespace tuxarium::machine {

namespace {

constexpr std::uint32_t kCommandLineAddress = 0xf800, kStarterAddress = 0x10000, kKernelAddress = 0x100000, kInitrdAddress = 0x400000;
constexpr std::size_t kMaxCommandLine = kStarterAddress - kCommandLineAddress - 1;

}  // namespace

Result<BootPlan> plan_jslinux(const JslinuxBoot& source, std::uint64_t ram_bytes) {
  if (source.kernel.empty()) return Error{ErrorCode::bad_image, "The image of the JSLinux kernel is empty."};
  if (source.starter.empty()) return Error{ErrorCode::bad_image, "The image of the JSLinux starter is empty."};
  auto command_line = terminated_command_line(source.command_line, kMaxCommandLine);
  if (!command_line) return command_line.error();

  RamPlan ram{ram_bytes};
  if (auto ok = ram.claim("the kernel command line", kCommandLineAddress, command_line->size()); !ok) return ok.error();
  if (auto ok = ram.claim("the JSLinux kernel", kKernelAddress, source.kernel.size()); !ok) return ok.error();
  if (auto ok = ram.claim("the JSLinux starter", kStarterAddress, source.starter.size()); !ok) return ok.error();
  if (auto ok = ram.claim("the initial RAM disk", kInitrdAddress, source.initrd.size()); !ok) return ok.error();

  BootPlan plan;
  plan.placements.emplace_back(kCommandLineAddress, std::move(*command_line));
  plan.placements.emplace_back(kStarterAddress, std::span{source.starter});
  plan.placements.emplace_back(kKernelAddress, std::span{source.kernel});
  if (!source.initrd.empty()) plan.placements.emplace_back(kInitrdAddress, std::span{source.initrd});

  plan.registers = flat_registers(0, 0, kStarterAddress);
  const auto set = [&](Gpr name, std::uint64_t value) {
    plan.registers.gpr[static_cast<std::size_t>(name)] = static_cast<std::uint32_t>(value);
  };
  set(Gpr::eax, ram_bytes);
  set(Gpr::ebx, source.initrd.size());
  set(Gpr::ecx, kCommandLineAddress);
  return plan;
}

}  // namespace tuxarium::machine
