#include "wire/frame_stream.hpp"

namespace tuxarium::wire {

namespace {

std::size_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::size_t>(bytes[at]) << 8 | std::to_integer<std::size_t>(bytes[at + 1]);
}

bool is_length(std::size_t length) { return length >= kMinFrame && length <= kMaxFrame; }

}  // namespace

bool FrameAssembler::advance() {
  const std::size_t length = word_at(buffer_, 0);
  if (!lost_) {
    if (filled_ != kLengthBytes) return true;
    if (is_length(length)) {
      wanted_ = kLengthBytes + length;
      return false;
    }
    lost_ = true;
  } else if (looks_like_frame()) {
    lost_ = false;
    wanted_ = kLengthBytes + length;
    return filled_ == wanted_;
  } else {
    ++skipped_;
    --filled_;
    std::memmove(buffer_.data(), buffer_.data() + 1, filled_);
  }
  wanted_ = kLengthBytes + kMinFrame;
  return false;
}

bool FrameAssembler::looks_like_frame() const {
  constexpr std::size_t kSource = kLengthBytes + 6, kType = kLengthBytes + 12;
  const bool from_a_group = (buffer_[kSource] & std::byte{1}) != std::byte{0};
  const std::size_t type = word_at(buffer_, kType);
  const bool known = type == 0x0800 || type == 0x0806 || type == 0x86dd || type == 0x8100;
  return is_length(word_at(buffer_, 0)) && !from_a_group && known;
}

}  // namespace tuxarium::wire
