// TAP devices (Documentation/networking/tuntap.rst of the kernel), one a client.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "asio.hpp"
#include "descriptor.hpp"
#include "port.hpp"

namespace tuxarium::bridge {

/// Puts a device on a bridge and takes it off. Called on the worker thread only; may take a while.
class Attacher {
 public:
  virtual ~Attacher() = default;
  virtual Result<void> attach(const std::string& device) = 0;
  /// Before the device goes; devices leave a Linux bridge by themselves.
  virtual void detach(const std::string& device) = 0;
};

/// Makes TAP devices named websockettunt0, 1, ... 99, then websockettun0, ... 999, then wstun0, ...: a device's name has 15 characters at most. They
/// are not persistent: the kernel removes each with its descriptor, also when this program
/// dies. Making and removing a device takes the kernel milliseconds, so that happens on a worker thread, which is the only one besides io's.
class TapPorts final : public PortFactory {
 public:
  static constexpr std::array kNamePatterns{"websockettunt%d", "websockettun%d", "wstun%d"};
  static constexpr std::array kNameStarts{"websockettun", "wstun"};

  /// `io` must outlive the ports; the ports must not outlive this. Starts the thread: privileges must have been dropped by now.
  TapPorts(asio::io_context& io, std::unique_ptr<Attacher> attacher);
  /// Waits until every device that was given back is gone.
  ~TapPorts() override;

  void open(Done done) override;
  DeviceDrops dropped() const override { return read_device_drops(); }

 private:
  struct Worker;
  asio::io_context* io_;
  std::shared_ptr<Worker> worker_;
};

/// A new TAP device, up to now on no bridge.
struct OpenTap {
  Descriptor descriptor;
  std::string name;
};
/// One with the next free name.
Result<OpenTap> open_tap();

/// Removes a persistent TAP device that no process holds; false when one does, or when it is something else.
bool remove_stale_tap(const std::string& name);

}  // namespace tuxarium::bridge
