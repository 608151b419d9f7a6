// UTF-8 (RFC 3629), one code point at a time.
#pragma once

#include <string>
#include <string_view>

namespace tuxarium::vt {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// Appends `code_point`, which must be at most 0x10FFFF.
void append_utf8(std::string& text, char32_t code_point);

/// Writes 1 to 4 bytes to `out` and returns how many.
unsigned encode_utf8(char32_t code_point, char* out);

/// Takes one code point off the front of `text`, which must not be empty. A malformed byte gives U+FFFD and counts alone.
char32_t take_utf8(std::string_view& text);

}  // namespace tuxarium::vt
