// Ends the program's sleep when frames come for an idle guest.
#pragma once

#include <array>
#include <memory>

#include <tuxarium/network_link.hpp>

namespace tuxarium::app {

class NetworkWake {
 public:
  /// `link` may be nullptr: then nothing ever wakes.
  explicit NetworkWake(std::shared_ptr<NetworkLink> link);
  NetworkWake(const NetworkWake&) = delete;
  NetworkWake& operator=(const NetworkWake&) = delete;
  ~NetworkWake();

  /// For poll(): readable once frames have come, until clear(). -1 if there is no link, or the system refused a pipe.
  int descriptor() const { return ends_[0]; }

  void clear();

  const NetworkLink& link() const { return *link_; }

 private:
  std::shared_ptr<NetworkLink> link_;
  std::array<int, 2> ends_{-1, -1};
};

}  // namespace tuxarium::app
