// A frame as it stands in a stream.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "wire/frame_stream.hpp"

namespace tuxarium::test {

/// The length field and the frame.
inline std::vector<std::byte> record_of(const std::vector<std::byte>& frame) {
  const auto length = wire::length_field(frame.size());
  std::vector<std::byte> record(length.size() + frame.size());
  std::copy(length.begin(), length.end(), record.begin());
  std::copy(frame.begin(), frame.end(), record.begin() + static_cast<std::ptrdiff_t>(length.size()));
  return record;
}

}  // namespace tuxarium::test
