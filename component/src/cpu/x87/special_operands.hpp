// What every operation does first with operands that are not plain numbers: SDM vol. 1, section 4.8.3.5, table 4-7, and section 8.5.1.2.
#pragma once

#include <optional>

#include "cpu/x87/rounding.hpp"

namespace tuxarium::cpu::x87 {

constexpr Result invalid_operation() { return {kIndefinite, status::kInvalid}; }
constexpr Float80 quiet(Float80 nan) {
  nan.significand |= kQuietBit;
  return nan;
}

/// The result for an unsupported or NaN operand; nothing for numbers.
inline std::optional<Result> special_result(const Float80& a) {
  if (is_unsupported(a)) return invalid_operation();
  if (!is_nan(a)) return std::nullopt;
  return Result{quiet(a), is_signaling(a) ? static_cast<std::uint16_t>(status::kInvalid) : std::uint16_t{0}};
}

/// Of two NaNs the one with the larger significand, of equal ones the positive one; a quiet one before a signaling one.
inline std::optional<Result> special_result(const Float80& a, const Float80& b) {
  if (is_unsupported(a) || is_unsupported(b)) return invalid_operation();
  if (!is_nan(a) && !is_nan(b)) return std::nullopt;
  if (!is_nan(a)) return special_result(b);
  if (!is_nan(b)) return special_result(a);
  const bool signaling_a = is_signaling(a), signaling_b = is_signaling(b);
  bool take_a = a.significand != b.significand ? a.significand > b.significand : !a.sign();
  if (signaling_a != signaling_b) take_a = signaling_b;
  const auto flags = static_cast<std::uint16_t>(signaling_a || signaling_b ? status::kInvalid : 0);
  return Result{quiet(take_a ? a : b), flags};
}

}  // namespace tuxarium::cpu::x87
