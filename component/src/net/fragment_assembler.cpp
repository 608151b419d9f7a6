#include "net/fragment_assembler.hpp"

#include <algorithm>

#include "net/packet_fields.hpp"

namespace tuxarium::net {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kFragmentField = 6;
constexpr std::uint16_t kMoreFragments = 0x2000, kOffset = 0x1fff;

}  // namespace

struct FragmentAssembler::Fragment {
  Bytes head;  // Ethernet and IP header
  Bytes payload;
  std::size_t offset;
  bool last;
};

bool FragmentAssembler::is_fragment(Bytes frame) {
  return frame.size() >= kEthernetHeader + kIp4Header && word_at(frame, 12) == kIp4 &&
         (word_at(frame, kEthernetHeader + kFragmentField) & (kMoreFragments | kOffset)) != 0;
}

Bytes FragmentAssembler::take(Bytes frame, std::int64_t now) {
  const Bytes packet = frame.subspan(kEthernetHeader);
  const Ip4Extent extent = ip4_extent(packet);
  const std::uint8_t protocol = byte_at(packet, 9);
  if (extent.header == 0 || (protocol != kUdp && protocol != kIcmp)) {
    ++dropped_;
    return {};
  }
  const std::uint16_t field = word_at(packet, kFragmentField);
  const Fragment fragment{.head = frame.first(kEthernetHeader + extent.header),
                          .payload = packet.subspan(extent.header, extent.total - extent.header),
                          .offset = std::size_t{field & std::uint32_t{kOffset}} * kUnit,
                          .last = (field & kMoreFragments) == 0};
  Datagram& datagram = datagram_of({long_at(packet, 12), long_at(packet, 16), word_at(packet, 4), protocol}, now);
  ++datagram.fragments;
  if (!put(datagram, fragment)) forget(datagram);
  return datagram.fragments != 0 && whole(datagram) ? finish(datagram) : Bytes{};
}

/// The datagram that has begun, or a new one in the place of the one that is free or oldest.
FragmentAssembler::Datagram& FragmentAssembler::datagram_of(const Key& key, std::int64_t now) {
  for (Datagram& datagram : *datagrams_) {
    if (datagram.fragments != 0 && now - datagram.began > kLongestWait) forget(datagram);
  }
  const auto place = [](const Datagram& datagram) { return datagram.fragments == 0 ? std::int64_t{-1} : datagram.began; };
  auto found =
      std::find_if(datagrams_->begin(), datagrams_->end(), [&](const Datagram& each) { return each.fragments != 0 && each.key == key; });
  if (found != datagrams_->end()) return *found;
  found =
      std::min_element(datagrams_->begin(), datagrams_->end(), [&](const Datagram& a, const Datagram& b) { return place(a) < place(b); });
  forget(*found);
  found->key = key;
  found->began = now;
  return *found;
}

void FragmentAssembler::forget(Datagram& datagram) {
  dropped_ += datagram.fragments;
  datagram = Datagram{};
}

/// False when the fragment cannot belong to the datagram.
bool FragmentAssembler::put(Datagram& datagram, const Fragment& fragment) {
  const std::size_t end = fragment.offset + fragment.payload.size();
  const std::size_t most = kMostBytes - (fragment.head.size() - kEthernetHeader);
  if (fragment.payload.empty() || end > most || (!fragment.last && fragment.payload.size() % kUnit != 0)) return false;
  if (fragment.last ? (datagram.size != 0 && datagram.size != end) || datagram.reached > end : datagram.size != 0 && end > datagram.size)
    return false;
  if (fragment.last) datagram.size = end;
  datagram.reached = std::max(datagram.reached, end);
  if (datagram.payload.size() < end) datagram.payload.resize(end);
  if (fragment.offset == 0 && datagram.head.empty()) datagram.head.assign(fragment.head.begin(), fragment.head.end());

  for (std::size_t at = 0; at < fragment.payload.size(); at += kUnit) {
    const Bytes unit = fragment.payload.subspan(at, std::min(kUnit, fragment.payload.size() - at));
    const auto there = datagram.payload.begin() + static_cast<std::ptrdiff_t>(fragment.offset + at);
    auto present = datagram.present[(fragment.offset + at) / kUnit];
    if (present && !std::equal(unit.begin(), unit.end(), there)) return false;
    std::copy(unit.begin(), unit.end(), there);
    present = true;
  }
  return true;
}

bool FragmentAssembler::whole(const Datagram& datagram) {
  return datagram.size != 0 && !datagram.head.empty() && datagram.present.count() == (datagram.size + kUnit - 1) / kUnit &&
         datagram.head.size() - kEthernetHeader + datagram.size <= kMostBytes;
}

Bytes FragmentAssembler::finish(Datagram& datagram) {
  finished_ = datagram.head;
  const std::span<std::byte> header = std::span{finished_}.subspan(kEthernetHeader);
  set_word(header, 2, header.size() + datagram.size);
  set_word(header, kFragmentField, 0);
  set_word(header, 10, 0);
  set_word(header, 10, internet_checksum(header));
  finished_.insert(finished_.end(), datagram.payload.begin(), datagram.payload.end());
  datagram = Datagram{};
  return finished_;
}

}  // namespace tuxarium::net
