#include "netlink.hpp"

#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>

#include <cstring>

#include "headless/sentences.hpp"

namespace tuxarium::bridge {
namespace {

Error netlink_error(const std::string& what, int code) { return app::io_error("cannot " + what + ": " + ::nl_geterror(code)); }

struct PutLink {
  void operator()(rtnl_link* link) const { ::rtnl_link_put(link); }
};
using OwnedLink = std::unique_ptr<rtnl_link, PutLink>;

struct PutAddress {
  void operator()(nl_addr* address) const { ::nl_addr_put(address); }
};
using OwnedAddress = std::unique_ptr<nl_addr, PutAddress>;

Netlink::Link link_of(rtnl_link* from) {
  const auto text = [](const char* value) { return value == nullptr ? std::string{} : std::string{value}; };
  Netlink::Link link;
  link.index = ::rtnl_link_get_ifindex(from);
  link.name = text(::rtnl_link_get_name(from));
  link.kind = text(::rtnl_link_get_type(from));
  link.alias = text(::rtnl_link_get_ifalias(from));
  link.master = ::rtnl_link_get_master(from);
  nl_addr* const address = ::rtnl_link_get_addr(from);
  if (address != nullptr && ::nl_addr_get_len(address) == link.address.octets.size())
    std::memcpy(link.address.octets.data(), ::nl_addr_get_binary_addr(address), link.address.octets.size());
  return link;
}

}  // namespace

/// A request about one device, with nested attributes.
class Netlink::Message {
 public:
  Message(int type, int flags, int index, unsigned change_flags = 0) : message_{::nlmsg_alloc_simple(type, flags)} {
    ifinfomsg header{};
    header.ifi_family = AF_UNSPEC;
    header.ifi_index = index;
    header.ifi_flags = header.ifi_change = change_flags;
    ::nlmsg_append(message_, &header, sizeof header, NLMSG_ALIGNTO);
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() {
    if (message_ != nullptr) ::nlmsg_free(message_);
  }

  void text(int type, const std::string& value) { ::nla_put_string(message_, type, value.c_str()); }
  void u8(int type, std::uint8_t value) { ::nla_put_u8(message_, type, value); }
  void u16(int type, std::uint16_t value) { ::nla_put_u16(message_, type, value); }
  void u32(int type, std::uint32_t value) { ::nla_put_u32(message_, type, value); }
  void bytes(int type, const void* data, std::size_t size) { ::nla_put(message_, type, static_cast<int>(size), data); }

  template <class Fill>
  void nest(int type, Fill&& fill) {
    nlattr* const start = ::nla_nest_start(message_, type);
    fill();
    ::nla_nest_end(message_, start);
  }

  nl_msg* release() { return std::exchange(message_, nullptr); }

 private:
  nl_msg* message_;
};

void Netlink::Close::operator()(nl_sock* socket) const { ::nl_socket_free(socket); }
Netlink::Netlink(nl_sock* socket) : socket_{socket} {}
Netlink::Netlink(Netlink&&) noexcept = default;
Netlink& Netlink::operator=(Netlink&&) noexcept = default;
Netlink::~Netlink() = default;

Result<Netlink> Netlink::open() {
  Netlink netlink{::nl_socket_alloc()};
  if (netlink.socket_ == nullptr) return app::io_error("cannot open a netlink socket: no memory");
  const int code = ::nl_connect(netlink.socket_.get(), NETLINK_ROUTE);
  if (code < 0) return netlink_error("open a netlink socket", code);
  return netlink;
}

Result<void> Netlink::send(Message& message, const std::string& what) {
  const int code = ::nl_send_sync(socket_.get(), message.release());
  if (code < 0) return netlink_error(what, code);
  return {};
}

Result<std::optional<Netlink::Link>> Netlink::find(const std::string& name) {
  rtnl_link* found = nullptr;
  const int code = ::rtnl_link_get_kernel(socket_.get(), 0, name.c_str(), &found);
  const OwnedLink owned{found};
  if (code == -NLE_NODEV || code == -NLE_OBJ_NOTFOUND) return std::optional<Link>{};
  if (code < 0) return netlink_error("look for the device " + name, code);
  return std::optional<Link>{link_of(found)};
}

Result<std::vector<Netlink::Link>> Netlink::all() {
  nl_cache* cache = nullptr;
  const int code = ::rtnl_link_alloc_cache(socket_.get(), AF_UNSPEC, &cache);
  if (code < 0) return netlink_error("list the network devices", code);
  std::vector<Link> links;
  for (nl_object* object = ::nl_cache_get_first(cache); object != nullptr; object = ::nl_cache_get_next(object))
    links.push_back(link_of(reinterpret_cast<rtnl_link*>(object)));
  ::nl_cache_free(cache);
  return links;
}

Result<int> Netlink::index_of(const std::string& name) {
  const auto found = find(name);
  if (!found) return found.error();
  if (!*found) return app::io_error("the device " + name + " has gone");
  return (**found).index;
}

Result<int> Netlink::add_bridge(const BridgeSpec& spec) {
  Message message{RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0};
  message.text(IFLA_IFNAME, spec.name);
  message.bytes(IFLA_ADDRESS, spec.address.octets.data(), spec.address.octets.size());
  message.u32(IFLA_MTU, spec.mtu);
  message.nest(IFLA_LINKINFO, [&] {
    message.text(IFLA_INFO_KIND, "bridge");
    message.nest(IFLA_INFO_DATA, [&] {
      message.u32(IFLA_BR_STP_STATE, spec.stp ? 1 : 0);
      message.u32(IFLA_BR_FORWARD_DELAY, 200);  // hundredths of a second; the shortest that spanning tree allows
    });
  });
  if (const auto made = send(message, "make the bridge " + spec.name); !made) return made.error();
  const auto index = index_of(spec.name);
  if (!index) return index;
  Message alias{RTM_NEWLINK, 0, *index};
  alias.text(IFLA_IFALIAS, spec.alias);
  if (const auto named = send(alias, "name the maker of the bridge " + spec.name); !named) return named.error();
  return index;
}

Result<int> Netlink::add_vxlan(const VxlanSpec& spec) {
  const std::string what = "make the VXLAN device " + spec.name;
  const auto parse = [&](const std::string& text) -> OwnedAddress {
    nl_addr* address = nullptr;
    return OwnedAddress{::nl_addr_parse(text.c_str(), AF_UNSPEC, &address) < 0 ? nullptr : address};
  };
  const OwnedAddress local = parse(spec.local), remote = parse(spec.remote);
  if (!local || !remote || ::nl_addr_get_family(local.get()) != ::nl_addr_get_family(remote.get()))
    return app::usage_error("cannot " + what + ": " + app::in_quotes(spec.local) + " and " + app::in_quotes(spec.remote) +
                            " are not two IPv4 or two IPv6 addresses");
  const bool v4 = ::nl_addr_get_family(local.get()) == AF_INET;
  Message message{RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0};
  message.text(IFLA_IFNAME, spec.name);
  message.nest(IFLA_LINKINFO, [&] {
    message.text(IFLA_INFO_KIND, "vxlan");
    message.nest(IFLA_INFO_DATA, [&] {
      const auto put = [&](int type, const OwnedAddress& address) {
        message.bytes(type, ::nl_addr_get_binary_addr(address.get()), ::nl_addr_get_len(address.get()));
      };
      message.u32(IFLA_VXLAN_ID, spec.id);
      put(v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, local);
      put(v4 ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6, remote);
      message.u8(IFLA_VXLAN_LEARNING, 1);
      const std::uint16_t port = static_cast<std::uint16_t>(spec.port << 8 | spec.port >> 8);  // in network order
      message.u16(IFLA_VXLAN_PORT, port);
    });
  });
  if (const auto made = send(message, what); !made) return made.error();
  const auto index = index_of(spec.name);
  if (!index) return index;
  Message alias{RTM_NEWLINK, 0, *index};
  alias.text(IFLA_IFALIAS, spec.alias);
  if (const auto named = send(alias, "name the maker of " + spec.name); !named) return named.error();
  return index;
}

Result<void> Netlink::add_address(int index, const std::string& address) {
  nl_addr* parsed = nullptr;
  if (::nl_addr_parse(address.c_str(), AF_UNSPEC, &parsed) < 0) return app::usage_error(app::in_quotes(address) + " is no address such as 10.0.2.1/24");
  const OwnedAddress local{parsed};
  rtnl_addr* const entry = ::rtnl_addr_alloc();
  ::rtnl_addr_set_ifindex(entry, index);
  ::rtnl_addr_set_local(entry, local.get());
  const int code = ::rtnl_addr_add(socket_.get(), entry, 0);
  ::rtnl_addr_put(entry);
  if (code < 0 && code != -NLE_EXIST) return netlink_error("give the bridge the address " + address, code);
  return {};
}

Result<void> Netlink::set_up(int index) {
  Message message{RTM_NEWLINK, 0, index, IFF_UP};
  return send(message, "start device " + std::to_string(index));
}

Result<void> Netlink::remove(int index) {
  Message message{RTM_DELLINK, 0, index};
  return send(message, "remove device " + std::to_string(index));
}

Result<void> Netlink::prepare_port(int index, unsigned mtu, unsigned queue_frames) {
  Message message{RTM_NEWLINK, 0, index};
  message.u32(IFLA_MTU, mtu);
  message.u32(IFLA_TXQLEN, queue_frames);
  const auto prepared = send(message, "prepare device " + std::to_string(index));
  if (!prepared) return prepared;
  Message quiet{RTM_NEWLINK, 0, index};
  quiet.nest(IFLA_AF_SPEC, [&] { quiet.nest(AF_INET6, [&] { quiet.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE); }); });
  (void)send(quiet, {});  // fails where the kernel has no IPv6, and then there is nothing to keep quiet
  return {};
}

Result<void> Netlink::attach(int index, int bridge_index) {
  Message message{RTM_NEWLINK, 0, index};
  message.u32(IFLA_MASTER, static_cast<std::uint32_t>(bridge_index));
  return send(message, "attach device " + std::to_string(index) + " to the bridge");
}

Result<void> Netlink::isolate(int index) {
  Message message{RTM_NEWLINK, 0, index};
  message.nest(IFLA_LINKINFO, [&] {
    message.text(IFLA_INFO_SLAVE_KIND, "bridge");
    message.nest(IFLA_INFO_SLAVE_DATA, [&] { message.u8(IFLA_BRPORT_ISOLATED, 1); });
  });
  return send(message, "isolate device " + std::to_string(index));
}

}  // namespace tuxarium::bridge
