// The 256 words of IDENTIFY DEVICE (ATA/ATAPI-4, 8.12).
#pragma once

#include <array>
#include <cstdint>

#include "devices/ata_drive.hpp"

namespace tuxarium::devices {

/// What the words depend on.
struct AtaIdentifyFacts {
  std::uint32_t capacity = 0;                                        ///< sectors, at most 2^28 - 1
  std::uint32_t current_heads = 16, current_sectors_per_track = 63;  ///< of the translation in use
  std::uint8_t max_multiple = 0;                                     ///< most sectors in a block of READ/WRITE MULTIPLE
  std::uint8_t multiple = 0;                                         ///< in use; 0: disabled
  bool write_cache = false, look_ahead = true;                       ///< enabled now
};

std::array<std::uint16_t, 256> ata_identify_words(const DriveIdentity& identity, const AtaIdentifyFacts& facts);

}  // namespace tuxarium::devices
