// The dispatcher: finds or builds the block to run next, and looks at interrupts, faults and traps between blocks.

#include "cpu/cpu.hpp"

#include <algorithm>
#include <array>

#include "base/state_visitor.hpp"
#include "cpu/debug.hpp"
#include "cpu/handlers.hpp"
#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

constexpr std::uint32_t kNoPage = 0xffffffffu;

/// Physical page of a host pointer, or kNoPage outside RAM.
std::uint32_t ram_page(const Core& c, const std::uint8_t* host) {
  const auto* start = reinterpret_cast<const std::uint8_t*>(c.ram.data());
  if (host < start || host >= start + c.ram.size()) return kNoPage;
  return static_cast<std::uint32_t>(host - start) >> memory::kPageShift;
}

void mark_code(Core& c, const std::uint8_t* host, std::uint32_t count) {
  const std::uint32_t page = ram_page(c, host);
  if (page == kNoPage || count == 0) return;
  if (c.ram.code_lines(page) == 0) protect_code_page(c, page);
  const auto address = static_cast<std::uint32_t>(host - reinterpret_cast<const std::uint8_t*>(c.ram.data()));
  c.ram.mark_code(address, count);
}

/// Leaves a block that is not kept.
const Op* op_leave_scratch(Core& c, const Op* op) { return leave(c, this_eip(c, op)); }

/// Decodes a block at EIP into c.scratch and c.scratch_ops.
class BlockBuilder {
 public:
  BlockBuilder(Core& c, const std::uint8_t* code, std::size_t limit) : c_{c}, code_{code}, limit_{limit} {
    Block& b = c.scratch;
    b = Block{};
    b.code = code;
    b.eip = c.s.eip;
    b.cs_base = c.s.segment[kCs].base;
    b.mode = c.mode;
    b.ops = c.scratch_ops.data();
    in_page_ = memory::kPageSize - (b.linear() & ~memory::kPageMask);
  }

  /// False after raising an exception: not even one instruction could be fetched.
  bool build(bool keep) {
    Block& b = c_.scratch;
    bool ended = false;
    while (!ended && b.count < limit_ && b.length < in_page_) {
      Instruction i;
      const DecodeStatus status = decode_next(i);
      if (c_.event.kind != PendingEvent::Kind::none) return false;
      if (status == DecodeStatus::truncated) break;
      if (!within_limit(i)) {
        if (b.count > 0) break;
        return raise(c_, kGeneralProtection, 0);
      }
      ended = append(i, status);
      c_.scratch_last = i.row;
      if (status == DecodeStatus::ok && keep) fuse(i);
      previous_ = i;
    }
    finish(ended, keep);
    return true;
  }

 private:
  DecodeStatus decode_next(Instruction& i) {
    const Block& b = c_.scratch;
    const bool code32 = (c_.mode & kModeCode32) != 0;
    const std::size_t available = in_page_ - b.length;
    const DecodeStatus status = decode({code_ + b.length, std::min<std::size_t>(available, 16)}, code32, c_.features, i);
    if (status != DecodeStatus::truncated || b.count > 0) return status;
    return decode_across_pages(i, code32, available);
  }

  DecodeStatus decode_across_pages(Instruction& i, bool code32, std::size_t available) {
    Block& b = c_.scratch;
    // What lies beyond the limit is not fetched: its page may be absent.
    if ((c_.mode & kModeCsFull) == 0 && c_.s.segment[kCs].limit - b.eip < in_page_) {
      raise(c_, kGeneralProtection, 0);
      return DecodeStatus::truncated;
    }
    const std::uint8_t* second = fetch_pointer(c_, b.linear() + in_page_);
    if (second == nullptr) return DecodeStatus::truncated;
    // The first page may have left the translation cache; its host pointer stays good.
    std::uint8_t bytes[16] = {};
    std::copy_n(code_, available, bytes);
    std::copy_n(second, sizeof(bytes) - available, bytes + available);
    const DecodeStatus status = decode(bytes, code32, c_.features, i);
    b.second_page = second;
    return status;
  }

  bool within_limit(const Instruction& i) const {
    if ((c_.mode & kModeCsFull) != 0) return true;
    const std::uint32_t first = c_.scratch.eip + c_.scratch.length;
    const std::uint32_t last = first + std::max<std::uint32_t>(i.length, 1) - 1;
    return last >= first && last <= c_.s.segment[kCs].limit;
  }

  /// True when the block ends with this instruction.
  bool append(const Instruction& i, DecodeStatus status) {
    Block& b = c_.scratch;
    Op& op = c_.scratch_ops[b.count];
    op = Op{};
    op.before = b.count;
    op.offset = static_cast<std::uint16_t>(b.length);
    bool ended = true;
    if (status == DecodeStatus::ok) {
      ended = predecode(c_, i, b.eip + b.length, b.linear(), op);
      b.length += i.length;
    } else {
      op.handler = status == DecodeStatus::too_long ? op_too_long : op_undefined;
      // Other bytes may make an instruction of it: all that were looked at belong to the block.
      b.length += kMaxInstructionLength;
    }
    ++b.count;
    return ended;
  }

