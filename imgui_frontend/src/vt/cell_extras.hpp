// What few cells have: a link (OSC 8) or a colour of the underline of its own. Cells keep an index into this table.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "screen_buffer.hpp"

namespace tuxarium::vt {

struct CellExtra {
  std::string link;     ///< URI; empty: none
  std::string link_id;  ///< cells with the same link and identifier belong together
  Color underline;      ///< standard: that of the text
  friend bool operator==(const CellExtra&, const CellExtra&) = default;
};

class CellExtras {
 public:
  static constexpr std::size_t kMaxEntries = 4096;  ///< when all are in use, new cells go without
  static constexpr std::size_t kMaxLink = 2048;     ///< bytes; a longer link is none
  static constexpr std::size_t kMaxId = 256;        ///< bytes; a longer identifier is none

  CellExtras() { entries_.emplace_back(); }

  /// `index` below kMaxEntries; 0 is an empty one.
  const CellExtra& operator[](std::uint16_t index) const { return entries_[index < entries_.size() ? index : 0]; }

  /// The index of an equal entry, a new one, or 0 when the table is full.
  std::uint16_t find_or_add(const CellExtra& extra) {
    if (extra == CellExtra{}) return 0;
    const std::string key = extra.link + '\0' + extra.link_id + '\0' + std::to_string(extra.underline.packed());
    if (const auto known = index_.find(key); known != index_.end()) return known->second;
    std::uint16_t at = 0;
    if (!free_.empty()) {
      at = free_.back();
      free_.pop_back();
      entries_[at] = extra;
    } else if (entries_.size() < kMaxEntries) {
      at = static_cast<std::uint16_t>(entries_.size());
      entries_.push_back(extra);
    } else {
      return 0;
    }
    index_.emplace(key, at);
    return at;
  }

  bool full() const { return free_.empty() && entries_.size() == kMaxEntries; }

  /// Entries that no cell uses become free.
  void keep(const std::vector<bool>& used) {
    for (auto it = index_.begin(); it != index_.end();) {
      if (used[it->second]) {
        ++it;
      } else {
        entries_[it->second] = {};
        free_.push_back(it->second);
        it = index_.erase(it);
      }
    }
  }

 private:
  std::vector<CellExtra> entries_;  // at most kMaxEntries
  std::vector<std::uint16_t> free_;
  std::map<std::string, std::uint16_t, std::less<>> index_;
};

}  // namespace tuxarium::vt
