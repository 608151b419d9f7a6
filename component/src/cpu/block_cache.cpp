#include "cpu/block_cache.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace tuxarium::cpu {

namespace {
constexpr std::size_t kChunkBytes = 256u << 10;
}

BlockCache::BlockCache() : index_{std::make_unique<Block*[]>(kIndexEntries)} {}

void* BlockCache::allocate(std::size_t bytes) {
  bytes = (bytes + 15) & ~std::size_t{15};
  if (chunk_left_ < bytes) {
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunkBytes));
    chunk_position_ = chunks_.back().get();
    chunk_left_ = kChunkBytes;
  }
  void* result = chunk_position_;
  chunk_position_ += bytes;
  chunk_left_ -= bytes;
  used_ += bytes;
  return result;
}

Block* BlockCache::insert(const Block& prototype, std::uint32_t page) {
  // One Op more than instructions: the end of a block that runs into its limit.
  const std::size_t ops = std::size_t{prototype.count} + 1;
  auto* block = new (allocate(sizeof(Block))) Block(prototype);
  block->ops = static_cast<Op*>(allocate(sizeof(Op) * ops));
  std::uninitialized_copy_n(prototype.ops, ops, block->ops);
  block->valid = true;
  enter(block);
  pages_[page].push_back(block);
  return block;
}

/// Puts the block in front of those in its slot, without the stale ones.
void BlockCache::enter(Block* block) {
  Block** first = &index_[slot(block->code, block->eip)];
  block->next_in_slot = *first;
  *first = block;
  Block** end = &block->next_in_slot;
  for (unsigned count = 1; *end != nullptr && count < kSlotBlocks;) {
    if ((*end)->valid) {
      end = &(*end)->next_in_slot;
      ++count;
    } else {
      *end = (*end)->next_in_slot;
    }
  }
  *end = nullptr;
}

Block* BlockCache::insert_spanning(const Block& prototype, std::uint32_t page, std::uint32_t second_page) {
  Block* block = insert(prototype, page);
  if (second_page != page) pages_[second_page].push_back(block);
  return block;
}

void BlockCache::invalidate_page(std::uint32_t page) {
  const auto it = pages_.find(page);
  if (it == pages_.end()) return;
  for (Block* block : it->second) {
    if (!block->valid) continue;
    block->valid = false;
    for (std::size_t i = 0; i <= block->count; ++i) block->ops[i].handler = op_stale;
  }
  pages_.erase(it);
}

void BlockCache::clear() {
  std::fill_n(index_.get(), kIndexEntries, nullptr);
  pages_.clear();
  chunks_.clear();
  chunk_left_ = 0;
  chunk_position_ = nullptr;
  used_ = 0;
}

}  // namespace tuxarium::cpu
