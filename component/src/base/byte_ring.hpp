// A bounded byte queue without allocation after construction.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tuxarium::base {

/// First in, first out. A push beyond the bound is refused, never dropped silently: the caller sees how many fitted.
class ByteRing {
 public:
  /// `capacity` in bytes, a power of two.
  explicit ByteRing(std::size_t capacity) : storage_(capacity) {}

  std::size_t size() const { return static_cast<std::size_t>(tail_ - head_); }
  std::size_t capacity() const { return storage_.size(); }
  std::size_t space() const { return capacity() - size(); }
  bool empty() const { return head_ == tail_; }
  bool full() const { return size() == capacity(); }

  bool push(std::uint8_t byte) {
    if (full()) return false;
    storage_[index(tail_++)] = byte;
    return true;
  }

  /// Precondition: not empty.
  std::uint8_t pop() { return storage_[index(head_++)]; }

  /// Precondition: offset < size().
  std::uint8_t peek(std::size_t offset = 0) const { return storage_[index(head_ + offset)]; }

  std::size_t push(std::span<const std::byte> data) {
    const std::size_t count = std::min(data.size(), space());
    for (std::size_t i = 0; i < count; ++i) storage_[index(tail_ + i)] = static_cast<std::uint8_t>(data[i]);
    tail_ += count;
    return count;
  }

  std::size_t pop(std::span<std::byte> out) {
    const std::size_t count = std::min(out.size(), size());
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::byte>(storage_[index(head_ + i)]);
    head_ += count;
    return count;
  }

  void clear() { head_ = tail_; }

  /// Visits the queued bytes, not the storage: two rings with the same content look the same.
  template <class Visitor>
  void visit_state(Visitor& v) const {
    v(static_cast<std::uint64_t>(size()));
    for (std::uint64_t i = head_; i != tail_; ++i) v(storage_[index(i)]);
  }

 private:
  std::size_t index(std::uint64_t position) const { return static_cast<std::size_t>(position) & (storage_.size() - 1); }

  std::vector<std::uint8_t> storage_;
  std::uint64_t head_ = 0, tail_ = 0;
};

}  // namespace tuxarium::base
