// D8-DF and FWAIT: from decoded instructions to the x87 unit, with #NM, #MF and FERR. Intel SDM volume 1 chapter 8, volume 3A section 2.5.

#include <array>

#include "cpu/handlers.hpp"
#include "cpu/x87/common.hpp"
#include "cpu/x87_pending.hpp"

namespace tuxarium::cpu {

namespace {

using x87::BinaryOp;
using x87::MemoryKind;
using x87::Unit;
using Common = x87::Common<Unit>;

constexpr unsigned kMaxImage = 108;

unsigned escape_of(const Op* op) { return op->opcode & 7; }
unsigned reg_of(const Op* op) { return op->modrm >> 3 & 7; }

/// CR0.EM and CR0.TS.
TUXARIUM_HOT bool available(Core& c) {
  if ((c.s.cr0 & (kCr0Em | kCr0Ts)) == 0) [[likely]] return true;
  return raise(c, kDeviceNotAvailable);
}

TUXARIUM_HOT void record(Core& c, const Op* op) {
  c.fpu.record_instruction(c.s.segment[kCs].selector, this_eip(c, op), escape_of(op), op->modrm);
}

TUXARIUM_HOT bool fpu_address(Core& c, const Op* op, unsigned size, Access access, std::uint32_t& linear) {
  return op->wide != 0 ? operand_address<true>(c, op, size, access, linear) : operand_address<false>(c, op, size, access, linear);
}

void record_memory(Core& c, const Op* op) {
  record(c, op);
  c.fpu.record_operand(c.s.segment[op->segment].selector, cut(operand_offset(c, op), op->address_size));
}

template <class T>
const Op* fpu_load(Core& c, const Op* op) {
  std::uint32_t linear;
  T value;
  if (!available(c) || !no_error_pending(c)) [[unlikely]] return not_now(c, op);
  if (!fpu_address(c, op, sizeof(T), Access::read, linear) || !load(c, linear, value)) [[unlikely]] return fault(c, op);
  record_memory(c, op);
  Unit::load_handler(escape_of(op), reg_of(op))(c.fpu, value);
  TUXARIUM_NEXT();
}

/// A store that an unmasked exception suppresses has the faults of one all the same.
template <class T>
bool store_or_probe(Core& c, std::uint32_t linear, const x87::StagedStore& staged) {
  if (staged.size != 0) return store<T>(c, linear, static_cast<T>(staged.bits));
  return aligned(c, linear, sizeof(T)) && probe_write(c, linear, sizeof(T));
}

template <class T>
TUXARIUM_OUTLINE const Op* fpu_store(Core& c, const Op* op) {
  std::uint32_t linear;
  if (!available(c) || !no_error_pending(c)) [[unlikely]] return not_now(c, op);
  if (!fpu_address(c, op, sizeof(T), Access::write, linear)) [[unlikely]] return fault(c, op);
  const x87::StagedStore staged = Unit::store_handler(escape_of(op), reg_of(op))(c.fpu);
  if (!store_or_probe<T>(c, linear, staged)) [[unlikely]] return fault(c, op);
  record_memory(c, op);
  c.fpu.commit_store(staged);
  return op + 1;
}

x87::EnvLayout layout(const Core& c, const Op* op) { return {.wide = op->operand_size == 4, .protected_mode = !c.real_or_vm86()}; }

bool load_image(Core& c, std::uint32_t linear, std::span<std::byte> image) {
  for (std::size_t i = 0; i < image.size(); ++i) {
    std::uint8_t byte;
    if (!load(c, linear + static_cast<std::uint32_t>(i), byte)) return false;
    image[i] = static_cast<std::byte>(byte);
  }
  return true;
}

bool store_image(Core& c, std::uint32_t linear, std::span<const std::byte> image) {
  if (!image.empty() && !probe_write(c, linear, static_cast<unsigned>(image.size()))) return false;
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (!store<std::uint8_t>(c, linear + static_cast<std::uint32_t>(i), std::to_integer<std::uint8_t>(image[i]))) return false;
  }
  return true;
}

/// Address of the memory operand of fpu_memory(). Images of the environment are as aligned as their words.
bool image_address(Core& c, const Op* op, unsigned bytes, Access access, std::uint32_t& linear) {
  const unsigned alignment = bytes == 2 ? 2u : bytes == 10 ? 8u : op->operand_size;
  return fpu_address(c, op, bytes, access, linear) && aligned(c, linear, alignment);
}

/// All other memory forms: 80-bit, BCD, control and status words, environment, whole state.
TUXARIUM_OUTLINE const Op* fpu_memory(Core& c, const Op* op) {
  const auto form = Unit::memory_form(escape_of(op), reg_of(op), op->operand_size == 4);
  if (!available(c)) return fault(c, op);
  if (form.kind == MemoryKind::invalid) return op_undefined(c, op);
  if (Unit::is_waiting(escape_of(op), op->modrm) && !no_error_pending(c)) return not_now(c, op);
  std::array<std::byte, kMaxImage> buffer{};
  const auto image = std::span{buffer}.first(form.bytes);
  std::uint32_t linear;
  switch (form.kind) {
    case MemoryKind::load:
    case MemoryKind::load_control:
    case MemoryKind::load_environment:
    case MemoryKind::load_state:
      if (!image_address(c, op, form.bytes, Access::read, linear) || !load_image(c, linear, image)) return fault(c, op);
      if (!Unit::is_control(escape_of(op), op->modrm)) record_memory(c, op);
      c.fpu.execute_load(escape_of(op), reg_of(op), image, layout(c, op));
      break;
    default: {
      if (!image_address(c, op, form.bytes, Access::write, linear)) return fault(c, op);
      const x87::StagedStore staged = c.fpu.prepare_store(escape_of(op), reg_of(op), image, layout(c, op));
      const bool suppressed = staged.effect == x87::StagedStore::Effect::value && staged.size == 0;
      if (suppressed ? !probe_write(c, linear, form.bytes) : !store_image(c, linear, image)) return fault(c, op);
      if (!Unit::is_control(escape_of(op), op->modrm)) record_memory(c, op);
      c.fpu.commit_store(staged);
      break;
    }
  }
  return op + 1;
}

/// Register forms that exchange nothing with the integer unit.
TUXARIUM_OUTLINE const Op* fpu_register(Core& c, const Op* op) {
  if (!available(c) || !no_error_pending(c)) [[unlikely]] return not_now(c, op);
  record(c, op);
  x87::RegisterIo io;
  Unit::register_handler(escape_of(op), op->modrm)(c.fpu, op->modrm & 7u, io);
  return op + 1;
}

/// The others, and the control instructions.
TUXARIUM_OUTLINE const Op* fpu_register_any(Core& c, const Op* op) {
  const auto form = Unit::register_form(escape_of(op), op->modrm);
  if (!available(c)) return fault(c, op);
  if (!form.valid) return op_undefined(c, op);
  if (form.waiting && !no_error_pending(c)) return not_now(c, op);
  if (!form.control) record(c, op);
  x87::RegisterIo io;
  io.eflags = get_eflags(c.s);
  c.fpu.execute_register(escape_of(op), op->modrm, io);
  if (form.writes_eflags) load_arithmetic_flags(c.s, io.eflags);
  if (form.writes_ax) put<std::uint16_t>(c, 0, io.ax);
  update_ferr(c);
  return op + 1;
}

const Op* op_fwait(Core& c, const Op* op) {
  if ((c.s.cr0 & (kCr0Mp | kCr0Ts)) == (kCr0Mp | kCr0Ts)) {
    raise(c, kDeviceNotAvailable);
    return fault(c, op);
  }
  if (c.has(Feature::fpu) && !no_error_pending(c)) return not_now(c, op);
  TUXARIUM_NEXT();
}

// A processor without an x87 unit: nobody drives the bus, so status reads as all ones and everything else does nothing.

const Op* no_fpu_register(Core& c, const Op* op) {
  if (!available(c)) return fault(c, op);
  if (escape_of(op) == 7 && op->modrm == 0xe0) put<std::uint16_t>(c, 0, 0xffff);
  TUXARIUM_NEXT();
}

const Op* no_fpu_memory(Core& c, const Op* op) {
  if (!available(c)) return fault(c, op);
  const bool status_or_control = (escape_of(op) == 5 || escape_of(op) == 1) && reg_of(op) == 7;
  std::uint32_t linear;
  if (status_or_control && (!fpu_address(c, op, 2, Access::write, linear) || !store<std::uint16_t>(c, linear, 0xffff))) return fault(c, op);
  TUXARIUM_NEXT();
}

// The commonest instructions by handlers that call nothing; what is not simple goes to the whole handlers above.

TUXARIUM_HOT bool ready(const Core& c) { return (c.s.cr0 & (kCr0Em | kCr0Ts)) == 0 && !c.fpu.error_pending(); }

TUXARIUM_HOT void record_flat(Core& c, const Op* op, std::uint32_t offset) {
  record(c, op);
  c.fpu.record_operand(c.s.segment[op->segment].selector, offset);
}

template <bool (*Execute)(Unit&, unsigned)>
const Op* common_register(Core& c, const Op* op) {
  if (!ready(c) || !Execute(c.fpu, op->modrm & 7u)) [[unlikely]] return go_slow<step_out<fpu_register>>(c, op);
  record(c, op);
  TUXARIUM_NEXT();
}

template <class T, bool (*Execute)(Unit&, T)>
const Op* common_load(Core& c, const Op* op) {
  const std::uint32_t offset = operand_offset(c, op);
  T value;
  if (!ready(c) || !try_load(c, offset, value) || !Execute(c.fpu, value)) [[unlikely]] return go_slow<fpu_load<T>>(c, op);
  record_flat(c, op, offset);
  TUXARIUM_NEXT();
}

template <class T, unsigned Pops>
const Op* common_store(Core& c, const Op* op) {
  const std::uint32_t offset = operand_offset(c, op);
  x87::ValueResult value;
  if (!ready(c) || !Common::stage<T>(c.fpu, value) || !try_store(c, offset, static_cast<T>(value.bits))) [[unlikely]] {
    return go_slow<step_out<fpu_store<T>>>(c, op);
  }
  record_flat(c, op, offset);
  Common::commit_store<Pops>(c.fpu, value.status);
  TUXARIUM_NEXT();
}

/// D8 (ST(0) op= ST(i)), DC (ST(i) op= ST(0)) and DE (the same, and pops).
template <bool IntoI, unsigned Pops>
Handler pick_common_binary(unsigned reg) {
  switch (reg) {
    case 0: return common_register<Common::binary<BinaryOp::add, IntoI, Pops>>;
    case 1: return common_register<Common::binary<BinaryOp::mul, IntoI, Pops>>;
    case 4: return common_register<Common::binary<BinaryOp::sub, IntoI, Pops>>;
    case 5: return common_register<Common::binary<BinaryOp::sub_reversed, IntoI, Pops>>;
    default: return nullptr;
  }
}

Handler pick_common_register(unsigned escape, unsigned modrm) {
  const unsigned reg = modrm >> 3 & 7;
  switch (escape) {
    case 0: return pick_common_binary<false, 0>(reg);
    case 1:
      if (reg == 0) return common_register<Common::fld>;
      if (reg == 1) return common_register<Common::fxch>;
      if (modrm == 0xe0) return common_register<Common::change_sign<0, 0x8000>>;
      return modrm == 0xe1 ? common_register<Common::change_sign<0x8000, 0>> : nullptr;
    case 4: return pick_common_binary<true, 0>(reg);
    case 5:
      if (reg == 2) return common_register<Common::fst<0>>;
      return reg == 3 ? common_register<Common::fst<1>> : nullptr;
    case 6: return pick_common_binary<true, 1>(reg);
    default: return nullptr;
  }
}

template <class T>
Handler pick_common_arithmetic(unsigned reg) {
  switch (reg) {
    case 0: return common_load<T, Common::binary_with<BinaryOp::add, T>>;
    case 1: return common_load<T, Common::binary_with<BinaryOp::mul, T>>;
    case 4: return common_load<T, Common::binary_with<BinaryOp::sub, T>>;
    case 5: return common_load<T, Common::binary_with<BinaryOp::sub_reversed, T>>;
    default: return nullptr;
  }
}

template <class T>
Handler pick_common_move(unsigned reg) {
  switch (reg) {
    case 0: return common_load<T, Common::load<T>>;
    case 2: return common_store<T, 0>;
    case 3: return common_store<T, 1>;
    default: return nullptr;
  }
}

Handler pick_common_memory(unsigned escape, unsigned reg) {
  switch (escape) {
    case 0: return pick_common_arithmetic<std::uint32_t>(reg);
    case 1: return pick_common_move<std::uint32_t>(reg);
    case 3: return reg == 0 ? common_load<std::uint32_t, Common::load_integer<std::uint32_t>> : nullptr;
    case 4: return pick_common_arithmetic<std::uint64_t>(reg);
    case 5: return pick_common_move<std::uint64_t>(reg);
    case 7:
      if (reg == 0) return common_load<std::uint16_t, Common::load_integer<std::uint16_t>>;
      return reg == 5 ? common_load<std::uint64_t, Common::load_integer<std::uint64_t>> : nullptr;
    default: return nullptr;
  }
}

Handler pick_memory_form(unsigned escape, unsigned reg, bool wide_operand) {
  const auto form = Unit::memory_form(escape, reg, wide_operand);
  if (form.kind == MemoryKind::load && Unit::load_handler(escape, reg) != nullptr) {
    if (form.bytes == 2) return fpu_load<std::uint16_t>;
    if (form.bytes == 4) return fpu_load<std::uint32_t>;
    if (form.bytes == 8) return fpu_load<std::uint64_t>;
  }
  if (form.kind == MemoryKind::store && Unit::store_handler(escape, reg) != nullptr) {
    if (form.bytes == 2) return step_out<fpu_store<std::uint16_t>>;
    if (form.bytes == 4) return step_out<fpu_store<std::uint32_t>>;
    if (form.bytes == 8) return step_out<fpu_store<std::uint64_t>>;
  }
  return step_out<fpu_memory>;
}

}  // namespace

