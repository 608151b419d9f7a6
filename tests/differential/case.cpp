#include "case.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "dice.hpp"

namespace tuxarium::differential {

namespace {

std::array<std::uint8_t, kDataSize> make_pattern() {
  std::array<std::uint8_t, kDataSize> pattern{};
  Dice dice{20260101};
  for (std::uint8_t& b : pattern) b = dice.byte();
  return pattern;
}

constexpr std::uint8_t byte_of(std::uint32_t value, unsigned n) { return static_cast<std::uint8_t>(value >> (8 * n)); }

class Digest {
 public:
  void add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    for (std::size_t n = 0; n < size; ++n) value_ = (value_ ^ bytes[n]) * 0x100000001b3u;
  }
  void number(std::uint64_t value) {
    for (unsigned n = 0; n < 64; n += 8) {
      const auto b = static_cast<std::uint8_t>(value >> n);
      add(&b, 1);
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace

const std::array<std::uint8_t, kDataSize>& memory_pattern() {
  static const std::array<std::uint8_t, kDataSize> pattern = make_pattern();
  return pattern;
}

void initial_memory(const Case& c, std::span<std::uint8_t, kWritableSize> out) {
  std::memcpy(out.data(), memory_pattern().data(), kWritableSize);
  for (unsigned n = 0; n < c.windows; ++n) {
    const Window& w = c.window[n];
    if (w.offset >= kWritableSize) continue;
    std::copy_n(w.bytes.data(), std::min<std::size_t>(w.bytes.size(), kWritableSize - w.offset), out.data() + w.offset);
  }
}

std::span<const std::uint8_t> landing(bool code32) {
  // jmp kUserCode64:kGateBase, with a 32-bit offset.
  static constexpr std::uint8_t kJump[] = {0x66, 0xea, byte_of(kGateBase, 0), byte_of(kGateBase, 1), byte_of(kGateBase, 2), byte_of(kGateBase, 3),
                                           kUserCode64, 0};
  return std::span{kJump}.subspan(code32 ? 1 : 0);
}

std::string case_name(const Case& c) {
  char text[24];
  std::snprintf(text, sizeof text, ":%016llx", static_cast<unsigned long long>(c.seed));
  return c.form->key + text;
}

std::uint64_t case_digest(const Case& c) {
  Digest d;
  d.add(c.code.data(), c.length);
  d.number(c.code_address);
  for (const std::uint32_t r : c.gpr) d.number(r);
  d.number(c.eflags);
  for (const std::uint16_t s : c.segment) d.number(s);
  for (unsigned n = 0; n < c.windows; ++n) {
    d.number(c.window[n].offset);
    d.add(c.window[n].bytes.data(), c.window[n].bytes.size());
  }
  if (c.fpu) d.add(c.fx.data(), kFxUsed);
  return d.value();
}

}  // namespace tuxarium::differential