  /// Lets the instruction before `last` do the work of both, where there is a handler for the pair.
  void fuse(const Instruction& last) {
    const Block& b = c_.scratch;
    const unsigned at = b.count - 1u;
    const Op& last_op = c_.scratch_ops[at];
    flag_use_[at] = last_op.handler == op_undefined ? FlagUse::seen : flag_use(last);
    if (at == 0 || previous_.row == nullptr) return;
    Op& op = c_.scratch_ops[at - 1];
    PairHandlers both{.whole = pick_fused(previous_, op, last, last_op), .without_flags = nullptr};
    if (both.whole == nullptr) both = pick_pair(previous_, op, last, last_op);
    if (both.whole != nullptr) op.handler = both.whole;
    without_flags_[at - 1] = both.without_flags;
  }

  /// Pairs whose flags are replaced before anybody can look at them need not leave any.
  void drop_dead_flags() {
    bool dead = false;  // behind the instruction `at`
    for (unsigned at = c_.scratch.count; at-- > 0;) {
      if (dead && at > 0 && without_flags_[at - 1] != nullptr) c_.scratch_ops[at - 1].handler = without_flags_[at - 1];
      if (flag_use_[at] != FlagUse::kept) dead = flag_use_[at] == FlagUse::replaced;
    }
  }

  void finish(bool ended, bool keep) {
    drop_dead_flags();
    Block& b = c_.scratch;
    Op& end = c_.scratch_ops[b.count];
    end = Op{};
    end.before = b.count;
    end.offset = static_cast<std::uint16_t>(b.length);
    end.src = !ended && b.length < in_page_ && (c_.mode & kModeCsUnchecked) != 0 ? 1 : 0;
    end.handler = keep ? op_end_of_block : op_leave_scratch;
    const std::uint32_t here = std::min(b.length, in_page_);
    mark_code(c_, b.code, here);
    if (b.second_page != nullptr) mark_code(c_, b.second_page, std::clamp(b.length, in_page_ + 1, in_page_ + kMaxInstructionLength) - in_page_);
  }

  Core& c_;
  const std::uint8_t* code_;
  std::size_t limit_;
  std::uint32_t in_page_ = 0;
  Instruction previous_;
  // Of each instruction.
  std::array<FlagUse, kMaxBlockInstructions> flag_use_{};
  std::array<Handler, kMaxBlockInstructions> without_flags_{};
};

Block* keep_block(Core& c) {
  const std::uint32_t page = ram_page(c, c.scratch.code);
  if (c.scratch.second_page == nullptr) return c.blocks.insert(c.scratch, page);
  return c.blocks.insert_spanning(c.scratch, page, ram_page(c, c.scratch.second_page));
}

void drop_all_code(Core& c) {
  c.blocks.clear();
  c.link_from = nullptr;
  for (std::uint32_t page = 0; page < c.ram.size() >> memory::kPageShift; ++page) {
    if (c.ram.code_lines(page) != 0) c.ram.unmark_page(page);
  }
}

/// The kept block at EIP, built when there is none; nullptr after raising an exception.
Block* lookup(Core& c, const std::uint8_t* code) {
  const std::uint32_t eip = c.s.eip;
  Block* block = c.blocks.find(code, eip, c.s.segment[kCs].base, c.mode);
  if (block != nullptr && block->second_page != nullptr) {
    const std::uint32_t next_page = (block->linear() & memory::kPageMask) + memory::kPageSize;
    const std::uint8_t* second = fetch_pointer(c, next_page);
    if (second == nullptr) return nullptr;
    if (second != block->second_page) block = nullptr;
  }
  // With an odd limit the block may have been built under a larger one.
  if (block != nullptr && (c.mode & kModeCsUnchecked) == 0 && eip + (block->length - 1) > c.s.segment[kCs].limit) block = nullptr;
  if (block != nullptr) return block;
  if (c.blocks.full()) drop_all_code(c);
  if (!BlockBuilder{c, code, kMaxBlockInstructions}.build(true)) return nullptr;
  return keep_block(c);
}

void link(Core& c, Block* block) {
  if (c.link_from == nullptr) return;
  const bool same_page = ((block->linear() ^ c.link_block->linear()) & memory::kPageMask) == 0;
  if (c.link_block->valid && same_page && block->second_page == nullptr && c.link_block->second_page == nullptr &&
      block->mode == c.link_block->mode && block->cs_base == c.link_block->cs_base) {
    *c.link_from = block;
  }
  c.link_from = nullptr;
}

