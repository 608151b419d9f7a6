#include "attachers.hpp"

#include <optional>

#include "child_process.hpp"

namespace tuxarium::bridge {
namespace {

constexpr unsigned kQueueFrames = 256;  // that the kernel keeps for a client which is slow; more are dropped

/// Prepares devices. The socket is opened by the first call, on the thread that uses it.
class PortPreparer {
 public:
  Result<int> prepare(const std::string& device, const NetworkOptions& options) {
    if (!netlink_) {
      auto opened = Netlink::open();
      if (!opened) return opened.error();
      netlink_ = std::move(opened).value();
    }
    const auto found = netlink_->find(device);
    if (!found) return found.error();
    if (!*found) return Error{ErrorCode::not_found, "the device " + device + " has gone"};
    const int index = (**found).index;
    if (const auto prepared = netlink_->prepare_port(index, options.mtu, kQueueFrames); !prepared) return prepared.error();
    return index;
  }
  Netlink& netlink() { return *netlink_; }

 private:
  std::optional<Netlink> netlink_;
};

class LinuxBridge final : public Attacher {
 public:
  explicit LinuxBridge(NetworkOptions options) : options_{std::move(options)} {}

  Result<void> attach(const std::string& device) override {
    const auto index = preparer_.prepare(device, options_);
    if (!index) return index.error();
    Netlink& netlink = preparer_.netlink();
    const auto bridge = netlink.find(options_.bridge);
    if (!bridge) return bridge.error();
    if (!*bridge) return Error{ErrorCode::not_found, "the bridge " + options_.bridge + " has gone"};
    if (const auto attached = netlink.attach(*index, (**bridge).index); !attached) return attached;
    if (options_.isolate)
      if (const auto isolated = netlink.isolate(*index); !isolated) return isolated;
    return netlink.set_up(*index);
  }
  void detach(const std::string&) override {}

 private:
  NetworkOptions options_;
  PortPreparer preparer_;
};

class OpenVswitch final : public Attacher {
 public:
  explicit OpenVswitch(NetworkOptions options) : options_{std::move(options)} {}

  Result<void> attach(const std::string& device) override {
    const auto index = preparer_.prepare(device, options_);
    if (!index) return index.error();
    if (const auto added = run_program({"ovs-vsctl", "--timeout=10", "--may-exist", "add-port", options_.bridge, device}); !added) return added;
    return preparer_.netlink().set_up(*index);
  }
  void detach(const std::string& device) override { (void)run_program({"ovs-vsctl", "--timeout=10", "--if-exists", "del-port", options_.bridge, device}); }

 private:
  NetworkOptions options_;
  PortPreparer preparer_;
};

}  // namespace

std::unique_ptr<Attacher> make_attacher(const NetworkOptions& options) {
  if (options.type == BridgeType::ovs) return std::make_unique<OpenVswitch>(options);
  return std::make_unique<LinuxBridge>(options);
}

}  // namespace tuxarium::bridge
