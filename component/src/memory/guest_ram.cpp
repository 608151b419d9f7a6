#include "memory/guest_ram.hpp"

namespace tuxarium::memory {

void GuestRam::clear() {
  // calloc takes zero pages from the host: RAM that the guest never touches costs nothing.
  bytes_.reset();
  bytes_.reset(static_cast<std::byte*>(std::calloc(size_, 1)));
  lines_.reset();
  lines_.reset(static_cast<std::uint64_t*>(std::calloc(size_ / kPageSize, sizeof(std::uint64_t))));
}

}  // namespace tuxarium::memory
