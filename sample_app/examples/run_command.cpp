// A program without a window: boots the Linux inside the library, runs a shell command in it, prints what that prints, and ends with its
// status.
//
//   run_command 'uname -a; cat /proc/cpuinfo'
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include <tuxarium/default_guest.hpp>
#include <tuxarium/machine.hpp>

namespace {

using namespace std::chrono_literals;

class Guest {
 public:
  explicit Guest(tuxarium::Machine& machine) : machine_{machine} {}

  /// Runs the guest until its console has shown `mark`; returns what came before it. Nothing when the guest has switched itself off.
  std::optional<std::string> read_until(std::string_view mark) {
    for (;;) {
      if (const auto at = console_.find(mark); at != std::string::npos) {
        std::string text = console_.substr(0, at);
        console_.erase(0, at + mark.size());
        return text;
      }
      const auto result = machine_.run({.wall = 10ms});
      drain();
      if (result.reason == tuxarium::StopReason::power_off) return {};
      if (result.reason == tuxarium::StopReason::idle)
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(result.idle_for, 10ms));
    }
  }

  /// Types at the console. A line that is longer than the port's queue goes in as the guest takes it.
  void type(std::string_view text) {
    auto rest = std::as_bytes(std::span{text});
    while (!rest.empty()) {
      rest = rest.subspan(machine_.serial(0).write(rest));
      if (machine_.run({.wall = 1ms}).reason == tuxarium::StopReason::power_off) return;
      drain();
    }
  }

 private:
  void drain() {
    std::array<std::byte, 4096> bytes{};
    while (const std::size_t count = machine_.serial(0).read(bytes)) console_.append(reinterpret_cast<const char*>(bytes.data()), count);
  }

  tuxarium::Machine& machine_;
  std::string console_;
};

int run(const std::string& command) {
  tuxarium::Config config;
  config.boot = tuxarium::default_guest();
  const auto machine = tuxarium::Machine::create(std::move(config));
  if (!machine) {
    std::fprintf(stderr, "run_command: %s\n", machine.error().message.c_str());
    return 2;
  }
  Guest guest{*machine.value()};
  // From here on the guest's terminal shows what programs print and nothing else.
  if (!guest.read_until("/root # ")) return 2;
  guest.type("stty -echo -onlcr; PS1= PS2=; echo re''ady\n");
  if (!guest.read_until("ready\n")) return 2;
  guest.type("( " + command + "\n); printf '\\001%d\\002' $?\n");
  const auto output = guest.read_until("\001");
  const auto status = output ? guest.read_until("\002") : output;
  if (!status) {
    std::fputs("run_command: the guest has switched itself off\n", stderr);
    return 2;
  }
  std::fwrite(output->data(), 1, output->size(), stdout);
  return std::atoi(status->c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: run_command COMMAND\n", stderr);
    return 2;
  }
  return run(argv[1]);
}
