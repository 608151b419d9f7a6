// Where a client's frames enter the network: a TAP device, or in tests something that only looks like one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <tuxarium/result.hpp>

#include "device_statistics.hpp"
#include "ethernet.hpp"

namespace tuxarium::bridge {

/// Gets what comes out of a port.
class PortSink {
 public:
  /// The frame that was asked for. `frame` stays as it is until the next request_frame().
  virtual void port_frame(Bytes frame) = 0;
  /// The port will give and take nothing any more.
  virtual void port_failed(const std::string& why) = 0;

 protected:
  ~PortSink() = default;
};

/// One client's place on the network. It queues nothing itself: what nobody asks for waits in the network device, whose queue is bounded
/// and drops there. Used on one thread; destroying the port takes it off the network.
class Port {
 public:
  virtual ~Port() = default;

  virtual const std::string& name() const = 0;
  /// Where frames go that request_frame() asks for; the sink must outlive the port.
  virtual void attach(PortSink& sink) = 0;
  /// Hands over one frame, later, from the event loop. At most one request at a time.
  virtual void request_frame() = 0;
  /// Puts a frame on the network; false when it was dropped there.
  virtual bool send(Bytes frame) = 0;
  /// Frames that were dropped because nobody had asked for the ones before. Not for every frame: it takes the system a moment.
  virtual std::uint64_t dropped() const = 0;
};

class PortFactory {
 public:
  using Done = std::function<void(Result<std::unique_ptr<Port>>)>;
  virtual ~PortFactory() = default;

  /// Makes a port; `done` is called once, later, from the event loop.
  virtual void open(Done done) = 0;
  /// Port::dropped() of all ports, by their names.
  virtual DeviceDrops dropped() const = 0;
};

}  // namespace tuxarium::bridge
