#include "machine/boot_plan.hpp"

#include "machine/ram_plan.hpp"

namespace tuxarium::machine {

namespace {

constexpr std::uint64_t kMinRam = 1u << 20, kMaxRam = std::uint64_t{3} << 30;

struct Planner {
  std::uint64_t ram_bytes;

  Result<BootPlan> operator()(const std::monostate&) const {
    return Error{ErrorCode::invalid_argument, "There is nothing to start: the configuration has no boot source."};
  }
  Result<BootPlan> operator()(const JslinuxBoot& source) const { return plan_jslinux(source, ram_bytes); }
  Result<BootPlan> operator()(const LinuxBoot& source) const { return plan_linux(source, ram_bytes); }
  Result<BootPlan> operator()(const RomBoot& source) const { return plan_rom(source, ram_bytes); }
  Result<BootPlan> operator()(const MultibootBoot& source) const { return plan_multiboot(source, ram_bytes); }
};

}  // namespace

Result<BootPlan> make_boot_plan(const BootSource& source, std::uint64_t ram_bytes) {
  if (ram_bytes < kMinRam || ram_bytes > kMaxRam) {
    return Error{ErrorCode::invalid_argument,
                 "The machine cannot have " + std::to_string(ram_bytes) + " bytes of RAM: the size must be from 1 MiB to 3 GiB."};
  }
  return std::visit(Planner{ram_bytes}, source);
}

}  // namespace tuxarium::machine
