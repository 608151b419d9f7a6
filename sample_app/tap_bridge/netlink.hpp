// Network devices, by rtnetlink (rtnetlink(7)) with libnl.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tuxarium/result.hpp>

#include "ethernet.hpp"

struct nl_sock;

namespace tuxarium::bridge {

/// Requests to the kernel, each waits for its answer. All need CAP_NET_ADMIN over the network namespace that the object was made in, except
/// find(). One thread at a time.
class Netlink {
 public:
  struct Link {
    int index = 0;
    std::string name, kind, alias;
    MacAddress address;
    int master = 0;
  };
  struct BridgeSpec {
    std::string name, alias;
    MacAddress address;
    bool stp = false;
    unsigned mtu = 1500;
  };
  struct VxlanSpec {
    std::string name, alias, local, remote;
    std::uint32_t id = 0;
    std::uint16_t port = 4789;
  };

  static Result<Netlink> open();
  Netlink(Netlink&&) noexcept;
  Netlink& operator=(Netlink&&) noexcept;
  ~Netlink();

  Result<std::optional<Link>> find(const std::string& name);
  Result<std::vector<Link>> all();

  /// Makes a bridge that is down and returns its index.
  Result<int> add_bridge(const BridgeSpec& spec);
  Result<int> add_vxlan(const VxlanSpec& spec);
  /// "10.0.2.1/24"
  Result<void> add_address(int index, const std::string& address);
  Result<void> set_up(int index);
  Result<void> remove(int index);

  /// Prepares a device for a guest's frames: MTU, queue length, no IPv6 of the host's own on it.
  Result<void> prepare_port(int index, unsigned mtu, unsigned queue_frames);
  Result<void> attach(int index, int bridge_index);
  /// An isolated port exchanges frames only with ports that are not.
  Result<void> isolate(int index);

 private:
  class Message;
  explicit Netlink(nl_sock* socket);
  Result<void> send(Message& message, const std::string& what);
  Result<int> index_of(const std::string& name);

  struct Close {
    void operator()(nl_sock* socket) const;
  };
  std::unique_ptr<nl_sock, Close> socket_;
};

}  // namespace tuxarium::bridge
