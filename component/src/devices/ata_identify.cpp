#include "devices/ata_identify.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tuxarium::devices {

namespace {

using Words = std::array<std::uint16_t, 256>;

constexpr std::uint32_t kDefaultHeads = 16, kDefaultSectorsPerTrack = 63, kMaxDefaultCylinders = 16383;
constexpr std::uint32_t kBufferSectors = 512;

constexpr std::uint16_t kNop = 1u << 14, kLookAhead = 1u << 6, kWriteCache = 1u << 5, kPowerManagement = 1u << 3;  // words 82, 85
constexpr std::uint16_t kFlushCache = 1u << 12;                                                                    // words 83, 86
constexpr std::uint16_t kValid = 1u << 14;                                                                         // words 83, 84, 87

constexpr std::uint16_t low(std::uint32_t value) { return static_cast<std::uint16_t>(value & 0xffff); }
constexpr std::uint16_t high(std::uint32_t value) { return static_cast<std::uint16_t>(value >> 16); }

/// Two characters a word, the first in the high byte, padded with spaces.
void put_string(Words& words, std::size_t first, std::size_t count, std::string_view text) {
  if (text.empty()) return;
  const auto at = [&](std::size_t i) -> std::uint16_t {
    const char c = i < text.size() ? text[i] : ' ';
    return c >= 0x20 && c < 0x7f ? static_cast<std::uint16_t>(c) : std::uint16_t{'?'};
  };
  for (std::size_t i = 0; i < count; ++i) words[first + i] = static_cast<std::uint16_t>(at(2 * i) << 8 | at(2 * i + 1));
}

void put_geometry(Words& words, const AtaIdentifyFacts& facts) {
  words[1] = low(std::clamp(facts.capacity / (kDefaultHeads * kDefaultSectorsPerTrack), 1u, kMaxDefaultCylinders));
  words[3] = kDefaultHeads;
  words[4] = kDefaultSectorsPerTrack * 512;  // unformatted bytes in a track, of ATA-1
  words[5] = 512;                            // unformatted bytes in a sector, of ATA-1
  words[6] = kDefaultSectorsPerTrack;

  const std::uint32_t track_sectors = facts.current_heads * facts.current_sectors_per_track;
  const bool is_default = facts.current_heads == kDefaultHeads && facts.current_sectors_per_track == kDefaultSectorsPerTrack;
  const std::uint32_t cylinders = std::clamp(facts.capacity / track_sectors, 1u, is_default ? kMaxDefaultCylinders : 65535u);
  const std::uint32_t chs_capacity = std::min(cylinders * track_sectors, facts.capacity);
  words[54] = low(cylinders);
  words[55] = low(facts.current_heads);
  words[56] = low(facts.current_sectors_per_track);
  words[57] = low(chs_capacity);
  words[58] = high(chs_capacity);
  words[60] = low(facts.capacity);
  words[61] = high(facts.capacity);
}

void put_transfer(Words& words, const AtaIdentifyFacts& facts) {
  words[47] = static_cast<std::uint16_t>(0x8000 | facts.max_multiple);
  words[48] = 1;                // 32-bit data port
  words[49] = 0x0200 | 0x0800;  // LBA, IORDY
  words[50] = 0x4000;
  words[51] = 0x0200;  // PIO mode 2 without flow control
  words[52] = 0x0200;
  words[53] = 0x0003;  // words 54-58 and 64-70 are valid
  words[59] = facts.multiple != 0 ? static_cast<std::uint16_t>(0x0100 | facts.multiple) : std::uint16_t{0};
  words[64] = 0x0003;  // PIO modes 3 and 4
  words[67] = 120;     // PIO cycle time in ns, without and with IORDY
  words[68] = 120;
}

void put_command_sets(Words& words, const DriveIdentity& identity, const AtaIdentifyFacts& facts) {
  words[80] = 0x001e;  // ATA-1 to ATA/ATAPI-4
  words[82] = kNop | kLookAhead | kPowerManagement;
  words[83] = kValid;
  words[84] = kValid;
  words[85] = static_cast<std::uint16_t>(kNop | kPowerManagement | (facts.look_ahead ? kLookAhead : 0));
  words[86] = 0;
  words[87] = kValid;
  if (!identity.announce_write_cache) return;
  words[82] |= kWriteCache;
  words[83] |= kFlushCache;
  if (facts.write_cache) words[85] |= kWriteCache;
  words[86] |= kFlushCache;
}

}  // namespace

std::array<std::uint16_t, 256> ata_identify_words(const DriveIdentity& identity, const AtaIdentifyFacts& facts) {
  Words words{};
  words[0] = 0x0040;  // fixed disk
  put_string(words, 10, 10, identity.serial);
  words[20] = 3;  // dual-ported buffer with a read cache, of ATA-1
  words[21] = kBufferSectors;
  words[22] = 4;  // vendor bytes of READ/WRITE LONG
  put_string(words, 23, 4, identity.firmware);
  put_string(words, 27, 20, identity.model);
  put_geometry(words, facts);
  put_transfer(words, facts);
  put_command_sets(words, identity, facts);
  return words;
}

}  // namespace tuxarium::devices
