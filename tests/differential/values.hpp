// Operand values that make something happen: corners, small distances from them, and anything.
#pragma once

#include <cstdint>
#include <span>

#include "dice.hpp"

namespace tuxarium::differential {

std::uint32_t integer_value(Dice& dice);
std::uint32_t single_value(Dice& dice);
std::uint64_t double_value(Dice& dice);
/// An 80-bit number in memory order, of any class including those that the hardware does not support.
void extended_value(Dice& dice, std::uint8_t* ten_bytes);

enum class Content { integers, floats, extended, decimal, anything };
void fill(Dice& dice, Content content, std::span<std::uint8_t> to);

}  // namespace tuxarium::differential
