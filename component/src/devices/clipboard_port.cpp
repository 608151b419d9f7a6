#include "devices/clipboard_port.hpp"

#include <algorithm>

namespace tuxarium::devices {

namespace {
constexpr std::uint16_t kLength = 0, kPosition = 4, kData = 8, kControl = 12;
constexpr std::uint32_t all_ones(unsigned width) { return width == 4 ? 0xffffffffu : (1u << (8 * width)) - 1; }
}  // namespace

std::uint32_t ClipboardPort::io_read(std::uint16_t offset, unsigned width) {
  if (offset == kData) return read_text(width);
  if (width != 4) return all_ones(width);
  switch (offset) {
    case kLength:
      return snapshot();
    case kPosition:
      return state_.position;
    case kControl:
      return static_cast<std::uint32_t>(clock_->now() / 1'000'000);
    default:
      return all_ones(width);
  }
}

void ClipboardPort::io_write(std::uint16_t offset, unsigned width, std::uint32_t value) {
  if (offset == kData) return append(width, value);
  if (width != 4) return;
  switch (offset) {
    case kLength:
      if (value < state_.text.size()) state_.text.resize(value);
      state_.overflow_logged = false;
      return;
    case kPosition:
      state_.position = value;
      return;
    case kControl:
      clipboard_->text_from_guest(state_.text);
      return;
    default:
      return;
  }
}

std::uint32_t ClipboardPort::snapshot() {
  const std::string_view text = clipboard_->text_for_guest();
  const std::size_t most = std::min<std::size_t>(limit_, UINT32_MAX);
  state_.text.assign(text.substr(0, most));
  return static_cast<std::uint32_t>(state_.text.size());
}

std::uint32_t ClipboardPort::read_text(unsigned width) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < width; ++i) {
    const std::size_t at = std::size_t{state_.position} + i;
    if (at < state_.text.size()) value |= std::uint32_t{static_cast<std::uint8_t>(state_.text[at])} << (8 * i);
  }
  state_.position += width;
  return value;
}

void ClipboardPort::append(unsigned width, std::uint32_t value) {
  for (unsigned i = 0; i < width; ++i) {
    if (state_.text.size() < limit_) {
      state_.text.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
    } else if (!state_.overflow_logged) {
      state_.overflow_logged = true;
      if (log_) log_(tuxarium::LogLevel::warning, "The guest wrote more to the clipboard than its limit; the rest of the text is dropped.");
    }
  }
}

void ClipboardPort::reset() { state_ = State{}; }

}  // namespace tuxarium::devices
