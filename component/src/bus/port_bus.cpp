#include "bus/port_bus.hpp"

#include <utility>

namespace tuxarium::bus {

namespace {
constexpr std::size_t kPorts = 0x10000;
constexpr std::uint32_t all_ones(unsigned width) { return width == 4 ? 0xffffffffu : (1u << (8 * width)) - 1; }
}  // namespace

PortBus::PortBus() : index_(kPorts, 0) {}

bool PortBus::map(PortRange range, PortDevice& device) {
  if (range.count == 0 || range.first + std::size_t{range.count} > kPorts || mappings_.size() == 255) return false;
  for (std::size_t p = range.first; p < std::size_t{range.first} + range.count; ++p) {
    if (index_[p] != 0) return false;
  }
  mappings_.push_back({range, &device});
  for (std::size_t p = range.first; p < std::size_t{range.first} + range.count; ++p) {
    index_[p] = static_cast<std::uint8_t>(mappings_.size());
  }
  return true;
}

const PortBus::Mapping* PortBus::find(std::uint16_t port) const {
  const std::uint8_t number = index_[port];
  return number == 0 ? nullptr : &mappings_[number - 1u];
}

std::uint32_t PortBus::read_unwatched(std::uint16_t port, unsigned width) {
  const Mapping* mapping = find(port);
  if (mapping != nullptr && width <= mapping->range.max_width) {
    return mapping->device->io_read(static_cast<std::uint16_t>(port - mapping->range.first + mapping->range.offset), width);
  }
  if (width == 1) return 0xff;
  std::uint32_t value = 0;
  for (unsigned i = 0; i < width; ++i) value |= read_unwatched(static_cast<std::uint16_t>(port + i), 1) << (8 * i);
  return value;
}

void PortBus::write_unwatched(std::uint16_t port, unsigned width, std::uint32_t value) {
  const Mapping* mapping = find(port);
  if (mapping != nullptr && width <= mapping->range.max_width) {
    mapping->device->io_write(static_cast<std::uint16_t>(port - mapping->range.first + mapping->range.offset), width, value);
    return;
  }
  if (width == 1) return;
  for (unsigned i = 0; i < width; ++i) write_unwatched(static_cast<std::uint16_t>(port + i), 1, (value >> (8 * i)) & 0xff);
}

std::uint32_t PortBus::read(std::uint16_t port, unsigned width) {
  const std::uint32_t value = read_unwatched(port, width) & all_ones(width);
  if (watched(port)) watch_(port, width, false, value);
  return value;
}

void PortBus::write(std::uint16_t port, unsigned width, std::uint32_t value) {
  value &= all_ones(width);
  write_unwatched(port, width, value);
  if (watched(port)) watch_(port, width, true, value);
}

std::size_t PortBus::block(std::uint16_t port, unsigned width) const {
  const Mapping* mapping = find(port);
  if (mapping == nullptr || width > mapping->range.max_width || watched(port)) return 0;
  return mapping->device->io_block(static_cast<std::uint16_t>(port - mapping->range.first + mapping->range.offset), width);
}

void PortBus::read_block(std::uint16_t port, unsigned width, std::span<std::byte> data) {
  const Mapping* mapping = find(port);
  if (mapping != nullptr && width <= mapping->range.max_width && !watched(port)) {
    mapping->device->io_read_block(static_cast<std::uint16_t>(port - mapping->range.first + mapping->range.offset), width, data);
    return;
  }
  for (std::size_t i = 0; i + width <= data.size(); i += width) {
    std::uint32_t value = read(port, width);
    for (unsigned b = 0; b < width; ++b, value >>= 8) data[i + b] = static_cast<std::byte>(value & 0xff);
  }
}

void PortBus::write_block(std::uint16_t port, unsigned width, std::span<const std::byte> data) {
  const Mapping* mapping = find(port);
  if (mapping != nullptr && width <= mapping->range.max_width && !watched(port)) {
    mapping->device->io_write_block(static_cast<std::uint16_t>(port - mapping->range.first + mapping->range.offset), width, data);
    return;
  }
  for (std::size_t i = 0; i + width <= data.size(); i += width) {
    std::uint32_t value = 0;
    for (unsigned b = 0; b < width; ++b) value |= std::to_integer<std::uint32_t>(data[i + b]) << (8 * b);
    write(port, width, value);
  }
}

void PortBus::set_watch(std::uint16_t first, std::uint16_t last, Watch watch) {
  watch_first_ = first;
  watch_last_ = last;
  watch_ = std::move(watch);
}

}  // namespace tuxarium::bus
