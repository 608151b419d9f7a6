// Hands an address to the desktop.
#pragma once

#include <string>

#include <tuxarium/result.hpp>

namespace tuxarium::viewer {

/// Starts `xdg-open ADDRESS` without a shell, and does not wait for it. Takes addresses of http, https, ftp and mailto alone.
Result<void> open_link(const std::string& address);

}  // namespace tuxarium::viewer
