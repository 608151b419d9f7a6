// Rights that the bridge gives away once it has started (capabilities(7)).
#pragma once

#include <string>

#include <tuxarium/result.hpp>

namespace tuxarium::bridge {

/// Keeps CAP_NET_ADMIN and gives away every other capability, also for programs that are started later; no program gains any again.
///
/// `user` is who to become when this runs as root; empty: stay. Becoming somebody who may not open /dev/net/tun is an error. Call while there
/// is one thread.
Result<void> drop_privileges(const std::string& user);

/// Whether `user` may open /dev/net/tun.
bool may_open_tun(const std::string& user);

/// As many open files as are allowed at all.
void raise_file_limit();

}  // namespace tuxarium::bridge
