// Which client has which MAC address.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "ethernet.hpp"

namespace tuxarium::bridge {

using ClientId = std::uint64_t;

/// Every address has one holder at a time. No client can hold an address that is reserved (the bridge's own). A client holds one address at a
/// time, so the table is bounded by the number of clients.
class AddressTable {
 public:
  void reserve(const MacAddress& address) { reserved_.push_back(address); }

  bool is_reserved(const MacAddress& address) const {
    for (const MacAddress& reserved : reserved_)
      if (reserved == address) return true;
    return false;
  }

  /// The holder of `address`; 0 when there is none.
  ClientId holder(const MacAddress& address) const {
    const auto found = holders_.find(address);
    return found == holders_.end() ? 0 : found->second;
  }

  /// Only for an address that nobody holds and that is not reserved.
  void hold(const MacAddress& address, ClientId client) { holders_.emplace(address, client); }
  void release(const MacAddress& address) { holders_.erase(address); }

 private:
  std::vector<MacAddress> reserved_;
  std::unordered_map<MacAddress, ClientId, MacHash> holders_;
};

}  // namespace tuxarium::bridge
