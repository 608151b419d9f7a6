// A machine's controls and figures: run, pause, step, reset, power, speed; processor, disk and network over time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <tuxarium/http_disk.hpp>
#include <tuxarium/machine.hpp>
#include <tuxarium_imgui/style.hpp>

namespace tuxarium::imgui {

/// What is done with a machine.
enum class RunState : std::uint8_t {
  running,
  idle,    ///< running, but the guest waits
  paused,  ///< by the user or the host
  halted,  ///< the guest has switched itself off
  off,     ///< switched off by the user or the host
};

/// How much of the host a machine may have. A limit of 0 is none.
struct SpeedLimit {
  float mips = 0;             ///< million instructions a second
  float processor_share = 0;  ///< of one core's time; up to 1
};

struct MachinePanelOptions {
  std::shared_ptr<const NetworkLink> network;           ///< the one in Config::network; unset: the traffic of ttyS1 is shown
  std::shared_ptr<const HttpDiskMonitor> hda, hdb;      ///< of drives over HTTP (HttpDiskOptions::monitor), whose loading is shown
};

/// Controls a machine that the host runs through run(), and shows what it does. With a host that calls Machine::run() itself it only shows.
/// The machine must live as long as the panel. Threading: the thread that calls Machine::run(), between two calls.
class MachinePanel {
 public:
  explicit MachinePanel(Machine& machine, MachinePanelOptions options = {});
  ~MachinePanel();
  MachinePanel(MachinePanel&&) noexcept;
  MachinePanel& operator=(MachinePanel&&) noexcept;

  /// Machine::run() as the user wishes: not at all while it is paused or off, and no more than the speed limit allows. Then it says `idle`, with
  /// the time after which it may go on.
  RunResult run(Budget budget);

  RunState state() const;
  void pause();
  /// After pause(). A machine that is off or halted is switched on: reset and started.
  void resume();
  /// Pauses, and runs `instructions` of them with the next run().
  void step(std::uint64_t instructions);
  /// Machine::reset(), and on if it was off.
  void reset();
  /// Takes the machine's power away; the guest is not told.
  void power_off();

  SpeedLimit speed_limit() const;
  void set_speed_limit(SpeedLimit limit);

  /// True from power-on until the guest has written to its console and then rests.
  bool starting() const;

  /// A window with everything in it. With `open`, it has a close button that sets it to false; drawn only while it is true.
  void draw(const char* title, const Style& style, bool* open = nullptr);

  /// The same inside the host's current window.
  void draw_contents(const Style& style);

  /// Looks at the machine's figures without drawing, for a host that hides the panel; draw() does it too.
  void observe();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuxarium::imgui
