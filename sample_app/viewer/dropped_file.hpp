// What a file or folder that the user dropped on the window could be for a machine.
#pragma once

#include <filesystem>

#include <tuxarium/result.hpp>

namespace tuxarium::viewer {

struct DroppedFile {
  enum class Kind {
    jslinux,    ///< a folder with a JSLinux: a whole machine
    rom,        ///< a whole machine
    kernel,     ///< of Linux
    multiboot,  ///< another kernel
    initrd,     ///< a RAM disk: a cpio archive, also compressed
    pieces,     ///< a folder with the pieces of a disk
    image       ///< a raw disk
  };
  Kind kind = Kind::image;
  std::filesystem::path path;
};

/// By its content, not by its name; fails with a sentence when it is nothing of that. Reads little of it.
Result<DroppedFile> recognize(const std::filesystem::path& path);

}  // namespace tuxarium::viewer
