// A bounded queue of frames between the machine's thread and a link's own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tuxarium::net {

/// First in, first out; one thread pushes, another pops, neither waits or allocates. A frame that does not fit is refused: the caller drops it.
class FrameQueue {
 public:
  /// `bytes`, rounded up to a power of two, hold the frames and two bytes more for each.
  explicit FrameQueue(std::size_t bytes);

  FrameQueue(const FrameQueue&) = delete;
  FrameQueue& operator=(const FrameQueue&) = delete;

  /// False when there is no room. `frame` has 1 to 65535 bytes. Sets `was_empty`, if given, when the other side has had nothing to pop before.
  bool push(std::span<const std::byte> frame, bool* was_empty = nullptr);

  /// The size of the next frame, moved into `out`, or 0. A frame that `out` cannot hold is cut to its size.
  std::size_t pop(std::span<std::byte> out);

  bool empty() const { return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire); }

  /// How much of the queue is in use; on either side.
  std::size_t bytes() const { return static_cast<std::size_t>(tail_.load(std::memory_order_seq_cst) - head_.load(std::memory_order_seq_cst)); }

  /// Drops all frames; on the popping side. Returns how many.
  std::size_t clear();

 private:
  void put(std::uint64_t at, std::span<const std::byte> data);
  void get(std::uint64_t at, std::span<std::byte> data) const;
  std::size_t size_at(std::uint64_t at) const;

  std::vector<std::byte> storage_;
  std::size_t mask_;
  alignas(64) std::atomic<std::uint64_t> head_{0};  // of the popping side
  alignas(64) std::atomic<std::uint64_t> tail_{0};  // of the pushing side
};

}  // namespace tuxarium::net
