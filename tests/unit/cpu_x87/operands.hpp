// Operand tables and random states for the x87 tests.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "cpu/x87/float80.hpp"
#include "host_x87.hpp"

namespace tuxarium::tests {

using cpu::x87::Float80;
using Random = std::mt19937_64;

/// Zeros, denormals, pseudo-denormals, extremes, unnormals, infinities, NaNs and pseudo forms, small integers, both signs.
inline std::vector<Float80> corner_values() {
  std::vector<Float80> values;
  const std::uint64_t significands[] = {0x8000000000000000u, 0xffffffffffffffffu, 0x8000000000000001u, 0xc000000000000000u,
                                        0xfffffffffffff800u, 0x8000000000000400u, 0xa000000000000000u, 0x8000008000000000u,
                                        0xffffff0000000000u, 0xc90fdaa22168c235u};
  const unsigned exponents[] = {1,      2,      0x3c00, 0x3f80, 0x3f81, 0x3fbe, 0x3ffd, 0x3ffe, 0x3fff,
                                0x4000, 0x400d, 0x401d, 0x403d, 0x403e, 0x407e, 0x43fe, 0x43ff, 0x7ffe};
  const std::uint64_t special[] = {0,
                                   1,
                                   0x7fffffffffffffffu,
                                   0x8000000000000000u,
                                   0x8000000000000001u,
                                   0xbfffffffffffffffu,
                                   0xc000000000000000u,
                                   0xc000000000000001u,
                                   0xffffffffffffffffu,
                                   0x4000000000000000u};
  for (const unsigned sign : {0u, 0x8000u}) {
    const auto add = [&](std::uint64_t significand, unsigned exponent) {
      values.push_back({significand, static_cast<std::uint16_t>(sign | exponent)});
    };
    for (const unsigned exponent : exponents)
      for (const std::uint64_t significand : significands) add(significand, exponent);
    for (const std::uint64_t significand : special) {
      add(significand, 0);
      add(significand, 0x7fff);
    }
    add(0x4000000000000000u, 0x3fff);
    add(0, 0x4000);
  }
  return values;
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed), corners_(corner_values()) {}

  std::uint64_t bits() { return random_(); }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  Float80 value() {
    const unsigned kind = below(16);
    if (kind < 6) return corners_[random_() % corners_.size()];
    const auto sign = static_cast<std::uint16_t>(random_() & 0x8000u);
    std::uint64_t significand = random_() | cpu::x87::kIntegerBit;
    if (below(3) == 0) significand &= ~std::uint64_t{0} << below(64);
    significand |= cpu::x87::kIntegerBit;
    unsigned exponent = 0x3fff - 70 + below(140);
    if (kind < 9) exponent = 0x3fff - 3 + below(6);
    if (kind == 9) exponent = below(0x8000);
    if (kind == 10) exponent = below(80);
    if (kind == 11) exponent = 0x7ffe - below(80);
    if (kind == 12) exponent = 0x3f6a + below(40);
    if (kind == 13) exponent = 0x3c00 - 60 + below(70);
    if (exponent == 0) significand &= ~std::uint64_t{0} >> below(64);
    return {significand, static_cast<std::uint16_t>(sign | exponent)};
  }

  /// `plain`: no empty registers at the top, all exceptions masked.
  Image image(bool plain) {
    Image image{};
    const unsigned top = below(8);
    unsigned control = 0x037f;
    if (below(2) == 0) control = (control & ~0x0c00u) | below(4) << 10;
    if (below(2) == 0) {
      static constexpr unsigned kPrecisions[] = {0x000, 0x200, 0x300};
      control = (control & ~0x0300u) | kPrecisions[below(3)];
    }
    if (!plain && below(2) == 0) control &= ~0x3fu | below(64);
    const unsigned status = (static_cast<unsigned>(random_()) & 0x477fu & ~(~control & 0x3fu)) | top << 11;
    unsigned tags = 0;
    const unsigned depth = plain ? 2 + below(5) : below(9);  // ST(0) .. ST(depth - 1) hold values
    for (unsigned i = depth; i < 8; ++i) tags |= 3u << 2 * ((top + i) & 7u);
    if (!plain && below(4) == 0) tags ^= 3u << 2 * below(8);
    put(image, 0, 4, 0xffff0000u | control);
    put(image, 4, 4, 0xffff0000u | status);
    put(image, 8, 4, 0xffff0000u | tags);
    put(image, 24, 4, 0xffff0000u);
    for (unsigned i = 0; i < 8; ++i) set_register(image, i, value());
    if (plain && below(4) == 0) {  // related operands: remainders, cancellation
      Float80 other = value();
      other.sign_exponent = static_cast<std::uint16_t>(other.sign_exponent ^ (random_() & 0x8003u));
      set_register(image, 0, other);
      other.sign_exponent = static_cast<std::uint16_t>(other.sign_exponent ^ (random_() & 0x8001u));
      other.significand ^= random_() & 1;
      set_register(image, 1, other);
    }
    return image;
  }

  static void put(Image& image, std::size_t at, std::size_t bytes, std::uint64_t value) {
    for (std::size_t i = 0; i < bytes; ++i) image[at + i] = static_cast<std::byte>(value >> 8 * i);
  }
  static std::uint64_t get(const Image& image, std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(image[at + i]);
    return value;
  }
  static void set_register(Image& image, unsigned i, const Float80& value) {
    put(image, 28 + 10 * i, 8, value.significand);
    put(image, 36 + 10 * i, 2, value.sign_exponent);
  }

  /// A memory operand of a load of `bytes` bytes: an integer, or a single, double or extended with corners.
  Operand operand(std::size_t bytes) {
    Operand memory{};
    std::uint64_t low = random_(), high = random_() & 0xffffu;
    static constexpr std::uint64_t kPatterns[] = {0,
                                                  0x8000000000000000u,
                                                  0x7ff0000000000000u,
                                                  0xfff8000000000000u,
                                                  0x7ff4000000000000u,
                                                  0x3ff0000000000000u,
                                                  0x000fffffffffffffu,
                                                  0x0010000000000000u,
                                                  0x7fefffffffffffffu,
                                                  0x7f8000007f800000u,
                                                  0xff8000017f800001u,
                                                  0x7fc00000ffc00000u,
                                                  0x0000000100000001u,
                                                  0x807fffff007fffffu,
                                                  0x3f8000003f800000u,
                                                  1,
                                                  0xffffffffffffffffu,
                                                  0x7fff7fff7fff7fffu,
                                                  0x8000800080008000u};
    if (below(2) == 0) low = kPatterns[below(std::size(kPatterns))];
    if (below(8) == 0) low = (low & 0x800fffffffffffffu);
    if (bytes == 10) {
      const Float80 image = value();
      low = image.significand;
      high = image.sign_exponent;
    }
    for (unsigned i = 0; i < 8; ++i) memory[i] = static_cast<std::byte>(low >> 8 * i);
    memory[8] = static_cast<std::byte>(high);
    memory[9] = static_cast<std::byte>(high >> 8);
    return memory;
  }

  /// Nine random packed digits pairs and a sign byte.
  Operand decimal() {
    Operand memory{};
    for (unsigned i = 0; i < 9; ++i) memory[i] = static_cast<std::byte>(below(10) << 4 | below(10));
    memory[9] = static_cast<std::byte>(below(2) << 7);
    return memory;
  }

 private:
  Random random_;
  std::vector<Float80> corners_;
};

}  // namespace tuxarium::tests
