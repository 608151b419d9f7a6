#include <tuxarium/inspect.hpp>

#include <algorithm>
#include <utility>

#include "cpu/flags.hpp"
#include "machine/machine_impl.hpp"

namespace tuxarium {

namespace {

SegmentView view_of(const cpu::Segment& s) {
  return {.selector = s.selector, .base = s.base, .limit = s.limit, .access = s.access, .valid = s.valid != 0};
}

cpu::Segment segment_of(const SegmentView& v) {
  cpu::Segment s;
  s.selector = v.selector;
  s.base = v.base;
  s.limit = v.limit;
  s.access = v.access;
  s.valid = v.valid ? 1 : 0;
  return s;
}

}  // namespace

void Machine::Impl::set_registers(const Registers& r) {
  cpu::CpuState s = board_.cpu().state();
  for (std::size_t i = 0; i < r.gpr.size(); ++i) s.gpr[i] = r.gpr[i];
  s.eip = r.eip;
  cpu::set_eflags(s, r.eflags);
  for (std::size_t i = 0; i < r.segment.size(); ++i) s.segment[i] = segment_of(r.segment[i]);
  s.ldtr = segment_of(r.ldtr);
  s.tr = segment_of(r.tr);
  s.gdtr = {.base = r.gdtr_base, .limit = r.gdtr_limit};
  s.idtr = {.base = r.idtr_base, .limit = r.idtr_limit};
  s.cr0 = r.cr0;
  s.cr2 = r.cr2;
  s.cr3 = r.cr3;
  s.cr4 = r.cr4;
  s.dr = r.dr;
  std::copy(r.xmm.begin(), r.xmm.end(), s.xmm.begin());
  s.mxcsr = r.mxcsr;
  const bool protected_mode = (s.cr0 & cpu::kCr0Pe) != 0;
  s.cpl = static_cast<std::uint8_t>(!protected_mode ? 0 : (r.eflags & cpu::kVm) != 0 ? 3 : r.segment[cpu::kSs].access >> 13 & 3);
  s.halted = 0;
  s.interrupt_shadow = 0;
  board_.cpu().set_state(s);
  powered_off_ = false;
}

Registers Inspector::registers() const {
  const cpu::CpuState& s = machine_->impl_->board().cpu().state();
  Registers r;
  for (std::size_t i = 0; i < r.gpr.size(); ++i) r.gpr[i] = s.gpr[i];
  r.eip = s.eip;
  r.eflags = cpu::get_eflags(s);
  for (std::size_t i = 0; i < r.segment.size(); ++i) r.segment[i] = view_of(s.segment[i]);
  r.ldtr = view_of(s.ldtr);
  r.tr = view_of(s.tr);
  r.gdtr_base = s.gdtr.base, r.gdtr_limit = s.gdtr.limit;
  r.idtr_base = s.idtr.base, r.idtr_limit = s.idtr.limit;
  r.cr0 = s.cr0, r.cr2 = s.cr2, r.cr3 = s.cr3, r.cr4 = s.cr4;
  r.dr = s.dr;
  std::copy_n(s.xmm.begin(), r.xmm.size(), r.xmm.begin());
  r.mxcsr = s.mxcsr;
  return r;
}

void Inspector::set_registers(const Registers& registers) { machine_->impl_->set_registers(registers); }

bool Inspector::read_physical(std::uint32_t address, std::span<std::byte> out) const {
  const std::byte* source = machine_->impl_->board().memory_at(address, out.size());
  if (source == nullptr) return out.empty();
  std::copy_n(source, out.size(), out.begin());
  return true;
}

bool Inspector::write_physical(std::uint32_t address, std::span<const std::byte> data) {
  machine::Board& board = machine_->impl_->board();
  if (data.empty()) return true;
  if (!board.ram().contains(address, data.size())) return false;
  std::copy(data.begin(), data.end(), board.ram().data() + address);
  board.cpu().ram_changed(address, data.size());
  return true;
}

std::optional<std::uint32_t> Inspector::translate(std::uint32_t linear) const {
  std::uint32_t physical = 0;
  if (!machine_->impl_->board().cpu().translate(linear, physical)) return std::nullopt;
  return physical;
}

namespace {

/// Calls `part(physical, first, count)` for each piece of [linear, linear + size) that lies in one page; false when one is not memory.
template <class Translate, class Contains, class Part>
bool for_each_page(std::uint32_t linear, std::size_t size, Translate translate, Contains contains, Part part) {
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t done = 0; done < size;) {
      const auto at = static_cast<std::uint32_t>(linear + done);
      const std::size_t count = std::min<std::size_t>(size - done, memory::kPageSize - (at & (memory::kPageSize - 1)));
      const std::optional<std::uint32_t> physical = translate(at);
      if (!physical || !contains(*physical, count)) return false;
      if (pass == 1) part(*physical, done, count);
      done += count;
    }
  }
  return true;
}

}  // namespace

bool Inspector::read_linear(std::uint32_t address, std::span<std::byte> out) const {
  return for_each_page(
      address, out.size(), [this](std::uint32_t at) { return translate(at); },
      [this](std::uint32_t at, std::size_t count) { return machine_->impl_->board().memory_at(at, count) != nullptr; },
      [this, out](std::uint32_t physical, std::size_t first, std::size_t count) { read_physical(physical, out.subspan(first, count)); });
}

bool Inspector::write_linear(std::uint32_t address, std::span<const std::byte> data) {
  return for_each_page(
      address, data.size(), [this](std::uint32_t at) { return translate(at); },
      [this](std::uint32_t at, std::size_t count) { return machine_->impl_->board().ram().contains(at, count); },
      [this, data](std::uint32_t physical, std::size_t first, std::size_t count) { write_physical(physical, data.subspan(first, count)); });
}

RunResult Inspector::run(std::uint64_t count) {
  if (count == 0) return {};
  return machine_->run({.cycles = count, .wall = std::chrono::nanoseconds{0}});
}

void Inspector::watch_ports(std::uint16_t first, std::uint16_t last, std::function<void(const PortAccess&)> callback) {
  bus::PortBus& ports = machine_->impl_->board().ports();
  if (!callback) {
    ports.set_watch(1, 0, {});
    return;
  }
  ports.set_watch(first, last, [call = std::move(callback)](std::uint16_t port, unsigned width, bool write, std::uint32_t value) {
    call({.port = port, .width = static_cast<std::uint8_t>(width), .write = write, .value = value});
  });
}

std::uint64_t Inspector::state_hash() const { return machine_->impl_->board().state_hash(); }

}  // namespace tuxarium
