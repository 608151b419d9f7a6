#include "net/user_network_signal.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace tuxarium::net {

WakeSignal::WakeSignal() {
  if (::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC) != 0) ends_ = {-1, -1};
}

WakeSignal::~WakeSignal() {
  for (const int end : ends_) {
    if (end >= 0) ::close(end);
  }
}

// A full pipe is a signal that has been set already.
void WakeSignal::set() {
  constexpr char kByte = 0;
  [[maybe_unused]] const auto written = ::write(ends_[1], &kByte, 1);
}

void WakeSignal::clear() {
  std::array<char, 64> bytes;
  while (::read(ends_[0], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) {
  }
}

}  // namespace tuxarium::net
