// What status line and machine panel say of a network link.
#pragma once

#include <string>

#include <tuxarium/network_link.hpp>

#include "text_line.hpp"

namespace tuxarium::imgui {

/// One line: the traffic of a link that is up, or why it is not.
TextLine network_line(const LinkStatus& status);

/// Everything, on several lines.
std::string network_details(const LinkStatus& status);

}  // namespace tuxarium::imgui
