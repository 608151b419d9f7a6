// A read-only disk in memory that several machines share.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <tuxarium/block_device.hpp>
#include <tuxarium/result.hpp>

namespace tuxarium::disk {

/// A read-only disk whose content is `image`. The size must be a multiple of 512 and not 0; null counts as 0.
Result<std::unique_ptr<BlockDevice>> make_shared_disk(std::shared_ptr<const std::vector<std::byte>> image);

}  // namespace tuxarium::disk
