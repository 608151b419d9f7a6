// What all MMX and SSE instructions share: the slow ways to memory, and which file has the handler.

#include "cpu/simd_handlers.hpp"

namespace tuxarium::cpu {

namespace {

/// Linear address of the memory operand after all checks but translation. 16 bytes that need not be aligned are not checked.
bool vector_address(Core& c, const Op* op, unsigned size, bool aligned, Access access, std::uint32_t& linear) {
  if (!operand_address<true>(c, op, size, access, linear)) return false;
  if (aligned) return (linear & (size - 1)) == 0 || raise(c, kGeneralProtection, 0);
  return size == 16 || cpu::aligned(c, linear, size);
}

}  // namespace

bool fetch_vector(Core& c, const Op* op, unsigned size, bool aligned) {
  std::uint32_t linear = 0;
  if (!vector_address(c, op, size, aligned, Access::read, linear)) return false;
  const SlowValue low = load_slow(c, linear, size < 8 ? size : 8, false);
  if (!low.ok) return false;
  SlowValue high{0, true};
  if (size == 16) high = load_slow(c, linear + 8, 8, false);
  c.s.xmm[kXmmScratch] = {low.value, high.value};
  return high.ok;
}

bool deliver_vector(Core& c, const Op* op, unsigned size, bool aligned) {
  std::uint32_t linear = 0;
  if (!vector_address(c, op, size, aligned, Access::write, linear) || !probe_write(c, linear, size)) return false;
  const auto& value = c.s.xmm[kXmmScratch];
  if (!store_slow(c, linear, value[0], size < 8 ? size : 8, false)) return false;
  return size != 16 || store_slow(c, linear + 8, value[1], 8, false);
}

Handler pick_simd(const Instruction& i, bool wide) {
  if (const Handler h = pick_simd_integer(i, wide)) return h;
  if (const Handler h = pick_simd_move(i, wide)) return h;
  if (const Handler h = pick_simd_float(i, wide)) return h;
  return pick_simd_state(i);
}

}  // namespace tuxarium::cpu
