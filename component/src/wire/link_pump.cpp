#include "wire/link_pump.hpp"

#include <array>

namespace tuxarium::wire {

void LinkPump::from_guest() {
  std::array<std::byte, 4096> chunk;
  while (const std::size_t count = port_->read(chunk)) {
    assembler_.feed(std::span<const std::byte>(chunk).first(count), [this](std::span<const std::byte> frame) {
      const bool to_a_group = (frame[0] & std::byte{1}) != std::byte{0};
      if (link_->send(frame) && !to_a_group) sent_ = true;
    });
  }
}

// A frame is taken from the link only when the port has room for the longest: what waits, waits in the link's queue.
void LinkPump::to_guest() {
  std::array<std::byte, kLengthBytes + kMaxFrame> record;
  while (port_->writable() >= record.size()) {
    const std::size_t size = link_->receive(std::span(record).subspan(kLengthBytes));
    if (size == 0) return;
    ++received_;
    const auto length = length_field(size);
    std::copy(length.begin(), length.end(), record.begin());
    port_->write(std::span<const std::byte>(record).first(kLengthBytes + size));
  }
}

bool LinkPump::expects_answer() {
  if (!sent_) return false;
  sent_ = false;
  if (patience_ == 0 && ++passed_over_ < kOneInMany) return false;
  passed_over_ = 0;
  return true;
}

}  // namespace tuxarium::wire