void execute(Core& c, Block* block) {
  c.remaining -= block->count;
  c.block = block;
  const Op* op = block->ops;
  while (op != nullptr) op = op->handler(c, op);
}

/// Runs at most `limit` instructions at EIP without following branches.
void execute_scratch(Core& c, const std::uint8_t* code, std::size_t limit) {
  if (!BlockBuilder{c, code, limit}.build(false)) return;
  // With nothing left no handler enters another block, and a repeated instruction makes only as many iterations as the limit allows.
  const std::int64_t rest = c.remaining - static_cast<std::int64_t>(limit);
  c.remaining -= rest;
  c.run_length -= rest;
  execute(c, &c.scratch);
  c.remaining += rest;
  c.run_length += rest;
  c.block = nullptr;
  c.link_from = nullptr;
}

/// After a change of the whole state.
void forget_debug_hits(Core& c) {
  c.debug_hits = 0;
  c.step_alone = records_branches(c);
  update_breakpoints(c);
}

}  // namespace

Cpu::Cpu(memory::GuestRam& ram, CpuBus& bus, Model model, Extensions extensions)
    : core_{std::make_unique<Core>(ram, bus, model, extensions)} {
  reset();
}

Cpu::~Cpu() = default;

void Cpu::reset() {
  Core& c = *core_;
  c.s = CpuState{};
  c.s.eip = 0xfff0;
  c.s.cr0 = 0x60000010;
  c.s.gpr[kEdx] = signature_of(c.model);
  for (Segment& s : c.s.segment) {
    s.limit = 0xffff;
    s.access = 0x9300;
    s.valid = 1;
  }
  c.s.segment[kCs].selector = 0xf000;
  c.s.segment[kCs].base = 0xffff0000u;
  c.s.segment[kCs].access = 0x9b00;
  c.s.ldtr.limit = c.s.tr.limit = 0xffff;
  c.s.ldtr.access = 0x8200;
  c.s.tr.access = 0x8b00;
  c.s.tr.valid = 1;
  c.s.gdtr.limit = c.s.idtr.limit = 0xffff;
  c.s.dr[6] = 0xffff0ff0u;
  c.s.dr[7] = 0x400;
  c.event = {};
  c.intr = false;
  c.ferr = false;
  c.break_requested = false;
  c.link_from = nullptr;
  c.block = nullptr;
  c.fpu.reset();
  c.blocks.clear();
  flush_tlb(c);
  set_cpl(c, 0);
  update_mode(c);
  forget_debug_hits(c);
}

void Cpu::cache_all_memory() { core_->s.msr.mtrr_default = 0x806; }

void Cpu::map_rom(std::span<const std::byte> rom) {
  core_->rom = rom;
  flush_tlb(*core_);
}

namespace {

/// Steps from branch to branch are no steps between.
bool trap_wanted(const Core& c, std::uint32_t from) { return (c.s.msr.debug_control & kStepBranches) == 0 || branch_taken(c, from); }

/// The debug exception of an instruction that has completed.
void take_debug_traps(Core& c, bool single_step) {
  if (c.event.kind != PendingEvent::Kind::none) {
    c.debug_hits = 0;
    return;
  }
  // After a load of SS they wait for one more instruction.
  if (c.s.interrupt_shadow == kShadowStackLoad) return;
  const std::uint32_t bits = c.debug_hits | (single_step ? kDr6Bs : 0);
  c.debug_hits = 0;
  if (bits != 0) raise_debug(c, bits);
}

void execute_alone(Core& c, const std::uint8_t* code) {
  const NotingHits noting{c};
  const std::uint32_t from = c.s.eip;
  c.step_alone = false;
  c.scratch_last = nullptr;
  execute_scratch(c, code, 1);
  if (!records_branches(c)) return;
  c.step_alone = true;
  if (c.event.kind == PendingEvent::Kind::none && branch_taken(c, from)) record_branch(c, from);
}

/// Calls `deliver`, which goes to a handler.
template <class Deliver>
void deliver_recorded(Core& c, Deliver deliver) {
  const std::uint32_t from = c.s.eip;
  deliver();
  c.link_from = nullptr;
  if (records_branches(c)) record_event(c, from);
  if (c.debug_hits != 0) take_debug_traps(c, false);
}

}  // namespace

