// What the status line says of a network link.
#pragma once

#include <string>

#include <tuxarium/network_link.hpp>

namespace tuxarium::imgui {

/// A number of bytes for people: "9999 B", "12 KiB", "3.4 MiB".
std::string byte_count(std::uint64_t bytes);

/// One line: the traffic of a link that is up, or why it is not.
std::string network_line(const LinkStatus& status);

/// Everything, on several lines.
std::string network_details(const LinkStatus& status);

}  // namespace tuxarium::imgui
