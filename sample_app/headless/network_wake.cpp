#include "network_wake.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace tuxarium::app {

NetworkWake::NetworkWake(std::shared_ptr<NetworkLink> link) : link_{std::move(link)} {
  if (link_ == nullptr) return;
  if (::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    ends_ = {-1, -1};
    return;
  }
  link_->on_receivable([end = ends_[1]] { (void)!::write(end, "", 1); });
}

NetworkWake::~NetworkWake() {
  if (ends_[0] < 0) return;
  link_->on_receivable({});
  for (const int end : ends_) ::close(end);
}

void NetworkWake::clear() {
  std::array<char, 64> bytes;
  while (ends_[0] >= 0 && ::read(ends_[0], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) {
  }
}

}  // namespace tuxarium::app
