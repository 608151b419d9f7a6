#include "devices/post_port.hpp"

namespace tuxarium::devices {

std::uint32_t PostPort::io_read(std::uint16_t, unsigned) { return state_.code; }

void PostPort::io_write(std::uint16_t, unsigned, std::uint32_t value) { state_.code = static_cast<std::uint8_t>(value); }

}  // namespace tuxarium::devices