void Cpu::execute_next(bool exact) {
  Core& c = *core_;
  const std::uint32_t linear = c.s.segment[kCs].base + c.s.eip;
  const bool watched = page_watched(c, linear);
  if (watched && (c.s.system_flags & kRf) == 0 && c.s.interrupt_shadow != kShadowStackLoad) {
    if (const std::uint32_t hits = code_breakpoints(c, linear)) {
      c.link_from = nullptr;
      raise_debug(c, hits);
      return;
    }
  }
  if ((c.mode & kModeCsFull) == 0 && c.s.eip > c.s.segment[kCs].limit) {
    raise(c, kGeneralProtection, 0);
    return;
  }
  const bool trap = (c.s.system_flags & kTf) != 0;
  const bool shadow = c.s.interrupt_shadow != 0 && c.intr && (c.s.system_flags & kIf) != 0;
  c.s.interrupt_shadow = 0;
  c.s.system_flags &= ~kRf;
  const std::uint8_t* code = fetch_pointer(c, linear);
  if (code == nullptr) {
    c.link_from = nullptr;
    return;
  }
  if (trap || shadow || watched || c.step_alone || c.debug_hits != 0) {
    const std::uint32_t from = c.s.eip;
    execute_alone(c, code);
    take_debug_traps(c, trap && trap_wanted(c, from));
    return;
  }
  Block* block = lookup(c, code);
  if (block == nullptr) {
    c.link_from = nullptr;
    return;
  }
  if (exact && block->count > c.remaining) {
    c.link_from = nullptr;
    execute_scratch(c, code, static_cast<std::size_t>(c.remaining));
  } else {
    link(c, block);
    execute(c, block);
  }
  if (c.debug_hits != 0) take_debug_traps(c, false);
}

Exit Cpu::run(std::int64_t count, bool exact) {
  Core& c = *core_;
  c.run_length = c.remaining = count;
  Exit exit = Exit::spent;
  bool delivered = false;
  c.break_requested = false;
  for (;;) {
    if (c.event.kind != PendingEvent::Kind::none) {
      // A fault costs an instruction, so that a guest which only faults cannot run for ever.
      if (c.event.kind == PendingEvent::Kind::fault) --c.remaining;
      deliver_recorded(c, [&] {
        deliver_pending(c);
        c.event = {};
      });
    }
    if (c.s.shut_down != 0) {
      exit = Exit::shut_down;
      break;
    }
    if (c.break_requested) {
      exit = Exit::broken;
      break;
    }
    if (c.s.halted != 0 && !(c.intr && (c.s.system_flags & kIf) != 0)) {
      exit = Exit::halted;
      break;
    }
    if (c.remaining <= 0) break;
    if (c.intr && (c.s.system_flags & kIf) != 0 && c.s.interrupt_shadow == 0 && !delivered) {
      c.s.halted = 0;
      deliver_recorded(c, [&] { deliver_external(c, c.bus.acknowledge_interrupt()); });
      delivered = true;
      continue;
    }
    delivered = false;
    execute_next(exact);
  }
  c.mxcsr.leave();
  c.link_from = nullptr;
  c.retired_base = c.retired();
  c.run_length = c.remaining = 0;
  return exit;
}

void Cpu::set_intr(bool level) { core_->intr = level; }
void Cpu::request_break() { core_->break_requested = true; }
std::uint64_t Cpu::retired() const { return core_->retired(); }
std::uint64_t Cpu::interrupts() const { return core_->interrupts; }
std::uint64_t Cpu::exceptions() const { return core_->exceptions; }
const CpuState& Cpu::state() const { return core_->s; }
bool Cpu::halted() const { return core_->s.halted != 0; }
bool Cpu::interrupts_enabled() const { return (core_->s.system_flags & kIf) != 0; }
bool Cpu::code_is_32bit() const { return (core_->mode & kModeCode32) != 0; }

void Cpu::set_state(const CpuState& state) {
  const CpuState& old = core_->s;
  const bool new_pointers = old.cr3 != state.cr3 || ((old.cr0 ^ state.cr0) & kCr0Pg) != 0 || ((old.cr4 ^ state.cr4) & kCr4Pae) != 0;
  core_->s = state;
  if (new_pointers) load_page_pointers(*core_, state.cr0, state.cr3, state.cr4);
  core_->s.gpr[kZeroRegister] = 0;
  core_->s.mxcsr &= simd::kMxcsrDefined;
  core_->event = {};
  set_cpl(*core_, state.cpl & 3);
  update_mode(*core_);
  forget_debug_hits(*core_);
  flush_tlb(*core_);
}

void Cpu::ram_changed(std::uint32_t address, std::size_t count) {
  if (count == 0) return;
  const auto last = static_cast<std::uint32_t>(address + (count - 1));
  for (std::uint32_t page = address >> memory::kPageShift; page <= last >> memory::kPageShift; ++page) {
    if (core_->ram.code_lines(page) != 0) drop_code(*core_, page);
  }
}

bool Cpu::translate(std::uint32_t linear, std::uint32_t& physical) const { return translate_quietly(*core_, linear, physical); }

std::uint64_t Cpu::x87_digest() const {
  base::HashVisitor hash;
  core_->fpu.visit_state(hash);
  return hash.digest();
}

}  // namespace tuxarium::cpu
