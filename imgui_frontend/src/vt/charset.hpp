// Character sets of ISO 2022 terminals: VT220 Programmer Reference, chapter 2 (national replacement sets, DEC Special Graphics).
#pragma once

#include <cstdint>
#include <optional>

namespace tuxarium::vt {

enum class Charset : std::uint8_t {
  ascii, special_graphics, latin_1, british, dutch, finnish, french, french_canadian, german, italian, norwegian, portuguese, spanish, swedish, swiss
};

/// The set that an escape sequence ESC `intermediate` `final` designates: `(` to `+` sets of 94 characters, `-` to `/` of 96.
/// `national` permits the national replacement sets.
std::optional<Charset> designated_charset(char intermediate, char final_byte, bool national);

/// A character 0x20 to 0x7e in a set.
char32_t translate(Charset set, char32_t character);

}  // namespace tuxarium::vt
