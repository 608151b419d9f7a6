// Makes a machine from a ROM whose only instruction is HLT, and runs it.
#include <cstddef>
#include <cstdio>
#include <memory>
#include <vector>

#include <tuxarium/machine.hpp>
#include <tuxarium/version.hpp>

int main() {
  tuxarium::Config config;
  config.boot = tuxarium::RomBoot{std::vector<std::byte>(16, std::byte{0xf4})};
  auto machine = tuxarium::Machine::create(std::move(config));
  if (!machine) {
    std::fprintf(stderr, "%s\n", machine.error().message.c_str());
    return 1;
  }
  const auto result = machine.value()->run({.cycles = 1000});
  if (result.reason != tuxarium::StopReason::power_off) {
    std::fprintf(stderr, "the halted machine did not say so\n");
    return 1;
  }
  std::printf("tuxarium %s works\n", TUXARIUM_VERSION);
  return 0;
}
