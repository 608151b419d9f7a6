// What of a network link's state is worth telling a person.
#pragma once

#include <optional>
#include <string>

#include <tuxarium/network_link.hpp>

namespace tuxarium::app {

/// Tells each reason for being down once, and that the link is up again after it.
class NetworkNews {
 public:
  /// To be asked now and then; a sentence, or nothing new.
  std::optional<std::string> of(const LinkStatus& status) {
    if (status.state == LinkState::up) {
      if (told_.empty()) return std::nullopt;
      told_.clear();
      return "the network is up again";
    }
    if (status.state != LinkState::down || status.last_error.empty() || status.last_error == told_) return std::nullopt;
    told_ = status.last_error;
    return "no network: " + told_;
  }

 private:
  std::string told_;
};

}  // namespace tuxarium::app
