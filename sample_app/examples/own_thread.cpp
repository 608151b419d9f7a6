// A machine on a thread of its own: what is typed here goes to the guest a line at a time, what the guest prints is shown. Ends with the
// guest (poweroff) or with the end of the input.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <span>
#include <string>
#include <thread>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/machine_thread.hpp>

namespace {

using namespace std::chrono_literals;

/// Prints what the guest has sent; true when there was something.
bool show(tuxarium::MachineThread& guest, std::string& shown) {
  std::array<std::byte, 4096> bytes{};
  const std::size_t count = guest.with_machine([&](tuxarium::Machine& machine) { return machine.serial(0).read(bytes); });
  shown.append(reinterpret_cast<const char*>(bytes.data()), count);
  std::fwrite(bytes.data(), 1, count, stdout);
  std::fflush(stdout);
  return count != 0;
}

void type(tuxarium::MachineThread& guest, const std::string& line) {
  for (auto rest = std::as_bytes(std::span{line}); !rest.empty();) {
    rest = rest.subspan(guest.with_machine([&](tuxarium::Machine& machine) { return machine.serial(0).write(rest); }));
    if (!rest.empty()) std::this_thread::sleep_for(10ms);
  }
}

}  // namespace

int main() {
  std::atomic<bool> over{false};
  tuxarium::Config config;
  config.boot = tuxarium::default_guest();
  const auto started =
      tuxarium::MachineThread::start(std::move(config), {.on_stop = [&over](tuxarium::Machine&, tuxarium::StopReason reason) {
                                       if (reason == tuxarium::StopReason::power_off) over = true;
                                     }});
  if (!started) {
    std::cerr << started.error().message << '\n';
    return 1;
  }
  tuxarium::MachineThread& guest = **started;

  // The guest drops what is typed before its shell is there.
  std::string shown;
  while (shown.find("/root # ") == std::string::npos && !over) {
    if (!show(guest, shown)) std::this_thread::sleep_for(10ms);
  }
  std::thread screen{[&] {
    // Once more after the end, for the guest's last words.
    for (bool more = true; more || !over;) {
      more = show(guest, shown);
      if (!more) std::this_thread::sleep_for(10ms);
    }
  }};
  std::string line;
  while (!over && std::getline(std::cin, line)) {
    type(guest, line + '\n');
    if (line == "poweroff") break;
  }
  if (std::cin.eof()) over = true;
  screen.join();
  return 0;
}
