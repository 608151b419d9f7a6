// What the kernel counts for network devices (Documentation/filesystems/proc.rst, /proc/net/dev).
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>

namespace tuxarium::bridge {

/// Frames that each network device dropped on the way out, by its name. For a TAP device: those for which there was no room because nobody
/// had read the ones before.
using DeviceDrops = std::map<std::string, std::uint64_t, std::less<>>;

/// Of all devices of this process's network namespace; about a millisecond for some hundreds. Empty when there is no /proc.
DeviceDrops read_device_drops();

/// From the text of /proc/net/dev; lines that are something else are left out.
DeviceDrops parse_device_drops(std::istream& text);

}  // namespace tuxarium::bridge
