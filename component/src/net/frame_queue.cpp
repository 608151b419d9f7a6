#include "net/frame_queue.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>

namespace tuxarium::net {

namespace {

constexpr std::size_t kSizeBytes = 2;

}  // namespace

FrameQueue::FrameQueue(std::size_t bytes) : storage_(std::bit_ceil(std::max<std::size_t>(bytes, 4096))), mask_{storage_.size() - 1} {}

void FrameQueue::put(std::uint64_t at, std::span<const std::byte> data) {
  const std::size_t from = static_cast<std::size_t>(at) & mask_;
  const std::size_t first = std::min(data.size(), storage_.size() - from);
  std::memcpy(storage_.data() + from, data.data(), first);
  std::memcpy(storage_.data(), data.data() + first, data.size() - first);
}

void FrameQueue::get(std::uint64_t at, std::span<std::byte> data) const {
  const std::size_t from = static_cast<std::size_t>(at) & mask_;
  const std::size_t first = std::min(data.size(), storage_.size() - from);
  std::memcpy(data.data(), storage_.data() + from, first);
  std::memcpy(data.data() + first, storage_.data(), data.size() - first);
}

std::size_t FrameQueue::size_at(std::uint64_t at) const {
  std::array<std::byte, kSizeBytes> field;
  get(at, field);
  return std::to_integer<std::size_t>(field[0]) << 8 | std::to_integer<std::size_t>(field[1]);
}

bool FrameQueue::push(std::span<const std::byte> frame, bool* was_empty) {
  assert(!frame.empty() && frame.size() <= 0xffff);
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  if (storage_.size() - static_cast<std::size_t>(tail - head) < kSizeBytes + frame.size()) return false;
  const std::array<std::byte, kSizeBytes> field{std::byte(frame.size() >> 8), std::byte(frame.size() & 0xff)};
  put(tail, field);
  put(tail + kSizeBytes, frame);
  tail_.store(tail + kSizeBytes + frame.size(), std::memory_order_seq_cst);
  // Looked at again after the store: whoever popped the last frame before it will not look once more by itself.
  if (was_empty != nullptr) *was_empty = head_.load(std::memory_order_seq_cst) == tail;
  return true;
}

std::size_t FrameQueue::pop(std::span<std::byte> out) {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  if (head == tail_.load(std::memory_order_seq_cst)) return 0;
  const std::size_t size = size_at(head);
  const std::size_t count = std::min(size, out.size());
  get(head + kSizeBytes, out.first(count));
  head_.store(head + kSizeBytes + size, std::memory_order_seq_cst);
  return count;
}

std::size_t FrameQueue::clear() {
  std::size_t count = 0;
  for (; !empty(); ++count) {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    head_.store(head + kSizeBytes + size_at(head), std::memory_order_seq_cst);
  }
  return count;
}

}  // namespace tuxarium::net
