// MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS and their repeated forms; IN and OUT.
//
// An iteration counts as one retired instruction. A repeated instruction runs as far as the budget goes and is then entered again at its own
// address, as the architecture allows; registers are right after every iteration, so a fault in the middle restarts exactly. Where source and
// destination are plain pages, the iterations up to the page end are one block move.

#include <algorithm>

#include "cpu/alu_operations.hpp"
#include "cpu/debug.hpp"
#include "cpu/handlers.hpp"
#include "cpu/system.hpp"

namespace tuxarium::cpu {

namespace {

using memory::kPageMask;
using memory::kPageSize;

/// ESI, EDI or ECX in the address size.
TUXARIUM_HOT std::uint32_t index_register(const Core& c, const Op* op, unsigned number) { return cut(c.s.gpr[number], op->address_size); }

TUXARIUM_HOT void add_index(Core& c, const Op* op, unsigned number, std::uint32_t delta) {
  if (op->address_size == 2) {
    put<std::uint16_t>(c, static_cast<std::uint8_t>(number * 4), static_cast<std::uint16_t>(c.s.gpr[number] + delta));
  } else {
    c.s.gpr[number] += delta;
  }
}

template <class T>
TUXARIUM_HOT std::uint32_t step(const Core& c) {
  return (c.s.system_flags & kDf) != 0 ? 0u - static_cast<std::uint32_t>(sizeof(T)) : static_cast<std::uint32_t>(sizeof(T));
}

template <class T>
TUXARIUM_HOT bool load_source(Core& c, const Op* op, T& value) {
  std::uint32_t linear = index_register(c, op, kEsi);
  if (op->wide != 0 && !segment_check(c, op->segment, linear, sizeof(T), Access::read, linear)) return false;
  return load(c, linear, value);
}

template <class T>
TUXARIUM_HOT bool destination_address(Core& c, const Op* op, Access access, std::uint32_t& linear) {
  linear = index_register(c, op, kEdi);
  return (c.mode & kModeFlat) != 0 || segment_check(c, kEs, linear, sizeof(T), access, linear);
}

// One iteration each. False after a fault, with no register changed.

template <class T>
struct Movs {
  static bool once(Core& c, const Op* op) {
    T value;
    std::uint32_t to;
    if (!load_source(c, op, value) || !destination_address<T>(c, op, Access::write, to) || !store<T>(c, to, value)) [[unlikely]] return false;
    add_index(c, op, kEsi, step<T>(c));
    add_index(c, op, kEdi, step<T>(c));
    return true;
  }
};

template <class T>
struct Stos {
  static bool once(Core& c, const Op* op) {
    std::uint32_t to;
    if (!destination_address<T>(c, op, Access::write, to) || !store<T>(c, to, get<T>(c, 0))) [[unlikely]] return false;
    add_index(c, op, kEdi, step<T>(c));
    return true;
  }
};

template <class T>
struct Lods {
  static bool once(Core& c, const Op* op) {
    T value;
    if (!load_source(c, op, value)) [[unlikely]] return false;
    put<T>(c, 0, value);
    add_index(c, op, kEsi, step<T>(c));
    return true;
  }
};

template <class T>
struct Cmps {
  static bool once(Core& c, const Op* op) {
    T a, b;
    std::uint32_t from;
    if (!load_source(c, op, a) || !destination_address<T>(c, op, Access::read, from) || !load(c, from, b)) [[unlikely]] return false;
    Cmp::run(c.s, a, b);
    add_index(c, op, kEsi, step<T>(c));
    add_index(c, op, kEdi, step<T>(c));
    return true;
  }
};

template <class T>
struct Scas {
  static bool once(Core& c, const Op* op) {
    T b;
    std::uint32_t from;
    if (!destination_address<T>(c, op, Access::read, from) || !load(c, from, b)) [[unlikely]] return false;
    Cmp::run(c.s, get<T>(c, 0), b);
    add_index(c, op, kEdi, step<T>(c));
    return true;
  }
};

template <class T>
struct Ins {
  static bool once(Core& c, const Op* op) {
    std::uint32_t to;
    const auto port = get<std::uint16_t>(c, kEdx * 4);
    if (!check_io_permission(c, port, sizeof(T)) || !destination_address<T>(c, op, Access::write, to) || !aligned(c, to, sizeof(T)) ||
        !probe_write(c, to, sizeof(T))) {
      return false;
    }
    const T value = static_cast<T>(c.bus.port_read(port, sizeof(T)));
    --c.in_flight;
    if (!store<T>(c, to, value)) return false;
    watch_port(c, port, sizeof(T));
    add_index(c, op, kEdi, step<T>(c));
    return true;
  }
};

template <class T>
struct Outs {
  static bool once(Core& c, const Op* op) {
    T value;
    const auto port = get<std::uint16_t>(c, kEdx * 4);
    if (!check_io_permission(c, port, sizeof(T)) || !load_source(c, op, value)) return false;
    c.bus.port_write(port, sizeof(T), value);
    --c.in_flight;
    watch_port(c, port, sizeof(T));
    add_index(c, op, kEsi, step<T>(c));
    return true;
  }
};

/// Iterations of T from `linear` to the page end.
template <class T>
std::uint32_t to_page_end(std::uint32_t linear) {
  return (kPageSize - (linear & ~kPageMask)) / static_cast<std::uint32_t>(sizeof(T));
}

bool flat_forward(const Core& c, const Op* op) {
  return op->wide == 0 && (c.mode & kModeFlat) != 0 && op->address_size == 4 && (c.s.system_flags & kDf) == 0;
}

// The block moves: up to `count` iterations at once; 0 when they have to go one by one, as those do that write to the instruction's own block.

template <class T>
std::uint32_t move_block(Core& c, const Op* op, std::uint32_t count) {
  if (!flat_forward(c, op)) return 0;
  const std::uint32_t from = c.s.gpr[kEsi], to = c.s.gpr[kEdi];
  count = std::min({count, to_page_end<T>(from), to_page_end<T>(to)});
  if (count < 2) return 0;
  const std::size_t bytes = std::size_t{count} * sizeof(T);
  const std::byte* source = block_read_pointer(c, from);
  std::byte* destination = source == nullptr ? nullptr : block_write_pointer(c, to, static_cast<std::uint32_t>(bytes));
  if (destination == nullptr || op->handler == op_stale) return 0;
  const auto distance = static_cast<std::size_t>(destination - source);
  if (distance < bytes && distance < sizeof(T)) return 0;
  if (distance >= bytes) {
    std::memmove(destination, source, bytes);
  } else {
    // The destination follows the source within the block: the pattern of `distance` bytes repeats.
    for (std::size_t i = 0; i < bytes; i += sizeof(T)) std::memcpy(destination + i, source + i, sizeof(T));
  }
  c.s.gpr[kEsi] += static_cast<std::uint32_t>(bytes);
  c.s.gpr[kEdi] += static_cast<std::uint32_t>(bytes);
  return count;
}

template <class T>
std::uint32_t fill_block(Core& c, const Op* op, std::uint32_t count) {
  if (!flat_forward(c, op)) return 0;
  const std::uint32_t to = c.s.gpr[kEdi];
  count = std::min(count, to_page_end<T>(to));
  if (count < 2) return 0;
  std::byte* destination = block_write_pointer(c, to, count * static_cast<std::uint32_t>(sizeof(T)));
  if (destination == nullptr || op->handler == op_stale) return 0;
  const T value = get<T>(c, 0);
  for (std::uint32_t i = 0; i < count; ++i) std::memcpy(destination + std::size_t{i} * sizeof(T), &value, sizeof(T));
  c.s.gpr[kEdi] += count * static_cast<std::uint32_t>(sizeof(T));
  return count;
}

/// An interrupt is taken, or the run left, before the next iteration.
bool interrupted(const Core& c) { return (c.intr && (c.s.system_flags & kIf) != 0) || c.break_requested; }

/// One after the other at the time of each, until something comes in between; the rest of what INS and OUTS look at does not change.
template <class T>
std::uint32_t port_run(Core& c, std::uint16_t port, std::uint32_t count, std::byte* destination, const std::byte* source) {
  std::uint32_t done = 0;
  while (done < count) {
    T value;
    const std::size_t at = std::size_t{done} * sizeof(T);
    if (destination != nullptr) {
      value = static_cast<T>(c.bus.port_read(port, sizeof(T)));
      std::memcpy(destination + at, &value, sizeof(T));
    } else {
      std::memcpy(&value, source + at, sizeof(T));
      c.bus.port_write(port, sizeof(T), value);
    }
    --c.in_flight;
    ++done;
    if (interrupted(c)) break;
  }
  return done;
}

template <class T>
std::uint32_t port_block(Core& c, const Op* op, std::uint32_t count, bool input) {
  const auto port = get<std::uint16_t>(c, kEdx * 4);
  if (c.armed != 0 || !flat_forward(c, op) || !check_io_permission(c, port, sizeof(T))) {
    c.event = {};
    return 0;
  }
  const unsigned index = input ? kEdi : kEsi;
  const std::uint32_t at = c.s.gpr[index];
  std::byte* destination = input ? fast_write_pointer(c, at) : nullptr;
  const std::byte* source = input ? nullptr : fast_read_pointer(c, at);
  if (destination == nullptr && source == nullptr) return 0;
  count = std::min(count, to_page_end<T>(at));
  const std::size_t block = c.bus.port_block(port, sizeof(T));
  if (block < 2) {
    count = port_run<T>(c, port, count, destination, source);
  } else {
    count = static_cast<std::uint32_t>(std::min<std::size_t>(count, block));
    const std::size_t bytes = std::size_t{count} * sizeof(T);
    if (input) {
      c.bus.port_read_block(port, sizeof(T), {destination, bytes});
    } else {
      c.bus.port_write_block(port, sizeof(T), {source, bytes});
    }
    c.in_flight -= count;
  }
  c.s.gpr[index] += count * static_cast<std::uint32_t>(sizeof(T));
  return count;
}

template <class T>
std::uint32_t block_move(Core& c, const Op* op, std::uint32_t count, Mnemonic mnemonic) {
  switch (mnemonic) {
    case Mnemonic::movs: return move_block<T>(c, op, count);
    case Mnemonic::stos: return fill_block<T>(c, op, count);
    case Mnemonic::ins: return port_block<T>(c, op, count, true);
    case Mnemonic::outs: return port_block<T>(c, op, count, false);
    default: return 0;
  }
}

template <template <class> class Operation, class T, Mnemonic Name>
const Op* single(Core& c, const Op* op) {
  constexpr bool kPort = Name == Mnemonic::ins || Name == Mnemonic::outs;
  if constexpr (kPort) {
    bool ok = false;
    {
      const BusAccess access{c, op};
      ok = Operation<T>::once(c, op);
    }
    return ok ? leave(c, next_eip(c, op)) : fault(c, op);
  } else {
    if (!Operation<T>::once(c, op)) [[unlikely]] return fault(c, op);
    TUXARIUM_NEXT();
  }
}

/// Goes on with `op` itself: the iterations so far are retired, the rest comes when it is entered again.
const Op* leave_repeating(Core& c, const Op* op) {
  c.remaining += c.block->count - op->before - 1;
  c.s.eip = this_eip(c, op);
  // What comes between two iterations sees RF; an instruction breakpoint does not hit again.
  c.s.system_flags |= kRf;
  return nullptr;
}

template <template <class> class Operation, class T, Mnemonic Name>
const Op* repeated(Core& c, const Op* op) {
  constexpr bool kCompares = Name == Mnemonic::cmps || Name == Mnemonic::scas;
  constexpr bool kPort = Name == Mnemonic::ins || Name == Mnemonic::outs;
  const std::uint32_t wanted = index_register(c, op, kEcx);
  // The block's count holds one iteration of this instruction already.
  const auto allowed = static_cast<std::uint32_t>(std::clamp<std::int64_t>(c.remaining + 1, 1, kPageSize));
  const std::uint32_t limit = std::min(wanted, allowed);
  std::uint32_t done = 0;
  bool finished = wanted == 0, faulted = false;
  if constexpr (kPort) {
    // The permission is asked for also when there is nothing to do.
    if (wanted == 0 && !check_io_permission(c, get<std::uint16_t>(c, kEdx * 4), sizeof(T))) return fault(c, op);
    c.in_flight = c.block->count - op->before;
  }
  while (done < limit && !finished) {
    if constexpr (!kCompares) {
      const std::uint32_t moved = block_move<T>(c, op, limit - done, Name);
      if (moved != 0) {
        add_index(c, op, kEcx, 0u - moved);
        done += moved;
        if constexpr (kPort) {
          if (interrupted(c)) break;
        }
        continue;
      }
    }
    if (!Operation<T>::once(c, op)) [[unlikely]] {
      faulted = true;
      break;
    }
    add_index(c, op, kEcx, 0u - 1);
    ++done;
    if (op->handler == op_stale) [[unlikely]] break;  // it has written to its own code
    if constexpr (kPort) {
      if (c.debug_hits != 0 || interrupted(c)) break;
    }
    if constexpr (kCompares) finished = flag_zf(c.s) != (op->repeat == static_cast<std::uint8_t>(Repeat::rep));
  }
  if constexpr (kPort) c.in_flight = 0;
  finished = finished || (!faulted && done == wanted);
  if (faulted) {
    c.remaining -= done;
    return fault(c, op);
  }
  if (done > 1) c.remaining -= done - 1;
  if (!finished) return leave_repeating(c, op);
  if constexpr (kPort) {
    return leave(c, next_eip(c, op));
  } else {
    TUXARIUM_NEXT();
  }
}

template <template <class> class Operation, class T, Mnemonic Name>
Handler pick_repeat(const Instruction& i) {
  return i.repeat == Repeat::none ? single<Operation, T, Name> : repeated<Operation, T, Name>;
}

template <template <class> class Operation, Mnemonic Name>
Handler pick_size(const Instruction& i, unsigned size) {
  switch (size) {
    case 1: return pick_repeat<Operation, std::uint8_t, Name>(i);
    case 2: return pick_repeat<Operation, std::uint16_t, Name>(i);
    default: return pick_repeat<Operation, std::uint32_t, Name>(i);
  }
}

// IN and OUT: the last of their block.

template <unsigned Size, bool Immediate>
const Op* op_in(Core& c, const Op* op) {
  const auto port = static_cast<std::uint16_t>(Immediate ? op->immediate : get<std::uint16_t>(c, kEdx * 4));
  if (!check_io_permission(c, port, Size)) return fault(c, op);
  std::uint32_t value = 0;
  {
    const BusAccess access{c, op};
    value = c.bus.port_read(port, Size);
  }
  watch_port(c, port, Size);
  if constexpr (Size == 1) put<std::uint8_t>(c, 0, static_cast<std::uint8_t>(value));
  if constexpr (Size == 2) put<std::uint16_t>(c, 0, static_cast<std::uint16_t>(value));
  if constexpr (Size == 4) put<std::uint32_t>(c, 0, value);
  return leave(c, next_eip(c, op));
}

template <unsigned Size, bool Immediate>
const Op* op_out(Core& c, const Op* op) {
  const auto port = static_cast<std::uint16_t>(Immediate ? op->immediate : get<std::uint16_t>(c, kEdx * 4));
  if (!check_io_permission(c, port, Size)) return fault(c, op);
  std::uint32_t value = c.s.gpr[kEax];
  if constexpr (Size < 4) value &= (1u << (8 * Size)) - 1;
  {
    const BusAccess access{c, op};
    c.bus.port_write(port, Size, value);
  }
  watch_port(c, port, Size);
  return leave(c, next_eip(c, op));
}

template <bool Immediate>
Handler pick_port(bool input, unsigned size) {
  switch (size) {
    case 1: return input ? op_in<1, Immediate> : op_out<1, Immediate>;
    case 2: return input ? op_in<2, Immediate> : op_out<2, Immediate>;
    default: return input ? op_in<4, Immediate> : op_out<4, Immediate>;
  }
}

}  // namespace

Handler pick_string(const Instruction& i, Op& op) {
  const unsigned size = op.operand_size;
  switch (i.mnemonic()) {
    case Mnemonic::movs: return pick_size<Movs, Mnemonic::movs>(i, size);
    case Mnemonic::cmps: return pick_size<Cmps, Mnemonic::cmps>(i, size);
    case Mnemonic::stos: return pick_size<Stos, Mnemonic::stos>(i, size);
    case Mnemonic::lods: return pick_size<Lods, Mnemonic::lods>(i, size);
    case Mnemonic::scas: return pick_size<Scas, Mnemonic::scas>(i, size);
    case Mnemonic::ins: return pick_size<Ins, Mnemonic::ins>(i, size);
    case Mnemonic::outs: return pick_size<Outs, Mnemonic::outs>(i, size);
    case Mnemonic::in: return i.row->operand[1] == Operand::Ib ? pick_port<true>(true, size) : pick_port<false>(true, size);
    case Mnemonic::out: return i.row->operand[0] == Operand::Ib ? pick_port<true>(false, size) : pick_port<false>(false, size);
    default: return nullptr;
  }
}

}  // namespace tuxarium::cpu
