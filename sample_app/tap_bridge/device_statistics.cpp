#include "device_statistics.hpp"

#include <fstream>
#include <sstream>

namespace tuxarium::bridge {
namespace {

constexpr const char* kStatistics = "/proc/self/net/dev";
constexpr int kColumnsBefore = 11;  // eight of reception, then bytes, packets and errors

}  // namespace

DeviceDrops read_device_drops() {
  std::ifstream file{kStatistics};
  return parse_device_drops(file);
}

DeviceDrops parse_device_drops(std::istream& text) {
  DeviceDrops drops;
  for (std::string line; std::getline(text, line);) {
    const std::size_t colon = line.rfind(':');
    const std::size_t name = line.find_first_not_of(' ');
    if (colon == std::string::npos || name >= colon) continue;
    std::istringstream columns{line.substr(colon + 1)};
    std::uint64_t value = 0;
    for (int i = 0; i <= kColumnsBefore; ++i) columns >> value;
    if (columns) drops[line.substr(name, colon - name)] = value;
  }
  return drops;
}

}  // namespace tuxarium::bridge
