#include "values.hpp"

#include <algorithm>
#include <cstring>

namespace tuxarium::differential {

std::uint32_t integer_value(Dice& dice) {
  static constexpr std::uint32_t kCorners[] = {0, 1, 2, 9, 0x0a, 0x7f, 0x80, 0x81, 0x99, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
                                               0x80000000u, 0xfffffffeu, 0xffffffffu};
  const std::uint32_t value = dice.word();
  switch (dice.below(5)) {
    case 0: return dice.pick(kCorners);
    case 1: return dice.pick(kCorners) ^ (value & 0x00ff00ffu);
    case 2: return value >> (value & 31);
    default: return value;
  }
}

std::uint32_t single_value(Dice& dice) {
  static constexpr std::uint32_t kCorners[] = {0,           0x80000000u, 0x3f800000u, 0xbf800000u, 0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffc00001u,
                                               0x7f800001u, 0xff812345u, 1,           0x80000001u, 0x007fffffu, 0x00800000u, 0x7f7fffffu, 0xff7fffffu,
                                               0x00800001u, 0x4f000000u, 0xcf000000u, 0x4effffffu, 0x3effffffu, 0x3f000000u, 0x3fc00000u, 0x40200000u};
  const std::uint32_t value = dice.word();
  switch (dice.below(4)) {
    case 0: return dice.pick(kCorners);
    case 1: return dice.pick(kCorners) ^ (value & 3);
    case 2: return (value & 0x807fffffu) | (0x3f800000u + (dice.below(40) - 20) * 0x00800000u);
    default: return value;
  }
}

std::uint64_t double_value(Dice& dice) {
  static constexpr std::uint64_t kCorners[] = {0, 0x8000000000000000u, 0x3ff0000000000000u, 0xbff0000000000000u, 0x7ff0000000000000u,
                                               0xfff0000000000000u, 0x7ff8000000000000u, 0xfff8000000000001u, 0x7ff0000000000001u,
                                               0xfff4567812345678u, 1, 0x8000000000000001u, 0x000fffffffffffffu, 0x0010000000000000u,
                                               0x7fefffffffffffffu, 0x41dfffffffc00000u, 0xc1e0000000000000u, 0x41e0000000000000u,
                                               0x3810000000000000u, 0x380fffffffffffffu, 0x36a0000000000000u, 0x47efffffe0000000u,
                                               0x47f0000000000000u, 0x3fe0000000000000u, 0x3ff8000000000000u};
  const std::uint64_t value = dice();
  switch (dice.below(4)) {
    case 0: return dice.pick(kCorners);
    case 1: return dice.pick(kCorners) ^ (value & 3);
    case 2: return (value & 0x800fffffffffffffu) | (0x3ff0000000000000u + (std::uint64_t{dice.below(70)} - 35) * 0x0010000000000000u);
    default: return value;
  }
}

void extended_value(Dice& dice, std::uint8_t* ten_bytes) {
  static constexpr std::uint16_t kExponents[] = {0, 1, 2, 0x3fbf, 0x3ffe, 0x3fff, 0x4000, 0x401e, 0x403e, 0x403f, 0x7ffe, 0x7fff};
  static constexpr std::uint64_t kSignificands[] = {0, 1, 0x8000000000000000u, 0x8000000000000001u, 0xc000000000000000u, 0xa000000000000000u,
                                                    0xffffffffffffffffu, 0x7fffffffffffffffu, 0x4000000000000000u, 0xfffffffffffff800u,
                                                    0xffffff8000000000u, 0xc90fdaa22168c235u};
  std::uint64_t significand = dice();
  std::uint16_t exponent;
  switch (dice.below(8)) {
    case 0:
      significand = dice.pick(kSignificands);
      exponent = dice.pick(kExponents);
      break;
    case 1:
      exponent = dice.pick(kExponents);
      break;
    case 2:  // an integer
      significand = std::uint64_t{1} << 63 | (significand & ~std::uint64_t{0} << dice.below(64));
      exponent = static_cast<std::uint16_t>(0x3fff + dice.below(70));
      break;
    case 3:  // tiny or huge
      significand |= std::uint64_t{1} << 63;
      exponent = static_cast<std::uint16_t>(dice.one_in(2) ? dice.below(80) : 0x7ffe - dice.below(80));
      break;
    case 4:
      exponent = static_cast<std::uint16_t>(dice.word());
      break;
    default:  // near 1
      significand |= std::uint64_t{1} << 63;
      exponent = static_cast<std::uint16_t>(0x3fff + dice.below(24) - 16);
      break;
  }
  exponent = static_cast<std::uint16_t>((exponent & 0x7fff) | (dice.one_in(2) ? 0x8000 : 0));
  std::memcpy(ten_bytes, &significand, 8);
  std::memcpy(ten_bytes + 8, &exponent, 2);
}

void fill(Dice& dice, Content content, std::span<std::uint8_t> to) {
  if (content == Content::floats) content = dice.one_in(3) ? Content::anything : content;
  const bool wide = dice.one_in(2);
  for (std::size_t n = 0; n < to.size();) {
    std::uint8_t bytes[16];
    std::size_t count = 8;
    if (content == Content::integers) {
      const std::uint32_t value = integer_value(dice);
      std::memcpy(bytes, &value, count = 4);
    } else if (content == Content::floats) {
      const std::uint64_t value = wide ? double_value(dice) : single_value(dice);
      std::memcpy(bytes, &value, count = wide ? 8 : 4);
    } else if (content == Content::extended) {
      extended_value(dice, bytes);
      count = 10;
    } else if (content == Content::decimal) {
      for (count = 0; count < 10; ++count) bytes[count] = static_cast<std::uint8_t>(dice.below(10) << 4 | dice.below(10));
      bytes[9] = static_cast<std::uint8_t>(bytes[9] & 0x80);
    } else {
      const std::uint64_t value = dice();
      std::memcpy(bytes, &value, count);
    }
    count = std::min(count, to.size() - n);
    std::memcpy(to.data() + n, bytes, count);
    n += count;
  }
}

}  // namespace tuxarium::differential
