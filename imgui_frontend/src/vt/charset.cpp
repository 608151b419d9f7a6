#include "charset.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace tuxarium::vt {
namespace {

// 0x5f to 0x7e of DEC Special Graphics.
constexpr std::u32string_view kSpecialGraphics = U"\u00A0◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";
static_assert(kSpecialGraphics.size() == 0x7F - 0x5F);

// Where a national set differs from ASCII, and what it has there.
constexpr std::u32string_view kNationalPlaces = U"#@[\\]^_`{|}~";
constexpr std::array<std::u32string_view, 12> kNational{
    U"£@[\\]^_`{|}~", U"£¾ĳ½|^_`¨ƒ¼´", U"#@ÄÖÅÜ_éäöåü", U"£à°ç§^_`éùè¨", U"#àâçêî_ôéùèû", U"#§ÄÖÜ^_`äöüß",
    U"£§°çé^_ùàòèì", U"#ÄÆØÅÜ_äæøåü", U"#@ÃÇÕ^_`ãçõ~", U"£§¡Ñ¿^_`°ñç~", U"#ÉÄÖÅÜ_éäöåü", U"ùàéçêîèôäöüû",
};

}  // namespace

std::optional<Charset> designated_charset(char intermediate, char final_byte, bool national) {
  if (intermediate >= '-') return final_byte == 'A' ? std::optional{Charset::latin_1} : std::nullopt;
  switch (final_byte) {
    case 'B': case '1': return Charset::ascii;
    case '0': case '2': return Charset::special_graphics;
    case 'A': return Charset::british;
    case '<': return Charset::latin_1;
    default: break;
  }
  if (!national) return std::nullopt;
  switch (final_byte) {
    case '4': return Charset::dutch;
    case 'C': case '5': return Charset::finnish;
    case 'R': case 'f': return Charset::french;
    case 'Q': case '9': return Charset::french_canadian;
    case 'K': return Charset::german;
    case 'Y': return Charset::italian;
    case '`': case 'E': case '6': return Charset::norwegian;
    case 'Z': return Charset::spanish;
    case 'H': case '7': return Charset::swedish;
    case '=': return Charset::swiss;
    default: return std::nullopt;
  }
}

char32_t translate(Charset set, char32_t character) {
  switch (set) {
    case Charset::ascii: return character;
    case Charset::special_graphics: return character >= 0x5F && character < 0x7F ? kSpecialGraphics[character - 0x5F] : character;
    case Charset::latin_1: return character + 0x80;
    default: break;
  }
  const auto place = kNationalPlaces.find(character);
  const auto which = static_cast<std::size_t>(set) - static_cast<std::size_t>(Charset::british);
  return place == std::u32string_view::npos ? character : kNational[which][place];
}

}  // namespace tuxarium::vt
