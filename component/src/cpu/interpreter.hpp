// What every handler is written with: operands, addresses, and how one instruction hands over to the next.
//
// In optimised builds a handler jumps to the next one (a tail call, which g++ and clang make from -O2 on); otherwise it returns the next
// Op and the dispatcher's loop calls it. Both give the same run.
#pragma once

#include <cstdint>
#include <cstring>

#include "cpu/memory_access.hpp"

namespace tuxarium::cpu {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TUXARIUM_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TUXARIUM_SANITIZED 1
#endif

// The empty statement in assembly lets the register that holds `op` become the next Op before its handler is read: without it g++ keeps both and
// moves them about.
#if defined(__OPTIMIZE__) && !defined(TUXARIUM_SANITIZED) && defined(__clang__)
#define TUXARIUM_TAIL_CALL [[clang::musttail]] return
#elif defined(__OPTIMIZE__) && !defined(TUXARIUM_SANITIZED) && defined(__GNUC__)
#define TUXARIUM_TAIL_CALL return
#endif
#if defined(TUXARIUM_TAIL_CALL)
#define TUXARIUM_RUN(ops)                          \
  do {                                             \
    const Op* run_op = (ops);                      \
    asm("" : "+r"(run_op));                        \
    TUXARIUM_TAIL_CALL run_op->handler(c, run_op); \
  } while (false)
#else
#define TUXARIUM_RUN(ops) return (ops)
#endif
#define TUXARIUM_NEXT() TUXARIUM_RUN(op + 1)

#if defined(__GNUC__)
#define TUXARIUM_OUTLINE __attribute__((noinline))
#else
#define TUXARIUM_OUTLINE
#endif

/// The handler of an instruction whose locals are seen by functions that it calls: g++ leaves such a function by no jump, and a loop in the
/// guest would nest on the host's stack. `Body` is TUXARIUM_OUTLINE and returns the next Op, or nullptr, instead of going there.
template <Handler Body>
const Op* step_out(Core& c, const Op* op) {
  const Op* next = Body(c, op);
  if (next == nullptr) [[unlikely]] return nullptr;
  TUXARIUM_RUN(next);
}

/// The whole of a handler whose fast form found that its memory access is not a simple one. Apart, so that the fast form calls nothing and
/// needs no place on the host's stack.
template <Handler Whole>
TUXARIUM_COLD const Op* go_slow(Core& c, const Op* op) {
  return Whole(c, op);
}

template <class T>
TUXARIUM_HOT T get(const Core& c, std::uint8_t offset) {
  T value;
  std::memcpy(&value, reinterpret_cast<const char*>(c.s.gpr.data()) + offset, sizeof(T));
  return value;
}

template <class T>
TUXARIUM_HOT void put(Core& c, std::uint8_t offset, T value) {
  std::memcpy(reinterpret_cast<char*>(c.s.gpr.data()) + offset, &value, sizeof(T));
}

/// Byte offset of a register in the register file.
template <class T>
constexpr std::uint8_t register_offset(unsigned number) {
  if constexpr (sizeof(T) == 1) {
    return static_cast<std::uint8_t>((number & 3) * 4 + (number >> 2));
  } else {
    return static_cast<std::uint8_t>(number * 4);
  }
}

/// Offset part of the memory operand, before it is cut to 16 bits.
TUXARIUM_HOT std::uint32_t operand_offset(const Core& c, const Op* op) {
  return get<std::uint32_t>(c, op->base) + (get<std::uint32_t>(c, op->index) << op->scale) + op->displacement;
}

TUXARIUM_HOT std::uint32_t cut(std::uint32_t offset, unsigned address_size) { return address_size == 2 ? offset & 0xffff : offset; }

/// How a handler reaches its memory operand: through the segment checks, or in a flat segment without and with an index.
enum class Address : std::uint8_t { checked, plain, indexed };

inline Address address_kind(const Op& op, bool wide) {
  if (wide) return Address::checked;
  return op.index == kZeroRegister * 4 ? Address::plain : Address::indexed;
}

template <Address Kind>
TUXARIUM_HOT std::uint32_t flat_offset(const Core& c, const Op* op) {
  static_assert(Kind != Address::checked);
  return Kind == Address::indexed ? operand_offset(c, op) : get<std::uint32_t>(c, op->base) + op->displacement;
}

/// Linear address of the memory operand. Wide: through segment checks and 16-bit addresses; otherwise the segment is flat.
template <bool Wide>
TUXARIUM_HOT bool operand_address(Core& c, const Op* op, unsigned size, Access access, std::uint32_t& linear) {
  if constexpr (Wide) {
    return segment_check(c, op->segment, cut(operand_offset(c, op), op->address_size), size, access, linear);
  } else {
    linear = operand_offset(c, op);
    return true;
  }
}

TUXARIUM_HOT std::uint32_t this_eip(const Core& c, const Op* op) { return c.block->eip + op->offset; }
/// Also in 16-bit code EIP does not wrap from one instruction to the next: beyond FFFF lies the limit of the segment.
TUXARIUM_HOT std::uint32_t next_eip(const Core& c, const Op* op) { return c.block->eip + op->offset + op->length; }

/// Ends the block before `op`, which did not complete: it and what follows were not retired.
inline const Op* leave_before(Core& c, const Op* op) {
  c.remaining += c.block->count - op->before;
  c.s.eip = this_eip(c, op);
  return nullptr;
}

/// `op` raised an exception.
TUXARIUM_COLD const Op* fault(Core& c, const Op* op);

/// Ends the block after its last instruction.
inline const Op* leave(Core& c, std::uint32_t eip) {
  c.s.eip = eip;
  return nullptr;
}
inline const Op* leave_linkable(Core& c, unsigned slot, std::uint32_t eip) {
  c.s.eip = eip;
  c.link_from = &c.block->link[slot];
  c.link_block = c.block;
  return nullptr;
}

/// A block for `eip` that can be entered without a look by the dispatcher, or nullptr. The link remembers it: for a branch to another page it
/// says where to look first.
TUXARIUM_HOT Block* find_block(Core& c, unsigned slot, std::uint32_t eip) {
  const std::uint32_t cs_base = c.s.segment[kCs].base;
  const std::uint32_t linear = cs_base + eip;
  const TlbEntry& entry = tlb_entry(c.fetch_tlb, linear);
  if ((linear & memory::kPageMask) != entry.read_tag) return nullptr;
  const auto* code = reinterpret_cast<const std::uint8_t*>(entry.addend + linear);
  Block* block = c.block->link[slot];
  if (block != nullptr && block->is(code, eip, cs_base, c.mode)) [[likely]] return block;
  block = c.blocks.find(code, eip, cs_base, c.mode);
  if (block == nullptr || block->second_page != nullptr || (c.mode & kModeCsUnchecked) == 0) return nullptr;
  c.block->link[slot] = block;
  return block;
}

/// The block at `target`, found in the same page through the block's link or in any page through the link or the cache, with its instructions taken
/// from the run's; nullptr where the dispatcher has to look first.
TUXARIUM_HOT Block* enter(Core& c, unsigned slot, std::uint32_t target, bool same_page) {
  Block* next = same_page ? c.block->link[slot] : find_block(c, slot, target);
  if (next == nullptr || !next->valid || c.remaining < next->count) [[unlikely]] return nullptr;
  c.remaining -= next->count;
  c.block = next;
  return next;
}

/// Goes to `target`.
#define TUXARIUM_BRANCH(slot, target, same_page)                                                   \
  do {                                                                                             \
    if (const Block* next_block = enter(c, slot, target, same_page)) [[likely]] {                  \
      TUXARIUM_RUN(next_block->ops);                                                               \
    }                                                                                              \
    return (same_page) ? leave_linkable(c, slot, target) : leave(c, target);                       \
  } while (false)

/// After an instruction that may have changed EFLAGS, CS or the privilege level: the Op at EIP, or nullptr where the dispatcher has something to do
/// first (an interrupt, an exception, a trap, RF to clear).
inline const Op* go_on(Core& c, unsigned slot) {
  const bool interrupted = c.intr && (c.s.system_flags & kIf) != 0;
  const bool trapped = (c.s.system_flags & (kTf | kRf)) != 0 || c.debug_hits != 0 || c.step_alone;
  if (interrupted || trapped || c.event.kind != PendingEvent::Kind::none) return nullptr;
  const Block* next = enter(c, slot, c.s.eip, false);
  return next != nullptr ? next->ops : nullptr;
}

/// Makes the instruction the last of its block while the bus looks at the time.
class BusAccess {
 public:
  BusAccess(Core& c, const Op* op) : c_{c} { c.in_flight = c.block->count - op->before; }
  BusAccess(const BusAccess&) = delete;
  BusAccess& operator=(const BusAccess&) = delete;
  ~BusAccess() { c_.in_flight = 0; }

 private:
  Core& c_;
};

/// Fills `op` for a decoded instruction; true when the block must end after it. `eip`: of the instruction. `page_linear`: of the block.
bool predecode(const Core& c, const Instruction& i, std::uint32_t eip, std::uint32_t page_linear, Op& op);

}  // namespace tuxarium::cpu
