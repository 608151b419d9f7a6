#include "gate.hpp"

namespace tuxarium::bridge {

std::optional<Drop> Gate::check(Bytes frame, Clock::time_point now) {
  if (frame.size() < kEthernetHeader || frame.size() > rules_.max_frame) return Drop::malformed;
  const MacAddress destination = destination_of(frame);
  if (destination.is_link_local()) return Drop::link_local;
  if (const auto wrong = check_source(source_of(frame), now)) return wrong;
  if (destination.is_group() && !storm_.take(1, now)) return Drop::storm;
  return std::nullopt;
}

std::optional<Drop> Gate::check_source(const MacAddress& source, Clock::time_point now) {
  if (address_ && *address_ == source) {
    heard_at_ = now;
    return std::nullopt;
  }
  if (source.is_group() || source.is_zero()) return Drop::spoofed;
  if (table_->is_reserved(source)) return Drop::taken;
  if (!rules_.lock_mac) return std::nullopt;
  if (address_ && now - heard_at_ < kChangeAfter) return Drop::spoofed;
  if (const ClientId holder = table_->holder(source); holder != 0) {
    if (contest_) contest_(holder);
    return Drop::taken;
  }
  if (address_) table_->release(*address_);
  table_->hold(source, client_);
  address_ = source;
  heard_at_ = now;
  return std::nullopt;
}

}  // namespace tuxarium::bridge
