#include "bus/port_device.hpp"

namespace tuxarium::bus {

void PortDevice::io_read_block(std::uint16_t offset, unsigned width, std::span<std::byte> data) {
  for (std::size_t i = 0; i + width <= data.size(); i += width) {
    std::uint32_t value = io_read(offset, width);
    for (unsigned b = 0; b < width; ++b, value >>= 8) data[i + b] = static_cast<std::byte>(value & 0xff);
  }
}

void PortDevice::io_write_block(std::uint16_t offset, unsigned width, std::span<const std::byte> data) {
  for (std::size_t i = 0; i + width <= data.size(); i += width) {
    std::uint32_t value = 0;
    for (unsigned b = 0; b < width; ++b) value |= std::to_integer<std::uint32_t>(data[i + b]) << (8 * b);
    io_write(offset, width, value);
  }
}

}  // namespace tuxarium::bus
