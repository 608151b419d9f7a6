// The members of BasicUnit that are not inline; instantiated once for each backend.
#pragma once

#include "cpu/x87/environment_image.hpp"
#include "cpu/x87/handler_tables.hpp"

namespace tuxarium::cpu::x87 {

template <class A>
void BasicUnit<A>::fninit() {
  state_.control = 0x037f;
  state_.status = 0;
  state_.top = 0;
  state_.valid = 0;
  state_.last_opcode = 0;
  state_.instruction_selector = state_.operand_selector = 0;
  state_.instruction_offset = state_.operand_offset = 0;
}

template <class A>
const std::array<typename BasicUnit<A>::RegisterHandler, 512> BasicUnit<A>::kRegisterHandlers = HandlerTables<A>::kRegisters;
template <class A>
const std::array<typename BasicUnit<A>::LoadHandler, 64> BasicUnit<A>::kLoadHandlers = HandlerTables<A>::kLoads;
template <class A>
const std::array<typename BasicUnit<A>::StoreHandler, 64> BasicUnit<A>::kStoreHandlers = HandlerTables<A>::kStores;

template <class A>
bool BasicUnit<A>::is_waiting(unsigned escape, unsigned modrm) {
  const unsigned reg = modrm >> 3 & 7u;
  if (modrm < 0xc0) return !((escape & 7u) == 1 && reg >= 6) && !((escape & 7u) == 5 && reg >= 6);
  return !((escape & 7u) == 3 && reg == 4) && !((escape & 7u) == 7 && modrm == 0xe0);
}

template <class A>
bool BasicUnit<A>::is_control(unsigned escape, unsigned modrm) {
  const unsigned reg = modrm >> 3 & 7u;
  if (modrm < 0xc0) return ((escape & 7u) == 1 && reg >= 4) || ((escape & 7u) == 5 && reg >= 4);
  return !is_waiting(escape, modrm);
}

template <class A>
RegisterForm BasicUnit<A>::register_form(unsigned escape, unsigned modrm) {
  const unsigned code = escape & 7u, reg = modrm >> 3 & 7u;
  RegisterForm form;
  form.valid = register_handler(escape, modrm) != nullptr;
  form.waiting = is_waiting(escape, modrm);
  form.control = is_control(escape, modrm);
  form.writes_eflags = form.valid && (code == 3 || code == 7) && (reg == 5 || reg == 6);
  form.reads_eflags = form.writes_eflags || (form.valid && (code == 2 || code == 3) && reg < 4);
  form.writes_ax = code == 7 && modrm == 0xe0;
  return form;
}

template <class A>
MemoryForm BasicUnit<A>::memory_form(unsigned escape, unsigned reg, bool wide) {
  using enum MemoryKind;
  static constexpr MemoryForm kForms[8][8] = {
      {{load, 4}, {load, 4}, {load, 4}, {load, 4}, {load, 4}, {load, 4}, {load, 4}, {load, 4}},
      {{load, 4}, {}, {store, 4}, {store, 4}, {load_environment, 28}, {load_control, 2}, {store_environment, 28}, {store_control, 2}},
      {{load, 4}, {load, 4}, {load, 4}, {load, 4}, {load, 4}, {load, 4}, {load, 4}, {load, 4}},
      {{load, 4}, {store, 4}, {store, 4}, {store, 4}, {}, {load, 10}, {}, {store, 10}},
      {{load, 8}, {load, 8}, {load, 8}, {load, 8}, {load, 8}, {load, 8}, {load, 8}, {load, 8}},
      {{load, 8}, {store, 8}, {store, 8}, {store, 8}, {load_state, 108}, {}, {save_state, 108}, {store_control, 2}},
      {{load, 2}, {load, 2}, {load, 2}, {load, 2}, {load, 2}, {load, 2}, {load, 2}, {load, 2}},
      {{load, 2}, {store, 2}, {store, 2}, {store, 2}, {load, 10}, {load, 8}, {store, 10}, {store, 8}}};
  MemoryForm form = kForms[escape & 7u][reg & 7u];
  if (!wide && form.bytes > 10) form.bytes = static_cast<std::uint8_t>(form.bytes - 14);
  return form;
}

template <class A>
Outcome BasicUnit<A>::execute_register(unsigned escape, unsigned modrm, RegisterIo& io) {
  const RegisterHandler handler = register_handler(escape, modrm);
  if (handler == nullptr) return Outcome::invalid_opcode;
  handler(*this, modrm & 7u, io);
  return Outcome::ok;
}

template <class A>
void BasicUnit<A>::execute_load(unsigned escape, unsigned reg, std::span<const std::byte> operand, EnvLayout layout) {
  const MemoryForm form = memory_form(escape, reg, layout.wide);
  if (operand.size() != form.bytes) return;
  const std::size_t environment_bytes = layout.wide ? kWideEnvironmentBytes : kNarrowEnvironmentBytes;
  switch (form.kind) {
    case MemoryKind::load_environment:
      return read_environment(*this, operand, layout);
    case MemoryKind::load_state:
      read_environment(*this, operand.first(environment_bytes), layout);
      return read_registers(*this, operand.subspan(environment_bytes));
    case MemoryKind::load:
    case MemoryKind::load_control:
      break;
    default:
      return;
  }
  if (form.bytes != 10) return load_handler(escape, reg)(*this, read_little(operand));
  const std::uint64_t low = read_little(operand.first(8));
  const auto high = static_cast<std::uint16_t>(read_little(operand.subspan(8)));
  Operations<A>::load(*this, (escape & 7u) == 3 ? Float80{low, high} : from_decimal(low, high), 0);
}

template <class A>
StagedStore BasicUnit<A>::prepare_store(unsigned escape, unsigned reg, std::span<std::byte> out, EnvLayout layout) const {
  const MemoryForm form = memory_form(escape, reg, layout.wide);
  StagedStore staged;
  staged.effect = StagedStore::Effect::none;
  if (out.size() < form.bytes) return staged;
  const std::size_t environment_bytes = layout.wide ? kWideEnvironmentBytes : kNarrowEnvironmentBytes;
  staged.size = form.bytes;
  switch (form.kind) {
    case MemoryKind::store_environment:
      write_environment(*this, out, layout);
      staged.effect = StagedStore::Effect::mask_exceptions;
      return staged;
    case MemoryKind::save_state:
      write_environment(*this, out, layout);
      write_registers(*this, out.subspan(environment_bytes));
      staged.effect = StagedStore::Effect::initialise;
      return staged;
    case MemoryKind::store:
    case MemoryKind::store_control:
      break;
    default:
      staged.size = 0;
      return staged;
  }
  staged = store_handler(escape, reg)(*this);
  write_little(out.first(staged.size < 8 ? staged.size : 8), staged.bits);
  if (staged.size == 10) write_little(out.subspan(8, 2), staged.high_bits);
  return staged;
}

template <class A>
void BasicUnit<A>::commit_control_store(const StagedStore& staged) {
  if (staged.effect == StagedStore::Effect::mask_exceptions) state_.control |= status::kExceptions;
  if (staged.effect == StagedStore::Effect::initialise) fninit();
}

template <class A>
std::uint16_t BasicUnit<A>::tag_word() const {
  unsigned word = 0;
  for (unsigned n = 0; n < 8; ++n) {
    const Float80& f = state_.registers[n];
    unsigned tag = 0;
    if ((state_.valid >> n & 1u) == 0) {
      tag = 3;
    } else if (is_zero(f)) {
      tag = 1;
    } else if (f.exponent() == 0 || f.exponent() == kMaxExponent || is_unsupported(f)) {
      tag = 2;
    }
    word |= tag << (2 * n);
  }
  return static_cast<std::uint16_t>(word);
}

template <class A>
void BasicUnit<A>::set_tag_word(std::uint16_t value) {
  unsigned valid = 0;
  for (unsigned n = 0; n < 8; ++n) valid |= ((value >> (2 * n) & 3u) != 3 ? 1u : 0u) << n;
  state_.valid = static_cast<std::uint8_t>(valid);
}

}  // namespace tuxarium::cpu::x87