bool report_x87_error(Core& c) {
  if ((c.s.cr0 & kCr0Ne) != 0) return raise(c, kFpuError);
  c.ferr = true;
  c.bus.fpu_error(true);
  return false;
}

const Op* not_now(Core& c, const Op* op) {
  const Op* result = fault(c, op);
  // Waiting costs time, so that a run's budget is used up when the board never answers.
  if (c.event.kind == PendingEvent::Kind::none && c.remaining > 0) --c.remaining;
  return result;
}

Handler pick_x87(const Instruction& i, bool wide, Op& op) {
  op.wide = wide ? 1 : 0;
  if (i.mnemonic() == Mnemonic::fwait) return op_fwait;
  const bool has_fpu = op.repeat == 0;
  op.repeat = 0;
  if (!has_fpu) return i.is_memory ? no_fpu_memory : no_fpu_register;
  const unsigned escape = i.opcode & 7;
  if (const Handler common = i.is_memory ? (wide ? nullptr : pick_common_memory(escape, i.reg)) : pick_common_register(escape, i.modrm)) return common;
  if (i.is_memory) return pick_memory_form(escape, i.reg, i.operand_size == 4);
  const auto form = Unit::register_form(escape, i.modrm);
  const bool plain = form.valid && form.waiting && !form.control && !form.reads_eflags && !form.writes_eflags && !form.writes_ax;
  return plain && Unit::register_handler(escape, i.modrm) != nullptr ? step_out<fpu_register> : step_out<fpu_register_any>;
}

}  // namespace tuxarium::cpu
