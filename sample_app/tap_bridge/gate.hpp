// Which frames of a client may enter the network.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "address_table.hpp"
#include "counters.hpp"
#include "rate_limit.hpp"

namespace tuxarium::bridge {

struct GateRules {
  std::size_t max_frame = 1518;  ///< bytes, header and VLAN tag included
  bool lock_mac = true;          ///< one source address a client
  double storm_rate = 100;       ///< broadcast and multicast frames a second; 0: no limit
  double storm_burst = 200;
};

/// Looks at every frame of one client.
///
/// A client's address is the source of its first frame. It may take another one when the one it has was silent for kChangeAfter (a guest's
/// network program makes a new address each time it starts). An address that another client holds is refused, and `contest` is told who
/// holds it, so that a holder who has gone without a word can be found out.
class Gate {
 public:
  static constexpr std::chrono::seconds kChangeAfter{3};
  using Contest = std::function<void(ClientId holder)>;

  /// `table` must outlive the gate.
  Gate(const GateRules& rules, AddressTable& table, ClientId client, Clock::time_point now)
      : rules_{rules}, table_{&table}, client_{client}, storm_{rules.storm_rate, rules.storm_burst, now} {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() {
    if (address_) table_->release(*address_);
  }

  void on_contest(Contest contest) { contest_ = std::move(contest); }

  /// Why the frame may not enter, or nothing.
  std::optional<Drop> check(Bytes frame, Clock::time_point now);

  /// The client's address, once it has shown one.
  const std::optional<MacAddress>& address() const { return address_; }

 private:
  std::optional<Drop> check_source(const MacAddress& source, Clock::time_point now);

  GateRules rules_;
  AddressTable* table_;
  ClientId client_;
  TokenBucket storm_;
  std::optional<MacAddress> address_;
  Clock::time_point heard_at_{};
  Contest contest_;
};

}  // namespace tuxarium::bridge
