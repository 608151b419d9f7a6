// The Linux that comes with the library: a kernel and a small disk inside the program.
#pragma once

#include <string>
#include <string_view>

#include <tuxarium/boot.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium {

/// The kernel's command line when none is given: console and root file system as the guest has them. `rows=` and `cols=` behind it tell
/// the guest how large its window is.
inline constexpr std::string_view kDefaultGuestCommandLine = "console=ttyS0 root=/dev/sda rootfstype=ext2 rw tsc=reliable board=tuxarium quiet";

/// Kernel and disk of the default guest, unpacked (about 30 MB, some tens of milliseconds). The guest's writes stay in the machine's
/// memory and end with the machine; a copy of the result shares the disk. An empty `command_line` is replaced by
/// kDefaultGuestCommandLine. Fails with bad_image when the program's copy is damaged (it is checked), or with io without memory.
Result<BootSource> load_default_guest(std::string command_line = {});

/// load_default_guest() for `Machine::create({.boot = default_guest()})`: when that fails the source is empty, and create() says so.
BootSource default_guest();

}  // namespace tuxarium
