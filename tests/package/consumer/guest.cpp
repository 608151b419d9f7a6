// Boots the Linux inside the library, without a file beside the program, until its shell asks for a command.
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/machine.hpp>

int main() {
  tuxarium::Config config;
  config.boot = tuxarium::default_guest();
  config.time = tuxarium::TimeSource::cycles;
  auto machine = tuxarium::Machine::create(std::move(config));
  if (!machine) {
    std::fprintf(stderr, "%s\n", machine.error().message.c_str());
    return 1;
  }
  auto& pc = *machine.value();
  std::string console;
  while (console.find("/root # ") == std::string::npos) {
    (void)pc.run({.cycles = 1'000'000});
    std::array<std::byte, 4096> bytes{};
    while (const std::size_t count = pc.serial(0).read(bytes)) console.append(reinterpret_cast<const char*>(bytes.data()), count);
    if (pc.counters().cycles > 1'000'000'000 || pc.powered_off()) {
      std::fprintf(stderr, "no shell; the console shows:\n%s\n", console.c_str());
      return 1;
    }
  }
  std::printf("%s\n", console.c_str());
  return 0;
}
