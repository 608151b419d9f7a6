// SSE2: a filter over 16-bit samples, a weighted sum of vectors of floats, and the Mandelbrot set in pairs of doubles. Built with -msse2,
// unlike the rest; the compiler's vector types keep it free of headers that need a C library.

#include "workloads.hpp"

namespace guest {

namespace {

using Doubles = double __attribute__((vector_size(16)));
using Floats = float __attribute__((vector_size(16)));
using Shorts = short __attribute__((vector_size(16)));

constexpr unsigned kVectors = 512;  // of 16 bytes

Shorts* samples() { return reinterpret_cast<Shorts*>(arena); }
Shorts* filtered() { return reinterpret_cast<Shorts*>(arena + 0x10000); }
Floats* weights() { return reinterpret_cast<Floats*>(arena + 0x20000); }
Floats* total() { return reinterpret_cast<Floats*>(arena + 0x30000); }

void filter() {
  const Shorts* in = samples();
  Shorts* out = filtered();
  const Shorts gain = {3, -5, 7, 11, -13, 2, 9, 1};
  for (unsigned i = 1; i + 1 < kVectors; ++i) out[i] = in[i] * gain + ((in[i - 1] + in[i + 1]) >> 2) - (out[i] & in[i]);
}

void weigh(float factor) {
  const Floats f = {factor, factor, factor, factor};
  for (unsigned i = 0; i < kVectors; ++i) total()[i] = total()[i] * f + weights()[i];
}

unsigned mandelbrot_pair(double x, double y, double step) {
  const Doubles cx = {x, x + step}, cy = {y, y};
  const Doubles four = {4, 4};
  Doubles zx = cx, zy = cy;
  unsigned inside = 0;
  for (unsigned i = 0; i < 64; ++i) {
    const Doubles xx = zx * zx, yy = zy * zy;
    const int mask = __builtin_ia32_movmskpd(reinterpret_cast<Doubles>(xx + yy <= four));
    if (mask == 0) break;
    inside += static_cast<unsigned>((mask & 1) + (mask >> 1));
    zy = (zx + zx) * zy + cy;
    zx = xx - yy + cx;
  }
  return inside;
}

}  // namespace

void prepare_sse2() {
  Random random;
  auto* sample = reinterpret_cast<int16_t*>(samples());
  auto* weight = reinterpret_cast<float*>(weights());
  for (unsigned i = 0; i < kVectors * 8; ++i) sample[i] = static_cast<int16_t>(random.next());
  for (unsigned i = 0; i < kVectors * 4; ++i) weight[i] = static_cast<float>(random.next() & 0xfff) / 64;
}

uint32_t sse2_kernel() {
  uint32_t sum = 0;
  for (int pass = 0; pass < 1500; ++pass) {
    filter();
    weigh(0.875f);
    for (int i = 0; i < 16; ++i) sum += mandelbrot_pair(-1.5 + 0.09 * i, 0.0004 * pass, 0.045);
  }
  sum = crc32(reinterpret_cast<const uint8_t*>(filtered()), kVectors * 16, sum);
  return crc32(reinterpret_cast<const uint8_t*>(total()), kVectors * 16, sum);
}

}  // namespace guest
