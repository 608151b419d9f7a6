// What benchmarks do with a row of measured values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench {

/// The value below which `part` (0 to 1) of all lie; 0 when there are none.
inline double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

inline double median(const std::vector<double>& values) { return quantile(values, .5); }

}  // namespace bench
