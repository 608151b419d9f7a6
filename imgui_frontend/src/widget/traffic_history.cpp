#include "traffic_history.hpp"

#include <algorithm>
#include <cassert>

namespace tuxarium::imgui {

void TrafficHistory::observe(const Totals& totals, Clock::time_point now) {
  if (taken_ == Clock::time_point{}) {
    taken_ = now;
    totals_ = totals;
    return;
  }
  const auto elapsed = now - taken_;
  assert(due(now));
  // A host that did not call for a while gets the mean of that time in each of the places.
  const auto places = std::min<std::size_t>(kSamples, static_cast<std::size_t>(elapsed / kInterval));
  const double seconds = std::chrono::duration<double>(elapsed).count();
  for (std::size_t place = 0; place < places; ++place) {
    for (std::size_t i = 0; i < kSeries; ++i) {
      rates_[i][next_] = static_cast<float>(static_cast<double>(totals[i] - std::min(totals[i], totals_[i])) / seconds);
    }
    next_ = (next_ + 1) % kSamples;
  }
  totals_ = totals;
  taken_ = now;
}

float TrafficHistory::highest(Series series) const { return *std::max_element(rates_[series].begin(), rates_[series].end()); }

}  // namespace tuxarium::imgui
