// All predecoded blocks: made, found and dropped here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "cpu/block.hpp"

namespace tuxarium::cpu {

/// Owns blocks in a bump-allocated arena. When the arena is full everything is dropped at the next safe point; a bound on memory, not on code.
class BlockCache {
 public:
  static constexpr std::size_t kIndexEntries = 16384;
  static constexpr std::size_t kArenaBytes = 8u << 20;
  static constexpr unsigned kSlotBlocks = 8;  // that one slot of the index knows; the oldest is forgotten

  BlockCache();

  /// The block for this key, or nullptr.
  Block* find(const std::uint8_t* code, std::uint32_t eip, std::uint32_t cs_base, std::uint16_t mode) const {
    Block* block = index_[slot(code, eip)];
    while (block != nullptr && !block->is(code, eip, cs_base, mode)) block = block->next_in_slot;
    return block;
  }

  /// Copies `prototype` and its ops into the cache under guest-physical page numbers `page` and, when it reaches into a second one,
  /// `second_page`. Precondition: !full().
  Block* insert(const Block& prototype, std::uint32_t page);
  Block* insert_spanning(const Block& prototype, std::uint32_t page, std::uint32_t second_page);

  bool full() const { return used_ + kReserve > kArenaBytes; }

  /// Makes every block of the page stale: a link to it, or an Op of it that is about to run, leads back to the dispatcher.
  void invalidate_page(std::uint32_t page);

  /// Drops everything. Only while no block is being executed.
  void clear();

 private:
  static constexpr std::size_t kReserve = sizeof(Block) * 2 + sizeof(Op) * (kMaxBlockInstructions + 2);
  static std::size_t slot(const std::uint8_t* code, std::uint32_t eip) {
    const auto bits = reinterpret_cast<std::uintptr_t>(code);
    return (bits ^ (bits >> 14) ^ (static_cast<std::uintptr_t>(eip) >> 20)) & (kIndexEntries - 1);
  }
  void* allocate(std::size_t bytes);
  void enter(Block* block);

  std::unique_ptr<Block*[]> index_;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t chunk_left_ = 0;
  std::byte* chunk_position_ = nullptr;
  std::size_t used_ = 0;
  std::unordered_map<std::uint32_t, std::vector<Block*>> pages_;
};

/// The handler of an Op whose block went stale: ends the block before that instruction.
const Op* op_stale(Core& c, const Op* op);

}  // namespace tuxarium::cpu
